/**
 * The state of the model: buses and what has been registered on them, PHBs with their IOMMUs, PEs with what their DMA reaches, and
 * groups. Smaller than that of models/ppc64, which has the tables themselves; here the order of boot and the callbacks are asked about.
 */
import { abstraction, counter, enumeration, flag, list, mutex, ref, refcount, schema, type View } from "iommu-mc";

export const ppc64Ops = schema({
  /** Globals of the driver core and of drivers/iommu. */
  core: {
    /** iommu_dev_init() has registered the class of IOMMUs. */
    has_iommu_class: flag(),
    /** iommu_subsys_init() has registered iommu_bus_notifier() on all buses. */
    has_notifiers: flag(),
    has_booted: flag(),
    iommu_probe_device_lock: mutex(),
    /** `iommu_buses[]`, in its order. */
    iommu_buses: list("bus_type", 2),
    hose_list: list("pci_controller", 2),
    /** Devices that are there when buses are scanned. */
    present: list("device", 2),
  },
  bus_type: {
    /** bus_register() was called: `bus->p`. */
    is_registered: flag(),
    is_pci: flag(),
    iommu_ops: ref("iommu_ops"),
    devices: list("device", 3),
  },
  /** spapr_tce_iommu_ops. */
  iommu_ops: {
    has_attach_dev: flag(),
    has_detach_dev: flag(),
    has_release_device: flag(),
    has_is_attach_deferred: flag(),
    /** domain_alloc() makes a domain for BLOCKED. */
    has_blocked: flag(),
  },
  pci_controller: {
    iommu: ref("iommu_device"),
    /** `controller_ops.device_group`. */
    has_device_group: flag(),
  },
  iommu_device: {
    ops: ref("iommu_ops"),
    is_in_sysfs: flag(),
  },
  /** An iommu_table_group, with the pnv_ioda_pe around it. */
  iommu_table_group: {
    group: ref("iommu_group"),
    /** The device's bus number leads to it: pnv_pci_configure_bus() was called. */
    is_configured: flag(),
    device_count: counter(2),
    /** Window 0 leads to the kernel's table. */
    has_window: flag(),
    /** Window 1 lets every address through. */
    bypass: flag(),
    /** Entries of the kernel's table that translate. */
    kernel_tces: counter(1),
  },
  device: {
    lock: mutex(),
    bus: ref("bus_type"),
    /** Null for a device that is not PCI's. */
    phb: ref("pci_controller"),
    pe: ref("iommu_table_group"),
    is_registered: flag(),
    driver: enumeration("none", "native", "vfio_pci").guardedBy("lock"),
    iommu: ref("dev_iommu"),
    iommu_group: ref("iommu_group"),
    /** The link of that name in its sysfs directory. */
    has_group_link: flag(),
  },
  dev_iommu: { iommu_dev: ref("iommu_device") },
  iommu_group: {
    mutex: mutex(),
    devices_kobj: refcount(5),
    devices: list("device", 2).guardedBy("mutex"),
    blocking_domain: ref("iommu_domain").guardedBy("mutex"),
    domain: ref("iommu_domain").guardedBy("mutex"),
    owner_cnt: counter(2).guardedBy("mutex"),
    is_owned: flag().guardedBy("mutex"),
    iommu_data: ref("iommu_table_group"),
  },
  iommu_domain: { ops: ref("iommu_ops") },
});

abstraction(
  "boot, plugging and a user's calls come one after the other; only the registration of a PHB may overlap with plugging",
  "may miss a bug",
  ppc64Ops,
);
abstraction(
  "a table of the kernel is a window with or without an entry that translates; what a user maps is left out",
  "may miss a bug",
  ppc64Ops,
);
abstraction("of_iommu_configure() finds no iommu-map, as powernv's firmware makes none, and replays nothing", "neither", ppc64Ops);
abstraction(
  "memory is always to be had, a sysfs link fails only where there is one, and there are no modules to get",
  "may miss a bug",
  ppc64Ops,
);

export type Core = View<typeof ppc64Ops, "core">;
export type BusType = View<typeof ppc64Ops, "bus_type">;
export type IommuOps = View<typeof ppc64Ops, "iommu_ops">;
export type PciController = View<typeof ppc64Ops, "pci_controller">;
export type IommuDevice = View<typeof ppc64Ops, "iommu_device">;
export type TableGroup = View<typeof ppc64Ops, "iommu_table_group">;
export type Device = View<typeof ppc64Ops, "device">;
export type IommuGroup = View<typeof ppc64Ops, "iommu_group">;
export type IommuDomain = View<typeof ppc64Ops, "iommu_domain">;

// A view names a place and holds no data, so that of the kernel's globals may stand at module level.
export const core = ppc64Ops.struct("core").view(0) as unknown as Core;
