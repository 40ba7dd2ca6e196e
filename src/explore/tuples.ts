/** What a state is kept as: for each of its words the number of the value, among all that the word has had, in as many bits as these need. */
import type { Core } from "./core.js";
import type { Memory } from "./memory.js";

/** In 32-bit words; as in core/states.ts. */
export const DICTIONARY = 5;
export const COLUMN = 4;

/** States per chunk: 2 ** CHUNK_BITS. Chunks keep the layout that they were filled in. */
export const CHUNK_BITS = 14;
export const CHUNK_STATES = 1 << CHUNK_BITS;
/** In 32-bit words, what the core knows of a chunk. */
export const CHUNK_ROW = 3;
/** A tuple is read by 64 bits, and may be the last. */
export const BEHIND = 8;

const LANE_BITS = 64;

/** A word with more values than numbers of so many bits is plain: to know the numbers would take more than they save. */
const MOST_BITS = 16;
export const PLAIN = 32;

/** Where a word's values are, for as many as numbers of so many bits can number. */
interface Room {
  readonly bits: number;
  readonly values: number;
  readonly table: number;
}

/** By word the values that it has had, numbered in the order in which they came; the core adds to them. */
export class Dictionaries {
  #rows: Uint32Array;
  /** By word; null if its values never had numbers. What is plain by now keeps those that older tuples have numbers of. */
  readonly #rooms: (Room | null)[];
  /** By word, how many bits a number of a value has; `PLAIN` if its values have none, or none any more. */
  readonly bits: number[];

  /** For states of so many words. */
  constructor(
    readonly memory: Memory,
    words: number,
    arePlain: boolean,
  ) {
    this.#rows = memory.allocateWords(words * DICTIONARY);
    this.#rooms = new Array<Room | null>(words).fill(null);
    this.bits = new Array<number>(words).fill(arePlain ? PLAIN : 0);
    if (!arePlain) for (let word = 0; word < words; word++) this.#place(word, this.#allocate(0), 0);
  }

  get address(): number {
    return this.#rows.byteOffset;
  }

  get bytes(): number {
    return this.#rooms.reduce((sum, room) => sum + (room === null ? 0 : valuesBytes(room) + tableBytes(room)), this.#rows.byteLength);
  }

  /** How many bits the word has when it has been widened. */
  widened(word: number): number {
    const bits = this.bits[word] as number;
    return bits < MOST_BITS ? bits + 1 : PLAIN;
  }

  /** Makes room for twice as many values of the word, or has it be plain. Throws a `RangeError`, and has changed nothing, if there is none. */
  widen(word: number, enterValues: Core["enterValues"]): void {
    const bits = this.widened(word);
    if (bits !== PLAIN) {
      const before = this.#rooms[word] as Room;
      const room = this.#allocate(bits);
      const count = this.#rows[word * DICTIONARY + 3] as number;
      this.memory.words(room.values, count).set(this.memory.words(before.values, count));
      enterValues(room.values, count, room.table, shiftOf(room));
      this.#release(before);
      this.#place(word, room, count);
    }
    this.bits[word] = bits;
  }

  /** Makes room for more words, each of which has had that one value. Throws a `RangeError`, and has changed nothing, if there is none. */
  extend(values: readonly number[], enterValues: Core["enterValues"]): void {
    const { memory } = this;
    const before = this.#rows;
    const rows = memory.allocateWords(before.length + values.length * DICTIONARY);
    const rooms = values.map(() => this.#allocate(0));
    rows.set(before);
    this.#rows = rows;
    memory.releaseAll([before]);
    for (const [number, room] of rooms.entries()) {
      memory.words(room.values, 1)[0] = values[number] as number;
      enterValues(room.values, 1, room.table, shiftOf(room));
      this.#place(this.bits.push(0) - 1, room, 1);
    }
  }

  release(): void {
    for (const room of this.#rooms) if (room !== null) this.#release(room);
    this.memory.releaseAll([this.#rows]);
  }

  #allocate(bits: number): Room {
    const values = this.memory.allocate(valuesBytes({ bits }));
    try {
      return { bits, values, table: this.memory.allocate(tableBytes({ bits })) };
    } catch (error) {
      this.memory.release(values, valuesBytes({ bits }));
      throw error;
    }
  }

  #place(word: number, room: Room, count: number): void {
    this.#rooms[word] = room;
    this.#rows.set([room.values, room.table, shiftOf(room), count, 2 ** room.bits], word * DICTIONARY);
  }

  #release(room: Room): void {
    this.memory.release(room.values, valuesBytes(room));
    this.memory.release(room.table, tableBytes(room));
  }
}

function valuesBytes({ bits }: Pick<Room, "bits">): number {
  return 4 * 2 ** bits;
}

/** A table of twice as many entries as there may be values. */
function tableBytes({ bits }: Pick<Room, "bits">): number {
  return 8 * 2 ** bits;
}

/** 32 less the bits that say where in the table an entry is. */
function shiftOf({ bits }: Room): number {
  return 31 - bits;
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
  const columns = memory.allocateWords(bits.length * COLUMN);
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

/** The same layout for states of so many words more, whose numbers are 0 and have no bits. */
export function extendedLayout(memory: Memory, { columns, bytes, lanes }: TupleLayout, words: number): TupleLayout {
  const length = columns.length + words * COLUMN;
  const extended = memory.allocateWords(length);
  extended.set(columns);
  return { columns: extended, bytes, lanes };
}
