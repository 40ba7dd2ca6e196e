import type { Commit } from "iommu-mc";

/** What the model can be with and without: commits by their sha, and proposals and mistakes by a name. */
export const commits: Readonly<Record<string, Commit>> = {
  eea53c581688: { subject: "iommu/vt-d: Remove WO permissions on second-level paging entries", since: "v5.13", year: 2021 },
  "586081d3f6b1": { subject: "iommu/vt-d: Remove DEFER_DEVICE_DOMAIN_INFO", since: "v5.18", year: 2022 },
  "3f6634d997db": { subject: "iommu: Use right way to retrieve iommu_ops", since: "v5.18", year: 2022 },
  "41bb23e70b50": { subject: "iommu: Remove unused argument in is_attach_deferred", since: "v5.18", year: 2022, needs: ["3f6634d997db"] },
  "ops-as-posted": {
    subject: "iommu: Add iommu_domain::domain_ops (24 January 2022: each driver sets them in domain_alloc)",
    since: "v5.18",
    year: 2022,
    needs: ["3f6634d997db"],
  },
  "si-domain-forgotten": {
    subject: "mutant: Intel's driver gives no table to its static identity domain",
    since: "v5.18",
    year: 2022,
    needs: ["ops-as-posted"],
  },
  "9a630a4b41a2": { subject: "iommu: Split struct iommu_ops", since: "v5.18", year: 2022, needs: ["3f6634d997db"] },
  dd8a25c557e1: {
    subject: "iommu: Remove deferred attach check from __iommu_detach_device()",
    since: "v6.3",
    year: 2023,
    needs: ["41bb23e70b50"],
  },
  "ops-at-attach": {
    subject: "asked in review: the driver sets the domain's ops when it attaches a device",
    since: "v5.18",
    needs: ["3f6634d997db"],
  },
  "alloc-from-device": {
    subject: "answered in review: domain_alloc is told of the device, and returns a domain that does not change any more",
    since: "v5.18",
    needs: ["3f6634d997db"],
  },
  "tables-by-kind": { subject: "a table for each kind of domain, set by domain_alloc", since: "v5.18", needs: ["9a630a4b41a2"] },
  "type-of-ops": { subject: "a domain's type is a part of its table", since: "v5.18", needs: ["tables-by-kind"] },
  "null-tests-only": { subject: "mapping tests the op for NULL, and not the type", since: "v5.18", needs: ["9a630a4b41a2"] },
  "type-tests-only": { subject: "mapping tests the type, and not the op for NULL", since: "v5.18", needs: ["9a630a4b41a2"] },
  "sva-domains": { subject: "a kind of domain for the address space of a process, as v6.2 has", since: "v6.2", needs: ["9a630a4b41a2"] },
  "sva-table": { subject: "with a table of its own, set by domain_alloc", since: "v6.2", needs: ["sva-domains"] },
  "one-attach": { subject: "mistake: attach_dev serves a device's PASID too, and asks for nothing", since: "v6.2", needs: ["sva-table"] },
  "attach-by-kind": { subject: "attach_dev that serves both asks for the kind of the domain", since: "v6.2", needs: ["one-attach"] },
  "ops-by-format": {
    subject: "wished for in review: the driver swaps in ops of the format once it has chosen one",
    since: "v5.18",
    needs: ["9a630a4b41a2"],
  },
  "format-ops-first": { subject: "mistake: they are swapped in before there is a page table", since: "v5.18", needs: ["ops-by-format"] },
  "bare-until-format": { subject: "until then the table has no op that needs a page table", since: "v5.18", needs: ["ops-by-format"] },
  "nesting-in-name-only": { subject: "mutant: enable_nesting says that it worked, and changes nothing", since: "v5.17" },
  "apply-without-domain": { subject: "mutant: apply_resv_region is told of the device only", since: "v5.3" },
  "apply-without-device": { subject: "mutant: apply_resv_region is told of the domain only", since: "v5.3" },
  "cleared-at-attempt": {
    subject: "mutant: dev->iommu->attach_deferred is cleared before the attach, as AMD's driver clears its own",
    since: "v6.3",
    needs: ["dd8a25c557e1"],
  },
  "never-cleared": { subject: "mutant: nobody clears dev->iommu->attach_deferred", since: "v6.3", needs: ["dd8a25c557e1"] },
  "deferred-by-domain": { subject: "mutant: a driver defers only attaches to DMA domains", since: "v5.17" },
};
