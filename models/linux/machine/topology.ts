/** From a machine's topology to the objects of a scenario. */
import { kref_init, type Make, type Scenario, scenario, type Thread } from "iommu-mc";
import { drivers } from "../iommu-drivers/index.js";
import {
  type Device,
  type DeviceDriver,
  type DomainType,
  type IommuGroup,
  type IommuOps,
  linux,
  type VfioContainer,
  type VfioGroup,
} from "../schema.js";
import {
  addToBus,
  bindManaged,
  bindNative,
  bindVfio,
  found,
  isOnArm64,
  makeDefaultDomain,
  makeGroup,
  makeKernel,
  makeProbed,
  makeVfioGroup,
  putBehind,
  staticDomains,
} from "./build.js";

export interface TopologyDevice {
  /** Bus address: `0000:05:01.0`. */
  readonly name: string;
  /** Name of the driver that was bound; "" for none. */
  readonly driver: string;
  /** Whether that driver manages DMA ownership itself (`driver_managed_dma`: pcieport, pci-stub, vfio-pci). */
  readonly managed: boolean;
}

export interface TopologyGroup {
  readonly id: number;
  readonly devices: readonly TopologyDevice[];
}

/** IOMMU groups of a real machine, as far as a scenario keeps them. */
export interface Topology {
  readonly name: string;
  /** Where it was recorded. */
  readonly source: string;
  readonly groups: readonly TopologyGroup[];
  /** The IOMMU driver of the machine, where it is known. */
  readonly iommu?: IommuOps["driver"];
  /** What of the machine is not here, in words. */
  readonly leftOut: readonly string[];
}

/** The objects a scenario's threads are given. */
export interface Objects {
  group(id: number): IommuGroup;
  device(name: string): Device;
  /** A driver by name; `vfio-pci` and `pci-stub` always exist. */
  driver(name: string): DeviceDriver;
  /** A pointer that claims ownership and is no VFIO group in use; see `owners` of the options. */
  owner(number: number): VfioGroup;
  /** A container that a process has open from the start; see `containers` of the options. */
  container(number: number): VfioContainer;
  /** The VFIO group of a group with a device bound to vfio-pci. */
  vfioGroup(id: number): VfioGroup;
}

export interface OwnershipOptions {
  readonly name: string;
  readonly describes: string;
  readonly iommu: IommuOps["driver"];
  /** Devices bound to vfio-pci at the start; the others have the driver that was recorded. */
  readonly vfio: readonly string[];
  /** Devices with no driver at the start, although one was recorded. */
  readonly unbound?: readonly string[];
  /** Devices whose firmware does DMA of its own, which Intel's driver lets onto no user's domain. */
  readonly rmrrLocked?: readonly string[];
  /** Groups left out of the scenario. */
  readonly without?: readonly number[];
  /** Groups whose IOMMU cannot enforce cache coherency; VFIO gives them a domain of their own. */
  readonly withoutSnoop?: readonly number[];
  /** Type of the groups' default domains; "none" is a group that has none. Default DMA. */
  readonly defaultDomain?: DomainType | "none";
  /** Users of the ownership interface other than VFIO. Default 0. */
  readonly owners?: number;
  /** Containers open from the start. Default 0. */
  readonly containers?: number;
  /** VFIO users at work at the same time. Default 1. */
  readonly users?: number;
  /** vfio-pci is bound and unbound while the scenario runs, and VFIO groups come and go. */
  readonly vfioRebinds?: boolean;
  readonly faults?: number;
  readonly threads: (objects: Objects) => readonly Thread[];
}

/** Capacity of `iommu_group.devices` in the schema. */
const MOST_DEVICES = 4;

/** A scenario on a real machine's groups: IOMMU probing is over, the recorded drivers are bound, and `options` says who does what. */
export function ownershipScenario(topology: Topology, options: OwnershipOptions): Scenario {
  const { without = [], users = 1, containers = 0, owners = 0, unbound = [], rmrrLocked = [] } = options;
  const groups = topology.groups.filter(({ id }) => !without.includes(id));
  for (const { id, devices } of groups) {
    if (devices.length > MOST_DEVICES) {
      throw new Error(
        `${topology.name}: group ${id} has ${devices.length} devices; the schema has room for ${MOST_DEVICES}: leave some out`,
      );
    }
  }
  const lent = groups.flatMap(({ devices }) =>
    devices
      .filter(({ name, driver }) => options.vfio.includes(name) || (driver === "vfio-pci" && !unbound.includes(name)))
      .map(({ name }) => name),
  );
  const withVfio = groups.filter(({ devices }) => devices.some(({ name }) => lent.includes(name)));
  return scenario(linux, options.name, {
    describes: options.describes,
    setting: settingOf(options.iommu, groups),
    faults: options.faults ?? 0,
    pools: {
      iommu_group: groups.length,
      // Default and blocking domain of each group, and for each user one in place and one being tried. Whoever binds a
      // driver on arm64 may still look at one that is freed.
      iommu_domain: 2 * groups.length + 2 * users + (isOnArm64(options.iommu) ? 2 : 0) + staticDomains(options.iommu),
      // A process may still have a group open that its last driver has left, while a new one is made for the iommu_group.
      vfio_group: withVfio.length + (options.vfioRebinds ? users : 0) + owners,
      vfio_device: lent.length + (options.vfioRebinds ? users : 0),
      // A process that closes a container with a group in it may open another.
      vfio_container: containers > 0 ? containers : 2 * users,
      // Another thread of the process may still be looking at the one before.
      vfio_iommu: containers > 0 ? users + 1 : users,
      vfio_domain: users * Math.min(2, withVfio.length),
    },
    setup: (make) => options.threads(build(make, groups, options, { containers, owners, unbound, rmrrLocked, lent })),
  });
}

/** `intel_iommu (has detach_dev), group 16 of 4 devices`. */
function settingOf(iommu: OwnershipOptions["iommu"], groups: readonly TopologyGroup[]): string {
  const driver = `${iommu} (${drivers[iommu].detach_dev === undefined ? "no" : "has"} detach_dev)`;
  const sizes = groups.map(({ id, devices }) => `group ${id} of ${devices.length === 1 ? "1 device" : `${devices.length} devices`}`);
  return [driver, ...sizes].join(", ");
}

/** How it all starts, with the defaults filled in. */
interface Start {
  readonly containers: number;
  readonly owners: number;
  readonly unbound: readonly string[];
  readonly rmrrLocked: readonly string[];
  readonly lent: readonly string[];
}

function build(
  make: Make<typeof linux>,
  groups: readonly TopologyGroup[],
  options: OwnershipOptions,
  { containers, owners, unbound, rmrrLocked, lent }: Start,
): Objects {
  const { defaultDomain = "DMA", withoutSnoop = [] } = options;
  const { ops, iommus, buses } = makeKernel(make, { iommu: options.iommu, iommus: 1, registered: 1 });
  const iommu = found("IOMMU", iommus, 0);
  const bus = found("bus", buses, "pci");
  const drivers = new Map<string, DeviceDriver>();
  for (const { devices } of groups) {
    for (const { driver, managed } of devices) {
      if (driver !== "" && driver !== "vfio-pci" && driver !== "pci-stub" && !drivers.has(driver)) {
        drivers.set(driver, make("device_driver", driver, { kind: managed ? "stub" : "native", driver_managed_dma: managed }));
      }
    }
  }
  drivers.set("vfio-pci", make("device_driver", "vfio-pci", { kind: "vfio_pci", driver_managed_dma: true }));
  drivers.set("pci-stub", make("device_driver", "pci-stub", { kind: "stub", driver_managed_dma: true }));

  const madeGroups = new Map<number, IommuGroup>();
  const madeDevices = new Map<string, Device>();
  const madeVfioGroups = new Map<number, VfioGroup>();
  const vfioGroupOf = (id: number, group: IommuGroup): VfioGroup => {
    const made = madeVfioGroups.get(id) ?? makeVfioGroup(make, `vfio${id}`, group);
    madeVfioGroups.set(id, made);
    return made;
  };
  for (const { id, devices } of groups) {
    const domain = makeDefaultDomain(make, `default${id}`, ops, defaultDomain);
    const group = makeGroup(make, `group${id}`, domain, { can_snoop: !withoutSnoop.includes(id) });
    madeGroups.set(id, group);
    for (const { name, driver, managed } of devices) {
      const dev = make("device", name, { bus, rmrr_locked: rmrrLocked.includes(name) });
      madeDevices.set(name, dev);
      addToBus(dev);
      putBehind(dev, iommu);
      makeProbed(make, name, dev, iommu, group, domain);
      if (lent.includes(name)) {
        bindVfio(make, name, dev, found("driver", drivers, "vfio-pci"), vfioGroupOf(id, group));
      } else if (driver !== "" && !unbound.includes(name)) {
        const bind = managed ? bindManaged : bindNative;
        bind(dev, found("driver", drivers, driver));
      }
    }
  }
  const madeContainers = Array.from({ length: containers }, (_, number) => {
    const container = make("vfio_container", `container${number}`);
    kref_init(container.kref);
    return container;
  });
  const madeOwners = Array.from({ length: owners }, (_, number) => make("vfio_group", `owner${number}`));
  return {
    owner: (number) => found("owner", madeOwners, number),
    group: (id) => found("group", madeGroups, id),
    device: (name) => found("device", madeDevices, name),
    driver: (name) => found("driver", drivers, name),
    container: (number) => found("container", madeContainers, number),
    vfioGroup: (id) => found("VFIO group", madeVfioGroups, id),
  };
}
