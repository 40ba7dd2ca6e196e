/** drivers/iommu/exynos-iommu.c, as of v5.17. */
import type { Errno, Proc } from "iommu-mc";
import type { Access, Device, DomainType, IommuDomain } from "../schema.js";
import {
  alloc_paging_domain,
  clear_page,
  container_of,
  free_domain,
  put_on_domain,
  readable,
  take_off_domain,
  tell_iommus,
} from "./domain.js";

/** 5.10.223 line 737. */
export function* exynos_iommu_domain_alloc(type: DomainType): Proc<IommuDomain | null> {
  return type === "DMA" || type === "UNMANAGED" ? alloc_paging_domain(type) : null;
}

/** 5.10.223 line 798. Takes off the IOMMUs that still use the page table. */
export function* exynos_iommu_domain_free(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  for (const dev of domain.devices) take_off_domain(dev);
  free_domain(domain);
}

/** 5.10.223 line 879. Cannot fail for a device that has an IOMMU. */
export function* exynos_iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  container_of(domain, "paging_domain");
  if (dev.domain !== null) take_off_domain(dev);
  put_on_domain(domain, dev);
  return 0;
}

/** 5.10.223 line 841. Only if it is this domain that the device is on. */
export function* exynos_iommu_detach_device(domain: IommuDomain, dev: Device): Proc {
  if (dev.domain === domain) take_off_domain(dev);
}

/** 5.10.223 line 1078. Pages are read-only or not. The IOMMUs on the list are told, since there is no op to flush. */
export function* exynos_iommu_map(domain: IommuDomain, access: Access): Proc<Errno> {
  container_of(domain, "paging_domain");
  domain.pte = readable(access);
  tell_iommus(domain);
  return 0;
}

/** 5.10.223 line 1134. */
export function* exynos_iommu_unmap(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  const wasMapped = clear_page(domain);
  tell_iommus(domain);
  return wasMapped;
}

/** 5.10.223 line 1214. */
export function* exynos_iommu_iova_to_phys(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  return domain.pte !== "none";
}
