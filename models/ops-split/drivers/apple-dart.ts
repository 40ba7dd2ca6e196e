/** drivers/iommu/apple-dart.c of 6.1.176, which v5.17 has in the same form. */
import { ENODEV, ENOMEM, type Errno, fault, type Proc } from "iommu-mc";
import { type Access, type Device, type DomainType, driver_module, type IommuDomain } from "../schema.js";
import { alloc_paging_domain, clear_page, container_of, free_domain, put_on_domain, set_translation, tell_iommus } from "./domain.js";

/** 6.1.176 line 598. */
export function* apple_dart_domain_alloc(type: DomainType): Proc<IommuDomain | null> {
  return alloc_paging_domain(type);
}

/** 6.1.176 line 619. */
export function* apple_dart_domain_free(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  free_domain(domain);
}

/** 6.1.176 line 515. The page table comes with the first device; an identity domain needs none. */
export function* apple_dart_attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  container_of(domain, "paging_domain");
  if (domain.type !== "IDENTITY" && domain.pgtbl_ops === null) {
    if (fault("alloc_io_pgtable_ops")) return -ENOMEM;
    domain.pgtbl_ops = driver_module.stage1;
  }
  if (dev.domain !== null) dev.domain.devices.delete(dev);
  put_on_domain(domain, dev);
  return 0;
}

/** 6.1.176 line 557. Streams of a domain that translates are taken off it; DMA is off in any case. */
export function* apple_dart_detach_dev(domain: IommuDomain, dev: Device): Proc {
  container_of(domain, "paging_domain");
  set_translation(dev, null);
  domain.devices.delete(dev);
}

export function* apple_dart_map(domain: IommuDomain, access: Access): Proc<Errno> {
  container_of(domain, "paging_domain");
  if (domain.pgtbl_ops === null) return -ENODEV;
  domain.pte = access;
  return 0;
}

export function* apple_dart_unmap(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  if (domain.pgtbl_ops === null) return false;
  return clear_page(domain);
}

/** 6.1.176 line 352. The streams that the domain has; so do iotlb_sync() and iotlb_sync_map(). */
export function* apple_dart_flush_iotlb_all(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  tell_iommus(domain);
}

/** 6.1.176 line 369. */
export function* apple_dart_iova_to_phys(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  return domain.pte !== "none";
}
