/** Commits of arm and arm64 in 2015, whose absence turns a suite red. */
import type { Switch } from "iommu-mc";

export const armSwitches: readonly Switch[] = [
  {
    entry: 65,
    bug: "a device that waits for its IOMMU since before arm64 had a notifier keeps the DMA ops of a device without",
    commit: "722ec35f7fae",
    suite: "arm64/early-device",
    red: "T5-arm64",
    without: {},
    with: { apply: ["722ec35f7fae"] },
  },
  {
    entry: 65,
    bug: "the same for a device whose IOMMU's driver comes after it, as it does in the order of the initcalls",
    commit: "16c11325cc44",
    suite: "arm64/late-iommu",
    red: "T5-arm64",
    without: {},
    with: { apply: ["16c11325cc44"] },
  },
  {
    entry: 65,
    bug: "a device that comes has the DMA ops of another one changed, whose driver is at work",
    commit: "16c11325cc44",
    suite: "arm64/changed-under-driver",
    red: "T5-arm64",
    without: {},
    with: { apply: ["16c11325cc44"] },
  },
  {
    entry: 67,
    bug: "a coherent device that is detached from its driver's mapping is treated as one that is not",
    commit: "1874619a7df4",
    suite: "arm/own-mapping/coherent",
    red: "T5-coherence",
    without: {},
    with: { apply: ["1874619a7df4"] },
  },
  {
    entry: 15,
    bug: "a device that cannot be attached to its group's default domain joins the group all the same",
    commit: "797a8b4d768c",
    suite: "default-attach/failing",
    red: "C1-2015",
    without: {},
    with: { apply: ["797a8b4d768c"] },
  },
  {
    entry: 15,
    bug: "what 797a8b4d768c made of it: the group keeps a link to a device that never joined it",
    commit: "7d4e6ccd1fb0",
    suite: "default-attach/undone",
    red: "L3-2015",
    without: {},
    with: { apply: ["7d4e6ccd1fb0"] },
  },
];
