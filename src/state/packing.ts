/** States as vectors of 32-bit words: every cell and every control state has some bits of one word. */
import type { Layout } from "./layout.js";
import { blankState, type CellView, readCell, type State, writeCell } from "./state.js";

/** Where a number sits: `(words[word] >>> shift) & mask`. */
export interface Place {
  readonly word: number;
  readonly shift: number;
  /** Mask of the value, before shifting. */
  readonly mask: number;
}

/** Bits that go from a word of a state packed otherwise into a word of one packed like this, by so many places to the left. */
export interface Move {
  readonly from: number;
  readonly mask: number;
  /** Negative for places to the right. */
  readonly shift: number;
  readonly to: number;
}

/** Puts into `now`, where these bits are 0, what there is in `before`. */
export function move(moves: readonly Move[], before: Uint32Array, now: Uint32Array): void {
  for (const { from, mask, shift, to } of moves) {
    const bits = (before[from] as number) & mask;
    now[to] = (now[to] as number) | (shift < 0 ? bits >>> -shift : bits << shift);
  }
}

/** The state without these bits. */
export function without(moves: readonly Move[], state: Uint32Array): Uint32Array {
  const rest = state.slice();
  for (const { mask, shift, to } of moves) rest[to] = (rest[to] as number) & ~(shift < 0 ? mask >>> -shift : mask << shift);
  return rest;
}

/** What brings numbers from the one place to the other; those that go from one word to another together are one move. */
export function movesOf(pairs: Iterable<readonly [from: Place, to: Place]>): Move[] {
  const moves = new Map<string, Move>();
  for (const [from, to] of pairs) {
    if ((from.mask & to.mask) === 0) continue;
    const shift = to.shift - from.shift;
    const key = `${from.word} ${to.word} ${shift}`;
    // Of a number for which there are fewer bits now, those that are left out are 0, and may be another's where it goes to.
    const mask = (moves.get(key)?.mask ?? 0) | ((from.mask & to.mask) << from.shift);
    moves.set(key, { from: from.word, mask: mask >>> 0, shift, to: to.word });
  }
  return [...moves.values()];
}

/** The move as four numbers, as the explorer's core reads it. */
export function numbersOfMove({ from, mask, shift, to }: Move): readonly number[] {
  return [from, mask, shift, to];
}

/** Where there is what changes. */
export type Places = Pick<Packing, "cells" | "controls" | "upperControls" | "changingWords">;

/** What a packing adds to: the other one, and whether a cell is 0 in the initial state. */
export interface Before {
  readonly packing: Packing;
  readonly isZeroAtFirst: (cell: number) => boolean;
}

export class Packing {
  readonly words: number;
  /** The first so many words hold all that changes, and nothing else: an even number, as they are stored by 64 bits. */
  readonly changingWords: number;
  /** Place of each cell. */
  readonly cells: readonly Place[];
  /** Place of each thread's control state number. */
  readonly controls: readonly Place[];
  /** Place of the bits above those, if a thread got more control states than they could number. */
  readonly upperControls: readonly (Place | null)[];

  /**
   * `controlBits` are those for each thread's control state. `changing` tells which cells do not keep their first value;
   * null if that may be any. What changed already `before` stays where it was, in words that were all that changed; the rest
   * has come behind it, or where all states so far have bits that are right for it.
   */
  constructor(
    readonly layout: Layout,
    readonly controlBits: readonly number[],
    readonly changing: ReadonlySet<number> | null = null,
    before: Before | null = null,
  ) {
    const old = before?.packing ?? null;
    const firstUpper = layout.cells.length + controlBits.length;
    const lowerBits = controlBits.map((bits, thread) => (old === null ? bits : bitsIn(old.controls[thread] as Place)));
    const upperBits = controlBits.map((bits, thread) => bits - (lowerBits[thread] as number));
    const sizes = [...layout.cells.map(({ size }) => bitsFor(size)), ...lowerBits, ...upperBits];
    const places: Place[] = [];
    const used = new Array<number>(old?.changingWords ?? 0).fill(0);
    const stays = old === null ? [] : [...old.cells, ...old.controls, ...old.upperControls];
    for (const [number, place] of stays.entries()) {
      if (place === null || place.word >= used.length) continue;
      places[number] = place;
      used[place.word] = Math.max(used[place.word] as number, place.shift + (sizes[number] as number));
    }
    // First fit, largest first: no number straddles two words, and hardly a bit is lost.
    const order = sizes
      .map((bits, number) => ({ bits, number }))
      .filter(({ bits, number }) => bits > 0 && places[number] === undefined)
      .sort((one, other) => other.bits - one.bits || one.number - other.number);
    const placeIn = (from: number, numbers: typeof order) => {
      for (const { bits, number } of numbers) {
        let word = used.findIndex((taken, position) => position >= from && taken + bits <= 32);
        if (word < 0) word = used.push(0) - 1;
        places[number] = { word, shift: used[word] as number, mask: bits === 32 ? 0xffffffff : 2 ** bits - 1 };
        used[word] = (used[word] as number) + bits;
      }
    };
    const changes = ({ number }: { number: number }) => changing === null || number >= layout.cells.length || changing.has(number);
    // Bits that nothing had are 0 in all states so far.
    const isRight = ({ number }: { number: number }) => number >= layout.cells.length || before === null || before.isZeroAtFirst(number);
    const behind = used.length;
    placeIn(
      behind,
      order.filter((each) => changes(each) && !isRight(each)),
    );
    placeIn(
      0,
      order.filter((each) => changes(each) && isRight(each)),
    );
    if (used.length % 2 === 1) used.push(0);
    this.changingWords = used.length;
    placeIn(
      used.length,
      order.filter((each) => !changes(each)),
    );
    this.words = used.length;
    this.cells = places.slice(0, layout.cells.length);
    this.controls = places.slice(layout.cells.length, firstUpper);
    this.upperControls = controlBits.map((_, thread) => places[firstUpper + thread] ?? null);
  }

  /** What brings a state that the other has packed into one that this one packs; of what changes in both. */
  movesFrom(other: Places): Move[] {
    const pairs = this.cells.map((place, cell) => [other.cells[cell] as Place, place] as const);
    for (const thread of this.controls.keys()) {
      for (const from of controlParts(other, thread)) {
        for (const to of controlParts(this, thread)) {
          const lowest = Math.max(from.lowest, to.lowest);
          pairs.push([above(from.place, lowest - from.lowest), above(to.place, lowest - to.lowest)]);
        }
      }
    }
    return movesOf(pairs.filter(([from, to]) => from.word < other.changingWords && to.word < this.changingWords));
  }

  pack(state: State): Uint32Array {
    const words = new Uint32Array(this.words);
    for (const [cell, place] of this.cells.entries()) put(words, place, readCell(this.layout, state, cell));
    for (const thread of this.controls.keys()) {
      for (const { place, code } of this.controlWrites(thread, state.threads[thread] as number)) put(words, place, code);
    }
    return words;
  }

  /** The packed state, to be read. The words may change later. */
  view(words: Uint32Array): CellView {
    const kept = words.slice();
    return {
      threads: this.controls.map((_, thread) => this.control(kept, thread)),
      cell: (number) => get(kept, this.cells[number] as Place),
      whole: () => this.unpack(kept),
    };
  }

  unpack(words: Uint32Array): State {
    const state = blankState(this.layout);
    for (const [cell, place] of this.cells.entries()) {
      const code = get(words, place);
      if (code !== 0) writeCell(this.layout, state, cell, code);
    }
    for (const thread of this.controls.keys()) state.threads[thread] = this.control(words, thread);
    return state as State;
  }

  /** Number of the thread's control state. */
  control(words: Uint32Array, thread: number): number {
    const lower = this.controls[thread] as Place;
    const upper = this.upperControls[thread];
    return upper ? get(words, lower) | (get(words, upper) << bitsIn(lower)) : get(words, lower);
  }

  /** What to store where for the thread to be in the control state of that number. */
  controlWrites(thread: number, number: number): { readonly place: Place; readonly code: number }[] {
    return controlParts(this, thread).map(({ place, lowest }) => ({ place, code: (number >>> lowest) & place.mask }));
  }
}

/** Where the bits of a thread's control state number are, and which of them is the lowest there. */
function controlParts({ controls, upperControls }: Places, thread: number): { readonly place: Place; readonly lowest: number }[] {
  const lower = controls[thread] as Place;
  const upper = upperControls[thread];
  return [{ place: lower, lowest: 0 }, ...(upper ? [{ place: upper, lowest: bitsIn(lower) }] : [])];
}

/** The place without its lowest bits. */
function above({ word, shift, mask }: Place, bits: number): Place {
  return { word, shift: shift + bits, mask: mask >>> bits };
}

/** How many bits a number at the place has. */
export function bitsIn({ mask }: Place): number {
  return 32 - Math.clz32(mask);
}

/** The place as three numbers, as the explorer's core reads it. */
export function numbersOf({ word, shift, mask }: Place): readonly [word: number, shift: number, mask: number] {
  return [word, shift, mask];
}

/** The number at a place. */
export function get(words: Uint32Array, { word, shift, mask }: Place): number {
  return (((words[word] as number) >>> shift) & mask) >>> 0;
}

/** Stores a number at a place. */
export function put(words: Uint32Array, { word, shift, mask }: Place, code: number): void {
  words[word] = ((words[word] as number) & ~(mask << shift)) | (code << shift);
}

/** Bits that hold the numbers from 0 to `size` - 1. A cell of one value takes none, but a place needs at least one. */
export function bitsFor(size: number): number {
  return Math.max(1, 32 - Math.clz32(size - 1));
}
