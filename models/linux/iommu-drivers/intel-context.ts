/**
 * VT-d's translation structures: for each requester id an entry of the context table, for each device in scalable mode a PASID
 * table, and what the context cache has of entries that are gone. iommu.c and pasid.c of 6.1.176, 6.12.107 and 7.2.13.
 */
import { abstraction, applied, atomic, data_race, EBUSY, type Errno, type Proc } from "iommu-mc";
import { type DevIommuPriv, type Device, type IommuDomain, iommu_core, type RequesterId } from "../schema.js";
import { privOf } from "./hardware.js";
import { all_go_stale, flush_id, idOf } from "./iotlb.js";

abstraction(
  "a device behind a conventional bridge does DMA with the bridge's requester id, and may with its own: what the kernel is promised of a device is asked of both",
  "may cry wolf",
);
abstraction("a device that was released is gone: it does no DMA any more, though others use its requester id", "may miss a bug");
abstraction("an entry of the PASID cache is flushed in the step that changes the PASID table", "may miss a bug");
abstraction(
  "where requester ids are modelled there are no contexts copied from a crashed kernel, no RMRRs, no PASIDs but that of requests without, and no device TLBs",
  "may miss a bug",
);

/** Whether the IOMMU of the device is in scalable mode. */
export function sm_supported(dev: Device): boolean {
  return dev.scope!.ops!.driver === "intel_scalable";
}

function context_present(id: RequesterId): boolean {
  return id.domain !== null || id.pasid_table !== null;
}

function context_clear_entry(id: RequesterId): void {
  if (id.domain !== null) id.cached.add(id.domain);
  id.domain = null;
  id.did = null;
  id.pasid_table = null;
}

/** What requests with that id are translated by, as the tables say; null: they are blocked. */
function translationOf(id: RequesterId): IommuDomain | null {
  return id.pasid_table === null ? id.domain : id.pasid_table.domain;
}

/** Lets `dev.hw` of every device follow the tables. */
function follow_tables(): void {
  data_race(() => {
    for (const bus of iommu_core.buses) {
      for (const dev of bus.klist_devices) {
        const id = dev.requester_ids.at(dev.requester_ids.length - 1)!;
        const isKnown = dev.iommu !== null && dev.iommu.priv !== null;
        const domain = isKnown ? translationOf(id) : null;
        if (dev.hw !== domain) dev.hw = domain;
      }
    }
  });
}

/** 6.1.176 line 2151: whether all of the device's requester ids have an entry, that of the bridge above it too. */
export function domain_context_mapped(dev: Device): boolean {
  return dev.requester_ids.every(context_present);
}

/** 6.1.176 line 1954, 6.12.107 line 1653, 7.2.13 line 1158. An entry that is present is left as it is. */
function* domain_context_mapping_one(domain: IommuDomain, dev: Device, id: RequesterId): Proc {
  if (context_present(id)) return;
  if (sm_supported(dev)) id.pasid_table = privOf(dev).pasid_table;
  else {
    id.domain = domain;
    id.did = idOf(domain);
  }
}

/**
 * 6.1.176 line 2118, 7.2.13 line 1225. Since v6.9 the callback asks what the driver knows of the alias's owner, a bridge, for
 * its IOMMU.
 */
export function* domain_context_mapping(domain: IommuDomain, dev: Device): Proc {
  for (const id of dev.requester_ids) {
    if (applied("301f1a80487f")) privOf(id.owner!);
    yield* domain_context_mapping_one(domain, dev, id);
  }
  follow_tables();
}

/** 6.12.107 line 4606, 7.2.13 line 3844: the same for the static identity domain, whose id is reserved. */
export function* device_setup_pass_through(domain: IommuDomain, dev: Device): Proc {
  for (const id of dev.requester_ids) yield* domain_context_mapping_one(domain, dev, id);
  follow_tables();
}

/**
 * 6.1.176 line 2342, 6.12.107 line 1912, 7.2.13 line 1245. The entry is cleared whoever else uses the requester id. What is flushed of
 * the context cache is what has the id that intel_context_flush_no_pasid() is told: from f90584f4beb8 (v6.11) on that of the
 * device, though the entry may be an alias's.
 */
function* domain_context_clear_one(info: DevIommuPriv, id: RequesterId): Proc {
  const did = info.pasid_table === null ? id.did : idOf(info.domain!);
  if (context_present(id)) context_clear_entry(id);
  const flushesOwn = applied("f90584f4beb8") && !applied("context-flush-by-sid");
  const sid = flushesOwn ? info.dev!.requester_ids.at(0)! : id;
  sid.cached.clear();
  if (did !== null) flush_id(did);
}

/** 6.1.176 line 4123, 6.12.107 line 3395, 7.2.13 line 2727: for all of the device's requester ids, of which its siblings may use one. */
export function* domain_context_clear(info: DevIommuPriv): Proc {
  for (const id of info.dev!.requester_ids) yield* domain_context_clear_one(info, id);
  follow_tables();
}

/** pasid.c of 6.1.176 line 458, of 7.2.13 line 241: the entry for requests without PASID. */
export function* intel_pasid_tear_down_entry(dev: Device): Proc {
  const table = privOf(dev).pasid_table!;
  const did = table.did;
  table.domain = null;
  table.did = null;
  if (did !== null) flush_id(did);
  follow_tables();
}

/** pasid.c of 6.1.176 lines 514, 613 and 680: intel_pasid_setup_first_level(), _second_level() and _pass_through() are alike. */
export function intel_pasid_setup_entry(domain: IommuDomain, dev: Device): Errno {
  const table = privOf(dev).pasid_table!;
  if (table.domain !== null) return -EBUSY;
  table.domain = domain;
  table.did = domain.type === "IDENTITY" ? null : idOf(domain);
  follow_tables();
  return 0;
}

/**
 * pasid.c of 6.12.107 line 876, of 7.2.13 line 912, since 301f1a80487f (v6.9): the PASID table is entered for the requester ids that
 * pci_for_each_dma_alias() names the device itself with, which leaves out that of a bridge above it.
 */
export function* intel_pasid_setup_sm_context(dev: Device): Proc {
  atomic("a context entry is written under the IOMMU's lock");
  for (const id of dev.requester_ids) if (id.owner === dev && !context_present(id)) id.pasid_table = privOf(dev).pasid_table;
}

/** pasid.c of 6.12.107 line 735, of 7.2.13 line 769. */
export function* intel_pasid_teardown_sm_context(dev: Device): Proc {
  atomic("a context entry is written under the IOMMU's lock");
  for (const id of dev.requester_ids) if (id.owner === dev) context_clear_entry(id);
  follow_tables();
}

/** The domain is about to lose its id: what is still entered for it, or cached, may be loaded into the IOTLB at any time. */
export function load_into_iotlb(domain: IommuDomain): void {
  const did = idOf(domain);
  for (const bus of iommu_core.buses) {
    for (const dev of bus.klist_devices) {
      if (did !== null && dev.requester_ids.some((id) => translationOf(id) === domain || id.cached.has(domain))) all_go_stale(domain, did);
    }
  }
}
