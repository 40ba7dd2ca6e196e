/** Commits of VFIO, whose absence turns a suite red. */
import type { Switch } from "iommu-mc";

export const vfioSwitches: readonly Switch[] = [
  {
    entry: 50,
    bug: "a group that cannot be added to a container leaves its user's ranges pinned, and taken to be in a domain that is gone",
    commit: "aae7a75a821a",
    suite: "vfio-container/mediated",
    red: "C3-container",
    without: { revert: ["aae7a75a821a"] },
    with: {},
  },
  {
    entry: 38,
    bug: "an owned group is left without a domain, its devices on a freed one",
    commit: "0286300e6045",
    suite: "vfio-close/arm_smmu_v3",
    red: "L2",
    without: { revert: ["0286300e6045"] },
    with: {},
  },
  {
    entry: 43,
    bug: "a driver is bound to a device of a group that a user has: VFIO learns of it when it has done DMA, and stops the kernel",
    commit: "70693f470848",
    suite: "viability/bind-sibling",
    red: "bug-on",
    without: {},
    with: { apply: ["70693f470848"] },
  },
  {
    entry: 43,
    bug: "the driver was at work all the same",
    commit: "70693f470848",
    suite: "viability/bind-sibling",
    red: "O2-user",
    without: {},
    with: { apply: ["70693f470848"] },
  },
  {
    entry: 16,
    bug: "a device plugged into a group that a user has is left on the default domain",
    commit: "70693f470848",
    suite: "viability/plug-sibling",
    red: "C1",
    without: {},
    with: { apply: ["70693f470848"] },
  },
];
