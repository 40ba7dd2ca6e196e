/** __IOMMU_DOMAIN_FAKE_DEFAULT: domains that arch/arm64/mm/dma-mapping.c makes for devices to which the core gives none. */
import { applied } from "iommu-mc";
import { iommu_domain_free } from "./iommu.js";
import { domain_alloc } from "./iommu-driver.js";
import type { Device, IommuDomain, IommuOps, Smmu } from "./schema.js";

/** One for each device, unless one is shared. */
export function get_fake_default(dev: Device, ops: IommuOps): IommuDomain | null {
  const sharer = sharerOf(dev, ops);
  if (sharer === null) return alloc_fake_default(dev, ops);
  if (sharer.default_domain === null) sharer.default_domain = alloc_fake_default(dev, ops);
  return sharer.default_domain;
}

/** Who has the domain that the device is to share. */
function sharerOf(dev: Device, ops: IommuOps): Smmu | IommuOps | null {
  if (applied("domain-per-smmu")) return dev.smmu;
  return applied("domain-per-kind") ? ops : null;
}

/** The device's own IOMMU is asked, since that of the bus may be of another kind. */
function alloc_fake_default(dev: Device, ops: IommuOps): IommuDomain | null {
  const from = applied("domain-of-bus") ? dev.bus!.iommu_ops : ops;
  const domain = from === null ? null : domain_alloc(from, "DMA");
  if (domain === null) return null;
  domain.ops = from;
  domain.is_fake_default = true;
  return domain;
}

/** Nothing of what the core has made, nor of what other devices use. */
export function put_fake_default(domain: IommuDomain): void {
  const isShared = applied("domain-per-smmu") || applied("domain-per-kind");
  if (domain.is_fake_default && !isShared) iommu_domain_free(domain);
}
