/** The kernel of 2015: arm64's DMA ops, which wait for the IOMMU's driver, and default domains when they were new. */
import { type Suite, thread, withCommits } from "iommu-mc";
import { boot_two_kinds, do_initcalls, replug, use_after_boot } from "../../models/arm64/boot.js";
import { linux44, linux47 } from "../../models/arm64/designs.js";
import { bus_set_iommu } from "../../models/arm64/iommu-bus.js";
import { T5Bound } from "../../properties/delayed-attach.js";
import { C1Then, C3Then, C5Then, L3Then, R1Then, T5Arm64, T5Coherence, V2Arm64, X2Then } from "../../properties/in-2015.js";
import { boot, of42, smmu, sysmmu } from "./arm64-scene.js";
import { everything, violated } from "./on-linux61.js";

type Options = Parameters<typeof of42>[0];

/** Linux 4.4, if nothing else is said. */
function on2015({ design = linux44, ...options }: Omit<Options, "design"> & Partial<Pick<Options, "design">>): Suite {
  return of42({ design, ...options });
}

const neverDrained = violated(
  "until 722ec35f7fae (v4.5) nobody looks at what was queued before there was a notifier, unless a device comes later",
);
const drainedTooEarly = violated("until 16c11325cc44 (v4.7) the queue is looked at when a device comes, not when its IOMMU's driver has");

const boundTooEarly = violated(
  "a driver that is bound before its IOMMU's driver has come keeps its DMA ops; only v4.12 (09515ef5ddad) defers it",
);
const addedTwice = violated(
  "nothing keeps the walk of bus_set_iommu() and the notifier that it has registered apart: the driver is told of a device by both, and that the second fails fails the walk, which removes all devices again",
);
const pciForgotten = violated(
  "of_iommu_configure() knows nothing of PCI devices yet, so that their DMA ops are never the IOMMU's, whatever its driver does",
);
const noGroup = violated(
  "bus_set_iommu() has refused the second kind, so that nothing makes a group of its devices; but without one the DMA API finds no domain, not even the one made for the device",
);
const staleEntry = violated(
  "what waits in the queue for a device stays there when adding the device fails, and is looked at when the next one comes",
);
const notMapped = violated(
  "a domain that do_iommu_attach() made for a device without a group is not found when its group comes: the core attaches its default domain instead, in which no IOVA can be allocated",
);
const nobodyTold = violated(
  "where there is no memory to queue a device, or for the IOVAs of its domain, it keeps its DMA ops, but also the default domain that its IOMMU translates it with",
);
const resultIgnored = violated("until 797a8b4d768c (v4.11) iommu_group_add_device() ignores what becomes of the attach");
const firstLeftOut = violated(
  "a default domain that a later device brings becomes the group's domain, and the devices that are there already are not attached to it",
);
const linkForgotten = violated("until 7d4e6ccd1fb0 (v5.0) the way back out of iommu_group_add_device() forgets the link from the group");
const noOps = violated("until 1874619a7df4 (v4.13) arm_iommu_detach_device() leaves the device without DMA ops");

const drainedOnce = withCommits(linux44, "722ec35f7fae");
const attachHandled = withCommits(linux44, "797a8b4d768c");

/** What is claimed of DMA ops. */
const dmaOps = [T5Arm64, V2Arm64, C1Then, C5Then, R1Then];

const dmaOpsSuites: readonly Suite[] = [
  on2015({
    name: "arm64/early-device",
    describes: "d0 and its IOMMU's driver are there before arm64's notifier; then d0's driver comes",
    devices: [{ name: "d0" }],
    threads: boot("device iommu dma driver"),
    properties: dmaOps,
    expected: everything(neverDrained, "T5-arm64", "V2-arm64"),
  }),
  on2015({
    name: "arm64/late-iommu",
    describes: "after arm64's notifier come d0, its IOMMU's driver and its own, in the order of the initcalls",
    design: drainedOnce,
    devices: [{ name: "d0" }],
    threads: boot("dma device iommu driver"),
    properties: dmaOps,
    expected: everything(drainedTooEarly, "T5-arm64", "V2-arm64"),
  }),
  on2015({
    name: "arm64/early-iommu",
    describes: "d0 comes when its IOMMU's driver is there: both notifiers are told of it, that of the IOMMU core first",
    devices: [{ name: "d0" }],
    threads: boot("dma iommu device driver"),
    properties: dmaOps,
  }),
  on2015({
    name: "arm64/retried",
    describes: "the same with d1, which comes before the driver does",
    devices: [{ name: "d0" }, { name: "d1" }],
    threads: boot("dma device iommu device driver", "d1"),
    properties: dmaOps,
  }),
  on2015({
    name: "arm64/changed-under-driver",
    describes: "the same with d1, which comes when d0's driver is bound",
    design: drainedOnce,
    devices: [{ name: "d0" }, { name: "d1" }],
    threads: boot("dma device iommu driver device", "d1"),
    properties: [...dmaOps, T5Bound],
    expected: everything(drainedTooEarly, "T5-arm64", "T5-bound"),
  }),
  on2015({
    name: "arm64/in-any-order",
    describes: "d0's IOMMU's driver registers at any time while d0 is made and its driver comes",
    design: linux47,
    devices: [{ name: "d0" }],
    threads: ({ device, bus, iommu }) => [
      thread("init", do_initcalls, bus("platform"), iommu(0), device("d0"), null, "dma device driver"),
      thread("smmu", bus_set_iommu, bus("platform"), iommu(0)),
    ],
    properties: [...dmaOps, X2Then],
    expected: {
      ...everything(boundTooEarly, "T5-arm64", "V2-arm64"),
      ...everything(addedTwice, "warn-on", "null-deref", "use-after-free"),
    },
  }),
  on2015({
    name: "arm64/without-group",
    describes: "d0's IOMMU attaches it before it has a group, and then its driver registers",
    iommus: [sysmmu],
    devices: [{ name: "d0" }],
    threads: boot("dma device iommu driver"),
    properties: dmaOps,
    expected: everything(notMapped, "T5-arm64", "warn-on", "leak"),
  }),
  on2015({
    name: "arm64/two-kinds",
    describes: "d0 and d1 are behind two kinds of IOMMUs, of which the bus takes one",
    iommus: [smmu, sysmmu],
    devices: [{ name: "d0" }, { name: "d1", iommu: 1 }],
    threads: ({ device, bus, iommu }) => [thread("init", boot_two_kinds, bus("platform"), iommu(0), iommu(1), device("d0"), device("d1"))],
    properties: [T5Arm64, C5Then],
    expected: everything(noGroup, "null-deref"),
  }),
  on2015({
    name: "arm64/pci",
    describes: "d0 is a PCI device, and its IOMMU's driver is there when it comes",
    devices: [{ name: "d0", bus: "pci" }],
    threads: ({ device, bus, iommu }) => [
      thread("init", do_initcalls, bus("pci"), iommu(0), device("d0"), null, "dma iommu device driver"),
    ],
    properties: dmaOps,
    expected: everything(pciForgotten, "T5-arm64", "V2-arm64"),
  }),
  on2015({
    name: "arm64/no-dma-domains",
    describes: "the driver of d0's IOMMU knows no DMA domains, as most did not",
    iommus: [{ ...smmu, dmaDomains: false }],
    devices: [{ name: "d0" }],
    threads: boot("dma device iommu driver"),
    properties: [T5Arm64],
  }),
  on2015({
    name: "arm64/failed-add",
    describes: "d0 cannot be added to its bus, and d1 comes after it",
    devices: [{ name: "d0", cannotBeAdded: true }, { name: "d1" }],
    threads: boot("dma iommu device device", "d1"),
    properties: [C5Then],
    expected: everything(staleEntry, "use-after-free"),
  }),
  on2015({
    name: "arm64/one-without",
    describes: "d0, which is behind no IOMMU, and d1 are there when the driver of d1's IOMMU comes",
    design: linux47,
    devices: [{ name: "d0", iommu: null }, { name: "d1" }],
    threads: boot("dma device device iommu driver", "d1"),
    properties: dmaOps,
  }),
  on2015({
    name: "arm64/failing",
    describes: "what comes for d0 in the order of the initcalls; one call may fail",
    design: withCommits(linux47, "797a8b4d768c", "7d4e6ccd1fb0"),
    devices: [{ name: "d0" }],
    faults: 1,
    threads: boot("dma iommu device driver"),
    properties: dmaOps,
    expected: everything(nobodyTold, "T5-arm64", "V2-arm64"),
  }),
  on2015({
    name: "arm64/failing-walk",
    describes: "d0 and d1 are there when their IOMMU's driver comes; one call may fail",
    design: withCommits(linux47, "797a8b4d768c", "7d4e6ccd1fb0"),
    devices: [{ name: "d0" }, { name: "d1" }],
    faults: 1,
    threads: boot("dma device device iommu driver", "d1"),
    properties: [...dmaOps, C3Then, L3Then],
    expected: everything(nobodyTold, "T5-arm64", "V2-arm64"),
  }),
];

const mappingSuites: readonly Suite[] = [true, false].map((coherent) =>
  on2015({
    name: `arm/own-mapping/${coherent ? "coherent" : "not-coherent"}`,
    describes: `d0, ${coherent ? "whose DMA is coherent" : "whose DMA is not coherent"}, is put on a mapping of its driver's for a while`,
    iommus: [{ ...smmu, dmaDomains: false }],
    devices: [{ name: "d0", coherent }],
    faults: 1,
    threads: ({ device, bus, iommu }) => [thread("init", use_after_boot, bus("platform"), iommu(0), device("d0"))],
    properties: [T5Coherence],
    ...(coherent ? { expected: everything(noOps, "T5-coherence") } : {}),
  }),
);

const attachSuites: readonly Suite[] = [
  on2015({
    name: "default-attach/failing",
    describes: "d1 joins d0's group, to whose default domain it cannot be attached",
    devices: [
      { name: "d0", bus: "pci" },
      { name: "d1", bus: "pci", alias: "d0" },
    ],
    faults: 1,
    threads: ({ device, bus, iommu }) => [
      thread("init", do_initcalls, bus("pci"), iommu(0), device("d0"), device("d1"), "device iommu device"),
    ],
    properties: [C1Then, C3Then, R1Then],
    expected: everything(resultIgnored, "C1-2015"),
  }),
  on2015({
    name: "default-attach/undone",
    describes: "the same, and d1 is taken away",
    design: attachHandled,
    devices: [
      { name: "d0", bus: "pci" },
      { name: "d1", bus: "pci", alias: "d0" },
    ],
    faults: 1,
    threads: ({ device, bus, iommu }) => [thread("init", replug, bus("pci"), iommu(0), device("d0"), device("d1"))],
    properties: [C1Then, C3Then, L3Then, R1Then],
    expected: everything(linkForgotten, "L3-2015"),
  }),
  on2015({
    name: "default-attach/late",
    describes: "there is no memory for a default domain when d0's group is made, but when d1 joins it",
    iommus: [{ ...smmu, canRunOut: true }],
    design: withCommits(attachHandled, "7d4e6ccd1fb0"),
    devices: [
      { name: "d0", bus: "pci" },
      { name: "d1", bus: "pci", alias: "d0" },
    ],
    faults: 1,
    threads: ({ device, bus, iommu }) => [thread("init", replug, bus("pci"), iommu(0), device("d0"), device("d1"))],
    properties: [C1Then, C3Then, L3Then, R1Then],
    expected: everything(firstLeftOut, "C1-2015"),
  }),
];

export const arm64Suites: readonly Suite[] = [...dmaOpsSuites, ...mappingSuites, ...attachSuites];
