/** DMA ownership of drivers/iommu/iommu.c of 6.1.176: who may use a group's devices, the kernel's drivers or a user. */
import {
  applied,
  EBUSY,
  EINVAL,
  EPERM,
  EPROBE_DEFER,
  type Errno,
  list_first_entry,
  mutex_lock,
  mutex_unlock,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import type { Device, IommuGroup, VfioGroup } from "../schema.js";
import {
  __iommu_attach_group,
  __iommu_detach_group,
  __iommu_domain_alloc,
  __iommu_group_set_domain,
  __iommu_group_set_domain_nofail,
} from "./attach.js";
import { iommu_group_get, iommu_group_put } from "./group.js";

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
  else if (group.owner_cnt > 0 && (group.owner !== null || !iommu_is_default_domain(group))) ret = -EBUSY;
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
  if (!WARN_ON(group.owner_cnt === 0, "unuse of a default domain nobody uses")) group.owner_cnt--;
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
}

/** 6.1.176 line 3174. Takes the first device without asking whether there is one. */
function __iommu_group_alloc_blocking_domain(group: IommuGroup): Errno {
  const dev = list_first_entry(group.devices).dev!;
  if (group.blocking_domain !== null) return 0;
  group.blocking_domain = __iommu_domain_alloc(dev.bus!, "BLOCKED");
  if (group.blocking_domain === null) {
    group.blocking_domain = __iommu_domain_alloc(dev.bus!, "UNMANAGED");
    if (group.blocking_domain === null) return -EINVAL;
  }
  return 0;
}

/** 6.1.176 line 3206. VFIO calls it when a group is put into a container; the owner is the vfio_group. */
export function* iommu_group_claim_dma_owner(group: IommuGroup, owner: VfioGroup): Proc<Errno> {
  let ret: Errno = 0;
  yield* mutex_lock(group.mutex);
  if (group.owner_cnt > 0) {
    ret = -EPERM;
  } else if (group.domain !== null && group.domain !== group.default_domain) {
    ret = -EBUSY;
  } else if (applied("0286300e6045")) {
    ret = __iommu_group_alloc_blocking_domain(group);
    if (!ret) ret = yield* __iommu_group_set_domain(group, group.blocking_domain);
    if (!ret) {
      group.owner = owner;
      group.owner_cnt++;
    }
  } else {
    group.owner = owner;
    if (group.domain !== null) yield* __iommu_detach_group(group.domain, group);
    group.owner_cnt++;
  }
  mutex_unlock(group.mutex);
  return ret;
}

/** 6.1.176 line 3244. */
export function* iommu_group_release_dma_owner(group: IommuGroup): Proc {
  yield* mutex_lock(group.mutex);
  if (!WARN_ON(group.owner_cnt === 0 || group.owner === null, "release of a group nobody owns")) {
    group.owner_cnt = 0;
    if (!applied("0286300e6045")) {
      if (!WARN_ON(group.domain !== null, "release of a group that is still on a domain") && group.default_domain !== null) {
        yield* __iommu_attach_group(group.default_domain, group);
      }
      group.owner = null;
    } else {
      group.owner = null;
      if (applied("dcf40ed3a20d")) {
        yield* __iommu_group_set_domain_nofail(group, group.default_domain);
      } else {
        const ret = yield* __iommu_group_set_domain(group, group.default_domain);
        WARN_ON(ret !== 0, "the driver refused the default domain");
      }
    }
  }
  mutex_unlock(group.mutex);
}
