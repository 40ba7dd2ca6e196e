/**
 * A group behind a conventional bridge under Intel's driver, with its translation structures: DMA from behind the bridge has one
 * requester id, whichever device it is of.
 */
import { type Design, type Expectation, type Suite, thread } from "iommu-mc";
import { linux61, linux72, linux612 } from "../../models/linux/designs.js";
import type { BootDevice } from "../../models/linux/machine/boot.js";
import { plug, plug_both, register_iommu, unplug, unplug_while_attached, write_both_types } from "../../models/linux/machine/events.js";
import { vfio_user_once, vfio_user_that_stays } from "../../models/linux/machine/workloads.js";
import { C1, C4Detach, K1, L2, L2Requester, L4, L6, O2, O5, T1, T2, T2Requester, X1, X2 } from "../../properties/index.js";
import { finalizedUnlocked } from "./hotplug.js";
import { type BootSuite, bootSuite, everything, violated } from "./on-linux61.js";
import { partialAttachKept } from "./ownership-on.js";
import { releasedUnattached, releasedWhileMember } from "./probing.js";
import { firstAttachFailed } from "./registration-forward.js";

/** Siblings of a device that is released. */
const aliasCleared = violated(
  "releasing a device clears the context entries of all requester ids of its DMA, and its siblings have that of the bridge too, as a comment above domain_context_clear() says: their DMA is blocked until one of them is attached again",
);

/** In 6.1 there is another reason beside it, which is seen sooner. */
const aliasClearedBefore64 = violated(
  `${aliasCleared.reason}; in 6.1 the device itself is on the group's list still, which dba9ca9d41f5 (v6.4) mends`,
);

/** The recorded crash, and what comes of the same where only one device is left. */
const tookForUnmapped = violated(
  "intel_iommu_attach_device() of 6.1 takes a device off its old domain only if all of its requester ids have a context entry; a sibling that was released, or that could not be attached, has cleared that of the bridge, so the device gets on the new domain's list while it is on the old one's, and keeps its own entry for the old domain; fixed by b1cf1563f3b7 (v6.2)",
);

/** In scalable mode the PASID entry is found to be there still. */
const tookForUnmappedByPasid = violated(
  "as in legacy mode the device is not taken off its old domain first: its PASID entry is there still, so the attach is refused with -EBUSY, and blocking the device takes it off the new list, with which the old one is corrupt; fixed by b1cf1563f3b7 (v6.2)",
);

/** The wrong entry of the context cache. */
const flushedAnotherId = violated(
  "from f90584f4beb8 (v6.11) domain_context_clear_one() has the context cache flushed of the device's own requester id, whichever it clears the entry of: what the cache has of the bridge's id goes on to translate DMA by the old domain, also when that is freed; 7.2.13 flushes the id that was cleared",
);

/** Nothing behind a conventional bridge is translated. */
const bridgeLeftOut = violated(
  "since 301f1a80487f (v6.9) pci_pasid_table_setup() enters a PASID table only for requester ids that pci_for_each_dma_alias() names with the device itself: that of a conventional bridge above it has no context entry, and all DMA from behind the bridge is blocked",
);

/** A device whose bridge the IOMMU core has not got to know. */
const bridgeUnknown = violated(
  "domain_context_mapping_cb() of 6.12 and 7.2 asks what the driver knows of the device that a requester id is of for its IOMMU, and does not expect a bridge whose probe_device() has failed, of which it knows nothing; 6.1 takes the IOMMU of the device that is attached",
);

const modes = ["intel_legacy", "intel_scalable"] as const;
type Mode = (typeof modes)[number];
type Expected = Readonly<Record<string, Expectation>>;

/** What is expected in a kernel and mode: `linux-6.12/intel_legacy`. */
type OfEach = Readonly<Record<string, Expected>>;

/** The names are those of the recorded machine: a bridge, two network cards, and a device that is pulled out. */
const bridge: BootDevice = { name: "0000:04:00.0", state: "probed", group: "group16", secondaryId: "05:00.0" };
const behind = { state: "probed", group: "group16", upstream: "0000:04:00.0" } as const;
const lent = { ...behind, driver: "vfio-pci", bound: true } as const;
const pulledOut: BootDevice = { name: "0000:05:03.0", ...behind };

const drivers = [
  { name: "e1000", kind: "native" },
  { name: "vfio-pci", kind: "vfio_pci" },
] as const;

type Declared = Omit<BootSuite, "name" | "iommu" | "design" | "expected" | "probedBy612" | "domainIds">;

/** The scenario on each of these kernels, in both modes. */
function inEach(name: string, declared: Declared, expected: OfEach, designs: readonly Design[] = [linux61, linux612, linux72]): Suite[] {
  return designs.flatMap((design) => modes.map((mode) => inMode(`${name}/${design.name}/${mode}`, mode, design, declared, expected)));
}

function inMode(name: string, mode: Mode, design: Design, declared: Declared, expected: OfEach): Suite {
  const probedBy612 = design !== linux61;
  const isBehindBridge = declared.devices.some(({ secondaryId }) => secondaryId !== undefined);
  const isLeftOut = probedBy612 && mode === "intel_scalable" && isBehindBridge && declared.properties.includes(C1);
  return bootSuite({
    name: `requesters/${name}`,
    design,
    iommu: mode,
    probedBy612,
    domainIds: 4,
    terminates: true,
    ...declared,
    expected: { ...(isLeftOut ? { C1: bridgeLeftOut } : {}), ...expected[`${design.name}/${mode}`] },
  });
}

const boot = inEach(
  "boot",
  {
    describes: "a bridge and two devices behind it are on their bus when their IOMMU registers",
    registered: 0,
    devices: [
      { ...bridge, state: "added" },
      { name: "0000:05:01.0", ...behind, state: "added" },
      { name: "0000:05:02.0", ...behind, state: "added" },
    ],
    threads: ({ iommu, ops }) => [thread("dmar", register_iommu, iommu(0), ops)],
    properties: [C1, L4, X1, X2, L2Requester, T2Requester],
  },
  {},
);

const lentAndGivenBack: Declared = {
  describes: "a process has a group behind a conventional bridge for a while, and maps a page",
  devices: [bridge, { name: "0000:05:01.0", ...lent }, { name: "0000:05:02.0", ...lent }],
  drivers,
  users: 1,
  userPage: true,
  threads: ({ group }) => [thread("vfiot", vfio_user_once, group("group16"), true)],
  properties: [C1, C4Detach, K1, L2, L2Requester, O2, O5, T1, T2, T2Requester],
};

const inUse = inEach("lent", lentAndGivenBack, {
  "linux-6.12/intel_legacy": everything(flushedAnotherId, "K1", "L2-requester", "T1", "T2", "T2-requester"),
});

const passthrough = inEach(
  "passthrough",
  {
    ...lentAndGivenBack,
    describes: "the same where the DMA of the kernel's drivers is not translated (iommu=pt)",
    defaultDomain: "IDENTITY",
  },
  { "linux-6.12/intel_legacy": everything(flushedAnotherId, "K1", "L2-requester", "O5", "T2-requester") },
);

const siblingInUse = inEach(
  "unplug-sibling",
  {
    describes: "a driver of the kernel has a device behind a conventional bridge, and another device behind that is pulled out",
    devices: [bridge, { name: "0000:05:01.0", ...behind, driver: "e1000", bound: true }, pulledOut],
    drivers,
    threads: ({ device }) => [thread("init", unplug, device("0000:05:03.0"))],
    properties: [C1, L6, L2Requester, T2Requester],
  },
  {
    "linux-6.1/intel_legacy": { C1: aliasClearedBefore64 },
    "linux-6.1/intel_scalable": { C1: aliasClearedBefore64 },
    "linux-6.12/intel_legacy": { C1: aliasCleared },
    "linux-7.2/intel_legacy": { C1: aliasCleared },
  },
);

const unplugged: Declared = {
  describes: "a process has a group behind a conventional bridge; one of its devices is pulled out, and then the process goes away",
  devices: [bridge, { name: "0000:05:01.0", ...lent }, { name: "0000:05:02.0", ...lent }, pulledOut],
  drivers,
  users: 1,
  threads: ({ device, group }) => [
    thread("vfiot", vfio_user_that_stays, group("group16"), device("0000:05:03.0")),
    thread("init", unplug_while_attached, device("0000:05:03.0"), group("group16")),
  ],
  properties: [C1, K1, L2, L2Requester, L6, O5, T1, T2, T2Requester],
};

const unpluggedOf612: Expected = { C1: aliasCleared, ...everything(flushedAnotherId, "K1", "L2-requester", "T2-requester") };

const unpluggedWhileAttached = inEach("unplug", unplugged, {
  "linux-6.1/intel_legacy": { C1: aliasClearedBefore64, "bug-on": tookForUnmapped },
  "linux-6.1/intel_scalable": {
    C1: aliasClearedBefore64,
    ...everything(tookForUnmappedByPasid, "bug-on", "warn-on", "L2-requester", "T2-requester"),
  },
  "linux-6.12/intel_legacy": unpluggedOf612,
  "linux-7.2/intel_legacy": { C1: aliasCleared },
});

const oneIsLeft = inEach(
  "unplug-all-but-one",
  {
    ...unplugged,
    describes: "the same where only one device behind the bridge is left",
    devices: [bridge, { name: "0000:05:01.0", ...lent }, pulledOut],
  },
  {
    "linux-6.1/intel_legacy": {
      C1: aliasClearedBefore64,
      ...everything(tookForUnmapped, "leak", "warn-on", "L2-requester", "T2-requester"),
    },
    "linux-6.1/intel_scalable": { C1: aliasClearedBefore64, ...everything(tookForUnmappedByPasid, "leak", "warn-on", "T2-requester") },
    "linux-6.12/intel_legacy": unpluggedOf612,
    "linux-7.2/intel_legacy": { C1: aliasCleared },
  },
);

/** Two functions of a slot, which share a group and no requester id: what is red above is not. */
const ownIds = inEach(
  "unplug-function",
  {
    ...unplugged,
    describes: "the same of two functions of a slot, which have a requester id each",
    threads: ({ device, group }) => [
      thread("vfiot", vfio_user_that_stays, group("group16"), device("0000:06:00.1")),
      thread("init", unplug_while_attached, device("0000:06:00.1"), group("group16")),
    ],
    devices: [
      { name: "0000:06:00.0", state: "probed", group: "group16", driver: "vfio-pci", bound: true },
      { name: "0000:06:00.1", state: "probed", group: "group16" },
    ],
  },
  {
    "linux-6.1/intel_legacy": { C1: releasedWhileMember },
    "linux-6.1/intel_scalable": { C1: releasedWhileMember },
  },
);

/** Not of 6.1, where a device is released without the group's mutex: see hotplug/unplug-sibling. */
const atAnyTime = inEach(
  "unplug-at-any-time",
  {
    ...unplugged,
    describes: "a process has a group behind a conventional bridge for a while; one of its devices is pulled out at any time",
    threads: ({ device, group }) => [
      thread("vfiot", vfio_user_once, group("group16"), false),
      thread("init", unplug, device("0000:05:03.0")),
    ],
  },
  { "linux-6.12/intel_legacy": unpluggedOf612, "linux-7.2/intel_legacy": { C1: aliasCleared } },
  [linux612, linux72],
);

const pluggedIn = inEach(
  "plug",
  {
    describes: "a device is plugged in behind a conventional bridge while a process has the group for a while",
    devices: [bridge, { name: "0000:05:01.0", ...lent }, { ...pulledOut, state: "absent", driver: "e1000" }],
    drivers,
    users: 1,
    threads: ({ device, group }) => [
      thread("vfiot", vfio_user_once, group("group16"), false),
      thread("init", plug, device("0000:05:03.0")),
    ],
    properties: [C1, K1, L2, L2Requester, O2, O5, T1, T2, T2Requester],
  },
  {
    "linux-6.1/intel_legacy": { "use-after-free": finalizedUnlocked },
    "linux-6.1/intel_scalable": { "use-after-free": finalizedUnlocked },
    "linux-6.12/intel_legacy": everything(flushedAnotherId, "K1", "L2-requester", "T2-requester"),
  },
);

/** A failed attach has blocked the bridge's requester id too: the next finds the devices that are not blocked unmapped. */
const failing = inEach(
  "failing",
  { ...lentAndGivenBack, describes: "the same, and one call may fail", faults: 1 },
  {
    "linux-6.1/intel_legacy": {
      ...everything(partialAttachKept, "C1", "T2-requester"),
      ...everything(tookForUnmapped, "leak", "warn-on", "L2-requester"),
    },
    "linux-6.1/intel_scalable": everything(partialAttachKept, "C1", "T2-requester"),
    "linux-6.12/intel_legacy": everything(flushedAnotherId, "K1", "L2-requester", "T1", "T2", "T2-requester"),
  },
);

const bridgeFails = inEach(
  "plug-both",
  {
    describes: "a conventional bridge is plugged in, and then a device behind it; one call may fail",
    devices: [
      { ...bridge, state: "absent" },
      { name: "0000:05:01.0", ...behind, state: "absent" },
    ],
    faults: 1,
    threads: ({ device }) => [thread("init", plug_both, device("0000:04:00.0"), device("0000:05:01.0"))],
    properties: [L4, X1, X2, L2Requester, T2Requester],
  },
  {
    "linux-6.1/intel_legacy": { "null-deref": releasedUnattached },
    "linux-6.1/intel_scalable": { "null-deref": releasedUnattached },
    "linux-6.12/intel_legacy": { "null-deref": bridgeUnknown, "warn-on": firstAttachFailed },
    "linux-6.12/intel_scalable": { "warn-on": firstAttachFailed },
    "linux-7.2/intel_legacy": { "null-deref": bridgeUnknown, "warn-on": firstAttachFailed },
    "linux-7.2/intel_scalable": { "warn-on": firstAttachFailed },
  },
);

/** Of 6.1 there is none: it refuses groups of several devices. */
const typeWritten = inEach(
  "type",
  {
    describes: "the administrator writes identity to the type of a group behind a conventional bridge, and then DMA",
    devices: [bridge, { name: "0000:05:01.0", ...behind }, { name: "0000:05:02.0", ...behind }],
    threads: ({ device }) => [thread("admin", write_both_types, device("0000:05:01.0"))],
    properties: [C1, L2, L2Requester, T2Requester],
  },
  { "linux-6.12/intel_legacy": everything(flushedAnotherId, "L2-requester", "T2-requester") },
  [linux612, linux72],
);

export const requesterSuites: readonly Suite[] = [
  ...boot,
  ...inUse,
  ...passthrough,
  ...siblingInUse,
  ...unpluggedWhileAttached,
  ...oneIsLeft,
  ...ownIds,
  ...atAnyTime,
  ...pluggedIn,
  ...failing,
  ...bridgeFails,
  ...typeWritten,
];
