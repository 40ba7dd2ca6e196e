/** DMA ownership of 6.1.176 on the groups of a real machine. */
import { type Expectation, type Property, type Suite, suite, thread } from "iommu-mc";
import { linux61 } from "../../models/linux/designs.js";
import { transmit } from "../../models/linux/native.js";
import { ownershipScenario, type Topology, type TopologyGroup } from "../../models/linux/topology.js";
import {
  rebind,
  rebind_either,
  vfio_user,
  vfio_user_again,
  vfio_user_of_two,
  vfio_user_once,
} from "../../models/linux/workloads.js";
import { C3, C3Attach, C4, driverAtWork, ownership, userAtWork } from "../../properties/index.js";

/** The IOMMU driver of the machine the topology was recorded on. */
export type IommuDriver = "intel_iommu" | "arm_smmu_v3";

/** Red in 6.1.176, and green with the fix that came in v6.5. */
const entry45: Expectation = {
  verdict: "violated",
  reason: "entry 45: __iommu_group_set_domain() of 6.1 stops at the first device that fails and undoes nothing; fixed by dcf40ed3a20d (v6.5)",
};

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
 * DMA API, and a group of one device. Throws if the topology has no such groups.
 */
export function ownershipSuites(topology: Topology, iommu: IommuDriver): Suite[] {
  const roles = rolesOf(topology);
  return [busyGroup(topology, iommu, roles), twoUsers(topology, iommu, roles), twoGroups(topology, iommu, roles), oneFailure(topology, iommu, roles)];
}

/** The user does as it pleases with a group whose other devices are bound, used and unbound by the kernel at any time. */
function busyGroup(topology: Topology, iommu: IommuDriver, { several, single, lent, busy }: Roles): Suite {
  return suite({
    name: `ownership/${topology.name}/group${several.id}`,
    design: linux61,
    scenario: ownershipScenario(topology, {
      name: `${topology.name}/group${several.id}`,
      describes: `a process calls VFIO for ${lent} as it pleases, while ${busy.map(({ name }) => name).join(" and ")} are bound, unbound and transmit`,
      iommu,
      vfio: [lent],
      without: [single.id],
      threads: (objects) => [
        thread("qemu", vfio_user, objects.group(several.id), objects.device(lent)),
        ...busy.slice(0, 2).map(({ name, driver }, number) => thread(`udev${number}`, rebind, objects.device(name), objects.driver(driver))),
        ...busy.slice(0, 2).map(({ name }, number) => thread(`net${number}`, transmit, objects.device(name))),
      ],
    }),
    properties: [...ownership, userAtWork, driverAtWork],
  });
}

/** Two processes want the same device, which is also taken away from VFIO and given back. */
function twoUsers(topology: Topology, iommu: IommuDriver, { several, single }: Roles): Suite {
  const dev = single.devices[0]!.name;
  return suite({
    name: `ownership/${topology.name}/group${single.id}-two-users`,
    design: linux61,
    scenario: ownershipScenario(topology, {
      name: `${topology.name}/group${single.id}-two-users`,
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
    }),
    properties: without(ownership, "O1"),
  });
}

/** One process with both groups in one container, which share a domain. */
function twoGroups(topology: Topology, iommu: IommuDriver, { several, single, lent, busy }: Roles): Suite {
  const first = busy[0]!;
  return suite({
    name: `ownership/${topology.name}/two-groups`,
    design: linux61,
    scenario: ownershipScenario(topology, {
      name: `${topology.name}/two-groups`,
      describes: `a process puts groups ${several.id} and ${single.id} into one container and takes them out in any order, while ${first.name} is rebound`,
      iommu,
      vfio: [lent, single.devices[0]!.name, ...busy.slice(1).map(({ name }) => name)],
      threads: (objects) => [
        thread("qemu", vfio_user_of_two, objects.group(several.id), objects.group(single.id)),
        thread("udev", rebind, objects.device(first.name), objects.driver(first.driver)),
      ],
    }),
    properties: [...ownership, userAtWork],
  });
}

/** One failure anywhere: of an allocation, an attach, a probe, a sysfs file. */
function oneFailure(topology: Topology, iommu: IommuDriver, { several, single, lent, busy }: Roles): Suite {
  const first = busy[0]!;
  return suite({
    name: `ownership/${topology.name}/one-failure`,
    design: linux61,
    scenario: ownershipScenario(topology, {
      name: `${topology.name}/one-failure`,
      describes: `one failure of anything that may fail, while a process attaches group ${several.id} and goes away, and ${first.name} is unbound and bound`,
      iommu,
      vfio: [lent, ...busy.slice(1).map(({ name }) => name)],
      without: [single.id],
      faults: 1,
      threads: (objects) => [
        thread("qemu", vfio_user_again, objects.group(several.id), true),
        thread("udev", rebind, objects.device(first.name), objects.driver(first.driver)),
      ],
    }),
    properties: [...ownership, C3, C3Attach, C4, userAtWork],
    expected: { C1: entry45, C3: entry45 },
  });
}

/** Small suites, each about one known bug. */
export function closeSuites(topology: Topology): Suite[] {
  const roles = rolesOf(topology);
  return [vfioClose(topology, "arm_smmu_v3", roles), vfioClose(topology, "intel_iommu", roles), noDefaultDomain(topology, roles)];
}

/** Entry 38: detach, then free. */
function vfioClose(topology: Topology, iommu: IommuDriver, { single }: Roles): Suite {
  const dev = single.devices[0]!.name;
  return suite({
    name: `vfio-close/${iommu}`,
    design: linux61,
    scenario: ownershipScenario(topology, {
      name: `vfio-close/${iommu}`,
      describes: `a process attaches ${dev}, maps its memory and goes away`,
      iommu,
      vfio: [dev],
      without: topology.groups.filter(({ id }) => id !== single.id).map(({ id }) => id),
      threads: (objects) => [thread("qemu", vfio_user_once, objects.group(single.id), true)],
    }),
    properties: without([...ownership, C4, userAtWork], "O1"),
  });
}

/** The default domain could not be allocated when the group was probed, which 6.1 tolerates. */
function noDefaultDomain(topology: Topology, { single }: Roles): Suite {
  const dev = single.devices[0]!.name;
  const reason =
    "iommu_group_release_dma_owner() asks for a NULL domain, which a driver without detach_dev cannot give: the group stays on its blocking domain with no owner";
  return suite({
    name: "vfio-close/no-default-domain",
    design: linux61,
    scenario: ownershipScenario(topology, {
      name: "vfio-close/no-default-domain",
      describes: `the default domain of ${dev} could not be allocated at boot; a process attaches the device and goes away`,
      iommu: "arm_smmu_v3",
      vfio: [dev],
      without: topology.groups.filter(({ id }) => id !== single.id).map(({ id }) => id),
      defaultDomain: "none",
      threads: (objects) => [thread("qemu", vfio_user_once, objects.group(single.id), true)],
    }),
    properties: without([...ownership, C4, userAtWork], "O1"),
    expected: { C4: { verdict: "violated", reason }, "warn-on": { verdict: "violated", reason } },
  });
}

function rolesOf(topology: Topology): Roles {
  const several = topology.groups.find(({ devices }) => devices.length > 1 && devices.some(isBusy) && devices.some((dev) => !isBusy(dev)));
  const single = topology.groups.find(({ devices }) => devices.length === 1);
  if (!several || !single) {
    throw new Error(
      `${topology.name}: the ownership suites need a group with a device whose driver uses the DMA API and one that can be lent to a user, and a group of one device`,
    );
  }
  const lent = several.devices.findLast((dev) => !isBusy(dev))!.name;
  return { several, single, lent, busy: several.devices.filter(isBusy) };
}

function isBusy({ driver, managed }: { driver: string; managed: boolean }): boolean {
  return driver !== "" && !managed;
}

function without(properties: readonly Property[], ...codes: string[]): Property[] {
  return properties.filter(({ code }) => !codes.includes(code));
}
