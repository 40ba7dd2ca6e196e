/** Probing of devices in 6.1.176: registration of an IOMMU, hotplug and firmware replay, against binding. */
import { type Design, type Suite, thread } from "iommu-mc";
import { linux72 } from "../../models/linux/designs.js";
import { deferred_probe_work_func } from "../../models/linux/driver-core/dd.js";
import type { IommuDriver } from "../../models/linux/machine/build.js";
import {
  attach_driver,
  bind_in_order,
  bind_once,
  deferred_probe_timeout,
  load_driver,
  plug,
  plug_and_unplug,
  register_iommu,
  unplug,
  unplug_and_scan,
} from "../../models/linux/machine/events.js";
import { C1, G1, L1, L2, L3, L4, L6, O3, T4, T5, T5Domain, V2, X1, X2, X6 } from "../../properties/index.js";
import { type BootSuite, bootSuite, everything, rechecked, releasedAtOnce, violated } from "./on-linux61.js";

/** Two threads probe the same device, one after the other. */
const probedTwice = violated(
  "6.1 asks whether a device is in a group before it takes iommu_probe_device_lock, and not again: who comes second probes the device once more, and arm-smmu-v3's refusal then frees dev->iommu under the first; fixed by 6eb4da8cf545 (v6.6)",
);

/** A driver is bound while a walk of the bus is between its two phases. */
export const boundTooEarly = violated(
  "bus_iommu_probe() sets up default domains in its second phase: a driver that is bound meanwhile finds its device in a group without one and uses dma-direct, and the walk puts the device onto a domain later; b46064a18810 (v6.15) defers it",
);

/** Undoing a probe does not keep out who probes the same device. */
const unlockedRelease = violated(
  "a probe whose attach fails is undone by iommu_release_device() without iommu_probe_device_lock, and device by device before the group's list: meanwhile the walk of another IOMMU looks at dev->iommu, probes the device again or sets up its group",
);

/** The error path of a probe asks Intel's driver to release a device that is on no domain. */
export const releasedUnattached = violated(
  "intel_iommu_release_device() of 6.1 calls dmar_remove_one_dev_info(), which dereferences info->domain; on the error path of __iommu_probe_device() the device has never been on a domain",
);

/** The IOMMU registers while the firmware code finds the device for a driver that is about to be bound. */
function registerAgainstReplay(name: string, { faults = 0, ...claims }: Pick<BootSuite, "design" | "faults" | "expected">): Suite {
  return bootSuite({
    name: `probe/${name}`,
    describes: `a second IOMMU registers while the driver of d0 is bound, which is behind the first${faults > 0 ? "; one call may fail" : ""}`,
    iommu: "arm_smmu_v3",
    iommus: 2,
    devices: [{ name: "d0", state: "added", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    faults,
    more: { dev_iommu_priv: 1, iommu_group: 1, group_device: 1, dev_iommu: 1, iommu_fwspec: 2 },
    terminates: true,
    threads: (objects) => [
      thread("smmu", register_iommu, objects.iommu(1), objects.ops),
      thread("bind", bind_once, objects.device("d0"), objects.driver("net")),
    ],
    properties: [X1, X2, X6, L1, L2, L4, L6, T5],
    ...claims,
  });
}

/** The second IOMMU of a machine registers, so that the bus has its ops, while a device of the first is probed by its driver. */
function secondIommu(claims: Pick<BootSuite, "name" | "describes" | "noDefaultDomains" | "properties" | "expected">): Suite {
  return bootSuite({
    design: rechecked,
    iommu: "arm_smmu_v3",
    iommus: 2,
    devices: [{ name: "d0", state: "added", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    deferral: true,
    more: { iommu_fwspec: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu", register_iommu, objects.iommu(1), objects.ops),
      thread("async", attach_driver, objects.device("d0")),
      thread("deferred", deferred_probe_work_func),
    ],
    ...claims,
  });
}

function boundBetweenPhases(): Suite {
  return secondIommu({
    name: "probe/bind-between-phases",
    describes: "a second IOMMU registers while the driver of d0 is bound, which is behind the first and may be deferred and tried again",
    properties: [X1, X2, L2, L4, L6, T5, T5Domain, V2],
    expected: everything(boundTooEarly, "T5", "T5-domain"),
  });
}

/** A driver without default domains, as several of 6.1 for 32-bit ARM are. */
function noDefaultDomains(): Suite {
  return secondIommu({
    name: "probe/no-default-domains",
    describes:
      "a second IOMMU, whose driver has no default domains, registers while the driver of d0 is bound, which is behind the first and may be deferred and tried again",
    noDefaultDomains: true,
    properties: [X1, X2, L2, L4, L6, T5, V2],
  });
}

/** Two IOMMUs of one kind register at the same time, each with a device. */
function parallelRegistration(name: string, claims: Pick<BootSuite, "design" | "expected">): Suite {
  return bootSuite({
    name: `probe/${name}`,
    describes: "two IOMMUs register at the same time; d0 is behind one, d1 behind the other",
    iommu: "intel_iommu",
    iommus: 2,
    registered: 0,
    devices: [
      { name: "d0", iommu: 0, state: "added" },
      { name: "d1", iommu: 1, state: "added" },
    ],
    more: { dev_iommu_priv: 1, dev_iommu: 1, iommu_group: 1 },
    terminates: true,
    threads: (objects) => [
      thread("iommu0", register_iommu, objects.iommu(0), objects.ops),
      thread("iommu1", register_iommu, objects.iommu(1), objects.ops),
    ],
    properties: [X1, X2, X6, C1, L2, L4, L6],
    ...claims,
  });
}

/** A device is plugged in while the IOMMU registers: the notifier and the walk both come to it. */
function plugAgainstRegister(name: string, claims: Pick<BootSuite, "design" | "properties" | "expected">): Suite {
  return bootSuite({
    name: `probe/${name}`,
    describes: "d0 is plugged in while its IOMMU registers",
    iommu: "intel_iommu",
    registered: 0,
    devices: [{ name: "d0", state: "absent" }],
    more: { dev_iommu_priv: 1, dev_iommu: 1, iommu_group: 1, group_device: 1 },
    terminates: true,
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(0), objects.ops), thread("hotplug", plug, objects.device("d0"))],
    ...claims,
  });
}

/** Drivers of two kinds of IOMMU, of which only one may serve the buses. */
function otherDriver(): Suite {
  return bootSuite({
    name: "probe/other-driver",
    describes: "an IOMMU of another kind registers while the first has, and has a device",
    iommu: "intel_iommu",
    otherIommu: "arm_smmu_v3",
    iommus: 2,
    devices: [{ name: "d0", iommu: 1, state: "added" }],
    terminates: true,
    threads: (objects) => [thread("smmu", register_iommu, objects.iommu(1), objects.otherOps)],
    properties: [X6],
  });
}

/** A probe that fails takes back what it has made. */
export function failingProbe(claims: Pick<BootSuite, "name" | "design" | "expected">): Suite {
  return bootSuite({
    describes: "an IOMMU registers; one call may fail",
    iommu: "intel_iommu",
    registered: 0,
    devices: [{ name: "d0", state: "added" }],
    faults: 1,
    terminates: true,
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(0), objects.ops)],
    properties: [L1, X1],
    ...claims,
  });
}

/** A device whose firmware does DMA of its own is plugged in: into a new group, or into one that exists. */
function directMap(group: "new" | "existing"): Suite {
  return bootSuite({
    name: `direct-map/${group}-group`,
    describes: `d0, whose firmware does DMA to reserved memory, is plugged in and gets ${group === "new" ? "a group of its own" : "into the group of the bridge above it"}`,
    iommu: "intel_iommu",
    devices: [
      ...(group === "new" ? [] : [{ name: "bridge", state: "probed" as const }]),
      { name: "d0", state: "absent", resvDirect: true, ...(group === "new" ? {} : { upstream: "bridge" }) },
    ],
    terminates: true,
    threads: (objects) => [thread("hotplug", plug, objects.device("d0"))],
    properties: [C1, T4],
    expected: { T4: group === "new" ? mappedLate : mappedLateInGroup },
  });
}

const mappedLate = violated(
  "iommu_probe_device() of 6.1 attaches the default domain before it makes the direct mappings: in between the firmware's DMA faults; fixed by 152431e4fe7f (v6.5)",
);

const mappedLateInGroup = violated(
  "iommu_group_add_device() of 6.1 attaches the group's domain before anybody makes the direct mappings of the new device; 152431e4fe7f (v6.5) is not enough, since that attach comes earlier still",
);

/** The driver forgets a device that is still on its group's list. */
export const releasedWhileMember = violated(
  "iommu_release_device() of 6.1 calls the driver's release_device() before it takes the device off its group's list, and without the group's mutex; fixed by dba9ca9d41f5 (v6.4)",
);

/** A device comes and goes, and so does its group. */
function comeAndGo(iommu: IommuDriver): Suite {
  return bootSuite({
    name: `plug/come-and-go/${iommu}`,
    describes: "d0 is plugged in and pulled out again",
    iommu,
    devices: [{ name: "d0", state: "absent", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    terminates: true,
    threads: (objects) => [thread("hotplug", plug_and_unplug, objects.device("d0"))],
    properties: [X1, X2, C1, L2, L3, L4, L6],
    expected: everything(releasedWhileMember, "C1", "L4"),
  });
}

/** A device is plugged in while the module of its driver is loaded: who comes first binds it, and not before it is ready. */
function plugAgainstDriver(): Suite {
  return bootSuite({
    name: "plug/against-driver",
    describes: "d0 is plugged in while its driver is loaded",
    iommu: "intel_iommu",
    devices: [{ name: "d0", state: "absent", driver: "net" }],
    drivers: [{ name: "net", kind: "native", registered: false }],
    deferral: true,
    terminates: true,
    threads: (objects) => [
      thread("hotplug", plug, objects.device("d0")),
      thread("modprobe", load_driver, objects.driver("net"), objects.bus("pci")),
      thread("deferred", deferred_probe_work_func),
    ],
    properties: [X1, X2, C1, L2, L4, O3, T5, V2],
  });
}

/** A device is pulled out while its driver is bound: nothing is bound any more once it is dead. */
function unplugAgainstBind(): Suite {
  return bootSuite({
    name: "plug/unplug-against-bind",
    describes: "d0 is pulled out while its driver is bound, by the driver core or through the bind file",
    iommu: "intel_iommu",
    devices: [{ name: "d0", state: "probed", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    terminates: true,
    threads: (objects) => [
      thread("hotplug", unplug, objects.device("d0")),
      thread("async", attach_driver, objects.device("d0")),
      thread("udev", bind_once, objects.device("d0"), objects.driver("net")),
    ],
    properties: [X1, L2, L3, L6, O3, T5],
  });
}

/** An IOMMU that is described, and whose driver never comes. */
function iommuNeverComes(): Suite {
  return bootSuite({
    name: "probe/iommu-never-comes",
    describes: "the drivers of d0, whose IOMMU never registers, and of d1, which has none, are bound; in the end nobody waits any longer",
    iommu: "arm_smmu_v3",
    registered: 0,
    devices: [
      { name: "d0", state: "added", driver: "net" },
      { name: "d1", iommu: null, state: "added", driver: "net" },
    ],
    drivers: [{ name: "net", kind: "native" }],
    deferral: true,
    more: { iommu_fwspec: 1 },
    terminates: true,
    threads: (objects) => [
      thread("async0", attach_driver, objects.device("d0")),
      thread("async1", attach_driver, objects.device("d1")),
      thread("deferred", deferred_probe_work_func),
      thread("timeout", deferred_probe_timeout),
    ],
    properties: [L1, T5, V2],
  });
}

/** A registration that fails half-way has to undo what it has done, on both buses. */
function failingRegistration(): Suite {
  return bootSuite({
    name: "probe/failing-registration",
    describes: "an IOMMU with a device on the platform bus and one on PCI registers; one call may fail",
    iommu: "intel_iommu",
    registered: 0,
    platformBus: true,
    devices: [
      { name: "p0", bus: "platform", state: "added" },
      { name: "d0", state: "added" },
    ],
    faults: 1,
    terminates: true,
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(0), objects.ops)],
    properties: [X1, X2, X6, C1, L2, L4, L6],
    expected: { "null-deref": releasedUnattached, ...everything(releasedWhileMember, "C1", "L4") },
  });
}

const replayedOutOfOrder = violated(
  "a replay from the firmware code probes a device before its bridge, and pci_device_group() only looks for groups of what is above: the two get groups of their own; probing in order came with bcb81ac6ae3c (v6.15) and da33e87bd2bf (v6.16)",
);

/** Two functions that share a requester id, as behind some bridges and with some devices' quirks. */
function aliases(): Suite {
  return bootSuite({
    name: "groups/aliases",
    describes: "an IOMMU registers; two functions that share a requester id come to one group, a third does not",
    iommu: "intel_iommu",
    registered: 0,
    devices: [
      { name: "d0", state: "added", aliases: ["d1"] },
      { name: "d1", state: "added", aliases: ["d0"] },
      { name: "d2", state: "added" },
    ],
    terminates: true,
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(0), objects.ops)],
    properties: [X1, X2, C1, L2, L3, L4, G1],
  });
}

/** A function that is scanned again. */
const aloneWhileItIsAdded = violated(
  "pci_scan_slot() notes that a function is one of several only after pci_scan_single_device() has added it, so that pci_device_group() does not look for the group of the others",
);

/** Of two functions that no ACS keeps apart one goes, and is found again. */
function scannedAgain(design: Design): Suite {
  return bootSuite({
    name: `groups/scanned-again/${design.name}`,
    design,
    describes: "of two functions of a slot that no ACS keeps apart one is pulled out, and found again when the bus is scanned",
    iommu: "intel_iommu",
    devices: [
      { name: "d0", state: "probed", group: "slot", aliases: ["d1", "d1-again"] },
      { name: "d1", state: "probed", group: "slot", aliases: ["d0"] },
      { name: "d1-again", state: "absent", aliases: ["d0"] },
    ],
    terminates: true,
    threads: (objects) => [thread("rescan", unplug_and_scan, objects.device("d1"), objects.device("d1-again"))],
    properties: [X1, C1, L2, L4, G1],
    expected: { G1: aloneWhileItIsAdded },
  });
}

/** A bridge and a device below it that no ACS keeps apart from it. */
function groupOrder(how: "walk" | "replay"): Suite {
  return bootSuite({
    name: `groups/${how}`,
    design: rechecked,
    describes:
      how === "walk"
        ? "a second IOMMU registers; a bridge and the device below it, which are behind the first, come to one group"
        : "a second IOMMU registers while the drivers of a bridge and of the device below it, which are behind the first, are bound in either order",
    iommu: how === "walk" ? "intel_iommu" : "arm_smmu_v3",
    iommus: 2,
    devices: [
      { name: "bridge", state: "added", driver: "pcieport" },
      { name: "d0", state: "added", upstream: "bridge", driver: "net" },
    ],
    drivers: [
      { name: "net", kind: "native" },
      { name: "pcieport", kind: "stub" },
    ],
    terminates: true,
    threads: (objects) => [
      thread("iommu", register_iommu, objects.iommu(1), objects.ops),
      ...(how === "walk" ? [] : [thread("bind", bind_in_order, objects.device("bridge"), objects.device("d0"))]),
    ],
    properties: [X1, X2, L2, L4, G1],
    expected: how === "walk" ? {} : { G1: replayedOutOfOrder },
  });
}

const pluggedIn = [X1, X2, C1, L2, L4, L6];

export const probingSuites: readonly Suite[] = [
  registerAgainstReplay("register-against-replay", {
    expected: { T5: boundTooEarly, ...everything(probedTwice, "warn-on", "null-deref", "use-after-free", "leak", "L4", "L6") },
  }),
  registerAgainstReplay("rechecked", { design: rechecked, expected: { T5: boundTooEarly } }),
  registerAgainstReplay("rechecked-failing", {
    design: rechecked,
    faults: 1,
    expected: { T5: boundTooEarly, ...everything(unlockedRelease, "use-after-free", "null-deref", "lockdep", "leak", "L4", "L6") },
  }),
  boundBetweenPhases(),
  noDefaultDomains(),
  parallelRegistration("two-registrations", { expected: everything(probedTwice, "X1", "leak") }),
  parallelRegistration("two-registrations-rechecked", { design: rechecked }),
  plugAgainstRegister("plug-against-register", { properties: pluggedIn, expected: everything(probedTwice, "X1", "leak") }),
  plugAgainstRegister("plug-against-register-rechecked", { design: rechecked, properties: pluggedIn }),
  // As far as groups go: the second of two probes finds the group of the first.
  plugAgainstRegister("joined-once", { properties: [X2], expected: { leak: probedTwice } }),
  otherDriver(),
  failingProbe({ name: "probe/failing-walk", expected: { "null-deref": releasedUnattached } }),
  directMap("new"),
  directMap("existing"),
  comeAndGo("intel_iommu"),
  comeAndGo("arm_smmu_v3"),
  comeAndGo("amd_iommu"),
  comeAndGo("virtio_iommu"),
  plugAgainstDriver(),
  unplugAgainstBind(),
  iommuNeverComes(),
  failingRegistration(),
  aliases(),
  scannedAgain(releasedAtOnce),
  scannedAgain(linux72),
  groupOrder("walk"),
  groupOrder("replay"),
];
