/** Small machines that boot: the order of what the initcalls do is the scenario's, or that of concurrent threads. */
import { applied, choose, list_add_tail, type Proc, type Scenario, scenario, type Thread, thread } from "iommu-mc";
import {
  arm_get_dma_map_ops,
  arm_iommu_attach_device,
  arm_iommu_create_mapping,
  arm_iommu_detach_device,
  arm_iommu_release_mapping,
} from "./arm-dma-mapping.js";
import { __iommu_dma_init } from "./dma-mapping.js";
import { create_device, device_del, driver_register } from "./driver-core.js";
import { bus_set_iommu, probe_iommu } from "./iommu-bus.js";
import { attach_and_detach, hardware, unmap_and_free } from "./rockchip-iommu.js";
import { arm64, type BusType, type Device, type IommuOps, type RkIommu } from "./schema.js";

export interface Arm64Device {
  readonly name: string;
  /** Default "platform". */
  readonly bus?: BusType["kind"];
  /** Number of the kind of IOMMU it is behind; null for none. Default 0. */
  readonly iommu?: number | null;
  /** Number of the one IOMMU of that kind, where contexts are counted. */
  readonly smmu?: number;
  /** The device whose requester id it uses, and whose group it is to share. */
  readonly alias?: string;
  /** The device that has its id although nobody puts them into one group. */
  readonly twin?: string;
  readonly coherent?: boolean;
  readonly cannotBeAdded?: boolean;
  /** It is on its bus from the beginning. */
  readonly present?: boolean;
}

export interface Arm64Iommu {
  readonly name: string;
  /** What it does with a device that it has not seen. Default "refuses". */
  readonly ungrouped?: IommuOps["ungrouped"];
  /** Its driver finds the groups of platform devices itself. Default false. */
  readonly findsGroups?: boolean;
  /** Default true. */
  readonly dmaDomains?: boolean;
  /** Its driver may fail to make a domain. Default false. */
  readonly canRunOut?: boolean;
}

export interface Arm64Objects {
  device(name: string): Device;
  bus(kind: BusType["kind"]): BusType;
  iommu(number: number): IommuOps;
}

export interface Arm64Options {
  readonly name: string;
  readonly describes: string;
  readonly devices: readonly Arm64Device[];
  readonly iommus: readonly Arm64Iommu[];
  /** Free contexts of each IOMMU, where they are counted. */
  readonly contexts?: readonly number[];
  readonly faults?: number;
  readonly threads: (objects: Arm64Objects) => readonly Thread[];
}

/** A scenario on such a machine, all of whose threads come to their end. Throws if a name is not that of a device. */
export function arm64Scenario(options: Arm64Options): Scenario {
  const { name, describes, faults = 0 } = options;
  const count = options.devices.length;
  return scenario(arm64, name, {
    describes,
    faults,
    terminates: true,
    pools: {
      device: count,
      iommu_group: 2 * count,
      group_device: 2 * count,
      iommu_domain: 3 * count,
      iommu_dma_notifier_data: count,
      dma_iommu_mapping: count,
    },
    setup(make) {
      make("dma_mapping", "dma_mapping");
      make("driver_core", "driver_core");
      const buses = (["platform", "pci"] as const).map((kind) => make("bus_type", kind, { kind }));
      const iommus = options.iommus.map((each) =>
        make("iommu_ops", each.name, {
          ungrouped: each.ungrouped ?? "refuses",
          finds_groups: each.findsGroups ?? false,
          has_dma_domains: each.dmaDomains ?? true,
          can_run_out: each.canRunOut ?? false,
        }),
      );
      const smmus = (options.contexts ?? []).map((contexts, number) => make("smmu", `smmu${number}`, { contexts }));
      const devices = new Map<string, Device>();
      const device = (wanted: string) => found(devices.get(wanted), wanted);
      const bus = (kind: BusType["kind"]) =>
        found(
          buses.find((each) => each.kind === kind),
          kind,
        );
      const iommu = (number: number) => found(iommus[number], `iommu ${number}`);
      for (const each of options.devices) {
        const behind = each.iommu === undefined ? 0 : each.iommu;
        const dev = make("device", each.name, {
          bus: bus(each.bus ?? "platform"),
          dma_coherent: each.coherent ?? false,
          cannot_be_added: each.cannotBeAdded ?? false,
          iommus: behind === null ? null : iommu(behind),
        });
        if (each.smmu !== undefined) dev.smmu = found(smmus[each.smmu], `smmu${each.smmu}`);
        if (each.present) addToBus(dev);
        if (each.alias !== undefined) dev.alias = device(each.alias);
        if (each.twin !== undefined) {
          dev.twin = device(each.twin);
          dev.twin.twin = dev;
        }
        devices.set(each.name, dev);
      }
      return [...options.threads({ device, bus, iommu })];
    },
  });
}

/** Two IOMMUs of which one translates with a domain in which a page is mapped, and devices behind both that do DMA. */
export function spanningScenario(name: string): Scenario {
  return scenario(arm64, name, {
    describes: "vop1's device comes to the domain of vop0's and goes, while a driver unmaps a buffer; both do DMA",
    terminates: true,
    setup(make) {
      const page = make("page", "buffer");
      const domain = make("iommu_domain", "shared", { pte: page });
      const [listed, other] = ["vop0", "vop1"].map((iommu) => make("rk_iommu", iommu)) as [RkIommu, RkIommu];
      listed.dte_addr = domain;
      list_add_tail(listed, domain.iommus);
      return [
        thread("vop", attach_and_detach, domain, other),
        thread("drm", unmap_and_free, domain),
        thread("dma0", hardware, listed),
        thread("dma1", hardware, other),
      ];
    },
  });
}

function addToBus(dev: Device): void {
  dev.on_bus = true;
  list_add_tail(dev, dev.bus!.klist_devices);
}

function found<Wanted>(value: Wanted | undefined, name: string): Wanted {
  if (value === undefined) throw new Error(`${name} is not in this scenario`);
  return value;
}

/** What an initcall does: make a device, set arm64's DMA ops up, register the IOMMU's driver, register the devices' driver. */
type Call = "device" | "dma" | "iommu" | "driver";

/** One thread of initcalls, in the order given; all devices are made at the first "device", but the last at a second. */
export function* do_initcalls(bus: BusType, ops: IommuOps, first: Device, second: Device | null, order: string): Proc {
  let dev: Device | null = first;
  for (const call of order.split(" ") as Call[]) {
    if (call !== "device") yield* do_initcall(call, bus, ops);
    else if (dev !== null) {
      yield* create_device(dev);
      dev = dev === first ? second : null;
    }
    yield;
  }
}

/** The same calls in any order, each as often as it is named. */
export function* do_initcalls_in_any_order(bus: BusType, ops: IommuOps, first: Device, second: Device | null, calls: string): Proc {
  let dev: Device | null = first;
  let left = calls.split(" ") as Call[];
  while (left.length > 0) {
    const call: Call = choose("initcall", distinct(left));
    left = without(left, call);
    if (call !== "device") yield* do_initcall(call, bus, ops);
    else if (dev !== null) {
      yield* create_device(dev);
      dev = dev === first ? second : null;
    }
    yield;
  }
}

function distinct(calls: readonly Call[]): Call[] {
  return calls.filter((call, position) => calls.indexOf(call) === position);
}

/** All but the first of them. */
function without(calls: readonly Call[], done: Call): Call[] {
  const place = calls.indexOf(done);
  return calls.filter((_, position) => position !== place);
}

function* do_initcall(call: Exclude<Call, "device">, bus: BusType, ops: IommuOps): Proc {
  if (call === "dma") yield* __iommu_dma_init(bus);
  else if (call === "iommu") yield* probe_iommu(bus, ops);
  else yield* driver_register(bus);
}

/** Two kinds of IOMMU on one bus, and a device behind each. */
export function* boot_two_kinds(bus: BusType, first: IommuOps, second: IommuOps, ofFirst: Device, ofSecond: Device): Proc {
  if (!applied("arch-arm")) yield* __iommu_dma_init(bus);
  yield;
  yield* bus_set_iommu(bus, first);
  yield;
  yield* bus_set_iommu(bus, second);
  yield;
  yield* create_device(ofFirst);
  yield;
  yield* create_device(ofSecond);
  yield;
  yield* driver_register(bus);
}

/** A platform device and a PCI device behind one IOMMU, whose driver is there when they come. */
export function* boot_two_buses(platform: BusType, pci: BusType, ops: IommuOps, ofPlatform: Device, ofPci: Device): Proc {
  yield* __iommu_dma_init(platform);
  yield;
  yield* bus_set_iommu(pci, ops);
  yield;
  yield* probe_iommu(platform, ops);
  yield;
  yield* create_device(ofPlatform);
  yield;
  yield* create_device(ofPci);
  yield;
  yield* driver_register(platform);
  yield;
  yield* driver_register(pci);
}

/** Two devices come, and the second is taken away. */
export function* replug(bus: BusType, ops: IommuOps, first: Device, second: Device): Proc {
  yield* bus_set_iommu(bus, ops);
  yield;
  yield* create_device(first);
  yield;
  yield* create_device(second);
  yield;
  yield* device_del(second);
}

/** On arm the driver of a device puts it on a mapping of its own for a while. arch_setup_dma_ops() has given it the ops of its coherence. */
export function* use_after_boot(bus: BusType, ops: IommuOps, dev: Device): Proc {
  addToBus(dev);
  dev.dma_ops = arm_get_dma_map_ops(dev.dma_coherent);
  yield;
  yield* bus_set_iommu(bus, ops);
  yield;
  yield* use_own_mapping(dev);
}

function* use_own_mapping(dev: Device): Proc {
  const mapping = yield* arm_iommu_create_mapping(dev.bus!);
  if (mapping === null) return;
  yield;
  const err = yield* arm_iommu_attach_device(dev, mapping);
  yield;
  if (!err) yield* arm_iommu_detach_device(dev);
  yield;
  arm_iommu_release_mapping(mapping);
}
