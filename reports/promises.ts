/** What the systems have to keep above all, and the properties that ask it of each. */

export interface System {
  readonly name: string;
  /** Its suites; * stands for anything. */
  readonly suites: string;
}

/** Codes of properties, or why none asks it there. */
export type AskedBy = readonly string[] | string;

export interface KeptPromise {
  readonly says: string;
  /** By the name of the system. */
  readonly asked: Readonly<Record<string, AskedBy>>;
}

export const systems: readonly System[] = [
  { name: "VFIO and the driver core, 2021 to 7.2", suites: "user-dma/*" },
  { name: "sPAPR iommu_ops as posted, 2022", suites: "ppc64-ops/*" },
  { name: "POWER's trees, 4.10 to 6.12", suites: "ppc64/*" },
  { name: "IODA2 ownership, 2015", suites: "ioda2/*" },
  { name: "split ops, 2022", suites: "ops-split/*" },
  { name: "DMA ops of arm64 and arm, 2015", suites: "arm*" },
  { name: "Linux 5.10 to 7.2", suites: "linux" },
];

const noUsers = "no user processes in this model";

export const promises: readonly KeptPromise[] = [
  {
    says: "No kernel mapping survives a user attach",
    asked: {
      "VFIO and the driver core, 2021 to 7.2": ["O2", "O2-user"],
      "sPAPR iommu_ops as posted, 2022": ["O5-claim", "O5-open"],
      "POWER's trees, 4.10 to 6.12": ["O5-attach"],
      "IODA2 ownership, 2015": ["O5-ioda2"],
      "split ops, 2022": noUsers,
      "DMA ops of arm64 and arm, 2015": noUsers,
      "Linux 5.10 to 7.2": ["O5"],
    },
  },
  {
    says: "Group reference counts balance",
    asked: {
      "VFIO and the driver core, 2021 to 7.2": ["L3"],
      "sPAPR iommu_ops as posted, 2022": ["L3-group"],
      "POWER's trees, 4.10 to 6.12": ["L3-platform"],
      "IODA2 ownership, 2015":
        "what is modelled takes no reference: a container borrows the groups of VFIO's own, and devices neither come nor go",
      "split ops, 2022":
        "what the series changes neither takes a reference on a group nor drops one; here each device is its own group, and stays",
      "DMA ops of arm64 and arm, 2015": ["R1-2015", "L3-2015"],
      "Linux 5.10 to 7.2": ["R1", "L3"],
    },
  },
  {
    says: "No op reaches the wrong driver",
    asked: {
      "VFIO and the driver core, 2021 to 7.2": "there is one driver of IOMMUs; asked of the same model below",
      "sPAPR iommu_ops as posted, 2022":
        "there is one driver of IOMMUs; what its callbacks misread of a device that is not PCI's is `null-deref`, and claim A4a",
      "POWER's trees, 4.10 to 6.12": "there is one driver of IOMMUs in this model",
      "IODA2 ownership, 2015": "there is one driver of IOMMUs in this model",
      "split ops, 2022": ["D1", "D3"],
      "DMA ops of arm64 and arm, 2015": ["C5-2015"],
      "Linux 5.10 to 7.2": ["X6", "C5"],
    },
  },
  {
    says: "Every device ends attached, or refused with an error",
    asked: {
      "VFIO and the driver core, 2021 to 7.2": ["V2-bind"],
      "sPAPR iommu_ops as posted, 2022": ["V2-known", "V2-alone"],
      "POWER's trees, 4.10 to 6.12": ["V2-group", "V2-host"],
      "IODA2 ownership, 2015": ["V2-lent", "V2-ioda2"],
      "split ops, 2022": "devices are there from the start in this model",
      "DMA ops of arm64 and arm, 2015": ["V2-arm64"],
      "Linux 5.10 to 7.2": ["V2"],
    },
  },
];
