/** The objects a scenario starts with, made as the kernel would have made them. */
import { kref_get, kref_init, list_add, list_add_tail, type Make, refcount_read } from "iommu-mc";
import { iommu_is_dma_domain } from "../iommu/domain-type.js";
import { isIntel, knowsRequesterIds } from "../iommu-drivers/hardware.js";
import { drivers } from "../iommu-drivers/index.js";
import {
  type BusType,
  type Device,
  type DeviceDriver,
  type DomainType,
  type IommuDevice,
  type IommuDomain,
  type IommuGroup,
  type IommuOps,
  type IommuTableGroup,
  iommu_core,
  type linux,
  type VfioGroup,
  vfio,
} from "../schema.js";
import { enterTables, makeListHead } from "./requesters.js";

export type LinuxMake = Make<typeof linux>;
export type IommuDriver = IommuOps["driver"];

export interface KernelOptions {
  readonly iommu: IommuDriver;
  /** IOMMUs that exist; `ops` of the first `registered` are set. */
  readonly iommus: number;
  readonly registered: number;
  /** Buses beside PCI, which always exists: the platform bus, which comes first. Default none. */
  readonly platformBus?: boolean;
  /** A kernel that was started after a crash: every device is translated by the crashed kernel's tables until it is attached. */
  readonly kdump?: boolean;
  /** Devices may be deferred and tried again. Default no. */
  readonly deferral?: boolean;
  /** The driver core removes every driver once that it has probed, and probes it again. Default no. */
  readonly testRemove?: boolean;
  /** Model pages, IOVAs and an IOTLB with that many domain ids. Default not at all. */
  readonly domainIds?: number;
  /** Model the ids of groups, and how making a group fails. Default no. */
  readonly groupIds?: boolean;
  readonly defaultType?: "DMA" | "DMA_FQ" | "IDENTITY";
  /** Another driver, of which the last IOMMU is. Default none. */
  readonly otherIommu?: IommuDriver;
  /** A driver that has no default domains, as several of 6.1 on 32-bit ARM. */
  readonly noDefaultDomains?: boolean;
  /** The IOMMU's driver has a domain that devices are released on: its blocking domain. Default: a released device is on no domain. */
  readonly releaseDomain?: boolean;
  /** Under `intel_legacy` and `intel_scalable`: devices that are probed at the start are as 6.12.107 leaves them, and not 6.1.176. See requesters.ts. */
  readonly probedBy612?: boolean;
  /** SNP is enabled, which AMD's driver asks about. */
  readonly snp?: boolean;
}

export interface Kernel {
  readonly ops: IommuOps;
  readonly otherOps: IommuOps | null;
  readonly iommus: readonly IommuDevice[];
  readonly buses: ReadonlyMap<BusType["kind"], BusType>;
}

/** What the scenario has by that name or number. Throws if it has nothing of the kind. */
export function found<K, V>(what: string, things: { entries(): Iterable<[K, V]> }, key: K): V {
  const all = new Map(things.entries());
  const thing = all.get(key);
  if (thing === undefined) throw new Error(`the scenario has no ${what} ${key}; it has ${[...all.keys()].join(", ") || "none"}`);
  return thing;
}

/** Whether the IOMMU's driver is one of arm64, where the architecture sets up a device's DMA ops. The others are taken to be on x86. */
export function isOnArm64(iommu: IommuDriver): boolean {
  return iommu === "arm_smmu_v3" || iommu === "arm_smmu" || iommu === "mtk_iommu";
}

/** Whether the firmware's tables name a device's IOMMU, so that its driver finds it by an fwspec. */
export function hasFwspecs(iommu: IommuDriver): boolean {
  return isOnArm64(iommu) || iommu === "virtio_iommu";
}

/** Domains that exist without any group: Intel's identity domain, POWER's platform domain and its blocked one. */
export function staticDomains(iommu: IommuDriver): number {
  if (iommu === "spapr_tce") return 2;
  return isIntel(iommu) ? 1 : 0;
}

/** Globals, buses and IOMMUs. */
export function makeKernel(make: LinuxMake, options: KernelOptions): Kernel {
  make("iommu_core", "iommu_core", {
    def_domain_type: options.defaultType ?? "DMA",
    is_arm64: isOnArm64(options.iommu),
    has_fwspecs: hasFwspecs(options.iommu),
    is_kdump_kernel: options.kdump === true,
    has_iotlb: options.domainIds !== undefined,
    copied_tables: options.kdump === true ? make("iommu_domain", "crashed", { type: "COPIED" }) : null,
  });
  for (let id = 1; id <= (options.domainIds ?? 0); id++) list_add_tail(make("domain_id", `id${id}`), iommu_core.domain_ids);
  if (options.groupIds === true) for (const id of [0, 1, 2]) list_add_tail(make("group_id", `group_id${id}`), iommu_core.group_ids);
  make("driver_core", "driver_core", {
    driver_deferred_probe_enable: options.deferral === true,
    test_remove: options.testRemove === true,
  });
  make("vfio", "vfio");
  const ops = makeOps(make, options.iommu, { no_default_domains: options.noDefaultDomains === true, snp_en: options.snp === true });
  if (isIntel(options.iommu)) ops.si_domain = make("iommu_domain", "si_domain", { type: "IDENTITY", ops });
  if (knowsRequesterIds(options.iommu)) ops.si_domain!.devices = makeListHead(make, "si_domain.devices");
  if (options.iommu === "spapr_tce") {
    ops.default_domain = make("iommu_domain", "spapr_tce_platform_domain", { type: "PLATFORM", ops });
    ops.blocked_domain = make("iommu_domain", "spapr_tce_blocked_domain", { type: "BLOCKED", ops });
  }
  if (options.releaseDomain === true || knowsRequesterIds(options.iommu))
    ops.release_domain = make("iommu_domain", "blocking_domain", { type: "BLOCKED", ops });
  const otherOps = options.otherIommu === undefined ? null : makeOps(make, options.otherIommu, {});
  const isRegistered = options.registered > 0;
  const buses = new Map<BusType["kind"], BusType>();
  for (const kind of options.platformBus === true ? (["platform", "pci"] as const) : (["pci"] as const)) {
    const bus = make("bus_type", `${kind}_bus_type`, { kind, iommu_ops: isRegistered ? ops : null, has_iommu_notifier: isRegistered });
    list_add_tail(bus, iommu_core.buses);
    buses.set(kind, bus);
  }
  const iommus = Array.from({ length: options.iommus }, (_, number) => {
    const isOn = number < options.registered;
    const itsOps = otherOps !== null && number === options.iommus - 1 ? otherOps : ops;
    const iommu = make("iommu_device", `iommu${number}`, { ops: isOn ? itsOps : null, is_bound: isOn, ready: isOn });
    if (isOn) list_add_tail(iommu, iommu_core.device_list);
    return iommu;
  });
  return { ops, otherOps, iommus, buses };
}

function makeOps(
  make: LinuxMake,
  driver: IommuDriver,
  fields: { readonly no_default_domains?: boolean; readonly snp_en?: boolean },
): IommuOps {
  const { detach_dev, flush_iotlb_all } = drivers[driver];
  return make("iommu_ops", driver, {
    driver,
    detach_dev: detach_dev !== undefined,
    flush_iotlb_all: flush_iotlb_all !== undefined,
    ...fields,
  });
}

/** Puts a device onto its bus, ready for a driver, as device_add() does. */
export function addToBus(dev: Device): void {
  dev.on_bus = true;
  dev.ready_to_probe = true;
  list_add_tail(dev, dev.bus!.klist_devices);
}

/** A device behind an IOMMU, which the firmware's tables name or those of the IOMMU's driver. */
export function putBehind(dev: Device, iommu: IommuDevice): void {
  if (iommu_core.has_fwspecs) dev.iommus = iommu;
  dev.scope = iommu;
  dev.hw = iommu_core.copied_tables;
  if (hasContextCache(iommu)) dev.cached_context = iommu_core.copied_tables;
}

/** Of what a crashed kernel leaves in the caches, that of VT-d's contexts is modelled; AMD's driver flushes at every attach. */
function hasContextCache({ ops }: IommuDevice): boolean {
  return ops !== null && ops.driver === "intel_iommu";
}

/**
 * What probing has left of a device that is on `domain` (null: it is blocked): `dev->iommu`, its driver's data, its place in
 * the group. In a kdump kernel its attach was deferred. `isOf612` is for VT-d's tables, see requesters.ts. Kernels that do not know `attach_deferred` and `require_direct` never look at them.
 */
export function makeProbed(
  make: LinuxMake,
  name: string,
  dev: Device,
  iommu: IommuDevice,
  group: IommuGroup,
  domain: IommuDomain | null,
  isOf612 = false,
): void {
  const fwspec = iommu_core.has_fwspecs ? make("iommu_fwspec", `fwspec-${name}`, { ops: iommu.ops, has_ids: true }) : null;
  const isDeferred = iommu_core.is_kdump_kernel;
  const priv =
    iommu.ops!.driver === "spapr_tce"
      ? null
      : make("dev_iommu_priv", `priv-${name}`, { dev, domain: isDeferred ? null : domain, attach_deferred: isDeferred });
  if (iommu.ops!.driver === "amd_iommu") dev.dev_data = priv;
  dev.iommu = make("dev_iommu", `dev_iommu-${name}`, {
    fwspec,
    iommu_dev: iommu,
    priv,
    attach_deferred: isDeferred,
    require_direct: dev.resv_direct,
  });
  if (!isDeferred) {
    dev.hw = domain;
    if (domain !== null) {
      domain.attached_before.add(dev);
      if (iommu.ops!.driver === "virtio_iommu") domain.nr_endpoints++;
      if (iommu_core.has_iotlb && !(isOf612 && domain.type === "IDENTITY")) giveId(make, domain);
    }
  }
  if (knowsRequesterIds(iommu.ops!.driver)) enterTables(make, name, dev, domain, isOf612);
  dev.iommu_group = group;
  list_add_tail(make("group_device", `group_device-${name}`, { dev }), group.devices);
  if (refcount_read(group.devices_kobj) === 0) kref_init(group.devices_kobj);
  else kref_get(group.devices_kobj);
  if (!iommu_core.is_arm64) setUpDmaOps(dev, domain);
}

/** arm64 sets up the DMA ops of a device when a driver is bound to it, others when it is probed. */
function setUpDmaOps(dev: Device, domain: IommuDomain | null): void {
  dev.has_iommu_dma_ops = domain !== null && iommu_is_dma_domain(domain);
}

/** Gives a domain that a device is attached to its id, as the IOMMU's driver does. */
function giveId(make: LinuxMake, domain: IommuDomain): void {
  const firstFree = () => {
    const id = [...iommu_core.domain_ids].find((each) => !each.allocated);
    if (id === undefined) throw new Error("the scenario has fewer domain ids than domains at the start");
    id.allocated = true;
    id.owner = domain;
    return id;
  };
  if (domain.ops!.driver === "amd_iommu") domain.dev_iommu++;
  if (!isIntel(domain.ops!.driver)) domain.asid ??= firstFree();
  else {
    domain.iommu_array ??= make("iommu_domain_info", "info", { did: firstFree() });
    domain.iommu_array.refcnt++;
  }
}

/** A table group of a pSeries with the default window, and with a group, which it has a reference on; without one its devices are still to come. */
export function makeTableGroup(make: LinuxMake, name: string, group: IommuGroup | null): IommuTableGroup {
  if (group !== null) kref_init(group.devices_kobj);
  return make("iommu_table_group", name, { group, has_default_window: true });
}

/** A group on its default domain; its devices will hold it. */
export function makeGroup(
  make: LinuxMake,
  name: string,
  domain: IommuDomain | null,
  fields: { readonly can_snoop?: boolean } = {},
): IommuGroup {
  return make("iommu_group", name, { default_domain: domain, domain, ...fields });
}

/** Binds a driver of its own to a device that was probed: it uses the DMA API, and has its buffer; in a kdump kernel it has mapped nothing yet. */
export function bindNative(dev: Device, driver: DeviceDriver): void {
  const domain = dev.iommu_group!.default_domain;
  if (iommu_core.is_arm64) setUpDmaOps(dev, domain);
  dev.driver = driver;
  dev.is_bound = true;
  dev.iommu_group!.owner_cnt++;
  dev.queue_up = true;
  dev.devres_map = dev.has_iommu_dma_ops && !iommu_core.is_kdump_kernel ? domain : null;
}

/** Binds a driver that manages DMA ownership itself, and does nothing here. */
export function bindManaged(dev: Device, driver: DeviceDriver): void {
  if (iommu_core.is_arm64 && dev.iommu_group !== null) setUpDmaOps(dev, dev.iommu_group.domain);
  dev.driver = driver;
  dev.is_bound = true;
}

/** The VFIO group of a group whose devices will be bound to vfio-pci: on the list, with a character device. */
export function makeVfioGroup(make: LinuxMake, name: string, iommu_group: IommuGroup): VfioGroup {
  const group = make("vfio_group", name, { iommu_group });
  kref_init(group.dev);
  list_add(group, vfio.group_list);
  kref_get(iommu_group.devices_kobj);
  return group;
}

/** VFIO listens to what happens to its groups, as it did until v5.19. */
export function registerNotifiers(): void {
  for (const group of vfio.group_list) list_add_tail(group, group.iommu_group!.notifier);
}

/** Binds vfio-pci to a device of that group. */
export function bindVfio(make: LinuxMake, name: string, dev: Device, driver: DeviceDriver, group: VfioGroup): void {
  if (refcount_read(group.drivers) === 0) kref_init(group.drivers);
  else kref_get(group.drivers);
  const device = make("vfio_device", `vfio-device-${name}`, { dev, group });
  kref_init(device.refcount);
  bindManaged(dev, driver);
  dev.vfio_device = device;
}

/** A group's default domain; null of type "none". It has no owner, which only who attaches another domain is asked for. */
export function makeDefaultDomain(make: LinuxMake, name: string, ops: IommuOps, type: DomainType | "none"): IommuDomain | null {
  if (type === "none") return null;
  if (ops.default_domain !== null) return ops.default_domain;
  if (type === "IDENTITY" && ops.si_domain !== null) return ops.si_domain;
  const domain = make("iommu_domain", name, { type, ops });
  if (knowsRequesterIds(ops.driver)) domain.devices = makeListHead(make, `${name}.devices`);
  if (iommu_core.has_iotlb && iommu_is_dma_domain(domain)) {
    const queues = type === "DMA" ? {} : { fq_domain: domain, fq0: make("iova_fq", `fq0-${name}`), fq1: make("iova_fq", `fq1-${name}`) };
    domain.iova_cookie = make("iommu_dma_cookie", `cookie-${name}`, { is_initialised: true, ...queues });
  }
  return domain;
}
