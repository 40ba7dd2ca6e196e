/**
 * The state of the IOMMU core of 2015, and of the DMA ops of arm64 and arm above it. It is a model of its own because nothing
 * that models/linux turns on is there yet: no dev->iommu, no fwspec, no owner of a group and no probe lock, one `iommu_ops` a
 * bus that is set once, groups that a device may go without, and a firmware that is asked when a device is made instead of
 * when its driver is bound.
 */
import { abstraction, counter, enumeration, flag, list, mutex, ref, refcount, schema, setOf, type View } from "iommu-mc";

export const arm64 = schema({
  device: {
    /** device_lock(): serialises bind and unbind. */
    lock: mutex(),
    bus: ref("bus_type"),
    /** It is on the bus's klist, which walks of the bus see. */
    on_bus: flag(),
    /** device_add() will fail; as a failure to inject it would use up those of others. */
    cannot_be_added: flag(),
    is_bound: flag().guardedBy("lock"),
    /** The kind of IOMMU that its `iommus` property names; null where it has none. */
    iommus: ref("iommu_ops"),
    /** Which IOMMU of that kind; null where it does not matter, since its contexts are not counted. */
    smmu: ref("smmu"),
    /** The device whose requester id it uses too: they share a group. */
    alias: ref("device"),
    /** The device that has the same id although it is in no group with this one: what translates one translates the other. */
    twin: ref("device"),
    iommu_group: ref("iommu_group"),
    /** Its directory has a link `iommu_group`. */
    has_group_link: flag(),
    /** `archdata.dma_ops`: of arm64 the first three, of arm the first and the rest. */
    dma_ops: enumeration(
      "NULL",
      "swiotlb_dma_ops",
      "iommu_dma_ops",
      "arm_dma_ops",
      "arm_coherent_dma_ops",
      "iommu_ops",
      "iommu_coherent_ops",
    ),
    /** `archdata.dma_coherent`: its DMA sees the caches of the CPUs. */
    dma_coherent: flag(),
    /** `archdata.mapping`, on arm. */
    mapping: ref("dma_iommu_mapping"),
    /** What its IOMMU translates its DMA with; null lets it through untranslated, as these IOMMUs do by default. */
    hw: ref("iommu_domain"),
  },
  bus_type: {
    kind: enumeration("platform", "pci"),
    iommu_ops: ref("iommu_ops"),
    /** iommu_bus_init() has registered its notifier. */
    has_iommu_notifier: flag(),
    /** register_iommu_dma_ops_notifier() of arm64 has. */
    has_dma_ops_notifier: flag(),
    /** It has before iommu_bus_init(), which matters if both have the same priority. */
    dma_ops_notifier_is_first: flag(),
    klist_devices: list("device", 2),
  },
  /** A kind of IOMMU. */
  iommu_ops: {
    /**
     * What attach_dev() does with a device that the driver's add_device() has not seen: arm-smmu's refuses it, exynos-iommu's
     * attaches it, rockchip-iommu's does nothing and says that all is well.
     */
    ungrouped: enumeration("refuses", "attaches", "pretends"),
    /** Before the core did so (v4.4), its add_device() puts platform devices with one id into one group. No driver's did. */
    finds_groups: flag(),
    /** domain_alloc() knows IOMMU_DOMAIN_DMA. */
    has_dma_domains: flag(),
    /** domain_alloc() may fail in this scenario. */
    can_run_out: flag(),
    /** Its driver has been registered, by which an attach is deferred no longer (v4.12). */
    is_registered: flag(),
    /** With "domain-per-kind": the domain of all devices behind IOMMUs of this kind. */
    default_domain: ref("iommu_domain"),
  },
  /** One IOMMU, where there are several of a kind. */
  smmu: {
    /** Context banks that are free. */
    contexts: counter(2),
    /** With "domain-per-smmu": the domain of all devices behind it. */
    default_domain: ref("iommu_domain"),
  },
  iommu_domain: {
    type: enumeration("UNMANAGED", "DMA"),
    ops: ref("iommu_ops"),
    /** The IOMMU that has given it a context, which is that of the first device attached. */
    smmu: ref("smmu"),
    /** __IOMMU_DOMAIN_FAKE_DEFAULT: made by arm64 for a device that has no default domain. */
    is_fake_default: flag(),
    /** iommu_dma_init_domain() has set up its IOVAs, without which no DMA can be mapped in it. */
    has_iovas: flag(),
    /** Devices it was attached to successfully. */
    attached_before: setOf("device").ghost(),
    /** Of rockchip's, which several IOMMUs may translate with: those that are told of what was unmapped. */
    iommus: list("rk_iommu", 2).guardedBy("iommus_lock"),
    iommus_lock: mutex(),
    /** The one entry of its page table. */
    pte: ref("page"),
  },
  rk_iommu: {
    /** RK_MMU_DTE_ADDR, while paging is enabled. */
    dte_addr: ref("iommu_domain"),
    /** What its TLB has of the entry. */
    tlb: ref("page"),
  },
  page: {
    /** It was unmapped, and belongs to somebody else. */
    is_reused: flag(),
  },
  group_device: {
    dev: ref("device"),
  },
  iommu_group: {
    mutex: mutex(),
    /** References through `devices_kobj`, which in turn holds the group. */
    devices_kobj: refcount(7),
    devices: list("group_device", 2).guardedBy("mutex"),
    default_domain: ref("iommu_domain"),
    domain: ref("iommu_domain"),
    /** Its directory `devices` has a link to the device. */
    device_links: setOf("device"),
  },
  /** Globals of arch/arm64/mm/dma-mapping.c. */
  dma_mapping: {
    iommu_dma_notifier_lock: mutex(),
    iommu_dma_masters: list("iommu_dma_notifier_data", 2).guardedBy("iommu_dma_notifier_lock"),
  },
  iommu_dma_notifier_data: {
    dev: ref("device"),
    ops: ref("iommu_ops"),
    /** As posted: the domain has been made already. */
    dma_domain: ref("iommu_domain"),
  },
  /** Globals of drivers/base. */
  driver_core: {
    /** The one driver that matches all devices has been registered. */
    has_driver: flag(),
    deferred_probe_mutex: mutex(),
    deferred_probe_pending_list: list("device", 2).guardedBy("deferred_probe_mutex"),
    deferred_probe_active_list: list("device", 2).guardedBy("deferred_probe_mutex"),
    deferred_trigger_count: counter(4),
  },
  /** A mapping of arch/arm/mm/dma-mapping.c. */
  dma_iommu_mapping: {
    domain: ref("iommu_domain"),
    kref: refcount(3),
  },
});

abstraction("an IOMMU lets the DMA of a device that is on no domain through, as ARM's did by default", "neither", arm64);
abstraction("a device has one id at one IOMMU, and the IOMMU's driver has been told of it by of_xlate()", "may miss a bug", arm64);

export type Device = View<typeof arm64, "device">;
export type BusType = View<typeof arm64, "bus_type">;
export type IommuOps = View<typeof arm64, "iommu_ops">;
export type Smmu = View<typeof arm64, "smmu">;
export type RkIommu = View<typeof arm64, "rk_iommu">;
export type Page = View<typeof arm64, "page">;
export type IommuDomain = View<typeof arm64, "iommu_domain">;
export type GroupDevice = View<typeof arm64, "group_device">;
export type IommuGroup = View<typeof arm64, "iommu_group">;
export type IommuDmaNotifierData = View<typeof arm64, "iommu_dma_notifier_data">;
export type DmaIommuMapping = View<typeof arm64, "dma_iommu_mapping">;

export type DomainType = IommuDomain["type"];

// A view names a place and holds no data, so those of the kernel's globals may stand at module level.
export const dma_mapping = arm64.struct("dma_mapping").view(0) as unknown as View<typeof arm64, "dma_mapping">;
export const driver_core = arm64.struct("driver_core").view(0) as unknown as View<typeof arm64, "driver_core">;
