/** Probing of devices in 6.1.176: registration of an IOMMU, hotplug and firmware replay, against binding. */
import { type Expectation, type Suite, suite, thread } from "iommu-mc";
import { linux61 } from "../../models/linux/designs.js";
import { bootScenario } from "../../models/linux/machine/boot.js";
import { bind_once, register_iommu } from "../../models/linux/machine/events.js";
import { L2, L4, L6, T5, X1, X2, X6 } from "../../properties/index.js";

/** Two threads probe the same device, one after the other. */
const probedTwice: Expectation = {
  verdict: "violated",
  reason:
    "6.1 asks whether a device is in a group before it takes iommu_probe_device_lock, and not again: who comes second probes the device once more, and arm-smmu-v3's refusal then frees dev->iommu under the first; fixed by 6eb4da8cf545 (v6.6)",
};

/** A driver is bound while its IOMMU is only half registered. */
const boundTooEarly: Expectation = {
  verdict: "violated",
  reason:
    "iommu_device_register() lists the IOMMU before the bus has its ops and before the walk has set up default domains: a driver bound meanwhile finds no group or no default domain, and the walk puts its device onto one later; b46064a18810 (v6.15) defers it where there is a group",
};

/** Entries 1 to 3: the IOMMU registers while the firmware code finds the device for a driver that is about to be bound. */
function registerAgainstReplay(faults: number): Suite {
  const name = `probe/register-against-replay${faults > 0 ? "-failing" : ""}`;
  return suite({
    name,
    design: linux61,
    scenario: bootScenario({
      name,
      describes: `the IOMMU of d0 registers while d0's driver is bound${faults > 0 ? "; one call may fail" : ""}`,
      iommu: "arm_smmu_v3",
      iommus: 1,
      registered: 0,
      devices: [{ name: "d0", state: "added", driver: "net" }],
      drivers: [{ name: "net", kind: "native" }],
      faults,
      more: { dev_iommu_priv: 1, iommu_group: 1, group_device: 1, dev_iommu: 1, iommu_fwspec: 2 },
      terminates: true,
      threads: (objects) => [
        thread("smmu", register_iommu, objects.iommu(0), objects.ops),
        thread("bind", bind_once, objects.device("d0"), objects.driver("net")),
      ],
    }),
    properties: [X1, X2, X6, L2, L4, L6, T5],
    expected: {
      T5: boundTooEarly,
      ...everything(probedTwice, "warn-on", "null-deref", "leak", "L4", "L6"),
      ...(faults > 0 ? everything(probedTwice, "use-after-free", "double-free") : {}),
    },
  });
}

function everything(expectation: Expectation, ...checks: readonly string[]): Record<string, Expectation> {
  return Object.fromEntries(checks.map((check) => [check, expectation]));
}

export const probingSuites: readonly Suite[] = [registerAgainstReplay(0), registerAgainstReplay(1)];
