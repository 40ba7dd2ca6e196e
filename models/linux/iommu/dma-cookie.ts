/** A DMA domain's IOVA allocator and flush queues, in drivers/iommu/dma-iommu.c of 6.1.176. Only where the scenario has an IOTLB. */
import {
  applied,
  assume,
  atomic,
  data_race,
  ENOMEM,
  type Errno,
  fault,
  kfree,
  kzalloc,
  mutex_lock,
  mutex_unlock,
  type Proc,
} from "iommu-mc";
import { put_pages_list } from "../iommu-drivers/page-table.js";
import { type Device, type IommuDmaCookie, type IommuDomain, iommu_core, linux } from "../schema.js";
import { iommu_is_dma_domain } from "./domain-type.js";

/** Line 308. */
export function iommu_get_dma_cookie(domain: IommuDomain): Errno {
  if (!iommu_core.has_iotlb || !iommu_is_dma_domain(domain)) return 0;
  if (fault("kzalloc(iommu_dma_cookie)")) return -ENOMEM;
  domain.iova_cookie = kzalloc(linux, "iommu_dma_cookie");
  return 0;
}

/** Line 358, with iommu_dma_free_fq() of line 222: waits until the timer's function has returned. */
export function iommu_put_dma_cookie(domain: IommuDomain): void {
  const cookie = domain.iova_cookie;
  if (cookie === null) return;
  atomic("nobody else has a domain that is freed but its timer, which del_timer_sync() waits for");
  if (iommu_core.fq_timer === cookie) iommu_core.fq_timer = null;
  assume(!iommu_core.fq_timer_is_running);
  for (const fq of [cookie.fq0, cookie.fq1]) {
    if (fq === null) continue;
    put_pages_list(data_race(() => fq.freelist));
    kfree(fq);
  }
  domain.iova_cookie = null;
  kfree(cookie);
}

/** Line 538. Before ac9a5d522bb8 (v6.0) without the mutex: two devices of a group could both find the domain uninitialised. */
export function* iommu_dma_init_domain(domain: IommuDomain, dev: Device): Proc {
  const cookie = domain.iova_cookie;
  if (cookie === null) return;
  if (applied("ac9a5d522bb8")) yield* mutex_lock(cookie.mutex);
  else yield;
  if (!cookie.is_initialised) {
    yield;
    init_iova_domain(cookie);
    if (isLazy(domain, dev) && iommu_dma_init_fq(domain, cookie)) domain.type = "DMA";
  }
  if (applied("ac9a5d522bb8")) mutex_unlock(cookie.mutex);
}

/**
 * Whether the domain is to have a flush queue. Since c208916fe6c7 (v5.15) its type says so. Before, it was the kernel's policy for
 * all domains alike, and since 82c3cefb9f16 (v5.12) the device that brought the domain up was looked at: dma-iommu.c of 5.10.223
 * line 345.
 */
function isLazy(domain: IommuDomain, dev: Device): boolean {
  if (applied("c208916fe6c7")) return domain.type === "DMA_FQ";
  return iommu_core.def_domain_type === "DMA_FQ" && !(applied("82c3cefb9f16") && dev.untrusted);
}

/** iova.c line 52: a second call would forget what is allocated. */
function init_iova_domain(cookie: IommuDmaCookie): void {
  cookie.is_initialised = true;
  cookie.initialisations++;
}

/** Line 242. Without memory the domain stays strict. */
export function iommu_dma_init_fq(domain: IommuDomain, cookie: IommuDmaCookie): Errno {
  if (cookie.fq_domain !== null) return 0;
  if (fault("alloc_percpu(iova_fq)")) return -ENOMEM;
  atomic("the queues are complete before fq_domain is set");
  cookie.fq0 = kzalloc(linux, "iova_fq");
  cookie.fq1 = kzalloc(linux, "iova_fq");
  cookie.fq_domain = domain;
  return 0;
}
