/** What a state is kept as: for each of its words the number of the value, among all that the word has had, in as many bits as these need. */
import type { Memory } from "./memory.js";

/** In 32-bit words; as in core/states.ts. */
export const DICTIONARY = 5;
export const COLUMN = 4;

const LANE_BITS = 64;

/** A word with more values than numbers of so many bits is plain: to know the numbers would take more than they save. */
const MOST_BITS = 16;
export const PLAIN = 32;

/** By word the values that it has had, numbered in the order in which they came; the core adds to them. */
export class Dictionaries {
  readonly #rows: Uint32Array;
  /** Of plain words, how many bits a number had before. */
  readonly #plain = new Map<number, number>();
  /** By word, how many bits a number of a value has; `PLAIN` if its values have no numbers any more. */
  readonly bits: number[];

  /** For states of so many words. */
  constructor(
    readonly memory: Memory,
    words: number,
  ) {
    this.#rows = memory.words(memory.allocate(words * DICTIONARY * 4), words * DICTIONARY);
    this.bits = new Array<number>(words).fill(0);
    for (let word = 0; word < words; word++) this.#place(word, this.#allocate(0), 0);
  }

  get address(): number {
    return this.#rows.byteOffset;
  }

  get bytes(): number {
    return [...this.bits.keys()].reduce(
      (sum, word) => sum + valuesBytes(this.#room(word)) + tableBytes(this.#room(word)),
      this.#rows.byteLength,
    );
  }

  /** How many bits the word has when it has been widened. */
  widened(word: number): number {
    const bits = this.bits[word] as number;
    return bits < MOST_BITS ? bits + 1 : PLAIN;
  }

  /** Makes room for twice as many values of the word, or has it be plain, and keeps those that older tuples have numbers of. Throws a `RangeError`, and has changed nothing, if there is none. */
  widen(word: number, enter: (table: number, shift: number, value: number, number: number) => void): void {
    const { memory } = this;
    const bits = this.widened(word);
    if (bits === PLAIN) {
      this.#plain.set(word, this.bits[word] as number);
      this.bits[word] = PLAIN;
      return;
    }
    const room = this.#allocate(bits);
    const count = this.#rows[word * DICTIONARY + 3] as number;
    const values = memory.words(room.values, 2 ** bits);
    values.set(this.#valuesOf(word));
    for (let number = 0; number < count; number++) enter(room.table, 31 - bits, values[number] as number, number);
    this.#releaseWord(word);
    this.bits[word] = bits;
    this.#place(word, room, count);
  }

  release(): void {
    for (const word of this.bits.keys()) this.#releaseWord(word);
    this.memory.release(this.#rows.byteOffset, this.#rows.byteLength);
  }

  #valuesOf(word: number): Uint32Array {
    return this.memory.words(this.#rows[word * DICTIONARY] as number, 2 ** (this.bits[word] as number));
  }

  #allocate(bits: number): { readonly values: number; readonly table: number } {
    const values = this.memory.allocate(valuesBytes(bits));
    try {
      return { values, table: this.memory.allocate(tableBytes(bits)) };
    } catch (error) {
      this.memory.release(values, valuesBytes(bits));
      throw error;
    }
  }

  #place(word: number, { values, table }: { readonly values: number; readonly table: number }, count: number): void {
    const bits = this.bits[word] as number;
    // A table of twice as many entries as there may be values.
    this.#rows.set([values, table, 31 - bits, count, 2 ** bits], word * DICTIONARY);
  }

  /** For how many values there is room, in bits of their numbers. */
  #room(word: number): number {
    return this.#plain.get(word) ?? (this.bits[word] as number);
  }

  #releaseWord(word: number): void {
    const bits = this.#room(word);
    this.memory.release(this.#rows[word * DICTIONARY] as number, valuesBytes(bits));
    this.memory.release(this.#rows[word * DICTIONARY + 1] as number, tableBytes(bits));
  }
}

function valuesBytes(bits: number): number {
  return 4 * 2 ** bits;
}

function tableBytes(bits: number): number {
  return 8 * 2 ** bits;
}

/** Where the words' numbers are in a tuple. */
export interface TupleLayout {
  /** By word: byte, shift, mask, and whether it is plain. */
  readonly columns: Uint32Array;
  readonly bytes: number;
  /** 64-bit words that these begin in; no number is in two of them. */
  readonly lanes: number;
}

/** A layout for numbers of so many bits each. */
export function tupleLayout(memory: Memory, bits: readonly number[]): TupleLayout {
  const columns = memory.words(memory.allocate(bits.length * COLUMN * 4), bits.length * COLUMN);
  const used: number[] = [0];
  const largestFirst = [...bits.keys()].sort((one, other) => (bits[other] as number) - (bits[one] as number) || one - other);
  for (const word of largestFirst) {
    const width = bits[word] as number;
    let lane = used.findIndex((taken) => taken + width <= LANE_BITS);
    if (lane < 0) lane = used.push(0) - 1;
    const shift = used[lane] as number;
    columns.set([lane * 8, shift % LANE_BITS, 2 ** width - 1, Number(width === PLAIN)], word * COLUMN);
    used[lane] = shift + width;
  }
  const last = used.at(-1) as number;
  return { columns, bytes: (used.length - 1) * 8 + Math.max(1, Math.ceil(last / 8)), lanes: used.length };
}
