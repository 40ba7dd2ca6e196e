/** drivers/iommu/iommu.c of 6.1.176, on which the patch was made: registration for all buses, probing, ownership. */
import {
  applied,
  atomic,
  EBUSY,
  EINVAL,
  ENODEV,
  EPERM,
  type Errno,
  kfree,
  kzalloc,
  list_add_tail,
  mutex_lock,
  mutex_unlock,
  observe,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { iommu_group_add_device, iommu_group_get, iommu_group_put, iommu_group_remove_device, iommu_is_attach_deferred } from "./group.js";
import {
  attach_dev,
  spapr_tce_iommu_capable,
  spapr_tce_iommu_device_group,
  spapr_tce_iommu_domain_alloc,
  spapr_tce_iommu_probe_device,
} from "./iommu-ops.js";
import { type BusType, core, type Device, type IommuDevice, type IommuGroup, type IommuOps, ppc64Ops } from "./schema.js";

/** iommu-sysfs.c, line 54, with device_add(): get_device_parent() (drivers/base/core.c, line 3244) follows the class, which has to be there. */
export function iommu_device_sysfs_add(iommu: IommuDevice): void {
  const iommu_class = core.has_iommu_class ? iommu : null;
  iommu_class!.is_in_sysfs = true;
}

/** Line 208. A bus keeps the ops that it was given, whatever becomes of the walk. */
export function* iommu_device_register(iommu: IommuDevice, ops: IommuOps): Proc<Errno> {
  const { iommu_ops } = core.iommu_buses.at(0)!;
  if (iommu_ops !== null && iommu_ops !== ops) return -EBUSY;
  yield;
  iommu.ops = ops;
  yield;
  let err: Errno = 0;
  for (const bus of core.iommu_buses) {
    if (err) break;
    bus.iommu_ops = ops;
    yield;
    err = yield* bus_iommu_probe(bus);
  }
  yield;
  if (err) yield* iommu_device_unregister(iommu);
  observe("iommu_device_register", iommu, err);
  return err;
}

/** Line 240, with remove_iommu_group() (line 192). */
function* iommu_device_unregister(iommu: IommuDevice): Proc {
  for (const bus of core.iommu_buses) {
    if (!bus.is_registered) continue;
    yield;
    for (const dev of bus.devices) {
      yield;
      const param = dev.iommu;
      yield;
      const isIts = param !== null && param.iommu_dev === iommu;
      yield;
      if (isIts) yield* iommu_release_device(dev);
    }
  }
}

/** Line 1808, with bus_for_each_dev() (drivers/base/bus.c, line 290). There is no default domain to be had. */
function* bus_iommu_probe(bus: BusType): Proc<Errno> {
  if (!bus.is_registered) return -EINVAL;
  yield;
  for (const dev of bus.devices) {
    const ret = yield* probe_iommu_group(dev);
    if (ret) return ret;
    yield;
  }
  return 0;
}

/** Line 1671: a device that is in a group has been probed, and of errors ENODEV alone is none. */
function* probe_iommu_group(dev: Device): Proc<Errno> {
  yield;
  if (dev.iommu_group !== null) return 0;
  const ret = yield* probe_in_turn(dev);
  return ret === -ENODEV ? 0 : ret;
}

/** Since 01657bc14a39 one device is probed at a time. */
function* probe_in_turn(dev: Device): Proc<Errno> {
  if (!applied("01657bc14a39")) {
    yield;
    return yield* __iommu_probe_device(dev);
  }
  yield* mutex_lock(core.iommu_probe_device_lock);
  const ret = yield* __iommu_probe_device(dev);
  mutex_unlock(core.iommu_probe_device_lock);
  return ret;
}

/** Line 283. */
function* __iommu_probe_device(dev: Device): Proc<Errno> {
  const ops = dev.bus!.iommu_ops;
  if (ops === null) return -ENODEV;
  yield;
  yield* dev_iommu_get(dev);
  yield;
  const iommu_dev = spapr_tce_iommu_probe_device(dev);
  yield;
  if (typeof iommu_dev === "number") {
    yield* dev_iommu_free(dev);
    return iommu_dev;
  }
  atomic("dev->iommu is followed, and what it leads to is written");
  dev.iommu!.iommu_dev = iommu_dev;
  yield;
  const group = yield* iommu_group_get_for_dev(dev);
  yield;
  if (typeof group === "number") {
    if (ops.has_release_device) spapr_tce_iommu_release_device();
    yield;
    yield* dev_iommu_free(dev);
    return group;
  }
  iommu_group_put(group);
  return 0;
}

/** Line 252. */
function* dev_iommu_get(dev: Device): Proc {
  if (dev.iommu !== null) return;
  yield;
  dev.iommu = kzalloc(ppc64Ops, "dev_iommu");
}

/** Line 268: it looks for a fwspec in what it frees. */
function* dev_iommu_free(dev: Device): Proc {
  const param = dev.iommu;
  yield;
  dev.iommu = null;
  yield;
  param!.iommu_dev = null;
  kfree(param);
}

/** Line 1637. Who calls it gives a reference back that device_group() has to have taken. */
function* iommu_group_get_for_dev(dev: Device): Proc<IommuGroup | Errno> {
  const known = yield* iommu_group_get(dev);
  if (known !== null) return known;
  yield;
  const group = yield* spapr_tce_iommu_device_group(dev);
  if (typeof group === "number") return group;
  const ret = yield* iommu_group_add_device(group, dev);
  if (!ret) return group;
  yield;
  iommu_group_put(group);
  return ret;
}

/** Line 345. */
export function* iommu_probe_device(dev: Device): Proc<Errno> {
  const ret = yield* probe_in_turn(dev);
  if (ret) return ret;
  yield;
  const group = yield* iommu_group_get(dev);
  if (group === null) {
    yield* iommu_release_device(dev);
    return -ENODEV;
  }
  yield;
  iommu_group_put(group);
  return 0;
}

/** Line 404. */
function* iommu_release_device(dev: Device): Proc {
  if (dev.iommu === null) return;
  yield;
  if (dev.iommu!.iommu_dev!.ops!.has_release_device) spapr_tce_iommu_release_device();
  yield* iommu_group_remove_device(dev);
  yield;
  yield* dev_iommu_free(dev);
}

/** `ops->release_device` of the patch; who has none is not asked. */
function spapr_tce_iommu_release_device(): void {}

/** Line 1693: a device has come to a bus, or has gone. */
export function* iommu_bus_notifier(dev: Device, isAdded: boolean): Proc {
  if (!core.has_notifiers) return;
  if (isAdded) yield* iommu_probe_device(dev);
  else yield* iommu_release_device(dev);
}

/** Line 1866, asked for cache coherency. */
export function device_iommu_capable(dev: Device): boolean {
  if (dev.iommu === null || dev.iommu.iommu_dev === null) return false;
  return spapr_tce_iommu_capable();
}

/** Line 3206. */
export function* iommu_group_claim_dma_owner(group: IommuGroup): Proc<Errno> {
  yield* mutex_lock(group.mutex);
  let ret: Errno = 0;
  if (group.owner_cnt > 0) ret = -EPERM;
  // There is no default domain.
  else if (group.domain !== null) ret = -EBUSY;
  else {
    ret = __iommu_group_alloc_blocking_domain(group);
    if (!ret) ret = attach_all(group);
    if (!ret) {
      group.is_owned = true;
      group.owner_cnt++;
    }
  }
  mutex_unlock(group.mutex);
  observe("iommu_group_claim_dma_owner", group, ret);
  return ret;
}

/** Line 3174: of the bus of the first device. */
function __iommu_group_alloc_blocking_domain(group: IommuGroup): Errno {
  if (group.blocking_domain !== null) return 0;
  const ops = group.devices.at(0)!.bus!.iommu_ops;
  if (ops === null) return -EINVAL;
  group.blocking_domain = spapr_tce_iommu_domain_alloc(ops);
  return group.blocking_domain === null ? -EINVAL : 0;
}

/** __iommu_group_set_domain() (line 2134) to the blocking domain. */
function attach_all(group: IommuGroup): Errno {
  for (const dev of group.devices) {
    const ret = attach_dev(group.blocking_domain!, dev);
    if (ret) return ret;
  }
  group.domain = group.blocking_domain;
  return 0;
}

/** Line 3251. Back to no domain, which is detach_dev(). */
export function* iommu_group_release_dma_owner(group: IommuGroup): Proc {
  yield* mutex_lock(group.mutex);
  group.owner_cnt = 0;
  group.is_owned = false;
  const isRefused = detach_all(group) !== 0;
  mutex_unlock(group.mutex);
  observe("iommu_group_release_dma_owner", group, isRefused);
}

/** The same with none. */
function detach_all(group: IommuGroup): Errno {
  if (group.domain === null) return 0;
  if (WARN_ON(!group.domain.ops!.has_detach_dev, "a group leaves its domain, whose driver has no detach_dev()")) return -EINVAL;
  for (const dev of group.devices) if (!iommu_is_attach_deferred(dev)) spapr_tce_iommu_detach_dev();
  group.domain = null;
  return 0;
}

/** Of the patch. */
function spapr_tce_iommu_detach_dev(): void {}

/** Line 3126. */
export function* iommu_device_use_default_domain(dev: Device): Proc<Errno> {
  const group = yield* iommu_group_get(dev);
  if (group === null) return 0;
  yield* mutex_lock(group.mutex);
  const isBusy = group.owner_cnt > 0 && (group.is_owned || group.domain !== null);
  if (!isBusy) group.owner_cnt++;
  mutex_unlock(group.mutex);
  iommu_group_put(group);
  return isBusy ? -EBUSY : 0;
}

/** Line 3159. */
export function* iommu_device_unuse_default_domain(dev: Device): Proc {
  const group = yield* iommu_group_get(dev);
  if (group === null) return;
  yield* mutex_lock(group.mutex);
  if (!WARN_ON(group.owner_cnt === 0, "unuse of a default domain nobody uses")) group.owner_cnt--;
  mutex_unlock(group.mutex);
  iommu_group_put(group);
}

/** bus_add_device() (drivers/base/bus.c): on the bus's list, before the notifiers are called. */
export function bus_add_device(dev: Device): void {
  list_add_tail(dev, dev.bus!.devices);
  dev.is_registered = true;
}
