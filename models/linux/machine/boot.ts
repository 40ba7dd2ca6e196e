/** Small machines for what happens before devices are in use: IOMMUs that register, devices that come, go and are bound. */
import { kref_init, list_add_tail, type Scenario, scenario, type Thread } from "iommu-mc";
import { knowsRequesterIds } from "../iommu-drivers/hardware.js";
import {
  type BusType,
  type Device,
  type DeviceDriver,
  type DomainType,
  type IommuDevice,
  type IommuDomain,
  type IommufdCtx,
  type IommuGroup,
  type IommuOps,
  type IommuTableGroup,
  iommu_core,
  linux,
  type MmStruct,
  type Page,
  type RequesterId,
  type VfioGroup,
} from "../schema.js";
import {
  addToBus,
  bindManaged,
  bindNative,
  bindVfio,
  found,
  hasFwspecs,
  type Kernel,
  type KernelOptions,
  type LinuxMake,
  makeDefaultDomain,
  makeGroup,
  makeKernel,
  makeProbed,
  makeTableGroup,
  makeVfioGroup,
  putBehind,
  registerNotifiers,
  staticDomains,
} from "./build.js";

export interface BootDevice {
  readonly name: string;
  /** Default "pci". */
  readonly bus?: BusType["kind"];
  /** Number of the IOMMU it is behind; null for none. Default 0. */
  readonly iommu?: number | null;
  /** Bridge above it from which no ACS keeps it apart. */
  readonly upstream?: string;
  /** Devices with which it shares its requester id. */
  readonly aliases?: readonly string[];
  /** Of a conventional bridge under `intel_legacy` and `intel_scalable`: the requester id with which DMA from behind it arrives. */
  readonly secondaryId?: string;
  /** Of a pSeries: its table group. */
  readonly tableGroup?: string;
  readonly untrusted?: boolean;
  /** Of a kind that its IOMMU's driver wants untranslated. */
  readonly needsIdentity?: boolean;
  readonly resvDirect?: boolean;
  /** Whether it has the one PASID of the scenario, no PASIDs, or fewer than that. Default "none". */
  readonly pasids?: "enough" | "too few" | "none";
  /** At the start: not there, on its bus but not probed, or in its group. */
  readonly state: "absent" | "added" | "probed";
  /** Group of a device that is probed. Default: one of its own, called after it. */
  readonly group?: string;
  /** Driver that matches it. Default none. */
  readonly driver?: string;
  /** That driver is bound at the start. */
  readonly bound?: boolean;
}

export interface BootDriver {
  readonly name: string;
  readonly kind: DeviceDriver["kind"];
  /** Default true. */
  readonly registered?: boolean;
  /** It manages DMA ownership itself. Default: every driver but a native one. */
  readonly managed?: boolean;
  /** Its probe may ask to be tried again. Default no. */
  readonly defers?: boolean;
  /** A managed resource stops its device's DMA, and not its remove(). Default no. */
  readonly stopsByDevres?: boolean;
}

/** The objects a scenario's threads are given. */
export interface BootObjects {
  readonly ops: IommuOps;
  /** Those of `otherIommu`; the same where there is none. */
  readonly otherOps: IommuOps;
  iommu(number: number): IommuDevice;
  device(name: string): Device;
  driver(name: string): DeviceDriver;
  bus(kind: BusType["kind"]): BusType;
  group(name: string): IommuGroup;
  tableGroup(name: string): IommuTableGroup;
  /** A pointer that claims ownership and is no VFIO group in use; see `owners` of the options. */
  owner(number: number): VfioGroup;
  /** The memory of a process; see `processes` of the options. */
  mm(number: number): MmStruct;
  /** See `iommufds` of the options. */
  iommufd(number: number): IommufdCtx;
  page(number: number): Page;
}

/** Structs of which a scenario may need more than its devices and users take. */
type Pool =
  | "iommu_group"
  | "iommu_domain"
  | "group_device"
  | "dev_iommu"
  | "dev_pasid_info"
  | "iommu_attach_handle"
  | "iommu_fwspec"
  | "dev_iommu_priv"
  | "vfio_group"
  | "vfio_device"
  | "vfio_container"
  | "vfio_iommu"
  | "vfio_dma"
  | "vfio_domain";

export interface BootOptions extends KernelOptions {
  readonly name: string;
  readonly describes: string;
  readonly devices: readonly BootDevice[];
  readonly drivers?: readonly BootDriver[];
  /** Table groups of a pSeries, each with its group; without one where that is still to be made. */
  readonly tableGroups?: readonly { readonly name: string; readonly group?: string }[];
  /** Type of the default domains of groups that exist; "none" for groups without. Default: the kernel's default type. */
  readonly defaultDomain?: DomainType | "none";
  /** Pages that are mapped at times, where domain ids are modelled. Default one. */
  readonly pages?: number;
  /** A VFIO user maps a page of its own. */
  readonly userPage?: boolean;
  readonly faults?: number;
  /** Every thread is expected to come to its end. Default no. */
  readonly terminates?: boolean;
  /** VFIO listens to what happens to the groups it has at the start, in designs where it ever does. Default no. */
  readonly groupNotifiers?: boolean;
  /** Processes that use VFIO. Default 0. */
  readonly users?: number;
  /** Users of the ownership interface other than VFIO. Default 0. */
  readonly owners?: number;
  /** Processes that have an iommufd open, with two page tables. Default 0. */
  readonly iommufds?: number;
  /** Processes whose memory devices may share. Default 0. */
  readonly processes?: number;
  /** Slots beyond what the devices and users need. */
  readonly more?: Partial<Record<Pool, number>>;
  readonly threads: (objects: BootObjects) => readonly Thread[];
}

/** A scenario on such a machine. Throws if a name is not that of a device, driver or group. */
export function bootScenario(options: BootOptions): Scenario {
  const { devices, more = {}, users = 0, owners = 0, iommufds = 0, processes = 0 } = options;
  const onVfio = devices.filter(({ driver, bound }) => bound && isVfio(options, driver));
  const slots = (struct: Pool, number: number) => number + (more[struct] ?? 0);
  return scenario(linux, options.name, {
    describes: options.describes,
    setting: settingOf(options),
    faults: options.faults ?? 0,
    terminates: options.terminates === true,
    pools: {
      iommu_group: slots("iommu_group", devices.length),
      // Default and blocking domain of each group; one more while a default domain is changed; for each user one in place and one being tried; the tables of a crashed kernel.
      iommu_domain: slots(
        "iommu_domain",
        2 * devices.length +
          1 +
          2 * users +
          2 * iommufds +
          (options.kdump === true ? 1 : 0) +
          (options.releaseDomain === true || knowsRequesterIds(options.iommu) ? 1 : 0) +
          staticDomains(options.iommu),
      ),
      group_device: slots("group_device", devices.length),
      kobject_name: options.groupIds === true ? 3 : 0,
      group_list: options.iommus,
      dev_iommu: slots("dev_iommu", devices.length),
      // Where a device has PASIDs: an entry for each, and a handle for each domain of a user.
      dev_pasid_info: slots("dev_pasid_info", 0),
      iommu_attach_handle: slots("iommu_attach_handle", 2 * iommufds),
      mm_struct: processes,
      ioasid: processes > 0 ? 1 : 0,
      arm_smmu_bond: processes,
      iommufd_ctx: iommufds,
      iommufd_hw_pagetable: 2 * iommufds,
      iommufd_group: 2 * iommufds,
      iommufd_device: 2 * iommufds,
      dev_iommu_priv: slots("dev_iommu_priv", devices.length),
      iommu_fwspec: hasFwspecs(options.iommu) ? slots("iommu_fwspec", devices.length) : 0,
      s390_domain_device: options.iommu === "s390_iommu" ? 3 * devices.length : 0,
      ...(knowsRequesterIds(options.iommu) ? tablePools(devices.length, users) : {}),
      vfio_group: slots("vfio_group", new Set(onVfio.map(({ name, group = name }) => group)).size + owners + iommufds),
      vfio_device: slots("vfio_device", onVfio.length),
      vfio_container: slots("vfio_container", users),
      vfio_iommu: slots("vfio_iommu", users),
      vfio_dma: slots("vfio_dma", 0),
      vfio_domain: slots("vfio_domain", users),
      ...(options.domainIds === undefined
        ? {}
        : pagePools(2 * devices.length + 1, (options.pages ?? 1) + (options.userPage === true ? 1 : 0))),
    },
    setup: (make) => options.threads(build(make, options)),
  });
}

function isVfio({ drivers = [] }: BootOptions, driver: string | undefined): boolean {
  return drivers.some(({ name, kind }) => name === driver && kind === "vfio_pci");
}

/** What there is of page tables, IOVAs and flush queues where there are that many domains. */
function pagePools(domains: number, pages: number) {
  return {
    page: pages + domains,
    iommu_domain_info: domains,
    iommu_dma_cookie: domains,
    iova_fq: 2 * domains,
  };
}

/** What Intel's driver allocates where its tables are modelled: links of devices, heads of domains, PASID tables. */
function tablePools(devices: number, users: number) {
  return { list_head: 3 * devices + 2 + 2 * users, pasid_table: devices };
}

/** A device does DMA with its own requester id, and one behind a conventional bridge with an id of the bridge's too. */
function giveRequesterIds(make: LinuxMake, declared: readonly BootDevice[], devices: ReadonlyMap<string, Device>): void {
  const secondary = new Map<string, RequesterId>();
  for (const { name, secondaryId } of declared) {
    if (secondaryId !== undefined) secondary.set(name, make("requester_id", secondaryId, { owner: found("device", devices, name) }));
  }
  for (const { name, upstream } of declared) {
    const dev = found("device", devices, name);
    list_add_tail(make("requester_id", `rid-${name}`, { owner: dev }), dev.requester_ids);
    const ofBridge = upstream === undefined ? undefined : secondary.get(upstream);
    if (ofBridge !== undefined) list_add_tail(ofBridge, dev.requester_ids);
  }
}

function settingOf({ iommu, iommus, registered, devices, kdump }: BootOptions): string {
  const count = (state: BootDevice["state"], what: string) => {
    const number = devices.filter((dev) => dev.state === state).length;
    return number === 0 ? [] : [`${number} ${number === 1 ? "device" : "devices"} ${what}`];
  };
  return [
    iommu,
    `${registered} of ${iommus} ${iommus === 1 ? "IOMMU" : "IOMMUs"} registered`,
    ...count("probed", "probed"),
    ...count("added", "on its bus"),
    ...count("absent", "to come"),
    ...(kdump === true ? ["kdump kernel"] : []),
  ].join(", ");
}

function build(make: LinuxMake, options: BootOptions): BootObjects {
  const kernel = makeKernel(make, options);
  const drivers = new Map<string, DeviceDriver>();
  for (const { name, kind, registered, managed, defers, stopsByDevres } of options.drivers ?? []) {
    const driver = make("device_driver", name, {
      kind,
      driver_managed_dma: managed ?? kind !== "native",
      registered: registered ?? true,
      defers: defers === true,
      stops_by_devres: stopsByDevres === true,
    });
    drivers.set(name, driver);
  }
  const isPaged = options.domainIds !== undefined;
  const pages = Array.from({ length: isPaged ? (options.pages ?? 1) : 0 }, (_, number) => make("page", `page${number}`));
  const devices = new Map<string, Device>();
  for (const declared of options.devices) devices.set(declared.name, makeDevice(make, kernel, declared));
  for (const { name, upstream, aliases, driver } of options.devices) {
    const dev = found("device", devices, name);
    if (upstream !== undefined) dev.upstream = found("device", devices, upstream);
    for (const alias of aliases ?? []) dev.aliases.add(found("device", devices, alias));
    if (driver !== undefined) dev.match = found("driver", drivers, driver);
  }
  if (knowsRequesterIds(options.iommu)) giveRequesterIds(make, options.devices, devices);
  const groups = new Map<string, IommuGroup>();
  const tableGroups = makeTableGroups(make, kernel, options, devices, groups);
  for (const declared of options.devices) {
    if (declared.state === "probed") probe(make, kernel, options, declared, found("device", devices, declared.name), groups);
  }
  const vfioGroups = new Map<IommuGroup, VfioGroup>();
  for (const { name, driver = "", group = name } of options.devices.filter(({ bound }) => bound)) {
    bind(make, name, found("device", devices, name), found("driver", drivers, driver), {
      name: group,
      group: groups.get(group),
      vfioGroups,
    });
  }
  if (options.groupNotifiers === true) registerNotifiers();
  const owners = Array.from({ length: options.owners ?? 0 }, (_, number) => make("vfio_group", `owner${number}`));
  const iommufds = Array.from({ length: options.iommufds ?? 0 }, (_, number) =>
    make("iommufd_ctx", `iommufd${number}`, { owner: make("vfio_group", `owner-iommufd${number}`) }),
  );
  const processes = Array.from({ length: options.processes ?? 0 }, (_, number) => makeProcess(make, `mm${number}`));
  if (processes.length > 0) iommu_core.ioasid = make("ioasid", "pasid1");
  if (options.userPage === true) iommu_core.user_page = make("page", "user_page");
  return {
    ops: kernel.ops,
    otherOps: kernel.otherOps ?? kernel.ops,
    iommu: (number) => found("IOMMU", kernel.iommus, number),
    device: (name) => found("device", devices, name),
    driver: (name) => found("driver", drivers, name),
    bus: (kind) => found("bus", kernel.buses, kind),
    group: (name) => found("group", groups, name),
    tableGroup: (name) => found("table group", tableGroups, name),
    owner: (number) => found("owner", owners, number),
    mm: (number) => found("process", processes, number),
    iommufd: (number) => found("iommufd", iommufds, number),
    page: (number) => found("page", pages, number),
  };
}

/** The memory of a process that runs, which binds nothing yet. */
function makeProcess(make: LinuxMake, name: string): MmStruct {
  const mm = make("mm_struct", name);
  kref_init(mm.mm_users);
  kref_init(mm.mm_count);
  return mm;
}

function makeDevice(make: LinuxMake, { buses, iommus }: Kernel, declared: BootDevice): Device {
  const { name, bus = "pci", iommu = 0, state } = declared;
  const dev = make("device", name, {
    bus: found("bus", buses, bus),
    untrusted: declared.untrusted === true,
    needs_identity: declared.needsIdentity === true,
    resv_direct: declared.resvDirect === true,
    max_pasids: { none: 0, "too few": 1, enough: 2 }[declared.pasids ?? "none"],
  });
  if (iommu !== null) putBehind(dev, found("IOMMU", iommus, iommu));
  if (state !== "absent") addToBus(dev);
  return dev;
}

/** The table groups of a pSeries, and their groups, in which there are no devices yet. */
function makeTableGroups(
  make: LinuxMake,
  { ops }: Kernel,
  { tableGroups = [], devices: declared }: BootOptions,
  devices: ReadonlyMap<string, Device>,
  groups: Map<string, IommuGroup>,
): ReadonlyMap<string, IommuTableGroup> {
  const made = new Map<string, IommuTableGroup>();
  for (const { name, group } of tableGroups) {
    const isInUse = declared.some(({ tableGroup, state }) => tableGroup === name && state === "probed");
    if (group !== undefined) groups.set(group, makeGroup(make, group, isInUse ? ops.default_domain : null));
    made.set(name, makeTableGroup(make, name, group === undefined ? null : found("group", groups, group)));
  }
  for (const { name, tableGroup } of declared) {
    if (tableGroup !== undefined) found("device", devices, name).table_group = found("table group", made, tableGroup);
  }
  return made;
}

/** Puts a device into its group, which the first of its devices makes. */
function probe(
  make: LinuxMake,
  { iommus }: Kernel,
  options: BootOptions,
  { name, iommu, group: groupName = name, resvDirect }: BootDevice,
  dev: Device,
  groups: Map<string, IommuGroup>,
): void {
  const type = options.defaultDomain ?? options.defaultType ?? "DMA";
  const itsIommu = found("IOMMU", iommus, iommu ?? 0);
  let group = groups.get(groupName);
  if (group === undefined) {
    group = makeGroup(make, groupName, makeDefaultDomain(make, `default-${groupName}`, itsIommu.ops!, type));
    groups.set(groupName, group);
  }
  const domain: IommuDomain | null = group.default_domain;
  makeProbed(make, name, dev, itsIommu, group, domain, options.probedBy612 === true);
  if (domain !== null && resvDirect === true) domain.direct_map.add(dev);
}

interface VfioGroups {
  readonly name: string;
  readonly group: IommuGroup | undefined;
  readonly vfioGroups: Map<IommuGroup, VfioGroup>;
}

function bind(make: LinuxMake, name: string, dev: Device, driver: DeviceDriver, { name: groupName, group, vfioGroups }: VfioGroups): void {
  if (driver.kind === "vfio_pci" && group !== undefined) {
    const vfioGroup = vfioGroups.get(group) ?? makeVfioGroup(make, `vfio-${groupName}`, group);
    vfioGroups.set(group, vfioGroup);
    bindVfio(make, name, dev, driver, vfioGroup);
  } else if (driver.driver_managed_dma) bindManaged(dev, driver);
  else bindNative(dev, driver);
}
