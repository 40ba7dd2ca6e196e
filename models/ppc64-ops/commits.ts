import type { Commit } from "iommu-mc";

/** The patch that the thread is about, "powerpc/iommu: Add iommu_ops to report capabilities and allow blocking domains" of July 2022. */
const posted = { since: "July 2022", year: 2022 };
/** What a reviewer asked or proposed, or what would answer it. */
const answer = { since: "the review", year: 2022 };
const onStub = { ...answer, needs: ["spapr-tce-ops"] };

/** Parts of the patch, and what was said of it, each a switch of its own; names stand for what never was a commit. */
export const commits: Readonly<Record<string, Commit>> = {
  // vfio asks for cache coherency (v5.19).
  e8ae0e140c05: { subject: "vfio: Require that devices support DMA cache coherence", since: "v5.19", year: 2022 },
  "01657bc14a39": { subject: "iommu: Avoid races around device probe", since: "v6.2", year: 2022 },
  "spapr-tce-ops": { subject: "spapr_tce_iommu_ops, registered for each PHB", ...posted },
  "stub-late": { subject: "discover_phbs() is a postcore_initcall_sync", ...posted, needs: ["spapr-tce-ops"] },
  "stub-probe": { subject: "iommu_add_device() calls iommu_probe_device()", ...posted, needs: ["spapr-tce-ops"] },
  "stub-blocked": { subject: "domain_alloc() makes a domain for BLOCKED", ...posted, needs: ["spapr-tce-ops"] },
  "stub-refuses": { subject: "probe_device() and device_group() refuse what is not PCI's", ...posted, needs: ["spapr-tce-ops"] },

  "class-before-bus": { subject: "PHBs are discovered after the class of IOMMUs is there, and before PCI's bus", ...onStub },
  "no-explicit-probe": { subject: "iommu_add_device() leaves probing to the core", ...onStub, needs: ["stub-probe"] },
  "explicit-at-boot": { subject: "iommu_add_device() leaves probing to the core once it is notified", ...onStub, needs: ["stub-probe"] },
  "notifier-first": { subject: "powerpc/pci_64: Init pcibios subsys a bit later", ...onStub, since: "v6.4" },
  "refuses-with-enodev": { subject: "what is not PCI's is refused with ENODEV", ...onStub, needs: ["stub-refuses"], since: "v6.12" },
  "group-enodev": { subject: "a PHB without device_group() is refused with ENODEV", ...onStub },
  "group-reference": { subject: "device_group() takes a reference on the group", ...onStub },
  "attach-empties-table": { subject: "attach_dev() clears the kernel's entries", ...onStub },
  "attach-ends-bypass": { subject: "attach_dev() switches the bypass off", ...onStub },
  "attach-takes-ownership": { subject: "attach_dev() takes ownership: no window, no bypass", ...onStub, since: "v6.4" },

  "null-is-attach-deferred": { subject: "no is_attach_deferred()", ...onStub },
  "defers-attach": { subject: "is_attach_deferred() returns true", ...onStub },
  "null-release-device": { subject: "no release_device()", ...onStub },
  "null-attach-dev": { subject: "no attach_dev()", ...onStub },
  "null-detach-dev": { subject: "no detach_dev()", ...onStub },
};
