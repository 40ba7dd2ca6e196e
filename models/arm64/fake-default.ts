/** __IOMMU_DOMAIN_FAKE_DEFAULT: domains that arch/arm64/mm/dma-mapping.c makes for devices to which the core gives none. */
import { applied } from "iommu-mc";
import { iommu_domain_free } from "./iommu.js";
import { domain_alloc } from "./iommu-driver.js";
import type { Device, IommuDomain, IommuOps } from "./schema.js";

/** One for each device, unless all behind an IOMMU have one. */
export function get_fake_default(dev: Device, ops: IommuOps): IommuDomain | null {
  if (!applied("domain-per-smmu")) return alloc_fake_default(dev, ops);
  const smmu = dev.smmu!;
  if (smmu.default_domain === null) smmu.default_domain = alloc_fake_default(dev, ops);
  return smmu.default_domain;
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
export function put_fake_default(domain: IommuDomain, dev: Device): void {
  const isShared = dev.smmu !== null && dev.smmu.default_domain === domain;
  if (domain.is_fake_default && !isShared) iommu_domain_free(domain);
}
