import { type Design, design } from "iommu-mc";
import { commits } from "./commits.js";
import { ppc64 } from "./schema.js";

/** A kernel of that release: all commits that the model knows of up to it. */
function kernel(release: string, version: string): Design<typeof ppc64> {
  const includes = Object.entries(commits).flatMap(([sha, { since }]) => (numberOf(since) <= numberOf(release) ? [sha] : []));
  return design({ name: `ppc64-${release.slice(1)}`, version, schema: ppc64, commits, includes });
}

/** `v5.10` comes after `v5.9`. */
function numberOf(release: string): number {
  const [major, minor] = release.slice(1).split(".").map(Number) as [number, number];
  return major * 1000 + minor;
}

/** Ownership is taken by VFIO's container, window by window. */
export const ppc64v410 = kernel("v4.10", "v4.10, powernv and pSeries");
export const ppc64v53 = kernel("v5.3", "v5.3, powernv and pSeries");
export const ppc64v510 = kernel("v5.10", "5.10.223 (Debian), powernv and pSeries");
/** VFIO asks for what only iommu_ops can say, and there are none. */
export const ppc64v61 = kernel("v6.1", "6.1.176 (Debian 6.1.176-1), powernv and pSeries");
/** The first iommu_ops: ownership moves to the blocking domain. */
export const ppc64v66 = kernel("v6.6", "v6.6, powernv and pSeries");
/** A static platform domain is the default. */
export const ppc64v67 = kernel("v6.7", "v6.7, powernv and pSeries");
export const ppc64v68 = kernel("v6.8", "v6.8, powernv and pSeries");
/** pSeries makes windows of its own, and gives its table away as powernv does. */
export const ppc64v612 = kernel("v6.12", "6.12.107 (Debian), powernv and pSeries");
