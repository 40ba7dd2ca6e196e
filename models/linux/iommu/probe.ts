/** Probing and releasing devices in drivers/iommu/iommu.c, from 5.10.223 to 7.2.13: from the registration of an IOMMU, from the bus's notifier, from the firmware code. */
import {
  abstraction,
  applied,
  data_race,
  EBUSY,
  ENODEV,
  ENOMEM,
  type Errno,
  fault,
  kfree,
  kzalloc,
  list_add_tail,
  list_del,
  list_empty,
  list_first_entry_or_null,
  lockdep_assert_held,
  mutex_lock,
  mutex_unlock,
  observe,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { dev_iommu_fwspec_get } from "../iommu-drivers/hardware.js";
import { is_attach_deferred, is_attach_deferred_now, probe_device, release_device } from "../iommu-drivers/index.js";
import {
  type BusType,
  type DevIommu,
  type Device,
  type GroupList,
  type IommuDevice,
  type IommuGroup,
  type IommuOps,
  iommu_core,
  linux,
} from "../schema.js";
import { __iommu_attach_device, __iommu_device_set_domain } from "./attach.js";
import {
  __iommu_group_dma_finalize,
  iommu_alloc_default_domain,
  iommu_create_device_direct_mappings,
  iommu_setup_default_domain,
  probe_alloc_default_domain,
  setup_dma_ops_of_members,
} from "./default-domain.js";
import { iommu_setup_dma_ops, probe_finalize } from "./dma-iommu.js";
import { iommu_fwspec_ops } from "./firmware.js";
import {
  alloc_group_device,
  iommu_group_forget_device,
  iommu_group_get,
  iommu_group_get_for_dev,
  iommu_group_put,
  iommu_group_remove_device,
  list_del_device,
} from "./group.js";
import { iommu_deinit_device, iommu_init_device } from "./init-device.js";

abstraction("taking a reference on the module of an IOMMU driver does not fail", "may miss a bug");
abstraction(
  "the list of groups of a bus walk is touched under each group's mutex in every design, as it is since 01657bc14a39 (v6.2): before, no two walks ran on one bus",
  "may miss a bug",
);
abstraction("sysfs links between an IOMMU and its devices are left out", "may miss a bug");

/**
 * 5.10.223 line 153, 6.1.176 line 213, 6.12.107 line 251, 7.2.13 line 289. One driver for all buses, until 17de3f5fdd35 (v6.8) made them forget it; before
 * 57365a04c921 (v6.1) it was for the driver to set the buses' ops afterwards, see bus-set-iommu.ts.
 * The instance is listed before the walks, so that firmware code finds it meanwhile, and it is for that to ask for `ready`; a walk
 * that fails ends the registration.
 */
export function* iommu_device_register(iommu: IommuDevice, ops: IommuOps): Proc<Errno> {
  if (applied("57365a04c921") && !applied("17de3f5fdd35")) {
    const current = iommu_core.buses.at(0)!.iommu_ops;
    if (current !== null && current !== ops) return -EBUSY;
  }
  yield;
  iommu.ops = ops;
  yield* mutex_lock(iommu_core.device_lock);
  list_add_tail(iommu, iommu_core.device_list);
  mutex_unlock(iommu_core.device_lock);
  if (!applied("57365a04c921")) return 0;

  let err: Errno = 0;
  for (const bus of iommu_core.buses) {
    yield;
    bus.iommu_ops = ops;
    yield;
    err = yield* bus_iommu_probe(bus);
    if (err) break;
  }
  yield;
  if (err) yield* iommu_device_unregister(iommu);
  else if (applied("da33e87bd2bf")) iommu.ready = true;
  observe("iommu_device_register", iommu, err);
  return err;
}

/** 5.10.223 line 162, 6.1.176 line 249. The buses keep their ops; before 57365a04c921 (v6.1) the devices kept their groups too. */
export function* iommu_device_unregister(iommu: IommuDevice): Proc {
  for (const bus of iommu_core.buses) {
    if (!applied("57365a04c921")) break;
    for (const dev of bus.klist_devices) {
      yield;
      const isOnBus = dev.on_bus;
      yield;
      if (isOnBus) yield* remove_iommu_group(dev, iommu);
      yield;
    }
  }
  yield* mutex_lock(iommu_core.device_lock);
  list_del(iommu, iommu_core.device_list);
  mutex_unlock(iommu_core.device_lock);
}

/** 6.1.176 line 197. */
function* remove_iommu_group(dev: Device, iommu: IommuDevice): Proc {
  const param = dev.iommu;
  if (param === null) return;
  yield;
  const iommu_dev = param.iommu_dev;
  yield;
  if (iommu_dev === iommu) yield* iommu_release_device(dev);
}

/** 6.1.176 line 261. Creates `dev->iommu`; null if that fails. */
export function* dev_iommu_get(dev: Device): Proc<DevIommu | null> {
  const existing = dev.iommu;
  if (existing !== null) return existing;
  if (fault("kzalloc(dev_iommu)")) return null;
  const param = kzalloc(linux, "dev_iommu");
  yield;
  dev.iommu = param;
  return param;
}

/** 6.1.176 line 277. Before b54240ad4943 (v5.17) the pointer was cleared last, which left it to a freed object for a while. */
export function* dev_iommu_free(dev: Device): Proc {
  const param = dev.iommu!;
  yield;
  if (applied("b54240ad4943")) {
    dev.iommu = null;
    yield;
  }
  kfree(param.fwspec);
  yield;
  kfree(param);
  if (!applied("b54240ad4943")) {
    yield;
    dev.iommu = null;
  }
}

/**
 * 5.10.223 line 198, 6.1.176 line 291. Since a2e7e59a9426 the callers hold the one probe lock; 01657bc14a39 had it in here, and before that
 * nothing kept two of these apart for the same device. Only 6eb4da8cf545 (v6.6) asks under the lock whether the device was
 * probed meanwhile. Which driver is asked the bus knows, since 17de3f5fdd35 (v6.8) the device's fwspec.
 */
function* __iommu_probe_device(dev: Device, group_list: GroupList | null): Proc<Errno> {
  if (applied("bcb81ac6ae3c")) {
    const isMember = dev.iommu_group !== null;
    yield;
    return isMember ? 0 : yield* probe_and_join(dev, null, group_list);
  }
  const ops = applied("17de3f5fdd35") ? yield* iommu_fwspec_ops(dev, yield* dev_iommu_fwspec_get(dev)) : dev.bus!.iommu_ops;
  if (ops === null) return -ENODEV;
  yield;
  if (applied("a2e7e59a9426")) lockdep_assert_held(iommu_core.probe_device_lock);
  else if (applied("01657bc14a39")) yield* mutex_lock(iommu_core.probe_device_lock);
  const isProbed = applied("6eb4da8cf545") && dev.iommu_group !== null;
  yield;
  let ret: Errno = 0;
  if (!isProbed) ret = applied("f188056352bc") ? yield* probe_and_join(dev, ops, group_list) : yield* init_and_group(dev, ops, group_list);
  if (!applied("a2e7e59a9426") && applied("01657bc14a39")) mutex_unlock(iommu_core.probe_device_lock);
  return ret;
}

/** The rest of __iommu_probe_device(), with its error path. */
function* init_and_group(dev: Device, ops: IommuOps, group_list: GroupList | null): Proc<Errno> {
  if ((yield* dev_iommu_get(dev)) === null) return -ENOMEM;
  yield;
  const iommu_dev = yield* probe_device(ops, dev);
  yield;
  if (typeof iommu_dev === "number") {
    yield* dev_iommu_free(dev);
    return iommu_dev;
  }
  const param = dev.iommu!;
  yield;
  param.iommu_dev = iommu_dev;
  yield;
  if (applied("dd8a25c557e1") && iommu_core.is_kdump_kernel) {
    param.attach_deferred = is_attach_deferred_now(dev);
    yield;
  }
  const group = yield* iommu_group_get_for_dev(dev);
  if (typeof group === "number") {
    yield;
    yield* release_device(dev);
    yield;
    yield* dev_iommu_free(dev);
    return group;
  }
  yield* mutex_lock(group.mutex);
  if (group_list !== null && group.default_domain === null && group.entry === null) {
    group.entry = group_list;
    list_add_tail(group, group_list.groups);
  }
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
  return 0;
}

/**
 * The rest of __iommu_probe_device() since f188056352bc (v6.6): 6.12.107 line 526, 7.2.13 line 627. The device joins its group and is attached in
 * one critical section. With a list, the group's default domain is left to who made the list. `ops` are null where
 * iommu_init_device() looks for them.
 */
function* probe_and_join(dev: Device, ops: IommuOps | null, group_list: GroupList | null): Proc<Errno> {
  lockdep_assert_held(iommu_core.probe_device_lock);
  const failed = yield* iommu_init_device(dev, ops);
  if (failed) return failed;
  yield;
  if (applied("bcb81ac6ae3c")) {
    const isBinding = data_race(() => dev.driver !== null);
    WARN_ON(isBinding, "late IOMMU probe at driver bind");
    yield;
  }
  const group = dev.iommu_group!;
  const gdev = alloc_group_device(group, dev);
  yield* mutex_lock(group.mutex);
  let ret: Errno = -ENOMEM;
  if (gdev !== null) {
    list_add_tail(gdev, group.devices);
    WARN_ON(group.default_domain !== null && group.domain === null, "a group has a default domain and is on none");
    ret = yield* join_group(group, dev, group_list);
    if (ret) list_del(gdev, group.devices);
  }
  if (ret) {
    kfree(gdev);
    yield* iommu_deinit_device(dev, group);
  }
  mutex_unlock(group.mutex);
  yield;
  if (ret) iommu_group_put(group);
  return ret;
}

function* join_group(group: IommuGroup, dev: Device, group_list: GroupList | null): Proc<Errno> {
  if (group.default_domain !== null) yield* iommu_create_device_direct_mappings(group.default_domain, dev);
  let ret: Errno = 0;
  if (group.domain !== null) {
    ret = yield* __iommu_device_set_domain(group, dev, group.domain, false);
  } else if (group.default_domain === null) {
    if (group_list === null) {
      ret = yield* iommu_setup_default_domain(group, null);
    } else if (group.entry === null) {
      group.entry = group_list;
      yield;
      list_add_tail(group, group_list.groups);
    }
  }
  if (ret) return ret;
  yield;
  if (applied("b67483b3c44e") && group.default_domain !== null) yield* iommu_setup_dma_ops(dev);
  return 0;
}

/** 5.10.223 line 250, 6.1.176 line 347, 6.12.107 line 603, 7.2.13 line 709: a device that comes alone, by hotplug or because firmware code believes that it was missed. */
export function* iommu_probe_device(dev: Device): Proc<Errno> {
  if (applied("a2e7e59a9426")) yield* mutex_lock(iommu_core.probe_device_lock);
  const probed = yield* __iommu_probe_device(dev, null);
  if (applied("a2e7e59a9426")) mutex_unlock(iommu_core.probe_device_lock);
  if (probed) return probed;
  yield;
  if (applied("f188056352bc")) {
    yield* probe_finalize(dev);
    return 0;
  }
  const group = yield* iommu_group_get(dev);
  let ret: Errno = -ENODEV;
  if (group !== null) {
    if (applied("556f99ac8866")) {
      yield* mutex_lock(group.mutex);
      ret = yield* attach_probed_device(group, dev);
      if (!ret && applied("b67483b3c44e") && group.default_domain !== null) yield* iommu_setup_dma_ops(dev);
      mutex_unlock(group.mutex);
    } else {
      ret = yield* attach_with_little_locking(group, dev);
    }
    yield;
    iommu_group_put(group);
  }
  yield;
  if (ret) yield* iommu_release_device(dev);
  else yield* probe_finalize(dev);
  return ret;
}

/**
 * 5.10.223 line 260: before 556f99ac8866 (v5.17) iommu_probe_device() attached and mapped without the group's mutex. 211ff31b3d33
 * (v5.15) had begun with the allocation of the default domain, for which there was no lock before either.
 */
function* attach_with_little_locking(group: IommuGroup, dev: Device): Proc<Errno> {
  if (applied("211ff31b3d33")) yield* mutex_lock(group.mutex);
  else yield;
  yield* iommu_alloc_default_domain(group, dev);
  if (applied("211ff31b3d33")) mutex_unlock(group.mutex);
  yield;
  const domain = group.default_domain;
  yield;
  const ret = domain === null ? 0 : yield* __iommu_attach_device(domain, dev);
  if (ret) return ret;
  yield;
  yield* iommu_create_device_direct_mappings(domain, dev);
  return 0;
}

/**
 * The critical section of iommu_probe_device(). 6.1 attaches the default domain unless the group is owned, whatever the
 * group is on, although adding the device to the group has attached that; e7f85dfbbc9c (v6.5) attaches the group's
 * domain. Direct mappings are made when the domain is attached already; 152431e4fe7f (v6.5) makes them first.
 */
function* attach_probed_device(group: IommuGroup, dev: Device): Proc<Errno> {
  if (applied("d99be00f42ea")) return yield* join_or_set_up(group, dev);
  const hadDomain = group.domain !== null;
  yield* iommu_alloc_default_domain(group, dev);
  yield;
  if (applied("152431e4fe7f")) yield* iommu_create_device_direct_mappings(group.default_domain, dev);
  let domain = group.owner === null ? group.default_domain : null;
  if (applied("e7f85dfbbc9c") && hadDomain) domain = is_attach_deferred(dev) ? null : group.domain;
  if (applied("dd8a25c557e1") && is_attach_deferred(dev)) domain = null;
  const ret = domain === null ? 0 : yield* __iommu_attach_device(domain, dev);
  if (ret) return ret;
  yield;
  if (!applied("152431e4fe7f")) yield* iommu_create_device_direct_mappings(group.default_domain, dev);
  return 0;
}

/** The same since d99be00f42ea: the device gets what its group is on, or as its first device gives it a default domain. */
function* join_or_set_up(group: IommuGroup, dev: Device): Proc<Errno> {
  yield* iommu_create_device_direct_mappings(group.default_domain, dev);
  yield;
  if (group.domain !== null) return yield* __iommu_device_set_domain(group, dev, group.domain, false);
  return group.default_domain === null ? yield* iommu_setup_default_domain(group, null) : 0;
}

/**
 * 5.10.223 line 297, 6.1.176 line 404, from the bus's notifier after the device is gone, and from a failed registration. Until dba9ca9d41f5 (v6.4)
 * the driver forgets the device while it still is on its group's list, where who holds the group's mutex finds it.
 */
export function* iommu_release_device(dev: Device): Proc {
  if (applied("f188056352bc")) {
    yield* release_member(dev);
    return;
  }
  if (dev.iommu === null) return;
  yield;
  if (applied("dba9ca9d41f5")) {
    const group = dev.iommu_group;
    if (group === null) return;
    yield* mutex_lock(group.mutex);
    const device = list_del_device(group, dev);
    const isEmpty = list_empty(group.devices);
    WARN_ON(isEmpty && group.owner_cnt > 0, "a group that becomes empty is still in use");
    WARN_ON(isEmpty && group.domain !== group.default_domain, "a group that becomes empty is not on its default domain");
    yield;
    yield* release_device(dev);
    mutex_unlock(group.mutex);
    yield;
    if (device !== null) yield* iommu_group_forget_device(group, device);
  } else {
    yield* release_device(dev);
    yield;
    yield* iommu_group_remove_device(dev);
  }
  yield;
  yield* dev_iommu_free(dev);
}

/** The same since f188056352bc (v6.6): 6.12.107 line 672, 7.2.13 line 778. A device that was never probed may have an fwspec. */
function* release_member(dev: Device): Proc {
  const isMember = dev.iommu_group !== null;
  yield;
  if (isMember) yield* __iommu_group_remove_device(dev);
  yield;
  const isLeft = dev.iommu !== null;
  yield;
  if (isLeft) yield* dev_iommu_free(dev);
}

/** 6.12.107 line 645, 7.2.13 line 751. */
function* __iommu_group_remove_device(dev: Device): Proc {
  const group = dev.iommu_group!;
  yield* mutex_lock(group.mutex);
  const device = list_del_device(group, dev);
  if (device !== null) {
    const isEmpty = list_empty(group.devices);
    WARN_ON(isEmpty && group.owner_cnt > 0, "a group that becomes empty is still in use");
    WARN_ON(isEmpty && group.domain !== group.default_domain, "a group that becomes empty is not on its default domain");
    kfree(device);
    observe("remove_device_from_group", group, dev);
    yield;
    yield* iommu_deinit_device(dev, group);
  }
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
}

/** 6.1.176 line 1671. Members of a group are probed already, which is asked without a lock; since 6eb4da8cf545 (v6.6) not here. */
function* probe_iommu_group(dev: Device, group_list: GroupList): Proc<Errno> {
  if (!applied("f188056352bc")) {
    const group = yield* iommu_group_get(dev);
    if (group !== null) {
      yield;
      iommu_group_put(group);
      return 0;
    }
    yield;
  }
  if (applied("a2e7e59a9426")) yield* mutex_lock(iommu_core.probe_device_lock);
  const ret = yield* __iommu_probe_device(dev, group_list);
  if (applied("a2e7e59a9426")) mutex_unlock(iommu_core.probe_device_lock);
  return ret === -ENODEV ? 0 : ret;
}

/** 5.10.223 line 1749, 6.1.176 line 1828, 7.2.13 line 1954. First every device of the bus gets its group; then each new group gets its default domain. */
export function* bus_iommu_probe(bus: BusType): Proc<Errno> {
  const group_list = kzalloc(linux, "group_list");
  let ret: Errno = 0;
  for (const dev of bus.klist_devices) {
    yield;
    const isOnBus = dev.on_bus;
    yield;
    if (isOnBus) ret = yield* probe_iommu_group(dev, group_list);
    if (ret) break;
    yield;
  }
  if (!ret) ret = yield* set_up_groups(bus, group_list);
  yield;
  kfree(group_list);
  return ret;
}

/** The second phase. A failing attach ends it, and the groups that are left get nothing. */
function* set_up_groups(bus: BusType, group_list: GroupList): Proc<Errno> {
  for (;;) {
    yield;
    const group = list_first_entry_or_null(group_list.groups);
    if (group === null) return 0;
    yield* mutex_lock(group.mutex);
    list_del(group, group_list.groups);
    group.entry = null;
    yield;
    const ret = applied("d99be00f42ea") ? yield* iommu_setup_default_domain(group, null) : yield* set_up_group(bus, group);
    if (!ret && applied("b67483b3c44e")) yield* setup_dma_ops_of_members(group);
    if (!applied("211ff31b3d33")) yield;
    const hasDefaultDomain = group.default_domain !== null;
    mutex_unlock(group.mutex);
    if (ret) return ret;
    yield;
    const isFinalized = !applied("70b8170e55d3");
    if (!isFinalized && (hasDefaultDomain || applied("d99be00f42ea"))) yield* __iommu_group_dma_finalize(group);
  }
}

function* set_up_group(bus: BusType, group: IommuGroup): Proc<Errno> {
  yield* probe_alloc_default_domain(bus, group);
  yield;
  return group.default_domain === null ? 0 : yield* attach_group_members(group);
}

/**
 * iommu_group_create_direct_mappings() and __iommu_group_dma_attach(): a device whose attach is deferred stays as it is. Before
 * "Don't call .probe_finalize() under group->mutex" (v5.8) each device was finalized as soon as it was attached.
 */
function* attach_group_members(group: IommuGroup): Proc<Errno> {
  for (const device of group.devices) yield* iommu_create_device_direct_mappings(group.default_domain, device.dev!);
  for (const device of group.devices) {
    yield;
    const dev = device.dev!;
    const ret = is_attach_deferred(dev) ? 0 : yield* __iommu_attach_device(group.default_domain!, dev);
    if (ret) return ret;
    if (!applied("70b8170e55d3")) yield* probe_finalize(dev);
  }
  return 0;
}

/**
 * 5.10.223 line 1599, 6.1.176 line 1693. Every bus calls it, until 57365a04c921 (v6.1) every one that an IOMMU's driver had set its ops for: for a device that
 * was added, before its driver is looked for, and for one that is gone.
 */
export function* iommu_bus_notifier(action: BusNotification, dev: Device): Proc<typeof NOTIFY_DONE | typeof NOTIFY_OK> {
  if (!applied("57365a04c921")) {
    const isRegistered = dev.bus!.has_iommu_notifier;
    if (!isRegistered) return NOTIFY_DONE;
    yield;
  }
  if (action === "BUS_NOTIFY_ADD_DEVICE") return (yield* iommu_probe_device(dev)) ? NOTIFY_DONE : NOTIFY_OK;
  if (action !== "BUS_NOTIFY_REMOVED_DEVICE") return NOTIFY_DONE;
  yield* iommu_release_device(dev);
  return NOTIFY_OK;
}

/** include/linux/notifier.h: not interested, and done what is to be done. */
const NOTIFY_DONE = 0;
const NOTIFY_OK = 1;

/** What the driver core tells who listens to a bus; of the last two it only tells where a recording is followed. */
type BusNotification = "BUS_NOTIFY_ADD_DEVICE" | "BUS_NOTIFY_REMOVED_DEVICE" | "BUS_NOTIFY_BOUND_DRIVER" | "BUS_NOTIFY_UNBOUND_DRIVER";
