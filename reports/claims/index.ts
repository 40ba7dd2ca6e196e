import type { Claim } from "iommu-mc";
import { arm64Claims } from "./arm64.js";
import { ioda2Claims } from "./ioda2.js";
import { opsSplitClaims } from "./ops-split.js";
import { ppc64OpsClaims } from "./ppc64-ops.js";
import { userDmaClaims } from "./user-dma.js";

/** What the threads are about, by the names that claims call them. */
export const threads: Readonly<Record<string, string>> = {
  "ppc64-ops": "iommu_ops for sPAPR TCE on powernv (2022)",
  "ops-split": "Splitting iommu_ops into device and domain ops (2022)",
  arm64: "DMA ops on arm64 and delayed attach (2015)",
  ioda2: "IODA2 ownership rework for VFIO on powernv (2015)",
  "user-dma": "User DMA ownership, VFIO and the driver core (2021)",
};

/** What was said, asked and doubted on the list, thread by thread, as `iommu-mc claims` decides it. */
export const claims: readonly Claim[] = [...ppc64OpsClaims, ...opsSplitClaims, ...arm64Claims, ...ioda2Claims, ...userDmaClaims];
