import type { Commit } from "iommu-mc";

/** In the thread of August 2015. */
const said = { since: "the review", year: 2015 };

/**
 * The commits this model can be with and without, by the first twelve digits of their sha, oldest release first. A name stands for
 * what was posted, proposed or said, or for what arm does where arm64 does otherwise.
 */
export const commits: Readonly<Record<string, Commit>> = {
  "posted-v5": { subject: "arm64: Hook up IOMMU dma_ops (fifth version)", since: "July 2015", year: 2015 },
  "same-priority": { subject: "its notifier has the priority of the IOMMU core's", ...said, needs: ["posted-v5"] },
  "attach-in-setup": { subject: "arch_setup_dma_ops() attaches at once, without a notifier", ...said },
  "setup-in-add-device": { subject: "the IOMMU's driver sets the DMA ops up in add_device(), as on x86", ...said },
  "domain-of-bus": { subject: "arm64 asks the bus for a domain, not the device's own IOMMU", ...said },
  "domain-per-smmu": { subject: "arm64 makes one domain for all devices behind an IOMMU", ...said },
  "domain-per-kind": { subject: "arm64 makes one domain for all devices behind IOMMUs of a kind", ...said },
  "arch-arm": { subject: "arch/arm/mm/dma-mapping.c instead of arm64's", since: "v4.0", year: 2015 },
  // What v4.17 and v4.10 have came with more than this.
  "rk-list-first": { subject: "rockchip's attach lists the IOMMU before it enables paging", since: "v4.17", year: 2018 },
  "rk-disable-first": { subject: "rockchip's detach disables paging before it takes the IOMMU off the list", since: "never" },
  "of-pci": { subject: "of_iommu_configure() knows PCI devices", since: "v4.10", year: 2017 },
  // Its sha was not to be had: the name stands for it.
  "device-group": {
    subject: "iommu: Revive device_group iommu-ops call-back",
    since: "v4.4",
    year: 2016,
  },
  "13b8629f6511": {
    subject: "arm64: Add IOMMU dma_ops",
    since: "v4.4",
    year: 2016,
  },
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
  "09515ef5ddad": {
    subject: "of/acpi: Configure dma operations at probe time for platform/amba/pci bus devices",
    since: "v4.12",
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
