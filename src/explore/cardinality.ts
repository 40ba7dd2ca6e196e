/**
 * Why a run has so many states: how many values each field and each thread's place takes, how many states would be left
 * if it were no part of the state, and whether it ever goes back to a value.
 */
import { alg, Graph } from "@dagrejs/graphlib";
import type { Cell } from "../state/layout.js";
import type { Place } from "../state/packing.js";
import type { Machine } from "../step/machine.js";
import { FastRun } from "./fast-run.js";
import { Learner } from "./learner.js";
import { overLimit } from "./limits.js";
import type { ExploreOptions, Outcome, Progress } from "./outcome.js";

/** A part of the state that changes: a field of an object, whether an object is there, or where a thread stands. */
export interface Dimension {
  readonly name: string;
  readonly kind: "field" | "object" | "thread" | "checker";
  /** Different values that it has in the states of the run. */
  readonly values: number;
  /** States that differ in something else. */
  readonly without: number;
  /** No value comes back once it has changed, whatever happens; null if not all steps are known. */
  readonly neverReturns: boolean | null;
}

export interface Cardinality {
  readonly outcome: Outcome;
  /** Those that multiply the states by most first; null if an interrupt or a limit came before they were counted. */
  readonly dimensions: readonly Dimension[] | null;
}

/** States between two looks at the limits. */
const LOOK_EVERY_STATES = 4096;

interface Part extends Pick<Dimension, "name" | "kind"> {
  /** Its bits, by word of the stored state. */
  readonly bits: Map<number, number>;
}

/** Explores the machine's states and counts. What is counted are the states that were found: all of them only if the run is complete. */
export function* exploreCardinality(machine: Machine, options: ExploreOptions): Generator<Progress, Cardinality, "interrupt" | undefined> {
  const run = new FastRun(machine, { ...options, traces: false }, new Learner(machine), performance.now());
  const outcome = yield* run.explore();
  const parts = partsOf(run);
  const counting = count(run, parts, outcome.end.kind === "complete");
  let step = counting.next();
  while (!step.done) {
    const progress = run.progress(run.expander.store.count);
    if ((yield progress) === "interrupt" || overLimit(options.limits ?? {}, progress) !== null) return { outcome, dimensions: null };
    step = counting.next();
  }
  const factor = ({ without }: Dimension) => outcome.states / without;
  return { outcome, dimensions: step.value.sort((one, other) => factor(other) - factor(one)) };
}

/** The parts of the state that are stored; what never changes may not be. */
function partsOf({ machine, expander, learner }: FastRun): Part[] {
  const { names, layout } = machine;
  const parts = new Map<string, Part>();
  const add = (name: string, kind: Part["kind"], place: Place) => {
    const { word, shift, mask } = place;
    if (word >= expander.store.words) return;
    const { bits } = parts.get(name) ?? { bits: new Map<number, number>() };
    bits.set(word, (bits.get(word) ?? 0) | (mask << shift));
    parts.set(name, { name, kind, bits });
  };
  const { controls, upperControls } = learner.packing;
  for (const thread of controls.keys()) {
    for (const place of [controls[thread], upperControls[thread]]) if (place) add(`${names.threads[thread]}'s place`, "thread", place);
  }
  for (const [number, cell] of layout.cells.entries()) {
    const place = learner.packing.cells[number] as Place;
    // What a thread holds follows from what holds which mutex.
    if (cell.kind !== "held") add(partName(machine, number, cell), kindOf(cell), place);
  }
  return [...parts.values()];
}

function partName({ names }: Machine, number: number, cell: Cell): string {
  return cell.kind === "field" ? `${names.object(cell.field.struct, cell.slot)}.${cell.field.name}` : names.cell(number);
}

function kindOf({ kind }: Cell): Part["kind"] {
  return kind === "field" ? "field" : kind === "liveness" ? "object" : "checker";
}

function* count(run: FastRun, parts: readonly Part[], isComplete: boolean): Generator<undefined, Dimension[]> {
  const { store } = run.expander;
  const state = new Uint32Array(store.words);
  const hashes = new Uint32Array(store.count * 2);
  for (let number = 0; number < store.count; number++) {
    if (number % LOOK_EVERY_STATES === 0) yield;
    store.load(number, state);
    for (let word = 0; word < state.length; word++) addHash(hashes, number * 2, word, state[word] as number);
  }
  const moves = isComplete ? yield* movesOf(run, parts) : null;
  const dimensions: Dimension[] = [];
  for (const [position, part] of parts.entries()) {
    const values = new Set<string>();
    const others = new HashSet(store.count);
    const hash = new Uint32Array(2);
    for (let number = 0; number < store.count; number++) {
      if (number % LOOK_EVERY_STATES === 0) yield;
      store.load(number, state);
      values.add(valueIn(part, state));
      hash[0] = hashes[number * 2] as number;
      hash[1] = hashes[number * 2 + 1] as number;
      for (const [word, bits] of part.bits) {
        addHash(hash, 0, word, state[word] as number, -1);
        addHash(hash, 0, word, (state[word] as number) & ~bits);
      }
      others.add(hash[0] as number, hash[1] as number);
    }
    if (values.size < 2) continue;
    const { name, kind } = part;
    const neverReturns = moves && alg.isAcyclic(moves[position] as Graph);
    dimensions.push({ name, kind, values: values.size, without: others.size, neverReturns });
  }
  return dimensions;
}

/** By part, which of its values follow one another in a step. */
function* movesOf({ expander }: FastRun, parts: readonly Part[]): Generator<undefined, Graph[]> {
  const moves = parts.map(() => new Graph({ directed: true }));
  const { current, next, store } = expander;
  for (let number = 0; number < store.count; number++) {
    if (number % LOOK_EVERY_STATES === 0) yield;
    const steps = expander.expand(number);
    for (let step = 0; step < steps; step++) {
      if (expander.leafOf(step).next === null) continue;
      expander.apply(step);
      for (const [position, part] of parts.entries()) {
        if (isSame(part, current, next)) continue;
        moves[position]?.setEdge(valueIn(part, current), valueIn(part, next));
      }
    }
  }
  return moves;
}

function isSame({ bits }: Part, one: Uint32Array, other: Uint32Array): boolean {
  for (const [word, mask] of bits) if ((((one[word] as number) ^ (other[word] as number)) & mask) !== 0) return false;
  return true;
}

function valueIn(part: Part, state: Uint32Array): string {
  return [...part.bits].map(([word, bits]) => (state[word] as number) & bits).join();
}

/** Adds what a word contributes to the two halves of a hash, or takes it away: the hash of a state is the sum over its words. */
function addHash(hashes: Uint32Array, at: number, word: number, value: number, sign: 1 | -1 = 1): void {
  hashes[at] = (hashes[at] as number) + sign * mixed(value, 2 * word + 1);
  hashes[at + 1] = (hashes[at + 1] as number) + sign * mixed(value, 2 * word + 2);
}

/** Finalizer of MurmurHash3 (Appleby, public domain), of the value and a key of its own for each word. */
function mixed(value: number, key: number): number {
  let hash = value ^ Math.imul(key, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Counts different hashes of 64 bits: of a million states, two fall together once in thirty million runs. */
class HashSet {
  size = 0;
  readonly #slots: Uint32Array;
  readonly #last: number;

  constructor(most: number) {
    const slots = 2 ** Math.ceil(Math.log2(most * 1.5 + 2));
    this.#slots = new Uint32Array(slots * 2);
    this.#last = slots - 1;
  }

  add(upper: number, lower: number): void {
    // No entry is 0, which stands for a free slot.
    const low = lower === 0 && upper === 0 ? 1 : lower;
    let slot = upper & this.#last;
    for (;;) {
      const [one, other] = [this.#slots[slot * 2], this.#slots[slot * 2 + 1]];
      if (one === upper && other === low) return;
      if (one === 0 && other === 0) break;
      slot = (slot + 1) & this.#last;
    }
    this.#slots[slot * 2] = upper;
    this.#slots[slot * 2 + 1] = low;
    this.size++;
  }
}
