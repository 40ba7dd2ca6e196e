/**
 * What was weighed in September 2021 against taking a group when it is put into a container: that is when the user opens the first
 * of its devices, together with the container's domain, until the last is closed. Until then the container knows its groups by
 * name only, and keeps what the user has mapped for those to come. No kernel has this; it is written in terms of 6.1.176.
 */
import { data_race, type Errno, lockdep_assert_held, type Proc } from "iommu-mc";
import { iommu_group_claim_dma_owner, iommu_group_release_dma_owner } from "../iommu/ownership.js";
import type { VfioGroup } from "../schema.js";
import { vfio_iommu_type1_attach_group, vfio_iommu_type1_detach_group } from "./type1.js";

/** The first device of the group is about to be opened: claims the group and attaches it. The group's lock keeps its container. */
export function* vfio_group_take(group: VfioGroup): Proc<Errno> {
  lockdep_assert_held(group.group_lock);
  const iommu_group = group.iommu_group!;
  let ret = yield* iommu_group_claim_dma_owner(iommu_group, group);
  if (ret) return ret;
  yield;
  const data = data_race(() => group.container!.iommu_data)!;
  ret = yield* vfio_iommu_type1_attach_group(data, iommu_group);
  yield;
  if (ret) {
    yield* iommu_group_release_dma_owner(iommu_group);
    yield;
  }
  return ret;
}

/** The last one was closed. */
export function* vfio_group_give_back(group: VfioGroup): Proc {
  lockdep_assert_held(group.group_lock);
  const iommu_group = group.iommu_group!;
  const data = data_race(() => group.container!.iommu_data)!;
  yield;
  yield* vfio_iommu_type1_detach_group(data, iommu_group);
  yield;
  yield* iommu_group_release_dma_owner(iommu_group);
  yield;
}
