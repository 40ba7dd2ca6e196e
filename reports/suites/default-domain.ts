/** Default domains of 6.1.176: the type a group gets, and writes to its `type` file. */
import { type Design, type Expectation, type Property, type Suite, thread } from "iommu-mc";
import { linux72 } from "../../models/linux/designs.js";
import type { BootDevice, BootOptions } from "../../models/linux/machine/boot.js";
import type { IommuDriver } from "../../models/linux/machine/build.js";
import {
  plug,
  plug_both,
  register_iommu,
  unplug,
  write_both_types,
  write_type,
  write_type_of_new,
  write_type_once,
} from "../../models/linux/machine/events.js";
import { intelQ35 } from "../../models/linux/machine/topologies/intel-q35.js";
import { claim_and_release, rebind, unbind, vfio_user_once } from "../../models/linux/machine/workloads.js";
import { C1, C6, C7, C7Type, C8, C12Count, L2, L4, L6, O2, O9, T3, T4, T5, X3Default } from "../../properties/index.js";
import { type BootSuite, bootSuite, everything, releasedAtOnce, topologySuite, violated } from "./on-linux61.js";

type Policy = NonNullable<BootOptions["defaultType"]>;

/** What the devices of a group need, as the scenarios have them. */
const plain: BootDevice = { name: "plain", state: "added" };
const external: BootDevice = { name: "external", state: "added", untrusted: true };
const graphics: BootDevice = { name: "graphics", state: "added", needsIdentity: true };

/** One thing that happens to a machine, and ends. */
function once({ name, ...declared }: Omit<BootSuite, "terminates">): Suite {
  return bootSuite({ name: `default-domain/${name}`, terminates: true, ...declared });
}

/** The walk of a registration asks every device. */
function walk(iommu: IommuDriver, policy: Policy): Suite {
  return once({
    name: `walk/${iommu}-${policy}`,
    describes: `an IOMMU registers, with a device of each kind in a group of its own; the kernel's default is ${policy}`,
    iommu,
    registered: 0,
    defaultType: policy,
    devices: [plain, external, graphics],
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(0), objects.ops)],
    properties: [C1, C7, C8, T3, X3Default],
  });
}

/** Two devices of a group that need different types get what the kernel's policy says. */
function conflict(policy: Policy): Suite {
  return once({
    name: `conflict/${policy}`,
    describes: `an IOMMU registers, with a group of a graphics device and an external one; the kernel's default is ${policy}`,
    iommu: "intel_iommu",
    registered: 0,
    defaultType: policy,
    devices: [graphics, { ...external, upstream: "graphics" }],
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(0), objects.ops)],
    properties: [C1, C8, T3, X3Default],
    expected: {
      T3: violated(
        "probe_get_default_domain_type() of 6.1 forgets both needs when an external device wants DMA and another IDENTITY, and the group gets the kernel's default type, lazy or identity as it may be; 59ddce4418da (v6.7) lets trust decide",
      ),
    },
  });
}

/** A device that is plugged in gets what the group has. */
function joins(what: "external" | "graphics", policy: Policy, properties: readonly Property[]): Suite {
  const device = { ...(what === "external" ? external : graphics), state: "absent" as const, upstream: "plain" };
  return once({
    name: `joins/${what}-${policy}`,
    describes: `${what === "external" ? "an external device" : "a graphics device"} is plugged in below a bridge that is on its default domain (${policy}), and joins its group`,
    iommu: "amd_iommu",
    defaultType: policy,
    devices: [{ ...plain, state: "probed" }, device],
    threads: (objects) => [thread("hotplug", plug, objects.device(what))],
    properties: [...properties, C1, C8],
    expected: everything(joinedLate, ...properties.map(({ code }) => code)),
  });
}

const joinedLate = violated(
  "iommu_alloc_default_domain() asks a device that is plugged in only where its group has no default domain yet; otherwise the device gets what those before it needed, lazy or identity even if it is not to be trusted. The order decides",
);

/** The walk against the notifier: who comes first decides. */
function plugAgainstWalk(): Suite {
  return once({
    name: "plug-against-walk",
    describes: "a second IOMMU registers, while an external device is plugged in below a bridge that nobody has probed yet",
    iommu: "amd_iommu",
    iommus: 2,
    defaultType: "DMA_FQ",
    devices: [
      { ...plain, iommu: 1 },
      { ...external, iommu: 0, state: "absent", upstream: "plain" },
    ],
    more: { iommu_group: 1, dev_iommu: 1, dev_iommu_priv: 1, group_device: 1 },
    threads: (objects) => [
      thread("iommu", register_iommu, objects.iommu(1), objects.ops),
      thread("hotplug", plug, objects.device("external")),
    ],
    properties: [C7, C8, T3, X3Default],
    expected: everything(joinedLate, "C7", "T3"),
  });
}

/** What a driver cannot give falls back to DMA. Under virtio devices are probed when their drivers are bound. */
function fallBack(iommu: IommuDriver, policy: Policy, why: string, design?: Design): Suite {
  return once({
    name: `fall-back/${iommu}${design === undefined ? "" : `/${design.name}`}`,
    ...(design === undefined ? {} : { design }),
    describes: `drivers of a device that needs nothing and of an external one are bound; the kernel's default is ${policy}, ${why}`,
    iommu,
    defaultType: policy,
    snp: iommu === "amd_iommu",
    devices: [
      { ...plain, state: "absent", driver: "net" },
      { ...external, state: "absent", driver: "net" },
    ],
    drivers: [{ name: "net", kind: "native" }],
    threads: (objects) => [thread("hotplug", plug_both, objects.device("plain"), objects.device("external"))],
    properties: [C1, C7, C8, T3, X3Default],
  });
}

/** AMD's driver gives a device up. */
const givenUp = violated(
  "iommu_ignore_device() of AMD's driver writes zeroes to the entry of a device that it cannot initialise, which lets the device's DMA through untranslated, whether it is to be trusted or not",
);

/** One failure while a device comes, alone or with a walk. */
function failing(how: "walk" | "plug"): Suite {
  return once({
    name: `failing-${how}`,
    describes: `an external device is found by ${how === "walk" ? "the walk of its IOMMU" : "hotplug"}; one call may fail`,
    iommu: "amd_iommu",
    registered: how === "walk" ? 0 : 1,
    devices: [{ ...external, state: how === "walk" ? "added" : "absent" }],
    faults: 1,
    threads: (objects) =>
      how === "walk"
        ? [thread("iommu", register_iommu, objects.iommu(0), objects.ops)]
        : [thread("hotplug", plug, objects.device("external"))],
    properties: [C8, L2, T3, X3Default],
    expected: { T3: givenUp },
  });
}

/** The walk of one IOMMU comes to a device of another, whose first attach fails. */
function foreignDevice(): Suite {
  return once({
    name: "foreign-device",
    describes: "a second IOMMU registers, when a device behind the first is on its bus but could not be probed before; one call may fail",
    iommu: "amd_iommu",
    iommus: 2,
    devices: [plain],
    faults: 1,
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(1), objects.ops)],
    properties: [C8, L2, X3Default],
    expected: { C8: notReleased },
  });
}

/** A registration that fails releases its own devices only. */
const notReleased = violated(
  "bus_iommu_probe() sets up whatever it finds on the bus, also behind another IOMMU; when an attach fails, iommu_device_register() releases the devices of the IOMMU it is about, and the device that failed stays in its group, on nothing",
);

/** A write that fails half-way. */
const notPutBack = violated(
  "iommu_change_dev_def_domain() of 6.1 puts the group's pointers back when the attach fails, but not the device, which the driver has taken off its old domain by then: it is blocked, and the group says that it is on its default domain; fixed by 4c8ad9da0566 (v6.5) with the unwinding of dcf40ed3a20d",
);

/** An attach that fails is still counted. */
const countedTooEarly = violated(
  "viommu_attach_dev() takes the device off the count of its old domain before it sends the request, and returns when that is refused: the device stays on the domain, which no longer counts it, and once the count is zero maps and unmaps are not sent",
);

/** A type that cannot be had is replaced by DMA, and the writer is told that it was. */
const fellBack = violated(
  "iommu_group_alloc_default_domain() falls back to DMA with a warning in the log, and iommu_change_dev_def_domain(), which calls it for a write to the type file, returns success",
);

/** A flush queue for a driver that has no operation for it. */
const cannotFlush = violated(
  "iommu_change_dev_def_domain() brings up a flush queue for any DMA domain, and never asks the driver, which does not know IOMMU_DOMAIN_DMA_FQ; fq_flush_iotlb() then calls virtio-iommu's flush_iotlb_all, which is NULL",
);

/** The default domain is looked at when its group is not locked any more. */
const finalizedUnlocked = violated(
  "iommu_probe_device() calls probe_finalize() without a lock: iommu_setup_dma_ops() loads group->domain, and a writer to the type file, who needs only that no driver is bound, frees that domain meanwhile",
);

/** The same, when somebody else has taken the group. */
const finalizedOwned = violated(
  "iommu_change_dev_def_domain() calls probe_finalize() without the group's mutex: iommu_setup_dma_ops() loads group->domain, which by then may be a domain of who has claimed the group, and that frees it",
);

/** The one critical section of dba9ca9d41f5 does not reach as far as that. */
const finalizedReleased = violated(
  "iommu_change_dev_def_domain() gives the group's mutex back before it calls probe_finalize() for the device: with dba9ca9d41f5 too the device may be released meanwhile, and dev->iommu is freed or NULL",
);

/** A group of one device on its default domain, at whose `type` file somebody writes. */
function typed(device: Partial<BootDevice> = {}): Pick<BootOptions, "devices" | "drivers"> {
  return {
    devices: [{ name: "d0", state: "probed", ...device }],
    drivers: [{ name: "net", kind: "native" }],
  };
}

/** Changing the type against binding: device_lock() keeps the two apart. */
export const typeAgainstBind = {
  describes: "identity and DMA are written to the type file again and again, while the driver of d0 is bound and unbound",
  ...typed({ driver: "net", bound: true }),
  threads: (objects) => [
    thread("admin", write_type, objects.group("d0"), "identity or DMA"),
    thread("udev", rebind, objects.device("d0"), objects.driver("net")),
  ],
} satisfies Partial<BootSuite>;

/** A second writer, and one that makes a bound device lazy. */
function twoWriters(): Suite {
  return bootSuite({
    name: "default-domain/two-writers",
    describes: "one administrator writes identity and DMA, another DMA-FQ and auto, while the driver of d0 is bound and unbound",
    iommu: "intel_iommu",
    ...typed({ driver: "net", bound: true }),
    threads: (objects) => [
      thread("admin0", write_type, objects.group("d0"), "identity or DMA"),
      thread("admin1", write_type, objects.group("d0"), "DMA-FQ or auto"),
      thread("udev", rebind, objects.device("d0"), objects.driver("net")),
    ],
    properties: [C1, C6, L2, O9, T5, X3Default],
  });
}

/** An external device can be made neither lazy nor untranslated. */
function externalStays(): Suite {
  return bootSuite({
    name: "default-domain/external-stays",
    describes: "all types are written to the type file of an external device",
    iommu: "intel_iommu",
    ...typed({ untrusted: true }),
    threads: (objects) => [
      thread("admin0", write_type, objects.group("d0"), "identity or DMA"),
      thread("admin1", write_type, objects.group("d0"), "DMA-FQ or auto"),
    ],
    properties: [C1, C7, T3],
  });
}

/** VFIO has the device bound, so that it cannot be changed under it. */
function typeAgainstVfio(): Suite {
  const [dev] = intelQ35.groups[0]!.devices;
  return topologySuite(intelQ35, {
    name: "default-domain/type-against-vfio",
    describes: `a process attaches ${dev!.name} and goes away, and the device is unbound from vfio-pci, while identity and DMA are written to the type file`,
    iommu: "intel_iommu",
    vfio: [dev!.name],
    without: [16],
    threads: (objects) => [
      thread("qemu", vfio_user_once, objects.group(5), false),
      thread("udev", unbind, objects.device(dev!.name)),
      thread("admin", write_type, objects.group(5), "identity or DMA"),
    ],
    properties: [C1, L2, O2, O9, X3Default],
  });
}

/** An owner that is no driver: only the domain that the group is on keeps the two apart. */
function typeAgainstClaim(): Suite {
  const [dev] = intelQ35.groups[0]!.devices;
  return topologySuite(intelQ35, {
    name: "default-domain/type-against-claim",
    describes:
      "an owner claims the group of a device without a driver, uses it and releases it, while identity and DMA are written to the type file",
    iommu: "intel_iommu",
    vfio: [],
    without: [16],
    owners: 1,
    threads: (objects) => [
      thread("owner", claim_and_release, objects.device(dev!.name), objects.owner(0)),
      thread("admin", write_type, objects.group(5), "identity or DMA"),
    ],
    properties: [C1, L2, O2, O9, X3Default],
    expected: { "use-after-free": finalizedOwned },
  });
}

/** One write that may fail in the middle. */
function typeFailing(iommu: IommuDriver, properties: readonly Property[], expected: Record<string, Expectation>): Suite {
  return once({
    name: `type-failing/${iommu}`,
    describes: "identity is written to the type file, and then DMA; one call may fail",
    iommu,
    ...typed({ resvDirect: true }),
    faults: 1,
    threads: (objects) => [thread("admin", write_both_types, objects.device("d0"))],
    properties,
    expected,
  });
}

/** A type that the driver cannot give. */
function typeRefused(
  iommu: IommuDriver,
  type: "IDENTITY" | "DMA_FQ",
  from: Policy,
  properties: readonly Property[],
  expected: Record<string, Expectation>,
): Suite {
  return once({
    name: `type-refused/${iommu}-${type}-from-${from}`,
    describes: `${type} is written to the type file of a group whose default domain is of type ${from}${iommu === "amd_iommu" ? ", on a machine with SNP" : ""}`,
    iommu,
    snp: iommu === "amd_iommu",
    ...typed(),
    defaultDomain: from,
    threads: (objects) => [thread("admin", write_type_once, objects.device("d0"), type)],
    properties,
    expected,
  });
}

/** The type is changed while the device is pulled out, with the commit that keeps most of the two apart. */
function typeAgainstUnplug(): Suite {
  return once({
    name: "type-against-unplug",
    design: releasedAtOnce,
    describes: "identity is written to the type file while d0 is pulled out",
    iommu: "amd_iommu",
    ...typed(),
    threads: (objects) => [
      thread("admin", write_type_once, objects.device("d0"), "IDENTITY"),
      thread("hotplug", unplug, objects.device("d0")),
    ],
    properties: [L2, L4, L6],
    expected: everything(finalizedReleased, "null-deref", "use-after-free"),
  });
}

/** The type is changed while another device comes into the group, which then has two. */
function typeAgainstPlug(): Suite {
  return once({
    name: "type-against-plug",
    describes: "identity is written to the type file of a bridge's group while a device below it is plugged in",
    iommu: "amd_iommu",
    devices: [
      { ...plain, state: "probed" },
      { name: "d0", state: "absent", upstream: "plain" },
    ],
    threads: (objects) => [
      thread("admin", write_type_once, objects.device("plain"), "IDENTITY"),
      thread("hotplug", plug, objects.device("d0")),
    ],
    properties: [C1, L2, X3Default],
  });
}

/** The type is changed while the group's first device has not been probed to the end. */
export const typeAgainstProbe = {
  describes: "identity is written to the type file of a new group while its first device is still being probed",
  iommu: "amd_iommu",
  devices: [{ name: "d0", state: "absent" }],
  terminates: true,
  threads: (objects) => [
    thread("admin", write_type_of_new, objects.device("d0"), "IDENTITY"),
    thread("hotplug", plug, objects.device("d0")),
  ],
} satisfies Partial<BootSuite>;

/** The firmware's range stays where it was. */
function typeDirect(): Suite {
  return bootSuite({
    name: "default-domain/type-direct-map",
    describes: "identity and DMA are written to the type file of a device whose firmware does DMA to reserved memory",
    iommu: "intel_iommu",
    ...typed({ resvDirect: true }),
    threads: (objects) => [thread("admin", write_type, objects.group("d0"), "identity or DMA")],
    properties: [C1, C7Type, T4, X3Default],
  });
}

export const defaultDomainSuites: readonly Suite[] = [
  walk("intel_iommu", "DMA"),
  walk("amd_iommu", "DMA_FQ"),
  walk("amd_iommu", "IDENTITY"),
  conflict("DMA_FQ"),
  conflict("IDENTITY"),
  joins("external", "DMA_FQ", [C7, T3]),
  joins("external", "IDENTITY", [C7, T3]),
  joins("graphics", "DMA", [C7]),
  plugAgainstWalk(),
  fallBack("amd_iommu", "IDENTITY", "which SNP forbids"),
  fallBack("virtio_iommu", "DMA_FQ", "which the driver does not know"),
  fallBack("virtio_iommu", "DMA_FQ", "which the driver knows by then", linux72),
  failing("walk"),
  failing("plug"),
  foreignDevice(),
  ...(["intel_iommu", "amd_iommu"] as const).map((iommu) =>
    bootSuite({
      ...typeAgainstBind,
      name: `default-domain/type-against-bind/${iommu}`,
      iommu,
      properties: [C1, C7Type, L2, O9, T5, X3Default],
    }),
  ),
  twoWriters(),
  externalStays(),
  typeAgainstVfio(),
  typeAgainstClaim(),
  typeFailing("intel_iommu", [C1, L2, X3Default], { C1: notPutBack }),
  typeFailing("amd_iommu", [C1, L2, X3Default], { C1: notPutBack }),
  typeFailing("virtio_iommu", [C1, C12Count, L2, X3Default], { "C12-count": countedTooEarly }),
  typeRefused("amd_iommu", "IDENTITY", "DMA_FQ", [C1, C7Type, X3Default], { "C7-type": fellBack }),
  typeRefused("virtio_iommu", "DMA_FQ", "IDENTITY", [C1, C7Type, X3Default], { "C7-type": fellBack }),
  typeRefused("virtio_iommu", "DMA_FQ", "DMA", [C1, C6, C7Type], { C6: cannotFlush }),
  typeAgainstUnplug(),
  typeAgainstPlug(),
  bootSuite({
    ...typeAgainstProbe,
    name: "default-domain/type-against-probe",
    properties: [C1, L2, X3Default],
    expected: { "use-after-free": finalizedUnlocked },
  }),
  typeDirect(),
];
