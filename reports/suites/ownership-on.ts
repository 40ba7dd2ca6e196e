/** DMA ownership of 6.1.176 on the groups of a real machine. */
import { type Expectation, type Property, type Suite, thread } from "iommu-mc";
import { drivers } from "../../models/linux/iommu-drivers/index.js";
import type { IommuDriver } from "../../models/linux/machine/build.js";
import { transmit } from "../../models/linux/machine/native.js";
import type { Topology, TopologyGroup } from "../../models/linux/machine/topology.js";
import {
  attach_and_detach,
  bind,
  bind_and_unbind,
  claim_and_release,
  driver_with_own_domain,
  map_and_unmap,
  rebind,
  rebind_either,
  unbind,
  vfio_user,
  vfio_user_again,
  vfio_user_of_device,
  vfio_user_of_two,
  vfio_user_once,
} from "../../models/linux/machine/workloads.js";
import { C1, C3, C3Attach, C4, C4Detach, C10, driverAtWork, K1, L2, L3, ownership, R1, userAtWork } from "../../properties/index.js";
import { everything, topologySuite, violated } from "./on-linux61.js";

/** Red in 6.1.176, and green with the fix that came in v6.5. */
export const partialAttachKept = violated(
  "__iommu_group_set_domain() of 6.1 stops at the first device that fails and undoes nothing; fixed by dcf40ed3a20d (v6.5)",
);

/** On arm64 the DMA ops are set up before ownership is asked for, from a domain that nothing keeps alive. */
export const unlockedDmaOps = violated(
  "dma_configure() on arm64 sets up the DMA ops before it takes ownership: iommu_setup_dma_ops() looks at the group's domain without a lock, and a user who has the group through a sibling frees that domain meanwhile",
);

const iommuDrivers = ["arm_smmu_v3", "intel_iommu", "amd_iommu", "virtio_iommu"] as const;

/** What is expected where devices are rebound while a user has their group. */
function expectedWhileRebinding(iommu: IommuDriver): Record<string, Expectation> {
  return iommu === "arm_smmu_v3" ? { "use-after-free": unlockedDmaOps } : {};
}

/** What a topology's groups are for in these suites. */
interface Roles {
  readonly several: TopologyGroup;
  readonly single: TopologyGroup;
  /** Device of the larger group that the user gets. */
  readonly lent: string;
  /** Devices of the larger group with a driver that uses the DMA API. */
  readonly busy: readonly { readonly name: string; readonly driver: string }[];
}

/**
 * The suites of a topology with a group of several devices, of which at least one has a driver that uses the
 * DMA API, and a group of one device. `rebinders` is how many devices are bound and unbound, or put on domains of
 * their drivers' own: the second multiplies the states of the largest suites by about twenty. A topology that does not name its IOMMU driver is taken for Intel's. Throws if the topology has no such groups.
 */
export function ownershipSuites(topology: Topology, { rebinders = 1 }: { rebinders?: number } = {}): Suite[] {
  const iommu = topology.iommu ?? "intel_iommu";
  const roles = rolesOf(topology);
  return [
    busyGroup(topology, iommu, roles, rebinders),
    twoUsers(topology, iommu, roles),
    twoGroups(topology, iommu, roles, "one-domain"),
    twoGroups(topology, iommu, roles, "two-domains"),
    passthrough(topology, iommu, roles),
    interfaceUsers(topology, iommu, roles, rebinders),
    oneFailure(topology, iommu, roles),
  ];
}

/** The user does as it pleases with a group whose other devices are bound, used and unbound by the kernel at any time. */
function busyGroup(topology: Topology, iommu: IommuDriver, { several, single, lent, busy }: Roles, rebinders: number): Suite {
  const rebound = busy.slice(0, rebinders);
  return topologySuite(topology, {
    name: `ownership/${topology.name}/group${several.id}`,
    describes: `a process calls VFIO for ${lent} as it pleases, while ${rebound.map(({ name }) => name).join(" and ")} ${rebound.length > 1 ? "are" : "is"} bound and unbound, and ${rebound[0]!.name} transmits`,
    iommu,
    vfio: [lent, ...busy.slice(rebinders).map(({ name }) => name)],
    without: [single.id],
    threads: (objects) => [
      thread("qemu", vfio_user, objects.group(several.id), objects.device(lent)),
      ...rebound.map(({ name, driver }, number) => thread(`udev${number}`, rebind, objects.device(name), objects.driver(driver))),
      ...rebound.slice(0, 1).map(({ name }, number) => thread(`net${number}`, transmit, objects.device(name))),
    ],
    properties: [...ownership, userAtWork, driverAtWork],
    expected: expectedWhileRebinding(iommu),
  });
}

/** Two processes want the same device, which is also taken away from VFIO and given back. */
function twoUsers(topology: Topology, iommu: IommuDriver, { several, single }: Roles): Suite {
  const dev = single.devices[0]!.name;
  return topologySuite(topology, {
    name: `ownership/${topology.name}/group${single.id}-two-users`,
    describes: `two processes open, attach and close (but map nothing) group ${single.id} again and again, while ${dev} goes from vfio-pci to pci-stub and back`,
    iommu,
    vfio: [dev],
    without: [several.id],
    users: 2,
    vfioRebinds: true,
    threads: (objects) => [
      thread("qemu", vfio_user_again, objects.group(single.id), false),
      thread("dpdk", vfio_user_again, objects.group(single.id), false),
      thread("udev", rebind_either, objects.device(dev), objects.driver("vfio-pci"), objects.driver("pci-stub")),
    ],
    properties: without(ownership, "O1"),
  });
}

/** One process with both groups in one container, which share a domain unless only one of their IOMMUs can snoop. */
function twoGroups(
  topology: Topology,
  iommu: IommuDriver,
  { several, single, lent, busy }: Roles,
  domains: "one-domain" | "two-domains",
): Suite {
  const first = busy[0]!;
  return topologySuite(topology, {
    name: `ownership/${topology.name}/two-groups-${domains}`,
    describes: `a process puts groups ${several.id} and ${single.id} into one container (${domains === "one-domain" ? "sharing a domain" : "with a domain each"}) and takes them out in any order, while ${first.name} is rebound`,
    iommu,
    withoutSnoop: domains === "one-domain" ? [] : [single.id],
    vfio: [lent, single.devices[0]!.name, ...busy.slice(1).map(({ name }) => name)],
    threads: (objects) => [
      thread("qemu", vfio_user_of_two, objects.group(several.id), objects.group(single.id)),
      thread("udev", rebind, objects.device(first.name), objects.driver(first.driver)),
    ],
    properties: [...ownership, userAtWork],
    expected: expectedWhileRebinding(iommu),
  });
}

/** iommu=pt: the kernel's domain is an identity domain, from which a device reaches everything. */
function passthrough(topology: Topology, iommu: IommuDriver, { several, single, lent, busy }: Roles): Suite {
  const first = busy[0]!;
  return topologySuite(topology, {
    name: `ownership/${topology.name}/passthrough`,
    describes: `with identity default domains, a process calls VFIO for ${lent} as it pleases, while ${first.name} is rebound`,
    iommu,
    vfio: [lent, ...busy.slice(1).map(({ name }) => name)],
    without: [single.id],
    defaultDomain: "IDENTITY",
    threads: (objects) => [
      thread("qemu", vfio_user, objects.group(several.id), objects.device(lent)),
      thread("udev", rebind, objects.device(first.name), objects.driver(first.driver)),
    ],
    properties: [...ownership, userAtWork],
    expected: expectedWhileRebinding(iommu),
  });
}

/** The interface alone must keep its users apart: VFIO would not call it when the answer is -EPERM or -EBUSY. */
function interfaceUsers(topology: Topology, iommu: IommuDriver, { several, single, busy }: Roles, rebinders: number): Suite {
  const users = busy.slice(0, rebinders);
  return topologySuite(topology, {
    name: `ownership/${topology.name}/interface`,
    describes: `two owners claim group ${several.id}, and the drivers of ${users.map(({ name }) => name).join(" and ")} put it on domains of their own`,
    iommu,
    vfio: [],
    unbound: busy.map(({ name }) => name),
    without: [single.id],
    owners: 2,
    users: 2 + users.length,
    threads: (objects) => [
      thread("owner0", claim_and_release, objects.device(users[0]!.name), objects.owner(0)),
      thread("owner1", claim_and_release, objects.device(users[0]!.name), objects.owner(1)),
      ...users.map(({ name, driver }, number) =>
        thread(`udev${number}`, driver_with_own_domain, objects.device(name), objects.driver(driver), "group"),
      ),
    ],
    properties: ownership,
    expected: expectedWhileRebinding(iommu),
  });
}

/** One failure anywhere: of an allocation, an attach, a probe, a sysfs file. */
function oneFailure(topology: Topology, iommu: IommuDriver, { several, single, lent, busy }: Roles): Suite {
  const first = busy[0]!;
  return topologySuite(topology, {
    name: `ownership/${topology.name}/one-failure`,
    describes: `one failure of anything that may fail, while a process attaches group ${several.id} and goes away, and ${first.name} is unbound and bound`,
    iommu,
    vfio: [lent, ...busy.slice(1).map(({ name }) => name)],
    without: [single.id],
    faults: 1,
    threads: (objects) => [
      thread("qemu", vfio_user_again, objects.group(several.id), true),
      thread("udev", rebind, objects.device(first.name), objects.driver(first.driver)),
    ],
    properties: [...ownership, C3, C3Attach, C4, userAtWork],
    expected: { C1: partialAttachKept, C3: partialAttachKept, ...expectedWhileRebinding(iommu) },
  });
}

/** Small suites, each about one known bug. */
export function closeSuites(topology: Topology): Suite[] {
  const roles = rolesOf(topology);
  return [
    ...iommuDrivers.map((iommu) => oneUser("vfio-detach", [C4Detach], topology, iommu, roles)),
    ...iommuDrivers.map((iommu) => oneUser("vfio-close", [L2], topology, iommu, roles)),
    ...iommuDrivers.map((iommu) => noDefaultDomain(topology, iommu, roles)),
    ...ownDomain(topology, roles),
    unplug(topology, roles),
    twoThreads(topology, roles),
    twoBinds(topology, roles),
    failingBind(topology, roles),
    failingOpen(topology, roles),
  ];
}

/** Entry 38: detach, then free. With one property each, so that each is seen red by itself. */
function oneUser(name: string, properties: readonly Property[], topology: Topology, iommu: IommuDriver, { single }: Roles): Suite {
  const dev = single.devices[0]!.name;
  return topologySuite(topology, {
    name: `${name}/${iommu}`,
    describes: `a process attaches ${dev}, maps its memory and goes away`,
    iommu,
    vfio: [dev],
    without: othersThan(single, topology),
    threads: (objects) => [thread("qemu", vfio_user_once, objects.group(single.id), true)],
    properties: [...properties, userAtWork],
  });
}

/** Suites about a group of which only some devices take the new domain: what dcf40ed3a20d fixed, and 2cc73c5712f9 before it. */
export function partialAttachSuites(topology: Topology): Suite[] {
  const roles = rolesOf(topology);
  const { several } = roles;
  const second = several.devices[1]!.name;
  const all = [C1, C3, C3Attach, C4, C4Detach, K1, L2];
  return [
    ...iommuDrivers.map((iommu) => partialAttach(`fault/${iommu}`, "one call may fail", all, topology, roles, { iommu, faults: 1 })),
    // The claim always fails, so nothing that comes after it can be asked.
    partialAttach("rmrr", `${second} is locked by an RMRR, and nothing fails`, [C1, C3, L2], topology, roles, {
      iommu: "intel_iommu",
      rmrrLocked: [second],
    }),
  ];
}

function partialAttach(
  name: string,
  how: string,
  properties: readonly Property[],
  topology: Topology,
  { several, lent, busy }: Roles,
  options: { iommu: IommuDriver; faults?: number; rmrrLocked?: string[] },
): Suite {
  return topologySuite(topology, {
    name: `partial-attach/${name}`,
    describes: `a process attaches group ${several.id}, maps its memory and goes away; ${how}`,
    vfio: [lent],
    unbound: busy.map((dev) => dev.name),
    without: othersThan(several, topology),
    threads: (objects) => [thread("qemu", vfio_user_once, objects.group(several.id), true)],
    ...options,
    properties,
    expected: everything(partialAttachKept, "C1", "C3"),
  });
}

/** Ioctls of a container read its IOMMU driver and data without a lock; whoever takes the last group out frees the data. */
const unlockedIoctl = violated(
  "vfio_fops_unl_ioctl() reads container->iommu_data without a lock, and vfio_group_detach_container() frees it when the last group leaves, while MAP_DMA still uses it. Older kernels held a read lock there; no fix since is known",
);

/** The same ioctls read two pointers, which are set and cleared one after the other. */
const halfSetIoctl = violated(
  "vfio_fops_unl_ioctl() reads container->iommu_driver and then container->iommu_data, without a lock: in between SET_IOMMU has not set the second yet, or the last group that leaves has cleared it, and type1 is called with NULL",
);

/** The last device of the group leaves vfio-pci while the process maps memory. */
function unplug(topology: Topology, { single }: Roles): Suite {
  const dev = single.devices[0]!.name;
  return topologySuite(topology, {
    name: "vfio-container/unbind-while-mapping",
    describes: `a process attaches ${dev}, maps its memory and goes away, while the device is unbound from vfio-pci`,
    iommu: "arm_smmu_v3",
    vfio: [dev],
    without: othersThan(single, topology),
    threads: (objects) => [thread("qemu", vfio_user_once, objects.group(single.id), true), thread("udev", unbind, objects.device(dev))],
    properties: without([...ownership, userAtWork], "O1"),
    expected: { "null-deref": halfSetIoctl, "use-after-free": unlockedIoctl },
  });
}

/** Two threads of one process, without anybody's help. */
function twoThreads(topology: Topology, { single }: Roles): Suite {
  const dev = single.devices[0]!.name;
  return topologySuite(topology, {
    name: "vfio-container/two-threads",
    describes: `one thread of a process puts the group of ${dev} into a container and takes it out; another maps and unmaps`,
    iommu: "arm_smmu_v3",
    vfio: [dev],
    without: othersThan(single, topology),
    containers: 1,
    threads: (objects) => [
      thread("attach", attach_and_detach, objects.group(single.id), objects.container(0)),
      thread("map", map_and_unmap, objects.container(0)),
    ],
    properties: without([...ownership, userAtWork], "O1"),
    expected: { "null-deref": halfSetIoctl, "use-after-free": unlockedIoctl },
  });
}

/** A VFIO group that was made in vain is dropped with its reference to the iommu_group. */
const groupDropped = violated(
  "vfio_create_group() of 6.1 drops the group it has made when another was faster or its character device cannot be added; vfio_group_release() warns and leaks the reference to the iommu_group",
);

/** The first two devices of a group are bound to vfio-pci at the same time. */
function twoBinds(topology: Topology, { several, busy }: Roles): Suite {
  const [one, other] = several.devices;
  return topologySuite(topology, {
    name: "vfio-group/two-binds",
    describes: `${one!.name} and ${other!.name} are bound to vfio-pci at the same time`,
    iommu: "intel_iommu",
    vfio: [],
    unbound: busy.map(({ name }) => name),
    without: othersThan(several, topology),
    users: 2,
    vfioRebinds: true,
    threads: (objects) => [
      thread("udev0", bind, objects.device(one!.name), objects.driver("vfio-pci")),
      thread("udev1", bind, objects.device(other!.name), objects.driver("vfio-pci")),
    ],
    properties: [L3, R1],
    expected: everything(groupDropped, "R1", "warn-on"),
  });
}

/** A device is bound to vfio-pci, and one call may fail. */
function failingBind(topology: Topology, { several, busy }: Roles): Suite {
  const dev = several.devices[0]!.name;
  return topologySuite(topology, {
    name: "vfio-group/failing-bind",
    describes: `${dev} is bound to vfio-pci, and unbound; one call may fail`,
    iommu: "intel_iommu",
    vfio: [],
    unbound: busy.map(({ name }) => name),
    without: othersThan(several, topology),
    vfioRebinds: true,
    faults: 1,
    threads: (objects) => [thread("udev", bind_and_unbind, objects.device(dev), objects.driver("vfio-pci"))],
    properties: [L3, R1],
    expected: everything(groupDropped, "R1", "warn-on"),
  });
}

/** A process opens a device of its group, and one call may fail. */
function failingOpen(topology: Topology, { single }: Roles): Suite {
  const dev = single.devices[0]!.name;
  return topologySuite(topology, {
    name: "vfio-group/failing-open",
    describes: `a process attaches and opens ${dev}, and goes away; one call may fail`,
    iommu: "intel_iommu",
    vfio: [dev],
    without: othersThan(single, topology),
    faults: 1,
    threads: (objects) => [thread("qemu", vfio_user_of_device, objects.group(single.id), objects.device(dev))],
    properties: without(ownership, "O1"),
    expected: { C1: partialAttachKept },
  });
}

function othersThan(group: TopologyGroup, topology: Topology): number[] {
  return topology.groups.filter(({ id }) => id !== group.id).map(({ id }) => id);
}

function hasDetachDev(iommu: IommuDriver): boolean {
  return drivers[iommu].detach_dev !== undefined;
}

/** The default domain could not be allocated when the group was probed, which 6.1 tolerates. */
function noDefaultDomain(topology: Topology, iommu: IommuDriver, { single }: Roles): Suite {
  const dev = single.devices[0]!.name;
  const stays = violated(
    "iommu_group_release_dma_owner() asks for a NULL domain, which a driver without detach_dev cannot give: the group stays on its blocking domain with no owner",
  );
  return topologySuite(topology, {
    name: `vfio-close/no-default-domain/${iommu}`,
    describes: `the default domain of ${dev} could not be allocated at boot; a process attaches the device and goes away`,
    iommu,
    vfio: [dev],
    without: othersThan(single, topology),
    defaultDomain: "none",
    threads: (objects) => [thread("qemu", vfio_user_once, objects.group(single.id), true)],
    properties: without([...ownership, C4, userAtWork], "O1"),
    expected: hasDetachDev(iommu) ? {} : everything(stays, "C4", "warn-on"),
  });
}

/** A driver that uses the DMA API and at times puts its device on a domain of its own. */
function ownDomain(topology: Topology, { several, single, busy }: Roles): Suite[] {
  const suiteFor = (dev: string, what: string): Suite =>
    topologySuite(topology, {
      name: `own-domain/${what}`,
      describes: `the driver of ${dev} puts it on a domain of its own through iommu_attach_device(), while an owner claims the group`,
      iommu: "intel_iommu",
      vfio: [],
      unbound: [...busy.map(({ name }) => name), dev],
      without: topology.groups.filter((group) => group !== several && group !== single).map(({ id }) => id),
      owners: 1,
      users: 2,
      threads: (objects) => [
        thread("driver", driver_with_own_domain, objects.device(dev), objects.driver(busy[0]!.driver), "device"),
        thread("owner", claim_and_release, objects.device(dev), objects.owner(0)),
      ],
      // References are in flight without the device's lock.
      properties: [...without(ownership, "R1"), C10],
    });
  return [suiteFor(single.devices[0]!.name, "one-device"), suiteFor(busy[0]!.name, "several-devices")];
}

function rolesOf(topology: Topology): Roles {
  const several = topology.groups.find(({ devices }) => devices.length > 1 && devices.some(isBusy));
  const single = topology.groups.find(({ devices }) => devices.length === 1);
  if (!several || !single) {
    throw new Error(
      `${topology.name}: the ownership suites need a group of several devices, one of them with a driver that uses the DMA API, and a group of one device`,
    );
  }
  const idle = several.devices.filter((dev) => !isBusy(dev));
  // Without an idle device the last one is taken from its driver.
  const lent = (idle.length > 0 ? idle : several.devices).at(-1)!.name;
  return { several, single, lent, busy: several.devices.filter((dev) => isBusy(dev) && dev.name !== lent) };
}

function isBusy({ driver, managed }: { driver: string; managed: boolean }): boolean {
  return driver !== "" && !managed;
}

function without(properties: readonly Property[], ...codes: string[]): Property[] {
  return properties.filter(({ code }) => !codes.includes(code));
}
