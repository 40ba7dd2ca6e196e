/**
 * The state of the model: what the IOMMU core, the driver core, VFIO and the devices' drivers keep in memory, what the
 * firmware says, and what the IOMMU hardware really uses for each device (`device.hw`).
 */
import { abstraction, counter, enumeration, flag, list, mutex, ref, refcount, schema, setOf, type View } from "iommu-mc";

export const linux = schema({
  device: {
    /** device_lock(): serialises bind and unbind. */
    lock: mutex(),
    driver: ref("device_driver").guardedBy("lock"),
    bus: ref("bus_type"),
    /** device_is_registered() and still on the bus's klist, which walks of the bus see. */
    on_bus: flag(),
    /** device_add() has come far enough for a driver to be bound. */
    ready_to_probe: flag().guardedBy("lock"),
    /** kill_device(): nothing may be bound any more. */
    dead: flag().guardedBy("lock"),
    /** device_is_bound(): probing has succeeded. */
    is_bound: flag().guardedBy("lock"),
    /** Whether driver_probe_device() is at work, and saw `deferred_trigger_count` rise meanwhile. */
    probing: enumeration("no", "yes", "triggered"),
    /** The driver that knows this kind of device. */
    match: ref("device_driver"),

    /** `dev->iommu`. */
    iommu: ref("dev_iommu"),
    iommu_group: ref("iommu_group"),
    /** Whether `dev->dma_ops` are those of dma-iommu; else dma-direct. */
    has_iommu_dma_ops: flag(),
    /** What the IOMMU translates this device's DMA with; null blocks everything. */
    hw: ref("iommu_domain").guardedBy("iommu_group.mutex"),
    /** The same of DMA with the one PASID of the scenario. */
    hw_pasid: ref("iommu_domain").guardedBy("iommu_group.mutex"),
    /** `dev->iommu->max_pasids`, where the one PASID of the scenario is 1: 0 for a device without PASIDs, 1 for one that has not that many. */
    max_pasids: counter(2),
    /** Resets under way, one within the other: from when pci_dev_reset_iommu_prepare() has succeeded to when pci_dev_reset_iommu_done() is at work. */
    resets: counter(3).ghost(),

    /** The IOMMU that the firmware's tables name for it (`iommus`, `iommu-map`, IORT, VIOT); null where they say nothing, as on x86 with DMAR or IVRS tables. */
    iommus: ref("iommu_device"),
    /** The IOMMU in whose scope it is, by the tables of the IOMMU's own driver (DMAR, IVRS). */
    scope: ref("iommu_device"),
    /** The PCI bridge above it, unless ACS keeps the two apart: they share a group. */
    upstream: ref("device"),
    /** PCI functions that use its requester id, or whose requester id it uses, or that no ACS keeps apart from it. */
    aliases: setOf("device"),
    /** Where VT-d's tables are modelled: the requester ids of its DMA, as pci_for_each_dma_alias() names them. Its own is the first; the last is that of its requests where they arrive. */
    requester_ids: list("requester_id", 2),
    /** Of a pSeries: what its PE has of DMA windows. */
    table_group: ref("iommu_table_group"),
    /** An external device, which the kernel does not trust. */
    untrusted: flag(),
    /** Of a kind that its IOMMU's driver wants untranslated: see each driver's `def_domain_type`. */
    needs_identity: flag(),
    /** It has a range of type IOMMU_RESV_DIRECT: its firmware does DMA of its own to memory reserved for that. */
    resv_direct: flag(),
    /** That range is an RMRR that Intel's driver does not relax, so it refuses the device other domains. */
    rmrr_locked: flag(),
    /** AMD's data for the requester id, which outlives the device; so did Intel's until 458b7c8e0dde (v5.3). */
    dev_data: ref("dev_iommu_priv"),
    /** The tables of a crashed kernel that VT-d's context cache may still have for it: they are used, whatever the context entry says. */
    cached_context: ref("iommu_domain"),

    /** A lock of the device's own driver (a transmit queue's). */
    queue_lock: mutex(),
    queue_up: flag().guardedBy("queue_lock"),
    /** Domain in which the driver has a streaming mapping of a kernel page at the moment. */
    dma_map: ref("iommu_domain").guardedBy("queue_lock"),
    /** Domain in which the driver has a managed (devres) coherent buffer. */
    devres_map: ref("iommu_domain").guardedBy("lock"),
    /** Driver data of vfio-pci. */
    vfio_device: ref("vfio_device").guardedBy("lock"),
  },
  device_driver: {
    kind: enumeration("native", "vfio_pci", "stub"),
    driver_managed_dma: flag(),
    /** Its probe may ask to be tried again. */
    defers: flag(),
    /** What stops its device's DMA is a managed resource, as that of pcim_enable_device() is, and not its remove(). */
    stops_by_devres: flag(),
    /** driver_register() has put it on its bus. */
    registered: flag(),
  },
  bus_type: {
    kind: enumeration("platform", "pci"),
    iommu_ops: ref("iommu_ops"),
    /** iommu_bus_notifier() is registered: since 57365a04c921 (v6.1) from the start, before that by bus_set_iommu(). */
    has_iommu_notifier: flag(),
    /** Every device that was ever on the bus, in order; `on_bus` tells which still are, as klist nodes that are dead are skipped. */
    klist_devices: list("device", 64),
  },
  /** Globals of drivers/base/dd.c. */
  driver_core: {
    deferred_probe_mutex: mutex(),
    deferred_probe_pending_list: list("device", 3).guardedBy("deferred_probe_mutex"),
    deferred_probe_active_list: list("device", 3).guardedBy("deferred_probe_mutex"),
    /** Off in scenarios where nothing can be deferred, as it is in the C before late_initcall. */
    driver_deferred_probe_enable: flag(),
    /** CONFIG_DEBUG_TEST_DRIVER_REMOVE. */
    test_remove: flag(),
    /** driver_deferred_probe_timeout has run out, and initcalls are done. */
    deferred_probe_timeout_expired: flag(),
  },
  /** Globals of drivers/iommu/iommu.c. */
  iommu_core: {
    probe_device_lock: mutex(),
    /** Of SMMUv3's driver: bonds of devices and address spaces. */
    sva_lock: mutex(),
    /** The one number that there is for PASIDs, in scenarios that need it. */
    ioasid: ref("ioasid"),
    /** The spinlock of `iommu_device_list`. */
    device_lock: mutex(),
    device_list: list("iommu_device", 2).guardedBy("device_lock"),
    buses: list("bus_type", 2),
    def_domain_type: enumeration("DMA", "DMA_FQ", "IDENTITY"),
    /** arch_setup_dma_ops() and arch_teardown_dma_ops() do something. */
    is_arm64: flag(),
    /** The firmware's tables (device tree, IORT, VIOT) name a device's IOMMU; else those of the IOMMU's own driver do (DMAR, IVRS). */
    has_fwspecs: flag(),
    /** The static key that makes every map ask whether the attach was deferred. */
    is_kdump_kernel: flag(),
    /** Whether this machine has page tables with pages in them, IOVAs, an IOTLB and flush queues. Without, a mapping is one bit. */
    has_iotlb: flag(),
    /** Domain ids that exist: all are VT-d's (but 0, which it reserves) or all are ASIDs. The first that is free is given out. */
    domain_ids: list("domain_id", 128),
    /** The ids of groups that exist, of which the first that is free is given out; empty where ids are not modelled. */
    group_ids: list("group_id", 3),
    /** The page that a VFIO user maps. */
    user_page: ref("page"),
    /** The cookie whose flush queue timer is armed; scenarios arm one at a time. */
    fq_timer: ref("iommu_dma_cookie"),
    fq_timer_is_running: flag(),
    /** What a crashed kernel has left: the tables its devices are translated with, of type COPIED. */
    copied_tables: ref("iommu_domain"),
  },
  iommu_ops: {
    /** `intel_legacy` and `intel_scalable` are Intel's driver with its translation structures, in legacy and in scalable mode. */
    driver: enumeration(
      "intel_iommu",
      "intel_legacy",
      "intel_scalable",
      "arm_smmu_v3",
      "amd_iommu",
      "virtio_iommu",
      "omap_iommu",
      "mtk_iommu_v1",
      "mtk_iommu",
      "arm_smmu",
      "s390_iommu",
      "spapr_tce",
    ),
    /** Whether `default_domain_ops` has a `detach_dev`. */
    detach_dev: flag(),
    /** Whether they have a `flush_iotlb_all`, which flush queues call. */
    flush_iotlb_all: flag(),
    /** A driver without default domains: its domain_alloc() refuses DMA and IDENTITY. */
    no_default_domains: flag(),
    /** Intel's one identity domain, which is never freed. */
    si_domain: ref("iommu_domain"),
    /** Since 0061ffe289e1 (v6.9): the domain a device is put on before it is released; null too where a scenario has nothing to say of it. */
    release_domain: ref("iommu_domain"),
    /** POWER's two, which are never freed; null of other drivers, whose blocking domains are a group's own here. */
    default_domain: ref("iommu_domain"),
    blocked_domain: ref("iommu_domain"),
    /** `amd_iommu_snp_en`: the hardware allows no identity domain. */
    snp_en: flag(),
  },
  /** One IOMMU. */
  iommu_device: {
    ops: ref("iommu_ops"),
    /** MediaTek's: the IOMMUs that share its page table, of which there is itself alone; null until its driver has made the list. */
    hw_list: ref("iommu_device"),
    /** MediaTek's v1: the domain of the mapping that its devices share. */
    mapping: ref("iommu_domain"),
    /** Since da33e87bd2bf (v6.16): its registration has come to its end. */
    ready: flag(),
    /** Its own driver is bound to it, which driver_find_device() asks for; that is after it has registered. */
    is_bound: flag(),
  },
  /** Of a pSeries: an `iommu_table_group`, for the DMA of the devices of one PE. */
  iommu_table_group: {
    group: ref("iommu_group"),
    /** `tables[0]`, where the platform has made it. */
    has_default_window: flag(),
  },
  dev_iommu: {
    fwspec: ref("iommu_fwspec"),
    iommu_dev: ref("iommu_device"),
    priv: ref("dev_iommu_priv"),
    /** Since dd8a25c557e1 (v6.3): what the driver's `is_attach_deferred` said when the device was probed, until the device is attached. */
    attach_deferred: flag(),
    /** Since a48ce36e2786 (v6.6): the firmware's range was seen when direct mappings were made, so that the device may not be blocked. */
    require_direct: flag(),
  },
  iommu_fwspec: {
    ops: ref("iommu_ops"),
    /** xlate() has added the device's ids. */
    has_ids: flag(),
  },
  /** What dev_iommu_priv_get() returns: device_domain_info, iommu_dev_data, arm_smmu_master, viommu_endpoint. */
  dev_iommu_priv: {
    /** `info->dev`, `master->dev`. */
    dev: ref("device"),
    /** `info->domain`, `dev_data->domain`, `master->domain`: the domain on whose list the driver has the device. */
    domain: ref("iommu_domain"),
    /** AMD's `defer_attach`, and DEFER_DEVICE_DOMAIN_INFO of Intel's driver until 586081d3f6b1 (v5.18): a kdump kernel found the device translated by the crashed kernel's tables, and leaves it so until the driver's first map. */
    attach_deferred: flag(),
    /** Where VT-d's tables are modelled: `info->link`, `info->domain_attached` and `info->pasid_table`. */
    link: ref("list_head"),
    domain_attached: flag(),
    pasid_table: ref("pasid_table"),
  },
  /** A link of a list, or its head. Null is LIST_POISON1 and LIST_POISON2. */
  list_head: {
    next: ref("list_head"),
    prev: ref("list_head"),
  },
  /** A PCI requester id, with its entry of VT-d's context table. */
  requester_id: {
    /** Whose it is: pci_for_each_dma_alias() names with a bridge's id that bridge. */
    owner: ref("device"),
    /** Legacy mode: whose page table a present entry points to; null: the entry is not present. */
    domain: ref("iommu_domain"),
    /** Legacy mode: the domain id in it; null of an identity domain that has the reserved one. */
    did: ref("domain_id"),
    /** Scalable mode: the PASID table that a present entry points to. */
    pasid_table: ref("pasid_table"),
    /** Domains of entries that are gone, but which the context cache may have: no flush has covered them since. */
    cached: setOf("iommu_domain"),
  },
  /** A device's PASID table in scalable mode: its entry for requests without PASID. */
  pasid_table: {
    domain: ref("iommu_domain"),
    did: ref("domain_id"),
  },
  iommu_domain: {
    /** Beside the kernel's types COPIED, which stands for the tables of a crashed kernel: no struct iommu_domain at all. */
    type: enumeration("UNMANAGED", "BLOCKED", "DMA", "DMA_FQ", "IDENTITY", "PLATFORM", "COPIED"),
    ops: ref("iommu_ops"),
    /** Since a9c362db3920 (v6.8): whose devices it may be attached to; null for a domain that the core has not allocated. */
    owner: ref("iommu_ops"),
    /** VT-d: the one entry of `iommu_array`. */
    iommu_array: ref("iommu_domain_info"),
    /** Where VT-d's tables are modelled: the head of the list of its devices. */
    devices: ref("list_head"),
    /** The same since 3b1d9e2b2d68 (v6.10): users of the tag by which what the IOMMU caches of it is flushed. Without there is no flush. */
    cache_tags: counter(5),
    /** Its page table is freed, though the domain may not be. */
    has_no_pgd: flag(),
    /** SMMUv3: given out at the first attach. */
    asid: ref("domain_id"),
    /** Page table: what IOVAs 0 and 1 translate to, and the page both entries are in. */
    pte0: ref("page"),
    pte1: ref("page"),
    table: ref("page"),
    iova_cookie: ref("iommu_dma_cookie"),
    /** The user's one range is in this domain's page table. */
    user_map: flag(),
    /** Devices whose IOMMU_RESV_DIRECT range is in this domain's page table. */
    direct_map: setOf("device"),
    /** virtio's count of the devices on it, which wraps here at 16. */
    nr_endpoints: counter(15),
    /** AMD's `dev_iommu[]`, where there is an IOTLB: how many devices on it are behind the IOMMU. Only if there are any it is flushed there. */
    dev_iommu: counter(3),
    /** A device has left it without a flush, so that what its page table said then may still be cached. */
    is_unflushed: flag(),
    /** s390's list of the devices on it. */
    s390_devices: setOf("s390_domain_device"),
    /** Of devices that have it attached to a PASID, and that twice if it was attached twice. */
    dev_pasids: list("dev_pasid_info", 3),
    /** Devices it was attached to successfully: attaching again may not fail (the contract of attach_dev). */
    attached_before: setOf("device").ghost(),
  },
  /** struct s390_domain_device: an entry of a domain's list. */
  s390_domain_device: {
    dev: ref("device"),
  },
  /** Entry of a domain's list. */
  dev_pasid_info: {
    dev: ref("device"),
  },
  /** A page of memory: one that is given to DMA at times, or one that a page table is made of, which is allocated and freed. */
  page: {
    /** Whoever maps it gives it to DMA for so long; else the kernel may have put it to any other use. */
    for_dma: flag(),
  },
  /** A domain id of VT-d or an ASID of SMMUv3: the tag of a domain's translations in the IOTLB. */
  domain_id: {
    allocated: flag(),
    /** The domain that has it. */
    owner: ref("iommu_domain").ghost(),
    /** Pages that IOVA 0, and 1, was translated to under this id, that are in the page table no longer, and that no flush has covered since. */
    stale0: setOf("page"),
    stale1: setOf("page"),
    /** The same of pages of page tables. */
    stale_tables: setOf("page"),
  },
  /** VT-d's entry of `domain->iommu_array`: the domain's id at an IOMMU, and how many devices there are on it. */
  iommu_domain_info: {
    did: ref("domain_id"),
    refcnt: counter(5),
  },
  /** What dma-iommu keeps with a domain: the allocator of IOVAs, of which there are two, and the flush queues. */
  iommu_dma_cookie: {
    mutex: mutex(),
    /** `iovad.start_pfn` is set. */
    is_initialised: flag(),
    /** How often init_iova_domain() was called. */
    initialisations: counter(2).ghost(),
    iova0_used: flag(),
    iova1_used: flag(),
    /** Null: unmapping is strict. */
    fq_domain: ref("iommu_domain"),
    /** Of each CPU. */
    fq0: ref("iova_fq"),
    fq1: ref("iova_fq"),
    /** `fq_flush_start_cnt` less `fq_flush_finish_cnt`. */
    flushes_under_way: counter(3),
    fq_timer_on: flag(),
  },
  /** A CPU's queue, which holds one entry, here instead of 255. */
  iova_fq: {
    lock: mutex(),
    is_queued: flag().guardedBy("lock"),
    iova: counter(1).guardedBy("lock"),
    pages: counter(2).guardedBy("lock"),
    freelist: ref("page").guardedBy("lock"),
    /** How many flushes have to finish before the entry's IOVA is free: its `counter` less `fq_flush_finish_cnt`, and one more. */
    flushes_to_wait_for: counter(4),
  },
  /** Entry of a group's list. */
  group_device: {
    dev: ref("device"),
    /** The device is being reset: it is on the group's blocking domain, whatever the group is on. */
    blocked: flag(),
    /** Calls of pci_dev_reset_iommu_prepare() that pci_dev_reset_iommu_done() has not answered. */
    reset_depth: counter(3),
  },
  /** An id of `iommu_group_ida`, and with it the name of a directory in sysfs. */
  group_id: {
    allocated: flag(),
  },
  /** The string that kobject_init_and_add() allocates for a group. */
  kobject_name: {},
  iommu_group: {
    /** Null where ids are not modelled. */
    id: ref("group_id"),
    /** `kobj.name`. */
    name: ref("kobject_name"),
    /** Its directory is there; only where ids are modelled. */
    in_sysfs: flag(),
    mutex: mutex(),
    /** References through `devices_kobj`, which in turn holds the group. */
    devices_kobj: refcount(15),
    devices: list("group_device", 4).guardedBy("mutex"),
    /** The list of a bus walk that will set up its default domain. */
    entry: ref("group_list").guardedBy("mutex"),
    default_domain: ref("iommu_domain").guardedBy("mutex"),
    blocking_domain: ref("iommu_domain").guardedBy("mutex"),
    domain: ref("iommu_domain").guardedBy("mutex"),
    /** The chain of who listens to what happens to the group's devices, and its lock, which is a rwsem in the C; until v5.19. */
    notifier: list("vfio_group", 1).guardedBy("notifier_rwsem"),
    notifier_rwsem: mutex(),
    owner: ref("vfio_group").guardedBy("mutex"),
    owner_cnt: counter(4).guardedBy("mutex"),
    /** Until b296ca1fb43a: one of its devices is being reset, and is on this domain. */
    resetting_domain: ref("iommu_domain").guardedBy("mutex"),
    /** How many of its devices are being reset. */
    recovery_cnt: counter(3).guardedBy("mutex"),
    /** `pasid_array`: the entry of IOMMU_NO_PASID, which is there only for a handle. Page faults read it without the mutex. */
    handle: ref("iommu_attach_handle"),
    /** And that of the one PASID of the scenario: its domain, and its handle if it has one. */
    pasid_entry: enumeration("empty", "reserved", "present"),
    pasid_domain: ref("iommu_domain"),
    pasid_handle: ref("iommu_attach_handle"),
    /** The IOMMUs above its devices can enforce cache coherency (Intel's snoop control). Decides which domains VFIO can share. */
    can_snoop: flag(),
  },
  /** What a user of an attachment keeps with it, from one attach to one detach. */
  iommu_attach_handle: {
    domain: ref("iommu_domain"),
  },
  /** A process's memory, as far as devices share it. */
  mm_struct: {
    /** Users of the address space, which goes with the last. */
    mm_users: refcount(2),
    /** References on the structure: one for all of those, and one for each device's bond. */
    mm_count: refcount(3),
    pasid: ref("ioasid"),
  },
  /** The number of a PASID. */
  ioasid: {
    allocated: flag(),
    /** The address space that the device's context descriptor with that number is of. */
    cd: ref("mm_struct"),
  },
  /** A device that shares a process's address space. */
  arm_smmu_bond: {
    mm: ref("mm_struct"),
  },
  /** An open iommufd, and the objects that its user has numbered. */
  iommufd_ctx: {
    hwpt0: ref("iommufd_hw_pagetable"),
    hwpt1: ref("iommufd_hw_pagetable"),
    groups: list("iommufd_group", 2),
    /** The C passes the context itself as the owner of a group. */
    owner: ref("vfio_group"),
  },
  /** A domain that the user of an iommufd has allocated. */
  iommufd_hw_pagetable: {
    domain: ref("iommu_domain"),
    users: refcount(5),
    /** Ioctls that have it, and one for the number that the user knows it by. */
    wait_cnt: refcount(4),
    /** Until 6f9c4d8c468c: those ioctls, as readers of this semaphore. */
    destroy_rwsem: counter(3),
  },
  /** What an iommufd keeps with a group; `hwpt` and `devices` are the entry of IOMMU_NO_PASID of `pasid_attach`. */
  iommufd_group: {
    lock: mutex(),
    ref: refcount(3),
    group: ref("iommu_group"),
    hwpt: ref("iommufd_hw_pagetable").guardedBy("lock"),
    devices: setOf("device").guardedBy("lock"),
  },
  /** A device that is bound to an iommufd. */
  iommufd_device: {
    dev: ref("device"),
    ictx: ref("iommufd_ctx"),
    igroup: ref("iommufd_group"),
  },
  /** `group_list` on the stack of a bus_iommu_probe(); freed when it returns. */
  group_list: {
    groups: list("iommu_group", 64),
  },
  /** The `vfio` globals of vfio_main.c and container.c. */
  vfio: {
    group_lock: mutex(),
    group_list: list("vfio_group", 2).guardedBy("group_lock"),
    iommu_drivers_lock: mutex(),
  },
  vfio_group: {
    group_lock: mutex(),
    iommu_group: ref("iommu_group").guardedBy("group_lock"),
    container: ref("vfio_container").guardedBy("group_lock"),
    container_users: counter(3).guardedBy("group_lock"),
    opened_file: flag().guardedBy("group_lock"),
    /** References on the open file: the descriptor and every open device. */
    file: refcount(3),
    /** Devices of the group that are bound to a VFIO driver. */
    drivers: refcount(3),
    /** Devices that have left the group and are not unbound yet; until v5.19. */
    unbound_list: setOf("device"),
    /** References on the embedded struct device: `drivers` as a whole and the open character device. */
    dev: refcount(3),
  },
  vfio_device: {
    dev: ref("device"),
    group: ref("vfio_group"),
    /** 1 while registered, and one more for each open descriptor. */
    refcount: refcount(3),
  },
  vfio_container: {
    group_lock: mutex(),
    group_list: list("vfio_group", 2).guardedBy("group_lock"),
    /** Whether there is one; it can only be type1. Set before `iommu_data` and cleared before it, which who reads them without the lock can see. */
    iommu_driver: flag().guardedBy("group_lock"),
    iommu_data: ref("vfio_iommu").guardedBy("group_lock"),
    kref: refcount(4),
  },
  vfio_iommu: {
    lock: mutex(),
    domain_list: list("vfio_domain", 2).guardedBy("lock"),
    /** The user's one range is pinned; of containers with a mediated device `dma_list` says more. */
    dma: flag().guardedBy("lock"),
    /** `emulated_iommu_groups` is not empty: there is a mediated device without an IOMMU. */
    has_emulated_group: flag().guardedBy("lock"),
    dma_list: list("vfio_dma", 2).guardedBy("lock"),
  },
  vfio_dma: {
    /** The C has no such pointer; it says whose lock guards the rest. */
    iommu: ref("vfio_iommu").ghost(),
    iommu_mapped: flag().guardedBy("iommu.lock"),
    pinned: flag().guardedBy("iommu.lock"),
  },
  vfio_domain: {
    /** The C has no such pointer; it says whose lock guards the rest. */
    iommu: ref("vfio_iommu").ghost(),
    domain: ref("iommu_domain").guardedBy("iommu.lock"),
    group_list: list("iommu_group", 2).guardedBy("iommu.lock"),
    enforce_cache_coherency: flag().guardedBy("iommu.lock"),
  },
});

abstraction(
  "where pages and IOVAs are not modelled, a page table holds at most one page of each device's driver, one of its firmware and one of the user, and what an unmap or an attach has taken away is out of reach at once",
  "may miss a bug",
);
abstraction("where they are, a domain has two IOVAs, whose two entries fill a page of its page table", "may miss a bug");
abstraction("a device has at most one PASID, 1, and PASID 0 stands for DMA without one", "may miss a bug");
abstraction("modules are never unloaded; their references are not counted", "may miss a bug");
abstraction("a struct device is never freed: who uses one that has been removed is not noticed for that alone", "may miss a bug");

export type Device = View<typeof linux, "device">;
export type DeviceDriver = View<typeof linux, "device_driver">;
export type BusType = View<typeof linux, "bus_type">;
export type IommuOps = View<typeof linux, "iommu_ops">;
export type IommuTableGroup = View<typeof linux, "iommu_table_group">;
export type IommuDevice = View<typeof linux, "iommu_device">;
export type DevIommu = View<typeof linux, "dev_iommu">;
export type DevIommuPriv = View<typeof linux, "dev_iommu_priv">;
export type ListHead = View<typeof linux, "list_head">;
export type RequesterId = View<typeof linux, "requester_id">;
export type IommuFwspec = View<typeof linux, "iommu_fwspec">;
export type Page = View<typeof linux, "page">;
export type DomainId = View<typeof linux, "domain_id">;
export type GroupId = View<typeof linux, "group_id">;
export type IommuDmaCookie = View<typeof linux, "iommu_dma_cookie">;
export type IovaFq = View<typeof linux, "iova_fq">;
export type IommuDomain = View<typeof linux, "iommu_domain">;
export type S390DomainDevice = View<typeof linux, "s390_domain_device">;
export type GroupDevice = View<typeof linux, "group_device">;
export type IommuGroup = View<typeof linux, "iommu_group">;
export type IommuAttachHandle = View<typeof linux, "iommu_attach_handle">;
export type MmStruct = View<typeof linux, "mm_struct">;
export type Ioasid = View<typeof linux, "ioasid">;
export type ArmSmmuBond = View<typeof linux, "arm_smmu_bond">;
export type IommufdCtx = View<typeof linux, "iommufd_ctx">;
export type IommufdHwPagetable = View<typeof linux, "iommufd_hw_pagetable">;
export type IommufdGroup = View<typeof linux, "iommufd_group">;
export type IommufdDevice = View<typeof linux, "iommufd_device">;
export type GroupList = View<typeof linux, "group_list">;
export type VfioGroup = View<typeof linux, "vfio_group">;
export type VfioDevice = View<typeof linux, "vfio_device">;
export type VfioContainer = View<typeof linux, "vfio_container">;
export type VfioIommu = View<typeof linux, "vfio_iommu">;
export type VfioDma = View<typeof linux, "vfio_dma">;
export type VfioDomain = View<typeof linux, "vfio_domain">;

export type DomainType = IommuDomain["type"];

// A view names a place and holds no data, so those of the kernel's globals may stand at module level.
export const driver_core = linux.struct("driver_core").view(0) as unknown as View<typeof linux, "driver_core">;
export const iommu_core = linux.struct("iommu_core").view(0) as unknown as View<typeof linux, "iommu_core">;
export const vfio = linux.struct("vfio").view(0) as unknown as View<typeof linux, "vfio">;
