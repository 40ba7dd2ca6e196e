/** What IOMMU drivers did wrong before 6.1, in drivers of 6.1.176 without the commits that put it right. */
import { type Property, type Suite, thread } from "iommu-mc";
import { plug_and_unplug, unplug } from "../../models/linux/machine/events.js";
import { transmit } from "../../models/linux/machine/native.js";
import { bind_and_stream, type1_user, vfio_user_once } from "../../models/linux/machine/workloads.js";
import { C1, C4Detach, C12List, C15, K1, L2, L6, O2, staleTranslation, T1, T2, T2Context, V3 } from "../../properties/index.js";
import { bootSuite } from "./on-linux61.js";

/** A process takes d0 through VFIO and goes away, by which d0 is on two domains one after the other. */
function switchOnS390(name: string, describes: string, properties: readonly Property[]): Suite {
  return bootSuite({
    name: `drivers/s390-${name}`,
    describes: `a process takes d0 through VFIO and goes away, by which d0 is put on two domains one after the other${describes}`,
    iommu: "s390_iommu",
    noDefaultDomains: true,
    defaultDomain: "none",
    devices: [{ name: "d0", state: "probed", driver: "vfio-pci", bound: true }],
    drivers: [{ name: "vfio-pci", kind: "vfio_pci" }],
    users: 1,
    faults: 1,
    threads: (objects) => [thread("qemu", vfio_user_once, objects.group("d0"), false)],
    properties,
  });
}

export const driversThenSuites: readonly Suite[] = [
  switchOnS390("switch", "", [C1, C4Detach, K1, L2, O2]),
  switchOnS390("lists", ": what the driver keeps of it", [C12List]),
  bootSuite({
    name: "drivers/s390-plug",
    describes: "d0 is plugged in and pulled out; one call may fail",
    iommu: "s390_iommu",
    noDefaultDomains: true,
    devices: [{ name: "d0", state: "absent" }],
    faults: 1,
    terminates: true,
    threads: (objects) => [thread("hotplug", plug_and_unplug, objects.device("d0"))],
    properties: [L6, V3],
  }),
  bootSuite({
    name: "drivers/vtd-unplug",
    describes: "d1, which has no driver, is unplugged; d0 stays in its group",
    iommu: "intel_iommu",
    devices: [
      { name: "d0", state: "probed", group: "g" },
      { name: "d1", state: "probed", group: "g" },
    ],
    terminates: true,
    threads: (objects) => [thread("unplug", unplug, objects.device("d1"))],
    properties: [L6, V3],
  }),
  bootSuite({
    name: "drivers/vtd-kdump",
    describes: "in a kdump kernel, d0's driver transmits",
    iommu: "intel_iommu",
    kdump: true,
    devices: [{ name: "d0", state: "probed", driver: "net", bound: true }],
    drivers: [{ name: "net", kind: "native" }],
    faults: 1,
    threads: (objects) => [thread("net", transmit, objects.device("d0"))],
    properties: [C1, C15, T2Context],
  }),
  bootSuite({
    name: "drivers/amd-detach-then-unmap",
    describes: "a process uses d0 through VFIO again and again, and between d0's driver is bound and transfers a page",
    iommu: "amd_iommu",
    domainIds: 4,
    devices: [{ name: "d0", state: "probed", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    userPage: true,
    owners: 1,
    more: { iommu_domain: 2, vfio_iommu: 1, vfio_domain: 1 },
    threads: (objects) => [
      thread("qemu", type1_user, objects.group("d0"), objects.owner(0)),
      thread("driver", bind_and_stream, objects.device("d0"), objects.driver("net"), objects.page(0), 0),
    ],
    properties: [C1, K1, L2, T1, T2, staleTranslation],
  }),
];
