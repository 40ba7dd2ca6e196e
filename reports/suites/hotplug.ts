/** Devices that come and go in 6.1.176, beside ownership, open files of VFIO and the IOMMU's own registration. */
import { type Suite, thread } from "iommu-mc";
import type { IommuDriver } from "../../models/linux/machine/build.js";
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
  attach_own_domain,
  claim_with_reference,
  vfio_user_of_device,
  vfio_user_once,
  vfio_user_that_stays,
} from "../../models/linux/machine/workloads.js";
import { C1, K1, L1, L2, L3, L4, L6, O2, O4, T5, V3, X1, X2 } from "../../properties/index.js";
import { type BootSuite, bootSuite, everything, lent, rechecked, releasedAtOnce, violated } from "./on-linux61.js";
import { boundTooEarly, releasedWhileMember } from "./probing.js";

const drivers = [
  { name: "net", kind: "native" },
  { name: "vfio-pci", kind: "vfio_pci" },
] as const;

/** Entry 16: a device that joins a group is attached twice. */
const attachedDefault = violated(
  "iommu_probe_device() of 6.1 attaches the default domain to a device that joins a group, unless the group is owned, although adding it has attached the group's domain: where a driver has put its group on a domain of its own the new device is left on the default one; fixed by e7f85dfbbc9c (v6.5)",
);

/** The DMA ops of a device that joins a group on another domain. */
export const finalizedUnlocked = violated(
  "iommu_probe_device() calls probe_finalize() when it has given back the group's mutex: iommu_setup_dma_ops() then looks at the group's domain, which is a user's or a driver's own and freed meanwhile; and where it lives, the device is left without the DMA ops of its default domain for good",
);

/** Two threads release the same device. */
const releasedTwice = violated(
  "iommu_release_device() is called by the bus's notifier and by iommu_device_unregister(), and no lock keeps the two apart: both find dev->iommu, and the second uses what the first has freed",
);

/** The core's memory of a device that never was probed. */
const releasedUnprobed = violated(
  "a device whose driver was deferred has a dev->iommu with an fwspec and no IOMMU; iommu_release_device() of 6.1 asks only whether there is a dev->iommu, and dev_iommu_ops() dereferences dev->iommu->iommu_dev, which is NULL",
);

/** What dba9ca9d41f5 makes of it. */
const keptUnprobed = violated(
  "since dba9ca9d41f5 iommu_release_device() returns at once if the device is in no group, and nobody frees its dev->iommu and fwspec; later kernels free them there",
);

/** The bus's notifier against a probe of the same device. */
const releasedWhileProbed = violated(
  "iommu_release_device() takes no lock that __iommu_probe_device() holds: it releases a device that is only half probed; and a walk of the bus that has come to a device goes on to probe it when it is gone already, so that it stays in its group",
);

/** The accepted race of probe_finalize(). */
const walkedUnlocked = violated(
  "known and accepted (a comment in bus_iommu_probe() of later kernels says so): __iommu_group_dma_finalize() walks the group's devices without its mutex, since probe_finalize() may take that, and a device may leave the group meanwhile",
);

/** A claim that VFIO does not make. */
const claimedWithoutDriver = violated(
  "__iommu_group_alloc_blocking_domain() takes the first device of the group without asking whether there is one, and nothing in the core keeps an owned group from losing its last device: it is for the caller to have a driver bound. VFIO, the only caller in 6.1, has: it forgets its iommu_group before the last driver is gone (3dd59a7dcb97)",
);

function hotplug({ name, ...declared }: BootSuite): Suite {
  return bootSuite({ name: `hotplug/${name}`, drivers, terminates: true, ...declared });
}

/** What holds of a group that keeps a device, and of one that may lose its last. */
const lifetime = [L2, L3, L4, L6, V3];
const lifetimeOfLast = [...lifetime, O4];

const plugOwnDomain = hotplug({
  name: "plug-into-own-domain",
  describes: "d1 is plugged into the group of d0, whose driver puts it on a domain of its own for a while",
  iommu: "intel_iommu",
  devices: [
    { name: "d0", state: "probed", group: "g", driver: "net", bound: true },
    { name: "d1", state: "absent", aliases: ["d0"], driver: "net" },
  ],
  more: { iommu_domain: 1 },
  threads: ({ device }) => [thread("drm", attach_own_domain, device("d0"), "group"), thread("plug", plug, device("d1"))],
  properties: [C1, L2, L4, X1, X2, T5],
  expected: { C1: attachedDefault, ...everything(finalizedUnlocked, "use-after-free", "T5") },
});

const plugUserDomain = hotplug({
  name: "plug-into-users-domain",
  describes: "d1 is plugged into the group of d0, which a process has through VFIO for a while",
  iommu: "intel_iommu",
  devices: [lent, { name: "d1", state: "absent", aliases: ["d0"], driver: "net" }],
  users: 1,
  threads: ({ device, group }) => [thread("qemu", vfio_user_once, group("g"), false), thread("plug", plug, device("d1"))],
  properties: [C1, K1, O2, L2, L3, L4, T5, X1, X2],
  expected: everything(finalizedUnlocked, "use-after-free", "T5"),
});

const unplugSibling = (iommu: IommuDriver) =>
  hotplug({
    name: `unplug-sibling/${iommu}`,
    describes: "d1 is unplugged, while a process attaches the group of d0 and d1 and goes away",
    iommu,
    devices: [lent, { name: "d1", state: "probed", group: "g" }],
    users: 1,
    threads: ({ device, group }) => [thread("qemu", vfio_user_once, group("g"), false), thread("unplug", unplug, device("d1"))],
    properties: [...lifetime, K1, O2],
    expected: everything(releasedWhileMember, "null-deref", "L2", "L4", "L6"),
  });

const unplugOwnDomain = hotplug({
  name: "unplug-from-own-domain",
  describes: "d1 is unplugged from the group of d0, whose driver puts it on a domain of its own for a while",
  iommu: "arm_smmu_v3",
  devices: [
    { name: "d0", state: "probed", group: "g", driver: "net", bound: true },
    { name: "d1", state: "probed", group: "g" },
  ],
  more: { iommu_domain: 1 },
  threads: ({ device }) => [thread("drm", attach_own_domain, device("d0"), "group"), thread("unplug", unplug, device("d1"))],
  properties: [...lifetime, C1],
  expected: everything(releasedWhileMember, "null-deref", "C1", "L2", "L4", "L6"),
});

const unplugType = hotplug({
  name: "unplug-against-type",
  describes: "d0, which has no driver, is unplugged while its group is switched to an identity domain",
  iommu: "intel_iommu",
  devices: [{ name: "d0", state: "probed", group: "g" }],
  threads: ({ device }) => [thread("admin", write_type_once, device("d0"), "IDENTITY"), thread("unplug", unplug, device("d0"))],
  properties: lifetime,
  expected: everything(releasedWhileMember, "null-deref", "use-after-free", "L4", "L6"),
});

const unplugInUse = hotplug({
  name: "unplug-in-use",
  describes: "d0 is unplugged while a process attaches it and goes away",
  iommu: "arm_smmu_v3",
  devices: [lent],
  users: 1,
  threads: ({ device, group }) => [thread("qemu", vfio_user_once, group("g"), false), thread("unplug", unplug, device("d0"))],
  properties: [...lifetimeOfLast, K1, O2],
  expected: { L4: releasedWhileMember },
});

const unplugOpenGroup = hotplug({
  name: "unplug-open-group",
  describes: "a process attaches d0, and keeps its container and group open for ever; d0 is unplugged meanwhile",
  iommu: "arm_smmu_v3",
  devices: [lent],
  users: 1,
  threads: ({ device, group }) => [
    thread("virtnodedevd", vfio_user_that_stays, group("g"), null),
    thread("unplug", unplug_owned, device("d0"), group("g")),
  ],
  properties: [...lifetimeOfLast, K1, O2],
  expected: { L4: releasedWhileMember },
});

const unplugOpenDevice = hotplug({
  name: "unplug-open-device",
  describes: "d0 is unplugged while a process has it open, which it closes before the group",
  iommu: "intel_iommu",
  devices: [lent],
  users: 1,
  threads: ({ device, group }) => [thread("qemu", vfio_user_of_device, group("g"), device("d0")), thread("unplug", unplug, device("d0"))],
  properties: [...lifetimeOfLast, K1, O2],
  expected: { L4: releasedWhileMember },
});

const claimEmptied = hotplug({
  name: "claim-emptied-group",
  design: releasedAtOnce,
  describes: "d0 is unplugged while somebody who has nothing but a reference to its group claims that",
  iommu: "intel_iommu",
  devices: [{ name: "d0", state: "probed", group: "g" }],
  owners: 1,
  threads: ({ device, owner }) => [thread("owner", claim_with_reference, device("d0"), owner(0)), thread("unplug", unplug, device("d0"))],
  properties: [L2, L3, O4],
  expected: everything(claimedWithoutDriver, "null-deref", "warn-on", "O4"),
});

const twoReleases = hotplug({
  name: "two-releases",
  describes: "d0 is unplugged while the IOMMU's driver is removed",
  iommu: "intel_iommu",
  devices: [{ name: "d0", state: "probed", group: "g" }],
  threads: ({ device, iommu }) => [thread("rmmod", unregister_iommu, iommu(0)), thread("unplug", unplug, device("d0"))],
  properties: [L4, L6, X1, V3],
  expected: { L4: releasedWhileMember, ...everything(releasedTwice, "null-deref", "use-after-free") },
});

const unplugDuringWalk = hotplug({
  name: "unplug-during-walk",
  describes: "d0 and d1, which will share a group, are on their bus; d1 is unplugged while their IOMMU registers",
  iommu: "intel_iommu",
  registered: 0,
  devices: [
    { name: "d0", state: "added" },
    { name: "d1", state: "added", aliases: ["d0"] },
  ],
  threads: (objects) => [thread("dmar", register_iommu, objects.iommu(0), objects.ops), thread("unplug", unplug, objects.device("d1"))],
  properties: [L4, L6, O4, X1, X2, V3],
  expected: { L4: releasedWhileMember, ...everything(releasedWhileProbed, "null-deref", "V3"), "use-after-free": walkedUnlocked },
});

const plugDuringWalk = hotplug({
  name: "plug-during-walk",
  design: rechecked,
  describes: "d1 is plugged into the group that d0 will have, while their IOMMU registers",
  iommu: "intel_iommu",
  registered: 0,
  devices: [
    { name: "d0", state: "added" },
    { name: "d1", state: "absent", aliases: ["d0"], driver: "net" },
  ],
  threads: (objects) => [thread("dmar", register_iommu, objects.iommu(0), objects.ops), thread("plug", plug, objects.device("d1"))],
  properties: [L4, L6, X1, X2, T5],
  expected: { T5: boundTooEarly },
});

const deferred: Omit<BootSuite, "name" | "properties"> = {
  describes: "d0, whose driver waits for the IOMMU, is unplugged before that comes",
  iommu: "arm_smmu_v3",
  registered: 0,
  deferral: true,
  devices: [{ name: "d0", state: "added", driver: "net" }],
  threads: ({ device, driver }) => [thread("hotplug", bind_and_unplug, device("d0"), driver("net"))],
};

const unplugDeferred = hotplug({
  name: "unplug-deferred",
  ...deferred,
  properties: [L1, L6],
  expected: { "null-deref": releasedUnprobed },
});

const unplugDeferredReleased = hotplug({
  name: "unplug-deferred-released",
  ...deferred,
  design: releasedAtOnce,
  properties: [L1, L6, V3],
  expected: { V3: keptUnprobed },
});

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
