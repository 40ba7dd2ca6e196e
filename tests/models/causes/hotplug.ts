/** What turns the properties of hot plug and unplug red. */
import type { Cause } from "./cause.js";

const core = "models/linux/driver-core/core.ts";
const probe = "models/linux/iommu/probe.ts";

export const causes: readonly Cause[] = [
  { name: "the base, fixed by dba9ca9d41f5", red: "L4", suite: "plug/come-and-go/intel_iommu", asked: ["L4"] },
  {
    name: "mutant: arm_smmu_release_device() leaves the device where it is",
    red: "L6",
    suite: "plug/come-and-go/arm_smmu_v3",
    asked: ["L6"],
    file: "models/linux/iommu-drivers/arm-smmu-v3.ts",
    edits: [{ find: "  arm_smmu_detach_dev(dev, master);\n  yield;\n", replace: "" }],
  },
  {
    name: "--revert ca5f21b25749 (unplugged while a user has it)",
    red: "O4",
    suite: "hotplug/unplug-open-group",
    asked: ["O4"],
    revert: ["ca5f21b25749"],
  },
  { name: "the base with dba9ca9d41f5 (a deferred device)", red: "V3", suite: "hotplug/unplug-deferred-released" },
  {
    name: "mutant: the bus's notifier does not release the device",
    red: "V3",
    suite: "hotplug/unplug-in-use",
    asked: ["V3"],
    file: probe,
    edits: [{ find: "  yield* iommu_release_device(dev);\n  return NOTIFY_OK;", replace: "  return NOTIFY_OK;" }],
  },
  {
    name: "mutant: a device goes with its driver bound",
    red: "V3",
    suite: "hotplug/unplug-in-use",
    asked: ["V3"],
    withoutThreads: ["qemu"],
    file: core,
    edits: [{ find: "  yield* device_driver_detach(dev);\n", replace: "" }],
  },
];
