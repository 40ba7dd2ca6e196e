/** What the IOMMU drivers of 6.1.176 do that the core does not expect. */
import { type Suite, thread } from "iommu-mc";
import { deferred_probe_work_func } from "../../models/linux/driver-core/dd.js";
import { attach_driver, register_iommu } from "../../models/linux/machine/events.js";
import { L2, L6, V2, X1, X2 } from "../../properties/index.js";
import { type BootSuite, bootSuite, violated } from "./on-linux61.js";

/** An IOMMU that is listed cannot be found by its own driver. */
export const notBoundYet = violated(
  "the driver looks the IOMMU up among those it is bound to, which an IOMMU that registers in its driver's probe is not yet: firmware code that finds it on iommu_device_list replays the probe, gets -ENODEV, which is no reason to defer, and the device's driver is bound without translation for good. 229e6ee43d2a (v6.13) and 72b6f7cd89ce (v6.17) fixed the like of it in arm-smmu and virtio-iommu",
);

/** The IOMMU of a device registers while the device's driver is being bound. */
export function registerAgainstBind(
  iommu: BootSuite["iommu"],
  claims: Pick<BootSuite, "name" | "describes" | "design" | "properties" | "expected">,
): Suite {
  return bootSuite({
    iommu,
    registered: 0,
    devices: [{ name: "d0", state: "added", driver: "net" }],
    drivers: [{ name: "net", kind: "native" }],
    deferral: true,
    more: { iommu_fwspec: 1, dev_iommu: 1 },
    terminates: true,
    threads: (objects) => [
      thread("iommu", register_iommu, objects.iommu(0), objects.ops),
      thread("async", attach_driver, objects.device("d0")),
      thread("deferred", deferred_probe_work_func),
    ],
    ...claims,
  });
}

export const driverSuites: readonly Suite[] = (["arm_smmu_v3", "virtio_iommu"] as const).map((iommu) =>
  registerAgainstBind(iommu, {
    name: `lookup/${iommu}`,
    describes: "the IOMMU of d0 registers while the driver of d0 is bound, which may be deferred and tried again",
    properties: [V2, X1, X2, L2, L6],
    expected: { V2: notBoundYet },
  }),
);
