/**
 * The machine of a recording, on which whatever was recorded can happen: each thread does one recorded call after the other, and it is
 * for who compares to choose which. What is no procedure of the model, the recording itself tells: which driver is bound to a device.
 */
import { abstraction, applied, choose, data_race, idle, list_add_tail, type Proc, type Scenario, thread } from "iommu-mc";
import { dma_cleanup, dma_configure } from "../driver-core/bus.js";
import {
  iommu_attach_device,
  iommu_attach_group,
  iommu_deferred_attach,
  iommu_detach_device,
  iommu_detach_group,
  iommu_domain_alloc,
  iommu_domain_free,
} from "../iommu/attach.js";
import { set_bus_ops } from "../iommu/bus-set-iommu.js";
import { iommu_group_store_type } from "../iommu/default-domain.js";
import {
  iommu_device_unuse_default_domain,
  iommu_device_use_default_domain,
  iommu_group_claim_dma_owner,
  iommu_group_release_dma_owner,
} from "../iommu/ownership.js";
import { iommu_bus_notifier, iommu_device_register, iommu_probe_device } from "../iommu/probe.js";
import { pci_dev_reset_iommu_done, pci_dev_reset_iommu_prepare } from "../iommu/reset.js";
import {
  type Device,
  type DeviceDriver,
  type DomainType,
  type IommuDevice,
  type IommuDomain,
  type IommuGroup,
  type IommuOps,
  linux,
  type VfioGroup,
  type VfioIommu,
} from "../schema.js";
import {
  vfio_iommu_type1_attach_group,
  vfio_iommu_type1_detach_group,
  vfio_iommu_type1_open,
  vfio_iommu_type1_release,
} from "../vfio/type1.js";
import { bootScenario } from "./boot.js";
import type { IommuDriver } from "./build.js";

abstraction(
  "of a recording, a device's lock is not held around what its bus does when a driver is bound: what it keeps apart may overlap",
  "may miss a bug",
);

abstraction(
  "of a recording, users of VFIO map nothing: what type1 does to mappings when a group comes or goes is not compared",
  "may miss a bug",
);

/** What can be recorded, with what it is called for: places in the pools of these structs, or in a list of texts. */
export const recordedCalls = {
  iommu_device_register: [],
  "iommu_bus_notifier: added": ["device"],
  "iommu_bus_notifier: removed": ["device"],
  "driver: bound": ["device"],
  "driver: gone": ["device"],
  "driver: was bound, native": ["device"],
  "driver: was bound, managed": ["device"],
  iommu_probe_device: ["device"],
  "pci_dma_configure: native": ["device"],
  "pci_dma_configure: managed": ["device"],
  pci_dma_cleanup: ["device"],
  iommu_device_use_default_domain: ["device"],
  iommu_device_unuse_default_domain: ["device"],
  iommu_group_claim_dma_owner: ["iommu_group", "vfio_group"],
  iommu_group_release_dma_owner: ["iommu_group"],
  iommu_domain_alloc: [],
  iommu_domain_free: ["iommu_domain"],
  iommu_attach_group: ["iommu_domain", "iommu_group"],
  iommu_detach_group: ["iommu_domain", "iommu_group"],
  iommu_attach_device: ["iommu_domain", "device"],
  iommu_detach_device: ["iommu_domain", "device"],
  iommu_deferred_attach: ["iommu_domain", "device"],
  iommu_group_store_type: ["iommu_group", "type"],
  pci_dev_reset_iommu_prepare: ["device"],
  pci_dev_reset_iommu_done: ["device"],
  vfio_iommu_type1_open: [],
  vfio_iommu_type1_release: ["vfio_iommu"],
  vfio_iommu_type1_attach_group: ["vfio_iommu", "iommu_group"],
  vfio_iommu_type1_detach_group: ["vfio_iommu", "iommu_group"],
} as const satisfies Record<string, readonly ("device" | "iommu_group" | "vfio_group" | "iommu_domain" | "vfio_iommu" | "type")[]>;

export type RecordedCall = keyof typeof recordedCalls;

/** What may be written to a group's `type` file; null is "auto". */
export const recordedTypes: readonly (DomainType | null)[] = ["DMA", "DMA_FQ", "IDENTITY", null];

const NAMES = Object.keys(recordedCalls) as RecordedCall[];

/**
 * A task, which does what was recorded of it. A call ends in the step in which the procedure does: of what comes after it nobody has
 * recorded when it is.
 * The places of what it is done to are below `places`.
 */
export function* recorded_task(places: number): Proc {
  for (;;) {
    yield idle();
    const call = choose("call", NAMES);
    const first = choose("first argument", upTo(places));
    const second = choose("second argument", upTo(places));
    yield;
    yield* recorded_call(call, first, second);
  }
}

function upTo(places: number): number[] {
  return Array.from({ length: places }, (_, place) => place);
}

const device = (place: number) => linux.struct("device").view(place) as unknown as Device;
const group = (place: number) => linux.struct("iommu_group").view(place) as unknown as IommuGroup;
const domain = (place: number) => linux.struct("iommu_domain").view(place) as unknown as IommuDomain;
const owner = (place: number) => linux.struct("vfio_group").view(place) as unknown as VfioGroup;
const vfio_iommu = (place: number) => linux.struct("vfio_iommu").view(place) as unknown as VfioIommu;
const driver = (place: number) => linux.struct("device_driver").view(place) as unknown as DeviceDriver;

const NATIVE = 0;
const MANAGED = 1;

function* recorded_call(call: RecordedCall, first: number, second: number): Proc {
  switch (call) {
    case "iommu_device_register":
      return void (yield* recorded_register());
    case "iommu_bus_notifier: added":
      return yield* recorded_add(device(first));
    case "iommu_bus_notifier: removed":
      return yield* recorded_removal(device(first));
    case "driver: bound":
      return yield* recorded_binding(device(first), "BUS_NOTIFY_BOUND_DRIVER");
    case "driver: gone":
      return yield* recorded_binding(device(first), "BUS_NOTIFY_UNBOUND_DRIVER");
    case "driver: was bound, native":
      return set_driver(device(first), driver(NATIVE), true);
    case "driver: was bound, managed":
      return set_driver(device(first), driver(MANAGED), true);
    case "iommu_probe_device":
      return void (yield* iommu_probe_device(device(first)));
    case "pci_dma_configure: native":
      return yield* recorded_dma_configure(device(first), driver(NATIVE));
    case "pci_dma_configure: managed":
      return yield* recorded_dma_configure(device(first), driver(MANAGED));
    case "pci_dma_cleanup":
      return yield* recorded_dma_cleanup(device(first));
    case "iommu_device_use_default_domain":
      return void (yield* iommu_device_use_default_domain(device(first)));
    case "iommu_device_unuse_default_domain":
      return yield* iommu_device_unuse_default_domain(device(first));
    default:
      return yield* recorded_call_of_user(call, first, second);
  }
}

function* recorded_call_of_user(call: RecordedCall, first: number, second: number): Proc {
  switch (call) {
    case "iommu_group_claim_dma_owner":
      return void (yield* iommu_group_claim_dma_owner(group(first), owner(second)));
    case "iommu_group_release_dma_owner":
      return yield* iommu_group_release_dma_owner(group(first));
    case "iommu_domain_alloc":
      return void (yield* recorded_domain_alloc());
    case "iommu_domain_free":
      return yield* recorded_domain_free(domain(first));
    case "iommu_attach_group":
      return void (yield* iommu_attach_group(domain(first), group(second)));
    case "iommu_detach_group":
      return yield* iommu_detach_group(domain(first), group(second));
    case "iommu_attach_device":
      return void (yield* iommu_attach_device(domain(first), device(second)));
    case "iommu_detach_device":
      return yield* iommu_detach_device(domain(first), device(second));
    case "iommu_deferred_attach":
      return void (yield* iommu_deferred_attach(device(second), domain(first)));
    case "iommu_group_store_type":
      return void (yield* iommu_group_store_type(group(first), recordedTypes[second] ?? null));
    case "pci_dev_reset_iommu_prepare":
      return void (yield* pci_dev_reset_iommu_prepare(device(first)));
    case "pci_dev_reset_iommu_done":
      return yield* pci_dev_reset_iommu_done(device(first));
    default:
      return yield* recorded_call_of_vfio(call, first, second);
  }
}

function* recorded_call_of_vfio(call: RecordedCall, first: number, second: number): Proc {
  switch (call) {
    case "vfio_iommu_type1_open":
      return void (yield* recorded_type1_open());
    case "vfio_iommu_type1_release":
      return yield* vfio_iommu_type1_release(vfio_iommu(first));
    case "vfio_iommu_type1_attach_group":
      return void (yield* vfio_iommu_type1_attach_group(vfio_iommu(first), group(second)));
    default:
      return yield* vfio_iommu_type1_detach_group(vfio_iommu(first), group(second));
  }
}

function* recorded_register(): Proc {
  const iommu = linux.struct("iommu_device").view(0) as unknown as IommuDevice;
  const ops = linux.struct("iommu_ops").view(0) as unknown as IommuOps;
  let ret = yield* iommu_device_register(iommu, ops);
  if (!applied("57365a04c921")) {
    yield;
    ret = yield* set_bus_ops(ops);
  }
  if (!ret) iommu.is_bound = true;
}

/**
 * drivers/pci/probe.c, pci_scan_slot(): that a function is one of several is noted after it has been added, so that nobody looks for the
 * others of its slot while it is.
 */
function* recorded_add(dev: Device): Proc {
  dev.on_bus = true;
  const bus = dev.bus!;
  const functions = [...dev.aliases];
  dev.aliases.clear();
  yield;
  if (!bus.klist_devices.includes(dev)) list_add_tail(dev, bus.klist_devices);
  yield;
  yield* iommu_bus_notifier("BUS_NOTIFY_ADD_DEVICE", dev);
  for (const other of functions) dev.aliases.add(other);
}

function* recorded_removal(dev: Device): Proc {
  dev.on_bus = false;
  yield;
  yield* iommu_bus_notifier("BUS_NOTIFY_REMOVED_DEVICE", dev);
}

/** really_probe() sets the driver before it asks the bus, and takes it back if the bus refuses. */
function* recorded_dma_configure(dev: Device, drv: DeviceDriver): Proc {
  set_driver(dev, drv, false);
  yield;
  const ret = yield* dma_configure(dev);
  if (ret) set_driver(dev, null, false);
}

/** device_unbind_cleanup() comes next. */
function* recorded_dma_cleanup(dev: Device): Proc {
  yield* dma_cleanup(dev);
  data_race(() => {
    dev.driver = null;
  });
}

/** The driver core tells when a driver is bound, and when it is gone. */
function* recorded_binding(dev: Device, action: "BUS_NOTIFY_BOUND_DRIVER" | "BUS_NOTIFY_UNBOUND_DRIVER"): Proc {
  const isBound = action === "BUS_NOTIFY_BOUND_DRIVER";
  set_driver(dev, isBound ? data_race(() => dev.driver) : null, isBound);
  yield;
  yield* iommu_bus_notifier(action, dev);
}

function set_driver(dev: Device, drv: DeviceDriver | null, isBound: boolean): void {
  data_race(() => {
    dev.driver = drv;
    dev.is_bound = isBound;
  });
}

/** The C's functions of these names, which in the model are steps of who calls them. */
function* recorded_domain_alloc(): Proc<IommuDomain | null> {
  yield;
  return iommu_domain_alloc(device(0).bus!);
}

function* recorded_domain_free(domain: IommuDomain): Proc {
  yield;
  iommu_domain_free(domain);
}

function* recorded_type1_open(): Proc<VfioIommu | null> {
  yield;
  return vfio_iommu_type1_open();
}

/** A device of the recording. */
export interface RecordedDevice {
  readonly name: string;
  /** It is there from the start, before anything is recorded. */
  readonly isPresent: boolean;
  /** The group it is in from the start; null for none. */
  readonly group: string | null;
  readonly upstream: string | null;
  /** Of a conventional bridge: the requester id with which DMA from behind it arrives. */
  readonly secondaryId: string | null;
  readonly aliases: readonly string[];
  /** Of a pSeries: the group of its PE. */
  readonly groupOfPe: string | null;
  /** What is bound to it from the start. */
  readonly driver: "native" | "managed" | null;
}

export interface RecordedMachine {
  readonly name: string;
  readonly iommu: IommuDriver;
  /** Its IOMMU has registered before anything is recorded. */
  readonly isRegistered: boolean;
  readonly devices: readonly RecordedDevice[];
  readonly defaultType: "DMA" | "DMA_FQ" | "IDENTITY";
  readonly isKdump: boolean;
  readonly releaseDomain: boolean;
  /** Groups that have had the driver's blocking domain made theirs before anything is recorded. */
  readonly blockable: readonly string[];
  /** Pointers that claim ownership. */
  readonly owners: number;
  /** Recorded calls that are under way at a time, at most. */
  readonly tasks: number;
  /** Groups and domains that may be there beside those of devices, and containers with an IOMMU. */
  readonly spare: number;
}

/** What the table group of a group is called. */
function tableGroupOf(group: string): string {
  return `${group}.iommu_data`;
}

/** The scenario in which every recorded call is possible at any time. */
export function recordedScenario(machine: RecordedMachine): Scenario {
  const groups = machine.devices.length + machine.spare;
  const domains = 2 * machine.devices.length + 2 * machine.spare;
  return bootScenario({
    name: machine.name,
    describes: "each task does what was recorded of it",
    iommu: machine.iommu,
    iommus: 1,
    registered: machine.isRegistered ? 1 : 0,
    kdump: machine.isKdump,
    defaultType: machine.defaultType,
    releaseDomain: machine.releaseDomain,
    faults: 1,
    // One for each domain that there may be.
    ...(machine.iommu === "intel_legacy" ? { domainIds: 2 * machine.devices.length } : {}),
    owners: machine.owners,
    drivers: [
      { name: "a native driver", kind: "native" },
      { name: "a driver that manages DMA ownership", kind: "stub" },
    ],
    tableGroups: [...new Set(machine.devices.flatMap(({ groupOfPe }) => groupOfPe ?? []))].map((group) => ({
      name: tableGroupOf(group),
      group,
    })),
    devices: machine.devices.map(({ name, isPresent, group, upstream, secondaryId, aliases, groupOfPe, driver }) => ({
      name,
      state: group !== null ? "probed" : isPresent ? "added" : "absent",
      ...(group === null ? {} : { group }),
      ...(upstream === null ? {} : { upstream }),
      ...(secondaryId === null ? {} : { secondaryId }),
      aliases,
      ...(groupOfPe === null ? {} : { tableGroup: tableGroupOf(groupOfPe) }),
      ...(driver === null ? {} : { driver: driver === "native" ? "a native driver" : "a driver that manages DMA ownership", bound: true }),
    })),
    more: { iommu_group: machine.spare, iommu_domain: 2 * machine.spare, vfio_iommu: machine.spare, vfio_domain: machine.spare },
    threads: (made) => {
      for (const name of machine.blockable) made.group(name).blocking_domain = made.ops.release_domain;
      return Array.from({ length: machine.tasks }, (_, task) => thread(`task${task}`, recorded_task, Math.max(groups, domains + 4)));
    },
  });
}
