/**
 * Firmware tables that name a device's IOMMU: drivers/iommu/of_iommu.c (device tree) and drivers/acpi/scan.c (IORT, VIOT) of
 * 6.1.176 to 7.2.13. Called when a driver is about to be bound, in dma_configure; since bcb81ac6ae3c (v6.15) when a device is probed,
 * before there is a driver.
 */
import {
  abstraction,
  applied,
  EINVAL,
  ENOMEM,
  EPROBE_DEFER,
  type Errno,
  ETIMEDOUT,
  fault,
  kfree,
  kzalloc,
  list_first_entry_or_null,
  mutex_lock,
  mutex_unlock,
  type Proc,
} from "iommu-mc";
import { dev_iommu_fwspec_get } from "../iommu-drivers/hardware.js";
import { type Device, driver_core, type IommuDevice, type IommuFwspec, type IommuOps, iommu_core, linux } from "../schema.js";
import { dev_iommu_free, dev_iommu_get, iommu_probe_device } from "./probe.js";

abstraction(
  "a device has one id at one IOMMU; all clients are described by the device tree or all by ACPI, which differ in nothing here but the way a stale fwspec is dropped",
  "may miss a bug",
);

/**
 * of_iommu.c line 119. A fwspec without ops is left from a probe that was deferred, and is dropped. Since a2e7e59a9426 the
 * probe lock keeps `dev->iommu` as it is until the fwspec is complete. Tells whether the device is behind an IOMMU, or
 * -EPROBE_DEFER; all other errors count as no.
 */
export function* of_iommu_configure(dev: Device): Proc<boolean | typeof deferred> {
  const iommu = dev.iommus;
  if (iommu === null) return false;
  if (applied("3e36c15fc1cc")) return yield* configure_once(dev, iommu);
  if (applied("a2e7e59a9426")) yield* mutex_lock(iommu_core.probe_device_lock);
  const fwspec = yield* dev_iommu_fwspec_get(dev);
  yield;
  const isTranslated = fwspec !== null && fwspec.ops !== null;
  let err: Errno = 0;
  if (!isTranslated) {
    yield;
    if (fwspec !== null) yield* iommu_fwspec_free(dev);
    yield;
    err = yield* of_iommu_xlate(dev, iommu);
  }
  if (applied("a2e7e59a9426")) mutex_unlock(iommu_core.probe_device_lock);
  yield;
  if (isTranslated) return true;
  const isMapped = dev.iommu_group !== null;
  yield;
  if (!err && !isMapped) err = yield* iommu_probe_device(dev);
  return err === -EPROBE_DEFER ? deferred : err === 0;
}

const deferred = -EPROBE_DEFER;

/**
 * The same since 3e36c15fc1cc (v6.11): 6.12.107 line 117, 7.2.13 line 116. A fwspec is complete if it is there at all. Since
 * bcb81ac6ae3c the device is probed from here only if it is not being probed already, of which `dev->iommu` is the sign, and by
 * ACPI (drivers/acpi/scan.c of 7.2.13 line 1620), which on x86 names IOMMUs like virtio's, not at all.
 */
function* configure_once(dev: Device, iommu: IommuDevice): Proc<boolean | typeof deferred> {
  yield* mutex_lock(iommu_core.probe_device_lock);
  const fwspec = yield* dev_iommu_fwspec_get(dev);
  if (fwspec !== null) {
    mutex_unlock(iommu_core.probe_device_lock);
    return true;
  }
  yield;
  const dev_iommu_present = dev.iommu !== null;
  yield;
  let err = yield* of_iommu_xlate(dev, iommu);
  yield;
  if (err && dev_iommu_present) yield* iommu_fwspec_free(dev);
  else if (err) yield* drop_dev_iommu(dev);
  mutex_unlock(iommu_core.probe_device_lock);
  yield;
  const isReplayed = !applied("bcb81ac6ae3c") || (iommu_core.is_arm64 && !dev_iommu_present);
  if (!err && isReplayed) err = yield* iommu_probe_device(dev);
  return err === -EPROBE_DEFER ? deferred : err === 0;
}

function* drop_dev_iommu(dev: Device): Proc {
  const isThere = dev.iommu !== null;
  yield;
  if (isThere) yield* dev_iommu_free(dev);
}

/**
 * of_iommu.c line 22. An IOMMU that is not there yet is waited for, until the driver core says that no more drivers will come;
 * of that b09796d528bb (v6.0-rc1) knew nothing, until a4f124908617 took it back before the release.
 */
function* of_iommu_xlate(dev: Device, iommu: IommuDevice): Proc<Errno> {
  const ops = yield* iommu_ops_from_fwnode(iommu);
  yield;
  if (applied("3e36c15fc1cc")) {
    if (ops === null) return driver_deferred_probe_check_state();
    if (applied("da33e87bd2bf") && (yield* isStillRegistering(dev, iommu))) return -EPROBE_DEFER;
    yield;
  }
  const ret = yield* iommu_fwspec_init(dev, ops);
  if (ret) return ret;
  yield;
  if (ops === null) return applied("a4f124908617") ? driver_deferred_probe_check_state() : -EPROBE_DEFER;
  return yield* of_xlate(dev);
}

/** 7.2.13 line 3073: a device that is not being probed waits until the walks of its IOMMU's registration are over. */
function* isStillRegistering(dev: Device, iommu: IommuDevice): Proc<boolean> {
  const isBeingProbed = dev.iommu !== null;
  yield;
  if (isBeingProbed) return false;
  const { ready } = iommu;
  return !ready;
}

/** `ops->of_xlate`: adds the device's id to its fwspec, iommu_fwspec_add_ids(). */
function* of_xlate(dev: Device): Proc<Errno> {
  const fwspec = yield* dev_iommu_fwspec_get(dev);
  if (fwspec === null) return -EINVAL;
  yield;
  fwspec.has_ids = true;
  return 0;
}

/** drivers/base/dd.c line 275. */
function driver_deferred_probe_check_state(): Errno {
  return driver_core.deferred_probe_timeout_expired ? -ETIMEDOUT : -EPROBE_DEFER;
}

/** iommu.c line 2645: instances are found as soon as they are listed, which is before their walks of the buses. */
function* iommu_ops_from_fwnode(iommu: IommuDevice): Proc<IommuOps | null> {
  yield* mutex_lock(iommu_core.device_lock);
  const ops = iommu_core.device_list.includes(iommu) ? iommu.ops : null;
  mutex_unlock(iommu_core.device_lock);
  return ops;
}

/**
 * include/linux/iommu.h, since 17de3f5fdd35 (v6.8): the operations for a device, by its fwspec. A device without one may be behind an
 * IOMMU that has no node in the firmware's tables either, as on x86 all are; it is for the driver to know.
 */
export function* iommu_fwspec_ops(dev: Device, fwspec: IommuFwspec | null): Proc<IommuOps | null> {
  if (fwspec !== null) return applied("3e36c15fc1cc") ? yield* iommu_ops_from_fwnode(dev.iommus!) : fwspec.ops;
  if (iommu_core.has_fwspecs) return null;
  yield* mutex_lock(iommu_core.device_lock);
  const iommu = list_first_entry_or_null(iommu_core.device_list);
  const ops = iommu === null ? null : iommu.ops;
  mutex_unlock(iommu_core.device_lock);
  return ops;
}

/** iommu.c line 2661. */
function* iommu_fwspec_init(dev: Device, ops: IommuOps | null): Proc<Errno> {
  const existing = yield* dev_iommu_fwspec_get(dev);
  yield;
  if (existing !== null) return (yield* iommu_fwspec_ops(dev, existing)) === ops ? 0 : -EINVAL;
  const param = yield* dev_iommu_get(dev);
  if (param === null) return -ENOMEM;
  if (fault("kzalloc(iommu_fwspec)")) return -ENOMEM;
  const fwspec = kzalloc(linux, "iommu_fwspec");
  fwspec.ops = ops;
  yield;
  yield* dev_iommu_fwspec_set(dev, fwspec);
  return 0;
}

/** iommu.c line 2685. */
function* iommu_fwspec_free(dev: Device): Proc {
  const fwspec = yield* dev_iommu_fwspec_get(dev);
  if (fwspec === null) return;
  yield;
  kfree(fwspec);
  yield;
  yield* dev_iommu_fwspec_set(dev, null);
}

function* dev_iommu_fwspec_set(dev: Device, fwspec: IommuFwspec | null): Proc {
  const param = dev.iommu!;
  yield;
  param.fwspec = fwspec;
}
