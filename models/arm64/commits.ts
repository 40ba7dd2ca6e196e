import type { Commit } from "iommu-mc";

/** The commits this model can be with and without, by the first twelve digits of their sha, oldest release first. */
export const commits: Readonly<Record<string, Commit>> = {
  // The release was not verified: what v4.4.y has as a backport is older than the next one.
  "722ec35f7fae": {
    subject: "arm64: dma-mapping: fix handling of devices registered before arch_initcall",
    since: "v4.5",
    year: 2016,
  },
  // The release was not verified either. The commit names 722ec35f7fae, whose workaround it drops.
  "16c11325cc44": {
    subject: "arm64: mm: change IOMMU notifier action to attach DMA ops",
    since: "v4.7",
    year: 2016,
    needs: ["722ec35f7fae"],
  },
  "797a8b4d768c": {
    subject: "iommu: Handle default domain attach failure",
    since: "v4.11",
    year: 2017,
  },
  "1874619a7df4": {
    subject: "ARM: dma-mapping: Set proper DMA ops in arch_iommu_detach_device()",
    since: "v4.13",
    year: 2017,
  },
  "7d4e6ccd1fb0": {
    subject: "iommu: Remove device link to group on failure",
    since: "v5.0",
    year: 2019,
    fixes: ["797a8b4d768c"],
    needs: ["797a8b4d768c"],
  },
};
