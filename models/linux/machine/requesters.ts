/** What probing and attaching have left in the tables of Intel's driver, where these are modelled. */
import type { Make } from "iommu-mc";
import { INIT_LIST_HEAD, list_add } from "../lib/list-head.js";
import type { DevIommuPriv, Device, DomainId, IommuDomain, ListHead, linux } from "../schema.js";

export function makeListHead(make: Make<typeof linux>, name: string): ListHead {
  const head = make("list_head", name);
  INIT_LIST_HEAD(head);
  return head;
}

/**
 * The device is on the domain, as probing and attaching have left it in 6.1.176, or, if `of612`, in 6.12.107; null: it was probed only. There
 * probing has entered the PASID table for the device's own requester id, where in 6.1 attaching enters it for all of them,
 * and the identity domain has neither an id nor a list of its devices. Throws if the device has no requester id.
 */
export function enterTables(make: Make<typeof linux>, name: string, dev: Device, domain: IommuDomain | null, of612: boolean): void {
  const info = dev.iommu!.priv!;
  info.link = make("list_head", `${name}.link`);
  if (dev.scope!.ops!.driver === "intel_scalable") info.pasid_table = make("pasid_table", `pasid_table-${name}`);
  const did = domain === null || domain.iommu_array === null ? null : domain.iommu_array.did;
  if (domain !== null) attachAtStart(info, domain, did, of612 && domain.type === "IDENTITY");
  for (const id of dev.requester_ids) {
    if (id.domain !== null || id.pasid_table !== null) continue;
    if (info.pasid_table === null) {
      id.domain = domain;
      id.did = did;
    } else if (of612 ? id.owner === dev : domain !== null) id.pasid_table = info.pasid_table;
  }
  const arriving = dev.requester_ids.at(dev.requester_ids.length - 1);
  if (arriving === null)
    throw new Error(`${name} has no requester id, by which the tables of its IOMMU are; machines of boot.ts have them`);
  dev.hw = arriving.pasid_table === null ? arriving.domain : arriving.pasid_table.domain;
}

function attachAtStart(info: DevIommuPriv, domain: IommuDomain, did: DomainId | null, isStatic: boolean): void {
  info.domain_attached = true;
  if (!isStatic) domain.cache_tags++;
  if (isStatic) info.domain = null;
  else list_add(info.link!, domain.devices!);
  if (info.pasid_table === null) return;
  info.pasid_table.domain = domain;
  info.pasid_table.did = did;
}
