/** What every IOMMU driver does to a device and its domain: the driver's list of a domain's devices and the translation the hardware uses. */
import { abstraction, data_race, kfree, kzalloc, type Proc, WARN_ON } from "iommu-mc";
import { type DevIommuPriv, type Device, type IommuDevice, type IommuDomain, type IommuFwspec, type IommuOps, linux } from "../schema.js";

abstraction("attaching one device is one step: DMA in the middle of a driver's attach_dev is not seen", "may miss a bug");
abstraction(
  "all IOMMUs of a scenario are of one kind and take each other's domains: no refusal for address width, snoop control or another SMMU",
  "may miss a bug",
);
abstraction(
  "a device on no domain is blocked: arm-smmu-v3.disable_bypass is on, its default, and virtio-iommu's bypass, which QEMU starts with, is off",
  "may miss a bug",
);

/**
 * include/linux/iommu.h line 647: what probe_device() has left. A device that was released, or never probed, has none: NULL, for which
 * some drivers look and others do not. Loads `dev->iommu` once, or twice, and what it points to.
 */
export function* dev_iommu_priv_get(dev: Device): Proc<DevIommuPriv | null> {
  const param = dev.iommu;
  if (param === null) return null;
  yield;
  return param.priv;
}

/** include/linux/iommu.h line 633: loads `dev->iommu` once, or twice, and what it points to. */
export function* dev_iommu_fwspec_get(dev: Device): Proc<IommuFwspec | null> {
  const param = dev.iommu;
  if (param === null) return null;
  yield;
  return param.fwspec;
}

/**
 * The IOMMU that has the device in its scope, as the tables of the IOMMU's own driver say (DMAR, IVRS). Null if there is none,
 * or, with the commit that `asks_whether_registered`, if it is not registered yet and leaves its devices to its own walk.
 */
export function registeredScope(dev: Device, asks_whether_registered: boolean): IommuDevice | null {
  const iommu = dev.scope;
  if (iommu === null || !asks_whether_registered) return iommu;
  const isRegistered = iommu.ops !== null;
  return isRegistered ? iommu : null;
}

/**
 * drivers/base/driver.c: the IOMMU that the device's fwspec names, if its own driver is bound to it. An IOMMU that is only
 * registering, in its driver's probe, is not on the driver's list yet; null then.
 */
export function driver_find_device_by_fwnode(dev: Device): IommuDevice | null {
  const iommu = dev.iommus!;
  return iommu.is_bound ? iommu : null;
}

/** bus_find_device_by_fwnode() and dev_get_drvdata(): an IOMMU that registers has its data. */
export function bus_find_device_by_fwnode(dev: Device): IommuDevice | null {
  const iommu = dev.iommus!;
  return iommu.ops === null ? null : iommu;
}

/** dev_iommu_priv_get() where it is one step with the use of it. */
export function privOf(dev: Device): DevIommuPriv {
  return dev.iommu!.priv!;
}

/** dev_iommu_priv_set() with a new object, which may say at once that the attach is deferred. */
export function* alloc_priv(dev: Device, attach_deferred = false): Proc<DevIommuPriv> {
  const param = dev.iommu!;
  const priv = kzalloc(linux, "dev_iommu_priv");
  priv.dev = dev;
  priv.attach_deferred = attach_deferred;
  yield;
  param.priv = priv;
  return priv;
}

/** dev_iommu_priv_set(dev, NULL) and kfree(). */
export function* free_priv(dev: Device, priv: DevIommuPriv): Proc {
  const param = dev.iommu!;
  yield;
  param.priv = null;
  kfree(priv);
}

/** Whether it is Intel's driver with its translation structures, which are kept for each requester id. */
export function knowsRequesterIds(driver: IommuOps["driver"]): boolean {
  return driver === "intel_legacy" || driver === "intel_scalable";
}

/** Whether it is Intel's driver, with its translation structures or without. */
export function isIntel(driver: IommuOps["driver"]): boolean {
  return driver === "intel_iommu" || knowsRequesterIds(driver);
}

export function alloc_domain(ops: IommuOps): IommuDomain {
  const domain = kzalloc(linux, "iommu_domain");
  domain.ops = ops;
  return domain;
}

/**
 * Takes the device off its domain's list, which touches the domain's memory, and blocks its DMA. Drivers do so under a lock of
 * the domain. The group's mutex is not held when a device is released before v6.4, nor when an attach was deferred.
 */
export function take_off_domain(dev: Device, priv: DevIommuPriv): void {
  WARN_ON(priv.domain!.ops === null, "the domain the device is on was never initialised");
  priv.domain = null;
  data_race(() => {
    dev.hw = null;
  });
}

/** Puts it on the list of `domain`, and lets the hardware translate with that. */
export function put_on_domain(domain: IommuDomain, dev: Device, priv: DevIommuPriv): void {
  priv.domain = domain;
  data_race(() => {
    dev.hw = domain;
  });
  domain.attached_before.add(dev);
}
