import { type Design, design } from "iommu-mc";
import { commits } from "./commits.js";
import { ioda2 } from "./schema.js";

function made(name: string, version: string, includes: readonly string[]): Design<typeof ioda2> {
  return design({ name: `ioda2-${name}`, version, schema: ioda2, commits, includes });
}

/** VFIO takes the bitmap of a table, and with it the bypass goes. */
export const ioda2v41 = made("4.1", "v4.1 with the first of the series (9b14a1ff8657), powernv", []);

/** The series as posted, before the patch in question: a PE's callbacks take the bitmap and the bypass. */
export const ioda2v9Before = made("v9-24", "v4.1 with the series up to 24/32 as posted in v9, powernv", ["4793d65d1ac0", "embedded"]);
/** With the patch in question. */
export const ioda2v9 = made("v9-25", "v4.1 with the series up to 25/32 as posted in v9, powernv", ["4793d65d1ac0", "embedded", "v9-25"]);
/** Its version before. */
export const ioda2v8 = made("v8-25", "the same as posted in v8, powernv", ["4793d65d1ac0", "embedded", "v9-25", "v8-25"]);

/** The series as merged, before the patch in question. */
export const ioda2MergedBefore = made("4793d65d1ac0", "v4.2's series up to 4793d65d1ac0, powernv", ["4793d65d1ac0"]);
/** With the patch in question. */
export const ioda2Merged = made("46d3e1e16294", "v4.2's series up to 46d3e1e16294, powernv", ["4793d65d1ac0", "46d3e1e16294"]);
/** A container has its tables, and several groups. */
export const ioda2v42 = made("4.2", "v4.2's series to its end, powernv", ["4793d65d1ac0", "46d3e1e16294", "several-groups"]);
