/** Users of the IOMMU in 5.10.223 and v5.15: VFIO that owns nothing, first maps of kdump kernels, the DMA API. */
import { type Suite, thread } from "iommu-mc";
import { linux61, linux510, linux515 } from "../../models/linux/designs.js";
import type { BootObjects } from "../../models/linux/machine/boot.js";
import type { IommuDriver } from "../../models/linux/machine/build.js";
import { unplug } from "../../models/linux/machine/events.js";
import { transmit } from "../../models/linux/machine/native.js";
import {
  open_device_of,
  set_container_of,
  unbind_and_bind,
  vfio_user,
  vfio_user_again,
  vfio_user_of_device,
  vfio_user_once,
  vfio_user_that_unsets,
} from "../../models/linux/machine/workloads.js";
import { C1, C3Attach, L2, L3, L6, O2Open, O2User, T5, V3, V4, V5 } from "../../properties/index.js";
import { kernelsBefore6, onBoth, releasedWhileMember, unlockedProbe } from "./before-6.js";
import { inKdump, kdumpScenes } from "./deferred-attach.js";
import { dma, lazy, strict, twoInAGroup, untrustedUnderLazyPolicy } from "./dma.js";
import { everything, lent, type OnEach, onEachOf, violated } from "./on-linux61.js";
import { plugIntoUsersDomain } from "./registration-forward.js";
import { viabilityScenes, withVfio } from "./viability.js";

/** Entry 43: enforcement after the fact. */
const noticedTooLate = violated(
  "VFIO looks at the drivers of a group when a user opens a device of it, not when it attaches the group, and learns of one that is bound afterwards from a notifier, when that has done DMA: all that is left is BUG_ON(); 70693f470848 (v5.19) takes ownership, so that the driver's probe is not even begun",
);

/** Entry 16 as it was at first. */
const attachedDefault = violated(
  "iommu_probe_device() attaches the default domain to a device that joins a group, although adding it has attached the user's domain that the group is on; 1ea2a07a532b (v5.19) leaves out groups that are owned, as those of VFIO's users are since 70693f470848",
);

const addedToLive = violated("VFIO before v5.19 can do no more than warn of a device that joins a group which a user has");

const finalizedUnlocked = violated(
  "probe_finalize() looks at the group's domain when the mutex has been given back, and a user's domain may be freed meanwhile; where it lives the device is left without the DMA ops of its default domain",
);

/** Entry 45. */
const notPutBack = violated(
  "__iommu_attach_group() stops at the first device that fails and undoes nothing: devices before it are left on a domain that VFIO frees; fixed by 2cc73c5712f9 (v6.3)",
);

const noGroupLock = violated(
  "before e0e29bdb594a (v5.19) threads of one process are kept apart by counters only: a group may be put into two containers, or leave its container while a device of it is being opened, whose release then finds none",
);

/** A finding: what is read of a container. */
const unlockedContainer = violated(
  "vfio_fops_release() reads the container's IOMMU driver and its data one after the other, without a lock, while the last group that leaves takes them away",
);

/** Entry 28. */
const unlockedAttach = violated(
  "the first map attaches without the group's mutex, so that another attach is at work in the driver at the same time; fixed by 5d5388b0e190 (v7.0)",
);

/** Documented in iommu_deferred_attach() of v7.0. */
const unlockedTest = violated(
  "known and accepted: whether the attach is deferred is asked without the group's mutex, and not again under it: the default domain gets over the one that was attached meanwhile; drivers are expected to make their first map alone",
);

const forgotten = violated(
  "do_deferred_attach() of Intel's driver forgets what the device is on before it attaches: whoever has attached another domain meanwhile can take it off no more, and frees it; gone with c588072bba6b (v5.11), which left first maps to dma-iommu",
);

const refusedToGroups = violated(
  "iommu_dma_deferred_attach() of 5.10 calls iommu_attach_device(), which refuses groups of several devices: in a kdump kernel none of them can ever map; 3ab657291638 (v5.12) attaches the device alone",
);

const attachedAtProbe = violated(
  "iommu_probe_device() attaches the default domain to a device that comes alone without asking whether its attach is deferred; fixed by dd8a25c557e1 (v6.3)",
);

/** A finding. */
const deferredNoMore = violated(
  "amd_iommu_attach_device() notes that the attach is deferred no more before it can fail: the next map is made in a domain that the device is not on; since dd8a25c557e1 (v6.3) the core remembers it until the attach has succeeded",
);

/** Entry 21. */
const lazyForAll = violated(
  "the flush policy of 5.10 is one for all domains, whatever the device: 82c3cefb9f16 (v5.12) looks at the device that brings a domain up, and c208916fe6c7 (v5.15) lets the domain's type say it",
);

/** Entry 26. */
const broughtUpTwice = violated(
  "iommu_dma_init_domain() initialises a domain's IOVA allocator without a lock: two devices of a group both find it uninitialised; fixed by ac9a5d522bb8 (v6.0)",
);

type Users = Omit<OnEach, "iommu" | "drivers">;

function unowned({ name, ...declared }: Users, kernels = kernelsBefore6): Suite[] {
  return onEachOf(kernels, { name: `unowned/${name}`, ...withVfio, ...declared });
}

const viability = [
  ...unowned({ ...viabilityScenes["bind-sibling"], name: "bind-sibling", of: onBoth(everything(noticedTooLate, "bug-on", "O2-user")) }),
  ...unowned({ ...viabilityScenes["vfio-sibling"], name: "vfio-sibling" }),
  ...unowned({ ...viabilityScenes.listener, name: "listener" }),
  ...unowned({
    ...viabilityScenes["plug-sibling"],
    name: "plug-sibling",
    of: onBoth({ "guarded-by": unlockedProbe, C1: attachedDefault, "warn-on": addedToLive, "use-after-free": finalizedUnlocked }),
  }),
  ...unowned({
    name: "unbind",
    describes: "a process attaches and opens d0, and goes away; d0 is unbound from vfio-pci meanwhile, and its own driver is bound",
    devices: [lent],
    threads: ({ device, driver, group }) => [
      thread("qemu", vfio_user_of_device, group("g"), device("d0")),
      thread("udev", unbind_and_bind, device("d0"), driver("net")),
    ],
    terminates: true,
    properties: [C1, L2, L3, O2User],
    of: onBoth(everything(noticedTooLate, "bug-on", "O2-user")),
  }),
  ...unowned({
    name: "unplug",
    describes: "d0 is pulled out, which a process attaches and opens, and goes away",
    devices: [lent],
    threads: ({ device, group }) => [thread("qemu", vfio_user_of_device, group("g"), device("d0")), thread("unplug", unplug, device("d0"))],
    terminates: true,
    properties: [L2, L3, L6, V3],
    of: onBoth(everything(releasedWhileMember, "null-deref", "L6")),
  }),
  ...unowned({
    name: "partial-attach",
    describes: "a process attaches the group of d0 and d1, and goes away; one call may fail",
    devices: [lent, { name: "d1", state: "probed", group: "g" }],
    faults: 1,
    threads: ({ group }) => [thread("qemu", vfio_user_once, group("g"), true)],
    properties: [C1, C3Attach, L2],
    of: onBoth(everything(notPutBack, "C1", "C3-attach")),
  }),
];

/** Processes that call in no order, or all at once. */
const freely = [
  ...unowned({
    name: "as-it-pleases",
    describes: "a process calls VFIO for d0 as it pleases",
    devices: [lent],
    more: { vfio_container: 1, vfio_iommu: 1, vfio_domain: 1, iommu_domain: 1 },
    threads: ({ device, group }) => [thread("qemu", vfio_user, group("g"), device("d0"))],
    properties: [C1, L2, L3, O2Open],
  }),
  ...unowned({
    name: "two-processes",
    describes: "two processes attach d0's group, and go away, again and again",
    devices: [lent],
    users: 2,
    threads: ({ group }) => [thread("qemu", vfio_user_again, group("g"), false), thread("dpdk", vfio_user_again, group("g"), false)],
    properties: [C1, L2, L3],
  }),
];

/** Threads of one process, in the kernels before and after groups had a lock. */
const threads = [
  ...unowned({
    name: "unset-against-open",
    describes: "a process puts d0's group into a container and takes it out again, while another thread of it opens d0",
    devices: [lent],
    threads: ({ device, group }) => [
      thread("qemu", vfio_user_that_unsets, group("g")),
      thread("qemu2", open_device_of, group("g"), device("d0")),
    ],
    terminates: true,
    properties: [C1, L2, O2Open, V4],
    of: onBoth(everything(noGroupLock, "O2-open", "V4", "null-deref", "use-after-free", "bug-on", "lockdep")),
  }),
  ...unowned(
    {
      name: "two-containers",
      describes: "a process puts d0's group into a container, while another thread of it puts it into another",
      devices: [lent],
      users: 2,
      threads: ({ group }) => [thread("qemu", vfio_user_once, group("g"), true), thread("qemu2", set_container_of, group("g"))],
      terminates: true,
      properties: [C1, L2, L3, V4],
      of: {
        ...onBoth(everything(noGroupLock, "V4", "leak"), everything(unlockedContainer, "use-after-free", "null-deref")),
        "linux-6.1": everything(unlockedContainer, "use-after-free", "null-deref"),
      },
    },
    [linux510, linux515, linux61],
  ),
];

const d0 = (objects: BootObjects) => objects.device("d0");

const ownDomainAgainstMap: Partial<Record<IommuDriver, OnEach["of"]>> = {
  intel_iommu: {
    "linux-5.10": { C1: unlockedTest, ...everything(forgotten, "warn-on", "L2", "use-after-free") },
    "linux-5.15": { C1: unlockedTest },
  },
  amd_iommu: { "linux-5.15": { C1: unlockedTest } },
};

function deferredAttach(iommu: IommuDriver): Suite[] {
  const isIntel = iommu === "intel_iommu";
  const deferred = (name: string, scene: Omit<OnEach, "name" | "iommu">) =>
    onEachOf(kernelsBefore6, { name: `deferred/${name}/${iommu}`, iommu, ...inKdump, ...scene });
  return [
    ...deferred("registration", kdumpScenes.registration),
    ...deferred("first-map", { ...kdumpScenes["first-map"], of: isIntel ? {} : onBoth({ C15: deferredNoMore }) }),
    ...deferred("two-maps", { ...kdumpScenes["two-maps"], of: isIntel ? onBoth(everything(unlockedAttach, "C1", "C15")) : {} }),
    ...deferred("map-against-own-domain", { ...kdumpScenes["map-against-own-domain"], of: ownDomainAgainstMap[iommu] ?? {} }),
    ...deferred("hotplug", {
      ...kdumpScenes.hotplug,
      of: {
        "linux-5.10": { "C15-untouched": attachedAtProbe, ...everything(unlockedProbe, "guarded-by", "C1") },
        "linux-5.15": { "C15-untouched": attachedAtProbe, "guarded-by": unlockedProbe },
      },
    }),
    ...deferred("unplug", kdumpScenes.unplug),
    ...deferred("two-in-a-group", {
      describes: "in a kdump kernel, d0's driver transmits; d1 is in the same group",
      devices: [
        { name: "d0", state: "probed", group: "g", driver: "net", bound: true },
        { name: "d1", state: "probed", group: "g" },
      ],
      threads: (objects) => [thread("tx", transmit, d0(objects))],
      properties: [C1, L2, T5, V5],
      of: isIntel ? {} : { "linux-5.10": { V5: refusedToGroups } },
    }),
  ];
}

/** What dma-iommu does for d0, whose group is on its default domain. */
function streaming(name: string, scene: Omit<Parameters<typeof dma>[0], "name">, of: NonNullable<OnEach["of"]> = {}): Suite[] {
  return kernelsBefore6.map((design) => dma({ ...scene, name: `${name}/${design.name}`, design, expected: of[design.name] ?? {} }));
}

export const before6UserSuites: readonly Suite[] = [
  ...viability,
  ...freely,
  ...threads,
  ...kernelsBefore6.map((design) =>
    plugIntoUsersDomain(design, {
      "guarded-by": unlockedProbe,
      C1: attachedDefault,
      ...everything(finalizedUnlocked, "use-after-free", "T5"),
    }),
  ),
  ...deferredAttach("intel_iommu"),
  ...deferredAttach("amd_iommu"),
  ...(["arm_smmu_v3", "amd_iommu"] as const).flatMap((iommu) => [
    ...streaming(`strict/${iommu}`, { ...strict, iommu }),
    ...streaming(`lazy/${iommu}`, { ...lazy, iommu }),
  ]),
  ...streaming("untrusted-under-lazy-policy", untrustedUnderLazyPolicy, { "linux-5.10": { "T3-queue": lazyForAll } }),
  ...streaming("two-in-a-group", twoInAGroup, onBoth({ X3: broughtUpTwice })),
];
