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

/** Where there is what changes. */
export type Places = Pick<Packing, "cells" | "controls" | "changingWords">;

export class Packing {
  readonly words: number;
  /** The first so many words hold all that changes, and nothing else: an even number, as they are stored by 64 bits. */
  readonly changingWords: number;
  /** Place of each cell. */
  readonly cells: readonly Place[];
  /** Place of each thread's control state number. */
  readonly controls: readonly Place[];

  /**
   * `controlBits` are those for each thread's control state. `changing` tells which cells do not keep their first value;
   * null if that may be any. What changed already in `previous`, of the same control bits, stays where it was.
   */
  constructor(
    readonly layout: Layout,
    readonly controlBits: readonly number[],
    readonly changing: ReadonlySet<number> | null = null,
    previous: Packing | null = null,
  ) {
    const sizes = [...layout.cells.map(({ size }) => bitsFor(size)), ...controlBits];
    const places: Place[] = [];
    const used = new Array<number>(previous?.changingWords ?? 0).fill(0);
    const before = previous === null ? [] : [...previous.cells, ...previous.controls];
    for (const [number, place] of before.entries()) {
      if (place.word >= (previous?.changingWords ?? 0)) continue;
      places[number] = place;
      used[place.word] = Math.max(used[place.word] as number, place.shift + (sizes[number] as number));
    }
    // First fit, largest first: no number straddles two words, and hardly a bit is lost.
    const order = sizes
      .map((bits, number) => ({ bits, number }))
      .filter(({ number }) => places[number] === undefined)
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
    placeIn(0, order.filter(changes));
    if (used.length % 2 === 1) used.push(0);
    this.changingWords = used.length;
    placeIn(
      used.length,
      order.filter((each) => !changes(each)),
    );
    this.words = used.length;
    this.cells = places.slice(0, layout.cells.length);
    this.controls = places.slice(layout.cells.length);
  }

  /** With so many bits for the control states, and that for what changes. What changed already stays where it is if the control states do. */
  again(controlBits: readonly number[], changing: ReadonlySet<number> | null): Packing {
    const stays = this.changing !== null && this.controlBits.every((bits, thread) => bits === controlBits[thread]);
    return new Packing(this.layout, controlBits, changing, stays ? this : null);
  }

  /** What brings a state that the other has packed into one that this one packs; of what changes in both. */
  movesFrom(other: Places): Move[] {
    const moves = new Map<string, Move>();
    const add = (from: Place, to: Place) => {
      if (from.word >= other.changingWords || to.word >= this.changingWords) return;
      const shift = to.shift - from.shift;
      const key = `${from.word} ${to.word} ${shift}`;
      // Of a number for which there are fewer bits now, those that are left out are 0, and may be another's where it goes to.
      const mask = (moves.get(key)?.mask ?? 0) | ((from.mask & to.mask) << from.shift);
      moves.set(key, { from: from.word, mask: mask >>> 0, shift, to: to.word });
    };
    for (const [cell, place] of this.cells.entries()) add(other.cells[cell] as Place, place);
    for (const [thread, place] of this.controls.entries()) add(other.controls[thread] as Place, place);
    return [...moves.values()];
  }

  pack(state: State): Uint32Array {
    const words = new Uint32Array(this.words);
    for (const [cell, place] of this.cells.entries()) put(words, place, readCell(this.layout, state, cell));
    for (const [thread, place] of this.controls.entries()) put(words, place, state.threads[thread] as number);
    return words;
  }

  /** The packed state, to be read. The words may change later. */
  view(words: Uint32Array): CellView {
    const kept = words.slice();
    return {
      threads: this.controls.map((place) => get(kept, place)),
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
    for (const [thread, place] of this.controls.entries()) state.threads[thread] = get(words, place);
    return state as State;
  }
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
