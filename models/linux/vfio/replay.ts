/**
 * A container with a mediated device that has no IOMMU behind it, in drivers/vfio/vfio_iommu_type1.c of 6.1.176: its ranges are not
 * pinned until a group with an IOMMU joins, whose new domain gets them all.
 */
import {
  abstraction,
  applied,
  EINVAL,
  ENOMEM,
  type Errno,
  fault,
  kfree,
  kzalloc,
  list_add_tail,
  list_del,
  list_empty,
  list_first_entry_or_null,
  mutex_lock,
  mutex_unlock,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { type IommuDomain, linux, type VfioDma, type VfioIommu } from "../schema.js";

abstraction("a range in a container with a mediated device is one page, which that device never pins itself", "may miss a bug");

/** Line 2262: the group of a mediated device is put on a list, and that is all. */
export function* attach_emulated_group(iommu: VfioIommu): Proc {
  yield* mutex_lock(iommu.lock);
  iommu.has_emulated_group = true;
  mutex_unlock(iommu.lock);
}

/** VFIO_IOMMU_MAP_DMA, line 1638, while there is no domain to map the range in. */
export function* map_dma_for_later(iommu: VfioIommu): Proc<Errno> {
  yield* mutex_lock(iommu.lock);
  if (fault("kzalloc(vfio_dma)")) {
    mutex_unlock(iommu.lock);
    return -ENOMEM;
  }
  const dma = kzalloc(linux, "vfio_dma");
  dma.iommu = iommu;
  list_add_tail(dma, iommu.dma_list);
  mutex_unlock(iommu.lock);
  return 0;
}

/**
 * Line 1759: the new domain gets every range; pages of those that no domain has are pinned first. Before aae7a75a821a (v5.9) a
 * failure undid nothing: the domain goes away, and the ranges before the failing one stay pinned and are taken to be in a domain,
 * of which there may be none.
 */
export function* vfio_iommu_replay(iommu: VfioIommu, domain: IommuDomain): Proc<Errno> {
  const d = list_first_entry_or_null(iommu.domain_list);
  let replayed = 0;
  let ret: Errno = 0;
  for (const dma of iommu.dma_list) {
    ret = yield* replay_one(dma, d === null ? null : d.domain, domain);
    if (ret) break;
    if (!applied("aae7a75a821a")) dma.iommu_mapped = true;
    replayed++;
    yield;
  }
  if (!applied("aae7a75a821a")) return ret;
  if (ret) {
    for (; replayed > 0; replayed--) {
      unwind_one(iommu.dma_list.at(replayed - 1)!);
      yield;
    }
    domain.user_map = false;
    return ret;
  }
  for (const dma of iommu.dma_list) dma.iommu_mapped = true;
  return 0;
}

/** One range: what a domain has of it is asked of that, what none has is pinned. */
function* replay_one(dma: VfioDma, other: IommuDomain | null, domain: IommuDomain): Proc<Errno> {
  if (dma.iommu_mapped) {
    if (applied("aae7a75a821a") && WARN_ON(other === null, "a range is mapped without a domain")) return -EINVAL;
    // iommu_iova_to_phys(), before aae7a75a821a of whatever the head of the empty list is taken for.
    WARN_ON(!other!.user_map, "a range that is mapped is not in the first domain");
  } else {
    if (fault("vfio_pin_pages_remote")) return -ENOMEM;
    dma.pinned = true;
  }
  yield;
  if (fault("iommu_map")) {
    if (applied("aae7a75a821a") && !dma.iommu_mapped) dma.pinned = false;
    return -ENOMEM;
  }
  domain.user_map = true;
  return 0;
}

/** The unwind of line 1859: unmaps the range, and unpins what no other domain has. */
function unwind_one(dma: VfioDma): void {
  if (!dma.iommu_mapped) dma.pinned = false;
}

/** Line 2454, when the last domain goes and the mediated device stays. */
export function* vfio_iommu_unmap_unpin_reaccount(iommu: VfioIommu): Proc {
  for (const dma of iommu.dma_list) {
    vfio_unmap_unpin(iommu, dma);
    yield;
  }
}

/** Line 1117: without a domain there is nothing to unmap, nor is it known what to unpin. */
function vfio_unmap_unpin(iommu: VfioIommu, dma: VfioDma): void {
  if (list_empty(iommu.domain_list)) return;
  dma.pinned = false;
  dma.iommu_mapped = false;
}

/** VFIO_IOMMU_UNMAP_DMA, line 1361, of all ranges, which goes to vfio_remove_dma() of line 1201 for each. */
export function* unmap_all(iommu: VfioIommu): Proc {
  yield* mutex_lock(iommu.lock);
  for (let dma = list_first_entry_or_null(iommu.dma_list); dma !== null; dma = list_first_entry_or_null(iommu.dma_list)) {
    vfio_unmap_unpin(iommu, dma);
    list_del(dma, iommu.dma_list);
    kfree(dma);
    yield;
  }
  mutex_unlock(iommu.lock);
}
