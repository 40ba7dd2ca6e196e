/** What states are known by that are not kept (core/lossy.ts), and how they were found; and what that may have cost. */
import { type Core, MOST_SLOTS } from "./core.js";
import { hashKeys } from "./hash-keys.js";
import type { Memory } from "./memory.js";
import { Origins } from "./origins.js";

export const LOSSY_MODES = ["hash", "bits"] as const;
/** `hash`: of a state bits of its hash are kept. `bits`: some bits of an array stand for it, and for others. */
export type LossyMode = (typeof LOSSY_MODES)[number];

export interface LossyOptions {
  readonly mode: LossyMode;
  /** Most bytes of the table. An array of bits has as many from the start. */
  readonly tableBytes: number;
  /** What a table of entries begins with. Default 16 MB. */
  readonly firstBytes?: number;
  /** By `hash`, how many bits are kept of a state. Default: as many as an entry has. */
  readonly keptBits?: number;
  /** Each makes other hashes. Default 0. */
  readonly seed?: number;
}

/** As in core/lossy.ts. */
export const KEEPS = { hash: 1, bits: 2 } as const;
export const ENTRY_BYTES = 5;
export const BITS_PER_STATE = 5;
export const ORIGINS = 32_768;

/** An entry is read by 64 bits, and may be the last. */
const BEHIND = 8;

/** A table of entries is full then: beyond, too many would have to be looked at. One that is not the last has to be looked at more often. */
const FULLEST = { last: 0.9, older: 0.5 } as const;
const FIRST_BYTES = 16_000_000;
/** Entries cannot be moved, since they do not say where they belong: when a table is full another one is made beside it, so many times as large. */
const GROWTH = 16;
/** What would be left is better in the same table if it is not at least so many times as large. */
const LEAST_LEFT = 4;
const MOST_TABLES = 8;

/** The hashes that say where to look are made with the first numbers: those of the fingerprints come from elsewhere. */
const FIRST_SEED = 1;

export class LossyTable {
  readonly origins = new Origins();
  /** The last one is added to. */
  readonly #tables: { readonly address: number; readonly bytes: number }[] = [];
  readonly #older: Uint32Array;
  readonly #keys: BigUint64Array;
  readonly #fingerprints: number;
  /** States found lately, whose origins are in the core's form. */
  readonly #lately: Uint32Array;

  constructor(
    readonly memory: Memory,
    readonly core: Core,
    words: number,
    readonly options: LossyOptions,
  ) {
    const { mode, keptBits = 8 * ENTRY_BYTES, seed = 0 } = options;
    this.#older = memory.allocateWords(MOST_TABLES * 2);
    this.#keys = hashKeys(memory, 2 * words + 2, FIRST_SEED + seed);
    this.#fingerprints = memory.allocate(MOST_SLOTS * 8);
    this.#lately = memory.allocateWords(ORIGINS * 2);
    core.keeps.value = KEEPS[mode];
    core.olderTables.value = this.#older.byteOffset;
    core.fingerprintKeys.value = this.#keys.byteOffset;
    core.slotFingerprints.value = this.#fingerprints;
    core.keptMask.value = (1n << BigInt(keptBits)) - 1n;
    core.perComparison.value = 1 / (1 - 2 ** -keptBits);
    core.origins.value = this.#lately.byteOffset;
    this.grow();
  }

  /** Makes room for more states. Throws a `RangeError` if there is none. */
  grow(): void {
    const { core, memory } = this;
    const { mode, tableBytes, firstBytes = FIRST_BYTES } = this.options;
    const left = tableBytes - this.tableBytes;
    if (left < ENTRY_BYTES || this.#tables.length === MOST_TABLES) throw new RangeError("no room for more states: the table is full");
    const last = this.#tables.at(-1);
    const next = last === undefined ? firstBytes : last.bytes * GROWTH;
    const bytes = mode === "bits" || left < next * (1 + LEAST_LEFT) ? left : next;
    const address = memory.allocate(bytes + BEHIND);
    if (last !== undefined) this.#older.set([last.address, roomIn(last.bytes)], 2 * (this.#tables.length - 1));
    core.olderCount.value = this.#tables.length;
    this.#tables.push({ address, bytes });
    core.table.value = address;
    core.tableRoom.value = mode === "hash" ? roomIn(bytes) : bytes;
  }

  get tableBytes(): number {
    return this.#tables.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** States that there is room for: an array of bits has room for any, the more, the more are omitted. */
  get room(): number {
    if (this.options.mode === "bits") return Number.MAX_SAFE_INTEGER;
    const isAllThereIs = this.options.tableBytes - this.tableBytes < ENTRY_BYTES;
    const last = this.#tables.length - 1;
    const fullest = (number: number) => FULLEST[isAllThereIs && number === last ? "last" : "older"];
    return this.#tables.reduce((sum, { bytes }, number) => sum + Math.floor(roomIn(bytes) * fullest(number)), 0);
  }

  /** Bits that are kept of a state in `hash`; that are set for one in `bits`. */
  get bitsPerState(): number {
    return this.options.mode === "hash" ? (this.options.keptBits ?? 8 * ENTRY_BYTES) : BITS_PER_STATE;
  }

  /** Bytes of the table in use, and of what is known of how states were found. Of an array of bits all is. */
  get bytes(): number {
    const count = this.core.count.value >>> 0;
    return (this.options.mode === "hash" ? ENTRY_BYTES * count : this.tableBytes) + this.origins.bytes;
  }

  /** How many states are expected to have been omitted because they were taken for others. */
  get expectedOmissions(): number {
    return this.core.omitted.value;
  }

  /** How likely it is that one was, at most: the run may have ended with what would have come next, and been omitted. */
  get probabilityOfAnyOmission(): number {
    const { core, options, expectedOmissions } = this;
    const agreement = (core.bitsSet.value / (8 * options.tableBytes)) ** BITS_PER_STATE;
    const next = options.mode === "hash" ? core.perComparison.value - 1 : agreement / (1 - agreement);
    return -Math.expm1(-(expectedOmissions + next));
  }

  /** Takes over what the core knows of how states were found; before it adds more of them than it has room for. */
  follow(): void {
    const { core, origins } = this;
    const count = core.count.value >>> 0;
    for (let state = origins.count; state < count; state++) {
      const row = (state % ORIGINS) * 2;
      origins.add(this.#lately[row] as number, this.#lately[row + 1] as number);
    }
  }

  release(): void {
    const { memory } = this;
    for (const { address, bytes } of this.#tables) memory.release(address, bytes + BEHIND);
    memory.release(this.#fingerprints, MOST_SLOTS * 8);
    memory.releaseAll([this.#keys, this.#lately, this.#older]);
  }
}

/** Entries of a table of so many bytes. */
function roomIn(bytes: number): number {
  return Math.floor(bytes / ENTRY_BYTES);
}
