/** Registration, probing and release on kernels after 6.1: what newer forms of the probe path let in, and what closed it. */
import { type Suite, thread } from "iommu-mc";
import { linux72 } from "../../models/linux/designs.js";
import { deferred_probe_work_func } from "../../models/linux/driver-core/dd.js";
import { attach_driver, register_iommu } from "../../models/linux/machine/events.js";
import { G1, L1, L2, L4, O3, T5, T5Domain, V2, X1, X2 } from "../../properties/index.js";
import { bootSuite, violated } from "./on-linux61.js";

/** dev_WARN() of v6.15 to v7.2 where nothing is wrong, or something else. */
const warnedAtBind = violated(
  "since bcb81ac6ae3c __iommu_probe_device() takes a driver for the sign of a probe from the firmware code at bind; a driver that is being bound sets dev->driver before that, under a lock that the walk of the bus does not hold, and the walk warns of itself",
);

/** A finding: what the sign of a probe in progress, dev->iommu, lets in. */
const boundInWindow = violated(
  "since bcb81ac6ae3c the probe path gives up iommu_probe_device_lock while it calls the bus's dma_configure(): a driver that is bound meanwhile finds dev->iommu or an fwspec there, which keeps its own dma_configure() from waiting and from probing, and no group yet, so that iommu_device_use_default_domain() counts nobody and dma-direct is used; then the walk puts the device on a default domain",
);

/** A finding: a device that a driver is about to be bound to when the walk comes to it. */
const passedOverWhenBound = violated(
  "since bcb81ac6ae3c iommu_init_device() does not parse the firmware's tables for a device that has a driver, since binding that has done so; while binding is only about to, the walk passes the device over for lack of an fwspec, and it is probed when its driver is tried again, after devices that belong to its group",
);

/** Entry 5: a bridge and the device below it, whose driver is bound during the walk. */
function overtaking(): Suite {
  return bootSuite({
    name: "registration/overtaking",
    design: linux72,
    describes: "an IOMMU registers, while the driver of d0 is bound, which may be deferred; d0 belongs to the group of the bridge above it",
    iommu: "arm_smmu_v3",
    registered: 0,
    devices: [
      { name: "bridge", state: "added" },
      { name: "d0", state: "added", upstream: "bridge", driver: "net" },
    ],
    drivers: [{ name: "net", kind: "native" }],
    deferral: true,
    more: { iommu_fwspec: 1, dev_iommu: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu", register_iommu, objects.iommu(0), objects.ops),
      thread("async", attach_driver, objects.device("d0")),
      thread("deferred", deferred_probe_work_func),
    ],
    properties: [G1, X1, X2, L1, L2, L4, T5, T5Domain, V2],
    expected: { "warn-on": warnedAtBind, T5: boundInWindow },
  });
}

/** The same with the driver of the bridge. */
function passedOver(): Suite {
  return bootSuite({
    name: "registration/passed-over",
    design: linux72,
    describes:
      "an IOMMU registers, while the driver of the bridge is bound, which may be deferred; d0 belongs to the group of the bridge above it",
    iommu: "arm_smmu_v3",
    registered: 0,
    devices: [
      { name: "bridge", state: "added", driver: "pcieport" },
      { name: "d0", state: "added", upstream: "bridge" },
    ],
    drivers: [{ name: "pcieport", kind: "stub" }],
    deferral: true,
    more: { iommu_fwspec: 1, dev_iommu: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu", register_iommu, objects.iommu(0), objects.ops),
      thread("async", attach_driver, objects.device("bridge")),
      thread("deferred", deferred_probe_work_func),
    ],
    properties: [G1, X1, X2, L1, L2, L4, V2],
    expected: { "warn-on": warnedAtBind, G1: passedOverWhenBound },
  });
}

/** Entry 6: the bus's dma_configure() for a device without a driver, which gets one meanwhile. */
function lookingTwice(bus: "pci" | "platform"): Suite {
  return bootSuite({
    name: `registration/looking-twice/${bus}`,
    design: linux72,
    describes: "an IOMMU registers, while the driver of d0 is bound",
    iommu: "arm_smmu_v3",
    registered: 0,
    platformBus: bus === "platform",
    devices: [{ name: "d0", bus, state: "added", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    more: { iommu_fwspec: 1, dev_iommu: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu", register_iommu, objects.iommu(0), objects.ops),
      thread("async", attach_driver, objects.device("d0")),
    ],
    properties: [X1, X2, L1, O3],
    expected: { "warn-on": warnedAtBind, O3: boundInWindow },
  });
}

/** Two walks of the bus at once. */
function twoWalks(behind: number | null): Suite {
  return bootSuite({
    name: `registration/two-walks/${behind === null ? "without-iommu" : "behind-one"}`,
    design: linux72,
    describes: `two IOMMUs register at the same time; d0 is behind ${behind === null ? "none" : "the first"}`,
    iommu: "arm_smmu_v3",
    iommus: 2,
    registered: 0,
    devices: [{ name: "d0", iommu: behind, state: "added" }],
    more: { iommu_fwspec: 1, dev_iommu: 1, dev_iommu_priv: 1, iommu_group: 1, group_device: 1 },
    terminates: true,
    threads: (objects) => [
      thread("smmu0", register_iommu, objects.iommu(0), objects.ops),
      thread("smmu1", register_iommu, objects.iommu(1), objects.ops),
    ],
    properties: behind === null ? [X1, X2, L1] : [X1, X2, L1, L4],
  });
}

export const forwardSuites: readonly Suite[] = [
  overtaking(),
  passedOver(),
  lookingTwice("pci"),
  lookingTwice("platform"),
  twoWalks(0),
  twoWalks(null),
];
