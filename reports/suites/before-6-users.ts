/** Users of the IOMMU in 5.10.223 and v5.15: VFIO that owns nothing, first maps of kdump kernels, the DMA API. */
import { type Suite, thread } from "iommu-mc";
import { linux61, linux510, linux515 } from "../../models/linux/designs.js";
import { fq_flush_timeout } from "../../models/linux/iommu/dma-map.js";
import type { BootDevice, BootObjects } from "../../models/linux/machine/boot.js";
import type { IommuDriver } from "../../models/linux/machine/build.js";
import { bind_once, plug, register_and_bind, unplug } from "../../models/linux/machine/events.js";
import { refill_rx, stream, transmit } from "../../models/linux/machine/native.js";
import {
  attach_own_domain,
  bind_and_stream,
  bind_and_unbind,
  open_device_of,
  rebind,
  set_container_of,
  unbind_and_bind,
  vfio_user_of_device,
  vfio_user_once,
  vfio_user_that_unsets,
} from "../../models/linux/machine/workloads.js";
import {
  C1,
  C3Attach,
  C15,
  C15Untouched,
  L2,
  L3,
  L4,
  L6,
  O2Open,
  O2User,
  R1,
  staleTranslation,
  T1,
  T3Queue,
  T5,
  T6,
  V3,
  V4,
  X2,
  X3,
} from "../../properties/index.js";
import { kernelsBefore6, onBoth, releasedWhileMember, unlockedProbe } from "./before-6.js";
import { everything, type OnEach, onEachOf, violated } from "./on-linux61.js";
import { plugIntoUsersDomain } from "./registration-forward.js";
import { lent } from "./viability.js";

const drivers = [
  { name: "net", kind: "native" },
  { name: "vfio-pci", kind: "vfio_pci" },
] as const;

type Users = Omit<OnEach, "iommu" | "drivers"> & Partial<Pick<OnEach, "iommu">>;

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

/** A machine with VFIO, which listens to the groups it has. */
function withVfio({ name, ...declared }: Users, kernels = kernelsBefore6): Suite[] {
  return onEachOf(kernels, { name: `unowned/${name}`, iommu: "intel_iommu", drivers, users: 1, groupNotifiers: true, ...declared });
}

const viability = [
  ...withVfio({
    name: "bind-sibling",
    describes:
      "a process attaches and opens d0, and goes away; the driver of d1, which shares its group, is bound meanwhile, and transmits",
    devices: [lent, { name: "d1", state: "probed", group: "g", driver: "net" }],
    threads: ({ device, driver, group }) => [
      thread("qemu", vfio_user_of_device, group("g"), device("d0")),
      thread("udev", bind_once, device("d1"), driver("net")),
      thread("net", transmit, device("d1")),
    ],
    properties: [C1, L2, O2User],
    of: onBoth(everything(noticedTooLate, "bug-on", "O2-user")),
  }),
  ...withVfio({
    name: "vfio-sibling",
    describes: "a process attaches and opens d0, and goes away; d1, which shares its group, is bound to vfio-pci and unbound meanwhile",
    devices: [lent, { name: "d1", state: "probed", group: "g" }],
    more: { vfio_device: 1 },
    threads: ({ device, driver, group }) => [
      thread("qemu", vfio_user_of_device, group("g"), device("d0")),
      thread("udev", bind_and_unbind, device("d1"), driver("vfio-pci")),
    ],
    properties: [C1, L2, L3, O2User],
  }),
  ...withVfio({
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
  ...withVfio({
    name: "listener",
    describes: "d0 is bound to vfio-pci, which listens to its group from then on, and unbound",
    devices: [{ name: "d0", state: "probed" }],
    more: { vfio_group: 1, vfio_device: 1 },
    threads: ({ device, driver }) => [thread("udev", bind_and_unbind, device("d0"), driver("vfio-pci"))],
    terminates: true,
    properties: [L3, R1],
  }),
  ...withVfio({
    name: "plug-sibling",
    describes: "d1 is plugged into the group of d0, which a process attaches, and goes away",
    devices: [lent, { name: "d1", state: "absent", aliases: ["d0"] }],
    threads: ({ device, group }) => [thread("qemu", vfio_user_once, group("g"), true), thread("plug", plug, device("d1"))],
    properties: [C1, L2, X2],
    of: onBoth({ "guarded-by": unlockedProbe, C1: attachedDefault, "warn-on": addedToLive, "use-after-free": finalizedUnlocked }),
  }),
  ...withVfio({
    name: "unplug",
    describes: "d0 is pulled out, which a process attaches and opens, and goes away",
    devices: [lent],
    threads: ({ device, group }) => [thread("qemu", vfio_user_of_device, group("g"), device("d0")), thread("unplug", unplug, device("d0"))],
    terminates: true,
    properties: [L2, L3, L6, V3],
    of: onBoth(everything(releasedWhileMember, "null-deref", "L6")),
  }),
  ...withVfio({
    name: "partial-attach",
    describes: "a process attaches the group of d0 and d1, and goes away; one call may fail",
    devices: [lent, { name: "d1", state: "probed", group: "g" }],
    faults: 1,
    threads: ({ group }) => [thread("qemu", vfio_user_once, group("g"), true)],
    properties: [C1, C3Attach, L2],
    of: onBoth(everything(notPutBack, "C1", "C3-attach")),
  }),
];

/** Threads of one process, in the kernels before and after groups had a lock. */
const threads = [
  ...withVfio({
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
  ...withVfio(
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
const net = (objects: BootObjects) => objects.driver("net");

type Kdump = Omit<OnEach, "devices" | "drivers" | "kdump"> & { readonly devices?: OnEach["devices"] } & Partial<
    Pick<BootDevice, "state" | "bound">
  >;

/** One device d0 with its driver in a kdump kernel. */
function kdump({ name, describes, iommu, state = "probed", bound = false, ...declared }: Kdump): Suite[] {
  return onEachOf(kernelsBefore6, {
    name: `deferred/${name}/${iommu}`,
    describes: `in a kdump kernel, ${describes}`,
    iommu,
    kdump: true,
    devices: [{ name: "d0", state, driver: "net", bound }],
    drivers: [{ name: "net", kind: "native" }],
    ...declared,
  });
}

const ownDomainAgainstMap: Partial<Record<IommuDriver, OnEach["of"]>> = {
  intel_iommu: {
    "linux-5.10": { C1: unlockedTest, ...everything(forgotten, "warn-on", "L2", "use-after-free") },
    "linux-5.15": { C1: unlockedTest },
  },
  amd_iommu: { "linux-5.15": { C1: unlockedTest } },
};

function deferredAttach(iommu: IommuDriver): Suite[] {
  return [
    ...kdump({
      name: "registration",
      describes: "the IOMMU registers, and then d0's driver is bound and transmits",
      iommu,
      state: "added",
      registered: 0,
      threads: (objects) => [
        thread("boot", register_and_bind, objects.iommu(0), objects.ops, d0(objects), net(objects)),
        thread("net", transmit, d0(objects)),
      ],
      properties: [C1, C15, C15Untouched, L2, T5],
    }),
    ...kdump({
      name: "first-map",
      describes: "d0's driver is bound and unbound, and transmits; one call may fail",
      iommu,
      faults: 1,
      threads: (objects) => [thread("udev", rebind, d0(objects), net(objects)), thread("net", transmit, d0(objects))],
      properties: [C1, C15, C15Untouched, L2, T5],
      of: iommu === "amd_iommu" ? onBoth({ C15: deferredNoMore }) : {},
    }),
    ...kdump({
      name: "two-maps",
      describes: "two CPUs map something for d0 for the first time",
      iommu,
      bound: true,
      threads: (objects) => [thread("tx", transmit, d0(objects)), thread("rx", refill_rx, d0(objects))],
      properties: [C1, C15, C15Untouched, L2, T5],
      of: iommu === "intel_iommu" ? onBoth(everything(unlockedAttach, "C1", "C15")) : {},
    }),
    ...kdump({
      name: "map-against-own-domain",
      describes: "d0's driver puts it on a domain of its own while another CPU maps something for the first time",
      iommu,
      bound: true,
      threads: (objects) => [thread("tx", transmit, d0(objects)), thread("driver", attach_own_domain, d0(objects), "group")],
      properties: [C1, C15, C15Untouched, L2, T5],
      of: ownDomainAgainstMap[iommu] ?? {},
    }),
    ...kdump({
      name: "hotplug",
      describes: "d0 is plugged in and its driver bound",
      iommu,
      state: "absent",
      threads: (objects) => [thread("pciehp", plug, d0(objects))],
      properties: [C1, C15, C15Untouched, L2, L6, T5],
      of: {
        "linux-5.10": { "C15-untouched": attachedAtProbe, ...everything(unlockedProbe, "guarded-by", "C1") },
        "linux-5.15": { "C15-untouched": attachedAtProbe, "guarded-by": unlockedProbe },
      },
    }),
    ...kdump({
      name: "unplug",
      describes: "d0 is pulled out before it was ever used",
      iommu,
      threads: (objects) => [thread("pciehp", unplug, d0(objects))],
      properties: [C1, L2, L4, L6],
      of: onBoth({ L4: releasedWhileMember }),
    }),
    ...kdump({
      name: "two-in-a-group",
      describes: "d0's driver transmits; d1 is in the same group",
      iommu,
      devices: [
        { name: "d0", state: "probed", group: "g", driver: "net", bound: true },
        { name: "d1", state: "probed", group: "g" },
      ],
      threads: (objects) => [thread("tx", transmit, d0(objects))],
      properties: [C1, L2, T5],
    }),
  ];
}

type Dma = Omit<OnEach, "devices" | "drivers"> & { readonly device?: Partial<BootDevice> };

/** One device d0, whose group is on its default domain, with pages and an IOTLB. */
function dma({ name, device = {}, iommu, ...declared }: Dma): Suite[] {
  return onEachOf(kernelsBefore6, {
    name: `dma-before-6/${name}/${iommu}`,
    iommu,
    domainIds: 3,
    devices: [{ name: "d0", state: "probed", driver: "net", ...device }],
    drivers: [{ name: "net", kind: "native" }],
    ...declared,
  });
}

const timer = () => thread("timer", fq_flush_timeout);

function streaming(iommu: IommuDriver): Suite[] {
  return [
    ...dma({
      name: "strict",
      describes: "two CPUs transfer a page each for d0, again and again; a mapping may fail",
      iommu,
      pages: 2,
      faults: 1,
      device: { bound: true },
      threads: (objects) => [
        thread("cpu0", stream, d0(objects), objects.page(0), null, 0),
        thread("cpu1", stream, d0(objects), objects.page(1), null, 1),
      ],
      properties: [T1, T6, staleTranslation],
    }),
    ...dma({
      name: "lazy",
      describes: "a CPU transfers a page for d0, again and again, and the flush queues' timer runs; a mapping may fail",
      iommu,
      defaultType: "DMA_FQ",
      faults: 1,
      device: { bound: true },
      threads: (objects) => [thread("cpu0", stream, d0(objects), objects.page(0), null, 0), timer()],
      properties: [T1, T6, staleTranslation],
    }),
  ];
}

/** The flush queue of a domain that an external device brings up, which on arm64 binding its driver does. */
const untrusted = dma({
  name: "untrusted",
  describes: "the kernel's policy is lazy; the driver of an external device is bound, transfers a page and is unbound",
  iommu: "arm_smmu_v3",
  defaultType: "DMA_FQ",
  defaultDomain: "DMA",
  device: { untrusted: true },
  threads: (objects) => {
    objects.group("d0").default_domain!.iova_cookie!.is_initialised = false;
    return [thread("driver", bind_and_stream, d0(objects), net(objects), objects.page(0), 0), timer()];
  },
  properties: [C1, T1, T3Queue, staleTranslation],
  of: { "linux-5.10": { "T3-queue": lazyForAll } },
});

/** The IOVA allocator of a domain that two drivers bring up. */
const twoInAGroup = onEachOf(kernelsBefore6, {
  name: "dma-before-6/two-in-a-group",
  describes: "drivers are bound to two devices of a group at once, whose domain's IOVA allocator is not set up yet",
  iommu: "arm_smmu_v3",
  domainIds: 3,
  devices: [
    { name: "d0", state: "probed", driver: "net", group: "g" },
    { name: "d1", state: "probed", driver: "net", group: "g" },
  ],
  drivers: [{ name: "net", kind: "native" }],
  threads: (objects) => {
    objects.group("g").default_domain!.iova_cookie!.is_initialised = false;
    return [thread("udev0", bind_once, d0(objects), net(objects)), thread("udev1", bind_once, objects.device("d1"), net(objects))];
  },
  properties: [C1, X3],
  of: onBoth({ X3: broughtUpTwice }),
});

export const before6UserSuites: readonly Suite[] = [
  ...viability,
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
  ...streaming("arm_smmu_v3"),
  ...streaming("amd_iommu"),
  ...untrusted,
  ...twoInAGroup,
];
