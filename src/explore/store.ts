/**
 * The visited set: packed states in the order in which they were found, and a hash table over them. Two states
 * are the same only if all their words are; the hash decides nothing. The core looks states up and adds them; this
 * is where its room comes from.
 */
import type { Move } from "../state/packing.js";
import { type Core, type Host, MOST_SLOTS, newCore } from "./core.js";
import type { Memory } from "./memory.js";

/** States per chunk: 2 ** CHUNK_BITS. */
export const CHUNK_BITS = 14;
const CHUNK_MASK = (1 << CHUNK_BITS) - 1;
/** The table grows when it is fuller than this. */
const FULLEST = 0.75;
const SMALLEST_TABLE_BITS = 12;
const HASHES_BYTES = MOST_SLOTS * 4;

/** Of a set into which nobody but its owner puts anything. */
const NOBODY: Host = { normalise: () => {}, judgeRest: () => {} };

export class Store {
  /** 64-bit words of a stored state. */
  readonly #words64: number;
  readonly #chunks: Uint32Array[] = [];
  #addresses: Uint32Array;
  readonly #hashKeys: BigUint64Array;
  /** A state that is looked up. */
  readonly #state: Uint32Array;
  #tableBits = SMALLEST_TABLE_BITS;

  /** Of states of so many words. */
  constructor(
    readonly memory: Memory,
    readonly words: number,
    host: Host = NOBODY,
    readonly core: Core = newCore(memory, host),
  ) {
    this.#words64 = Math.ceil(words / 2);
    this.#state = memory.words(memory.allocate(this.#words64 * 8), this.#words64 * 2);
    this.#addresses = memory.words(memory.allocate(64 * 4), 64);
    this.#hashKeys = hashKeys(memory, this.#words64 * 2);
    core.words.value = this.#words64;
    core.chunks.value = this.#addresses.byteOffset;
    core.hashKeys.value = this.#hashKeys.byteOffset;
    core.hashes.value = memory.allocate(HASHES_BYTES);
    core.tableBits.value = this.#tableBits;
    core.table.value = memory.allocate(4 * 2 ** this.#tableBits);
  }

  get count(): number {
    return this.core.count.value >>> 0;
  }

  /** Bytes of the states and of the table; of a chunk only what is in use, since no more of it takes memory. */
  get bytes(): number {
    return this.count * this.#words64 * 8 + 4 * 2 ** this.#tableBits;
  }

  /** Copies state `number` into `into`. */
  load(number: number, into: Uint32Array): void {
    const chunk = this.#chunks[number >>> CHUNK_BITS] as Uint32Array;
    const { words } = this;
    const base = (number & CHUNK_MASK) * this.#words64 * 2;
    for (let word = 0; word < words; word++) into[word] = chunk[base + word] as number;
  }

  /** Number of the state if it is known; otherwise it is added and the result is -1. */
  insert(state: Uint32Array): number {
    this.makeRoom();
    return this.core.insert(this.#looked(state)) | 0;
  }

  /** Number of the state, or -1 if it is not known. */
  find(state: Uint32Array): number {
    return this.core.find(this.#looked(state)) | 0;
  }

  /** Takes over all states of another set, with these bits of theirs and the rest as it is here. This set is empty. */
  absorb(other: Store, moves: readonly Move[], rest: Uint32Array): void {
    const { memory, core } = this;
    this.#makeRoomFor(other.count);
    const room = { moves: memory.allocate(moves.length * 16), rest: memory.allocate(this.#words64 * 8) };
    memory.words(room.moves, moves.length * 4).set(moves.flatMap(({ from, mask, shift, to }) => [from, mask, shift, to]));
    memory.words(room.rest, this.#words64 * 2).set(rest.subarray(0, this.#words64 * 2));
    for (const [number, chunk] of other.#chunks.entries()) {
      const states = Math.min(other.count - (number << CHUNK_BITS), CHUNK_MASK + 1);
      if (states > 0) core.absorb(chunk.byteOffset, other.#words64, states, room.moves, moves.length, room.rest, this.#state.byteOffset);
    }
    memory.release(room.moves, moves.length * 16);
    memory.release(room.rest, this.#words64 * 8);
  }

  /** Gives its memory back. It is not to be used any more. */
  release(): void {
    const { core, memory } = this;
    for (const { byteOffset, byteLength } of [...this.#chunks, this.#addresses, this.#state, this.#hashKeys])
      memory.release(byteOffset, byteLength);
    memory.release(core.table.value >>> 0, 4 * 2 ** this.#tableBits);
    memory.release(core.hashes.value >>> 0, HASHES_BYTES);
  }

  /** Makes room for as many states as the core adds at once. Throws a `RangeError` if there is none. */
  makeRoom(): void {
    this.#makeRoomFor(this.count);
  }

  /** For so many states, and as many more as the core adds at once. */
  #makeRoomFor(states: number): void {
    const needed = states + MOST_SLOTS;
    while (needed > 2 ** this.#tableBits * FULLEST) this.#growTable();
    while (needed > this.#chunks.length << CHUNK_BITS) this.#addChunk();
    this.core.room.value = Math.min(2 ** this.#tableBits * FULLEST, this.#chunks.length << CHUNK_BITS);
  }

  #looked(state: Uint32Array): number {
    const looked = this.#state;
    for (let word = 0; word < this.words; word++) looked[word] = state[word] as number;
    return looked.byteOffset;
  }

  #addChunk(): void {
    const { memory } = this;
    const address = memory.allocate(this.#words64 * 8 * (CHUNK_MASK + 1));
    if (this.#chunks.length === this.#addresses.length) {
      const larger = memory.words(memory.allocate(this.#addresses.byteLength * 2), this.#addresses.length * 2);
      larger.set(this.#addresses);
      memory.release(this.#addresses.byteOffset, this.#addresses.byteLength);
      this.#addresses = larger;
      this.core.chunks.value = larger.byteOffset;
    }
    this.#addresses[this.#chunks.length] = address;
    this.#chunks.push(memory.words(address, this.#words64 * 2 * (CHUNK_MASK + 1)));
  }

  #growTable(): void {
    const { core, memory } = this;
    const bits = this.#tableBits + 1;
    const table = memory.allocate(4 * 2 ** bits);
    memory.release(core.table.value >>> 0, 4 * 2 ** this.#tableBits);
    this.#tableBits = bits;
    core.table.value = table;
    core.tableBits.value = bits;
    core.rehash();
  }
}

/** A 64-bit odd number per word: SplitMix64 (Vigna, public domain). */
function hashKeys(memory: Memory, words: number): BigUint64Array {
  const keys = new BigUint64Array(memory.shared.buffer, memory.allocate(words * 8), words);
  let seed = 0x9e3779b97f4a7c15n;
  for (let word = 0; word < words; word++) {
    seed = BigInt.asUintN(64, seed + 0x9e3779b97f4a7c15n);
    let key = BigInt.asUintN(64, (seed ^ (seed >> 30n)) * 0xbf58476d1ce4e5b9n);
    key = BigInt.asUintN(64, (key ^ (key >> 27n)) * 0x94d049bb133111ebn);
    keys[word] = (key ^ (key >> 31n)) | 1n;
  }
  return keys;
}
