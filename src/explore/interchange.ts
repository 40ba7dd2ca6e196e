/**
 * What a scenario may have two of that are alike: threads that run the same procedure, and objects of a struct, each swapped with what
 * belongs to it, so that the initial state and the threads stay what they are. Nothing is declared. That the start does not tell two things
 * apart does not mean that model code will not: symmetry.ts finds that out.
 */
import type { Local } from "../lang/runtime.js";
import { FieldHandle, type FieldInfo, type StructInfo, StructView } from "../lang/schema.js";
import type { Cell } from "../state/layout.js";
import { Permutation } from "../state/permutation.js";
import { readCell } from "../state/state.js";
import { type Control, keyOf } from "../step/control.js";
import type { Machine } from "../step/machine.js";

/** Two things that change places, with all that belongs to them. */
export interface Swap {
  readonly permutation: Permutation;
  /** `cpu0 and cpu1 (with page0 and page1)`. */
  readonly what: string;
}

/** A thread by its number, or an object. */
type Thing = number | StructView;

/** What becomes of each thing of which that is known: of both that change places the other one, of one that has to stay itself. */
type Partners = ReadonlyMap<Thing, Thing>;

/** Attempts to complete one swap, beyond which it is left: a scenario that is so regular has others. */
const MOST_ATTEMPTS = 200;

/** The swaps that leave a machine's initial state and its threads as they are. */
export function swapsOf(machine: Machine): Swap[] {
  const search = new Search(machine);
  const found = new Map<string, Swap>();
  const swapped = new Map<Thing, Set<Thing>>();
  for (const [position, one] of search.things.entries()) {
    for (const other of search.things.slice(position + 1)) {
      if (!search.areOfOneKind(one, other) || swapped.get(one)?.has(other)) continue;
      const partners = search.complete(one, other);
      if (partners === null) continue;
      const permutation = permutationOf(machine, partners);
      found.set(permutation.key, { permutation, what: describe(machine, partners) });
      for (const [thing, partner] of partners) swapped.set(thing, new Set([...(swapped.get(thing) ?? []), partner]));
    }
  }
  return [...found.values()];
}

class Search {
  readonly things: readonly Thing[];
  #attempts = 0;

  constructor(readonly machine: Machine) {
    const { layout, threads } = machine;
    const objects = layout.schema.structs.flatMap((struct) => Array.from({ length: layout.slots(struct) }, (_, slot) => struct.view(slot)));
    // A slot that nothing is in is like any other such slot; who is given which is for the model to say.
    const exists = ({ $struct, $index }: StructView) => {
      const cell = layout.livenessCell($struct, $index);
      return cell < 0 || this.#read(cell) !== 0;
    };
    this.things = [...threads.keys(), ...objects.filter(exists)];
  }

  areOfOneKind(one: Thing, other: Thing): boolean {
    const { threads } = this.machine;
    if (typeof one === "number") return typeof other === "number" && threads[one]?.procedure === threads[other]?.procedure;
    return typeof other !== "number" && one.$struct === other.$struct;
  }

  /** What else has to change places if these two do; null if that cannot be. */
  complete(one: Thing, other: Thing): Partners | null {
    this.#attempts = 0;
    return this.#completed(new Map(), one, other);
  }

  #completed(before: Partners, one: Thing, other: Thing): Partners | null {
    if (this.#attempts++ === MOST_ATTEMPTS) return null;
    const partners = this.#withImplied(before, one, other);
    if (partners === null) return null;
    const unlike = this.#firstUnlike(permutationOf(this.machine, partners));
    if (unlike === null) return partners;
    if (partners.has(unlike)) return null;
    for (const partner of this.things) {
      if (partner === unlike || partners.has(partner) || !this.areOfOneKind(unlike, partner)) continue;
      const completed = this.#completed(partners, unlike, partner);
      if (completed !== null) return completed;
    }
    return null;
  }

  /** With the pair and all that follows from it: what corresponding pointers point to corresponds. */
  #withImplied(before: Partners, one: Thing, other: Thing): Partners | null {
    const partners = new Map(before);
    const waiting: [Thing, Thing][] = [[one, other]];
    for (let pair = waiting.pop(); pair !== undefined; pair = waiting.pop()) {
      const [first, second] = pair;
      if (!this.areOfOneKind(first, second)) return null;
      const [known, knownBack] = [partners.get(first), partners.get(second)];
      if (known === second && knownBack === first) continue;
      if (known !== undefined || knownBack !== undefined) return null;
      partners.set(first, second);
      partners.set(second, first);
      const implied = typeof first === "number" ? this.#ofThreads(first, second as number) : this.#ofObjects(first, second as StructView);
      if (implied === null) return null;
      waiting.push(...implied);
    }
    return partners;
  }

  #ofThreads(one: number, other: number): [Thing, Thing][] | null {
    const { threads } = this.machine;
    return pairedLocals(threads[one]?.parameters, threads[other]?.parameters);
  }

  #ofObjects(one: StructView, other: StructView): [Thing, Thing][] | null {
    const { layout } = this.machine;
    const pairs: [Thing, Thing][] = [];
    for (const field of one.$struct.fields) {
      const codesOf = ({ $index }: StructView) =>
        Array.from({ length: layout.width(field) }, (_, offset) => this.#read(layout.fieldCell(field, $index) + offset));
      const implied = pairedCodes(field, codesOf(one), codesOf(other));
      if (implied === null) return null;
      pairs.push(...implied);
    }
    return pairs;
  }

  /** A thing for which the start is another one after the permutation than before; null if there is none. */
  #firstUnlike(permutation: Permutation): Thing | null {
    const { machine } = this;
    const { layout, heldBySetup } = machine;
    for (const [cell, image] of permutation.cells.entries()) {
      const isAlike = this.#read(image) === permutation.code(cell, this.#read(cell)) && heldBySetup.has(cell) === heldBySetup.has(image);
      if (!isAlike) return thingOf(layout.cells[cell] as Cell);
    }
    for (const [thread, image] of permutation.threads.entries()) {
      const control = machine.control(machine.initial, thread);
      const start = machine.registers[thread]?.start as Control;
      const itsStart = machine.registers[image]?.start as Control;
      const isAlike =
        imageKey(control, permutation) === machine.control(machine.initial, image).key && imageKey(start, permutation) === itsStart.key;
      if (!isAlike) return thread;
    }
    return null;
  }

  #read(cell: number): number {
    return readCell(this.machine.layout, this.machine.initial, cell);
  }
}

/** The key of what the permutation makes of a control state. */
export function imageKey(control: Control, permutation: Permutation): string {
  return keyOf(control, undefined, (view) => permutation.view(view));
}

/** Objects that correspond if the locals do; null if these cannot. */
function pairedLocals(one: Local, other: Local): [Thing, Thing][] | null {
  if (one instanceof StructView && other instanceof StructView) return [[one, other]];
  if (one instanceof FieldHandle && other instanceof FieldHandle) return one.$field === other.$field ? [[one.$view, other.$view]] : null;
  if (!Array.isArray(one) || !Array.isArray(other)) return one === other ? [] : null;
  if (one.length !== other.length) return null;
  const pairs: [Thing, Thing][] = [];
  for (const [position, element] of one.entries()) {
    const implied = pairedLocals(element, other[position]);
    if (implied === null) return null;
    pairs.push(...implied);
  }
  return pairs;
}

/** The same of what a field of two objects holds. Of sets those are paired that one has and the other has not, in their order. */
function pairedCodes({ spec, struct: { schema } }: FieldInfo, one: readonly number[], other: readonly number[]): [Thing, Thing][] | null {
  if (spec.kind === "ref" || spec.kind === "list") {
    const pointedTo: StructInfo = schema.struct(spec.kind === "ref" ? spec.to : spec.of);
    const pairs: [Thing, Thing][] = [];
    for (const [offset, code] of one.entries()) {
      const itsCode = other[offset] as number;
      if ((code === 0) !== (itsCode === 0)) return null;
      if (code !== 0) pairs.push([pointedTo.view(code - 1), pointedTo.view(itsCode - 1)]);
    }
    return pairs;
  }
  if (spec.kind === "set") {
    const of = schema.struct(spec.of);
    const onlyIn = (these: readonly number[], those: readonly number[]) =>
      these.flatMap((isIn, slot) => (isIn === 1 && those[slot] === 0 ? [of.view(slot)] : []));
    const [first, second] = [onlyIn(one, other), onlyIn(other, one)];
    return first.length === second.length ? first.map((view, position) => [view, second[position] as StructView]) : null;
  }
  return spec.kind === "mutex" || one[0] === other[0] ? [] : null;
}

/** The thread or object that a cell belongs to; nobody's stays what it is. */
function thingOf(cell: Cell): Thing | null {
  if (cell.kind === "field") return cell.field.struct.view(cell.slot);
  if (cell.kind === "liveness") return cell.struct.view(cell.slot);
  return cell.kind === "held" ? cell.thread : null;
}

function permutationOf({ layout, threads }: Machine, partners: Partners): Permutation {
  const slots = layout.schema.structs.map((struct) =>
    Array.from({ length: layout.slots(struct) }, (_, slot) => {
      const view = struct.view(slot);
      return ((partners.get(view) ?? view) as StructView).$index;
    }),
  );
  return new Permutation(
    layout,
    threads.map((_, thread) => (partners.get(thread) ?? thread) as number),
    slots,
  );
}

function describe({ names }: Machine, partners: Partners): string {
  const nameOf = (thing: Thing) => (typeof thing === "number" ? (names.threads[thing] as string) : names.view(thing));
  // A thread and the object that it is about may have one name.
  const pairs = new Set<string>();
  const told = new Set<Thing>();
  for (const [thing, partner] of partners) {
    if (thing === partner || told.has(thing)) continue;
    told.add(thing).add(partner);
    pairs.add(`${nameOf(thing)} and ${nameOf(partner)}`);
  }
  const [first, ...others] = pairs;
  return others.length === 0 ? `${first}` : `${first} (with ${others.join(", ")})`;
}
