/**
 * The visited set: states in the order in which they were found, each as a tuple (tuples.ts), and a hash table over
 * them. Two states are the same only if their tuples are; the hash decides nothing. The core looks states up and adds
 * them; this is where its room comes from.
 */
import { type Move, numbersOfMove } from "../state/packing.js";
import { type Core, type Host, MOST_SLOTS, newCore } from "./core.js";
import { hashKeys } from "./hash-keys.js";
import { type LossyOptions, LossyTable } from "./lossy-table.js";
import type { Memory } from "./memory.js";
import { type Disk, OutOfCore } from "./out-of-core.js";
import { atOnce, type Lasting } from "./sorted-runs.js";
import { BEHIND, CHUNK_BITS, CHUNK_ROW, CHUNK_STATES, Dictionaries, extendedLayout, type TupleLayout, tupleLayout } from "./tuples.js";

/** Entries per segment of the table: 2 ** SEGMENT_BITS. */
export const SEGMENT_BITS = 12;
const SEGMENT_BYTES = 4 << SEGMENT_BITS;
/** The table grows when it is fuller than this. */
const FULLEST = 0.85;
/** A table of as many segments is doubled no more, but grows by so much: to enter all states again takes long, but room is what ends large runs. */
const LARGE_TABLE = 4096;
const LARGE_GROWTH = 1.25;

/** States that are handed out at once, or packed otherwise. */
export const BLOCK_STATES = MOST_SLOTS;

/** What the core says of a state with a value for which there is no number; as in core/states.ts. */
export const OVERFLOW = 0xfffffffe;

/** Of a set into which nobody but its owner puts anything. */
const NOBODY: Host = { judgeRest: () => {} };

export interface StoreOptions {
  readonly host?: Host;
  readonly core?: Core;
  readonly arePlain?: boolean;
  /** States are forgotten when they have been visited, and known by a table of their fingerprints only. */
  readonly lossy?: LossyOptions | null;
  /** Where states go when there is no room for more in the memory. */
  readonly disk?: Disk | null;
}

interface Chunk {
  readonly address: number;
  readonly layout: TupleLayout;
}

export class Store {
  readonly core: Core;
  /** 64-bit words of a stored state. */
  #words64: number;
  readonly #dictionaries: Dictionaries;
  /** A number for each word, and behind them what the sums for hashes begin with. */
  #hashKeys: BigUint64Array;
  /** A state that is looked up, and room for what the core works with. */
  #state: Uint32Array;
  #scratch: Uint32Array;
  readonly #hashes: Uint32Array;
  #layout: TupleLayout;
  /** What states are known by if they are not kept. */
  readonly lossy: LossyTable | null;
  /** Null in place of those that were left behind. */
  readonly #chunks: (Chunk | null)[] = [];
  #leftBehind = 0;
  /** Most bytes that states have taken at a time. */
  #mostBytes = 0;
  #chunkRows: Uint32Array;
  readonly #segments: number[] = [];
  #segmentRows: Uint32Array;
  /** Where most states are when it has begun; the chunks and the table have only some of them from then on. */
  readonly outOfCore: OutOfCore | null;
  /** Those of tuples on disk. */
  readonly #layoutsOnDisk = new Set<TupleLayout>();

  /** Of states of so many words, which are plain if it is not worth the while to number their values. */
  constructor(
    readonly memory: Memory,
    public words: number,
    { host = NOBODY, core = newCore(memory, host), arePlain = false, lossy = null, disk = null }: StoreOptions = {},
  ) {
    this.core = core;
    this.#words64 = Math.ceil(words / 2);
    const words32 = this.#words64 * 2;
    const room = (length: number) => memory.allocateWords(length);
    this.#state = room(words32);
    // No tuple has more lanes than that.
    this.#scratch = room(words32);
    this.#hashes = room(MOST_SLOTS);
    this.#chunkRows = room(64 * CHUNK_ROW);
    this.#segmentRows = room(64);
    this.#hashKeys = hashKeys(memory, words32 + 1, 0, 1n);
    this.#hashKeys[words32] = 0n;
    this.#dictionaries = new Dictionaries(memory, words32, arePlain);
    this.#tellWords();
    core.hashes.value = this.#hashes.byteOffset;
    this.#tellChunks();
    core.segments.value = this.#segmentRows.byteOffset;
    this.#layout = tupleLayout(memory, this.#dictionaries.bits);
    this.#fillIn(this.#layout);
    this.outOfCore = disk && new OutOfCore(disk, this.#asTable());
    this.lossy = lossy === null ? null : new LossyTable(memory, core, words32, lossy);
  }

  /** What states are added in: another one if a word has been widened, or added. */
  get layout(): TupleLayout {
    return this.#layout;
  }

  /** How many states were found; with those that are not settled, as if none of them were known. */
  get count(): number {
    return this.#inMemory + this.elsewhere;
  }

  /** How many more there are than in memory. */
  get elsewhere(): number {
    return this.outOfCore?.elsewhere ?? 0;
  }

  /** Whether states are on disk. */
  get isOutOfCore(): boolean {
    return this.outOfCore?.hasBegun ?? false;
  }

  get #inMemory(): number {
    return this.core.count.value >>> 0;
  }

  /** Bytes of the states and of the table, with those on disk; of a chunk only what is in use, since no more of it takes memory. */
  get bytes(): number {
    const states = Math.max(this.#mostBytes, this.#stateBytes) + (this.outOfCore?.disk.folder.mostBytes ?? 0);
    return states + (this.lossy?.bytes ?? this.#segments.length * SEGMENT_BYTES) + this.#dictionaries.bytes;
  }

  get #stateBytes(): number {
    let bytes = 0;
    for (let chunk = this.#leftBehind; chunk < this.#chunks.length; chunk++) {
      const states = Math.max(0, Math.min(CHUNK_STATES, this.#inMemory - chunk * CHUNK_STATES));
      bytes += states * (this.#chunks[chunk] as Chunk).layout.bytes;
    }
    return bytes;
  }

  /** Copies state `number` into `into`. */
  load(number: number, into: Uint32Array): void {
    const state = this.#state;
    this.show(number);
    this.core.fetch(number, state.byteOffset);
    for (let word = 0; word < this.words; word++) into[word] = state[word] as number;
  }

  /** Has the core be able to visit states from that one on. Returns the first that it cannot visit by then. */
  show(number: number): number {
    return this.outOfCore?.show(number) ?? Number.POSITIVE_INFINITY;
  }

  /** Finds out which of the states found lately are known; the others have their numbers for good. */
  *settle(): Lasting {
    if (this.outOfCore?.hasBegun) yield* this.outOfCore.settle(this.#layoutOnDisk);
  }

  /** Has fewer states in memory, if others may be on disk. Whether there may be more room now. */
  *makeSpace(): Lasting<boolean> {
    const { outOfCore } = this;
    if (outOfCore === null || this.#inMemory === 0) return false;
    outOfCore.begin(this.#layoutOnDisk);
    yield* outOfCore.empty(outOfCore.isFresh ? 0 : Math.floor(this.#inMemory / 2), this.#layoutOnDisk);
    return true;
  }

  /** Nothing more will be found: what is not settled is forgotten, and no room is taken any more by what states are known by. */
  stopFinding(): void {
    if (this.isOutOfCore) this.outOfCore?.stopFinding();
  }

  /** Keeps as few states in memory as it can. */
  leaveMemory(): void {
    if (this.outOfCore?.hasBegun) atOnce(this.outOfCore.empty(0, this.#layoutOnDisk));
  }

  /**
   * Number of the state if it is known; otherwise it is added and the result is -1. What is known by its fingerprint only has lost
   * its number, and the result is 0; such a set wants to know the state and the step that lead there.
   */
  insert(state: Uint32Array, source = 0, step = 0): number {
    const { core, lossy } = this;
    for (;;) {
      this.makeRoom();
      const looked = this.#looked(state);
      const known = (lossy === null ? core.insert(looked) : core.insertLossily(looked, source, step)) >>> 0;
      if (known !== OVERFLOW) return known | 0;
      this.#withSpace(() => this.#widen(core.overflown.value));
    }
  }

  /** Number of the state, or -1 if it is not known; of a store that is not out of core. */
  find(state: Uint32Array): number {
    return this.core.find(this.#looked(state)) | 0;
  }

  /** The states from that number on in their order, one after the other, some at a time. What is given is overwritten by the next. */
  *blocks(first = 0): Generator<Uint32Array> {
    const { memory, core } = this;
    const length = this.#words64 * 2;
    const room = memory.allocateWords(BLOCK_STATES * length);
    try {
      for (let from = first; from < this.count; from += BLOCK_STATES) {
        const number = Math.min(BLOCK_STATES, this.count - from);
        this.show(from);
        for (let state = 0; state < number; state++) core.fetch(from + state, room.byteOffset + state * length * 4);
        yield room.subarray(0, number * length);
      }
    } finally {
      memory.releaseAll([room]);
    }
  }

  /** Adds states of so many words that were packed otherwise, with these bits of theirs and the rest as it is here. */
  absorb(blocks: Iterable<Uint32Array>, words: number, moves: readonly Move[], rest: Uint32Array): void {
    const { memory, core } = this;
    const room = (length: number) => memory.allocateWords(length);
    const moved = room(moves.length * 4);
    moved.set(moves.flatMap(numbersOfMove));
    const left = room(this.#words64 * 2);
    left.set(rest.subarray(0, this.#words64 * 2));
    const stride = Math.ceil(words / 2);
    const states = room(BLOCK_STATES * stride * 2);
    for (const block of blocks) {
      states.set(block);
      const number = block.length / (stride * 2);
      for (let taken = 0; taken < number; ) {
        this.#settleNew();
        this.makeRoom();
        const from = states.byteOffset + taken * stride * 8;
        const { byteOffset } = this.#state;
        taken += core.absorb(from, stride, number - taken, moved.byteOffset, moves.length, left.byteOffset, byteOffset);
        if (taken < number) {
          this.#settleNew();
          this.#withSpace(() => this.#widen(core.overflown.value));
        }
      }
    }
    this.#settleNew();
    memory.releaseAll([moved, left, states]);
  }

  /**
   * States have so many words from now on, an even number, and all so far have had the same in those that are added: what there is in `initial`. Their
   * tuples and their hashes stay as they are. Throws a `RangeError`, and nobody notices anything, if there is no room.
   */
  extend(words: number, initial: Uint32Array): void {
    const { memory, core } = this;
    const before = this.#words64 * 2;
    const added = Array.from({ length: words - before }, (_, word) => initial[before + word] as number);
    this.outOfCore?.makeRoomFor(words / 2);
    const layouts = new Map<TupleLayout, TupleLayout>();
    for (const layout of this.#layouts) layouts.set(layout, extendedLayout(memory, layout, added.length));
    const [state, scratch] = [memory.allocateWords(words), memory.allocateWords(words)];
    const keys = hashKeys(memory, words + 1, 0, 1n);
    this.#dictionaries.extend(added, core.enterValues);
    keys[words] = added.reduce(
      (sum, value, word) => BigInt.asUintN(64, sum - BigInt(value) * (keys[before + word] as bigint)),
      this.#hashKeys[before] as bigint,
    );
    memory.releaseAll([this.#state, this.#scratch, this.#hashKeys]);
    this.words = words;
    this.#words64 = words / 2;
    [this.#state, this.#scratch, this.#hashKeys] = [state, scratch, keys];
    this.#tellWords();
    this.#fillIn(layouts.get(this.#layout) as TupleLayout);
    for (const [number, { address, layout }] of (this.#chunks as Chunk[]).entries()) {
      this.#placeChunk(number, { address, layout: layouts.get(layout) as TupleLayout });
    }
    this.outOfCore?.replaceLayouts(layouts);
    const onDisk = [...this.#layoutsOnDisk].map((layout) => layouts.get(layout) as TupleLayout);
    this.#layoutsOnDisk.clear();
    for (const layout of onDisk) this.#layoutsOnDisk.add(layout);
    memory.releaseAll([...layouts.keys()].map(({ columns }) => columns));
  }

  #tellWords(): void {
    const { core } = this;
    core.words.value = this.#words64;
    core.scratch.value = this.#scratch.byteOffset;
    core.hashKeys.value = this.#hashKeys.byteOffset;
    core.dictionaries.value = this.#dictionaries.address;
  }

  /** All that states are kept in, or will be. */
  get #layouts(): Set<TupleLayout> {
    return new Set([this.#layout, ...this.#layoutsOnDisk, ...this.#chunks.flatMap((chunk) => (chunk === null ? [] : [chunk.layout]))]);
  }

  /** States before that one have been visited: if they are not to be kept, their memory is given back. */
  leaveBehind(number: number): void {
    if (this.lossy === null) return;
    const visited = Math.floor(number / CHUNK_STATES);
    if (this.#leftBehind < visited) this.#mostBytes = Math.max(this.#mostBytes, this.#stateBytes);
    for (; this.#leftBehind < visited; this.#leftBehind++) {
      const { address, layout } = this.#chunks[this.#leftBehind] as Chunk;
      this.#chunks[this.#leftBehind] = null;
      this.memory.release(address, chunkBytes(layout));
      const isInUse = layout === this.#layout || this.#chunks[this.#leftBehind + 1]?.layout === layout;
      if (!isInUse) this.memory.releaseAll([layout.columns]);
    }
  }

  /** Gives its memory back. It is not to be used any more. */
  release(): void {
    const { memory } = this;
    const rooms = [this.#state, this.#scratch, this.#hashes, this.#chunkRows, this.#segmentRows, this.#hashKeys];
    const chunks = this.#chunks.filter((chunk) => chunk !== null);
    memory.releaseAll([...rooms, ...[...this.#layouts].map(({ columns }) => columns)]);
    for (const { address, layout } of chunks) memory.release(address, chunkBytes(layout));
    for (const segment of this.#segments) memory.release(segment, SEGMENT_BYTES);
    this.#dictionaries.release();
    this.lossy?.release();
    this.outOfCore?.release();
  }

  /** Makes room for as many states as the core adds at once. Throws a `RangeError` if there is none. */
  makeRoom(): void {
    this.lossy?.follow();
    this.#withSpace(() => this.#makeRoomInMemory());
    this.#tellRoom();
  }

  #makeRoomInMemory(): void {
    const needed = this.#inMemory + MOST_SLOTS;
    if (needed > this.#mostInMemory) throw new RangeError("no room for more states: others have to make room");
    while (needed > this.#roomInTable) {
      if (this.isOutOfCore) throw new RangeError("no room for more states: the table does not grow any more");
      this.#growAlone();
    }
    while (needed > this.#chunks.length * CHUNK_STATES) this.#addChunk();
  }

  /** Does what throws a `RangeError` if there is no room for it; states make room if they can. */
  #withSpace(attempt: () => void): void {
    for (;;) {
      try {
        attempt();
        return;
      } catch (error) {
        if (!(error instanceof RangeError && atOnce(this.makeSpace()))) throw error;
      }
    }
  }

  /** Whether the table has to grow before states are added. */
  get isTableFull(): boolean {
    return !this.isOutOfCore && this.#inMemory + MOST_SLOTS > this.#roomInTable;
  }

  /** Makes the table of a run that keeps its states larger, and empties it: all have to be entered. Throws a `RangeError`, and has changed nothing, if there is no room. */
  growTable(): void {
    const { core, memory } = this;
    const before = this.#segments.length;
    const size = before < LARGE_TABLE ? Math.max(1, before * 2) : Math.ceil(before * LARGE_GROWTH);
    const added: number[] = [];
    try {
      while (before + added.length < size) added.push(memory.allocate(SEGMENT_BYTES, true, this.#leftForOthers));
      if (size > this.#segmentRows.length) this.#segmentRows = this.#larger(this.#segmentRows, size);
    } catch (error) {
      for (const segment of added) memory.release(segment, SEGMENT_BYTES);
      throw error;
    }
    this.#emptyTable();
    this.#segments.push(...added);
    this.#segmentRows.set(this.#segments);
    core.segments.value = this.#segmentRows.byteOffset;
    core.tableSize.value = size << SEGMENT_BITS;
    core.numberBits.value = 32 - Math.clz32(size << SEGMENT_BITS);
  }

  /** Enters all states into the table, whatever is in it. */
  rehash(): void {
    this.#emptyTable();
    this.core.rehash(0, this.#inMemory);
  }

  /** Makes room for so many more, as far as there is any, and none in the table. */
  makeMoreRoom(states: number): void {
    const wanted = Math.min(this.#inMemory + states, this.#roomInTable);
    try {
      while (wanted > this.#chunks.length * CHUNK_STATES) this.#addChunk();
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
    this.#tellRoom();
  }

  #tellRoom(): void {
    this.core.room.value = Math.min(this.#roomInTable, this.#chunks.length * CHUNK_STATES, this.#mostInMemory);
  }

  /** States from which on others have to make room, though there may be some. */
  get #mostInMemory(): number {
    return this.outOfCore?.room ?? Number.POSITIVE_INFINITY;
  }

  /** Bytes that states leave, since they can go elsewhere and what is learned cannot. */
  get #leftForOthers(): number {
    return this.outOfCore?.disk.leftForOthers ?? 0;
  }

  #growAlone(): void {
    if (this.lossy !== null) this.lossy.grow();
    else {
      this.growTable();
      this.core.rehash(0, this.#inMemory);
    }
  }

  #asTable() {
    const { core, memory } = this;
    return { core, memory, words64: this.#words64, clear: () => this.#clear(), makeRoom: () => this.#makeRoomInMemory() };
  }

  /** Forgets what is in the chunks and in the table. */
  #clear(): void {
    this.core.count.value = 0;
    for (const chunk of this.#chunks.splice(0)) if (chunk !== null) this.memory.release(chunk.address, chunkBytes(chunk.layout));
    this.#emptyTable();
  }

  #settleNew(): void {
    if (this.isOutOfCore) this.outOfCore?.settleNew(this.#layoutOnDisk);
  }

  /** The layout that is being filled, which is kept for what is written in it. */
  get #layoutOnDisk(): TupleLayout {
    this.#layoutsOnDisk.add(this.#layout);
    return this.#layout;
  }

  #emptyTable(): void {
    for (const segment of this.#segments) this.memory.words(segment, SEGMENT_BYTES / 4).fill(0);
  }

  get #roomInTable(): number {
    return this.lossy?.room ?? Math.floor((this.#segments.length << SEGMENT_BITS) * FULLEST);
  }

  #looked(state: Uint32Array): number {
    const looked = this.#state;
    for (let word = 0; word < this.words; word++) looked[word] = state[word] as number;
    return looked.byteOffset;
  }

  /** Chunks are filled in that layout from now on. */
  #fillIn(layout: TupleLayout): void {
    const { core } = this;
    this.#layout = layout;
    core.layout.value = layout.columns.byteOffset;
    core.tupleBytes.value = layout.bytes;
    core.lanes.value = layout.lanes;
  }

  /** Makes room for more values of a word. Throws a `RangeError`, and nobody notices anything, if there is none. */
  #widen(word: number): void {
    const { core, memory } = this;
    const count = this.#inMemory;
    const before = this.#layout;
    const layout = tupleLayout(memory, this.#dictionaries.bits.with(word, this.#dictionaries.widened(word)));
    const filling = count >>> CHUNK_BITS;
    const isAsLong = (chunk: Chunk) => chunk.layout.bytes === layout.bytes;
    const changed = (this.#chunks.slice(filling) as Chunk[]).map((chunk) => ({
      chunk,
      address: isAsLong(chunk) ? chunk.address : memory.allocate(chunkBytes(layout), false),
    }));
    this.#dictionaries.widen(word, core.enterValues);
    this.#fillIn(layout);
    for (const [position, { chunk, address }] of changed.entries()) {
      const number = Math.max(0, Math.min(CHUNK_STATES, count - (filling + position) * CHUNK_STATES));
      core.translateAll(chunk.address, chunk.layout.columns.byteOffset, chunk.layout.bytes, number, address);
      this.#placeChunk(filling + position, { address, layout });
      if (!isAsLong(chunk)) memory.release(chunk.address, chunkBytes(chunk.layout));
    }
    const isInUse = this.#chunks[filling - 1]?.layout === before || this.#layoutsOnDisk.has(before);
    if (!isInUse) memory.releaseAll([before.columns]);
  }

  #addChunk(): void {
    const address = this.memory.allocate(chunkBytes(this.#layout), false, this.#leftForOthers);
    if ((this.#chunks.length + 1) * CHUNK_ROW > this.#chunkRows.length) {
      this.#chunkRows = this.#larger(this.#chunkRows);
      this.#tellChunks();
    }
    this.#placeChunk(this.#chunks.length, { address, layout: this.#layout });
  }

  #placeChunk(number: number, chunk: Chunk): void {
    this.#chunks[number] = chunk;
    this.#chunkRows.set([chunk.address, chunk.layout.columns.byteOffset, chunk.layout.bytes], number * CHUNK_ROW);
  }

  /** States that are visited are in the same chunks as those in the table, unless they are on disk. */
  #tellChunks(): void {
    this.core.chunks.value = this.#chunkRows.byteOffset;
    if (!this.isOutOfCore) this.core.pages.value = this.#chunkRows.byteOffset;
  }

  /** The rows with room for more of them behind. */
  #larger(rows: Uint32Array, least = 0): Uint32Array {
    return this.memory.enlarge(rows, Math.max(rows.length * 2, least));
  }
}

function chunkBytes({ bytes }: TupleLayout): number {
  return bytes * CHUNK_STATES + BEHIND;
}
