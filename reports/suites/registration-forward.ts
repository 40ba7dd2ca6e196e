/** Registration, probing and release on kernels after 6.1: what newer forms of the probe path let in, and what closed it. */
import { type Design, type Expectation, type Suite, thread } from "iommu-mc";
import { linux66, linux72, linux612 } from "../../models/linux/designs.js";
import { deferred_probe_work_func } from "../../models/linux/driver-core/dd.js";
import type { IommuDriver } from "../../models/linux/machine/build.js";
import {
  attach_driver,
  mtk_iommu_probe,
  plug,
  plug_and_unplug,
  register_and_bind,
  register_iommu,
  unplug,
  unplug_attached,
} from "../../models/linux/machine/events.js";
import { vfio_user_once } from "../../models/linux/machine/workloads.js";
import { C1, C7, G1, L1, L2, L3, L4, L6, O3, T4, T5, T5Domain, V2, V3, X1, X2 } from "../../properties/index.js";
import { registerAgainstBind } from "./drivers.js";
import { type BootSuite, bootSuite, everything, lent, violated } from "./on-linux61.js";
import { failingProbe } from "./probing.js";

/** dev_WARN() of v6.15 to v7.2 where nothing is wrong, or something else. */
const warnedAtBind = violated(
  "since bcb81ac6ae3c __iommu_probe_device() takes a driver for the sign of a probe from the firmware code at bind; a driver that is being bound sets dev->driver before that, under a lock that the walk of the bus does not hold, and the walk warns of itself",
);

/** What iommu_setup_default_domain() says of an attach that the kernel's contract lets fail. */
export const firstAttachFailed = violated(
  "iommu_setup_default_domain() warns of a group's first attach that fails, of which the driver may have had reason enough",
);

/** A finding: what the sign of a probe in progress, dev->iommu, lets in. */
const boundInWindow = violated(
  "since bcb81ac6ae3c the probe path gives up iommu_probe_device_lock while it calls the bus's dma_configure(): a driver that is bound meanwhile finds dev->iommu or an fwspec there, which keeps its own dma_configure() from waiting and from probing, and no group yet, so that iommu_device_use_default_domain() counts nobody and dma-direct is used; then the walk puts the device on a default domain",
);

/** A finding: a device that a driver is about to be bound to when the walk comes to it. */
const passedOverWhenBound = violated(
  "since bcb81ac6ae3c iommu_init_device() does not parse the firmware's tables for a device that has a driver, since binding that has done so; while binding is only about to, the walk passes the device over for lack of an fwspec, and it is probed when its driver is tried again, after devices that belong to its group",
);

/** Known and accepted: the message of da33e87bd2bf names it. */
const probedAlone = violated(
  "known and accepted (da33e87bd2bf says so): the bus's notifier may come while a walk has queued a group for its second phase; it gives the group a default domain at once, of a type that devices which the walk has not come to yet are not asked about",
);

/** Known and accepted: a comment in bus_iommu_probe() names it. */
const walkedUnlocked = violated(
  "known and accepted (a comment in bus_iommu_probe() says so): probe_finalize() is called for each of a group's devices without its mutex, since some drivers come back and take that, and a device may leave the group meanwhile",
);

/** The same finding where the firmware code does not probe a device at bind. */
const passedOverByAcpi = violated(
  "a device that the walk passes over because its driver is about to be bound is not probed at bind either, since bcb81ac6ae3c took that from acpi_iommu_configure_id(): it is in no group for good, and its driver uses dma-direct",
);

/** What 229e6ee43d2a makes of a device whose fwspec is there when the walk comes to it. */
const walkToldToWait =
  "229e6ee43d2a tells the walk of the SMMU's own registration to wait too, and -EPROBE_DEFER ends that; taken back by 97cb1fa02726 (v6.15), since 7d835134d4e1 finds SMMUs that are registering";

const freedDuringUndoing = violated(
  `${walkToldToWait}: iommu_device_unregister() looks at dev->iommu without iommu_probe_device_lock, while the probe at bind is told to wait as well and frees it`,
);

const waitsForEver = violated(
  `${walkToldToWait}: the device waits for its SMMU for ever. A kernel tries the SMMU's own probe again, as it does any that fails with -EPROBE_DEFER; here it registers once`,
);

/** Entry 5: a bridge and the device below it, whose driver is bound during the walk. */
function overtaking(): Suite {
  return bootSuite({
    name: "registration/overtaking",
    design: linux72,
    describes: "an IOMMU registers, while the driver of d0 is bound, which may be deferred; d0 belongs to the group of the bridge above it",
    iommu: "arm_smmu_v3",
    registered: 0,
    devices: [
      { name: "bridge", state: "added" },
      { name: "d0", state: "added", upstream: "bridge", driver: "net" },
    ],
    drivers: [{ name: "net", kind: "native" }],
    deferral: true,
    more: { iommu_fwspec: 1, dev_iommu: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu", register_iommu, objects.iommu(0), objects.ops),
      thread("async", attach_driver, objects.device("d0")),
      thread("deferred", deferred_probe_work_func),
    ],
    properties: [G1, X1, X2, L1, L2, L4, T5, T5Domain, V2],
    expected: { "warn-on": warnedAtBind, T5: boundInWindow },
  });
}

/** The same with the driver of the bridge. */
function passedOver(): Suite {
  return bootSuite({
    name: "registration/passed-over",
    design: linux72,
    describes:
      "an IOMMU registers, while the driver of the bridge is bound, which may be deferred; d0 belongs to the group of the bridge above it",
    iommu: "arm_smmu_v3",
    registered: 0,
    devices: [
      { name: "bridge", state: "added", driver: "pcieport" },
      { name: "d0", state: "added", upstream: "bridge" },
    ],
    drivers: [{ name: "pcieport", kind: "stub" }],
    deferral: true,
    more: { iommu_fwspec: 1, dev_iommu: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu", register_iommu, objects.iommu(0), objects.ops),
      thread("async", attach_driver, objects.device("bridge")),
      thread("deferred", deferred_probe_work_func),
    ],
    properties: [G1, X1, X2, L1, L2, L4, V2],
    expected: { "warn-on": warnedAtBind, G1: passedOverWhenBound },
  });
}

/** Entry 6: the bus's dma_configure() for a device without a driver, which gets one meanwhile. */
function lookingTwice(bus: "pci" | "platform"): Suite {
  return bootSuite({
    name: `registration/looking-twice/${bus}`,
    design: linux72,
    describes: "an IOMMU registers, while the driver of d0 is bound",
    iommu: "arm_smmu_v3",
    registered: 0,
    platformBus: bus === "platform",
    devices: [{ name: "d0", bus, state: "added", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    more: { iommu_fwspec: 1, dev_iommu: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu", register_iommu, objects.iommu(0), objects.ops),
      thread("async", attach_driver, objects.device("d0")),
    ],
    properties: [X1, X2, L1, O3],
    expected: { "warn-on": warnedAtBind, O3: boundInWindow },
  });
}

/** Two walks of the bus at once. */
function twoWalks(behind: number | null): Suite {
  return bootSuite({
    name: `registration/two-walks/${behind === null ? "without-iommu" : "behind-one"}`,
    design: linux72,
    describes: `two IOMMUs register at the same time; d0 is behind ${behind === null ? "none" : "the first"}`,
    iommu: "arm_smmu_v3",
    iommus: 2,
    registered: 0,
    devices: [{ name: "d0", iommu: behind, state: "added" }],
    more: { iommu_fwspec: 1, dev_iommu: 1, dev_iommu_priv: 1, iommu_group: 1, group_device: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu0", register_iommu, objects.iommu(0), objects.ops),
      thread("smmu1", register_iommu, objects.iommu(1), objects.ops),
    ],
    properties: behind === null ? [X1, X2, L1] : [X1, X2, L1, L4],
  });
}

/** Entry 7: what a driver needs in its callbacks it has to have before it registers. */
function unprepared(): Suite {
  return bootSuite({
    name: "registration/unprepared",
    design: linux72,
    describes: "a MediaTek IOMMU registers; p0 is behind it",
    iommu: "mtk_iommu",
    registered: 0,
    platformBus: true,
    devices: [{ name: "p0", bus: "platform", state: "added" }],
    terminates: true,
    threads: (objects) => [thread("mtk", mtk_iommu_probe, objects.iommu(0), objects.ops)],
    properties: [L1, X1, X2, L4],
  });
}

/** Entry 8: an IOMMU that has registered, and whose own driver is not bound yet. */
function notBoundYet(): Suite {
  return bootSuite({
    name: "registration/not-bound-yet/virtio_iommu",
    design: linux72,
    describes: "an IOMMU registers, and then the driver of d0 is bound, which is behind it",
    iommu: "virtio_iommu",
    registered: 0,
    devices: [{ name: "d0", state: "added", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    more: { iommu_fwspec: 1, dev_iommu: 1 },
    terminates: true,
    threads: (objects) => [thread("boot", register_and_bind, objects.iommu(0), objects.ops, objects.device("d0"), objects.driver("net"))],
    properties: [L1, X1, X2, L4, T5, V2],
  });
}

/** The same, when the driver of the device is bound at the same time. */
function boundWhileItRegisters(iommu: "arm_smmu" | "virtio_iommu", claims: Pick<BootSuite, "name" | "design" | "expected">): Suite {
  return registerAgainstBind(iommu, {
    describes: "an IOMMU registers while the driver of d0 is bound, which is behind it, and may be deferred and tried again",
    properties: [L1, X1, X2, L4, V2],
    ...claims,
  });
}

/** Entry 13: a registration that fails has set up devices already, one of which gets a driver afterwards. */
function failedRegistration(): Suite {
  return bootSuite({
    name: "registration/bound-after-failure",
    design: linux72,
    describes:
      "an IOMMU with a device on the platform bus and one on PCI registers, of which one call may fail; then the driver of the first is bound",
    iommu: "intel_iommu",
    registered: 0,
    platformBus: true,
    devices: [
      { name: "p0", bus: "platform", state: "added", driver: "net" },
      { name: "d0", state: "added" },
    ],
    drivers: [{ name: "net", kind: "native" }],
    faults: 1,
    terminates: true,
    threads: (objects) => [thread("boot", register_and_bind, objects.iommu(0), objects.ops, objects.device("p0"), objects.driver("net"))],
    properties: [L1, X1, X2, L2, L4, L6, T5],
    expected: { "warn-on": firstAttachFailed },
  });
}

/** Entry 19: a device whose firmware does DMA is pulled out. */
function releasedRange(): Suite {
  return bootSuite({
    name: "registration/released-range",
    design: linux72,
    describes:
      "d0, whose firmware does DMA to reserved memory, is pulled out; its IOMMU's driver has a domain to release devices on, which blocks",
    iommu: "intel_iommu",
    releaseDomain: true,
    devices: [{ name: "d0", state: "probed", resvDirect: true }],
    terminates: true,
    threads: (objects) => [thread("hotplug", unplug, objects.device("d0"))],
    properties: [X1, L2, L4, L6, T4],
  });
}

/** Devices that come and go, with all that may fail. */
export function comeAndGo(iommu: IommuDriver, design: Design, expected: BootSuite["expected"] = {}): Suite {
  return bootSuite({
    name: `registration/come-and-go/${design.name}/${iommu}`,
    design,
    expected,
    describes: "d0 is plugged in and pulled out again",
    iommu,
    devices: [{ name: "d0", state: "absent", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    terminates: true,
    threads: (objects) => [thread("hotplug", plug_and_unplug, objects.device("d0"))],
    properties: [X1, X2, C1, L1, L2, L3, L4, L6, T5],
  });
}

/** A device leaves its group while a process has that. */
export function unplugSibling(design: Design, expected: BootSuite["expected"] = {}): Suite {
  return bootSuite({
    name: `registration/unplug-sibling/${design.name}`,
    design,
    expected,
    describes: "d1 is unplugged, while a process attaches the group of d0 and d1 and goes away",
    iommu: "arm_smmu_v3",
    drivers: [{ name: "vfio-pci", kind: "vfio_pci" }],
    devices: [lent, { name: "d1", state: "probed", group: "g" }],
    users: 1,
    terminates: true,
    threads: ({ device, group }) => [thread("qemu", vfio_user_once, group("g"), false), thread("unplug", unplug, device("d1"))],
    properties: [L2, L3, L4, L6, V3],
  });
}

const usersDomainOn: Readonly<Record<string, Record<string, Expectation>>> = {
  "linux-6.6": everything(
    violated(
      "iommu_probe_device() calls probe_finalize() when the group's mutex has been given back, which looks at the group's domain: a user's, that is freed meanwhile, and where it lives the device is left without the DMA ops of its default domain; b67483b3c44e (v6.10) takes the first from it",
    ),
    "use-after-free",
    "T5",
  ),
  "linux-6.12": {
    T5: violated(
      "since b67483b3c44e iommu_setup_dma_ops() looks at the domain that the group is on: a device that joins a group which a user has is left without the DMA ops of its default domain, also when the user is gone; 4a73abb965b7 (v7.0) hands it the default domain, to tidy up",
    ),
  },
};

/** A device joins its group while a process has that. */
export function plugIntoUsersDomain(design: Design, expected = usersDomainOn[design.name]): Suite {
  return bootSuite({
    name: `registration/plug-into-users-domain/${design.name}`,
    design,
    describes: "d1 is plugged into the group of d0, which a process has through VFIO for a while",
    iommu: "intel_iommu",
    drivers: [
      { name: "net", kind: "native" },
      { name: "vfio-pci", kind: "vfio_pci" },
    ],
    devices: [lent, { name: "d1", state: "absent", aliases: ["d0"], driver: "net" }],
    users: 1,
    terminates: true,
    threads: ({ device, group }) => [thread("qemu", vfio_user_once, group("g"), false), thread("plug", plug, device("d1"))],
    properties: [C1, L2, L4, T5, X1, X2],
    expected: expected ?? {},
  });
}

/** Named by the developers: the notifier of the bus comes between the two phases of a walk. */
function openRaceNotifierDuringWalk(): Suite {
  return bootSuite({
    name: "open-race/notifier-during-walk",
    design: linux72,
    describes:
      "d0, d1 and d2 will share a group; d0 and d2, which needs an identity domain, are on their bus while their IOMMU registers, and d1 is plugged in",
    iommu: "intel_iommu",
    registered: 0,
    devices: [
      { name: "d0", state: "added" },
      { name: "d2", state: "added", aliases: ["d0"], needsIdentity: true },
      { name: "d1", state: "absent", aliases: ["d0"] },
    ],
    more: { dev_iommu: 1, iommu_group: 1 },
    terminates: true,
    threads: (objects) => [thread("dmar", register_iommu, objects.iommu(0), objects.ops), thread("plug", plug, objects.device("d1"))],
    properties: [X1, X2, C1, L2, L4, C7],
    expected: { C7: probedAlone },
  });
}

/** The same for siblings of one group without needs. */
function siblingsDuringWalk(): Suite {
  return bootSuite({
    name: "registration/siblings-during-walk",
    design: linux72,
    describes: "d1 is plugged into the group that d0 will have, while their IOMMU registers",
    iommu: "intel_iommu",
    registered: 0,
    devices: [
      { name: "d0", state: "added", aliases: ["d1"] },
      { name: "d1", state: "absent", aliases: ["d0"] },
    ],
    more: { dev_iommu: 1, iommu_group: 1 },
    terminates: true,
    threads: (objects) => [thread("dmar", register_iommu, objects.iommu(0), objects.ops), thread("plug", plug, objects.device("d1"))],
    properties: [X1, X2, G1, C1, L1, L2, L4, L6],
  });
}

/** Named by the developers: probe_finalize() walks a group's devices without its mutex. */
function openRaceFinalizeWalk(): Suite {
  return bootSuite({
    name: "open-race/finalize-walk",
    design: linux72,
    describes:
      "d0 and d1, which will share a group, are on their bus; d1 is unplugged as soon as it is attached, while their IOMMU registers",
    iommu: "intel_iommu",
    registered: 0,
    devices: [
      { name: "d0", state: "added" },
      { name: "d1", state: "added", aliases: ["d0"] },
    ],
    more: { dev_iommu: 1, iommu_group: 1 },
    terminates: true,
    threads: (objects) => [
      thread("dmar", register_iommu, objects.iommu(0), objects.ops),
      thread("unplug", unplug_attached, objects.device("d1")),
    ],
    properties: [L1, L4, L6, X1, X2, V3],
    expected: everything(walkedUnlocked, "use-after-free", "null-deref"),
  });
}

export const forwardSuites: readonly Suite[] = [
  overtaking(),
  passedOver(),
  lookingTwice("pci"),
  lookingTwice("platform"),
  twoWalks(0),
  twoWalks(null),
  unprepared(),
  notBoundYet(),
  boundWhileItRegisters("arm_smmu", {
    name: "registration/not-bound-yet/arm_smmu",
    expected: { "use-after-free": freedDuringUndoing, V2: waitsForEver },
  }),
  boundWhileItRegisters("virtio_iommu", {
    name: "registration/passed-over-by-acpi",
    design: linux72,
    expected: { "warn-on": warnedAtBind, V2: passedOverByAcpi },
  }),
  failedRegistration(),
  releasedRange(),
  ...[linux66, linux612, linux72].flatMap((design) => [
    comeAndGo("intel_iommu", design),
    comeAndGo("arm_smmu_v3", design),
    comeAndGo("amd_iommu", design),
    comeAndGo("virtio_iommu", design),
    unplugSibling(design),
    plugIntoUsersDomain(design),
  ]),
  failingProbe({ name: "registration/failing-walk", design: linux72, expected: { "warn-on": firstAttachFailed } }),
  openRaceNotifierDuringWalk(),
  siblingsDuringWalk(),
  openRaceFinalizeWalk(),
];
