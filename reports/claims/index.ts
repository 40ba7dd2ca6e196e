import type { Claim } from "iommu-mc";

/** What was said, asked and doubted on the list, thread by thread, as `iommu-mc claims` decides it. */
export const claims: readonly Claim[] = [];
