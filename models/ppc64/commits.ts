import type { Commit } from "iommu-mc";

/** The commits the model can be with and without, by the first twelve digits of their sha, oldest release first. */
export const commits: Readonly<Record<string, Commit>> = {
  // The subject stands in a distribution's changelog; that it is in v4.11 is the corpus's, and was not seen in a tree.
  db08e1d53034: {
    subject: "powerpc/powernv/ioda2: Update iommu table base on ownership change",
    since: "v4.11",
    year: 2017,
  },
  "201908190151": {
    subject: "vfio/spapr_tce: Fix incorrect tce_iommu_group memory free",
    messageId: "20190819015117.94878-1-aik@ozlabs.ru",
    since: "v5.4",
    year: 2019,
  },
  "4be518d83880": {
    subject: "powerpc/iommu: Do not immediately panic when failed IOMMU table allocation",
    since: "v5.13",
    year: 2021,
  },
  // With the series it is the last but one of: the driver core counts drivers that use the DMA API (512881eacfa7).
  "70693f470848": {
    subject: "vfio: Set DMA ownership for VFIO devices",
    since: "v5.19",
    year: 2022,
  },
  e8ae0e140c05: {
    subject: "vfio: Require that devices support DMA cache coherence",
    since: "v5.19",
    year: 2022,
    needs: ["70693f470848"],
  },
  "9d67c9433509": {
    subject: 'powerpc/iommu: Add "borrowing" iommu_table_group_ops',
    since: "v6.4",
    year: 2023,
  },
  a940904443e4: {
    subject: "powerpc/iommu: Add iommu_ops to report capabilities and allow blocking domains",
    since: "v6.4",
    year: 2023,
    needs: ["9d67c9433509", "70693f470848"],
  },
  "2ad56efa80db": {
    subject: "powerpc/iommu: Setup a default domain and remove set_platform_dma_ops",
    since: "v6.7",
    year: 2023,
    needs: ["a940904443e4"],
  },
  a8ca9fc9134c: {
    subject: "powerpc/iommu: Do not do platform domain attach atctions after probe",
    since: "v6.7",
    year: 2023,
    needs: ["2ad56efa80db"],
  },
  d2d00e15808c: {
    subject: "powerpc: iommu: Bring back table group release_ownership() call",
    since: "v6.8",
    year: 2024,
    needs: ["a8ca9fc9134c"],
  },
  "0846dd77c834": {
    subject: "powerpc/iommu: Fix the missing iommu_group_put() during platform domain attach",
    since: "v6.8",
    year: 2024,
    needs: ["a8ca9fc9134c"],
  },
  a5c57fd2e9bd: {
    subject: "powerpc/pseries/iommu: DLPAR add doesn't completely initialize pci_controller",
    since: "v6.8",
    year: 2024,
    needs: ["a940904443e4"],
  },
  "4ba2fdff2eb1": {
    subject: "vfio/spapr: Always clear TCEs before unsetting the window",
    since: "v6.11",
    year: 2024,
  },
  f431a8cde7f1: {
    subject: "powerpc/iommu: Reimplement the iommu_table_group_ops for pSeries",
    since: "v6.11",
    year: 2024,
    needs: ["d2d00e15808c"],
  },
};
