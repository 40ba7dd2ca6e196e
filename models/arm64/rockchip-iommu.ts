/**
 * drivers/iommu/rockchip-iommu.c of v4.2: one domain may be that of several IOMMUs, each of which has a TLB. Spinlocks are mutexes.
 * In v6.1 (and in v7.2, where the function is rk_iommu_identity_attach()) the attach lists the IOMMU first, and the detach has
 * stayed.
 */
import { abstraction, applied, atomic, idle, list_add_tail, list_del, mutex_lock, mutex_unlock, observe, type Proc } from "iommu-mc";
import { arm64, type IommuDomain, type RkIommu } from "./schema.js";

abstraction("a page table has one entry; rockchip's stall, reset and power management are left out", "may miss a bug", arm64);

/** The TLB is zapped and paging enabled, then the IOMMU goes onto the list of those that are told of what was unmapped. */
export function* rk_iommu_attach_device(domain: IommuDomain, iommu: RkIommu): Proc {
  if (applied("rk-list-first")) {
    yield* list_iommu(domain, iommu);
    yield;
    enable(domain, iommu);
  } else {
    enable(domain, iommu);
    yield* list_iommu(domain, iommu);
  }
}

function enable(domain: IommuDomain, iommu: RkIommu): void {
  atomic("the hardware is reset, zapped and enabled while it is stalled");
  iommu.tlb = null;
  iommu.dte_addr = domain;
  observe("rk_iommu_enable_paging", iommu, domain);
}

function* list_iommu(domain: IommuDomain, iommu: RkIommu): Proc {
  yield* mutex_lock(domain.iommus_lock);
  list_add_tail(iommu, domain.iommus);
  mutex_unlock(domain.iommus_lock);
}

/** The other way round: off the list, and then paging is disabled. exynos_iommu_detach_device() is the one that disables first. */
export function* rk_iommu_detach_device(domain: IommuDomain, iommu: RkIommu): Proc {
  if (applied("rk-disable-first")) {
    disable(iommu);
    yield* unlist_iommu(domain, iommu);
  } else {
    yield* unlist_iommu(domain, iommu);
    yield;
    disable(iommu);
  }
}

function disable(iommu: RkIommu): void {
  atomic("the hardware is disabled while it is stalled, and uses its TLB no more");
  iommu.dte_addr = null;
  iommu.tlb = null;
  observe("rk_iommu_disable_paging", iommu);
}

function* unlist_iommu(domain: IommuDomain, iommu: RkIommu): Proc {
  yield* mutex_lock(domain.iommus_lock);
  list_del(iommu, domain.iommus);
  mutex_unlock(domain.iommus_lock);
}

/** Clears the entry under dt_lock, which nobody else takes here, and then zaps it in each IOMMU that is listed. */
export function* rk_iommu_unmap(domain: IommuDomain): Proc {
  domain.pte = null;
  yield;
  yield* mutex_lock(domain.iommus_lock);
  for (const iommu of domain.iommus) {
    yield;
    iommu.tlb = null;
  }
  mutex_unlock(domain.iommus_lock);
}

/** A driver unmaps its buffer, which is then somebody else's. */
export function* unmap_and_free(domain: IommuDomain): Proc {
  const page = domain.pte!;
  yield;
  yield* rk_iommu_unmap(domain);
  yield;
  page.is_reused = true;
}

/** A device behind the IOMMU does DMA to the one address that there is. */
export function* hardware(iommu: RkIommu): Proc {
  for (;;) {
    yield idle(() => iommu.dte_addr !== null && iommu.tlb === null && iommu.dte_addr.pte !== null);
    atomic("the walk of a page table fills the TLB");
    iommu.tlb = iommu.dte_addr!.pte;
  }
}

/** A device comes to the domain, and goes. */
export function* attach_and_detach(domain: IommuDomain, iommu: RkIommu): Proc {
  yield* rk_iommu_attach_device(domain, iommu);
  yield;
  yield* rk_iommu_detach_device(domain, iommu);
}
