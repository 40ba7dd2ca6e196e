/** drivers/base/dd.c of 6.1.176: binding and unbinding, with the failure of each step, and probing that is deferred. */
import {
  abstraction,
  applied,
  atomic,
  data_race,
  EAGAIN,
  EBUSY,
  EINVAL,
  ENODEV,
  ENOMEM,
  EPROBE_DEFER,
  type Errno,
  fault,
  idle,
  list_add_tail,
  list_del,
  list_empty,
  list_first_entry_or_null,
  mutex_lock,
  mutex_unlock,
  observe,
  type Proc,
} from "iommu-mc";
import { arch_teardown_dma_ops } from "../iommu/dma-iommu.js";
import { republish_to_group } from "../iommu/group-notifier.js";
import { iommu_release_kernel_ownership, iommu_set_kernel_ownership } from "../iommu/ownership.js";
import { native_devres_release, native_probe, native_remove } from "../machine/native.js";
import { type BusType, type Device, type DeviceDriver, driver_core, iommu_core } from "../schema.js";
import { vfio_pci_probe, vfio_pci_remove } from "../vfio/vfio-main.js";
import { dma_cleanup, dma_configure } from "./bus.js";

abstraction("device links, pm domains and pinctrl's deferral are left out of really_probe", "may miss a bug");
abstraction("the lock of a parent bridge, which bind and unbind take for USB only, is left out", "neither");
abstraction("a driver that may be probed asynchronously is one that a thread of its own binds", "neither");

/** Line 1126, device_driver_attach(): the way a write to the driver's `bind` file goes. */
export function* device_driver_attach(drv: DeviceDriver, dev: Device): Proc<Errno> {
  yield* mutex_lock(dev.lock);
  const ret = yield* __driver_probe_device(drv, dev);
  mutex_unlock(dev.lock);
  return ret === -EPROBE_DEFER ? -EAGAIN : ret;
}

/**
 * Line 496: binds a device to the driver that its bus has chosen for it already, without any of really_probe(). Buses of USB
 * interfaces, PHYs, PnP and serio devices do so; __device_attach() (line 1018) does it for any bus.
 */
export function* device_bind_driver(dev: Device): Proc<Errno> {
  if (fault("driver_sysfs_add")) return -ENOMEM;
  yield;
  yield* driver_bound(dev, dev.driver!);
  return 0;
}

/** Line 1335, device_driver_detach(), and device_release_driver(): the way a write to the `unbind` file goes, and the removal of the device. */
export function* device_driver_detach(dev: Device): Proc {
  yield* mutex_lock(dev.lock);
  if (dev.driver !== null) yield* __device_release_driver(dev);
  mutex_unlock(dev.lock);
}

/** Line 1008, device_attach() and device_initial_probe(): looks for a driver for the device. */
export function* __device_attach(dev: Device): Proc {
  const drv = dev.match;
  if (drv === null || !drv.registered) return;
  yield* mutex_lock(dev.lock);
  if (!dev.dead && dev.driver === null) yield* driver_probe_device(drv, dev);
  mutex_unlock(dev.lock);
}

/** Line 1234, driver_attach(): a driver that was just registered is tried on every device of its bus. */
export function* driver_register(drv: DeviceDriver, bus: BusType): Proc {
  drv.registered = true;
  yield;
  for (const dev of bus.klist_devices) {
    yield;
    const isMatching = dev.on_bus && dev.match === drv;
    if (isMatching) {
      yield* mutex_lock(dev.lock);
      yield* driver_probe_device(drv, dev);
      mutex_unlock(dev.lock);
    }
    yield;
  }
}

/** Line 841. Deferral puts the device on the list of those that are tried again; at once if a driver was bound meanwhile. */
function* driver_probe_device(drv: DeviceDriver, dev: Device): Proc<Errno> {
  dev.probing = "yes";
  yield;
  const ret = yield* __driver_probe_device(drv, dev);
  yield;
  if (ret === -EPROBE_DEFER) yield* driver_deferred_probe_add(dev);
  yield;
  const isTriggered = isProbeTriggered(dev);
  yield;
  if (ret === -EPROBE_DEFER && isTriggered) yield* driver_deferred_probe_trigger();
  return ret;
}

/** Whether `deferred_trigger_count` has risen since the probe began. */
function isProbeTriggered(dev: Device): boolean {
  atomic("deferred_trigger_count is one atomic counter");
  const isTriggered = dev.probing === "triggered";
  dev.probing = "no";
  return isTriggered;
}

/** Lets it rise. */
function countTrigger(): void {
  atomic("deferred_trigger_count is one atomic counter");
  for (const bus of iommu_core.buses) {
    for (const dev of bus.klist_devices) if (dev.probing === "yes") dev.probing = "triggered";
  }
}

/** Line 765. */
function* __driver_probe_device(drv: DeviceDriver, dev: Device): Proc<Errno> {
  if (dev.dead) return -ENODEV;
  if (dev.driver !== null) return -EBUSY;
  if (!dev.ready_to_probe) return -EPROBE_DEFER;
  return yield* really_probe(dev, drv);
}

/**
 * Line 584. The caller holds the device's lock. A kernel that is built to test removal (CONFIG_DEBUG_TEST_DRIVER_REMOVE) removes the
 * driver that it has just probed, and probes it again.
 */
function* really_probe(dev: Device, drv: DeviceDriver): Proc<Errno> {
  let ret = yield* iommu_set_kernel_ownership(dev, drv);
  if (ret) return ret;
  ret = yield* probe_once(dev, drv);
  if (!ret && driver_core.test_remove) {
    yield* remove_for_test(dev);
    ret = yield* probe_once(dev, drv);
  }
  if (ret) yield* iommu_release_kernel_ownership(dev, drv);
  else yield* driver_bound(dev, drv);
  return ret;
}

/** From `re_probe` on. Only a successful dma_configure is followed by a dma_cleanup. */
function* probe_once(dev: Device, drv: DeviceDriver): Proc<Errno> {
  dev.driver = drv;
  let ret: Errno = fault("pinctrl_bind_pins") ? -EINVAL : 0;
  if (!ret) ret = yield* dma_configure(dev);
  if (ret) {
    yield;
    yield* device_unbind_cleanup(dev);
    return ret;
  }
  ret = fault("driver_sysfs_add") ? -ENOMEM : 0;
  if (!ret) {
    yield;
    ret = yield* call_driver_probe(dev, drv);
    if (!ret) {
      ret = fault("device_add_groups") ? -ENOMEM : 0;
      if (!ret) return 0;
      yield* device_remove(dev);
    }
  }
  yield;
  yield* dma_cleanup(dev);
  yield;
  yield* device_unbind_cleanup(dev);
  return ret;
}

/** Line 672. Until f429378a9bf8 (v6.6, and stable kernels) what dma_configure had done was done twice, and undone once. */
function* remove_for_test(dev: Device): Proc {
  yield;
  yield* device_remove(dev);
  yield;
  if (applied("f429378a9bf8")) {
    yield* dma_cleanup(dev);
    yield;
  }
  yield* device_unbind_cleanup(dev);
  yield;
}

/** Line 391: all devices whose probing was deferred are tried again. Who listens is told last. */
function* driver_bound(dev: Device, drv: DeviceDriver): Proc {
  dev.is_bound = true;
  observe("driver_bound", dev, drv);
  if (driver_core.driver_deferred_probe_enable) {
    yield* driver_deferred_probe_del(dev);
    yield;
    yield* driver_deferred_probe_trigger();
  }
  yield* republish_to_group(dev, "IOMMU_GROUP_NOTIFY_BOUND_DRIVER");
}

/** Line 1246. The ownership count is dropped before the managed resources go. */
function* __device_release_driver(dev: Device): Proc {
  const drv = dev.driver!;
  yield* device_remove(dev);
  yield;
  yield* dma_cleanup(dev);
  yield;
  yield* device_unbind_cleanup(dev);
  yield* iommu_release_kernel_ownership(dev, drv);
  dev.is_bound = false;
  observe("driver_unbound", dev);
  yield* republish_to_group(dev, "IOMMU_GROUP_NOTIFY_UNBOUND_DRIVER");
}

function* call_driver_probe(dev: Device, drv: DeviceDriver): Proc<Errno> {
  let ret: Errno = 0;
  if (drv.kind === "native") ret = yield* native_probe(dev);
  if (drv.kind === "vfio_pci") ret = yield* vfio_pci_probe(dev);
  return ret;
}

function* device_remove(dev: Device): Proc {
  const drv = dev.driver!;
  if (drv.kind === "native") yield* native_remove(dev);
  if (drv.kind === "vfio_pci") yield* vfio_pci_remove(dev);
}

/** Line 528: devres_release_all() and the rest. */
function* device_unbind_cleanup(dev: Device): Proc {
  yield* native_devres_release(dev);
  dev.devres_map = null;
  arch_teardown_dma_ops(dev);
  dev.driver = null;
}

/** Line 131. */
function* driver_deferred_probe_add(dev: Device): Proc {
  yield* mutex_lock(driver_core.deferred_probe_mutex);
  const isListed = driver_core.deferred_probe_pending_list.includes(dev) || driver_core.deferred_probe_active_list.includes(dev);
  if (!isListed) list_add_tail(dev, driver_core.deferred_probe_pending_list);
  mutex_unlock(driver_core.deferred_probe_mutex);
}

/** Line 144: of a device that is bound, or goes away. */
export function* driver_deferred_probe_del(dev: Device): Proc {
  yield* mutex_lock(driver_core.deferred_probe_mutex);
  for (const list of [driver_core.deferred_probe_pending_list, driver_core.deferred_probe_active_list]) {
    if (list.includes(dev)) list_del(dev, list);
  }
  mutex_unlock(driver_core.deferred_probe_mutex);
}

/** Line 172. Devices whose probe is under way learn of it, in case they are about to be deferred. */
export function* driver_deferred_probe_trigger(): Proc {
  if (!driver_core.driver_deferred_probe_enable) return;
  yield* mutex_lock(driver_core.deferred_probe_mutex);
  countTrigger();
  yield;
  const pending = driver_core.deferred_probe_pending_list;
  for (let dev = list_first_entry_or_null(pending); dev !== null; dev = list_first_entry_or_null(pending)) {
    list_del(dev, pending);
    list_add_tail(dev, driver_core.deferred_probe_active_list);
  }
  mutex_unlock(driver_core.deferred_probe_mutex);
}

/** Line 84: the work queue that tries them. */
export function* deferred_probe_work_func(): Proc {
  for (;;) {
    yield idle(() => data_race(() => !list_empty(driver_core.deferred_probe_active_list)));
    yield* mutex_lock(driver_core.deferred_probe_mutex);
    const dev = list_first_entry_or_null(driver_core.deferred_probe_active_list);
    if (dev !== null) list_del(dev, driver_core.deferred_probe_active_list);
    mutex_unlock(driver_core.deferred_probe_mutex);
    yield;
    if (dev !== null) yield* __device_attach(dev);
  }
}
