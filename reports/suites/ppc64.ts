/** POWER's TCE tables: who owns them, from the first containers of several groups (v4.2) to the iommu_ops of v6.12. */
import { type Design, type Expectation, type Property, type Suite, suite, thread } from "iommu-mc";
import { ppc64v53, ppc64v61, ppc64v66, ppc64v67, ppc64v68, ppc64v410, ppc64v510, ppc64v612 } from "../../models/ppc64/designs.js";
import { type MachineOptions, machineScenario, type Pe } from "../../models/ppc64/machine.js";
import { boot } from "../../models/ppc64/platform.js";
import {
  boot_and_drive,
  boot_and_plug_phb,
  boot_and_unplug,
  host,
  lend,
  lend_and_plug,
  lend_and_unplug,
  lend_two,
  plug,
  user,
} from "../../models/ppc64/workloads.js";
import {
  L2Tables,
  L3Platform,
  O5Attach,
  O10,
  O10Tables,
  T5Table,
  tceDriverAtWork,
  tceUserAtWork,
  V2Claim,
  V2Group,
  V2Host,
  V2Vfio,
} from "../../properties/ppc64.js";
import { everything, violated } from "./on-linux61.js";

/** Of every design. */
const tables: readonly Property[] = [O10, O10Tables, O5Attach, L2Tables, L3Platform, T5Table];

const keptReference = violated("the first attach of the platform's domain keeps a reference on the group; fixed by 0846dd77c834 (v6.8)");

const neverGivenBack = violated(
  "spapr_tce_blocking_iommu_set_platform_dma() of a940904443e4 (v6.4) looks the group up and keeps the reference; 2ad56efa80db (v6.7) removes it",
);

interface Ppc64Suite extends MachineOptions {
  readonly design: Design;
  readonly properties: readonly Property[];
  readonly expected?: Readonly<Record<string, Expectation>>;
}

function ppc64Suite({ design, properties, expected = {}, ...options }: Ppc64Suite): Suite {
  return suite({ name: `ppc64/${options.name}`, design, scenario: machineScenario(options), properties, expected });
}

const functions = (kind: Pe["kind"]): Pe => ({ kind, devices: [{ name: "0001:01:00.0" }, { name: "0001:01:00.1" }] });
const single = (kind: Pe["kind"], name = "0001:01:00.0"): Pe => ({ kind, devices: [{ name }] });

/** A PE goes to a user and comes back to drivers of the host that need a table. `unreached` is what no behaviour comes to be asked, or what is another suite's. */
function lendSuite(
  name: string,
  design: Design,
  pe: Pe,
  expected: Readonly<Record<string, Expectation>> = {},
  unreached: readonly Property[] = [],
): Suite {
  const [dev, sibling] = pe.devices.map((each) => each.name) as [string, string | undefined];
  return ppc64Suite({
    name,
    describes: `${pe.devices.length === 1 ? "a device" : "the devices of one PE"} of ${pe.kind} go to a VFIO user and come back to drivers of the host`,
    design,
    pes: [pe],
    v2: pe.kind !== "pseries" || design === ppc64v612,
    terminates: true,
    threads: ({ container, device }) => [thread("admin", lend, container, device(dev), sibling === undefined ? null : device(sibling))],
    properties: [...tables, V2Vfio, V2Claim, V2Host, V2Group, tceUserAtWork, tceDriverAtWork].filter((asked) => !unreached.includes(asked)),
    expected,
  });
}

/** Each of these is about one known bug. */
const bugs: readonly Suite[] = [
  lendSuite(
    "stale-table-base",
    ppc64v410,
    functions("ioda2"),
    everything(
      violated("take_ownership of IODA2 frees the PE's table and leaves the devices their pointers to it; fixed by db08e1d53034 (v4.11)"),
      "L2-tables",
      "use-after-free",
    ),
    [L3Platform, T5Table, V2Host, V2Group, tceDriverAtWork],
  ),
  ppc64Suite({
    name: "incompatible-groups",
    describes: "a process puts a PE of IODA2 and an NPU with its GPU into one container",
    design: ppc64v53,
    pes: [single("ioda2"), { kind: "npu_peers", devices: [{ name: "0002:01:00.0" }] }],
    terminates: true,
    threads: ({ container, device }) => [thread("qemu", lend_two, container, device("0001:01:00.0"), device("0002:01:00.0"))],
    properties: [O5Attach, L2Tables],
    expected: {
      "use-after-free": violated(
        "tce_iommu_attach_group() frees the entry of the other group, with which the new one is not compatible; fixed in v5.4 (vfio/spapr_tce: Fix incorrect tce_iommu_group memory free)",
      ),
    },
  }),
  lendSuite(
    "vfio-without-iommu-ops",
    ppc64v61,
    single("ioda2"),
    {
      "V2-vfio": violated(
        "VFIO asks for cache coherency, of which nothing tells without iommu_ops (e8ae0e140c05); fixed by a940904443e4 (v6.4)",
      ),
    },
    [O5Attach, V2Claim, tceUserAtWork],
  ),
  lendSuite("vfio-with-iommu-ops", ppc64v66, single("ioda2"), { "L3-platform": neverGivenBack }, [O5Attach, V2Claim, tceUserAtWork]),
  ppc64Suite({
    name: "attach-at-probe",
    describes: "a machine boots, and a driver of the host is bound",
    design: ppc64v67,
    pes: [single("pseries")],
    terminates: true,
    threads: ({ device }) => [thread("init", boot_and_drive, device("0001:01:00.0"))],
    properties: [L2Tables, T5Table, V2Host, V2Group],
  }),
  ppc64Suite({
    name: "group-reference",
    describes: "a machine boots, and a driver of the host is bound and unbound",
    design: ppc64v67,
    pes: [single("pseries")],
    terminates: true,
    threads: ({ device }) => [thread("init", boot_and_drive, device("0001:01:00.0"))],
    properties: [O10, L3Platform],
    expected: { "L3-platform": keptReference },
  }),
  ppc64Suite({
    name: "unplug",
    describes: "a machine boots, and a device is unplugged",
    design: ppc64v67,
    pes: [single("pseries")],
    terminates: true,
    threads: ({ device }) => [thread("drmgr", boot_and_unplug, device("0001:01:00.0"))],
    properties: [O10, L2Tables],
    expected: { "bug-on": keptReference },
  }),
  lendSuite(
    "release-never-called",
    ppc64v67,
    single("ioda2"),
    everything(
      violated("the platform's domain takes ownership instead of giving it back (2ad56efa80db); fixed by d2d00e15808c (v6.8)"),
      "O10",
      "V2-host",
    ),
    [L3Platform],
  ),
  ppc64Suite({
    name: "plug-phb",
    describes: "a PHB with a device is plugged into a machine that has one already",
    design: ppc64v67,
    pes: [single("pseries"), { kind: "pseries", phb: "phb1", devices: [{ name: "0002:01:00.0" }] }],
    absentPhbs: ["phb1"],
    terminates: true,
    threads: ({ phb, device }) => [thread("drmgr", boot_and_plug_phb, phb("phb1"), device("0002:01:00.0"))],
    properties: [O10, L2Tables],
    expected: { "null-deref": violated("nobody registers the IOMMU of a PHB that comes after the initcall; fixed by a5c57fd2e9bd (v6.8)") },
  }),
];

/** A device or a PE of two goes to a user and comes back, in every form that ownership has had. */
const lent: readonly Suite[] = [
  lendSuite("lend/ioda2-5.10", ppc64v510, functions("ioda2")),
  lendSuite("lend/pseries-5.10", ppc64v510, functions("pseries")),
  lendSuite("lend/ioda2-6.6", ppc64v66, functions("ioda2"), { "L3-platform": neverGivenBack }),
  lendSuite("lend/pseries-6.6", ppc64v66, single("pseries"), { "L3-platform": neverGivenBack }),
  lendSuite("lend/ioda2-6.8", ppc64v68, functions("ioda2")),
  lendSuite("lend/pseries-6.8", ppc64v68, single("pseries")),
  lendSuite("lend/ioda2-6.12", ppc64v612, functions("ioda2")),
  lendSuite("lend/pseries-6.12", ppc64v612, single("pseries")),
];

const staleInFunctions = violated(
  "spapr_tce_take_ownership() frees the PE's table and clears the pointer of the device it is called for; those of the others keep leading to it, and nobody sets them when a new table is made",
);

const bypassLeftOn = violated(
  "a PE whose window could not be set keeps the bypass (4be518d83880), and has no table; without one, take_ownership of IODA2 does nothing, and the user has the bypass (a940904443e4)",
);

/** PEs of several devices, and devices that come and go at the wrong time. */
const others: readonly Suite[] = [
  lendSuite(
    "functions/ioda2-6.7",
    ppc64v67,
    functions("ioda2"),
    {
      ...everything(
        violated(
          "a second device joins a group that is on its platform's domain, whose attach takes ownership; fixed by d2d00e15808c (v6.8)",
        ),
        "O10",
        "V2-host",
      ),
      "L3-platform": keptReference,
    },
    [T5Table, tceDriverAtWork],
  ),
  lendSuite(
    "functions/pseries-6.6",
    ppc64v66,
    functions("pseries"),
    everything(
      violated(
        "ownership is taken for each device, and the second time the bitmap is full; what was taken for the first device is not given back, as the group was on no domain; fixed by f431a8cde7f1 (v6.11)",
      ),
      "O10",
      "V2-claim",
      "T5-table",
    ),
    [O5Attach, tceUserAtWork, tceDriverAtWork],
  ),
  lendSuite("functions/pseries-6.12", ppc64v612, functions("pseries"), everything(staleInFunctions, "L2-tables", "use-after-free"), [
    L3Platform,
    V2Group,
  ]),
  plugSecond("second-function/pseries-6.6", ppc64v66, "pseries"),
  plugSecond("second-function/pseries-6.8", ppc64v68, "pseries", {
    "T5-table": violated(
      "a second device joins a group that is on its platform's domain, whose attach gives back an ownership that nobody has taken, and so clears a table in use; fixed by f431a8cde7f1 (v6.11)",
    ),
  }),
  plugSecond("second-function/pseries-6.12", ppc64v612, "pseries"),
  plugSecond("second-function/ioda2-6.12", ppc64v612, "ioda2"),
  plugOwned("plug-owned/ioda2-5.10", ppc64v510, "ioda2"),
  plugOwned(
    "plug-owned/ioda2-6.12",
    ppc64v612,
    "ioda2",
    {
      "use-after-free": violated(
        "the attach of the blocking domain to a device that joins takes the user's table for the kernel's: it removes the window and drops a reference that is the container's",
      ),
    },
    [L3Platform, V2Host, V2Group, T5Table, tceDriverAtWork],
  ),
  plugOwned("plug-owned/pseries-6.12", ppc64v612, "pseries", {
    "V2-host": violated(
      "the attach of the blocking domain to a device that joins removes the user's window; the device's pointer is cleared, and nobody sets it when a new table is made",
    ),
  }),
  unplugAfterVfio("unplug-after-vfio/ioda2-6.6", ppc64v66, "ioda2", {
    "bug-on": violated(
      "the blocking domain of v6.4 has no free(), which iommu_domain_free() calls when the group's last device goes; fixed by 2ad56efa80db and the domains in the kernel's data that it uses (v6.7)",
    ),
  }),
  unplugAfterVfio("unplug-after-vfio/ioda2-6.8", ppc64v68, "ioda2"),
  unplugAfterVfio("unplug-after-vfio/pseries-6.12", ppc64v612, "pseries"),
  against("user-against-host/ioda2-6.12", ppc64v612, "ioda2"),
  against("user-against-host/pseries-6.12", ppc64v612, "pseries", everything(staleInFunctions, "L2-tables", "use-after-free")),
  twoGroups("two-groups/5.10", ppc64v510),
  twoGroups("two-groups/6.12", ppc64v612),
  twoGroups("two-groups/one-failure-5.10", ppc64v510, { faults: 1 }),
  twoGroups("two-groups/one-failure-6.12", ppc64v612, { faults: 1, expected: everything(bypassLeftOn, "O10-tables", "O5-attach") }),
  lendSuite("lend/bypass-6.12", ppc64v612, { kind: "ioda2", devices: [{ name: "0001:01:00.0", dma64: true }] }, {}, [
    T5Table,
    tceDriverAtWork,
  ]),
  oneFailure("one-failure/ioda2-5.10", ppc64v510, "ioda2"),
  oneFailure("one-failure/ioda2-6.12", ppc64v612, "ioda2", everything(bypassLeftOn, "O10-tables", "O5-attach")),
  oneFailure("one-failure/ioda2-6.6", ppc64v66, "ioda2", {
    ...everything(bypassLeftOn, "O10-tables", "O5-attach"),
    "L3-platform": neverGivenBack,
  }),
  oneFailure("one-failure/pseries-6.12", ppc64v612, "pseries"),
];

/** A second function of a PE is plugged in while the driver of the first one is at work. */
function plugSecond(name: string, design: Design, kind: Pe["kind"], expected: Readonly<Record<string, Expectation>> = {}): Suite {
  return ppc64Suite({
    name,
    describes: `a second device of a PE of ${kind} is plugged in while the driver of the first one is at work`,
    design,
    pes: [{ kind, devices: [{ name: "0001:01:00.0" }, { name: "0001:01:00.1", absent: true }] }],
    terminates: true,
    threads: ({ device }) => [thread("init", boot_and_drive, device("0001:01:00.0")), thread("drmgr", plug, device("0001:01:00.1"))],
    properties: [O10, O10Tables, L2Tables, L3Platform, T5Table, V2Group, V2Host, tceDriverAtWork],
    expected,
  });
}

/** A second device of a PE is plugged in while a user has the first one. */
function plugOwned(
  name: string,
  design: Design,
  kind: Pe["kind"],
  expected: Readonly<Record<string, Expectation>> = {},
  unreached: readonly Property[] = [],
): Suite {
  return ppc64Suite({
    name,
    describes: `a second device of a PE of ${kind} is plugged in while a user has the first one`,
    design,
    pes: [{ kind, devices: [{ name: "0001:01:00.0" }, { name: "0001:01:00.1", absent: true }] }],
    terminates: true,
    threads: ({ container, device }) => [thread("drmgr", lend_and_plug, container, device("0001:01:00.0"), device("0001:01:00.1"))],
    properties: [...tables, V2Host, V2Group, tceUserAtWork, tceDriverAtWork].filter((asked) => !unreached.includes(asked)),
    expected,
  });
}

/** A device goes to a user and comes back, and is unplugged. */
function unplugAfterVfio(name: string, design: Design, kind: Pe["kind"], expected: Readonly<Record<string, Expectation>> = {}): Suite {
  return ppc64Suite({
    name,
    describes: `a device of ${kind} goes to a VFIO user and comes back, and is unplugged`,
    design,
    pes: [single(kind)],
    terminates: true,
    threads: ({ container, device }) => [thread("drmgr", lend_and_unplug, container, device("0001:01:00.0"))],
    properties: [O10, O10Tables, O5Attach, L2Tables, tceUserAtWork],
    expected,
  });
}

/** A user and a driver of the host want the devices of one PE. */
function against(name: string, design: Design, kind: Pe["kind"], expected: Readonly<Record<string, Expectation>> = {}): Suite {
  return ppc64Suite({
    name,
    describes: `a process wants one device of a PE of ${kind} as a driver of the host comes and goes on the other`,
    design,
    pes: [functions(kind)],
    threads: ({ container, device }) => [
      thread("init", boot),
      thread("qemu", user, container, device("0001:01:00.0")),
      thread("udev", host, device("0001:01:00.1")),
    ],
    properties: [...tables, tceUserAtWork, tceDriverAtWork],
    expected,
  });
}

/** One process with two PEs, which share its tables. */
function twoGroups(
  name: string,
  design: Design,
  { faults = 0, expected = {} }: { faults?: number; expected?: Readonly<Record<string, Expectation>> } = {},
): Suite {
  return ppc64Suite({
    name,
    describes: "a process puts two PEs of ioda2 into one container, maps its memory, and takes them out one after the other",
    design,
    pes: [single("ioda2"), single("ioda2", "0002:01:00.0")],
    faults,
    terminates: true,
    threads: ({ container, device }) => [thread("qemu", lend_two, container, device("0001:01:00.0"), device("0002:01:00.0"))],
    properties: [...tables, tceUserAtWork, tceDriverAtWork],
    expected,
  });
}

/** One failure anywhere, while a device goes to a user and comes back. */
function oneFailure(name: string, design: Design, kind: Pe["kind"], expected: Readonly<Record<string, Expectation>> = {}): Suite {
  return ppc64Suite({
    name,
    describes: `one failure of anything that may fail, while a device of ${kind} goes to a VFIO user and comes back`,
    design,
    pes: [single(kind)],
    faults: 1,
    terminates: true,
    threads: ({ container, device }) => [thread("admin", lend, container, device("0001:01:00.0"), null)],
    properties: [...tables, V2Vfio, tceUserAtWork, tceDriverAtWork],
    expected,
  });
}

export const ppc64Suites: readonly Suite[] = [...bugs, ...lent, ...others];
