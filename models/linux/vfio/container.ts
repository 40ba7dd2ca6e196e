/** drivers/vfio/container.c of 6.1.176: the container, and its IOMMU driver, which here is always type1. */
import {
  abstraction,
  applied,
  data_race,
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
  list_empty,
  lockdep_assert_held,
  mutex_lock,
  mutex_unlock,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { iommu_group_claim_dma_owner, iommu_group_release_dma_owner } from "../iommu/ownership.js";
import { linux, type VfioContainer, type VfioDevice, type VfioGroup, type VfioIommu, vfio } from "../schema.js";
import { vfio_group_give_back, vfio_group_take } from "./at-open.js";
import {
  vfio_dma_do_map,
  vfio_dma_do_unmap,
  vfio_iommu_type1_attach_group,
  vfio_iommu_type1_detach_group,
  vfio_iommu_type1_notify,
  vfio_iommu_type1_open,
  vfio_iommu_type1_release,
} from "./type1.js";
import { vfio_group_viable } from "./viability.js";

abstraction("container->group_lock is a mutex: its only reader, CHECK_EXTENSION, is left out", "neither");
abstraction("type1 is the only VFIO IOMMU driver: SET_IOMMU tries one", "neither");

/** Opening /dev/vfio/vfio, 6.1.176 line 365. */
export function* vfio_fops_open(): Proc<VfioContainer | null> {
  if (fault("kzalloc(vfio_container)")) return null;
  const container = kzalloc(linux, "vfio_container");
  kref_init(container.kref);
  return container;
}

/** Closing it, 6.1.176 line 382. Since ec5e32940cc9 (v5.12) it tells the IOMMU driver, without any lock. */
export function* vfio_fops_release(container: VfioContainer): Proc {
  const driver = applied("ec5e32940cc9") && data_race(() => container.iommu_driver);
  yield;
  if (driver) {
    const data = data_race(() => container.iommu_data);
    yield;
    yield* vfio_iommu_type1_notify(data!);
    yield;
  }
  vfio_container_put(container);
}

export function vfio_container_put(container: VfioContainer): void {
  if (kref_put(container.kref)) kfree(container);
}

/** 6.1.176 line 427. Claims the group, which 70693f470848 (v5.19) began, and attaches it if the container has its IOMMU already. */
export function* vfio_container_attach_group(container: VfioContainer, group: VfioGroup): Proc<Errno> {
  lockdep_assert_held(group.group_lock);
  yield* mutex_lock(container.group_lock);
  let ret: Errno = 0;
  if (applied("70693f470848") && !applied("ownership-at-open")) {
    ret = yield* iommu_group_claim_dma_owner(group.iommu_group!, group);
    yield;
  }
  if (!ret) {
    if (container.iommu_driver && !applied("ownership-at-open")) {
      ret = yield* vfio_iommu_type1_attach_group(container.iommu_data!, group.iommu_group!);
      yield;
      if (ret && applied("70693f470848")) {
        yield* iommu_group_release_dma_owner(group.iommu_group!);
        yield;
      }
    }
  }
  if (!ret) {
    group.container = container;
    group.container_users = 1;
    list_add(group, container.group_list);
    kref_get(container.kref);
  }
  mutex_unlock(container.group_lock);
  return ret;
}

/** 6.1.176 line 479. The last group takes the container's IOMMU with it. */
export function* vfio_group_detach_container(group: VfioGroup): Proc {
  const container = group.container!;
  lockdep_assert_held(group.group_lock);
  WARN_ON(group.container_users !== 1, "a group leaves its container with users");
  yield* mutex_lock(container.group_lock);
  const driver = container.iommu_driver;
  if (driver && !applied("ownership-at-open")) yield* vfio_iommu_type1_detach_group(container.iommu_data!, group.iommu_group!);
  yield;
  if (applied("70693f470848") && !applied("ownership-at-open")) {
    yield* iommu_group_release_dma_owner(group.iommu_group!);
    yield;
  }
  group.container = null;
  group.container_users = 0;
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

/**
 * 6.1.176 line 514. Looks at the container's IOMMU without the container's lock; the group keeps it from going away. Until
 * 31076af0cb00 (v5.19) the other devices of the group were looked at here.
 */
export function* vfio_device_assign_container(device: VfioDevice): Proc<Errno> {
  const group = device.group!;
  lockdep_assert_held(group.group_lock);
  const container = group.container;
  if (container === null || !data_race(() => container.iommu_driver)) return -EINVAL;
  if (!applied("31076af0cb00") && !(yield* vfio_group_viable(group))) return -EINVAL;
  if (WARN_ON(group.container_users === 0, "a group in a container has no users")) return -EINVAL;
  if (applied("ownership-at-open") && group.container_users === 1) {
    yield;
    const ret = yield* vfio_group_take(group);
    if (ret) return ret;
  }
  kref_get(group.file);
  group.container_users++;
  return 0;
}

/**
 * 6.1.176 line 532. Drops the open device's reference on the group's file under the lock, and tells whether it was the
 * last: fput() does not release the file there and then.
 */
export function* vfio_device_unassign_container(device: VfioDevice): Proc<boolean> {
  const group = device.group!;
  yield* mutex_lock(group.group_lock);
  WARN_ON(group.container_users <= 1, "an open device is not counted as a user of the container");
  if (applied("ownership-at-open") && group.container_users === 2) yield* vfio_group_give_back(group);
  group.container_users--;
  const isLast = kref_put(group.file);
  mutex_unlock(group.group_lock);
  return isLast;
}

/** VFIO_SET_IOMMU, 6.1.176 line 266. */
export function* vfio_ioctl_set_iommu(container: VfioContainer): Proc<Errno> {
  let ret: Errno;
  yield* mutex_lock(container.group_lock);
  if (list_empty(container.group_list) || container.iommu_driver) {
    mutex_unlock(container.group_lock);
    return -EINVAL;
  }
  yield* mutex_lock(vfio.iommu_drivers_lock);
  const data = vfio_iommu_type1_open();
  if (data === null) ret = -ENOMEM;
  else {
    ret = applied("ownership-at-open") ? 0 : yield* __vfio_container_attach_groups(container, data);
    if (ret) yield* vfio_iommu_type1_release(data);
    else {
      container.iommu_driver = true;
      yield;
      container.iommu_data = data;
    }
  }
  mutex_unlock(vfio.iommu_drivers_lock);
  mutex_unlock(container.group_lock);
  return ret;
}

/** 6.1.176 line 241. A failure detaches the groups before the failing one, in reverse; they stay claimed. */
function* __vfio_container_attach_groups(container: VfioContainer, data: VfioIommu): Proc<Errno> {
  let ret: Errno = -ENODEV;
  let attached = 0;
  for (const group of container.group_list) {
    ret = yield* vfio_iommu_type1_attach_group(data, iommu_group_of(group));
    yield;
    if (ret) break;
    attached++;
  }
  if (ret) {
    for (; attached > 0; attached--) {
      const group = container.group_list.at(attached - 1)!;
      yield* vfio_iommu_type1_detach_group(data, iommu_group_of(group));
      yield;
    }
  }
  return ret;
}

/** A group on a container's list has its iommu_group: it cannot lose it without leaving the list, which takes the container's lock. */
function iommu_group_of(group: VfioGroup) {
  return data_race(() => group.iommu_group)!;
}

/** The other ioctls of a container go to its IOMMU driver, 6.1.176 line 333: driver and data are read one after the other, without any lock. */
export function* vfio_fops_unl_ioctl(container: VfioContainer, cmd: "VFIO_IOMMU_MAP_DMA" | "VFIO_IOMMU_UNMAP_DMA"): Proc<Errno> {
  const driver = data_race(() => container.iommu_driver);
  if (!driver) return -EINVAL;
  yield;
  const data = data_race(() => container.iommu_data);
  yield;
  if (cmd === "VFIO_IOMMU_MAP_DMA") return yield* vfio_dma_do_map(data!);
  return yield* vfio_dma_do_unmap(data!);
}
