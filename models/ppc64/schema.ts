/**
 * The state of the model: PHBs, PEs with their `iommu_table_group`, TCE tables, what the IOMMU core keeps of groups, VFIO's
 * container, and what the hardware's translation validation table (TVT) really sends a PE's DMA through.
 */
import { abstraction, counter, enumeration, flag, list, mutex, ref, refcount, schema, setOf, type View } from "iommu-mc";

export const ppc64 = schema({
  /** A PHB, with what its platform keeps of it (pnv_phb, pci_dn). */
  pci_controller: {
    platform: enumeration("powernv", "pseries"),
    /** The iommu_device that is embedded in it since a940904443e4. */
    iommu: ref("iommu_device"),
  },
  /** All zeroes until its PHB is registered. */
  iommu_device: {
    /** What iommu_device_sysfs_add() has made. */
    dev: ref("class_device"),
    ops: ref("iommu_ops"),
  },
  /** An IOMMU's directory in sysfs. */
  class_device: {
    /** Its links. */
    devices: setOf("device"),
  },
  /** spapr_tce_iommu_ops. Its two domains are static since 2ad56efa80db, and null before. */
  iommu_ops: {
    default_domain: ref("iommu_domain"),
    blocked_domain: ref("iommu_domain"),
  },
  iommu_domain: {
    type: enumeration("BLOCKED", "PLATFORM"),
    /** Whether it stands in the kernel's data, where nothing is freed. */
    is_static: flag(),
  },
  /** Globals of drivers/iommu/iommu.c. */
  iommu_core: {
    probe_device_lock: mutex(),
    /** What the core calls for a PCI device: `pci_bus_type.iommu_ops`, since v6.7 the first of the IOMMUs that have registered. */
    pci_ops: ref("iommu_ops"),
  },
  /** What platform code finds when it boots. */
  platform: {
    hose_list: list("pci_controller", 2),
    devices: list("device", 2),
    /** spapr_tce_iommu_ops, with its domains. */
    spapr_tce_iommu_ops: ref("iommu_ops"),
    spapr_tce_platform_domain: ref("iommu_domain"),
    spapr_tce_blocked_domain: ref("iommu_domain"),
    has_booted: flag(),
  },
  device: {
    /** device_lock(): serialises bind and unbind. */
    lock: mutex(),
    driver: enumeration("none", "native", "vfio_pci").guardedBy("lock"),
    on_bus: flag(),
    phb: ref("pci_controller"),
    /** Its PE: pnv_pci_bdfn_to_pe(), or the pci_dn above it with a DMA window. */
    pe: ref("iommu_table_group"),
    /** Its driver sets a 64-bit DMA mask, with which DMA may bypass translation. */
    can_dma_64: flag(),
    /** `dev->archdata.iommu_table_base`: the table that the DMA API uses. */
    iommu_table_base: ref("iommu_table"),
    /** `dev->iommu->iommu_dev`; null while there is no `dev->iommu`. */
    iommu_dev: ref("iommu_device"),
    iommu_group: ref("iommu_group"),
    /** A page of the kernel that the driver has mapped: the table, and its entry. */
    dma_table: ref("iommu_table").guardedBy("lock"),
    dma_entry: ref("tce").guardedBy("lock"),
    /** vfio_register_group_dev() was done for it. */
    is_vfio_device: flag().guardedBy("lock"),
  },
  /** An `iommu_table_group`, with the pnv_ioda_pe or the pci_dn around it. */
  iommu_table_group: {
    group: ref("iommu_group"),
    /** `tables[2]`. */
    table0: ref("iommu_table"),
    table1: ref("iommu_table"),
    /** Which iommu_table_group_ops it has: none, as on pSeries before 9d67c9433509, IODA2's, those of an NPU with its GPU (another create_table), or pSeries'. */
    ops: enumeration("none", "ioda2", "npu_peers", "spapr_tce"),
    /** max_dynamic_windows_supported is not 0. */
    has_dynamic_windows: flag(),
    phb: ref("pci_controller"),
    /** The devices on `pe->pbus`, or the one device that is the PE. */
    devices: list("device", 2),
    is_bus: flag(),
    /** How many of them have gone through dma_dev_setup(). */
    device_count: counter(2),
    /** TVT entries: table of window 0; table of window 1, for which the bypass can stand. */
    tve0: ref("iommu_table"),
    tve1: ref("iommu_table"),
    bypass: flag(),
    tce_bypass_enabled: flag(),
    /** The entries that a table of a window has. */
    window: setOf("tce"),
    /** take_ownership() has come back with 0 since the last release_ownership(). */
    is_taken: flag().ghost(),
  },
  iommu_table: {
    it_kref: refcount(6),
    pool_lock: mutex(),
    /** `it_map != NULL`: tables that VFIO makes have none. */
    has_map: flag(),
    it_size: setOf("tce"),
    it_map: setOf("tce").guardedBy("pool_lock"),
    it_group_list: setOf("iommu_table_group"),
    /** Entries that translate: to pages of the kernel, to pages of a user. */
    kernel_tces: setOf("tce"),
    user_tces: setOf("tce"),
    /** Made by VFIO for a user. */
    is_users: flag().ghost(),
  },
  /** The number of an entry of a table. */
  tce: {
    number: counter(1),
  },
  iommu_group: {
    mutex: mutex(),
    /** The references on `devices_kobj`, which holds the group. */
    devices_kobj: refcount(8),
    devices: list("device", 2).guardedBy("mutex"),
    default_domain: ref("iommu_domain").guardedBy("mutex"),
    blocking_domain: ref("iommu_domain").guardedBy("mutex"),
    domain: ref("iommu_domain").guardedBy("mutex"),
    owner: ref("tce_container").guardedBy("mutex"),
    owner_cnt: counter(3).guardedBy("mutex"),
    iommu_data: ref("iommu_table_group"),
  },
  /** VFIO's container, with its vfio_container. */
  tce_container: {
    lock: mutex(),
    v2: flag(),
    def_window_pending: flag().guardedBy("lock"),
    tables0: ref("iommu_table").guardedBy("lock"),
    tables1: ref("iommu_table").guardedBy("lock"),
    group_list: list("tce_iommu_group", 2).guardedBy("lock"),
  },
  tce_iommu_group: {
    grp: ref("iommu_group"),
  },
});

abstraction("a TCE table has as many entries as there are devices in the scenario, and a mapping takes one", "may miss a bug", ppc64);
abstraction("page 0 and the MMIO range, which are reserved in a table, are left out", "may miss a bug", ppc64);
abstraction("a struct device is never freed: who uses one that has been removed is not noticed for that alone", "may miss a bug", ppc64);

export type PciController = View<typeof ppc64, "pci_controller">;
export type IommuDevice = View<typeof ppc64, "iommu_device">;
export type IommuOps = View<typeof ppc64, "iommu_ops">;
export type IommuDomain = View<typeof ppc64, "iommu_domain">;
export type Device = View<typeof ppc64, "device">;
export type TableGroup = View<typeof ppc64, "iommu_table_group">;
export type IommuTable = View<typeof ppc64, "iommu_table">;
export type Tce = View<typeof ppc64, "tce">;
export type IommuGroup = View<typeof ppc64, "iommu_group">;
export type TceContainer = View<typeof ppc64, "tce_container">;
export type TceIommuGroup = View<typeof ppc64, "tce_iommu_group">;

/** A DMA window of a PE. */
export type WindowNumber = 0 | 1;

// A view names a place and holds no data, so those of the kernel's globals may stand at module level.
export const iommu_core = ppc64.struct("iommu_core").view(0) as unknown as View<typeof ppc64, "iommu_core">;
export const platform = ppc64.struct("platform").view(0) as unknown as View<typeof ppc64, "platform">;
