/**
 * Whether a user may have a group, as drivers/vfio/vfio.c of 5.10.223 asks it, beside the locks of 6.1: every time the user opens a
 * device, and when a driver has been bound, from the group's notifier. Since v5.19 the IOMMU core is asked instead.
 */
import { abstraction, applied, atomic, BUG_ON, data_race, mutex_lock, mutex_unlock, type Proc, refcount_read, WARN_ON } from "iommu-mc";
import type { GroupAction } from "../iommu/group-notifier.js";
import { type Device, type VfioGroup, vfio } from "../schema.js";

abstraction("a notification keeps no reference on the VFIO group, which the C drops from a work queue", "may miss a bug");
abstraction("a driver of kind stub is pci-stub or that of a bridge, which VFIO allows beside a user", "neither");

/** 5.10.223 line 600: a device that is about to be unbound, has no driver, one that does no harm, or VFIO's. */
export function* vfio_dev_viable(group: VfioGroup, dev: Device): Proc<boolean> {
  const drv = data_race(() => dev.driver);
  yield;
  const isLeaving = group.unbound_list.has(dev);
  yield;
  if (isLeaving || drv === null || drv.kind === "stub") return true;
  return hasDevice(group, dev);
}

/** vfio_group_get_device() and vfio_device_put(). */
function hasDevice(group: VfioGroup, dev: Device): boolean {
  atomic("device_lock of the group: finding a device, taking its reference and giving it back");
  const device = data_race(() => dev.vfio_device);
  return device !== null && device.group === group && refcount_read(device.refcount) > 0;
}

/** 5.10.223 line 1370: all devices of the group, under its mutex. */
export function* vfio_group_viable(group: VfioGroup): Proc<boolean> {
  const iommu_group = data_race(() => group.iommu_group)!;
  let isViable = true;
  yield* mutex_lock(iommu_group.mutex);
  for (const { dev } of iommu_group.devices) {
    isViable = yield* vfio_dev_viable(group, dev!);
    yield;
    if (!isViable) break;
  }
  mutex_unlock(iommu_group.mutex);
  yield;
  return isViable;
}

/** 5.10.223 line 663. When it learns of a driver that was bound in a group that a user has, that driver is at work already. */
export function* vfio_iommu_group_notifier(group: VfioGroup, action: GroupAction, dev: Device): Proc {
  if (applied("3b86f317c9c7")) return;
  yield* mutex_lock(vfio.group_lock);
  const isListed = vfio.group_list.includes(group);
  mutex_unlock(vfio.group_lock);
  if (!isListed) return;
  yield;
  if (action === "IOMMU_GROUP_NOTIFY_UNBOUND_DRIVER") {
    group.unbound_list.delete(dev);
    return;
  }
  const isLive = data_race(() => group.container_users > 0);
  if (action === "IOMMU_GROUP_NOTIFY_ADD_DEVICE") WARN_ON(isLive, "a device is added to a live group");
  else if (isLive) {
    yield;
    const isViable = yield* vfio_dev_viable(group, dev);
    BUG_ON(!isViable, "a driver was bound to a device of a group that a user has");
  }
}
