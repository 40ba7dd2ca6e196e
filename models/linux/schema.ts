/**
 * The state of the ownership model: what the IOMMU core, the driver core, VFIO and the devices' drivers keep in
 * memory, and what the IOMMU hardware really uses for each device (`device.hw`).
 */
import { abstraction, counter, enumeration, flag, list, mutex, ref, refcount, schema, setOf, type View } from "iommu-mc";

export const linux = schema({
  device: {
    /** device_lock(): serialises bind and unbind. */
    lock: mutex(),
    driver: ref("device_driver").guardedBy("lock"),
    bus: ref("bus_type"),
    iommu_group: ref("iommu_group"),
    /** What the IOMMU translates this device's DMA with; null blocks everything. The driver's `info->domain` or `master->domain` is the same pointer. */
    hw: ref("iommu_domain").guardedBy("iommu_group.mutex"),
    /** Its firmware does DMA on its own to memory reserved for that (an RMRR), so Intel's driver refuses it other domains. */
    rmrr_locked: flag(),
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
  },
  bus_type: {
    iommu_ops: ref("iommu_ops"),
  },
  iommu_ops: {
    driver: enumeration("intel_iommu", "arm_smmu_v3"),
    /** Whether `default_domain_ops` has a `detach_dev`. */
    detach_dev: flag(),
  },
  iommu_domain: {
    type: enumeration("UNMANAGED", "BLOCKED", "DMA", "IDENTITY"),
    ops: ref("iommu_ops"),
    /** The user's one range is in this domain's page table. */
    user_map: flag(),
    /** Devices it was attached to successfully: attaching again may not fail (the contract of attach_dev). */
    attached_before: setOf("device").ghost(),
  },
  iommu_group: {
    mutex: mutex(),
    /** References through `devices_kobj`, which in turn holds the group. */
    devices_kobj: refcount(8),
    devices: list("device", 4).guardedBy("mutex"),
    default_domain: ref("iommu_domain"),
    blocking_domain: ref("iommu_domain").guardedBy("mutex"),
    domain: ref("iommu_domain").guardedBy("mutex"),
    owner: ref("vfio_group").guardedBy("mutex"),
    owner_cnt: counter(4).guardedBy("mutex"),
    /** The IOMMUs above its devices can enforce cache coherency (Intel's snoop control). Decides which domains VFIO can share. */
    can_snoop: flag(),
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
    /** `dma_list`: the user's one range is pinned. */
    dma: flag().guardedBy("lock"),
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
  "an IOMMU page table holds at most one page of each device's driver and one of the user; no partial mappings",
  "may miss a bug",
);
abstraction("the IOTLB is not modelled: what an unmap or an attach has taken away is out of reach at once", "may miss a bug");
abstraction(
  "probing of devices by the IOMMU core happened before the scenario starts; devices are neither added nor removed",
  "may miss a bug",
);
abstraction("modules are never unloaded; their references are not counted", "may miss a bug");

export type Device = View<typeof linux, "device">;
export type DeviceDriver = View<typeof linux, "device_driver">;
export type BusType = View<typeof linux, "bus_type">;
export type IommuOps = View<typeof linux, "iommu_ops">;
export type IommuDomain = View<typeof linux, "iommu_domain">;
export type IommuGroup = View<typeof linux, "iommu_group">;
export type VfioGroup = View<typeof linux, "vfio_group">;
export type VfioDevice = View<typeof linux, "vfio_device">;
export type VfioContainer = View<typeof linux, "vfio_container">;
export type VfioIommu = View<typeof linux, "vfio_iommu">;
export type VfioDomain = View<typeof linux, "vfio_domain">;

export type DomainType = IommuDomain["type"];

/** The global `vfio`. A view names a place and holds no data, so it may stand at module level. */
export const vfio = linux.struct("vfio").view(0) as unknown as View<typeof linux, "vfio">;
