import type { Commit } from "iommu-mc";

/** The commits the model can be with and without, by the first twelve digits of their sha. */
export const commits: Readonly<Record<string, Commit>> = {
  "0286300e6045": {
    subject: "iommu: iommu_group_claim_dma_owner() must always assign a domain",
    since: "v5.19",
  },
  "2cc73c5712f9": {
    subject: "iommu: Attach device group to old domain in error path",
    since: "v6.3",
  },
  dcf40ed3a20d: {
    subject: "iommu: Make __iommu_group_set_domain() handle error unwind",
    since: "v6.5",
    needs: ["0286300e6045"],
  },
};
