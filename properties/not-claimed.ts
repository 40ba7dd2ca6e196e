/**
 * What kernel developers claim and no property here asks, with the reason: the end of docs/properties.md. An entry whose code
 * a property has by now is left out there, and may be deleted here.
 */

/** A claim of the catalogue that is no property. */
export interface NotClaimed {
  readonly code: string;
  readonly claim: string;
  /** Where kernel developers say so. */
  readonly source: string;
  readonly reason: string;
}

const notYet = "no suite asks it yet";

const notIn61 = (what: string) => `not in 6.1: ${what}`;

export const notClaimed: readonly NotClaimed[] = [
  {
    code: "C2",
    claim: "During a change of domain a device reaches memory through the old or the new domain, or none.",
    source: "__iommu_group_set_domain_internal()",
    reason: "in the models a device is on one domain at every step: it could not fail",
  },
  {
    code: "C6",
    claim: "An operation is called only for the types of domain that have it.",
    source: "__iommu_map(), __iommu_unmap(), iommu_iova_to_phys()",
    reason: notYet,
  },
  {
    code: "C7",
    claim: "Devices of a group do not ask for types that exclude each other; an untrusted device gets DMA, or no probe.",
    source: "iommu_get_def_domain_type()",
    reason: notYet,
  },
  {
    code: "C8",
    claim: "The first attach of a default domain does not fail; if it does, only release of the device recovers.",
    source: "iommu_setup_default_domain()",
    reason: notYet,
  },
  {
    code: "C9",
    claim: "A group is never told to change to no domain at all.",
    source: "__iommu_group_set_domain_internal() since v6.7",
    reason: notIn61("there NULL means to detach"),
  },
  {
    code: "C12",
    claim: "A domain is not freed while its driver has devices on its list.",
    source: "bf8d2dd2ed08",
    reason: "the drivers of the models keep no such list; L2 asks it of the hardware",
  },
  {
    code: "C13",
    claim: "The domain that a driver is told to leave is the one its device is on.",
    source: "2b33598e666d",
    reason: notIn61("attach_dev() is not told what it leaves"),
  },
  {
    code: "L5",
    claim: "The driver's module is pinned from before probe_device() until after release_device().",
    source: "iommu_deinit_device()",
    reason: "modules are not modelled: an IOMMU's driver stays",
  },
  {
    code: "L8",
    claim: "The extra reference of a singleton group is dropped when its IOMMU goes.",
    source: "iommu_device_unregister()",
    reason: notIn61("generic_single_device_group() came with v6.7"),
  },
  {
    code: "V1",
    claim: "The order of locks has no cycle, and nobody waits for a lock it holds.",
    source: "lockdep; iommu_group_store_type()",
    reason: "asked of every suite: `lockdep` and `stuck` are always on",
  },
  {
    code: "X4",
    claim: "No device is probed while a driver is bound to it.",
    source: "dev_WARN in iommu_init_device()",
    reason: notIn61("there registration probes the devices of a bus, whatever is bound"),
  },
  {
    code: "X5",
    claim: "device_group() gives a group with a reference, or an error, and never NULL.",
    source: "WARN_ON in iommu_group_get_for_dev()",
    reason: "device_group() of the models gives a group or an error: it could not fail",
  },
  {
    code: "C15",
    claim: "The hardware of a device whose attach is deferred is left alone until its first mapping.",
    source: "bd421264ed30",
    reason: notYet,
  },
  {
    code: "O9",
    claim: "The type of a default domain changes only while nobody owns the group and no driver uses the DMA API.",
    source: "iommu_group_store_type()",
    reason: notYet,
  },
  {
    code: "T1",
    claim: "Memory is reused only when no IOTLB entry reaches it any more.",
    source: "iommu_dma_unmap_page(), fq_flush_iotlb()",
    reason: notYet,
  },
  {
    code: "T2",
    claim: "When a device has been attached to a domain no entry of the old one is used for it.",
    source: "attach_dev() of the drivers",
    reason: notYet,
  },
  {
    code: "T3",
    claim: "Devices that are not trusted have neither lazy flushing nor an identity domain.",
    source: "82c3cefb9f16",
    reason: notYet,
  },
  {
    code: "T6",
    claim: "A mapping is made whole or not at all, and an unmap counts what it took away.",
    source: "__iommu_map()",
    reason: notYet,
  },
  {
    code: "X3",
    claim: "A default domain is made once for a group, and its IOVA domain is initialised once.",
    source: "iommu_setup_default_domain(), iommu_dma_init_domain()",
    reason: notYet,
  },
  {
    code: "O8",
    claim: "A dma_configure() that succeeds is followed by one dma_cleanup().",
    source: "25f3bcfc54bc, f429378a9bf8",
    reason: "O3 asks it by its effect: the count of users agrees with the drivers that are bound",
  },
];
