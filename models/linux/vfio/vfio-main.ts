/** drivers/vfio/vfio_main.c of 6.1.176: VFIO groups and devices, and their descriptors. */
import {
  abstraction,
  applied,
  atomic,
  data_race,
  EBUSY,
  EINVAL,
  ENODEV,
  ENOMEM,
  type Errno,
  fault,
  kfree,
  kref_get,
  kref_init,
  kref_put,
  kzalloc,
  list_add,
  list_del,
  mutex_lock,
  mutex_unlock,
  type Proc,
  refcount_read,
  until,
  WARN_ON,
} from "iommu-mc";
import { iommu_group_get, iommu_group_put, iommu_group_ref_get } from "../iommu/group.js";
import { iommu_group_register_notifier, iommu_group_unregister_notifier } from "../iommu/group-notifier.js";
import { type Device, type IommuGroup, linux, type VfioContainer, type VfioDevice, type VfioGroup, vfio } from "../schema.js";
import {
  close_device,
  mark_closed,
  mark_opened,
  vfio_group_get_device_fd,
  vfio_group_set_container,
  vfio_group_unset_container,
} from "./before-group-lock.js";
import {
  vfio_container_attach_group,
  vfio_device_assign_container,
  vfio_device_unassign_container,
  vfio_group_detach_container,
} from "./container.js";

abstraction("no-IOMMU groups, emulated (mdev) groups, KVM and device sets with their lock are left out", "may miss a bug");
abstraction("GET_STATUS and CHECK_EXTENSION, which only ask, are left out", "may miss a bug");
abstraction("a VFIO group has its character device exactly while it is on vfio.group_list", "neither");
abstraction(
  "a vfio_device is registered for as long as it is on its group's list: device_lock is folded into its reference count",
  "neither",
);
abstraction(
  "open_count and what the open_device and close_device callbacks of vfio-pci do to the device are left out: they do not touch the IOMMU",
  "may miss a bug",
);

/** vfio_pci.c, with __vfio_register_dev() (6.1.176 line 527): registers the device with its group, which it makes if need be. */
export function* vfio_pci_probe(dev: Device): Proc<Errno> {
  if (fault("vfio_alloc_device")) return -ENOMEM;
  const group = yield* vfio_group_find_or_alloc(dev);
  if (group === null) return -ENOMEM;
  if (fault("device_add(vfio_device)")) {
    yield;
    yield* vfio_device_remove_group(group);
    return -ENOMEM;
  }
  const device = kzalloc(linux, "vfio_device");
  device.dev = dev;
  device.group = group;
  kref_init(device.refcount);
  dev.vfio_device = device;
  return 0;
}

/** vfio_pci.c: waits until user space has closed the device. */
export function* vfio_pci_remove(dev: Device): Proc {
  const device = dev.vfio_device!;
  yield* vfio_unregister_group_dev(device);
  yield;
  dev.vfio_device = null;
  kfree(device);
}

/** 6.1.176 line 484. */
function* vfio_group_find_or_alloc(dev: Device): Proc<VfioGroup | null> {
  const iommu_group = yield* iommu_group_get(dev);
  if (iommu_group === null) return null;
  yield* mutex_lock(vfio.group_lock);
  let group = __vfio_group_get_from_iommu(iommu_group);
  mutex_unlock(vfio.group_lock);
  yield;
  if (group === null) group = yield* vfio_create_group(iommu_group);
  yield;
  iommu_group_put(iommu_group);
  return group;
}

/** 6.1.176 line 145. */
function __vfio_group_get_from_iommu(iommu_group: IommuGroup): VfioGroup | null {
  // The pointer is cleared under vfio.group_lock too, after the group was taken off the list.
  atomic("vfio.group_lock keeps the iommu_group of every listed group as it is");
  for (const group of vfio.group_list) {
    if (data_race(() => group.iommu_group) === iommu_group) {
      kref_get(group.drivers);
      return group;
    }
  }
  return null;
}

/**
 * 6.1.176 line 220, with vfio_group_alloc(). Whoever finds, under the lock, that another was faster drops what it has
 * made; vfio_group_release() does not give back the reference to the iommu_group, and warns of that.
 */
function* vfio_create_group(iommu_group: IommuGroup): Proc<VfioGroup | null> {
  if (fault("kzalloc(vfio_group)")) return null;
  const group = vfio_group_alloc(iommu_group);
  if (!applied("3b86f317c9c7")) yield* iommu_group_register_notifier(iommu_group, group);
  yield* mutex_lock(vfio.group_lock);
  const ret = __vfio_group_get_from_iommu(iommu_group);
  const isAdded = ret === null && !fault("cdev_device_add");
  if (isAdded) list_add(group, vfio.group_list);
  mutex_unlock(vfio.group_lock);
  if (isAdded) return group;
  yield;
  yield* vfio_group_put_device(group);
  return ret;
}

function vfio_group_alloc(iommu_group: IommuGroup): VfioGroup {
  const group = kzalloc(linux, "vfio_group");
  kref_init(group.dev);
  kref_init(group.drivers);
  data_race(() => {
    group.iommu_group = iommu_group;
  });
  iommu_group_ref_get(iommu_group);
  return group;
}

/** put_device(&group->dev), which chrdev's release does too. */
function* vfio_group_put_device(group: VfioGroup): Proc {
  if (!kref_put(group.dev)) return;
  yield;
  yield* vfio_group_release(group);
}

/**
 * 6.1.176 line 173: the last reference on the character device is gone. Before 3dd59a7dcb97 it gave back the reference to the
 * iommu_group, if the pointer was still there.
 */
function* vfio_group_release(group: VfioGroup): Proc {
  const iommu_group = data_race(() => group.iommu_group);
  if (!applied("3b86f317c9c7") && iommu_group !== null) yield* iommu_group_unregister_notifier(iommu_group, group);
  if (isRevokedOnRemoval()) WARN_ON(iommu_group !== null, "a vfio_group is released with its iommu_group");
  else if (iommu_group !== null) {
    yield;
    iommu_group_put(iommu_group);
  }
  kfree(group);
}

/** 6.1.176 line 634, as the removal of a driver sees it. Until 93219ea94388 (v5.19) a list said that the device was on its way out. */
function* vfio_unregister_group_dev(device: VfioDevice): Proc {
  if (!applied("93219ea94388")) {
    yield;
    device.group!.unbound_list.add(device.dev!);
    yield;
  }
  kref_put(device.refcount);
  yield until(() => refcount_read(device.refcount) === 0);
  if (!applied("dc15f82f5329")) yield* wait_for_container(device);
  yield* vfio_device_remove_group(device.group!);
}

/** 5.10.223 line 958: without ownership, nobody but the driver of the group's last device keeps the next driver from a user's domain. */
function* wait_for_container(device: VfioDevice): Proc {
  const group = device.group!;
  yield;
  const isLast = !hasOtherDevice(group, device);
  yield;
  if (isLast) yield until(() => data_race(() => group.container === null));
}

function hasOtherDevice(group: VfioGroup, device: VfioDevice): boolean {
  atomic("device_lock of the group: its list of devices");
  return data_race(() =>
    group.iommu_group!.devices.some(({ dev }) => {
      const other = dev!.vfio_device;
      return other !== null && other !== device && other.group === group && refcount_read(other.refcount) > 0;
    }),
  );
}

/**
 * 6.1.176 line 264: the last device of the group takes the group out of its container, whatever user space holds open. Before
 * ca5f21b25749 (v6.1) this was vfio_group_put(), the open file counted like a device, and whoever came last took the group off the
 * list: a driver did not wait, and the iommu_group stayed in use behind it.
 */
function* vfio_device_remove_group(group: VfioGroup): Proc {
  if (!(yield* refcount_dec_and_mutex_lock(group))) return;
  yield;
  list_del(group, vfio.group_list);
  if (isRevokedOnRemoval()) yield* revoke_iommu_group(group);
  else if (isWaitingOnRemoval()) yield* wait_for_opened_file(group);
  else mutex_unlock(vfio.group_lock);
  yield;
  yield* vfio_group_put_device(group);
}

/** refcount_dec_and_mutex_lock(): the last reference is only given back under the lock, which is held then. */
function* refcount_dec_and_mutex_lock(group: VfioGroup): Proc<boolean> {
  atomic("refcount_dec_not_one() is one access");
  if (refcount_read(group.drivers) > 1) {
    kref_put(group.drivers);
    return false;
  }
  yield* mutex_lock(vfio.group_lock);
  if (kref_put(group.drivers)) return true;
  mutex_unlock(vfio.group_lock);
  return false;
}

function* revoke_iommu_group(group: VfioGroup): Proc {
  yield* mutex_lock(group.group_lock);
  if (group.container !== null) {
    yield* vfio_group_detach_container(group);
    yield;
  }
  const iommu_group = group.iommu_group!;
  group.iommu_group = null;
  mutex_unlock(group.group_lock);
  mutex_unlock(vfio.group_lock);
  yield;
  iommu_group_put(iommu_group);
}

/** Between ca5f21b25749 and 3dd59a7dcb97: the removal waits until user space has closed the group, however long that takes. */
function* wait_for_opened_file(group: VfioGroup): Proc {
  for (;;) {
    yield;
    if (!data_race(() => group.opened_file)) break;
    yield;
    mutex_unlock(vfio.group_lock);
    yield until(() => !data_race(() => group.opened_file));
    yield* mutex_lock(vfio.group_lock);
  }
  mutex_unlock(vfio.group_lock);
  yield;
  WARN_ON(data_race(() => group.container) !== null, "the last device leaves a group that is still in a container");
  yield;
  data_race(() => {
    group.iommu_group = null;
  });
}

/** Since 3dd59a7dcb97, which is written in terms of what ca5f21b25749 introduced and is not applied without it. */
function isRevokedOnRemoval(): boolean {
  return applied("ca5f21b25749") && applied("3dd59a7dcb97");
}

function isWaitingOnRemoval(): boolean {
  return applied("ca5f21b25749") && !applied("3dd59a7dcb97");
}

/** Before ca5f21b25749 the open file keeps the group as a device does. */
function isFileCounted(): boolean {
  return !applied("ca5f21b25749");
}

/** chrdev_open() and vfio_group_fops_open() (6.1.176 line 927): opening /dev/vfio/N. Returns the group, or null with an error. */
export function* vfio_group_fops_open(iommu_group: IommuGroup): Proc<VfioGroup | null> {
  const group = chrdev_open(iommu_group);
  if (group === null) return null;
  if (!applied("e0e29bdb594a")) return yield* open_before_group_lock(group);
  let ret: Errno = 0;
  yield* mutex_lock(group.group_lock);
  if (isFileCounted()) atomic("refcount_inc_not_zero() is one access");
  const hasDrivers = refcount_read(group.drivers) > 0;
  if (hasDrivers && isFileCounted()) kref_get(group.drivers);
  yield;
  if (!hasDrivers) ret = -ENODEV;
  else if (group.opened_file) {
    if (isFileCounted()) yield* vfio_device_remove_group(group);
    ret = -EBUSY;
  } else {
    group.opened_file = true;
    kref_init(group.file);
  }
  mutex_unlock(group.group_lock);
  if (ret === 0) return group;
  yield;
  yield* vfio_group_put_device(group);
  return null;
}

/** The same before e0e29bdb594a (v5.19): 5.10.223 line 1524. The references on the group are those of later kernels. */
function* open_before_group_lock(group: VfioGroup): Proc<VfioGroup | null> {
  atomic("refcount_inc_not_zero() is one access");
  const hasDrivers = refcount_read(group.drivers) > 0;
  if (hasDrivers) kref_get(group.drivers);
  yield;
  const ret = hasDrivers ? yield* mark_opened(group) : -ENODEV;
  yield;
  if (ret === 0) {
    kref_init(group.file);
    return group;
  }
  yield;
  if (hasDrivers) yield* vfio_device_remove_group(group);
  yield;
  yield* vfio_group_put_device(group);
  return null;
}

function chrdev_open(iommu_group: IommuGroup): VfioGroup | null {
  atomic("chrdev_open finds a character device and takes its reference under cdev_lock");
  const group = data_race(() => find_cdev(iommu_group));
  if (group !== null) kref_get(group.dev);
  return group;
}

function find_cdev(iommu_group: IommuGroup): VfioGroup | null {
  for (const group of vfio.group_list) if (group.iommu_group === iommu_group) return group;
  return null;
}

/** fput() of the group's file: whoever drops the last reference releases it. */
export function* vfio_group_fput(group: VfioGroup): Proc {
  if (kref_put(group.file)) yield* vfio_group_fops_release(group);
}

/** 6.1.176 line 964. */
function* vfio_group_fops_release(group: VfioGroup): Proc {
  if (applied("e0e29bdb594a")) {
    yield* mutex_lock(group.group_lock);
    if (group.container !== null) yield* vfio_group_detach_container(group);
    group.opened_file = false;
    mutex_unlock(group.group_lock);
  } else yield* mark_closed(group);
  yield;
  if (isFileCounted()) {
    yield* vfio_device_remove_group(group);
    yield;
  }
  yield* vfio_group_put_device(group);
}

/** VFIO_GROUP_SET_CONTAINER, 6.1.176 line 704. */
export function* vfio_group_ioctl_set_container(group: VfioGroup, container: VfioContainer): Proc<Errno> {
  if (!applied("e0e29bdb594a")) return yield* vfio_group_set_container(group, container);
  let ret: Errno;
  yield* mutex_lock(group.group_lock);
  if (group.container !== null || WARN_ON(group.container_users > 0, "users without a container")) ret = -EINVAL;
  else if (isRevokedOnRemoval() && group.iommu_group === null) ret = -ENODEV;
  else ret = yield* vfio_container_attach_group(container, group);
  mutex_unlock(group.group_lock);
  return ret;
}

/** VFIO_GROUP_UNSET_CONTAINER, 6.1.176 line 684. */
export function* vfio_group_ioctl_unset_container(group: VfioGroup): Proc<Errno> {
  if (!applied("e0e29bdb594a")) return yield* vfio_group_unset_container(group);
  let ret: Errno = 0;
  yield* mutex_lock(group.group_lock);
  if (group.container === null) ret = -EINVAL;
  else if (group.container_users !== 1) ret = -EBUSY;
  else yield* vfio_group_detach_container(group);
  mutex_unlock(group.group_lock);
  return ret;
}

/** VFIO_GROUP_GET_DEVICE_FD, 6.1.176 line 835, with vfio_device_open(). Returns the open device or null. */
export function* vfio_group_ioctl_get_device_fd(group: VfioGroup, dev: Device): Proc<VfioDevice | null> {
  if (!applied("e0e29bdb594a")) return yield* vfio_group_get_device_fd(group, dev);
  const device = vfio_device_get_from_name(group, dev);
  if (device === null) return null;
  yield* mutex_lock(group.group_lock);
  const ret = yield* vfio_device_assign_container(device);
  mutex_unlock(group.group_lock);
  if (ret === 0) {
    // Of all that is still to be done for an open device, the callback of the driver stands for what may fail.
    if (!fault("open_device")) return device;
    yield;
    const isLast = yield* vfio_device_unassign_container(device);
    if (isLast) yield* vfio_group_fops_release(group);
  }
  yield;
  vfio_device_put_registration(device);
  return null;
}

export function vfio_device_get_from_name(group: VfioGroup, dev: Device): VfioDevice | null {
  atomic("device_lock of the group: finding a device and taking its reference");
  const device = data_race(() => dev.vfio_device);
  if (device === null || device.group !== group || refcount_read(device.refcount) === 0) return null;
  kref_get(device.refcount);
  return device;
}

export function vfio_device_put_registration(device: VfioDevice): void {
  kref_put(device.refcount);
}

/**
 * 6.1.176 line 1027: closing a device. If it held the last reference on the group's file, that is released as
 * fput() does it, when the process is about to return to user space.
 */
export function* vfio_device_fops_release(device: VfioDevice): Proc {
  if (!applied("e0e29bdb594a")) {
    yield* close_device(device);
    return;
  }
  const group = device.group!;
  const isLast = yield* vfio_device_unassign_container(device);
  yield;
  vfio_device_put_registration(device);
  if (isLast) yield* vfio_group_fops_release(group);
}
