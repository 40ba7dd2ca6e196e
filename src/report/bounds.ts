/** The bounds of a run in words: no verdict is told without them. */
import type { Bounds } from "../step/bounds.js";
import type { Variant } from "../step/machine.js";
import { counted } from "./wrap.js";

export { type Bounds, boundsOf } from "../step/bounds.js";

/** `no faults (policy contract)`. */
export function faultsText({ faults, faultPolicy }: Bounds): string {
  return `${faults === 0 ? "no faults" : `at most ${counted(faults, "fault")}`} (policy ${faultPolicy})`;
}

/** `2 threads (qemu, udev), pools: iommu_domain 4, vfio_group 1`. */
export function boundsText({ threads, pools }: Bounds): string {
  const slots = Object.entries(pools).map(([struct, count]) => `${struct} ${count}`);
  const parts = [`${counted(threads.length, "thread")} (${threads.join(", ")})`];
  if (slots.length > 0) parts.push(`pools: ${slots.join(", ")}`);
  return parts.join(", ");
}

/** More names than this are only counted. */
const NAMES_SHOWN = 6;

/** `device d0, d1; iommu_ops arm_smmu_v3`: the machine the scenario plays on, with its driver model. Empty if there is nothing but globals. */
export function objectsText({ objects }: Bounds): string {
  return Object.entries(objects)
    .filter(([struct, names]) => names.length > 1 || names[0] !== struct)
    .map(([struct, names]) => (names.length > NAMES_SHOWN ? `${names.length} ${struct}` : `${struct} ${names.join(", ")}`))
    .join("; ");
}

/** `without 0286300e6045, with dcf40ed3a20d`; empty if the design is as it was declared. */
export function changesText({ revert = [], apply = [] }: Variant): string {
  const parts: string[] = [];
  if (revert.length > 0) parts.push(`without ${revert.join(" ")}`);
  if (apply.length > 0) parts.push(`with ${apply.join(" ")}`);
  return parts.join(", ");
}
