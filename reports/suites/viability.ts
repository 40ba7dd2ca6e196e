/** VFIO before it owned the groups it lends: it looks at their devices' drivers, when a user comes and when a driver has come. */
import { type Suite, thread } from "iommu-mc";
import { linux61Without } from "../../models/linux/designs.js";
import { bind_once, plug } from "../../models/linux/machine/events.js";
import { transmit } from "../../models/linux/machine/native.js";
import { bind_and_unbind, vfio_user_of_device, vfio_user_once } from "../../models/linux/machine/workloads.js";
import { C1, L2, L3, O2User, R1, X2 } from "../../properties/index.js";
import { type BootSuite, bootSuite, everything, lent, violated } from "./on-linux61.js";

/** Without 70693f470848: drivers count as users of their groups, and VFIO claims nothing. What of ownership is younger is as in 6.1. */
const unowned = linux61Without(
  "linux-6.1-vfio-of-5.18",
  "70693f470848",
  "dc15f82f5329",
  "31076af0cb00",
  "93219ea94388",
  "3b86f317c9c7",
  "a5f1bd1afacd",
  "e0e29bdb594a",
  "ca5f21b25749",
  "3dd59a7dcb97",
);

/** Entry 43: enforcement after the fact. */
const noticedTooLate = violated(
  "VFIO of 5.18 looks at the drivers of a group when a user opens a device of it, and learns of one that is bound afterwards from a notifier, when its probe is over and has done DMA: all that is left is BUG_ON(); 70693f470848 (v5.19) takes ownership, so that the driver's probe is not even begun",
);

/** Entry 16 as it was at first. */
const attachedDefault = violated(
  "iommu_probe_device() of 5.18 attaches the default domain to a device that joins a group, although adding it has attached the user's domain that the group is on; 1ea2a07a532b (v5.19) leaves out groups that are owned, as those of VFIO's users are with 70693f470848",
);

const addedToLive = violated("VFIO of 5.18 can do no more than warn of a device that joins a group which a user has");

const finalizedUnlocked = violated(
  "probe_finalize() looks at the group's domain when the mutex has been given back, and a user's domain may be freed meanwhile",
);

/** What happens to a group that a process may use. */
type Scene = Pick<BootSuite, "describes" | "devices" | "threads" | "properties"> & Partial<Pick<BootSuite, "more" | "terminates">>;

/** VFIO and a driver of the kernel's own have to do with one group. */
export const viabilityScenes = {
  "bind-sibling": {
    describes:
      "a process attaches and opens d0, and goes away; the driver of d1, which shares its group, is bound meanwhile, and transmits",
    devices: [lent, { name: "d1", state: "probed", group: "g", driver: "net" }],
    threads: ({ device, driver, group }) => [
      thread("qemu", vfio_user_of_device, group("g"), device("d0")),
      thread("udev", bind_once, device("d1"), driver("net")),
      thread("net", transmit, device("d1")),
    ],
    properties: [C1, L2, O2User],
  },
  "vfio-sibling": {
    describes: "a process attaches and opens d0, and goes away; d1, which shares its group, is bound to vfio-pci and unbound meanwhile",
    devices: [lent, { name: "d1", state: "probed", group: "g" }],
    more: { vfio_device: 1 },
    threads: ({ device, driver, group }) => [
      thread("qemu", vfio_user_of_device, group("g"), device("d0")),
      thread("udev", bind_and_unbind, device("d1"), driver("vfio-pci")),
    ],
    properties: [C1, L2, L3, O2User],
  },
  listener: {
    describes: "d0 is bound to vfio-pci, which listens to its group from then on, and unbound",
    devices: [{ name: "d0", state: "probed" }],
    more: { vfio_group: 1, vfio_device: 1 },
    threads: ({ device, driver }) => [thread("udev", bind_and_unbind, device("d0"), driver("vfio-pci"))],
    terminates: true,
    properties: [L3, R1],
  },
  "plug-sibling": {
    describes: "d1 is plugged into the group of d0, which a process attaches, and goes away",
    devices: [lent, { name: "d1", state: "absent", aliases: ["d0"] }],
    threads: ({ device, group }) => [thread("qemu", vfio_user_once, group("g"), true), thread("plug", plug, device("d1"))],
    properties: [C1, L2, X2],
  },
} satisfies Readonly<Record<string, Scene>>;

/** A machine with VFIO, which listens to the groups that it has. */
export const withVfio = {
  iommu: "intel_iommu",
  drivers: [
    { name: "net", kind: "native" },
    { name: "vfio-pci", kind: "vfio_pci" },
  ],
  users: 1,
  groupNotifiers: true,
} satisfies Partial<BootSuite>;

function viability(name: keyof typeof viabilityScenes, expected: BootSuite["expected"] = {}): Suite {
  const scene: Scene = viabilityScenes[name];
  return bootSuite({ name: `viability/${name}`, design: unowned, ...withVfio, ...scene, expected });
}

export const viabilitySuites: readonly Suite[] = [
  viability("bind-sibling", everything(noticedTooLate, "bug-on", "O2-user")),
  viability("vfio-sibling"),
  viability("listener"),
  viability("plug-sibling", { C1: attachedDefault, "warn-on": addedToLive, "use-after-free": finalizedUnlocked }),
];
