/** drivers/vfio/vfio_iommu_type1.c of 6.1.176. */
import {
  abstraction,
  applied,
  EEXIST,
  EINVAL,
  EIO,
  ENOMEM,
  type Errno,
  fault,
  kfree,
  kzalloc,
  list_add,
  list_del,
  list_empty,
  list_first_entry_or_null,
  list_is_singular,
  mutex_lock,
  mutex_unlock,
  type Proc,
} from "iommu-mc";
import { iommu_attach_group, iommu_detach_group, iommu_domain_alloc, iommu_domain_free } from "../iommu/attach.js";
import { iommu_unmap as unmap_and_flush } from "../iommu/map.js";
import { map_page } from "../iommu-drivers/page-table.js";
import { type IommuDomain, type IommuGroup, iommu_core, linux, type VfioIommu } from "../schema.js";
import { vfio_iommu_replay, vfio_iommu_unmap_unpin_reaccount } from "./replay.js";

abstraction("the user maps one range only, and always the same", "may miss a bug");
abstraction("vfio_test_domain_fgsp(), which maps an empty page of its own into a new domain for a moment, is left out", "neither");
abstraction(
  "reserved regions, apertures, dirty tracking, vaddr updates and locked-memory accounting are one step that may fail",
  "may miss a bug",
);

/** 6.1.176 line 2641. */
export function vfio_iommu_type1_open(): VfioIommu | null {
  return fault("kzalloc(vfio_iommu)") ? null : kzalloc(linux, "vfio_iommu");
}

/**
 * 6.1.176 line 2692. Takes no lock: the caller has taken the last group away, and with it the last domain and mapping
 * that the C would look for.
 */
export function* vfio_iommu_type1_release(iommu: VfioIommu): Proc {
  kfree(iommu);
}

/** 6.1.176 line 3273, called when the container's descriptor is closed. What it sets matters for updates of vaddr only. */
export function* vfio_iommu_type1_notify(iommu: VfioIommu): Proc {
  yield* mutex_lock(iommu.lock);
  mutex_unlock(iommu.lock);
}

/** 6.1.176 line 2244. */
export function* vfio_iommu_type1_attach_group(iommu: VfioIommu, iommu_group: IommuGroup): Proc<Errno> {
  yield* mutex_lock(iommu.lock);
  let ret: Errno = 0;
  if (vfio_iommu_find_iommu_group(iommu, iommu_group)) ret = -EINVAL;
  else if (fault("kzalloc(vfio_domain)")) ret = -ENOMEM;
  else ret = yield* attach_new_domain(iommu, iommu_group);
  mutex_unlock(iommu.lock);
  return ret;
}

/** The body of attach_group from the allocation of the domain on. */
function* attach_new_domain(iommu: VfioIommu, iommu_group: IommuGroup): Proc<Errno> {
  const new_domain = yield* vfio_iommu_domain_alloc(iommu_group);
  if (new_domain === null) return -EIO;
  let ret: Errno = yield* iommu_attach_group(new_domain, iommu_group);
  yield;
  if (ret) {
    iommu_domain_free(new_domain);
    return ret;
  }
  if (fault("resv regions and iova list")) {
    yield* out_detach(new_domain, iommu_group);
    return -ENOMEM;
  }
  // domain->ops->enforce_cache_coherency()
  const snoop = iommu_group.can_snoop;
  for (const d of iommu.domain_list) {
    if (d.enforce_cache_coherency !== snoop || d.domain!.ops !== new_domain.ops) continue;
    yield* iommu_detach_group(new_domain, iommu_group);
    yield;
    ret = yield* iommu_attach_group(d.domain!, iommu_group);
    yield;
    if (!ret) {
      list_add(iommu_group, d.group_list);
      iommu_domain_free(new_domain);
      return 0;
    }
    ret = yield* iommu_attach_group(new_domain, iommu_group);
    yield;
    if (ret) {
      iommu_domain_free(new_domain);
      return ret;
    }
  }
  // The new domain gets what the others have.
  if (iommu.has_emulated_group) ret = yield* vfio_iommu_replay(iommu, new_domain);
  else if (iommu.dma) ret = iommu_map(new_domain);
  if (ret) {
    yield* out_detach(new_domain, iommu_group);
    return ret;
  }
  publish(iommu, new_domain, iommu_group, snoop);
  return 0;
}

function* out_detach(domain: IommuDomain, iommu_group: IommuGroup): Proc {
  yield* iommu_detach_group(domain, iommu_group);
  yield;
  iommu_domain_free(domain);
}

/** The new vfio_domain, which the C has allocated at the start, gets on the list. */
function publish(iommu: VfioIommu, new_domain: IommuDomain, iommu_group: IommuGroup, snoop: boolean): void {
  const domain = kzalloc(linux, "vfio_domain");
  domain.iommu = iommu;
  domain.domain = new_domain;
  domain.enforce_cache_coherency = snoop;
  list_add(iommu_group, domain.group_list);
  list_add(domain, iommu.domain_list);
}

/** 6.1.176 line 2236, called for the first device by iommu_group_for_each_dev(). */
function* vfio_iommu_domain_alloc(iommu_group: IommuGroup): Proc<IommuDomain | null> {
  yield* mutex_lock(iommu_group.mutex);
  const device = list_first_entry_or_null(iommu_group.devices);
  const domain = device === null ? null : iommu_domain_alloc(device.dev!.bus!);
  mutex_unlock(iommu_group.mutex);
  return domain;
}

function vfio_iommu_find_iommu_group(iommu: VfioIommu, iommu_group: IommuGroup): boolean {
  return iommu.domain_list.some((domain) => domain.group_list.includes(iommu_group));
}

/** 6.1.176 line 2556. An empty domain goes away; the last one takes all mappings with it. */
export function* vfio_iommu_type1_detach_group(iommu: VfioIommu, iommu_group: IommuGroup): Proc {
  yield* mutex_lock(iommu.lock);
  for (const domain of iommu.domain_list) {
    if (!domain.group_list.includes(iommu_group)) continue;
    yield* iommu_detach_group(domain.domain!, iommu_group);
    yield;
    list_del(iommu_group, domain.group_list);
    if (list_empty(domain.group_list)) {
      if (list_is_singular(iommu.domain_list) && !applied("ownership-at-open")) {
        if (iommu.has_emulated_group) yield* vfio_iommu_unmap_unpin_reaccount(iommu);
        else yield* vfio_iommu_unmap_unpin_all(iommu);
      }
      yield;
      iommu_domain_free(domain.domain!);
      list_del(domain, iommu.domain_list);
      kfree(domain);
    }
    break;
  }
  mutex_unlock(iommu.lock);
}

function* vfio_iommu_unmap_unpin_all(iommu: VfioIommu): Proc {
  if (iommu.dma) yield* vfio_remove_dma(iommu);
}

/** 6.1.176 line 1201 with vfio_unmap_unpin(): every domain is unmapped before the pages are unpinned, the first one last. */
function* vfio_remove_dma(iommu: VfioIommu): Proc {
  const first = list_first_entry_or_null(iommu.domain_list);
  for (const d of iommu.domain_list) {
    if (d === first) continue;
    yield* iommu_unmap(d.domain!);
    yield;
  }
  if (first !== null) yield* iommu_unmap(first.domain!);
  iommu.dma = false;
  unpin();
}

/** VFIO_IOMMU_MAP_DMA, 6.1.176 line 1638. */
export function* vfio_dma_do_map(iommu: VfioIommu): Proc<Errno> {
  let ret: Errno = 0;
  yield* mutex_lock(iommu.lock);
  if (iommu.dma) ret = -EEXIST;
  else if (fault("kzalloc(vfio_dma)")) ret = -ENOMEM;
  else {
    iommu.dma = true;
    ret = yield* vfio_iommu_map(iommu);
    // vfio_remove_dma() has nothing to unmap: the size of what is mapped is still zero.
    if (ret) iommu.dma = false;
  }
  mutex_unlock(iommu.lock);
  return ret;
}

/** 6.1.176 line 1512. A failure unmaps the domains before the failing one, in reverse. */
function* vfio_iommu_map(iommu: VfioIommu): Proc<Errno> {
  let ret: Errno = 0;
  let mapped = 0;
  for (const d of iommu.domain_list) {
    ret = iommu_map(d.domain!);
    if (ret) break;
    mapped++;
    yield;
  }
  if (ret) {
    for (; mapped > 0; mapped--) {
      yield* iommu_unmap(iommu.domain_list.at(mapped - 1)!.domain!);
      yield;
    }
  }
  return ret;
}

/** VFIO_IOMMU_UNMAP_DMA, 6.1.176 line 1361. */
export function* vfio_dma_do_unmap(iommu: VfioIommu): Proc<Errno> {
  yield* mutex_lock(iommu.lock);
  if (iommu.dma) yield* vfio_remove_dma(iommu);
  mutex_unlock(iommu.lock);
  return 0;
}

function iommu_map(domain: IommuDomain): Errno {
  if (fault("iommu_map")) return -ENOMEM;
  domain.user_map = true;
  const page = iommu_core.user_page;
  if (page !== null) {
    page.for_dma = true;
    map_page(domain, 0, page);
  }
  return 0;
}

/** iommu_unmap() and iommu_unmap_fast() with the flush that follows it; where there are pages, in the steps of those. */
function* iommu_unmap(domain: IommuDomain): Proc {
  domain.user_map = false;
  if (iommu_core.user_page !== null) yield* unmap_and_flush(domain, 0, 1);
}

/** vfio_unpin_pages_remote(): the user's page is the kernel's again. */
function unpin(): void {
  const page = iommu_core.user_page;
  if (page !== null) page.for_dma = false;
}
