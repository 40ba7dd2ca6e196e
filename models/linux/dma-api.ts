/** The DMA API of a bound driver, as far as page tables go: drivers/iommu/dma-iommu.c and kernel/dma/mapping.c of 6.1.176. */
import { abstraction } from "iommu-mc";
import { iommu_get_dma_domain } from "./iommu.js";
import type { Device, IommuDomain } from "./schema.js";

abstraction(
  "dma_ops always fit the group's default domain: setting them up in dma_configure and tearing them down are left out",
  "may miss a bug",
);
abstraction("a mapping for DMA that fails is one that is not made: it is no fault of its own", "neither");

/**
 * dma_map_page() through iommu_dma_map_page(): maps into the group's default domain, whatever domain the group
 * is on now. Returns the domain that has the mapping, or null where dma-direct is used (identity, no domain).
 */
export function dma_map_page(dev: Device): IommuDomain | null {
  return dma_domain(dev);
}

/** dmam_alloc_coherent(): the same, released with the other managed resources of the device. */
export function dmam_alloc_coherent(dev: Device): IommuDomain | null {
  return dma_domain(dev);
}

function dma_domain(dev: Device): IommuDomain | null {
  const domain = iommu_get_dma_domain(dev);
  return domain !== null && domain.type === "DMA" ? domain : null;
}
