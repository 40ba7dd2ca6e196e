/** drivers/iommu/s390-iommu.c, as of v5.17. */
import { EINVAL, EIO, ENOMEM, type Errno, fault, type Proc } from "iommu-mc";
import type { Access, Device, DomainType, IommuDomain } from "../schema.js";
import { alloc_paging_domain, clear_page, container_of, free_domain, put_on_domain, set_translation, tell_iommus } from "./domain.js";

/** 5.10.223 line 54. No kind but domains of users: devices of the kernel have the DMA ops of the architecture. */
export function* s390_domain_alloc(type: DomainType): Proc<IommuDomain | null> {
  return type === "UNMANAGED" ? alloc_paging_domain(type) : null;
}

/** 5.10.223 line 78. */
export function* s390_domain_free(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  free_domain(domain);
}

/** 5.10.223 line 86. A failure leaves the device with the DMA ops of the architecture. */
export function* s390_iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  container_of(domain, "paging_domain");
  if (fault("kzalloc")) return -ENOMEM;
  if (fault("zpci_register_ioat")) return -EIO;
  put_on_domain(domain, dev);
  return 0;
}

/** 5.10.223 line 138. Gives the device back to the DMA ops of the architecture. */
export function* s390_iommu_detach_device(domain: IommuDomain, dev: Device): Proc {
  container_of(domain, "paging_domain");
  if (!domain.devices.has(dev)) return;
  domain.devices.delete(dev);
  set_translation(dev, null);
}

/** 5.10.223 line 257. A page that cannot be read is refused. The devices on the list are told. */
export function* s390_iommu_map(domain: IommuDomain, access: Access): Proc<Errno> {
  container_of(domain, "paging_domain");
  if (access === "write") return -EINVAL;
  domain.pte = access;
  tell_iommus(domain);
  return 0;
}

/** 5.10.223 line 306. */
export function* s390_iommu_unmap(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  const wasMapped = clear_page(domain);
  tell_iommus(domain);
  return wasMapped;
}

/** 5.10.223 line 275. */
export function* s390_iommu_iova_to_phys(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  return domain.pte !== "none";
}
