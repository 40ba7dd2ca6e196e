import { type Design, design } from "iommu-mc";
import { commits } from "./commits.js";
import { arm64 } from "./schema.js";

function kernel(name: string, version: string, includes: readonly string[]): Design<typeof arm64> {
  return design({ name, version, schema: arm64, commits, includes });
}

/** The first kernel in which arm64 has DMA ops of the IOMMU, and the core groups for devices that are not PCI. */
export const linux44 = kernel("linux-4.4", "4.4", []);

/** arm64 sets the DMA ops up when a driver is about to be bound. */
export const linux47 = kernel("linux-4.7", "4.7", ["722ec35f7fae", "16c11325cc44"]);
