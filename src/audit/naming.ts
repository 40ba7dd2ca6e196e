/**
 * How an observer calls objects. What the setup made has the same name in both designs. Of what is allocated later an observer knows
 * only whether it has been seen before, and when: nobody outside can see slots. To compare designs, such an object is called after
 * how many others of its struct have been seen since, so that what has long been gone needs no name; for people it is called after
 * the order in which it first appeared. What has not been seen for long is forgotten, or there would be no end of moments where objects
 * come and go for ever while another one stays: this may hide a difference, and never makes one.
 */
import { errnoName } from "../lang/errno.js";
import { StructView } from "../lang/schema.js";
import type { Observed } from "../step/block.js";
import type { Machine } from "../step/machine.js";

/** What an observer knows of allocated objects. */
export interface Known {
  /** Two observers that know the same have the same number. */
  readonly number: number;
  /** By struct number: the slots of the objects that have been seen, the latest first; `GONE` for one that is freed. */
  readonly seen: ReadonlyMap<number, readonly number[]>;
  /** Objects of the setup that are freed, by struct number and slot: what takes their place is something new. */
  readonly replaced: ReadonlySet<string>;
}

const GONE = -1;

/** How many objects of a struct an observer remembers. */
const REMEMBERED = 8;

/** Around the place of an object in the order in which objects of its struct were seen, the latest being 0; around nothing for a new one. */
const MARK = "\ue000";
const MARKED = /(\w+)\ue000(\d*)\ue000/g;

/** Gives names to what a machine shows. */
export class Observer {
  /** At the beginning. */
  readonly nothing: Known;
  readonly #known = new Map<string, Known>();

  constructor(readonly machine: Machine) {
    this.nothing = this.#interned(new Map(), new Set());
  }

  /** What is seen, and known afterwards. `thread` is the one that does it. */
  see(known: Known, observed: Observed, thread: number): { readonly label: string; readonly known: Known } {
    const namer = new Namer(this.machine, known);
    return {
      label: labelOf(namer, observed, this.machine.names.threads[thread] as string),
      known: this.#interned(namer.seen, known.replaced),
    };
  }

  /** What is known when the objects of these liveness cells are gone. */
  without(known: Known, freed: readonly number[]): Known {
    if (freed.length === 0) return known;
    const seen = new Map(known.seen);
    const replaced = new Set(known.replaced);
    for (const number of freed) {
      const cell = this.machine.layout.cells[number];
      if (cell?.kind !== "liveness") continue;
      const { struct, slot } = cell;
      if (isOfSetup(this.machine, struct.number, slot)) replaced.add(`${struct.number}:${slot}`);
      seen.set(
        struct.number,
        (seen.get(struct.number) ?? []).map((other) => (other === slot ? GONE : other)),
      );
    }
    return this.#interned(seen, replaced);
  }

  #interned(seen: Known["seen"], replaced: Known["replaced"]): Known {
    // Nobody will ever call what is gone, so that it only matters as long as something behind it may be seen again.
    const slots = [...seen].map(([struct, all]) => [struct, all.slice(0, all.findLastIndex((slot) => slot !== GONE) + 1)] as const);
    const kept = slots.filter(([, all]) => all.length > 0).sort(([one], [other]) => one - other);
    const key = JSON.stringify([kept, [...replaced].sort()]);
    const known = this.#known.get(key) ?? { number: this.#known.size, seen: new Map(kept), replaced };
    this.#known.set(key, known);
    return known;
  }
}

/** What observers have seen one after the other, with objects called after the order in which they first appeared: `iommu_domain#1`. */
export function inWords(labels: readonly string[]): string[] {
  const numbers = new Map<string, number[]>();
  const counts = new Map<string, number>();
  return labels.map((label) =>
    label.replaceAll(MARKED, (_, struct: string, place: string) => {
      const seen = numbers.get(struct) ?? [];
      const number = place === "" ? (counts.get(struct) ?? 0) + 1 : (seen[Number(place)] as number);
      if (place === "") counts.set(struct, number);
      numbers.set(struct, [number, ...seen.filter((other) => other !== number)]);
      return `${struct}#${number}`;
    }),
  );
}

function labelOf(namer: Namer, observed: Observed, thread: string): string {
  if (observed.kind === "observe") return `${observed.event}(${observed.values.map((value) => namer.value(value)).join(", ")})`;
  if (observed.kind === "warning") return `WARN_ON in ${observed.procedure}`;
  const { what, label } = observed;
  const pointer = /^&(.+):(\d+)$/.exec(label);
  const taken = pointer ? namer.object(namer.machine.layout.schema.struct(pointer[1] as string).view(Number(pointer[2]))) : label;
  return taken === `${what} FAILS` ? `${thread}: ${taken}` : `${thread}: ${what}: ${taken}`;
}

function isOfSetup({ names }: Machine, struct: number, slot: number): boolean {
  return names.objects[struct]?.[slot] !== undefined;
}

class Namer {
  readonly seen: Map<number, readonly number[]>;

  constructor(
    readonly machine: Machine,
    readonly known: Known,
  ) {
    this.seen = new Map(known.seen);
  }

  value(value: unknown): string {
    if (value instanceof StructView) return this.object(value);
    if (value === null) return "NULL";
    if (typeof value === "number") return errnoName(value) ?? String(value);
    if (Array.isArray(value)) return `[${value.map((element) => this.value(element)).join(", ")}]`;
    return String(value);
  }

  object(view: StructView): string {
    const { $struct, $index } = view;
    const isDynamic = this.machine.layout.livenessCell($struct, $index) >= 0;
    const isFirst = isOfSetup(this.machine, $struct.number, $index) && !this.known.replaced.has(`${$struct.number}:${$index}`);
    if (!isDynamic || isFirst) return this.machine.names.view(view);
    const seen = this.seen.get($struct.number) ?? [];
    const place = seen.indexOf($index);
    this.seen.set($struct.number, [$index, ...seen.filter((slot) => slot !== $index)].slice(0, REMEMBERED));
    return `${$struct.name}${MARK}${place < 0 ? "" : place}${MARK}`;
  }
}
