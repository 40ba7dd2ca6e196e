/**
 * Fields that are dead: what they have nobody will read before somebody writes them. States that differ in nothing else behave alike, so that
 * in each of them such a field can be what it was at the start. (Bozga, Fernandez and Ghirvu, State Space Reduction Based on Live Variables
 * Analysis, 1999.)
 *
 * Worked out thread by thread, along the paths that have been learned: a cell is live where a thread stands if on some path from there the
 * thread reads it before it writes it. It is dead in a state if it is live for none of the threads. A path that is learned later may show that
 * a cell is live: the run in which it was cleared is given up at once (reduced.ts), before anything is learned of a state that there is not.
 */
import type { Answer } from "../check/evaluate.js";
import { ModelError } from "../lang/errors.js";
import type { Cell } from "../state/layout.js";
import type { Permutation } from "../state/permutation.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { append } from "./append.js";
import type { PathBlock, TakenPath } from "./paths.js";

/** Thrown when what was cleared is live after all. Model code and predicates let it pass, as they do any other such error. */
export class Outdated extends ModelError {
  constructor() {
    super("this run has left out what cannot be left out", "It is given up, and another one begun: nobody should see this.");
  }
}

/** What a learned path says of cells; these are bits. */
interface Step {
  /** Null if it leads nowhere. */
  readonly next: Control | null;
  readonly reads: bigint;
  readonly writes: bigint;
}

export class DeadFields {
  /** Steps out of each control state. */
  readonly #steps = new Map<Control, Step[]>();
  /** Cells that may be dead, by what they are. */
  readonly #clearable: bigint;
  /** Cells that a property has read. */
  #asked = 0n;
  /** Cells that are read by paths that have yet to be learned. */
  readonly #awaited = new Map<Control, bigint>();

  constructor(readonly machine: Machine) {
    const { cells, pools } = machine.layout;
    const { dynamic } = pools;
    this.#clearable = cells.reduce((bits, cell, number) => (isClearable(cell, dynamic) ? bits | bit(number) : bits), 0n);
  }

  /** A path of a block has been learned. */
  notePath({ control, block }: TakenPath): void {
    const step = stepOf(block);
    append(this.#steps, control, step);
    const awaited = this.#awaited.get(control);
    if (awaited !== undefined) this.#awaited.set(control, awaited & ~step.reads);
  }

  /** The cell was about to be read by the thread that stands there, or by a property. */
  noteRead(cell: number, by: Control | null): void {
    if (by === null) this.#asked |= bit(cell);
    else this.#awaited.set(by, (this.#awaited.get(by) ?? 0n) | bit(cell));
  }

  /** An answer of a property has been learned. */
  noteAnswer({ reads }: Answer): void {
    const { length } = this.machine.layout.cells;
    for (const { cell } of reads) this.#asked |= bit(cell % length);
  }

  /** What is live by all that is known, the paths among it that are images of others; `group` makes of a state its images. */
  find(images: readonly TakenPath[], group: readonly Permutation[]): LiveCells {
    const steps = new Map([...this.#steps].map(([control, known]) => [control, [...known]]));
    for (const { control, block } of images) append(steps, control, stepOf(block));
    const leadingTo = new Map<Control, Control[]>();
    for (const [control, known] of steps) {
      for (const { next } of known) if (next !== null) append(leadingTo, next, control);
    }
    let written = 0n;
    for (const { writes } of [...steps.values()].flat()) written |= writes;
    const live = new Map<Control, bigint>();
    const waiting = new Set(steps.keys());
    for (const control of waiting) {
      waiting.delete(control);
      const before = live.get(control) ?? 0n;
      let now = before;
      for (const { next, reads, writes } of steps.get(control) ?? []) {
        // Where nothing is known of what comes, all may be read.
        const behind = next === null ? 0n : steps.has(next) ? (live.get(next) ?? 0n) : this.#clearable;
        now |= reads | (behind & ~writes);
      }
      if (now === before) continue;
      live.set(control, now);
      for (const other of leadingTo.get(control) ?? []) waiting.add(other);
    }
    const read = [...this.#awaited.values()].reduce((bits, awaited) => bits | awaited, this.#asked);
    // What nobody writes is what it was at the start anyway.
    const clearable = this.#clearable & written & ~group.reduce((bits, image) => bits | imageOf(read, image), read);
    return new LiveCells(new Map([...steps.keys()].map((control) => [control, live.get(control) ?? 0n])), clearable);
  }
}

/** Which cells are live where; what is not is cleared where the threads stand. */
export class LiveCells {
  /** By control state; where nothing is known, all are. */
  readonly #live: ReadonlyMap<Control, bigint>;
  /** Cells that are dead where they are not live; all others are never cleared. */
  readonly #clearable: bigint;

  constructor(live: ReadonlyMap<Control, bigint>, clearable: bigint) {
    this.#live = live;
    this.#clearable = clearable;
  }

  isClearable(cell: number): boolean {
    return (this.#clearable & bit(cell)) !== 0n;
  }

  /** Whether the cell is live where the thread stands. */
  isLive(control: Control, cell: number): boolean {
    return (this.#at(control) & bit(cell)) !== 0n;
  }

  /** Whether the cell is cleared when the threads stand there. */
  isDead(controls: readonly Control[], cell: number): boolean {
    return this.isClearable(cell) && !controls.some((control) => this.isLive(control, cell));
  }

  /** Whether all that is live by the path is known to be. */
  allows({ control, block }: TakenPath): boolean {
    const { next, reads, writes } = stepOf(block);
    const behind = next === null ? 0n : this.#at(next);
    return ((reads | (behind & ~writes)) & this.#clearable & ~this.#at(control)) === 0n;
  }

  /** Whether the property reads nothing that may be cleared. */
  allowsAnswer({ reads }: Answer, cells: number): boolean {
    return !reads.some(({ cell }) => this.isClearable(cell % cells));
  }

  /** How many cells are cleared: each thread has a place where they are dead. */
  get cells(): number {
    return countOf(this.#cleared);
  }

  /** How many places each of these has where it is dead, all together. */
  get places(): number {
    const cleared = this.#cleared;
    let number = 0;
    for (const live of this.#live.values()) number += countOf(cleared & ~live);
    return number;
  }

  #at(control: Control): bigint {
    return this.#live.get(control) ?? -1n;
  }

  get #cleared(): bigint {
    const byThread = new Map<number, bigint>();
    for (const [{ thread }, live] of this.#live) byThread.set(thread, (byThread.get(thread) ?? 0n) | ~live);
    return [...byThread.values()].reduce((bits, ofThread) => bits & ofThread, this.#clearable);
  }
}

function isClearable(cell: Cell, dynamic: readonly boolean[]): boolean {
  if (cell.kind !== "field") return cell.kind !== "liveness";
  const { spec, struct } = cell.field;
  // Who holds a mutex, what counts references and what points to what is allocated: the checks ask that of a state, and who gives slots away.
  if (spec.kind === "mutex" || spec.kind === "refcount") return false;
  const pointedTo = spec.kind === "ref" ? spec.to : spec.kind === "set" || spec.kind === "list" ? spec.of : null;
  return pointedTo === null || !dynamic[struct.schema.struct(pointedTo).number];
}

function stepOf({ decisions, writes, next }: PathBlock): Step {
  return {
    next,
    reads: bitsOf(decisions.flatMap((decision) => (decision.kind === "read" ? [decision.cell] : []))),
    writes: next === null ? 0n : bitsOf(writes.keys()),
  };
}

function bit(cell: number): bigint {
  return 1n << BigInt(cell);
}

function countOf(bits: bigint): number {
  return bits.toString(2).replaceAll("0", "").length;
}

function bitsOf(cells: Iterable<number>): bigint {
  let bits = 0n;
  for (const cell of cells) bits |= bit(cell);
  return bits;
}

function imageOf(bits: bigint, { cells }: Permutation): bigint {
  return bitsOf(cells.filter((_, cell) => (bits & bit(cell)) !== 0n));
}
