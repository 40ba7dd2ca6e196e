/**
 * Firmware tables that name a device's IOMMU: drivers/iommu/of_iommu.c (device tree) and drivers/acpi/scan.c (IORT, VIOT) of
 * 6.1.176. Called when a driver is about to be bound, in dma_configure.
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
  mutex_lock,
  mutex_unlock,
  type Proc,
} from "iommu-mc";
import { dev_iommu_fwspec_get } from "../iommu-drivers/hardware.js";
import { type Device, driver_core, type IommuDevice, type IommuFwspec, type IommuOps, iommu_core, linux } from "../schema.js";
import { dev_iommu_get, iommu_probe_device } from "./probe.js";

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
 * of_iommu.c line 22. An IOMMU that is not there yet is waited for, until the driver core says that no more drivers will come;
 * of that b09796d528bb (v6.0-rc1) knew nothing, until a4f124908617 took it back before the release.
 */
function* of_iommu_xlate(dev: Device, iommu: IommuDevice): Proc<Errno> {
  const ops = yield* iommu_ops_from_fwnode(iommu);
  yield;
  const ret = yield* iommu_fwspec_init(dev, ops);
  if (ret) return ret;
  yield;
  if (ops === null) return applied("a4f124908617") ? driver_deferred_probe_check_state() : -EPROBE_DEFER;
  return yield* of_xlate(dev);
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

/** iommu.c line 2661. */
function* iommu_fwspec_init(dev: Device, ops: IommuOps | null): Proc<Errno> {
  const existing = yield* dev_iommu_fwspec_get(dev);
  yield;
  if (existing !== null) return existing.ops === ops ? 0 : -EINVAL;
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
