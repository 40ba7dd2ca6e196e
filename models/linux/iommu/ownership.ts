/** DMA ownership of drivers/iommu/iommu.c of 6.1.176: who may use a group's devices, the kernel's drivers or a user. */
import {
  abstraction,
  applied,
  EBUSY,
  EINVAL,
  ENODEV,
  EPERM,
  EPROBE_DEFER,
  type Errno,
  mutex_lock,
  mutex_unlock,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import type { Device, DeviceDriver, IommuGroup, VfioGroup } from "../schema.js";
import {
  __iommu_attach_group,
  __iommu_detach_group,
  __iommu_group_domain_alloc,
  __iommu_group_set_domain,
  __iommu_group_set_domain_nofail,
} from "./attach.js";
import { iommu_group_get, iommu_group_put } from "./group.js";
import { hasPasids } from "./pasid.js";

abstraction(
  "the blocking domains that drivers of later kernels have for all their devices, whose attach cannot fail, are a group's own here, as in 6.1",
  "may cry wolf",
);

/** 6.1.176 line 3100: identity equals identity. */
function iommu_is_default_domain(group: IommuGroup): boolean {
  if (group.domain === group.default_domain) return true;
  return (
    group.default_domain !== null && group.default_domain.type === "IDENTITY" && group.domain !== null && group.domain.type === "IDENTITY"
  );
}

/**
 * 6.1.176 line 3126: a driver that uses the DMA API is about to be bound. Since b46064a18810 (v6.15) it waits for a bus walk
 * that has not set up the default domain yet, and that for ever where the IOMMU's driver knows no default domains.
 */
export function* iommu_device_use_default_domain(dev: Device): Proc<Errno> {
  const group = yield* iommu_group_get(dev);
  if (group === null) return 0;
  let ret: Errno = 0;
  yield* mutex_lock(group.mutex);
  if (applied("b46064a18810") && group.default_domain === null) ret = -EPROBE_DEFER;
  else if (group.owner_cnt > 0 && (group.owner !== null || !iommu_is_default_domain(group) || hasPasids(group))) ret = -EBUSY;
  else group.owner_cnt++;
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
  return ret;
}

/** 6.1.176 line 3159. */
export function* iommu_device_unuse_default_domain(dev: Device): Proc {
  const group = yield* iommu_group_get(dev);
  if (group === null) return;
  yield* mutex_lock(group.mutex);
  const isWrong =
    WARN_ON(group.owner_cnt === 0, "unuse of a default domain nobody uses") ||
    WARN_ON(hasPasids(group), "a driver leaves a domain attached to a PASID");
  if (!isWrong) group.owner_cnt--;
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
}

/**
 * A sketch of September 2021 had the driver core itself take ownership, around all of really_probe(), instead of the buses in their
 * dma_configure. It says nothing of drivers that manage ownership themselves, nor of devices without a group: here the
 * former are exempt, as they came to be, and for the latter nothing is taken.
 */
export function* iommu_set_kernel_ownership(dev: Device, drv: DeviceDriver): Proc<Errno> {
  if (!applied("ownership-around-probe") || drv.driver_managed_dma) return 0;
  const ret = yield* iommu_device_use_default_domain(dev);
  yield;
  return ret;
}

/** Of the sketch: the last thing of a probe that failed, and behind the managed resources where a driver is unbound. */
export function* iommu_release_kernel_ownership(dev: Device, drv: DeviceDriver): Proc {
  if (!applied("ownership-around-probe") || drv.driver_managed_dma) return;
  yield;
  yield* iommu_device_unuse_default_domain(dev);
}

/** 6.1.176 line 3174. Takes the first device without asking whether there is one. */
export function __iommu_group_alloc_blocking_domain(group: IommuGroup): Errno {
  if (group.blocking_domain !== null) return 0;
  group.blocking_domain = __iommu_group_domain_alloc(group, "BLOCKED");
  if (group.blocking_domain === null) {
    group.blocking_domain = __iommu_group_domain_alloc(group, "UNMANAGED");
    if (group.blocking_domain === null) return -EINVAL;
  }
  return 0;
}

/** 6.1.176 line 3206. VFIO calls it when a group is put into a container; the owner is the vfio_group. */
export function* iommu_group_claim_dma_owner(group: IommuGroup, owner: VfioGroup): Proc<Errno> {
  yield* mutex_lock(group.mutex);
  const ret = group.owner_cnt > 0 ? -EPERM : yield* __iommu_take_dma_ownership(group, owner);
  mutex_unlock(group.mutex);
  return ret;
}

/** 7.2.13 line 3393; until 89395ccedbc1 (v6.2) a part of iommu_group_claim_dma_owner(). */
function* __iommu_take_dma_ownership(group: IommuGroup, owner: VfioGroup): Proc<Errno> {
  if ((group.domain !== null && group.domain !== group.default_domain) || hasPasids(group)) return -EBUSY;
  let ret: Errno = 0;
  if (applied("0286300e6045")) {
    ret = __iommu_group_alloc_blocking_domain(group);
    if (!ret) ret = yield* __iommu_group_set_domain(group, group.blocking_domain);
    if (ret) return ret;
    group.owner = owner;
  } else {
    group.owner = owner;
    if (group.domain !== null) yield* __iommu_detach_group(group.domain, group);
  }
  group.owner_cnt++;
  return 0;
}

/** 6.1.176 line 3244. */
export function* iommu_group_release_dma_owner(group: IommuGroup): Proc {
  yield* mutex_lock(group.mutex);
  yield* __iommu_release_dma_ownership(group);
  mutex_unlock(group.mutex);
}

/** 7.2.13 line 3482; until 89395ccedbc1 (v6.2) a part of iommu_group_release_dma_owner(). */
function* __iommu_release_dma_ownership(group: IommuGroup): Proc {
  if (WARN_ON(group.owner_cnt === 0 || group.owner === null, "release of a group nobody owns")) return;
  if (WARN_ON(hasPasids(group), "release of a group with a domain attached to a PASID, or with a handle")) return;
  group.owner_cnt = 0;
  if (!applied("0286300e6045")) {
    if (!WARN_ON(group.domain !== null, "release of a group that is still on a domain") && group.default_domain !== null) {
      yield* __iommu_attach_group(group.default_domain, group);
    }
    group.owner = null;
    return;
  }
  group.owner = null;
  if (applied("dcf40ed3a20d")) {
    yield* __iommu_group_set_domain_nofail(group, group.default_domain);
  } else {
    const ret = yield* __iommu_group_set_domain(group, group.default_domain);
    WARN_ON(ret !== 0, "the driver refused the default domain");
  }
}

/** 7.2.13 line 3453, of 89395ccedbc1 (v6.2): who presents the owner's pointer again is counted with it. */
export function* iommu_device_claim_dma_owner(dev: Device, owner: VfioGroup): Proc<Errno> {
  const group = yield* iommu_group_get(dev);
  if (group === null) return -ENODEV;
  let ret: Errno = 0;
  yield* mutex_lock(group.mutex);
  if (group.owner_cnt > 0) {
    if (group.owner === owner) group.owner_cnt++;
    else ret = -EPERM;
  } else ret = yield* __iommu_take_dma_ownership(group, owner);
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
  return ret;
}

/** 7.2.13 line 3513, of 89395ccedbc1 (v6.2): the last claim releases the group. */
export function* iommu_device_release_dma_owner(dev: Device): Proc {
  const group = (yield* iommu_group_get(dev))!;
  yield* mutex_lock(group.mutex);
  if (group.owner_cnt > 1) group.owner_cnt--;
  else yield* __iommu_release_dma_ownership(group);
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
}
