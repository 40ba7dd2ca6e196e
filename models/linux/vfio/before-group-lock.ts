/**
 * Groups and containers of drivers/vfio/vfio.c in 5.10.223, until e0e29bdb594a (v5.19) gave a group a lock: what a process does with
 * several threads at once is kept apart by atomic counters. An open device is counted as a user of the container, and holds no
 * reference on the group's file.
 */
import {
  abstraction,
  applied,
  atomic,
  data_race,
  EBUSY,
  EINVAL,
  type Errno,
  fault,
  kref_get,
  list_add,
  list_del,
  list_empty,
  mutex_lock,
  mutex_unlock,
  type Proc,
} from "iommu-mc";
import { iommu_group_claim_dma_owner, iommu_group_release_dma_owner } from "../iommu/ownership.js";
import type { Device, IommuGroup, VfioContainer, VfioDevice, VfioGroup } from "../schema.js";
import { vfio_container_put } from "./container.js";
import { vfio_iommu_type1_attach_group, vfio_iommu_type1_detach_group, vfio_iommu_type1_release } from "./type1.js";
import { vfio_device_get_from_name, vfio_device_put_registration } from "./vfio-main.js";
import { vfio_group_viable } from "./viability.js";

abstraction("before v5.19 VFIO opens a group by its minor number under vfio.group_lock, which here is one step", "neither");

/** The iommu_group of a VFIO group that has not lost it: before ca5f21b25749 (v6.1) none did. */
function iommu_group_of(group: VfioGroup): IommuGroup {
  return data_race(() => group.iommu_group)!;
}

/** `atomic_read(&group->container_users)`. */
function users_of(group: VfioGroup): number {
  return data_race(() => group.container_users);
}

/** 5.10.223 line 1524, the atomic part of opening a group: `group->opened`. Whoever still has a device open keeps the next user out. */
export function* mark_opened(group: VfioGroup): Proc<Errno> {
  atomic("atomic_cmpxchg() of group->opened");
  if (data_race(() => group.opened_file)) return -EBUSY;
  set_opened(group, true);
  yield;
  const isInUse = data_race(() => group.container !== null);
  if (!isInUse) return 0;
  yield;
  set_opened(group, false);
  return -EBUSY;
}

function set_opened(group: VfioGroup, opened: boolean): void {
  data_race(() => {
    group.opened_file = opened;
  });
}

/** 5.10.223 line 1561, closing a group: the references are the caller's to give back. */
export function* mark_closed(group: VfioGroup): Proc {
  yield* vfio_group_try_dissolve_container(group);
  yield;
  set_opened(group, false);
}

/** 5.10.223 line 1313: the count of users is looked at first, and raised last. */
export function* vfio_group_set_container(group: VfioGroup, container: VfioContainer): Proc<Errno> {
  if (users_of(group) > 0) return -EINVAL;
  yield* mutex_lock(container.group_lock);
  const ret = yield* attach(group, container);
  if (!ret) {
    data_race(() => {
      group.container = container;
    });
    yield;
    list_add(group, container.group_list);
    kref_get(container.kref);
    yield;
    add_user(group);
  }
  mutex_unlock(container.group_lock);
  return ret;
}

/** With the claim of 70693f470848 (v5.19), where that is applied without the lock that came right after. */
function* attach(group: VfioGroup, container: VfioContainer): Proc<Errno> {
  const iommu_group = iommu_group_of(group);
  let ret: Errno = 0;
  if (applied("70693f470848")) ret = yield* iommu_group_claim_dma_owner(iommu_group, group);
  yield;
  if (ret || !container.iommu_driver) return ret;
  ret = yield* vfio_iommu_type1_attach_group(container.iommu_data!, iommu_group);
  yield;
  if (ret && applied("70693f470848")) yield* iommu_group_release_dma_owner(iommu_group);
  return ret;
}

/** 5.10.223 line 1287. */
export function* vfio_group_unset_container(group: VfioGroup): Proc<Errno> {
  atomic("atomic_cmpxchg() of container_users");
  const users = users_of(group);
  if (users === 0) return -EINVAL;
  if (users !== 1) return -EBUSY;
  drop_user(group);
  yield;
  yield* __vfio_group_unset_container(group);
  return 0;
}

/** 5.10.223 line 1307: the last user, be it the group's file or an open device, takes the group out of its container. */
function* vfio_group_try_dissolve_container(group: VfioGroup): Proc {
  atomic("atomic_dec_if_positive() of container_users");
  if (users_of(group) === 0) return;
  const isLast = drop_user(group);
  yield;
  if (isLast) yield* __vfio_group_unset_container(group);
}

function add_user(group: VfioGroup): void {
  atomic("atomic_inc() of container_users");
  data_race(() => {
    group.container_users++;
  });
}

function drop_user(group: VfioGroup): boolean {
  return data_race(() => {
    group.container_users--;
    return group.container_users === 0;
  });
}

/** 5.10.223 line 1252. The last group takes the container's IOMMU with it. */
function* __vfio_group_unset_container(group: VfioGroup): Proc {
  const container = data_race(() => group.container)!;
  yield* mutex_lock(container.group_lock);
  const driver = container.iommu_driver;
  const iommu_group = iommu_group_of(group);
  if (driver) yield* vfio_iommu_type1_detach_group(container.iommu_data!, iommu_group);
  yield;
  if (applied("70693f470848")) yield* iommu_group_release_dma_owner(iommu_group);
  yield;
  data_race(() => {
    group.container = null;
  });
  yield;
  list_del(group, container.group_list);
  if (driver && list_empty(container.group_list)) {
    yield* vfio_iommu_type1_release(container.iommu_data!);
    yield;
    container.iommu_driver = false;
    yield;
    container.iommu_data = null;
  }
  mutex_unlock(container.group_lock);
  yield;
  vfio_container_put(container);
}

/** 5.10.223 line 1395: whether the group may be used is asked first; that the device uses it is counted when it is open. */
export function* vfio_group_get_device_fd(group: VfioGroup, dev: Device): Proc<VfioDevice | null> {
  if (users_of(group) === 0) return null;
  yield;
  const container = data_race(() => group.container)!;
  yield;
  const hasDriver = data_race(() => container.iommu_driver);
  if (!hasDriver) return null;
  yield;
  if (!applied("31076af0cb00") && !(yield* vfio_group_viable(group))) return null;
  yield;
  const device = vfio_device_get_from_name(group, dev);
  if (device === null) return null;
  yield;
  if (fault("open_device")) {
    vfio_device_put_registration(device);
    return null;
  }
  add_user(group);
  return device;
}

/** 5.10.223 line 1587, vfio_device_fops_release(). */
export function* close_device(device: VfioDevice): Proc {
  yield* vfio_group_try_dissolve_container(device.group!);
  yield;
  vfio_device_put_registration(device);
}
