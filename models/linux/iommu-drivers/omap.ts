/**
 * drivers/iommu/omap-iommu.c of 6.1.176, on 32-bit ARM. Has `detach_dev` and no default domains; finds a device's IOMMU by the
 * device tree, without an fwspec.
 */
import { abstraction, applied, EINVAL, ENODEV, ENOMEM, type Errno, fault, kfree, type Proc } from "iommu-mc";
import type { Device, DomainType, IommuDevice, IommuDomain, IommuOps } from "../schema.js";
import type { Driver } from "./driver.js";
import { alloc_domain, alloc_priv, dev_iommu_priv_get, free_priv, privOf, put_on_domain, take_off_domain } from "./hardware.js";

abstraction("devices behind an OMAP IOMMU have groups of their own, not that of their IOMMU", "may miss a bug");
abstraction("a domain of an OMAP IOMMU is not refused because another device is attached to it", "may miss a bug");

/** Line 1567. */
function omap_iommu_domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type !== "UNMANAGED" || fault("domain_alloc")) return null;
  return alloc_domain(ops);
}

/** Line 1598. */
function omap_iommu_domain_free(domain: IommuDomain): void {
  kfree(domain);
}

/** Line 1640. Before 71ff461c3f41 (v5.18) a device without an IOMMU got NULL, which is no error, instead of -ENODEV. */
function* omap_iommu_probe_device(_ops: IommuOps, dev: Device): Proc<IommuDevice | Errno | null> {
  const oiommu = dev.scope;
  if (oiommu === null) return applied("71ff461c3f41") ? -ENODEV : null;
  yield;
  if (fault("probe_device")) return -ENOMEM;
  yield* alloc_priv(dev);
  return oiommu;
}

/** Line 1709. */
function* omap_iommu_release_device(dev: Device): Proc {
  const arch_data = yield* dev_iommu_priv_get(dev);
  if (arch_data === null) return;
  yield;
  yield* free_priv(dev, arch_data);
}

/** Line 1455. */
function omap_iommu_attach_dev(domain: IommuDomain, dev: Device): Errno {
  if (fault("attach_dev", !domain.attached_before.has(dev))) return -EINVAL;
  put_on_domain(domain, dev, privOf(dev));
  return 0;
}

/** Line 1556. */
function omap_iommu_detach_dev(dev: Device): void {
  const arch_data = privOf(dev);
  if (arch_data.domain !== null) take_off_domain(dev, arch_data);
}

/** Line 1735. */
export const omap_iommu_ops: Driver = {
  domain_alloc: omap_iommu_domain_alloc,
  probe_device: omap_iommu_probe_device,
  release_device: omap_iommu_release_device,
  attach_dev: omap_iommu_attach_dev,
  detach_dev: omap_iommu_detach_dev,
  free: omap_iommu_domain_free,
};
