/** drivers/iommu/amd/iommu.c, as of v5.17. */
import { applied, EINVAL, ENOMEM, type Errno, fault, type Proc } from "iommu-mc";
import type { Access, Device, DomainType, IommuDomain } from "../schema.js";
import {
  alloc_paging_domain,
  alloc_sva_domain,
  clear_page,
  container_of,
  free_domain,
  put_on_domain,
  take_off_domain,
  tell_iommus,
} from "./domain.js";

/**
 * 5.10.223 line 2470. An identity domain is one without a page table (PAGE_MODE_NONE). The domain of a process is the same structure
 * (pasid.c, 6.12.107 line 179).
 */
export function* amd_iommu_domain_alloc(type: DomainType): Proc<IommuDomain | null> {
  if (type === "SVA") return alloc_sva_domain("paging_domain");
  const domain = alloc_paging_domain(type);
  if (domain !== null && type !== "IDENTITY") domain.format = "own";
  return domain;
}

/** 5.10.223 line 2498. With cleanup_domain(), which takes off it what is still on it. */
export function* amd_iommu_domain_free(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  for (const dev of domain.devices) take_off_domain(dev);
  free_domain(domain);
}

/** 5.10.223 line 2551: the attach is not deferred any more, even if it fails. */
export function* amd_iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (applied("attach-by-kind") && domain.type === "SVA") return yield* iommu_sva_set_dev_pasid(domain, dev);
  container_of(domain, "paging_domain");
  dev.defer_attach = false;
  if (dev.domain !== null) take_off_domain(dev);
  if (fault("attach_device")) return -ENOMEM;
  put_on_domain(domain, dev);
  return 0;
}

/** pasid.c, 6.12.107 line 102. */
export function* iommu_sva_set_dev_pasid(domain: IommuDomain, dev: Device): Proc<Errno> {
  container_of(domain, "paging_domain");
  dev.pasid_domain = domain;
  return 0;
}

/** 5.10.223 line 2521. The domain is asked whether it is a virtual machine's (use_vapic). */
export function* amd_iommu_detach_device(domain: IommuDomain, dev: Device): Proc {
  if (dev.domain !== null) take_off_domain(dev);
  if (domain.type === "UNMANAGED") container_of(domain, "paging_domain");
}

/** 5.10.223 line 2588. */
export function* amd_iommu_map(domain: IommuDomain, access: Access): Proc<Errno> {
  container_of(domain, "paging_domain");
  if (domain.format === "none") return -EINVAL;
  domain.pte = access;
  return 0;
}

/** 5.10.223 line 2613. */
export function* amd_iommu_unmap(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  if (domain.format === "none") return false;
  return clear_page(domain);
}

/** 5.10.223 line 2727. domain_flush_tlb_pde(): the IOMMUs that the domain has devices at, and the devices that cache translations. */
export function* amd_iommu_flush_iotlb_all(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  tell_iommus(domain);
}

/** 5.10.223 line 2627. */
export function* amd_iommu_iova_to_phys(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  return domain.format === "none" || domain.pte !== "none";
}

/** 5.10.223 line 2718. */
export function* amd_iommu_is_attach_deferred(_domain: IommuDomain | null, dev: Device): Proc<boolean> {
  return dev.defer_attach;
}
