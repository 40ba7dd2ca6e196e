/**
 * drivers/iommu/s390-iommu.c of 6.1.176. Has `detach_dev` and no default domains, nor a BLOCKED one: a device that is on none
 * belongs to s390's own DMA API.
 */
import { abstraction, applied, atomic, EIO, ENODEV, type Errno, fault, kfree, kzalloc, type Proc, WARN_ON } from "iommu-mc";
import {
  type Device,
  type DomainType,
  type IommuDevice,
  type IommuDomain,
  type IommuOps,
  linux,
  type S390DomainDevice,
} from "../schema.js";
import type { Driver } from "./driver.js";
import { alloc_domain, alloc_priv, free_priv, privOf, put_on_domain, take_off_domain } from "./hardware.js";

abstraction("s390's own DMA API is left out: a device that is on no domain counts as blocked", "may miss a bug");
abstraction("what s390 keeps of a device in struct zpci_dev, which outlives the driver's probe, is allocated with it", "may miss a bug");

/** Line 54. */
function s390_domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type !== "UNMANAGED" || fault("domain_alloc")) return null;
  return alloc_domain(ops);
}

/** Line 78. Since bf8d2dd2ed08 (v6.2) it warns of devices that are on the domain's list. */
function s390_domain_free(domain: IommuDomain): void {
  if (applied("bf8d2dd2ed08")) WARN_ON(!domain.s390_devices.every(() => false), "a domain with devices on its list is freed");
  kfree(domain);
}

/** Line 181. */
function* s390_iommu_probe_device(_ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const iommu = dev.scope;
  if (iommu === null) return -ENODEV;
  yield;
  yield* alloc_priv(dev);
  return iommu;
}

/** Line 193; until bf8d2dd2ed08 from the domain that the core says it is on. */
function* s390_iommu_release_device(dev: Device): Proc {
  const zdev = privOf(dev);
  yield;
  atomic("taking one device off its domain is one step");
  if (applied("bf8d2dd2ed08")) leave(dev);
  else if (zdev.domain !== null && dev.iommu_group !== null) {
    const domain = dev.iommu_group.domain;
    if (domain !== null) s390_iommu_detach_device(dev, domain);
  }
  yield;
  yield* free_priv(dev, zdev);
}

/**
 * Line 112. The device goes onto the list of its new domain; until bf8d2dd2ed08 (v6.2) it stayed on that of the old one too. Until
 * fa7e9ecc5e1c (v5.19) whatever it was on was taken for the DMA API's table, and freed as such (5.10.223 line 86).
 */
function s390_iommu_attach_device(domain: IommuDomain, dev: Device): Errno {
  const domain_device = kzalloc(linux, "s390_domain_device");
  domain_device.dev = dev;
  if (applied("bf8d2dd2ed08")) leave(dev);
  else if (!applied("fa7e9ecc5e1c"))
    WARN_ON(privOf(dev).domain !== null, "the table of a domain is taken for that of the DMA API, and freed");
  const failed = fault("attach_dev", !domain.attached_before.has(dev));
  if (failed) {
    kfree(domain_device);
    return -EIO;
  }
  domain.s390_devices.add(domain_device);
  put_on_domain(domain, dev, privOf(dev));
  return 0;
}

/** Line 170; until bf8d2dd2ed08 from the list of the domain that is named, and off the hardware if it is on that. */
function s390_iommu_detach_device(dev: Device, domain: IommuDomain): void {
  if (applied("bf8d2dd2ed08")) {
    WARN_ON(privOf(dev).domain !== domain, "a device is detached from a domain that it is not on");
    leave(dev);
    return;
  }
  const isFound = forget(domain, dev);
  const isOnIt = privOf(dev).domain === domain;
  if (isFound && (isOnIt || !applied("fa7e9ecc5e1c")) && privOf(dev).domain !== null) take_off_domain(dev, privOf(dev));
}

/** Line 87, __s390_iommu_detach_device(). */
function leave(dev: Device): void {
  const domain = privOf(dev).domain;
  if (domain === null) return;
  forget(domain, dev);
  take_off_domain(dev, privOf(dev));
}

/** Takes the first entry of the device off the domain's list; tells whether there was one. */
function forget(domain: IommuDomain, dev: Device): boolean {
  let first: S390DomainDevice | null = null;
  for (const domain_device of domain.s390_devices) if (first === null && domain_device.dev === dev) first = domain_device;
  if (first === null) return false;
  domain.s390_devices.delete(first);
  kfree(first);
  return true;
}

/** Line 361. */
export const s390_iommu_ops: Driver = {
  domain_alloc: s390_domain_alloc,
  probe_device: s390_iommu_probe_device,
  release_device: s390_iommu_release_device,
  attach_dev: s390_iommu_attach_device,
  detach_dev: s390_iommu_detach_device,
  free: s390_domain_free,
};
