/** The bounds of a run: no verdict is told without them. */
import type { StructInfo } from "../lang/schema.js";
import type { Machine, Variant } from "../step/machine.js";
import { counted } from "./wrap.js";

export interface Bounds {
  /** Names of the threads. */
  readonly threads: readonly string[];
  /** Slots of each struct whose objects are allocated or freed while the model runs. */
  readonly pools: Readonly<Record<string, number>>;
  /** Names of the objects of each struct that exist from beginning to end: the devices, and the driver model. */
  readonly objects: Readonly<Record<string, readonly string[]>>;
  /** Failures that may be injected in one behaviour. */
  readonly faults: number;
  readonly faultPolicy: "contract" | "any";
}

export function boundsOf(machine: Machine): Bounds {
  const { layout, names } = machine;
  const structs = (dynamic: boolean) =>
    layout.schema.structs.filter((struct) => layout.pools.dynamic[struct.number] === dynamic && layout.slots(struct) > 0);
  const named = (struct: StructInfo) => Array.from({ length: layout.slots(struct) }, (_, slot) => names.object(struct, slot));
  return {
    threads: machine.threads.map(({ name }) => name),
    pools: Object.fromEntries(structs(true).map((struct) => [struct.name, layout.slots(struct)])),
    objects: Object.fromEntries(structs(false).map((struct) => [struct.name, named(struct)])),
    faults: machine.faults,
    faultPolicy: machine.faultPolicy,
  };
}

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
