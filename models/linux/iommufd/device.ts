/** Devices that are bound to an iommufd and attached to its page tables: drivers/iommu/iommufd/device.c of 7.2.13. */
import {
  abstraction,
  atomic,
  EINVAL,
  ENOENT,
  ENOMEM,
  type Errno,
  fault,
  kfree,
  kref_get,
  kref_init,
  kref_put,
  kzalloc,
  list_add_tail,
  list_del,
  mutex_lock,
  mutex_unlock,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { iommu_group_get, iommu_group_put } from "../iommu/group.js";
import { iommu_device_claim_dma_owner, iommu_device_release_dma_owner } from "../iommu/ownership.js";
import {
  iommu_attach_group_handle,
  iommu_attach_handle_get,
  iommu_detach_group_handle,
  iommu_replace_group_handle,
} from "../iommu/pasid.js";
import {
  type Device,
  type IommufdCtx,
  type IommufdDevice,
  type IommufdGroup,
  type IommufdHwPagetable,
  type IommuGroup,
  linux,
} from "../schema.js";
import { type Id, iommufd_get_object, iommufd_put_object } from "./object.js";

abstraction(
  "iommufd's reserved IOVAs, MSIs, nesting, virtual devices, automatic page tables and answers to page faults are left out, and attachments to PASIDs",
  "may miss a bug",
);
abstraction("an iommufd_device is bound, attached and unbound by one thread, as VFIO's device file has it", "may miss a bug");

/** Line 66: finds what the iommufd has for the device's group, or makes it. */
function* iommufd_get_group(ictx: IommufdCtx, dev: Device): Proc<IommufdGroup | null> {
  const group = yield* iommu_group_get(dev);
  if (group === null) return null;
  yield;
  const known = iommufd_group_try_get(ictx, group);
  yield;
  if (known !== null || fault("kzalloc(iommufd_group)")) {
    iommu_group_put(group);
    return known;
  }
  const igroup = kzalloc(linux, "iommufd_group");
  kref_init(igroup.ref);
  igroup.group = group;
  yield;
  return yield* install_group(ictx, igroup);
}

/** Another thread may have been faster, whose group it is then. */
function* install_group(ictx: IommufdCtx, igroup: IommufdGroup): Proc<IommufdGroup> {
  const other = iommufd_group_try_get(ictx, igroup.group!);
  if (other === null) {
    list_add_tail(igroup, ictx.groups);
    return igroup;
  }
  yield;
  iommu_group_put(igroup.group!);
  kfree(igroup);
  return other;
}

function iommufd_group_try_get(ictx: IommufdCtx, group: IommuGroup): IommufdGroup | null {
  atomic("xa_lock of ictx->groups");
  for (const igroup of ictx.groups) {
    if (igroup.group === group) {
      kref_get(igroup.ref);
      return igroup;
    }
  }
  return null;
}

/** Line 40, with iommufd_group_release(). */
function iommufd_put_group(ictx: IommufdCtx, igroup: IommufdGroup): void {
  atomic("xa_lock of ictx->groups: the last reference takes the group out");
  if (!kref_put(igroup.ref)) return;
  list_del(igroup, ictx.groups);
  iommu_group_put(igroup.group!);
  kfree(igroup);
}

/** Line 211. Returns null with an error. */
export function* iommufd_device_bind(ictx: IommufdCtx, dev: Device): Proc<IommufdDevice | null> {
  const igroup = yield* iommufd_get_group(ictx, dev);
  if (igroup === null) return null;
  yield;
  const rc = yield* iommu_device_claim_dma_owner(dev, ictx.owner!);
  yield;
  if (rc === 0 && !fault("iommufd_object_alloc")) {
    const idev = kzalloc(linux, "iommufd_device");
    idev.dev = dev;
    idev.ictx = ictx;
    idev.igroup = igroup;
    return idev;
  }
  if (rc === 0) yield* iommu_device_release_dma_owner(dev);
  yield;
  iommufd_put_group(ictx, igroup);
  return null;
}

/** Line 327, with iommufd_device_destroy() of line 184. */
export function* iommufd_device_unbind(idev: IommufdDevice): Proc {
  yield* iommu_device_release_dma_owner(idev.dev!);
  yield;
  iommufd_put_group(idev.ictx!, idev.igroup!);
  kfree(idev);
}

/** Line 995, to a page table by its number. */
export function* iommufd_device_attach(idev: IommufdDevice, id: Id): Proc<Errno> {
  const hwpt = iommufd_get_object(idev.ictx!, id);
  if (hwpt === null) return -ENOENT;
  yield;
  const rc = yield* iommufd_hw_pagetable_attach(hwpt, idev);
  yield;
  yield* iommufd_put_object(hwpt);
  return rc;
}

/** Line 595. The first device of a group attaches the group. */
function* iommufd_hw_pagetable_attach(hwpt: IommufdHwPagetable, idev: IommufdDevice): Proc<Errno> {
  const igroup = idev.igroup!;
  yield* mutex_lock(igroup.lock);
  let rc: Errno = 0;
  if (igroup.devices.has(idev.dev!) || (igroup.hwpt !== null && igroup.hwpt !== hwpt)) rc = -EINVAL;
  else if (igroup.hwpt === null) rc = yield* iommufd_hwpt_attach_device(hwpt, igroup);
  yield;
  if (rc === 0) {
    igroup.hwpt = hwpt;
    kref_get(hwpt.users);
    igroup.devices.add(idev.dev!);
  }
  mutex_unlock(igroup.lock);
  return rc;
}

/** Line 490. */
function* iommufd_hwpt_attach_device(hwpt: IommufdHwPagetable, igroup: IommufdGroup): Proc<Errno> {
  if (fault("kzalloc(iommufd_attach_handle)")) return -ENOMEM;
  const handle = kzalloc(linux, "iommu_attach_handle");
  yield;
  const rc = yield* iommu_attach_group_handle(hwpt.domain!, igroup.group!, handle);
  yield;
  if (rc) kfree(handle);
  return rc;
}

/** Line 1048, with iommufd_hw_pagetable_detach() of line 680: the last device of a group detaches the group. */
export function* iommufd_device_detach(idev: IommufdDevice): Proc {
  const igroup = idev.igroup!;
  yield* mutex_lock(igroup.lock);
  const hwpt = igroup.hwpt;
  if (hwpt !== null) {
    igroup.devices.delete(idev.dev!);
    yield;
    if (igroup.devices.size === 0) {
      yield* iommufd_hwpt_detach_device(igroup);
      igroup.hwpt = null;
    }
  }
  mutex_unlock(igroup.lock);
  yield;
  if (hwpt !== null) kref_put(hwpt.users);
}

/** Line 538. */
function* iommufd_hwpt_detach_device(igroup: IommufdGroup): Proc {
  const handle = iommu_attach_handle_get(igroup.group!, "IOMMU_NO_PASID");
  yield;
  yield* iommu_detach_group_handle(igroup.group!);
  yield;
  kfree(handle!);
}

/** Line 1031. */
export function* iommufd_device_replace(idev: IommufdDevice, id: Id): Proc<Errno> {
  const hwpt = iommufd_get_object(idev.ictx!, id);
  if (hwpt === null) return -ENOENT;
  yield;
  const old_hwpt = yield* iommufd_device_do_replace(idev, hwpt);
  yield;
  yield* iommufd_put_object(hwpt);
  if (typeof old_hwpt === "number") return old_hwpt;
  yield;
  if (old_hwpt !== null) kref_put(old_hwpt.users);
  return 0;
}

/** Line 774. Returns the page table that has one user less now, or null if it is the same. */
function* iommufd_device_do_replace(idev: IommufdDevice, hwpt: IommufdHwPagetable): Proc<IommufdHwPagetable | null | Errno> {
  const igroup = idev.igroup!;
  yield* mutex_lock(igroup.lock);
  const old_hwpt = igroup.hwpt;
  let rc: Errno = 0;
  if (old_hwpt === null || !igroup.devices.has(idev.dev!)) rc = -EINVAL;
  else if (old_hwpt !== hwpt) {
    rc = yield* iommufd_hwpt_replace_device(igroup, hwpt);
    yield;
    if (rc === 0) move_users(igroup, old_hwpt, hwpt);
  }
  mutex_unlock(igroup.lock);
  if (rc) return rc;
  return old_hwpt === hwpt ? null : old_hwpt;
}

/** Every device of the group moves with it; one user of the old page table is left to the caller. */
function move_users(igroup: IommufdGroup, old_hwpt: IommufdHwPagetable, hwpt: IommufdHwPagetable): void {
  atomic("refcount_add() and refcount_sub_and_test()");
  igroup.hwpt = hwpt;
  for (let device = 0; device < igroup.devices.size; device++) kref_get(hwpt.users);
  for (let device = 1; device < igroup.devices.size; device++)
    WARN_ON(kref_put(old_hwpt.users), "the caller's user of a page table is gone");
}

/** Line 554. */
function* iommufd_hwpt_replace_device(igroup: IommufdGroup, hwpt: IommufdHwPagetable): Proc<Errno> {
  const old_handle = iommu_attach_handle_get(igroup.group!, "IOMMU_NO_PASID");
  yield;
  if (fault("kzalloc(iommufd_attach_handle)")) return -ENOMEM;
  const handle = kzalloc(linux, "iommu_attach_handle");
  yield;
  const rc = yield* iommu_replace_group_handle(igroup.group!, hwpt.domain!, handle);
  yield;
  kfree(rc ? handle : old_handle!);
  return rc;
}
