/** User processes and drivers that want devices of one group, as it was before v5.19, as it was sketched, and as it was merged. */
import { type Design, type Expectation, type Property, type Suite, suite, thread } from "iommu-mc";
import { linux72, linux612 } from "../../models/linux/designs.js";
import { deferred_probe_work_func } from "../../models/linux/driver-core/dd.js";
import type { BootDevice, BootDriver, BootOptions } from "../../models/linux/machine/boot.js";
import { bootScenario } from "../../models/linux/machine/boot.js";
import { register_iommu, write_type_once } from "../../models/linux/machine/events.js";
import { transmit } from "../../models/linux/machine/native.js";
import { unbind, vfio_user_of_device } from "../../models/linux/machine/workloads.js";
import {
  atOpen,
  before,
  merged,
  mergedAtFirst,
  mergedDeaf,
  mergedListening,
  mergedLooking,
  sketch,
  sketchDeaf,
  sketchListening,
} from "../../models/user-dma/designs.js";
import { ask_for_device, bind_and_tell, bind_beside, bind_by_hand, bind_then_ask, look_and_bind } from "../../models/user-dma/workloads.js";
import { C1, K1, L2, L3, O1, O2, O2User, O3 } from "../../properties/index.js";
import { O11, O12, O13, O14, O15, V2Bind } from "../../properties/user-dma.js";
import { everything, lent, violated } from "./on-linux61.js";
import { unlockedDmaOps } from "./ownership-on.js";
import { withVfio } from "./viability.js";

type Scene = Omit<BootOptions, "name" | "iommus" | "registered" | "iommu"> & Partial<Pick<BootOptions, "registered" | "iommu">>;
type Expected = Readonly<Record<string, Expectation>>;

/** One scene under several designs: `user-dma/NAME/DESIGN`. */
function under(
  name: string,
  scene: Scene,
  properties: readonly Property[],
  designs: Readonly<Record<string, readonly [Design, Expected?]>>,
): Suite[] {
  const scenario = bootScenario({ name: `user-dma/${name}`, iommu: "intel_iommu", iommus: 1, registered: 1, ...scene });
  return Object.entries(designs).map(([variant, [design, expected = {}]]) =>
    suite({ name: `user-dma/${name}/${variant}`, design, scenario, properties, expected }),
  );
}

const net: BootDriver = { name: "net", kind: "native" };
const vfioPci: BootDriver = { name: "vfio-pci", kind: "vfio_pci" };
const stub: BootDriver = { name: "pci-stub", kind: "stub" };
const port: BootDriver = { name: "pcieport", kind: "stub" };
const sibling: BootDevice = { name: "d1", state: "probed", group: "g", driver: "net" };
/** A sibling that is in no group until its firmware's tables are read, which is when a driver is bound. */
const unread: BootDevice = { name: "d1", state: "added", aliases: ["d0"], driver: "net" };

const siblings: Scene = {
  ...withVfio,
  describes: "a process asks for d0 and goes away; the driver of d1, which shares its group, is bound and unbound",
  devices: [lent, sibling],
  threads: ({ device, driver, group }) => [
    thread("qemu", ask_for_device, group("g"), device("d0")),
    thread("udev", bind_and_tell, device("d1"), driver("net")),
  ],
};

/** The same with a driver that VFIO lets be beside a user: one that does no DMA, or its own. */
function harmless(driver: BootDriver): Scene {
  return {
    ...siblings,
    describes: `a process asks for d0 and goes away; ${driver.name} is bound to d1, which shares its group, and unbound`,
    drivers: [driver, ...(driver === vfioPci ? [] : [vfioPci])],
    devices: [lent, { ...sibling, driver: driver.name }],
    more: { vfio_device: 1 },
    threads: ({ device, driver: found, group }) => [
      thread("qemu", ask_for_device, group("g"), device("d0")),
      thread("udev", bind_and_tell, device("d1"), found(driver.name)),
    ],
  };
}

const idleGroup: Scene = {
  ...siblings,
  describes: "a driver is bound to d1, if it can be, when its group is in a process's container, and when the process has d0 open",
  threads: ({ device, driver, group }) => [thread("admin", bind_beside, group("g"), device("d0"), device("d1"), driver("net"))],
};

const transmitting: Scene = {
  ...siblings,
  describes: `${siblings.describes}, and transmits meanwhile`,
  threads: (objects) => [...siblings.threads(objects), thread("net", transmit, objects.device("d1"))],
};

const failing: Scene = { ...siblings, describes: `${siblings.describes}; one step of all that fails`, faults: 1 };

const joins: Scene = {
  ...siblings,
  describes: "a process asks for d0 and goes away; the driver of d1, which joins its group only then, is bound and unbound",
  iommu: "arm_smmu_v3",
  devices: [lent, unread],
};

/** One way of binding a device that has its group already. */
function alone(describes: string, more: Partial<Scene> & Pick<Scene, "threads">): Scene {
  return { describes, drivers: [{ ...net, defers: true }], devices: [{ name: "d0", state: "probed", driver: "net" }], faults: 1, ...more };
}

const paths = alone("the driver of d0 is looked for and then bound by its name, of which one step fails, or is put off, and unbound", {
  deferral: true,
  threads: ({ device, driver }) => [
    thread("udev", look_and_bind, device("d0"), driver("net")),
    thread("deferred", deferred_probe_work_func),
  ],
});

const reprobed = alone("the driver of d0 is probed, removed and probed again, of which one step fails, and unbound", {
  testRemove: true,
  threads: ({ device, driver }) => [thread("udev", look_and_bind, device("d0"), driver("net"))],
});

const byHand = alone("d0 is bound to the driver that its bus has chosen, without a probe, and unbound", {
  threads: ({ device, driver }) => [thread("udev", bind_by_hand, device("d0"), driver("net"))],
});

const managed: Scene = {
  ...siblings,
  describes: "a process asks for d0, and goes away; the driver of d1, which shares its group and stops by a managed resource, is unbound",
  drivers: [{ ...net, stopsByDevres: true }, vfioPci],
  devices: [lent, { ...sibling, bound: true }],
  threads: ({ device, group }) => [thread("qemu", ask_for_device, group("g"), device("d0")), thread("udev", unbind, device("d1"))],
};

/** A driver is bound to d1, and then a process asks for d0, of the same group or not. */
function exempt(driver: BootDriver, group = "g"): Scene {
  return {
    ...siblings,
    describes: `${driver.name}, which is ${exemption(driver)}, is bound to d1, and a process asks for d0, which ${group === "g" ? "shares its group" : "is in another group"}`,
    drivers: [driver, vfioPci],
    devices: [lent, { ...sibling, driver: driver.name, group }],
    threads: ({ device, driver: found, group: groupOf }) => [
      thread("qemu", bind_then_ask, device("d1"), found(driver.name), groupOf("g"), device("d0")),
    ],
  };
}

/** VFIO's own driver is bound to d0, and then a process asks for d0. */
function exemptVfio(driver: BootDriver): Scene {
  return {
    ...siblings,
    describes: `${driver.name}, which is ${exemption(driver)}, is bound to d0, for which a process asks`,
    drivers: [driver],
    devices: [{ ...lent, bound: false }],
    more: { vfio_group: 1, vfio_device: 1 },
    threads: ({ device, driver: found, group }) => [
      thread("qemu", bind_then_ask, device("d0"), found(driver.name), group("g"), device("d0")),
    ],
  };
}

function exemption({ managed }: BootDriver): string {
  return managed === true ? "exempt" : "not exempt";
}

const joinsAfter: Scene = {
  ...joins,
  describes: "the driver of d1, which joins the group of d0 only then, is bound, and a process asks for d0",
  threads: ({ device, driver, group }) => [thread("qemu", bind_then_ask, device("d1"), driver("net"), group("g"), device("d0"))],
};

const unreadPaths: Scene = {
  ...paths,
  describes:
    "the driver of d0, which comes into a group only then, is looked for and then bound by its name, of which one step fails, or is put off, and unbound",
  iommu: "arm_smmu_v3",
  devices: [{ name: "d0", state: "added", driver: "net" }],
};

const lateIommu: Scene = {
  ...unreadPaths,
  describes: "the driver of d0 is bound and unbound while its IOMMU registers: dma_configure fails as long as that is not there",
  registered: 0,
  faults: 0,
  threads: ({ device, driver, iommu, ops }) => [
    thread("udev", look_and_bind, device("d0"), driver("net")),
    thread("deferred", deferred_probe_work_func),
    thread("boot", register_iommu, iommu(0), ops),
  ],
};

/** All that takes the lock of a device, of its group, and of VFIO's group. */
const locks: Scene = {
  ...siblings,
  describes: "a process opens d0, which is unbound from vfio-pci, while the administrator writes to the type file of its group",
  devices: [lent],
  threads: ({ device, group }) => [
    thread("qemu", vfio_user_of_device, group("g"), device("d0")),
    thread("udev", unbind, device("d0")),
    thread("admin", write_type_once, device("d0"), "IDENTITY"),
  ],
};

const seenTooLate = violated(
  "VFIO of 5.15 asks for the drivers of a group when a device is opened, and hears of one that is bound afterwards when its probe is over: the two overlap, and all that is left is BUG_ON()",
);

const tooEarly = violated(
  "the sketch takes ownership before dma_configure, where a device that the firmware's tables describe comes into its group: there is none to take it of",
);

const joinedUnseen = { ...everything(tooEarly, "O2", "O3", "O2-user", "O11", "O12", "warn-on"), "use-after-free": unlockedDmaOps };

const notTaken = violated(
  "nothing is taken for a driver that is bound without a probe, and __device_release_driver() gives it back all the same",
);

const twice = violated(
  "removal for a test has no dma_cleanup before probing again: what was taken twice is given back once; fixed by f429378a9bf8 (v6.6)",
);

const stillStopping = violated(
  "ownership is given back in dma_cleanup, which comes before devres_release_all(): a driver whose device is stopped there is at work until then",
);

const takenWithGroup = violated(
  "VFIO takes a group when it is put into a container: its devices' drivers are refused although no device is open, and may never be",
);

const counted = violated(
  "a driver that does no DMA of its own counts as the kernel's use of the group as long as it is bound, so that no process gets it",
);

const untold = violated(
  "a driver that uses the DMA API and says that it manages ownership itself, but does not, is not counted by anybody",
);

const leftBlocked = violated(
  "a claim that fails leaves the device whose attach failed on no domain, and its driver is bound all the same; fixed by dcf40ed3a20d (v6.5)",
);

const unowned = [O2User, O11, O12, O13, V2Bind, C1, L2, L3];
const apart = [K1, O1, O2, O3, ...unowned];
const paired = [O3];

export const userDmaSuites: readonly Suite[] = [
  ...under("siblings", siblings, unowned, { before: [before, everything(seenTooLate, "bug-on", "O2-user", "O11", "O12")] }),
  ...under("siblings", siblings, apart, {
    sketch: [sketch],
    merged: [merged],
    "at-open": [atOpen],
    looking: [mergedLooking],
    listening: [mergedListening],
    deaf: [mergedDeaf],
  }),
  ...under("siblings-vfio", harmless(vfioPci), [C1, L2, L3, O13, V2Bind], { listening: [mergedListening], deaf: [mergedDeaf] }),
  ...under("siblings-stub", harmless(stub), [C1, L2, L3, O13, V2Bind], { listening: [mergedListening], deaf: [mergedDeaf] }),
  ...under("idle-group", idleGroup, [O15], { merged: [merged, { O15: takenWithGroup }], "at-open": [atOpen] }),
  ...under("failing", failing, [O1, O2, O2User, O11, O12, O13, V2Bind, L2, L3], {
    sketch: [sketch, { "V2-bind": leftBlocked }],
    merged: [merged, { "V2-bind": leftBlocked }],
    "at-open": [atOpen, { "V2-bind": leftBlocked }],
  }),
  ...under("transmitting", transmitting, apart, { sketch: [sketch], merged: [merged], "at-open": [atOpen] }),
  ...under(
    "joins",
    joins,
    apart.filter((asked) => asked !== O1),
    {
      sketch: [sketch, joinedUnseen],
      "sketch-listening": [sketchListening, { ...joinedUnseen, "bug-on": tooEarly }],
      "sketch-deaf": [sketchDeaf, joinedUnseen],
      merged: [merged, { "use-after-free": unlockedDmaOps }],
      "6.12": [linux612],
    },
  ),

  ...under("joins-after", joinsAfter, [O11], {
    sketch: [sketch, { O11: tooEarly }],
    merged: [merged],
  }),
  ...under("paths", paths, paired, { sketch: [sketch], merged: [merged] }),
  ...under("unread", unreadPaths, paired, { sketch: [sketch, everything(tooEarly, "O3", "warn-on")], merged: [merged] }),
  ...under("late-iommu", lateIommu, paired, { sketch: [sketch, everything(tooEarly, "O3", "warn-on")], merged: [merged] }),
  ...under("reprobed", reprobed, paired, {
    sketch: [sketch],
    merged: [merged],
    "merged-at-first": [mergedAtFirst, { O3: twice }],
  }),
  ...under("by-hand", byHand, paired, {
    sketch: [sketch, everything(notTaken, "O3", "warn-on")],
    merged: [merged, everything(notTaken, "O3", "warn-on")],
  }),
  ...under("managed", managed, [K1, O2, O2User, O11, O13, C1, L2, L3], {
    sketch: [sketch],
    merged: [merged, everything(stillStopping, "O2", "O2-user", "O11")],
    "7.2": [linux72, everything(stillStopping, "O2", "O2-user", "O11")],
  }),
  ...under("locks", locks, [L2, L3], { sketch: [sketch], merged: [merged] }),
  ...exemptions("stub", exempt, stub),
  ...exemptions("port", exempt, port),
  ...exemptions("vfio", exemptVfio, vfioPci),
  ...under("exempt/no-port-apart", exempt({ ...port, managed: false }, "another"), [O14], { merged: [merged] }),
  ...under("exempt/net", exempt({ ...net, managed: true }), [O2User, O11], { merged: [merged, everything(untold, "O2-user", "O11")] }),
];

/** A driver that is exempt, and one that is not. */
function exemptions(name: string, scene: (driver: BootDriver) => Scene, driver: BootDriver): Suite[] {
  return [
    ...under(`exempt/${name}`, scene({ ...driver, managed: true }), [O14], { merged: [merged] }),
    ...under(`exempt/no-${name}`, scene({ ...driver, managed: false }), [O14], { merged: [merged, { O14: counted }] }),
  ];
}
