/** What turns red what was asked of powernv's first iommu_ops. */
import type { Cause } from "./cause.js";

export const causes: readonly Cause[] = [
  {
    name: "the patch as posted, whose attach_dev() just returns 0",
    red: "O5-claim",
    suite: "ppc64-ops/attach-returns",
    asked: ["O5-claim"],
  },
  {
    name: "mutant: the container does not take ownership of its PE",
    red: "O5-open",
    suite: "ppc64-ops/attach-returns",
    asked: ["O5-open"],
    file: "models/ppc64-ops/boot.ts",
    edits: [{ find: "  if (!claimed) tce_iommu_take_ownership(group);\n", replace: "" }],
  },
  { name: "the kernel without the patch", red: "V2-open", suite: "ppc64-ops/no-ops" },
  { name: "the patch without its call of iommu_probe_device()", red: "V2-known", suite: "ppc64-ops/group-add", asked: ["V2-known"] },
  { name: "the patch with probing left to the core", red: "V2-known", suite: "ppc64-ops/no-explicit-probe", asked: ["V2-known"] },
  {
    name: "mutant: a device that is refused keeps its dev->iommu",
    red: "V2-alone",
    suite: "ppc64-ops/platform-late",
    asked: ["V2-alone"],
    file: "models/ppc64-ops/iommu.ts",
    edits: [{ find: "    yield* dev_iommu_free(dev);\n    return iommu_dev;\n", replace: "    return iommu_dev;\n" }],
  },
  { name: "the patch with discover_phbs() before PCI's bus", red: "X6-registered", suite: "ppc64-ops/before-the-bus" },
  { name: "the patch as posted", red: "L3-group", suite: "ppc64-ops/reference-posted" },
  {
    name: "the kernel without the patch",
    red: "W1-ops",
    suite: "ppc64-ops/posted",
    asked: ["W1-ops"],
    revert: ["stub-refuses", "stub-blocked", "stub-probe", "stub-late", "spapr-tce-ops"],
  },
];
