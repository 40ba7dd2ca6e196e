/** POWER's IOMMU as the core of 6.12 and 7.2 sees it: devices that come, ownership, and ownership that cannot be taken or given back. */
import { type Suite, thread } from "iommu-mc";
import { linux72, linux612 } from "../../models/linux/designs.js";
import type { BootDevice, BootObjects } from "../../models/linux/machine/boot.js";
import { load_driver, unplug, write_type } from "../../models/linux/machine/events.js";
import { boot_phb, plug_into_pe, unplug_and_plug } from "../../models/linux/machine/pseries.js";
import { claim_and_release, rebind } from "../../models/linux/machine/workloads.js";
import { C1, C3, C4, K1, L1, L2, L3, L6, O1, O2, O3, O5, O6, O7, T5, V2, V3, X1, X2 } from "../../properties/index.js";
import { type OnEach, onEachOf, violated } from "./on-linux61.js";

type OnPSeries = Omit<OnEach, "name" | "iommu" | "devices" | "tableGroups"> & { readonly name: string; readonly d1?: BootDevice["state"] };

/** On a PE with d0, which is in its group, and d1. */
function onPe({ name, d1 = "probed", ...declared }: OnPSeries): Suite[] {
  return onEachOf([linux612, linux72], {
    name: `spapr-tce/${name}`,
    iommu: "spapr_tce",
    tableGroups: [{ name: "pe", group: "g" }],
    devices: [
      { name: "d0", state: "probed", group: "g", tableGroup: "pe", driver: "net" },
      { name: "d1", state: d1, group: "g", tableGroup: "pe" },
    ],
    drivers: [{ name: "net", kind: "native" }],
    ...declared,
  });
}

const owner = (objects: BootObjects) => thread("owner", claim_and_release, objects.device("d0"), objects.owner(0));

/** A finding. */
const windowLost = violated(
  "spapr_tce_release_ownership() returns nothing, so that a default window that cannot be made anew is no error of the attach: the group is on its platform domain, and its device has no window. With another device in the PE it is tried again",
);

export const spaprTceSuites: readonly Suite[] = [
  ...onEachOf([linux612, linux72], {
    name: "spapr-tce/boot",
    describes: "a PHB registers its IOMMU before it has devices; two are found, of one PE, while the module of their driver is loaded",
    iommu: "spapr_tce",
    registered: 0,
    tableGroups: [{ name: "pe" }],
    devices: ["d0", "d1"].map((name) => ({ name, state: "absent", tableGroup: "pe", driver: "net" })),
    drivers: [{ name: "net", kind: "native", registered: false }],
    terminates: true,
    threads: (objects) => [
      thread("boot", boot_phb, objects.iommu(0), objects.ops, objects.tableGroup("pe"), objects.device("d0"), objects.device("d1")),
      thread("modprobe", load_driver, objects.driver("net"), objects.bus("pci")),
    ],
    properties: [C1, L1, O3, T5, V2, X1, X2],
  }),
  ...onPe({
    name: "ownership",
    describes: "two owners claim the group of a PE, while the driver of d0 is bound and unbound and its type file is written to",
    owners: 2,
    threads: (objects) => [
      owner(objects),
      thread("other owner", claim_and_release, objects.device("d1"), objects.owner(1)),
      thread("udev", rebind, objects.device("d0"), objects.driver("net")),
      thread("admin", write_type, objects.group("g"), "identity or DMA"),
    ],
    properties: [C1, C4, K1, L2, L3, O1, O2, O3, O5, O6, O7],
  }),
  ...onPe({
    name: "failing-claim",
    describes: "an owner claims the group of a PE, and one call may fail",
    owners: 1,
    faults: 1,
    threads: (objects) => [owner(objects)],
    properties: [C1, C3, C4, K1, L2, O5],
  }),
  ...onPe({
    name: "failing-release",
    describes: "an owner claims the group of a PE that has one device, and one call may fail",
    d1: "absent",
    owners: 1,
    faults: 1,
    threads: (objects) => [owner(objects)],
    properties: [C1, C3, C4, K1, L2, O5],
    of: Object.fromEntries([linux612, linux72].map(({ name }) => [name, { C1: windowLost }])),
  }),
  ...onPe({
    name: "plug-while-owned",
    describes: "a device is plugged into a PE whose group an owner claims",
    d1: "absent",
    owners: 1,
    threads: (objects) => [owner(objects), thread("hotplug", plug_into_pe, objects.device("d1"))],
    properties: [C1, C4, K1, O2, O5, X1, X2],
  }),
  ...onPe({
    name: "unplug-while-owned",
    describes: "a device of a PE is unplugged, whose group an owner claims",
    owners: 1,
    threads: (objects) => [owner(objects), thread("hotplug", unplug, objects.device("d1"))],
    properties: [C1, C4, K1, L6, O2, V3],
  }),
  ...onPe({
    name: "last-device",
    describes: "the only device of a PE is unplugged, and another one is plugged in: the PE keeps its group",
    d1: "absent",
    terminates: true,
    threads: (objects) => [thread("hotplug", unplug_and_plug, objects.device("d0"), objects.device("d1"))],
    properties: [C1, L2, L3, L6, V3],
  }),
];
