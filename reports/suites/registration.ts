/** An IOMMU registers: what its driver must have done before, and what becomes of the devices that the walk comes to. */
import { type Suite, thread } from "iommu-mc";
import { register_both, register_iommu } from "../../models/linux/machine/events.js";
import { C1, L1, L2, L4, X1, X2 } from "../../properties/index.js";
import { bootSuite } from "./on-linux61.js";

/** Entry 10: a device that is behind no IOMMU. */
function noIommu(): Suite {
  return bootSuite({
    name: "registration/device-without-iommu",
    describes: "an OMAP IOMMU registers; p0 is behind it, p1 behind none",
    iommu: "omap_iommu",
    registered: 0,
    platformBus: true,
    devices: [
      { name: "p0", bus: "platform", state: "added" },
      { name: "p1", bus: "platform", iommu: null, state: "added" },
    ],
    terminates: true,
    threads: (objects) => [thread("omap", register_iommu, objects.iommu(0), objects.ops)],
    properties: [L1, X1, X2, L4],
  });
}

/** Entry 11: a device of an IOMMU that has not registered yet. */
function ofTheSecond(iommu: "intel_iommu" | "amd_iommu"): Suite {
  return bootSuite({
    name: `registration/of-the-second/${iommu}`,
    describes: "two IOMMUs register one after the other; d0 is behind the second",
    iommu,
    iommus: 2,
    registered: 0,
    devices: [{ name: "d0", iommu: 1, state: "added" }],
    terminates: true,
    threads: (objects) => [thread("boot", register_both, objects.iommu(0), objects.iommu(1), objects.ops)],
    properties: [L1, X1, X2, C1, L2, L4],
  });
}

export const registrationSuites: readonly Suite[] = [noIommu(), ofTheSecond("intel_iommu"), ofTheSecond("amd_iommu")];
