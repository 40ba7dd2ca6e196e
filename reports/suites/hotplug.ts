/** Devices that come and go in 6.1.176, beside ownership, open files of VFIO and the IOMMU's own registration. */
import { type Expectation, type Property, type Suite, suite, thread, withCommits } from "iommu-mc";
import { linux61 } from "../../models/linux/designs.js";
import { type BootDevice, type BootOptions, bootScenario } from "../../models/linux/machine/boot.js";
import {
  bind_and_unplug,
  plug,
  register_iommu,
  unplug,
  unplug_owned,
  unregister_iommu,
  write_type_once,
} from "../../models/linux/machine/events.js";
import {
  claim_with_reference,
  use_own_domain,
  vfio_user_of_device,
  vfio_user_once,
  vfio_user_that_stays,
} from "../../models/linux/machine/workloads.js";
import { C1, K1, L1, L2, L3, L4, L6, O2, O4, T5, V3, X1, X2 } from "../../properties/index.js";
import { boundTooEarly, everything, releasedWhileMember } from "./probing.js";

type Small = Omit<BootOptions, "name" | "iommus" | "registered" | "terminates"> & {
  readonly registered?: 0 | 1;
  readonly design?: typeof linux61;
};

const drivers = [
  { name: "net", kind: "native" },
  { name: "vfio-pci", kind: "vfio_pci" },
] as const;

/** Entry 16: a device that joins a group is attached twice. */
const attachedDefault: Expectation = {
  verdict: "violated",
  reason:
    "iommu_probe_device() of 6.1 attaches the default domain to a device that joins a group, unless the group is owned, although adding it has attached the group's domain: where a driver has put its group on a domain of its own the new device is left on the default one; fixed by e7f85dfbbc9c (v6.5)",
};

/** The DMA ops of a device that joins a group on another domain. */
const finalizedUnlocked: Expectation = {
  verdict: "violated",
  reason:
    "iommu_probe_device() calls probe_finalize() when it has given back the group's mutex: iommu_setup_dma_ops() then looks at the group's domain, which is a user's or a driver's own and freed meanwhile; and where it lives, the device is left without the DMA ops of its default domain for good",
};

/** Two threads release the same device. */
const releasedTwice: Expectation = {
  verdict: "violated",
  reason:
    "iommu_release_device() is called by the bus's notifier and by iommu_device_unregister(), and no lock keeps the two apart: both find dev->iommu, and the second uses what the first has freed",
};

/** The core's memory of a device that never was probed. */
const releasedUnprobed: Expectation = {
  verdict: "violated",
  reason:
    "a device whose driver was deferred has a dev->iommu with an fwspec and no IOMMU; iommu_release_device() of 6.1 asks only whether there is a dev->iommu, and dev_iommu_ops() dereferences dev->iommu->iommu_dev, which is NULL",
};

/** What dba9ca9d41f5 makes of it. */
const keptUnprobed: Expectation = {
  verdict: "violated",
  reason:
    "since dba9ca9d41f5 iommu_release_device() returns at once if the device is in no group, and nobody frees its dev->iommu and fwspec; later kernels free them there",
};

/** The bus's notifier against a probe of the same device. */
const releasedWhileProbed: Expectation = {
  verdict: "violated",
  reason:
    "iommu_release_device() takes no lock that __iommu_probe_device() holds: it releases a device that is only half probed; and a walk of the bus that has come to a device goes on to probe it when it is gone already, so that it stays in its group",
};

/** The accepted race of probe_finalize(). */
const walkedUnlocked: Expectation = {
  verdict: "violated",
  reason:
    "known and accepted (a comment in bus_iommu_probe() of later kernels says so): __iommu_group_dma_finalize() walks the group's devices without its mutex, since probe_finalize() may take that, and a device may leave the group meanwhile",
};

/** A claim that VFIO does not make. */
const claimedWithoutDriver: Expectation = {
  verdict: "violated",
  reason:
    "__iommu_group_alloc_blocking_domain() takes the first device of the group without asking whether there is one, and nothing in the core keeps an owned group from losing its last device: it is for the caller to have a driver bound. VFIO, the only caller in 6.1, has: it forgets its iommu_group before the last driver is gone (3dd59a7dcb97)",
};

function hotplug(
  name: string,
  properties: readonly Property[],
  { design = linux61, ...options }: Small,
  expected: Record<string, Expectation> = {},
): Suite {
  return suite({
    name: `hotplug/${name}`,
    design,
    scenario: bootScenario({ name: `hotplug/${name}`, iommus: 1, registered: 1, drivers, terminates: true, ...options }),
    properties,
    expected,
  });
}

const lent: BootDevice = { name: "d0", state: "probed", group: "g", driver: "vfio-pci", bound: true };

/** 6.1.176 with the fixes of what is red elsewhere, to see what is left. */
const released = withCommits(linux61, "dba9ca9d41f5");
const rechecked = withCommits(linux61, "6eb4da8cf545");

/** What holds of a group that keeps a device, and of one that may lose its last. */
const lifetime = [L2, L3, L4, L6, V3];
const lifetimeOfLast = [...lifetime, O4];

const plugOwnDomain = hotplug(
  "plug-into-own-domain",
  [C1, L2, L4, X1, X2, T5],
  {
    describes: "d1 is plugged into the group of d0, whose driver puts it on a domain of its own for a while",
    iommu: "intel_iommu",
    devices: [
      { name: "d0", state: "probed", group: "g", driver: "net", bound: true },
      { name: "d1", state: "absent", aliases: ["d0"], driver: "net" },
    ],
    more: { iommu_domain: 1 },
    threads: ({ device }) => [thread("drm", use_own_domain, device("d0")), thread("plug", plug, device("d1"))],
  },
  { C1: attachedDefault, "use-after-free": finalizedUnlocked, T5: finalizedUnlocked },
);

const plugUserDomain = hotplug(
  "plug-into-users-domain",
  [C1, K1, O2, L2, L3, L4, T5, X1, X2],
  {
    describes: "d1 is plugged into the group of d0, which a process has through VFIO for a while",
    iommu: "intel_iommu",
    devices: [lent, { name: "d1", state: "absent", aliases: ["d0"], driver: "net" }],
    users: 1,
    threads: ({ device, group }) => [thread("qemu", vfio_user_once, group("g"), false), thread("plug", plug, device("d1"))],
  },
  { "use-after-free": finalizedUnlocked, T5: finalizedUnlocked },
);

const unplugSibling = (iommu: BootOptions["iommu"]) =>
  hotplug(
    `unplug-sibling/${iommu}`,
    [...lifetime, K1, O2],
    {
      describes: "d1 is unplugged, while a process attaches the group of d0 and d1 and goes away",
      iommu,
      devices: [lent, { name: "d1", state: "probed", group: "g" }],
      users: 1,
      threads: ({ device, group }) => [thread("qemu", vfio_user_once, group("g"), false), thread("unplug", unplug, device("d1"))],
    },
    everything(releasedWhileMember, "null-deref", "L2", "L4", "L6"),
  );

const unplugOwnDomain = hotplug(
  "unplug-from-own-domain",
  [...lifetime, C1],
  {
    describes: "d1 is unplugged from the group of d0, whose driver puts it on a domain of its own for a while",
    iommu: "arm_smmu_v3",
    devices: [
      { name: "d0", state: "probed", group: "g", driver: "net", bound: true },
      { name: "d1", state: "probed", group: "g" },
    ],
    more: { iommu_domain: 1 },
    threads: ({ device }) => [thread("drm", use_own_domain, device("d0")), thread("unplug", unplug, device("d1"))],
  },
  everything(releasedWhileMember, "null-deref", "C1", "L2", "L4", "L6"),
);

const unplugType = hotplug(
  "unplug-against-type",
  lifetime,
  {
    describes: "d0, which has no driver, is unplugged while its group is switched to an identity domain",
    iommu: "intel_iommu",
    devices: [{ name: "d0", state: "probed", group: "g" }],
    threads: ({ device }) => [thread("admin", write_type_once, device("d0"), "IDENTITY" as const), thread("unplug", unplug, device("d0"))],
  },
  everything(releasedWhileMember, "null-deref", "use-after-free", "L4", "L6"),
);

const unplugInUse = hotplug(
  "unplug-in-use",
  [...lifetimeOfLast, K1, O2],
  {
    describes: "d0 is unplugged while a process attaches it and goes away",
    iommu: "arm_smmu_v3",
    devices: [lent],
    users: 1,
    threads: ({ device, group }) => [thread("qemu", vfio_user_once, group("g"), false), thread("unplug", unplug, device("d0"))],
  },
  { L4: releasedWhileMember },
);

const unplugOpenGroup = hotplug(
  "unplug-open-group",
  [...lifetimeOfLast, K1, O2],
  {
    describes: "a process attaches d0, and keeps its container and group open for ever; d0 is unplugged meanwhile",
    iommu: "arm_smmu_v3",
    devices: [lent],
    users: 1,
    threads: ({ device, group }) => [
      thread("virtnodedevd", vfio_user_that_stays, group("g")),
      thread("unplug", unplug_owned, device("d0"), group("g")),
    ],
  },
  { L4: releasedWhileMember },
);

const unplugOpenDevice = hotplug(
  "unplug-open-device",
  [...lifetimeOfLast, K1, O2],
  {
    describes: "d0 is unplugged while a process has it open, which it closes before the group",
    iommu: "intel_iommu",
    devices: [lent],
    users: 1,
    threads: ({ device, group }) => [thread("qemu", vfio_user_of_device, group("g"), device("d0")), thread("unplug", unplug, device("d0"))],
  },
  { L4: releasedWhileMember },
);

const claimEmptied = hotplug(
  "claim-emptied-group",
  [L2, L3, O4],
  {
    design: released,
    describes: "d0 is unplugged while somebody who has nothing but a reference to its group claims that",
    iommu: "intel_iommu",
    devices: [{ name: "d0", state: "probed", group: "g" }],
    owners: 1,
    threads: ({ device, owner }) => [thread("owner", claim_with_reference, device("d0"), owner(0)), thread("unplug", unplug, device("d0"))],
  },
  everything(claimedWithoutDriver, "null-deref", "warn-on", "O4"),
);

const twoReleases = hotplug(
  "two-releases",
  [L4, L6, X1, V3],
  {
    describes: "d0 is unplugged while the IOMMU's driver is removed",
    iommu: "intel_iommu",
    devices: [{ name: "d0", state: "probed", group: "g" }],
    threads: ({ device, iommu }) => [thread("rmmod", unregister_iommu, iommu(0)), thread("unplug", unplug, device("d0"))],
  },
  { L4: releasedWhileMember, ...everything(releasedTwice, "null-deref", "use-after-free") },
);

const unplugDuringWalk = hotplug(
  "unplug-during-walk",
  [L4, L6, O4, X1, X2, V3],
  {
    describes: "d0 and d1, which will share a group, are on their bus; d1 is unplugged while their IOMMU registers",
    iommu: "intel_iommu",
    registered: 0,
    devices: [
      { name: "d0", state: "added" },
      { name: "d1", state: "added", aliases: ["d0"] },
    ],
    threads: (objects) => [thread("dmar", register_iommu, objects.iommu(0), objects.ops), thread("unplug", unplug, objects.device("d1"))],
  },
  { L4: releasedWhileMember, ...everything(releasedWhileProbed, "null-deref", "V3"), "use-after-free": walkedUnlocked },
);

const plugDuringWalk = hotplug(
  "plug-during-walk",
  [L4, L6, X1, X2, T5],
  {
    design: rechecked,
    describes: "d1 is plugged into the group that d0 will have, while their IOMMU registers",
    iommu: "intel_iommu",
    registered: 0,
    devices: [
      { name: "d0", state: "added" },
      { name: "d1", state: "absent", aliases: ["d0"], driver: "net" },
    ],
    threads: (objects) => [thread("dmar", register_iommu, objects.iommu(0), objects.ops), thread("plug", plug, objects.device("d1"))],
  },
  { T5: boundTooEarly },
);

const deferred: Small = {
  describes: "d0, whose driver waits for the IOMMU, is unplugged before that comes",
  iommu: "arm_smmu_v3",
  registered: 0,
  deferral: true,
  devices: [{ name: "d0", state: "added", driver: "net" }],
  threads: ({ device, driver }) => [thread("hotplug", bind_and_unplug, device("d0"), driver("net"))],
};

const unplugDeferred = hotplug("unplug-deferred", [L1, L6], deferred, { "null-deref": releasedUnprobed });

const unplugDeferredReleased = hotplug("unplug-deferred-released", [L1, L6, V3], { ...deferred, design: released }, { V3: keptUnprobed });

export const hotplugSuites: readonly Suite[] = [
  plugOwnDomain,
  plugUserDomain,
  unplugSibling("intel_iommu"),
  unplugSibling("arm_smmu_v3"),
  unplugOwnDomain,
  unplugType,
  unplugInUse,
  unplugOpenGroup,
  unplugOpenDevice,
  claimEmptied,
  twoReleases,
  unplugDeferred,
  unplugDeferredReleased,
  unplugDuringWalk,
  plugDuringWalk,
];
