/** Attaching domains to a PASID of a group's devices, and attach handles, in drivers/iommu/iommu.c of v6.2 to 7.2.13. */
import {
  abstraction,
  applied,
  atomic,
  EBUSY,
  EINVAL,
  ENODEV,
  ENOMEM,
  type Errno,
  fault,
  mutex_lock,
  mutex_unlock,
  type Proc,
} from "iommu-mc";
import { remove_dev_pasid, set_dev_pasid } from "../iommu-drivers/index.js";
import type { Device, IommuAttachHandle, IommuDomain, IommuGroup } from "../schema.js";
import {
  __iommu_attach_group,
  __iommu_group_set_core_domain,
  __iommu_group_set_domain,
  domain_iommu_ops_compatible,
  isInReset,
} from "./attach.js";

abstraction(
  "a domain is only attached to PASIDs of devices whose driver has the operations for it, and is that driver's own",
  "may miss a bug",
);
abstraction(
  "of group->pasid_array there are the entries of IOMMU_NO_PASID and of one PASID; to store into a slot that is reserved does not fail",
  "neither",
);

/** !xa_empty(&group->pasid_array); nothing is in it before 16603704559c (v6.2). */
export function hasPasids(group: IommuGroup): boolean {
  atomic("whether a group has PASIDs is asked with its mutex held, without which none comes or goes");
  return applied("16603704559c") && (group.handle !== null || group.pasid_entry !== "empty");
}

/** 7.2.13 line 3546: the PASID is blocked. Until v6.13 an operation of its own, `remove_dev_pasid`. */
export function* iommu_remove_dev_pasid(dev: Device, domain: IommuDomain): Proc {
  yield* remove_dev_pasid(domain, dev);
}

/** 7.2.13 lines 3564 and 3666: devices without PASIDs are left out since b3f6fcd8404f (v6.16). */
function needsPasid(dev: Device): boolean {
  return !applied("b3f6fcd8404f") || dev.max_pasids > 0;
}

/**
 * 7.2.13 line 3556. Before b025dea63cde (v6.10) it stopped at the first device that failed, and left it to its callers to undo
 * that. `old` is the domain the PASID is on; null if it is blocked.
 */
export function* __iommu_set_group_pasid(domain: IommuDomain, group: IommuGroup, old: IommuDomain | null): Proc<Errno> {
  for (const device of group.devices) {
    if (!needsPasid(device.dev!)) continue;
    const ret = yield* set_dev_pasid(domain, device.dev!, old);
    if (ret) {
      if (applied("b025dea63cde")) {
        for (const done of group.devices) {
          if (done === device) break;
          if (needsPasid(done.dev!)) yield* iommu_remove_dev_pasid(done.dev!, domain);
          yield;
        }
      }
      return ret;
    }
    yield;
  }
  return 0;
}

/** 7.2.13 line 3595. A device that is being reset has its PASIDs removed already, which fc3523b16d2b (v7.1) asks. */
function* __iommu_remove_group_pasid(group: IommuGroup, domain: IommuDomain): Proc {
  for (const device of group.devices) {
    const isRemoved = applied("fc3523b16d2b") && device.blocked;
    if (!isRemoved && needsPasid(device.dev!)) yield* iommu_remove_dev_pasid(device.dev!, domain);
    yield;
  }
}

/** 7.2.13 line 3624. */
export function* iommu_attach_device_pasid(domain: IommuDomain, dev: Device, handle: IommuAttachHandle | null): Proc<Errno> {
  const group = dev.iommu_group;
  if (group === null) return -ENODEV;
  if (!(yield* domain_iommu_ops_compatible(domain, dev))) return -EINVAL;
  yield* mutex_lock(group.mutex);
  let ret: Errno = 0;
  if (isInReset(group)) ret = -EBUSY;
  else if (applied("c404f55c26fc") && group.devices.some((device) => needsPasid(device.dev!) && device.dev!.max_pasids <= 1)) ret = -EINVAL;
  else {
    yield;
    ret = yield* attach_and_publish(domain, group, handle);
  }
  mutex_unlock(group.mutex);
  return ret;
}

/** The rest of iommu_attach_device_pasid(). Before 5e9f822c9c68 (v6.15) page faults could see the entry before it was true. */
function* attach_and_publish(domain: IommuDomain, group: IommuGroup, handle: IommuAttachHandle | null): Proc<Errno> {
  if (handle !== null) handle.domain = domain;
  yield;
  const isPublished = !applied("5e9f822c9c68");
  const inserted = isPublished ? xa_insert(group, domain, handle) : xa_insert(group, null, null);
  if (inserted) return inserted;
  yield;
  const ret = yield* __iommu_set_group_pasid(domain, group, null);
  if (ret) {
    if (!applied("b025dea63cde")) yield* __iommu_remove_group_pasid(group, domain);
    yield;
    erase(group);
  } else if (!isPublished) xa_store(group, domain, handle);
  return ret;
}

/** A null domain reserves the entry, so that nobody can find anything there. */
function xa_insert(group: IommuGroup, domain: IommuDomain | null, handle: IommuAttachHandle | null): Errno {
  atomic("xa_insert() of one entry, under the lock of the xarray");
  if (group.pasid_entry !== "empty") return -EBUSY;
  if (fault("xa_insert(pasid_array)")) return -ENOMEM;
  if (domain === null) group.pasid_entry = "reserved";
  else xa_store(group, domain, handle);
  return 0;
}

function xa_store(group: IommuGroup, domain: IommuDomain, handle: IommuAttachHandle | null): void {
  atomic("xa_store() of one entry, under the lock of the xarray");
  group.pasid_entry = "present";
  group.pasid_domain = domain;
  group.pasid_handle = handle;
}

function erase(group: IommuGroup): void {
  atomic("xa_erase() or xa_release() of one entry, under the lock of the xarray");
  group.pasid_entry = "empty";
  group.pasid_domain = null;
  group.pasid_handle = null;
}

/** 7.2.13 line 3814. */
export function* iommu_detach_device_pasid(domain: IommuDomain, dev: Device): Proc {
  const group = dev.iommu_group!;
  yield* mutex_lock(group.mutex);
  yield* __iommu_remove_group_pasid(group, domain);
  erase(group);
  mutex_unlock(group.mutex);
}

/** 7.2.13 line 3869, for the one PASID or for IOMMU_NO_PASID: under the lock of the xarray alone. */
export function iommu_attach_handle_get(group: IommuGroup, pasid: "IOMMU_NO_PASID" | "PASID"): IommuAttachHandle | null {
  atomic("xa_load() of one entry, under the lock of the xarray");
  if (pasid === "IOMMU_NO_PASID") return group.handle;
  return group.pasid_entry === "present" ? group.pasid_handle : null;
}

/** 7.2.13 line 3904. */
export function* iommu_attach_group_handle(domain: IommuDomain, group: IommuGroup, handle: IommuAttachHandle): Proc<Errno> {
  yield* mutex_lock(group.mutex);
  handle.domain = domain;
  yield;
  let ret: Errno = 0;
  if (group.handle !== null) ret = -EBUSY;
  else if (fault("xa_insert(pasid_array)")) ret = -ENOMEM;
  else {
    if (!applied("5e9f822c9c68")) group.handle = handle;
    yield;
    ret = yield* __iommu_attach_group(domain, group);
    if (ret === 0) group.handle = handle;
    else group.handle = null;
  }
  mutex_unlock(group.mutex);
  return ret;
}

/** 7.2.13 line 3950. */
export function* iommu_detach_group_handle(group: IommuGroup): Proc {
  yield* mutex_lock(group.mutex);
  yield* __iommu_group_set_core_domain(group);
  yield;
  group.handle = null;
  mutex_unlock(group.mutex);
}

/** 7.2.13 line 3976. */
export function* iommu_replace_group_handle(group: IommuGroup, new_domain: IommuDomain, handle: IommuAttachHandle): Proc<Errno> {
  yield* mutex_lock(group.mutex);
  handle.domain = new_domain;
  let ret: Errno = 0;
  if (fault("xa_reserve(pasid_array)")) ret = -ENOMEM;
  else {
    ret = yield* __iommu_group_set_domain(group, new_domain);
    yield;
    if (ret === 0) group.handle = handle;
  }
  mutex_unlock(group.mutex);
  return ret;
}
