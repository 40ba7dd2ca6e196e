/** drivers/iommu/virtio-iommu.c, as of v5.17. */
import { abstraction, applied, EINVAL, ENOMEM, type Errno, fault, type Proc } from "iommu-mc";
import { type Access, type Device, type DomainType, driver_module, type IommuDomain, opsSplit } from "../schema.js";
import { alloc_paging_domain, clear_page, container_of, free_domain, put_on_domain, queue_request, set_translation } from "./domain.js";

abstraction(
  "ops of two kinds for the endpoints of one virtio-iommu, those that are told of mappings and those that walk a page table, are as the thread imagines them: no kernel has the latter",
  "neither",
  opsSplit,
);
abstraction("a virtio-iommu refuses no request but an attach", "may miss a bug", opsSplit);

/** 5.10.223 line 586. With `alloc-from-device` the ops are those of the endpoint. */
export function* viommu_domain_alloc(type: DomainType, dev: Device | null): Proc<IommuDomain | null> {
  if (type !== "DMA" && type !== "UNMANAGED") return null;
  const domain = alloc_paging_domain(type);
  if (domain !== null && applied("alloc-from-device")) domain.ops = dev!.emulated ? driver_module.emulated_ops : driver_module.physical_ops;
  return domain;
}

/** 5.10.223 line 642. */
export function* viommu_domain_free(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  free_domain(domain);
}

/** 5.10.223 line 657. The first device makes the domain its IOMMU's; what was mapped before is told then. */
export function* viommu_attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (applied("ops-at-attach")) return yield* viommu_attach_either(domain, dev);
  container_of(domain, "paging_domain");
  if (domain.iommu === null) domain.iommu = dev.iommu;
  else if (domain.iommu !== dev.iommu) return -EINVAL;
  leave_domain(dev);
  if (fault("VIRTIO_IOMMU_T_ATTACH")) return -ENOMEM;
  if (domain.devices.size === 0) domain.sent = domain.pte;
  put_on_domain(domain, dev);
  return 0;
}

/** An IOMMU forgets the mappings of a domain that nothing is attached to any more. */
function leave_domain(dev: Device): void {
  const old = dev.domain;
  if (old === null) return;
  old.devices.delete(dev);
  if (old.devices.size === 0) old.sent = "none";
}

/** 5.10.223 line 726. What is mapped is kept in a tree, here `pte`, and told if there is a device. */
export function* viommu_map(domain: IommuDomain, access: Access): Proc<Errno> {
  container_of(domain, "paging_domain");
  domain.pte = access;
  if (domain.devices.size > 0) domain.sent = access;
  return 0;
}

/** 5.10.223 line 764. */
export function* viommu_unmap(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  const wasMapped = clear_page(domain);
  domain.sent = "none";
  return wasMapped;
}

/** 5.10.223 line 791. */
export function* viommu_iova_to_phys(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  return domain.pte !== "none";
}

/** 5.10.223 line 811, with viommu_sync_req(), which locks the queue of the domain's IOMMU, if it has one or not. */
export function* viommu_iotlb_sync(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  queue_request(domain.iommu!);
}

/**
 * attach_dev() of a driver with ops of two kinds. Where they are set at attach, they become those of the endpoint, and what
 * is mapped is told, or written to the page table, as viommu_replay_mappings() does. Where domain_alloc() has set them, the
 * domain does for endpoints of its kind only.
 */
export function* viommu_attach_either(domain: IommuDomain, dev: Device): Proc<Errno> {
  container_of(domain, "paging_domain");
  const ops = dev.emulated ? driver_module.emulated_ops : driver_module.physical_ops;
  if (applied("alloc-from-device") && domain.ops !== ops) return -EINVAL;
  if (dev.domain !== null) dev.domain.devices.delete(dev);
  if (fault("VIRTIO_IOMMU_T_ATTACH")) return -ENOMEM;
  if (applied("ops-at-attach")) domain.ops = ops;
  if (dev.emulated && domain.pte !== "none") domain.sent = domain.pte;
  if (!dev.emulated && domain.sent !== "none") domain.pte = domain.sent;
  put_on_domain(domain, dev);
  return 0;
}

export function* viommu_detach_either(domain: IommuDomain, dev: Device): Proc {
  container_of(domain, "paging_domain");
  domain.devices.delete(dev);
  set_translation(dev, null);
}

export function* viommu_map_emulated(domain: IommuDomain, access: Access): Proc<Errno> {
  container_of(domain, "paging_domain");
  domain.sent = access;
  return 0;
}

export function* viommu_unmap_emulated(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  const wasMapped = domain.sent !== "none";
  domain.sent = "none";
  return wasMapped;
}

export function* viommu_map_physical(domain: IommuDomain, access: Access): Proc<Errno> {
  container_of(domain, "paging_domain");
  domain.pte = access;
  return 0;
}

export function* viommu_unmap_physical(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  return clear_page(domain);
}

export function* viommu_iova_to_phys_either(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  return domain.pte !== "none" || domain.sent !== "none";
}
