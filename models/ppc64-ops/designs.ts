import { type Design, design } from "iommu-mc";
import { commits } from "./commits.js";
import { ppc64Ops } from "./schema.js";

const CORE = "the core of 6.1.176, powernv";

/** VFIO asks for what only iommu_ops can say, and there are none. */
export const noOps = withParts("powernv-no-ops", ["01657bc14a39", "e8ae0e140c05"]);
/** The same before VFIO asked: it fails at the next obstacle. */
export const noCheck = withParts("powernv-no-check", ["01657bc14a39"]);

const patch = ["01657bc14a39", "e8ae0e140c05", "spapr-tce-ops", "stub-late", "stub-probe", "stub-blocked", "stub-refuses"];

/** The patch as it was posted. */
export const posted = withParts("powernv-posted", patch);

/** The patch with other parts, or without some of its own. */
export function postedWith(parts: readonly string[], without: readonly string[] = []): Design<typeof ppc64Ops> {
  const name = ["powernv-posted", ...parts.map((part) => `+${part}`), ...without.map((part) => `-${part}`)].join(" ");
  return withParts(name, [...patch.filter((part) => !without.includes(part)), ...parts]);
}

function withParts(name: string, includes: readonly string[]): Design<typeof ppc64Ops> {
  return design({ name, version: CORE, schema: ppc64Ops, commits, includes });
}
