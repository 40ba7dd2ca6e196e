/** What is claimed of tables of callbacks: that each op is called on what it is for, and that a table stays what it is. */
import { type Errno, isFreed, property, windows } from "iommu-mc";
import { type Device, type IommuDomain, opsSplit, reach } from "../models/ops-split/schema.js";

const { always, atRest, onReturn, sometimes } = windows(opsSplit);

export const D1 = property({
  code: "D1",
  sentence: "container_of() is done only to the structure that a domain is embedded in.",
  source:
    "drivers have a structure for each kind of domain, and an op in the domain's table so that it can container_of() without a test (seen of the split in review)",
  seenRedBy: "ops-merged with sva-domains (the domain of a process is freed as one with a page table)",
  window: always("driver_module", (module) => !module.has_misread),
});

export const D2 = property({
  code: "D2",
  sentence: "After an unmap no device that is on the domain can reach the page.",
  source: "iommu_unmap(); iommu_iotlb_sync()",
  seenRedBy: "ops-at-attach (a second device changes the ops under a mapping)",
  window: onReturn<[IommuDomain], boolean>("iommu_unmap", ([domain], _, state) => {
    if (domain.type === "IDENTITY") return null;
    return state.all("device").every((dev) => dev.domain !== domain || reach(dev) === "none");
  }),
});

export const D3 = property({
  code: "D3",
  sentence: "What is mapped in a domain was mapped by the table that it has.",
  source: "the way a driver implements a domain should not change once it is allocated (review of the split)",
  seenRedBy: "ops-at-attach (a second device changes the ops under a mapping)",
  window: always("iommu_domain", (domain) => (domain.wanted ? domain.ops === domain.mapped_by : null)),
});

export const D4 = property({
  code: "D4",
  sentence: "A domain that has a default table has the op to map exactly if its type is one that maps.",
  source: "iommu_map() tests both; review of the split",
  seenRedBy: "ops-merged (an identity domain has the one table that there is)",
  window: always("iommu_domain", (domain) => {
    if (domain.ops === null) return null;
    return domain.ops.can_map === (domain.type !== "IDENTITY" && domain.type !== "SVA");
  }),
});

export const D5 = property({
  code: "D5",
  sentence: "With the group's mutex free, its default domain has a flush queue exactly if its table is that of such domains.",
  source: "a domain's type is better a part of its ops (review of the split)",
  seenRedBy: "ops-by-kind (DMA-FQ is written to the type file)",
  window: atRest("device", "group_mutex", ({ default_domain }) => {
    if (default_domain === null || default_domain.ops === null) return null;
    return default_domain.has_fq === (default_domain.ops.role === "fq_ops");
  }),
});

export const D6 = property({
  code: "D6",
  sentence: "apply_resv_region() is called only for a device that is on the domain.",
  source: "the device is said to select one that is attached already (review of the split)",
  seenRedBy: "ops-5.10 (the walk of a bus maps what the firmware needs before it attaches)",
  window: onReturn<[unknown, Device | null, IommuDomain | null], void>("apply_resv_region", ([, dev, domain]) =>
    dev === null ? null : dev.domain === domain,
  ),
});

export const D7 = property({
  code: "D7",
  sentence: "No driver is asked to enable nesting.",
  source: "enable_nesting was taken for dead code (review of the split)",
  seenRedBy: "ops-5.17 (a process sets VFIO_TYPE1_NESTING_IOMMU)",
  window: onReturn<[unknown, IommuDomain], Errno>("enable_nesting", () => false),
});

export const D8 = property({
  code: "D8",
  sentence: "A mapping of the DMA API is given only for a device that is on its default domain.",
  source: "iommu_deferred_attach() comes before the mapping",
  seenRedBy: "ops-5.17 (AMD's driver forgets that an attach was deferred when it fails)",
  window: onReturn<[Device], Errno>("iommu_dma_map_page", ([dev], ret) => (ret !== 0 ? null : dev.domain === dev.default_domain)),
});

export const D9 = property({
  code: "D9",
  sentence: "To bind a process does not put a device's other DMA on its address space.",
  source: "an attach for SVA is rather different code (review of the split); 16603704559c",
  seenRedBy: "ops-merged with one-attach (attach_dev without a case for the kind)",
  window: onReturn<[Device], IommuDomain | null>("iommu_sva_bind_device", ([dev], domain) =>
    domain === null ? null : dev.domain !== domain,
  ),
});

export const D10 = property({
  code: "D10",
  sentence: "What domain_alloc() returns can be attached, mapped into and freed: it has a table.",
  source: "domain_alloc returns the domain that is right (review of the split)",
  seenRedBy: "ops-at-attach (there is none before the first attach)",
  window: onReturn<[unknown], IommuDomain | null>("__iommu_domain_alloc", (_, domain) => (domain === null ? null : domain.ops !== null)),
});

export const bothMapped = property({
  code: "W-both-on",
  sentence: "Two devices are on one domain in which something is mapped.",
  source: "witness",
  seenRedBy: "mutant: attach_dev refuses a device of the other kind",
  window: sometimes("iommu_domain", (domain) => !isFreed(domain) && domain.wanted && domain.devices.size === 2),
});
