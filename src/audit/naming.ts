/**
 * How an observer calls objects. What the setup made has the same name in both designs; what is allocated later is
 * called after the order in which it first appears to the observer, since nobody outside can see slots.
 */
import { errnoName } from "../lang/errno.js";
import { StructView } from "../lang/schema.js";
import type { Observed } from "../step/block.js";
import type { Machine } from "../step/machine.js";

/** Of allocated objects, by `struct:slot`: the number under which it is known; `null` for one of the setup that is gone. */
export interface Known {
  readonly numbers: ReadonlyMap<string, number | null>;
  /** How many of each struct have been named, by struct number. */
  readonly counts: ReadonlyMap<number, number>;
}

export const NOTHING_KNOWN: Known = { numbers: new Map(), counts: new Map() };

/** Two observers that know the same have the same key. */
export function keyOf({ numbers }: Known): string {
  return [...numbers]
    .map(([object, number]) => `${object}=${number}`)
    .sort()
    .join();
}

/** What the observer sees, and knows afterwards. `thread` is the one that does it. */
export function labelOf(
  machine: Machine,
  known: Known,
  observed: Observed,
  thread: number,
): { readonly label: string; readonly known: Known } {
  const namer = new Namer(machine, known);
  if (observed.kind === "observe") {
    const values = observed.values.map((value) => namer.value(value));
    return { label: `${observed.event}(${values.join(", ")})`, known: namer.known };
  }
  const { what, label } = observed;
  const who = machine.names.threads[thread];
  const pointer = /^&(.+):(\d+)$/.exec(label);
  const taken = pointer ? namer.object(machine.layout.schema.struct(pointer[1] as string).view(Number(pointer[2]))) : label;
  return { label: taken === `${what} FAILS` ? `${who}: ${taken}` : `${who}: ${what}: ${taken}`, known: namer.known };
}

/** What is known when the objects of these liveness cells are gone: what takes their place is something new. */
export function without(machine: Machine, known: Known, freed: readonly number[]): Known {
  if (freed.length === 0) return known;
  const numbers = new Map(known.numbers);
  for (const number of freed) {
    const cell = machine.layout.cells[number];
    if (cell?.kind !== "liveness") continue;
    const object = `${cell.struct.number}:${cell.slot}`;
    if (isOfSetup(machine, cell.struct.number, cell.slot)) numbers.set(object, null);
    else numbers.delete(object);
  }
  return { numbers, counts: known.counts };
}

function isOfSetup({ names }: Machine, struct: number, slot: number): boolean {
  return names.objects[struct]?.[slot] !== undefined;
}

class Namer {
  constructor(
    readonly machine: Machine,
    public known: Known,
  ) {}

  value(value: unknown): string {
    if (value instanceof StructView) return this.object(value);
    if (value === null) return "NULL";
    if (typeof value === "number") return errnoName(value) ?? String(value);
    if (Array.isArray(value)) return `[${value.map((element) => this.value(element)).join(", ")}]`;
    return String(value);
  }

  object(view: StructView): string {
    const { $struct, $index } = view;
    const { numbers, counts } = this.known;
    const object = `${$struct.number}:${$index}`;
    const isDynamic = this.machine.layout.livenessCell($struct, $index) >= 0;
    const number = numbers.get(object);
    if (!isDynamic || (number === undefined && isOfSetup(this.machine, $struct.number, $index))) return this.machine.names.view(view);
    if (typeof number === "number") return `${$struct.name}#${number}`;
    const next = (counts.get($struct.number) ?? 0) + 1;
    this.known = { numbers: new Map(numbers).set(object, next), counts: new Map(counts).set($struct.number, next) };
    return `${$struct.name}#${next}`;
  }
}
