/** What the drivers have in common: their domains, and what the hardware makes of them. */
import { applied, fault, kfree, kzalloc, observe } from "iommu-mc";
import {
  type Access,
  type Device,
  type DomainType,
  driver_module,
  type IommuDevice,
  type IommuDomain,
  type OpsTable,
  opsSplit,
} from "../schema.js";

/** Allocates a driver's structure with a page table. Which table of callbacks it has is the design's business. */
export function alloc_paging_domain(type: DomainType): IommuDomain | null {
  if (fault("domain_alloc")) return null;
  const domain = kzalloc(opsSplit, "iommu_domain");
  domain.embedded_in = "paging_domain";
  domain.ops = tableAtAlloc(type);
  return domain;
}

/** A domain for the address space of a process, in the structure that the driver has for it. */
export function alloc_sva_domain(structure: IommuDomain["embedded_in"]): IommuDomain | null {
  if (!applied("sva-domains") || fault("domain_alloc")) return null;
  const domain = kzalloc(opsSplit, "iommu_domain");
  domain.embedded_in = structure;
  if (applied("sva-table")) domain.ops = driver_module.sva_ops;
  return domain;
}

/** What domain_alloc() leaves in `domain->ops`. */
export function tableAtAlloc(type: DomainType): OpsTable | null {
  if (applied("tables-by-kind")) return tableOfKind(type);
  if (applied("bare-until-format")) return type === "IDENTITY" ? null : driver_module.bare_ops;
  return applied("ops-as-posted") || applied("alloc-from-device") ? driver_module.domain_ops : null;
}

/** With a table for each kind: null if the driver has no such kind. */
export function tableOfKind(type: DomainType): OpsTable | null {
  if (type === "IDENTITY") return driver_module.identity_ops;
  return type === "DMA_FQ" ? driver_module.fq_ops : driver_module.domain_ops;
}

/** container_of(domain, struct ..., domain): right only for what the domain is embedded in. */
export function container_of(domain: IommuDomain, structure: IommuDomain["embedded_in"]): void {
  if (domain.embedded_in !== structure) driver_module.has_misread = true;
}

/** Programs the IOMMU: from now on it translates the device with that domain. */
export function set_translation(dev: Device, domain: IommuDomain | null): void {
  dev.domain = domain;
  observe("translates", dev, domain);
}

/** Tells an IOMMU something. */
export function queue_request(iommu: IommuDevice): void {
  iommu.has_queued = true;
}

/** Tells the IOMMUs of the devices that are on the domain. */
export function tell_iommus(domain: IommuDomain): void {
  for (const dev of domain.devices) queue_request(dev.iommu!);
}

export function free_domain(domain: IommuDomain): void {
  kfree(domain);
}

/** Tables that cannot say `write` without `read`. */
export function readable(access: Access): Access {
  return access === "write" ? "read_write" : access;
}

/** Puts the device on the domain's list, and lets its IOMMU translate with that. */
export function put_on_domain(domain: IommuDomain, dev: Device): void {
  domain.devices.add(dev);
  set_translation(dev, domain);
}

/** Takes the device off the domain that it is on, and blocks its DMA. */
export function take_off_domain(dev: Device): void {
  dev.domain!.devices.delete(dev);
  set_translation(dev, null);
}

/** Clears the page table's entry for the one page, and tells whether there was any. */
export function clear_page(domain: IommuDomain): boolean {
  const wasMapped = domain.pte !== "none";
  domain.pte = "none";
  return wasMapped;
}
