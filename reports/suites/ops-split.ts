/** The split of `struct iommu_ops`: designs of before and after, proposals of the review, and the same drivers under each. */
import { type Design, type Expectation, type Property, type Suite, suite, thread, withCommits } from "iommu-mc";
import {
  ops510,
  ops512,
  ops517,
  opsAtAttach,
  opsByFormat,
  opsByKind,
  opsFromDevice,
  opsMerged,
  opsPosted,
} from "../../models/ops-split/designs.js";
import { type MachineOptions, machineScenario, type SplitDevice } from "../../models/ops-split/machine.js";
import type { BusType, Driver } from "../../models/ops-split/schema.js";
import {
  bind_processes,
  type Call,
  look_at_default_domain,
  map_shared,
  probe_and_allocate_iova,
  probe_and_do_anything,
  probe_and_do_dma,
  probe_and_plug,
  probe_and_use,
  share_and_attach,
  use_domain,
  vfio_user,
} from "../../models/ops-split/users.js";
import { bothMapped, D1, D2, D3, D4, D5, D6, D7, D8, D9, D10 } from "../../properties/ops-split.js";
import { everything, violated } from "./on-linux61.js";

/** A scenario under several designs, by whose keys the suites are called. */
interface Compared extends MachineOptions {
  readonly designs: Readonly<Record<string, Design>>;
  readonly properties?: readonly Property[];
  /** What is asked under some of the designs only. */
  readonly also?: Readonly<Record<string, readonly Property[]>>;
  readonly expected?: Readonly<Record<string, Expectation>>;
  /** What is expected under some of the designs only. */
  readonly of?: Readonly<Record<string, Readonly<Record<string, Expectation>>>>;
}

/** The scenario is one and the same, so that the designs can be audited against each other. */
function compared({ designs, properties = [], also = {}, expected = {}, of = {}, ...options }: Compared): readonly Suite[] {
  const scenario = machineScenario({ ...options, name: `ops-split/${options.name}` });
  return Object.entries(designs).map(([key, design]) =>
    suite({
      name: `${scenario.name}/${key}`,
      design,
      scenario,
      properties: [...properties, ...(also[key] ?? [])],
      expected: { ...expected, ...of[key] },
    }),
  );
}

const one: readonly SplitDevice[] = [{ name: "d0" }];
const all: readonly Call[] = ["map", "map write-only", "unmap", "look", "quirks", "DMA"];

const splits = { "5.17": ops517, posted: opsPosted, merged: opsMerged };

const notBack = violated(
  "the driver can fail to attach a device to the default domain that it was on before, which the core can only warn of",
);
const leftBehind = violated(
  "a device whose default domain could not be allocated, behind a driver without detach_dev, stays on the domain of a user when that is freed",
);
const nothingToSync = violated(
  "viommu_iotlb_sync() locks the queue of the domain's IOMMU, which a domain that nothing was attached to yet has not got; and a flush queue flushes by flush_iotlb_all(), which the driver has not got",
);
const nullFlush = violated("a flush queue flushes by flush_iotlb_all(), which the driver has not got: see C6 in models of 6.1");

/** What each driver of v5.17 does wrong by itself, whatever the design. */
const ownFaults: Readonly<Record<Driver, Readonly<Record<string, Expectation>>>> = {
  intel_iommu: { "warn-on": notBack },
  amd_iommu: { "warn-on": notBack },
  arm_smmu: { "use-after-free": leftBehind },
  arm_smmu_v3: { "use-after-free": leftBehind },
  virtio_iommu: { "null-deref": nothingToSync, "warn-on": notBack, "use-after-free": leftBehind },
  exynos_iommu: { "null-deref": nullFlush },
  s390_iommu: {},
  apple_dart: {},
};

/** B1, B2: drivers with one kind of table. */
const sameSuites = (Object.keys(ownFaults) as Driver[]).flatMap((driver) =>
  compared({
    name: `same/${driver}`,
    describes:
      "one device is probed; then its driver, the administrator and somebody with a domain do whatever they may, for ever; one call may fail",
    driver,
    devices: one,
    faults: 1,
    designs: splits,
    properties: [D1],
    expected: ownFaults[driver],
    threads: (bus) => [thread("anybody", probe_and_do_anything, bus, all)],
  }),
);

const twoIommus: readonly SplitDevice[] = [{ name: "d0" }, { name: "d1", iommu: 1 }];

/** The same of a domain that devices behind two IOMMUs are attached to, which some drivers refuse. */
const sharedSuites = (["intel_iommu", "amd_iommu", "arm_smmu_v3", "virtio_iommu", "s390_iommu"] as const).flatMap((driver) =>
  compared({
    name: `shared/${driver}`,
    describes: "two devices behind two IOMMUs are probed, and somebody attaches both to a domain, or one, and uses it",
    driver,
    devices: twoIommus,
    designs: splits,
    properties: [D1],
    expected: driver === "virtio_iommu" ? { "null-deref": nothingToSync } : {},
    threads: (bus) => [thread("user", probe_and_use, bus, ["map", "unmap", "look"], true)],
  }),
);

const wrongStructure = violated("the table that all kinds share frees the domain of a process as one with a page table");
const noTable = violated("a domain has no table until a device is attached, and nobody asks whether it has one");
const opsChanged = violated("the second device is behind an endpoint of the other kind, and attach_dev installs the ops of that");
const forgotten = violated("the identity domain is not allocated by domain_alloc, and the driver forgets that it needs a table too");
const oneTable = violated("an identity domain has the one table that there is, with an op to map");
const typeAlone = violated("a write of DMA-FQ to the type file changes the type in place, and leaves the table");

const process = {
  name: "sva",
  describes: "processes are bound to a device, and unbound; one call may fail",
  driver: "intel_iommu",
  devices: one,
  faults: 1,
} as const;
const bound = { ...process, properties: [D1, D9], threads: (bus: BusType) => [thread("processes", bind_processes, bus)] };

/** How a driver may have a second kind of domain. */
const asSecondKind = {
  "default-table": withCommits(opsMerged, "sva-domains"),
  "own-table": withCommits(opsMerged, "sva-domains", "sva-table"),
  "one-attach": withCommits(opsMerged, "sva-domains", "sva-table", "one-attach"),
  "attach-by-kind": withCommits(opsMerged, "sva-domains", "sva-table", "one-attach", "attach-by-kind"),
};

const takenForPaging = violated(
  "attach_dev of a domain with a page table takes the domain of a process for one, and puts all of the device's DMA on it",
);

/**
 * B3, B13: a second kind of domain. AMD's driver has one structure for both, so that no container_of() can go wrong there, and takes the
 * devices off a domain that it frees.
 */
const kindSuites: readonly Suite[] = [
  ...compared({
    ...bound,
    designs: asSecondKind,
    of: { "default-table": everything(wrongStructure, "D1"), "one-attach": everything(takenForPaging, "D1", "D9", "use-after-free") },
  }),
  ...compared({
    ...bound,
    name: "sva/arm_smmu_v3",
    driver: "arm_smmu_v3",
    designs: asSecondKind,
    of: { "default-table": everything(wrongStructure, "D1"), "one-attach": everything(takenForPaging, "D1", "D9", "use-after-free") },
  }),
  ...compared({
    ...bound,
    name: "sva/amd_iommu",
    driver: "amd_iommu",
    designs: asSecondKind,
    of: { "one-attach": { D9: takenForPaging } },
  }),
  ...compared({
    name: "static-domain/intel_iommu",
    describes: "a device is put on the identity domain that is the driver's own, and somebody looks at it",
    driver: "intel_iommu",
    devices: [{ name: "d0", identity: true }],
    designs: { posted: opsPosted, forgetful: withCommits(opsPosted, "si-domain-forgotten") },
    of: { forgetful: everything(forgotten, "null-deref") },
    threads: (bus) => [thread("somebody", look_at_default_domain, bus)],
  }),
  ...compared({
    name: "pasid/intel_iommu",
    describes: "somebody attaches a domain to a device, and to its PASID, in any order",
    driver: "intel_iommu",
    devices: one,
    designs: { "5.17": ops517 },
    properties: [D1],
    threads: (bus) => [thread("user", probe_and_use, bus, ["aux", "map"], true)],
  }),
  ...compared({
    name: "identity/exynos_iommu",
    describes: "a device that wants an identity domain is behind a driver that has none, and its driver does DMA",
    driver: "exynos_iommu",
    devices: [{ name: "d0", identity: true }],
    designs: { "default-table": opsMerged },
    properties: [D1, D4],
    threads: (bus) => [thread("driver", probe_and_do_dma, bus)],
  }),
  ...(["intel_iommu", "amd_iommu", "arm_smmu", "arm_smmu_v3", "apple_dart"] as const).flatMap((driver) =>
    compared({
      name: `identity/${driver}`,
      describes: "somebody maps into the identity domain of a device, and looks at it",
      driver,
      devices: [{ name: "d0", identity: true }],
      designs: {
        "5.17": ops517,
        posted: opsPosted,
        "default-table": opsMerged,
        "by-kind": opsByKind,
      },
      properties: [D1, D4],
      of: Object.fromEntries(["5.17", "posted", "default-table"].map((key) => [key, everything(oneTable, "D4")])),
      threads: (bus) => [thread("somebody", look_at_default_domain, bus)],
    }),
  ),
];

const endpoints: readonly SplitDevice[] = [
  { name: "emulated", emulated: true },
  { name: "physical", emulated: false },
];

/** B4, B5: when a domain gets its table. */
const attachSuites: readonly Suite[] = [
  ...compared({
    name: "before-attach",
    describes: "a domain is used before and after a device is attached to it",
    driver: "virtio_iommu",
    devices: [endpoints[0]!],
    designs: { "at-attach": opsAtAttach, "from-device": opsFromDevice },
    properties: [D10],
    of: { "at-attach": everything(noTable, "null-deref", "D10") },
    threads: (bus) => [thread("user", probe_and_use, bus, ["map", "unmap", "look"], true)],
  }),
  ...compared({
    name: "two-endpoints",
    describes: "an emulated and a physical device of a guest are attached to one domain, in which a page is mapped and unmapped",
    driver: "virtio_iommu",
    devices: endpoints,
    designs: { "at-attach": opsAtAttach, "from-device": opsFromDevice },
    properties: [D2, D3],
    also: { "at-attach": [bothMapped] },
    of: { "at-attach": everything(opsChanged, "D2", "D3") },
    threads: (bus) => [thread("user", use_domain, bus, ["map", "unmap"], false)],
  }),
];

/** B10: the type of a domain changes in place. */
const typeSuites: readonly Suite[] = (["intel_iommu", "virtio_iommu"] as const).flatMap((driver) =>
  compared({
    name: `type-file/${driver}`,
    describes: "DMA-FQ is written to the type file while a driver does DMA",
    driver,
    devices: one,
    designs: { "type-of-domain": opsByKind, "type-of-ops": withCommits(opsByKind, "type-of-ops") },
    properties: [D5],
    of: { "type-of-domain": { ...everything(typeAlone, "D5"), ...(driver === "virtio_iommu" ? { "null-deref": nullFlush } : {}) } },
    threads: (bus) => [thread("anybody", probe_and_do_anything, bus, [])],
  }),
);

const forgets = violated(
  "amd_iommu_attach_device() forgets that the attach was deferred before it fails, and the next mapping is given without an attach",
);
const pasidTable = violated(
  "Intel's driver no longer takes the attach for deferred when it fails late, and the next mapping is given without an attach",
);
const mistakeOf = { intel_iommu: pasidTable, amd_iommu: forgets };

const byDevice = withCommits(ops517, "3f6634d997db", "41bb23e70b50");
const withFlag = withCommits(byDevice, "dd8a25c557e1");

/** B7, B14: an attach that is put off because a crashed kernel's DMA may go on. */
const deferredSuites: readonly Suite[] = [
  ...(["intel_iommu", "amd_iommu"] as const).flatMap((driver) =>
    compared({
      name: `deferred/${driver}`,
      describes: "after a crash a device is probed, and its driver maps and unmaps, for ever; one call may fail",
      driver,
      devices: one,
      kdump: true,
      faults: 1,
      designs: {
        "through-domain": ops517,
        "through-device": byDevice,
        flag: withFlag,
        "flag-cleared-at-attempt": withCommits(withFlag, "cleared-at-attempt"),
        "flag-never-cleared": withCommits(withFlag, "never-cleared"),
        ...(driver === "intel_iommu"
          ? {
              "since-586081d3f6b1": withCommits(byDevice, "586081d3f6b1"),
              "flag-since-586081d3f6b1": withCommits(withFlag, "586081d3f6b1"),
            }
          : {}),
      },
      properties: [D8],
      of: {
        "through-domain": { D8: mistakeOf[driver] },
        "through-device": { D8: mistakeOf[driver] },
        "flag-cleared-at-attempt": { D8: forgets },
      },
      threads: (bus) => [thread("driver", probe_and_do_dma, bus)],
    }),
  ),
  ...(["intel_iommu", "amd_iommu"] as const).flatMap((driver) =>
    compared({
      name: `deferred-shared/${driver}`,
      describes: "after a crash a device is probed; then its driver and somebody with a domain take turns, for ever; one call may fail",
      driver,
      devices: one,
      kdump: true,
      faults: 1,
      designs: {
        "through-domain": ops517,
        "through-device": withCommits(byDevice, "586081d3f6b1"),
        flag: withCommits(withFlag, "586081d3f6b1"),
      },
      expected: { "warn-on": notBack },
      threads: (bus) => [thread("anybody", probe_and_do_anything, bus, ["DMA"])],
    }),
  ),
  ...compared({
    name: "deferred-by-domain",
    describes: "after a crash a device with an identity domain is probed by a driver that defers attaches to DMA domains only",
    driver: "intel_iommu",
    devices: [{ name: "d0", identity: true }],
    kdump: true,
    designs: {
      "through-domain": withCommits(ops517, "deferred-by-domain"),
      "through-device": withCommits(byDevice, "deferred-by-domain"),
    },
    threads: (bus) => [thread("driver", probe_and_do_dma, bus)],
  }),
];

const mapsFirst = violated("the walk of a bus maps what the firmware needs before it attaches the devices of a group");

/** B8: a page of the firmware's. */
const resvSuites: readonly Suite[] = [
  ...compared({
    name: "resv/walk",
    describes: "the bus of a device with a page of the firmware's is walked, and IOVAs are handed out",
    driver: "intel_iommu",
    devices: [{ name: "d0", resvRegion: true }],
    designs: {
      "5.10": ops510,
      "without-domain": withCommits(ops510, "apply-without-domain"),
      "without-device": withCommits(ops510, "apply-without-device"),
    },
    also: { "5.10": [D6] },
    of: { "5.10": { D6: mapsFirst } },
    threads: (bus) => [thread("iommu", probe_and_allocate_iova, bus)],
  }),
  ...compared({
    name: "resv/plugged",
    describes: "a device with a page of the firmware's is plugged in",
    driver: "intel_iommu",
    devices: [{ name: "d0", resvRegion: true, absent: true }],
    designs: { "5.10": ops510 },
    properties: [D6],
    threads: (bus, device) => [thread("udev", probe_and_plug, bus, device("d0"))],
  }),
];

const asked = violated(
  "VFIO enables nesting of the domain of a container that was set to VFIO_TYPE1_NESTING_IOMMU, which any process may do",
);

/** B11: nesting that VFIO enables. `as-old`: before eea53c581688 (v5.13). */
const nestingSuites: readonly Suite[] = (["intel_iommu", "arm_smmu", "arm_smmu_v3"] as const).flatMap((driver) =>
  compared({
    name: `nesting/${driver}`,
    describes: "a process opens a container with nesting or without, maps, lets its device do DMA, and closes it",
    driver,
    devices: one,
    firstLevel: driver === "intel_iommu",
    designs: {
      real: ops517,
      "in-name-only": withCommits(ops517, "nesting-in-name-only"),
      ...(driver === "intel_iommu" ? { "5.12": ops512, "5.12-in-name-only": withCommits(ops512, "nesting-in-name-only") } : {}),
    },
    properties: [D7],
    expected: { D7: asked },
    threads: (bus) => [thread("process", vfio_user, bus, ["map", "map write-only", "unmap", "DMA"])],
  }),
);

/** The same where Intel's IOMMUs cannot nest, which the driver says. */
const noNestingSuites = compared({
  name: "nesting-absent/intel_iommu",
  describes: "a process opens a container with nesting or without on a machine whose IOMMUs cannot nest",
  driver: "intel_iommu",
  devices: one,
  firstLevel: true,
  nesting: false,
  designs: { real: ops517, "in-name-only": withCommits(ops517, "nesting-in-name-only") },
  threads: (bus) => [thread("process", vfio_user, bus, ["map", "unmap", "DMA"])],
});

const swapped = {
  "not-swapped": opsMerged,
  swapped: opsByFormat,
  bare: withCommits(opsByFormat, "bare-until-format"),
  "ops-first": withCommits(opsByFormat, "format-ops-first"),
};
const calledNull = violated(
  "iommu_iova_to_phys() does not ask whether there is the op, which the table has not got before there is a page table",
);
const noPageTable = violated("ops of the format are there before the page table, which they take for granted");

/** B12: ops of the format. */
const formatSuites: readonly Suite[] = [
  ...compared({
    name: "format/after-attach",
    describes: "a domain is used after a device was attached to it; one call may fail",
    driver: "arm_smmu",
    devices: one,
    faults: 1,
    designs: swapped,
    properties: [D1],
    threads: (bus) => [thread("user", probe_and_use, bus, ["map", "unmap", "look"], false)],
    expected: { "use-after-free": leftBehind },
  }),
  ...compared({
    name: "format/before-attach",
    describes: "a domain is used before a device is attached to it too; one call may fail",
    driver: "arm_smmu",
    devices: one,
    faults: 1,
    designs: swapped,
    properties: [D1],
    threads: (bus) => [thread("user", probe_and_use, bus, ["map", "unmap", "look", "nesting"], true)],
    expected: { "use-after-free": leftBehind },
    of: { bare: { "null-deref": calledNull }, "ops-first": { "null-deref": noPageTable } },
  }),
  ...compared({
    name: "format/meanwhile",
    describes: "one thread attaches a device to a domain, another one maps into it",
    driver: "arm_smmu",
    devices: one,
    designs: swapped,
    properties: [D1],
    threads: (bus) => [thread("attaches", share_and_attach, bus), thread("maps", map_shared, bus)],
    of: { bare: { "null-deref": calledNull }, "ops-first": { "null-deref": noPageTable } },
  }),
];

/** B9: what to test. */
const testSuites: readonly Suite[] = (["intel_iommu", "arm_smmu"] as const).flatMap((driver) =>
  compared({
    name: `tests/${driver}`,
    describes: "somebody maps into the identity domain of a device, and looks at it",
    driver,
    devices: [{ name: "d0", identity: true }],
    designs: {
      "default-table-null": withCommits(opsMerged, "null-tests-only"),
      "default-table-type": withCommits(opsMerged, "type-tests-only"),
      "by-kind-null": withCommits(opsByKind, "null-tests-only"),
      "by-kind-type": withCommits(opsByKind, "type-tests-only"),
    },
    threads: (bus) => [thread("somebody", look_at_default_domain, bus)],
  }),
);

export const opsSplitSuites: readonly Suite[] = [
  ...sameSuites,
  ...sharedSuites,
  ...kindSuites,
  ...testSuites,
  ...attachSuites,
  ...typeSuites,
  ...deferredSuites,
  ...resvSuites,
  ...nestingSuites,
  ...noNestingSuites,
  ...formatSuites,
];
