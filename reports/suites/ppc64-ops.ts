/** The first iommu_ops for powernv (July 2022): the patch as it was posted, and what was asked of it. */
import { type Design, type Expectation, type Property, type Scenario, type Suite, suite, thread } from "iommu-mc";
import {
  boot,
  boot_and_open,
  boot_and_plug_owned,
  boot_and_register_phb,
  boot_and_replug,
  boot_and_unplug,
  boot_drive_and_open,
  boot_with_platform_device,
  plug,
  register_phb,
} from "../../models/ppc64-ops/boot.js";
import { noCheck, noOps, posted, postedWith } from "../../models/ppc64-ops/designs.js";
import { machineScenario } from "../../models/ppc64-ops/machine.js";
import { L3Group, O5Claim, O5Open, opsUserAtWork, V2Alone, V2Known, V2Open, X6Registered } from "../../properties/ppc64-ops.js";
import { everything, violated } from "./on-linux61.js";

function suiteOf(
  name: string,
  scenario: Scenario,
  design: Design,
  properties: readonly Property[],
  expected: Readonly<Record<string, Expectation>> = {},
): Suite {
  return suite({ name: `ppc64-ops/${name}`, design, scenario, properties, expected });
}

// Suites whose designs an audit compares share the scenario.

const open = machineScenario({
  name: "ppc64-ops/open",
  describes: "a machine boots, and a user opens a device and closes it, twice",
  threads: ({ pci, ops }) => [thread("init", boot_and_open, pci, ops)],
});

const replug = machineScenario({
  name: "ppc64-ops/replug",
  describes: "a second device of a PE is plugged, unplugged and plugged again; a user opens it, and then the first",
  threads: ({ pci, ops, second }) => [thread("init", boot_and_replug, pci, ops, second)],
});

const owned = machineScenario({
  name: "ppc64-ops/plug-owned",
  describes: "a second device of a PE is plugged while a user has the first one, goes to a user itself, and is unplugged",
  threads: ({ pci, ops, first, second }) => [thread("init", boot_and_plug_owned, pci, ops, first, second)],
});

const driven = machineScenario({
  name: "ppc64-ops/driven",
  describes: "a driver, which may forget to unmap a page, comes and goes, and a user opens the device",
  threads: ({ pci, ops, first }) => [thread("init", boot_drive_and_open, pci, ops, first)],
});

const unplug = (isOpened: boolean) =>
  machineScenario({
    name: `ppc64-ops/unplug${isOpened ? "-after-vfio" : ""}`,
    describes: `a device ${isOpened ? "goes to a user and comes back, and is" : "is"} unplugged with its PE`,
    threads: ({ pci, ops, first }) => [thread("init", boot_and_unplug, pci, ops, first, isOpened)],
  });

const platform = (isEarly: boolean) =>
  machineScenario({
    name: `ppc64-ops/platform-device-${isEarly ? "early" : "late"}`,
    describes: `a device that is not PCI's is there ${isEarly ? "before PHBs are discovered" : "after boot"}`,
    threads: ({ pci, ops, platform }) => [thread("init", boot_with_platform_device, pci, ops, platform, isEarly)],
  });
const early = platform(true);

const withoutDeviceGroup = machineScenario({
  name: "ppc64-ops/without-device-group",
  describes: "of two PHBs one has no device_group(); a user opens what it can, twice",
  phbs: 2,
  withoutDeviceGroup: true,
  threads: ({ pci, ops }) => [thread("init", boot_and_open, pci, ops)],
});

const latePhb = machineScenario({
  name: "ppc64-ops/late-phb",
  describes: "a PHB is registered when a device of one without device_group() is there",
  phbs: 2,
  withoutDeviceGroup: true,
  lateSecond: true,
  threads: ({ pci, ops, late, other }) => [thread("init", boot_and_register_phb, pci, ops, late, other)],
});

const race = machineScenario({
  name: "ppc64-ops/race",
  describes: "a PHB is registered while the first device of another one's PE is plugged",
  phbs: 2,
  lateSecond: true,
  emptyAtBoot: true,
  threads: ({ pci, ops, first, late }) => [
    thread("init", boot, pci, ops),
    thread("pciehp", plug, first),
    thread("drmgr", register_phb, late, ops),
  ],
});

const opened = [V2Open, V2Known, X6Registered, O5Open, opsUserAtWork] as const;
const referenced = postedWith(["group-reference"]);
// With the notifier first every device is probed twice at boot, the first time in vain.
const notified = postedWith(["group-reference", "notifier-first"]);
const withCallback = (part: string) => postedWith(["group-reference", "notifier-first", part]);
const withoutProbe = postedWith(["group-reference"], ["stub-probe"]);

const notCapable = violated("nothing says that DMA is coherent without iommu_ops, and e8ae0e140c05 (v5.19) asks");
const noBlocking = violated("no domain for BLOCKED can be made, and a group is claimed by attaching it to one (70693f470848, v5.19)");
const notProbed = violated(
  "iommu_group_add_device() makes a member of the group, of which no IOMMU knows; a walk passes over it, as it has a group",
);
const halfProbed = violated(
  "of two devices of a group one was plugged after boot, and probed by the notifier: it can be opened; when that ends the core asks the driver of the other one, which has none",
);
const addedByTwo = violated(
  "a walk and iommu_group_add_device() both find the device without a group; sysfs stops the second of them, and if that is the walk, it ends with EEXIST; one who comes too late to add is passed over",
);
const probedByTwo = violated(
  "a walk and iommu_probe_device() probe the device at the same time; when the probe of one fails it frees the dev->iommu that the other is about to use; fixed by 01657bc14a39 (v6.2)",
);
const tooEarly = violated("the class of IOMMUs, in which the PHB's is registered, comes with a postcore_initcall");
const noBus = violated(
  "PCI's bus has no devices to walk over before it is registered (bus_for_each_dev() says EINVAL); it keeps the ops, though, and later devices are probed",
);
const misread = violated("a device of the platform bus is taken for a PCI device, whose PHB it has none of");
const walkAborted = violated(
  "the walk over a bus forgives ENODEV only: refusing a device with EPERM ends it, and so the registration, before PCI's bus has been given the ops",
);
const stolenReference = violated(
  "iommu_group_get_for_dev() has its caller give a reference back which device_group() has not taken: it is the platform's, or another device's",
);
const kernelInReach = violated("attach_dev() leaves the kernel's window and the bypass as they are");
const bypassInReach = violated("the table is empty, and the bypass lets every address through all the same");
const notRedundant = violated(
  "when the core is notified of a device, its PE is not configured yet: device_group() has no group to give, and nobody asks again",
);
const enoentAborts = violated("the walk over PCI's bus ends at a device whose PHB has no device_group(): ENOENT is not forgiven");
const noFree = violated(
  "the blocking domain has no free(), which iommu_domain_free() calls when the group goes; later kernels have static domains",
);

export const ppc64OpsSuites: readonly Suite[] = [
  // What VFIO needs.
  suiteOf("no-ops", open, noOps, [V2Open], { "V2-open": notCapable }),
  suiteOf("no-check", open, noCheck, [V2Open], { "V2-open": noBlocking }),
  suiteOf("capability-only", open, postedWith([], ["stub-blocked"]), [V2Open, V2Known, X6Registered], { "V2-open": noBlocking }),
  suiteOf("posted", open, posted, opened),

  // Who probes a device, and when.
  suiteOf("group-add", open, withoutProbe, [V2Known, V2Open], everything(notProbed, "V2-known", "V2-open")),
  suiteOf("group-add-replug", replug, withoutProbe, [], { "null-deref": halfProbed }),
  suiteOf("race-group-add", race, withoutProbe, [V2Known, X6Registered], everything(addedByTwo, "V2-known", "X6-registered")),
  suiteOf("race", race, referenced, [V2Known, X6Registered]),
  suiteOf(
    "race-unlocked",
    race,
    postedWith(["group-reference"], ["01657bc14a39"]),
    [],
    everything(probedByTwo, "null-deref", "use-after-free", "leak"),
  ),
  suiteOf("replug-referenced", replug, referenced, [...opened, L3Group]),
  suiteOf("explicit-at-boot", replug, postedWith(["group-reference", "explicit-at-boot"]), [...opened, L3Group]),
  suiteOf("open-referenced", open, referenced, opened),
  suiteOf("open-notified", open, notified, opened),
  suiteOf(
    "no-explicit-probe",
    open,
    postedWith(["group-reference", "no-explicit-probe"]),
    [V2Known, V2Open],
    everything(notRedundant, "V2-known", "V2-open"),
  ),
  suiteOf(
    "no-explicit-probe-notified",
    open,
    postedWith(["group-reference", "no-explicit-probe", "notifier-first"]),
    [V2Known, V2Open],
    everything(notRedundant, "V2-known", "V2-open"),
  ),

  // When IOMMUs are registered.
  suiteOf("at-core-initcall", open, postedWith([], ["stub-late"]), [], { "null-deref": tooEarly }),
  suiteOf("before-the-bus", open, postedWith(["class-before-bus"], ["stub-late"]), opened, { "X6-registered": noBus }),

  // Devices that are not meant.
  suiteOf("platform-unchecked", early, postedWith([], ["stub-refuses"]), [], { "null-deref": misread }),
  suiteOf(
    "platform-posted",
    early,
    posted,
    [V2Alone, V2Known, V2Open, X6Registered],
    everything(walkAborted, "X6-registered", "V2-open", "V2-known"),
  ),
  suiteOf("platform-enodev", early, postedWith(["refuses-with-enodev"]), [V2Alone, ...opened]),
  suiteOf("platform-late", platform(false), posted, [V2Alone, ...opened]),
  suiteOf("without-device-group", withoutDeviceGroup, posted, [V2Alone, ...opened]),
  suiteOf("late-phb", latePhb, posted, [V2Alone, ...opened], { "X6-registered": enoentAborts }),
  suiteOf("late-phb-enodev", latePhb, postedWith(["group-enodev"]), [V2Alone, ...opened]),

  // The group's lifetime.
  suiteOf("reference-posted", open, posted, [L3Group], { "L3-group": stolenReference }),
  suiteOf("replug-posted", replug, posted, [], { "use-after-free": stolenReference }),
  suiteOf("unplug-referenced", unplug(false), referenced, [X6Registered]),
  suiteOf("unplug-after-vfio", unplug(true), referenced, [V2Open], { "bug-on": noFree }),

  // What is in reach when a group has been claimed.
  suiteOf("attach-returns", driven, referenced, [O5Claim, O5Open, V2Open, opsUserAtWork], { "O5-claim": kernelInReach }),
  suiteOf(
    "attach-empties-table",
    driven,
    postedWith(["group-reference", "attach-empties-table"]),
    [O5Claim, O5Open, V2Open, opsUserAtWork],
    {
      "O5-claim": bypassInReach,
    },
  ),
  suiteOf("attach-ends-bypass", driven, postedWith(["group-reference", "attach-empties-table", "attach-ends-bypass"]), [
    O5Claim,
    O5Open,
    V2Open,
    opsUserAtWork,
  ]),
  suiteOf("attach-takes-ownership", driven, postedWith(["group-reference", "attach-takes-ownership"]), [
    O5Claim,
    O5Open,
    V2Open,
    opsUserAtWork,
  ]),

  // Callbacks that are there in order not to be NULL.
  suiteOf("callbacks", owned, notified, [...opened, L3Group]),
  suiteOf("null-is-attach-deferred", owned, withCallback("null-is-attach-deferred"), [...opened, L3Group]),
  suiteOf("defers-attach", owned, withCallback("defers-attach"), [...opened, L3Group]),
  suiteOf("null-release-device", owned, withCallback("null-release-device"), [...opened, L3Group]),
  suiteOf("null-attach-dev", owned, withCallback("null-attach-dev"), [V2Open, L3Group], {
    "V2-open": violated("a group cannot be attached to a domain that has no attach_dev() (ENODEV), so nobody can claim it"),
  }),
  suiteOf("null-detach-dev", owned, withCallback("null-detach-dev"), [V2Open, L3Group], {
    "V2-open": violated("without detach_dev() a group does not come back from its blocking domain, and cannot be claimed again (EBUSY)"),
    "warn-on": violated("to leave the last domain without detach_dev() is warned of"),
  }),
];
