import { type Design, design } from "iommu-mc";
import { commits } from "./commits.js";
import { arm64 } from "./schema.js";

function kernel(name: string, version: string, includes: readonly string[]): Design<typeof arm64> {
  return design({ name, version, schema: arm64, commits, includes });
}

/** When the DMA ops of the IOMMU were discussed for arm64: it has none, and the core groups PCI devices only. */
export const linux42 = kernel("linux-4.2", "4.2", []);

/** The same on arm, which has them. */
export const arm42 = kernel("linux-4.2-arm", "4.2 on arm", ["arch-arm"]);

/** The first kernel in which arm64 has DMA ops of the IOMMU, and the core groups for devices that are not PCI. */
export const linux44 = kernel("linux-4.4", "4.4", ["device-group", "13b8629f6511"]);

/** arm64 sets the DMA ops up when a driver is about to be bound. */
export const linux47 = kernel("linux-4.7", "4.7", ["device-group", "13b8629f6511", "722ec35f7fae", "16c11325cc44"]);
