/** The bounds of a run: no verdict is told without them. */
import type { Machine, Variant } from "../step/machine.js";
import { counted, enumerate } from "./wrap.js";

export interface Bounds {
  /** Names of the threads. */
  readonly threads: readonly string[];
  /** Slots of each struct whose objects are allocated or freed while the model runs. */
  readonly pools: Readonly<Record<string, number>>;
  /** Objects of each struct that exist from beginning to end. */
  readonly objects: Readonly<Record<string, number>>;
  /** Failures that may be injected in one behaviour. */
  readonly faults: number;
  readonly faultPolicy: "contract" | "any";
}

export function boundsOf(machine: Machine): Bounds {
  const { layout } = machine;
  const count = (dynamic: boolean) =>
    Object.fromEntries(
      layout.schema.structs
        .filter(({ number }) => layout.pools.dynamic[number] === dynamic && (layout.pools.slots[number] as number) > 0)
        .map((struct) => [struct.name, layout.slots(struct)]),
    );
  return {
    threads: machine.threads.map(({ name }) => name),
    pools: count(true),
    objects: count(false),
    faults: machine.faults,
    faultPolicy: machine.faultPolicy,
  };
}

/** `no faults (policy contract)`. */
export function faultsText({ faults, faultPolicy }: Bounds): string {
  return `${faults === 0 ? "no faults" : `at most ${counted(faults, "fault")}`} (policy ${faultPolicy})`;
}

/** `2 threads (qemu, udev), at most 4 iommu_domain and 1 vfio_group`. */
export function boundsText({ threads, pools }: Bounds): string {
  const slots = Object.entries(pools).map(([struct, count]) => `${count} ${struct}`);
  const parts = [`${counted(threads.length, "thread")} (${threads.join(", ")})`];
  if (slots.length > 0) parts.push(`at most ${enumerate(slots)}`);
  return parts.join(", ");
}

/** `without 0286300e6045, with dcf40ed3a20d`; empty if the design is as it was declared. */
export function changesText({ revert = [], apply = [] }: Variant): string {
  const parts: string[] = [];
  if (revert.length > 0) parts.push(`without ${revert.join(" ")}`);
  if (apply.length > 0) parts.push(`with ${apply.join(" ")}`);
  return parts.join(", ");
}
