/** powernv's ownership rework of 2015: as it was, as posted in v8 and v9, as merged, and what might have been. */
import { type Design, type Expectation, type Property, type Scenario, type Suite, suite, thread, withCommits } from "iommu-mc";
import { ioda2Merged, ioda2MergedBefore, ioda2v8, ioda2v9, ioda2v9Before, ioda2v41, ioda2v42 } from "../../models/ioda2/designs.js";
import { type MachineOptions, machineScenario } from "../../models/ioda2/machine.js";
import { lend_twice, lend_two } from "../../models/ioda2/workloads.js";
import {
  ioda2HostAtWork,
  ioda2UserAtWork,
  L2Ioda2,
  L3Back,
  L3Put,
  O5Ioda2,
  O5Nobody,
  O10Ioda2,
  O10Refused,
  O10Removed,
  T5Base,
  T5Window,
  V2Ioda2,
  V2Lent,
} from "../../properties/ioda2.js";
import { everything, violated } from "./on-linux61.js";

type Expected = Readonly<Record<string, Expectation>>;

/** Of PEs that have all their callbacks. */
const complete: readonly Property[] = [
  O5Ioda2,
  O5Nobody,
  O10Ioda2,
  O10Removed,
  L2Ioda2,
  L3Put,
  L3Back,
  T5Window,
  T5Base,
  V2Ioda2,
  ioda2UserAtWork,
  ioda2HostAtWork,
];
const incomplete: readonly Property[] = [
  O10Refused,
  O5Nobody,
  O10Ioda2,
  L2Ioda2,
  L3Put,
  L3Back,
  T5Window,
  T5Base,
  V2Ioda2,
  ioda2HostAtWork,
];

/** A PE goes from a driver of the host to a process, to another one, and back. */
function lending(name: string, what: string, options: Partial<MachineOptions> = {}): Scenario {
  return machineScenario({
    name,
    describes: `a PE goes from its driver to a VFIO user, to another one, and back${what}`,
    pes: [{ phb: "ioda2" }],
    threads: ({ containers, pes }) => [thread("admin", lend_twice, containers[0]!, containers[1]!, pes[0]!)],
    ...options,
  });
}

/** A design under a scene, in which an attach may fail only if something is made to. `unreached` is what no behaviour comes to be asked. */
function under(scene: Scenario, name: string, design: Design, expected: Expected = {}, unreached: readonly Property[] = []): Suite {
  const asked = scene.faults === 0 ? [...complete, V2Lent] : complete;
  const properties = asked.filter((one) => !unreached.includes(one));
  return suite({ name: `ioda2/${scene.name}/${name}`, design, scenario: scene, properties, expected });
}

/** A design with a PE that lacks callbacks. */
function lacking(scene: Scenario, name: string, design: Design, expected: Expected, unreached: readonly Property[] = []): Suite {
  const properties = incomplete.filter((one) => !unreached.includes(one));
  return suite({ name: `ioda2/${scene.name}/${name}`, design, scenario: scene, properties, expected });
}

const lostTable = violated(
  "take_ownership frees the PE's table through the descriptor that unset_window() has just cleared, so that its memory and its bitmap are lost; as merged it keeps the pointer",
);
const stackDescriptor = violated(
  "the attach makes its table in a variable, which has no it_ops, and set_window() stores that over the PE's descriptor; fixed in v9",
);

const lend = lending("lend", "");
/** Each design, when nothing goes wrong. */
const lent: readonly Suite[] = [
  under(lend, "4.1", ioda2v41),
  under(lend, "v9-24", ioda2v9Before),
  under(lend, "v9-25", ioda2v9, { leak: lostTable }),
  under(lend, "v8-25", ioda2v8, { "null-deref": stackDescriptor }, [O10Removed, L3Back]),
  under(lend, "4793d65d1ac0", ioda2MergedBefore),
  under(lend, "46d3e1e16294", ioda2Merged),
  under(lend, "4.2", ioda2v42),
  under(lend, "no-copy", withCommits(ioda2v9, "no-copy"), {
    ...everything(violated("the descriptor is cleared with the window, so that the entries are not, and nothing is freed"), "L3-back"),
    leak: lostTable,
  }),
];

const bitmap = lending("bitmap", ", behind a PHB without callbacks", { pes: [{ phb: "ioda1" }] });
const bus = lending("bus", "; it has two devices, whose drivers set no DMA mask", { pes: [{ phb: "ioda2", devices: 2 }], setsMask: false });
const forgotten = lending("forgotten-buffer", "; the driver has left its buffer mapped", { forgetsUnmap: true });
const busyBitmap = violated(
  "iommu_take_ownership() finds the bitmap in use, and pnv_ioda2_take_ownership() does not ask; fixed by 46d3e1e16294, which takes the table away",
);
const staleBase = violated(
  "release_ownership makes a new table and has the devices of a bus keep their pointer to the one that is freed; fixed by db08e1d53034 (v4.11)",
);
/** Other PEs, and other drivers. */
const others: readonly Suite[] = [
  under(bitmap, "v9-25", ioda2v9),
  under(bitmap, "46d3e1e16294", ioda2Merged),
  under(bitmap, "4.2", ioda2v42),
  under(bus, "v9-25", ioda2v9, { leak: lostTable }),
  under(bus, "46d3e1e16294", ioda2Merged, everything(staleBase, "T5-base", "use-after-free"), [L3Back]),
  under(bus, "db08e1d53034", withCommits(ioda2Merged, "db08e1d53034")),
  under(
    forgotten,
    "4.1",
    ioda2v41,
    everything(
      violated("the buffer that the driver has left mapped takes up all of the table; no process is given the PE"),
      "V2-ioda2",
      "V2-lent",
    ),
    [O5Ioda2, O10Removed, ioda2UserAtWork],
  ),
  under(forgotten, "4793d65d1ac0", ioda2MergedBefore, everything(busyBitmap, "O5-ioda2", "warn-on")),
  under(forgotten, "v9-24", ioda2v9Before, everything(busyBitmap, "O5-ioda2", "warn-on")),
  under(forgotten, "v9-25", ioda2v9, { leak: lostTable }),
  under(forgotten, "46d3e1e16294", ioda2Merged),
];

const attachFails = lending("attach-fails", "; a table that a user asks for cannot be made, or not be set", { fails: "users_tables" });
const releaseFails = lending("release-fails", "; the kernel's own table cannot be made, or not be set", { fails: "kernels_tables" });
const lowMemlock = lending("low-memlock", "; the users may lock less memory than a table takes", { hasLowMemlock: true });
const notGivenBack = violated(
  "the attach hands on its error with the PE taken, its window gone or a user's, and the bypass off; as merged it gives ownership back",
);
const noDefault = violated("a PE whose default table cannot be made or set has none, and nobody is told");
const freesNothing = violated(
  "the next attach's take_ownership frees a table that is not there; iommu_tce_table_put() of later kernels only warns of it",
);
const countedAsLocked = violated("the table that an attach makes is counted as locked memory of the process, which may lock less");
/** Failures that the kernel has to expect. */
const failing: readonly Suite[] = [
  under(attachFails, "v9-24", ioda2v9Before),
  under(attachFails, "v9-25", ioda2v9, { ...everything(notGivenBack, "O10-ioda2", "T5-window", "V2-ioda2"), leak: lostTable }),
  under(attachFails, "46d3e1e16294", ioda2Merged),
  under(attachFails, "4.2", ioda2v42),
  under(releaseFails, "v9-25", ioda2v9, { ...everything(noDefault, "T5-window", "V2-ioda2"), leak: lostTable }),
  under(releaseFails, "46d3e1e16294", ioda2Merged, { ...everything(noDefault, "T5-window", "V2-ioda2"), "null-deref": freesNothing }),
  under(releaseFails, "4.2", ioda2v42, { ...everything(noDefault, "T5-window", "V2-ioda2"), "null-deref": freesNothing }),
  under(lowMemlock, "4793d65d1ac0", ioda2MergedBefore),
  under(lowMemlock, "46d3e1e16294", ioda2Merged, { "V2-lent": countedAsLocked }, [O5Ioda2, ioda2UserAtWork]),
];

const keepsBypass = lending("opal-keeps-bypass", "; OPAL may refuse to turn the bypass off", { fails: "set_bypass" });
const keepsWindow = lending("opal-keeps-window", "; OPAL may refuse to take a window away", { fails: "unset_window" });
const bypassKept = violated("take_ownership does not ask whether the bypass is off, and the user has it");
const windowKept = violated("nobody asks whether the window is gone: the table is freed, and hardware goes on walking it");
/** Firmware that refuses. */
const refusing: readonly Suite[] = [
  under(keepsBypass, "v9-25", ioda2v9, { "O5-ioda2": bypassKept, leak: lostTable }),
  under(keepsBypass, "46d3e1e16294", ioda2Merged, { "O5-ioda2": bypassKept }),
  under(keepsWindow, "46d3e1e16294", ioda2Merged, everything(windowKept, "O10-removed", "L2-ioda2", "L3-put", "use-after-free")),
  under(
    keepsWindow,
    "4ba2fdff2eb1",
    withCommits(ioda2Merged, "4ba2fdff2eb1"),
    everything(windowKept, "O10-removed", "L2-ioda2", "use-after-free"),
  ),
];

const clearedLate = violated("the entries of a table that is freed are cleared");
/** Every behaviour ends in the fault. */
const unended: readonly Property[] = [O10Removed, L3Back];
const freedInWindow = violated("a table is freed while it is in the window");
/** The orders in which a detach can do with a table what it has to, but for unset, clear, free, which is that of ioda2/lend/46d3e1e16294. */
const orders: readonly Suite[] = [
  under(lend, "clear-unset-free", withCommits(ioda2Merged, "4ba2fdff2eb1")),
  under(lend, "unset-free-clear", withCommits(ioda2Merged, "free-before-clear"), { "use-after-free": clearedLate }, unended),
  under(
    lend,
    "clear-free-unset",
    withCommits(ioda2Merged, "4ba2fdff2eb1", "free-before-unset"),
    everything(freedInWindow, "L2-ioda2", "use-after-free"),
    unended,
  ),
  under(
    lend,
    "free-unset-clear",
    withCommits(ioda2Merged, "free-before-clear", "free-before-unset"),
    { "L2-ioda2": freedInWindow, "use-after-free": clearedLate },
    unended,
  ),
  under(
    lend,
    "free-clear-unset",
    withCommits(ioda2Merged, "4ba2fdff2eb1", "free-before-clear", "free-before-unset"),
    { "L2-ioda2": freedInWindow, "use-after-free": clearedLate },
    unended,
  ),
];

const withoutCreate = lending("without-create_table", "", { pes: [{ phb: "ioda2", lacks: ["create_table"] }] });
const withoutSet = lending("without-set_window", "", { pes: [{ phb: "ioda2", lacks: ["set_window"] }] });
const withoutUnset = lending("without-unset_window", "", { pes: [{ phb: "ioda2", lacks: ["unset_window"] }] });
const told = violated("the kernel says that a callback is missing");
const leftToNobody = violated(
  "the detach says that a callback is missing, and returns: the PE stays taken, with the user's table in its window and the user's page in that",
);
const expectLeft = {
  ...everything(leftToNobody, "O10-refused", "O5-nobody", "O10-ioda2", "L3-back", "T5-window", "V2-ioda2"),
  "warn-on": told,
};
/** PEs that lack callbacks. */
const incompletes: readonly Suite[] = [
  ...[withoutCreate, withoutSet].flatMap((scene) => [
    lacking(scene, "v9-25", ioda2v9, { "warn-on": told }),
    lacking(scene, "46d3e1e16294", ioda2Merged, { "warn-on": told }),
  ]),
  lacking(withoutUnset, "v9-25", ioda2v9, { ...expectLeft, leak: lostTable }),
  lacking(withoutUnset, "46d3e1e16294", ioda2Merged, expectLeft),
];

const twoGroups = machineScenario({
  name: "two-groups",
  describes: "a process has two PEs in one container, and takes them out one after the other",
  pes: [{ phb: "ioda2" }, { phb: "ioda2" }],
  containers: 1,
  threads: ({ containers, pes }) => [thread("qemu", lend_two, containers[0]!, pes[0]!, pes[1]!)],
});
const twoGroupsFail = machineScenario({
  name: "two-groups-fail",
  describes: "a process has two PEs in one container; one time their table cannot be made, or not be set for one of them",
  pes: [{ phb: "ioda2" }, { phb: "ioda2" }],
  containers: 1,
  fails: "users_tables",
  threads: ({ containers, pes }) => [thread("qemu", lend_two, containers[0]!, pes[0]!, pes[1]!)],
});
const freedForOthers = violated("the table that the other group has in its window is freed with the first group's detach");
/** Groups that share a container's table. */
const shared: readonly Suite[] = [
  under(twoGroups, "4.2", ioda2v42),
  under(twoGroupsFail, "4.2", ioda2v42),
  under(twoGroups, "free-at-detach", withCommits(ioda2v42, "free-at-detach"), everything(freedForOthers, "L2-ioda2", "use-after-free"), [
    T5Base,
    V2Ioda2,
    L3Back,
    ioda2HostAtWork,
  ]),
];

export const ioda2Suites: readonly Suite[] = [...lent, ...others, ...failing, ...refusing, ...orders, ...incompletes, ...shared];
