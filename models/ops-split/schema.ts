/**
 * The state of tables of callbacks, when `struct iommu_ops` was split (v5.17, v5.18): who has which table, and what the
 * callbacks of eight drivers read and write. It is a model of its own because models/linux has one table for both halves.
 */
import { abstraction, enumeration, flag, list, mutex, ref, schema, setOf, type View } from "iommu-mc";

export const opsSplit = schema({
  /** The one bus. */
  bus_type: {
    iommu_ops: ref("ops_table"),
    devices: list("device", 2),
  },
  /** A constant table of callbacks. What each has is in tables.ts. */
  ops_table: {
    driver: enumeration("intel_iommu", "amd_iommu", "arm_smmu", "arm_smmu_v3", "virtio_iommu", "exynos_iommu", "s390_iommu", "apple_dart"),
    /** Which of the driver's tables; `iommu_ops` has all callbacks, the others are `struct iommu_domain_ops`. */
    role: enumeration(
      "iommu_ops",
      "domain_ops",
      "identity_ops",
      "sva_ops",
      "fq_ops",
      "stage1_ops",
      "stage2_ops",
      "bare_ops",
      "emulated_ops",
      "physical_ops",
    ),
    /** It has `map`. */
    can_map: flag(),
  },
  /** What the module of the one driver of the scenario has besides. */
  driver_module: {
    domain_ops: ref("ops_table"),
    identity_ops: ref("ops_table"),
    sva_ops: ref("ops_table"),
    fq_ops: ref("ops_table"),
    stage1_ops: ref("ops_table"),
    stage2_ops: ref("ops_table"),
    bare_ops: ref("ops_table"),
    emulated_ops: ref("ops_table"),
    physical_ops: ref("ops_table"),
    stage1: ref("io_pgtable"),
    stage2: ref("io_pgtable"),
    /** Intel's one identity domain. */
    si_domain: ref("iommu_domain"),
    /** Intel's IOMMUs are in scalable mode, with first-level tables. */
    has_first_level: flag(),
    /** All of Intel's IOMMUs can translate in two nested stages. */
    can_nest: flag(),
    /** Tables of a crashed kernel are in use. */
    is_kdump: flag(),
    /** What one thread has allocated and another one uses. */
    shared_domain: ref("iommu_domain"),
    /** container_of() was done to a domain that is embedded in another structure. */
    has_misread: flag().ghost(),
  },
  /** One IOMMU. */
  iommu_device: {
    /** Its queue of requests has been used. */
    has_queued: flag().ghost(),
  },
  /** A page table of ARM's formats. */
  io_pgtable: { format: enumeration("stage1", "stage2") },
  device: {
    bus: ref("bus_type"),
    group_mutex: mutex(),
    /** `group->default_domain` and `group->domain` of its group, in which it is alone. */
    default_domain: ref("iommu_domain"),
    group_domain: ref("iommu_domain"),
    iommu: ref("iommu_device"),
    /** What def_domain_type() says of it. */
    needs_identity: flag(),
    /** It is there when the bus is probed; else it is plugged in later. */
    on_bus: flag(),
    /** A device of the hypervisor's own making behind a virtio-iommu, which is told of each mapping; any other has a page table to walk. */
    emulated: flag(),
    /** The firmware names a page that is to be mapped one to one. */
    has_resv_region: flag(),
    /** What the driver has it on, and the IOMMU translates it with; null blocks it, or leaves it to tables of a crashed kernel. */
    domain: ref("iommu_domain"),
    /** What its one PASID is translated with. */
    pasid_domain: ref("iommu_domain"),
    /** Of the driver: `dev_data->defer_attach` of AMD's, DEFER_DEVICE_DOMAIN_INFO of Intel's. */
    defer_attach: flag(),
    /** `dev->iommu->attach_deferred`, since dd8a25c557e1. */
    attach_deferred: flag(),
    /** iommu_dma_map_page() has mapped the page. */
    dma_mapped: flag(),
  },
  iommu_domain: {
    ops: ref("ops_table"),
    type: enumeration("UNMANAGED", "DMA", "DMA_FQ", "IDENTITY", "SVA"),
    /** What container_of() is right for: the driver's structure with a page table, or the one of a shared address space. */
    embedded_in: enumeration("paging_domain", "sva_domain").ghost(),
    /** The IOMMU that a driver has completed it for. */
    iommu: ref("iommu_device"),
    /** Format of its page table, where that is chosen when it is allocated; `none` of an identity domain. */
    format: enumeration("none", "first_level", "second_level", "own"),
    /** Its page table where that comes with the first attach. */
    pgtbl_ops: ref("io_pgtable"),
    init_mutex: mutex(),
    /** enable_nesting() was called. */
    nesting: flag(),
    /** set_pgtable_quirks() was called. */
    quirks: flag(),
    /** What the page table says of the one page. */
    pte: enumeration("none", "read", "write", "read_write"),
    /** What a virtio-iommu that is told of mappings knows of it. */
    sent: enumeration("none", "read", "write", "read_write"),
    /** The page was mapped, and not unmapped since, as callers see it. */
    wanted: flag().ghost(),
    /** The table by which it was mapped. */
    mapped_by: ref("ops_table").ghost(),
    /** The IOVAs of the firmware's page are not handed out. */
    iova_reserved: flag(),
    /** The driver's list of what is on it. */
    devices: setOf("device"),
    /** iommu_dma_init_fq() has given it a flush queue. */
    has_fq: flag(),
  },
});

abstraction("each device is a group of its own", "may miss a bug", opsSplit);
abstraction("domains that block, and ops that the split neither moved nor put in doubt, are left out", "may miss a bug", opsSplit);
abstraction("there is one page, one IOVA and one PASID", "may miss a bug", opsSplit);

export type BusType = View<typeof opsSplit, "bus_type">;
export type OpsTable = View<typeof opsSplit, "ops_table">;
export type IommuDevice = View<typeof opsSplit, "iommu_device">;
export type Device = View<typeof opsSplit, "device">;
export type IommuDomain = View<typeof opsSplit, "iommu_domain">;

export type Driver = OpsTable["driver"];
export type Role = OpsTable["role"];
export type DomainType = IommuDomain["type"];
export type Access = IommuDomain["pte"];

// A view names a place and holds no data, so that of the kernel's one module may stand at module level.
export const driver_module = opsSplit.struct("driver_module").view(0) as unknown as View<typeof opsSplit, "driver_module">;

/** What the device can do to the one page. */
export function reach(dev: Device): Access {
  const domain = dev.domain;
  if (domain === null) return "none";
  if (domain.type === "IDENTITY") return "read_write";
  return dev.emulated ? domain.sent : domain.pte;
}
