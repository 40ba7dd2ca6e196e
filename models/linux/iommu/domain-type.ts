import type { IommuDomain } from "../schema.js";

/** include/linux/iommu.h: `type & __IOMMU_DOMAIN_DMA_API`, IOMMU_DOMAIN_DMA and IOMMU_DOMAIN_DMA_FQ. */
export function iommu_is_dma_domain(domain: IommuDomain): boolean {
  const { type } = domain;
  return type === "DMA" || type === "DMA_FQ";
}
