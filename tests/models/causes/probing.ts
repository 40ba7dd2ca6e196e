/** What turns the properties of probing red. */
import type { Cause } from "./cause.js";

const betweenPhases = "the base (bound between the two phases of a bus walk)";

export const causes: readonly Cause[] = [
  { name: "--revert bf75eb44e11b (the groups that are left)", red: "L3-id", also: ["warn-on"], suite: "group-alloc/freed-twice" },
  { name: "--revert b54240ad4943 (a probe that fails)", red: "L1", suite: "probe/failing-walk", revert: ["b54240ad4943"] },
  { name: "the base (registration against hotplug)", red: "X1", suite: "probe/plug-against-register", asked: ["X1"] },
  {
    name: "--revert a2e7e59a9426 and 01657bc14a39",
    red: "X2",
    despite: ["null-deref"],
    suite: "probe/joined-once",
    revert: ["a2e7e59a9426", "01657bc14a39"],
  },
  {
    name: "mutant: the -EBUSY test of iommu_device_register() removed",
    red: "X6",
    suite: "probe/other-driver",
    file: "models/linux/iommu/probe.ts",
    edits: [{ find: "  if (current !== null && current !== ops) return -EBUSY;\n", replace: "" }],
  },
  { name: "the base, fixed by 152431e4fe7f", red: "T4", suite: "direct-map/new-group" },
  { name: betweenPhases, red: "T5", suite: "probe/bind-between-phases", asked: ["T5"] },
  { name: `${betweenPhases}, fixed by b46064a18810`, red: "T5-domain", suite: "probe/bind-between-phases", asked: ["T5-domain"] },
  {
    name: "--apply b46064a18810 (an IOMMU driver without default domains)",
    red: "V2",
    suite: "probe/no-default-domains",
    apply: ["b46064a18810"],
  },
  {
    name: "mutant: of_iommu_configure() does not replay the probe",
    red: "V2",
    suite: "probe/no-default-domains",
    asked: ["V2"],
    file: "models/linux/iommu/firmware.ts",
    edits: [{ find: "  if (!err && !isMapped) err = yield* iommu_probe_device(dev);\n", replace: "  if (isMapped) err = 0;\n" }],
  },
  { name: "the base (a device is replayed before the walk has come to its bridge)", red: "G1", suite: "groups/replay" },
];
