/** 5.10.223 and v5.15: the kernels whose buses have the ops of one IOMMU driver, and whose groups nobody owns. */
import { type Expectation, type Suite, thread } from "iommu-mc";
import { linux510, linux515 } from "../../models/linux/designs.js";
import { deferred_probe_work_func } from "../../models/linux/driver-core/dd.js";
import type { IommuDriver } from "../../models/linux/machine/build.js";
import {
  attach_driver,
  plug,
  plug_and_unplug,
  register_and_bind,
  register_iommu,
  unplug,
  write_both_types,
  write_type_once,
} from "../../models/linux/machine/events.js";
import { C1, C7, C7Type, C8, L1, L2, L3, L4, L6, O9, T3, T4, T5, V2, X1, X2, X3Default } from "../../properties/index.js";
import { typeAgainstBind } from "./default-domain.js";
import { twoAtOnce } from "./default-domain-race.js";
import { notBoundYet } from "./drivers.js";
import { everything, type OnEach, onEachOf, violated } from "./on-linux61.js";
import { comeAndGo, unplugSibling } from "./registration-forward.js";

export const kernelsBefore6 = [linux510, linux515];

const onEach = (declared: OnEach) => onEachOf(kernelsBefore6, declared);

type Expected = Readonly<Record<string, Expectation>>;

/** What is expected of both, and what more of v5.15. */
export function onBoth(expected: Expected, ofV515: Expected = {}): NonNullable<OnEach["of"]> {
  return { "linux-5.10": expected, "linux-5.15": { ...expected, ...ofV515 } };
}

/** The probe of a device that comes alone. */
export const unlockedProbe = violated(
  "iommu_probe_device() of 5.10 allocates the default domain, attaches and maps without the group's mutex; 211ff31b3d33 (v5.15) holds it for the allocation, 556f99ac8866 (v5.17) throughout",
);

/** Entry 1. */
export const clearedLast = violated(
  "dev_iommu_free() of v5.15 clears dev->iommu when what it points to is freed already; b54240ad4943 (v5.17), which 5.10.223 has, clears it first",
);

/** Entry 22. */
export const releasedWhileMember = violated(
  "iommu_release_device() calls the driver's release_device() before it takes the device off its group's list, and without the group's mutex; fixed by dba9ca9d41f5 (v6.4)",
);

/** Entries 2 and 3. */
const probedUnlocked = violated(
  "nothing keeps apart who probes a device or gives it up: the walk of its bus, the bus's notifier, and the firmware code, which also drops fwspecs; 01657bc14a39 (v6.2), 6eb4da8cf545 (v6.6) and a2e7e59a9426 (v6.7) do",
);

const failedAttach = violated(
  "bus_iommu_probe() gives the group's mutex back when an attach has failed, and the group says that it is on its default domain until iommu_bus_init() has released the device",
);

/** A finding of 6.1: AMD's driver gives a device up. */
const givenUp = violated(
  "iommu_ignore_device() of AMD's driver writes zeroes to the entry of a device that it cannot initialise, which lets the device's DMA through untranslated, and stays so",
);

/** Entry 17. */
const mappedLate = violated(
  "iommu_probe_device() attaches the default domain before it makes the direct mappings: in between the firmware's DMA faults; fixed by 152431e4fe7f (v6.5)",
);

/** Entry 21, and what else an external device may not be on. */
const notAsked = violated(
  "5.10 leaves it to the IOMMU's driver to ask whether a device is to be trusted, and Intel's alone does: behind AMD's an external device is on an identity domain or flushed lazily if that is the kernel's policy; fixed by 28b41e2c6aeb (v5.11)",
);

const allocatedTwice = violated(
  "two devices of a group that come at once both find it without a default domain, and each allocates one; fixed by 211ff31b3d33 (v5.15)",
);

const notPutBack = violated(
  "iommu_change_dev_def_domain() puts the group's pointers back when the attach fails, but not the device, which the driver has taken off its old domain by then; fixed by 4c8ad9da0566 (v6.5)",
);

const fellBack = violated(
  "iommu_group_alloc_default_domain() falls back to DMA with a warning in the log, and a write to the type file, which calls it, returns success",
);

const comesAndGoes = { "guarded-by": unlockedProbe, C1: unlockedProbe, L4: releasedWhileMember };

/** The IOMMU registers, and a driver is bound afterwards; any one call may fail. */
function boot(iommu: IommuDriver, of: NonNullable<OnEach["of"]>): Suite[] {
  return onEach({
    of,
    name: `by-bus/boot/${iommu}`,
    describes:
      "an IOMMU registers, sets the ops of the buses that its driver serves, and the driver of d0 is bound; p0 is on the platform bus; one call may fail",
    iommu,
    registered: 0,
    platformBus: true,
    devices: [
      { name: "p0", bus: "platform", state: "added" },
      { name: "d0", state: "added", driver: "net" },
    ],
    drivers: [{ name: "net", kind: "native" }],
    faults: 1,
    more: { dev_iommu: 1, dev_iommu_priv: 1, iommu_fwspec: 1 },
    terminates: true,
    threads: (objects) => [thread("boot", register_and_bind, objects.iommu(0), objects.ops, objects.device("d0"), objects.driver("net"))],
    properties: [X1, X2, C1, L1, L2, L4, L6, T5],
  });
}

/** The walk of a bus against the firmware code that finds the device for its driver. */
function registerAgainstReplay(): Suite[] {
  return onEach({
    name: "by-bus/register-against-replay",
    describes: "an SMMU registers while the driver of d0 is bound, which is behind it, and may be deferred and tried again",
    iommu: "arm_smmu_v3",
    registered: 0,
    devices: [{ name: "d0", state: "added", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    deferral: true,
    more: { iommu_fwspec: 2, dev_iommu: 1, dev_iommu_priv: 1, iommu_group: 1, group_device: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu", register_iommu, objects.iommu(0), objects.ops),
      thread("async", attach_driver, objects.device("d0")),
      thread("deferred", deferred_probe_work_func),
    ],
    properties: [X1, X2, L1, L2, L4, L6, T5, V2],
    of: onBoth({
      ...everything(probedUnlocked, "L1", "use-after-free", "null-deref", "leak", "double-free"),
      "guarded-by": unlockedProbe,
      V2: notBoundYet,
    }),
  });
}

/** An SMMU whose bus an earlier one has set is not walked for: its devices are found when drivers come. */
function secondSmmu(): Suite[] {
  return onEach({
    name: "by-bus/second-smmu",
    describes: "a second SMMU registers, while the driver of d0 is bound, which is behind it and may be deferred and tried again",
    iommu: "arm_smmu_v3",
    iommus: 2,
    devices: [{ name: "d0", iommu: 1, state: "added", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    deferral: true,
    more: { iommu_fwspec: 2, dev_iommu: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu", register_iommu, objects.iommu(1), objects.ops),
      thread("async", attach_driver, objects.device("d0")),
      thread("deferred", deferred_probe_work_func),
    ],
    properties: [X1, X2, L1, L2, L4, T5, V2],
    of: onBoth({ L1: probedUnlocked, "guarded-by": unlockedProbe, V2: notBoundYet }),
  });
}

/** The notifier is registered before the walk. Without a lock that keeps the two apart everything follows that can. */
function plugAgainstRegister(): Suite[] {
  return onEachOf([linux515], {
    name: "by-bus/plug-against-register",
    describes: "d0 is plugged in while its IOMMU registers",
    iommu: "intel_iommu",
    registered: 0,
    devices: [{ name: "d0", state: "absent" }],
    more: { dev_iommu_priv: 1, dev_iommu: 1, iommu_group: 1, group_device: 1 },
    terminates: true,
    threads: (objects) => [thread("dmar", register_iommu, objects.iommu(0), objects.ops), thread("hotplug", plug, objects.device("d0"))],
    properties: [X1, X2, C1, L2, L4, L6],
    of: {
      "linux-5.15": { ...everything(probedUnlocked, "X1", "X2", "C1", "L4", "null-deref", "leak"), "guarded-by": unlockedProbe },
    },
  });
}

/** A device whose driver was deferred is pulled out. */
function unplugDeferred(): Suite[] {
  return onEach({
    name: "by-bus/unplug-deferred",
    describes: "d0, whose IOMMU never registers, is plugged in, so that its driver is deferred, and pulled out",
    iommu: "arm_smmu_v3",
    iommus: 2,
    devices: [{ name: "d0", iommu: 1, state: "absent", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    deferral: true,
    terminates: true,
    threads: (objects) => [thread("hotplug", plug_and_unplug, objects.device("d0"))],
    properties: [X1, L1, L6],
    of: onBoth({}, { L1: clearedLast }),
  });
}

/** A device whose firmware does DMA of its own. */
function directMap(): Suite[] {
  return onEach({
    name: "by-bus/direct-map",
    describes: "d0, whose firmware does DMA to reserved memory, is plugged in",
    iommu: "intel_iommu",
    devices: [{ name: "d0", state: "absent", resvDirect: true }],
    terminates: true,
    threads: (objects) => [thread("hotplug", plug, objects.device("d0"))],
    properties: [C1, T4],
    of: onBoth({ ...everything(unlockedProbe, "guarded-by", "C1"), T4: mappedLate }),
  });
}

/** The walk of a registration asks every device. */
function walk(iommu: IommuDriver, policy: "DMA" | "DMA_FQ" | "IDENTITY"): Suite[] {
  return onEach({
    name: `by-bus/default-type/${iommu}-${policy}`,
    describes: `an IOMMU registers, with a device that needs nothing, an external one and a graphics device, each in a group of its own; the kernel's default is ${policy}`,
    iommu,
    registered: 0,
    defaultType: policy,
    devices: [
      { name: "plain", state: "added" },
      { name: "external", state: "added", untrusted: true },
      { name: "graphics", state: "added", needsIdentity: true },
    ],
    terminates: true,
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(0), objects.ops)],
    properties: [C1, C7, C8, T3, X3Default],
    of: iommu === "amd_iommu" ? { "linux-5.10": everything(notAsked, "C7", "T3") } : {},
  });
}

/** The type file, which 5.10 lets nobody write to. */
const onType = (declared: OnEach) => onEachOf([linux515], declared);

function typeFailing(): Suite[] {
  return onType({
    name: "by-bus/type-failing",
    describes: "identity is written to the type file, and then DMA; one call may fail",
    iommu: "amd_iommu",
    devices: [{ name: "d0", state: "probed" }],
    faults: 1,
    terminates: true,
    threads: (objects) => [thread("admin", write_both_types, objects.device("d0"))],
    properties: [C1, C7Type, L2, X3Default],
    of: { "linux-5.15": { C1: notPutBack, "C7-type": fellBack } },
  });
}

function typeAgainstUnplug(): Suite[] {
  return onType({
    name: "by-bus/type-against-unplug",
    describes: "identity is written to the type file while d0 is pulled out",
    iommu: "amd_iommu",
    devices: [{ name: "d0", state: "probed" }],
    terminates: true,
    threads: (objects) => [
      thread("admin", write_type_once, objects.device("d0"), "IDENTITY"),
      thread("hotplug", unplug, objects.device("d0")),
    ],
    properties: [L2, L3, L4, L6],
    of: { "linux-5.15": everything(releasedWhileMember, "L4", "null-deref", "L6") },
  });
}

export const before6Suites: readonly Suite[] = [
  ...boot("intel_iommu", onBoth({ C1: failedAttach, L4: releasedWhileMember }, { L1: clearedLast })),
  ...boot("amd_iommu", onBoth({ C1: failedAttach, L4: releasedWhileMember, L6: givenUp }, { L1: clearedLast })),
  ...boot("arm_smmu_v3", onBoth(comesAndGoes, { L1: clearedLast })),
  ...registerAgainstReplay(),
  ...secondSmmu(),
  ...plugAgainstRegister(),
  ...unplugDeferred(),
  ...directMap(),
  ...walk("intel_iommu", "IDENTITY"),
  ...walk("amd_iommu", "IDENTITY"),
  ...walk("amd_iommu", "DMA_FQ"),
  ...onEach({
    ...twoAtOnce,
    name: "by-bus/two-at-once",
    of: {
      "linux-5.10": { "guarded-by": unlockedProbe, ...everything(allocatedTwice, "X3-default", "leak") },
      "linux-5.15": { "guarded-by": unlockedProbe },
    },
  }),
  ...kernelsBefore6.flatMap((design) => {
    const expected = onBoth(comesAndGoes, { L1: clearedLast })[design.name];
    return [
      comeAndGo("intel_iommu", design, expected),
      comeAndGo("arm_smmu_v3", design, expected),
      comeAndGo("amd_iommu", design, expected),
      unplugSibling(design, everything(releasedWhileMember, "L2", "L4", "L6", "null-deref")),
    ];
  }),
  ...(["intel_iommu", "amd_iommu"] as const).flatMap((iommu) =>
    onType({ ...typeAgainstBind, name: `by-bus/type-against-bind/${iommu}`, iommu, properties: [C1, L2, O9, T5, X3Default] }),
  ),
  ...typeFailing(),
  ...typeAgainstUnplug(),
];
