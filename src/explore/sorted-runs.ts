/**
 * What is known of states on disk: *runs*, each a file of records (core/runs.ts) in the order of their hashes. To see which of many
 * states are known is to read each run once from its begin to its end; for few states only the blocks are read in which they would be.
 */
import type { Core } from "./core.js";
import type { Memory } from "./memory.js";
import { ScratchFile, type ScratchFolder } from "./scratch-file.js";
import { BEHIND, type TupleLayout } from "./tuples.js";

/** A hash, before the tuple of a record. */
export const HASH_BYTES = 4;

/** What may take seconds: yields now and then, so that somebody can look around. May be left unfinished if nothing is to be found any more. */
export type Lasting<Result = void> = Generator<void, Result, void>;

/** Does it without looking around. */
export function atOnce<Result>(work: Lasting<Result>): Result {
  let step = work.next();
  while (!step.done) step = work.next();
  return step.value;
}

/** Default of `blockBytes`: little enough to be read for one state, and enough for the rest to take longer than to ask for it. */
export const BLOCK_BYTES = 1 << 15;

/** No hash is larger. */
const LAST_HASH = 0xffffffff;

/** A run is merged with the one before it unless that is so many times as large: there are few of them, and each record is seldom written again. */
const LARGER = 2;

interface Run {
  readonly file: ScratchFile;
  layout: TupleLayout;
  readonly records: number;
  /** Records of each block but the last, which may have fewer; and the hash that each begins with. */
  readonly inBlock: number;
  readonly firsts: Uint32Array;
}

export class SortedRuns {
  /** The largest first. */
  readonly #runs: Run[] = [];
  /** Where blocks are read, and written. */
  readonly #one: number;
  readonly #other: number;
  readonly #written: number;

  constructor(
    readonly memory: Memory,
    readonly core: Core,
    readonly folder: ScratchFolder,
    readonly blockBytes: number,
  ) {
    const room = () => memory.allocate(blockBytes + BEHIND, false);
    [this.#one, this.#other, this.#written] = [room(), room(), room()];
  }

  /** Marks those of the listed states, of which there are so many, that are in some run. */
  *markStale(listed: number): Lasting {
    for (const run of this.#runs) yield* this.#markStaleIn(run, listed);
  }

  /** Makes a run of the listed states, whose tuples get that layout, which is being filled. */
  add(listed: number, layout: TupleLayout): void {
    if (listed === 0) return;
    const writer = this.#write(layout, listed);
    let first = 0;
    try {
      for (; first < listed; first += writer.inBlock) {
        const number = Math.min(writer.inBlock, listed - first);
        this.core.writeRecords(first, number, this.#written);
        writer.append(number);
      }
    } finally {
      if (first < listed) writer.run.file.close();
    }
    this.#runs.push(writer.run);
  }

  /** Merges runs, so that there are few. */
  *tidy(layout: TupleLayout): Lasting {
    for (;;) {
      const [one, other] = this.#runs.slice(-2);
      if (one === undefined || other === undefined || one.records > other.records * LARGER) return;
      const merged = yield* this.#merge(one, other, layout);
      this.#runs.splice(-2, 2, merged);
      one.file.close();
      other.file.close();
    }
  }

  replaceLayouts(layouts: ReadonlyMap<TupleLayout, TupleLayout>): void {
    for (const run of this.#runs) run.layout = layouts.get(run.layout) as TupleLayout;
  }

  /** Closes the files. */
  close(): void {
    for (const { file } of this.#runs.splice(0)) file.close();
  }

  /** The same, and gives the memory back. */
  release(): void {
    this.close();
    for (const address of [this.#one, this.#other, this.#written]) this.memory.release(address, this.blockBytes + BEHIND);
  }

  *#markStaleIn(run: Run, listed: number): Lasting {
    const { firsts, layout } = run;
    const hashes = this.memory.words(this.core.listed.value, listed * 2);
    let block = 0;
    for (let first = 0; first < listed; block++) {
      block = Math.max(block, lastBefore(firsts, hashes[first * 2 + 1] as number, block));
      if (block >= firsts.length) return;
      const end = this.#read(run, block, this.#one);
      const beyond = firsts[block + 1] ?? LAST_HASH;
      first = this.core.markStale(first, listed, beyond, this.#one, end, layout.columns.byteOffset, layout.bytes) >>> 0;
      yield;
    }
  }

  *#merge(one: Run, other: Run, layout: TupleLayout): Lasting<Run> {
    const { core } = this;
    const records = one.records + other.records;
    const writer = this.#write(layout, records);
    const reader = (run: Run, address: number) => ({ run, address, at: address, end: address, block: 0 });
    const readers = [reader(one, this.#one), reader(other, this.#other)] as const;
    const [first, second] = readers;
    const { inBlock } = writer;
    const stride = HASH_BYTES + layout.bytes;
    let left = records;
    try {
      for (; left > 0; left -= inBlock) {
        const number = Math.min(inBlock, left);
        for (let done = 0; done < number; ) {
          for (const each of readers) {
            if (each.at < each.end || each.block === each.run.firsts.length) continue;
            each.at = each.address;
            each.end = this.#read(each.run, each.block++, each.address);
          }
          const into = this.#written + done * stride;
          const its = ({ at, end, run }: typeof first) => [at, end, run.layout.columns.byteOffset, run.layout.bytes] as const;
          done += core.mergeRecords(...its(first), ...its(second), into, number - done);
          first.at = core.oneAt.value;
          second.at = core.otherAt.value;
        }
        writer.append(number);
        yield;
      }
      return writer.run;
    } finally {
      if (left > 0) writer.run.file.close();
    }
  }

  /** Reads a block; returns the address behind its last record. */
  #read({ file, layout, records, inBlock }: Run, block: number, address: number): number {
    const stride = HASH_BYTES + layout.bytes;
    const bytes = Math.min(inBlock, records - block * inBlock) * stride;
    file.read(block * inBlock * stride, this.memory.bytes(address, bytes));
    return address + bytes;
  }

  /** Writes a run of so many records, block by block. */
  #write(layout: TupleLayout, records: number) {
    const file = new ScratchFile(this.folder);
    const stride = HASH_BYTES + layout.bytes;
    const inBlock = Math.floor(this.blockBytes / stride);
    const firsts = new Uint32Array(Math.ceil(records / inBlock));
    const run: Run = { file, layout, records, inBlock, firsts };
    const { memory } = this;
    const address = this.#written;
    let blocks = 0;
    return {
      run,
      inBlock,
      append(number: number) {
        firsts[blocks++] = memory.words(address, 1)[0] as number;
        file.append(memory.bytes(address, number * stride));
      },
    };
  }
}

/** Of the blocks from `from` on that begin with these hashes the last that begins before that hash; `from` if there is none. */
function lastBefore(firsts: Uint32Array, hash: number, from: number): number {
  let low = from;
  let high = firsts.length;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((firsts[middle] as number) < hash) low = middle;
    else high = middle;
  }
  return low;
}
