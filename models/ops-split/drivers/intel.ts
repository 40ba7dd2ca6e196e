/** drivers/iommu/intel/iommu.c, as of v5.17. */
import { applied, ENODEV, ENOMEM, EPERM, type Errno, fault, type Proc } from "iommu-mc";
import { type Access, type Device, type DomainType, driver_module, type IommuDomain } from "../schema.js";
import {
  alloc_paging_domain,
  alloc_sva_domain,
  clear_page,
  container_of,
  free_domain,
  put_on_domain,
  readable,
  tableAtAlloc,
  take_off_domain,
  tell_iommus,
} from "./domain.js";

/**
 * 5.10.223 line 5220: there is one identity domain for all, to which the split as posted gives its table in
 * si_domain_init(), here when it is first asked for.
 */
export function* intel_iommu_domain_alloc(type: DomainType): Proc<IommuDomain | null> {
  // intel_svm_domain_alloc() of v6.2.
  if (type === "SVA") return alloc_sva_domain("sva_domain");
  if (type === "IDENTITY") {
    const si_domain = driver_module.si_domain!;
    if (si_domain.ops === null && !applied("si-domain-forgotten")) si_domain.ops = tableAtAlloc(type);
    return si_domain;
  }
  const domain = alloc_paging_domain(type);
  if (domain !== null) domain.format = driver_module.has_first_level ? "first_level" : "second_level";
  return domain;
}

/** 5.10.223 line 5258. The identity domain stays. */
export function* intel_iommu_domain_free(domain: IommuDomain): Proc {
  if (domain === driver_module.si_domain) return;
  container_of(domain, "paging_domain");
  free_domain(domain);
}

/**
 * 5.10.223 line 5435, with dmar_insert_one_dev_info(): no memory leaves DEFER_DEVICE_DOMAIN_INFO where it is, no
 * PASID table does not.
 */
export function* intel_iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (applied("attach-by-kind") && domain.type === "SVA") return yield* intel_svm_set_dev_pasid(domain, dev);
  container_of(domain, "paging_domain");
  if (dev.domain !== null) take_off_domain(dev);
  if (fault("alloc_devinfo_mem")) return -ENOMEM;
  dev.defer_attach = false;
  if (fault("intel_pasid_alloc_table")) return -ENOMEM;
  put_on_domain(domain, dev);
  return 0;
}

/** 5.10.223 line 5480, with dmar_remove_one_dev_info(): whatever the device is on. */
export function* intel_iommu_detach_device(_domain: IommuDomain, dev: Device): Proc {
  if (dev.domain !== null) take_off_domain(dev);
}

/** 5.10.223 line 5465. A domain of which the device's IOMMU has the RID is refused. */
export function* intel_iommu_aux_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (domain.devices.has(dev)) return -EPERM;
  container_of(domain, "paging_domain");
  dev.pasid_domain = domain;
  return 0;
}

/** intel_svm_set_dev_pasid() of v6.2. */
export function* intel_svm_set_dev_pasid(domain: IommuDomain, dev: Device): Proc<Errno> {
  container_of(domain, "sva_domain");
  dev.pasid_domain = domain;
  return 0;
}

/** intel_svm_domain_free() of v6.2. */
export function* intel_svm_domain_free(domain: IommuDomain): Proc {
  container_of(domain, "sva_domain");
  free_domain(domain);
}

/** 5.10.223 line 5671. With __domain_mapping(): an entry that is present can be read, in second-level tables since eea53c581688 (v5.13). */
export function* intel_iommu_map(domain: IommuDomain, access: Access): Proc<Errno> {
  container_of(domain, "paging_domain");
  domain.pte = domain.format === "first_level" || applied("eea53c581688") ? readable(access) : access;
  return 0;
}

/** 5.10.223 line 5709. */
export function* intel_iommu_unmap(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  return clear_page(domain);
}

/** 6.1.176 line 1617. Walks the IOMMUs of the domain, that is those of its devices; so does intel_iommu_tlb_sync(). */
export function* intel_flush_iotlb_all(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  tell_iommus(domain);
}

/** 5.10.223 line 5745. The identity domain has a page table that maps everything. */
export function* intel_iommu_iova_to_phys(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  return domain === driver_module.si_domain || domain.pte !== "none";
}

/**
 * intel_iommu_domain_set_attr() (5.10.223 line 6145), an op of its own from v5.13 to v5.17. Only before a device is attached; then the
 * page table is a second-level one.
 */
export function* intel_iommu_enable_nesting(domain: IommuDomain): Proc<Errno> {
  container_of(domain, "paging_domain");
  if (applied("nesting-in-name-only")) return 0;
  if (!driver_module.can_nest || domain.devices.size > 0) return -ENODEV;
  domain.nesting = true;
  domain.format = "second_level";
  return 0;
}

/** 5.10.223 line 6138; since 586081d3f6b1 (v5.18) a device whose IOMMU translated in the crashed kernel and that is on no domain. */
export function* intel_iommu_is_attach_deferred(domain: IommuDomain | null, dev: Device): Proc<boolean> {
  if (applied("deferred-by-domain") && domain !== null && domain.type !== "DMA") return false;
  if (applied("586081d3f6b1")) return driver_module.is_kdump && dev.domain === null;
  return dev.defer_attach;
}

/** 5.10.223 line 5974, gone in v5.11. */
export function* intel_iommu_apply_resv_region(_dev: Device | null, domain: IommuDomain | null): Proc {
  reserve_iova(domain);
}

/** Reserves the firmware's page in the domain's IOVAs. */
export function reserve_iova(domain: IommuDomain | null): void {
  if (domain === null) return;
  container_of(domain, "paging_domain");
  domain.iova_reserved = true;
}
