/**
 * The visited set of a run whose states do not fit into the memory (decision 24). All states are in a file in the order of their
 * numbers (paged-states.ts); all but those in the table are in runs, which are sorted by hashes (sorted-runs.ts). The table finds what
 * came lately, which is most of what steps lead to. What it does not know is *unsettled*: added to it, and looked for in the runs later, with many others.
 *
 * States are *settled* at the end of each level, and whenever there is no room for more. What is known then is stale; the others get
 * their numbers in the order in which they were found, which are those that a run in memory would have given them.
 */
import type { Core } from "./core.js";
import { type Memory, MOST_BYTES } from "./memory.js";
import { PagedStates } from "./paged-states.js";
import type { ScratchFolder } from "./scratch-file.js";
import { type Lasting, SortedRuns } from "./sorted-runs.js";
import type { TupleLayout } from "./tuples.js";

/** In bytes, what there is of a listed state; as in core/runs.ts. */
export const LISTED_BYTES = 8;

/** Tells the number that an unsettled state has got; null if it is known. To ask in ascending order takes least. */
export type Settled = (unsettled: number) => number | null;

/** What a run that may use a disk has for it. */
export interface Disk {
  readonly folder: ScratchFolder;
  readonly blockBytes: number;
  /** Bytes of the memory that states leave to what is learned. */
  readonly leftForOthers: number;
  /** How many states may be listed, and room for them; and for a bit for each. */
  readonly most: number;
  readonly listed: number;
  readonly stale: number;
  /** States of the table that are too many for it, where that matters to a test. */
  readonly mostInTable: number;
  /** Told when states have been settled; those before `first` were before. */
  onSettled(first: number, settled: Settled): void;
}

/** Room for what a run needs beside its states to put them to disk, when so many bytes are all that it may take. */
export function layOutDisk(memory: Memory, bytes: number, given: Pick<Disk, "folder" | "blockBytes" | "mostInTable" | "onSettled">): Disk {
  const allowed = Math.max(0, Math.min(bytes, MOST_BYTES));
  const wanted = Math.max(LEAST_LISTED, (allowed * LISTED_SHARE) / LISTED_BYTES);
  const most = Math.ceil(Math.min(given.mostInTable, wanted) / 8) * 8;
  const leftForOthers = Math.floor(allowed * OTHERS_SHARE);
  return { ...given, leftForOthers, most, listed: memory.allocate(most * LISTED_BYTES, false), stale: memory.allocate(most / 8) };
}

/** Share of the memory in which states are listed. A state in the table takes about twice as much, and half of the table is new when it is full. */
const LISTED_SHARE = 0.25;
const LEAST_LISTED = 1 << 14;
const OTHERS_SHARE = 0.125;

/** The visited set in memory, as far as it is known here. */
export interface Table {
  readonly core: Core;
  readonly memory: Memory;
  /** 64-bit words of a state. */
  readonly words64: number;
  /** Forgets all states. */
  clear(): void;
  /** Makes room for as many states as are added at once. Throws a `RangeError` if there is none. */
  makeRoom(): void;
}

/** States that are entered into the table at once. */
const BLOCK = 512;

export class OutOfCore {
  hasBegun = false;
  readonly #pages: PagedStates;
  readonly #runs: SortedRuns;
  /** States of the table from that number on are not in the runs; and those from the other on are not settled. */
  #added = 0;
  #unsettled = 0;
  readonly #stale: Uint8Array;

  constructor(
    readonly disk: Disk,
    readonly table: Table,
  ) {
    const { memory, core, words64 } = table;
    this.#runs = new SortedRuns(memory, core, disk.folder, disk.blockBytes);
    this.#pages = new PagedStates(memory, core, disk.folder, words64);
    this.#stale = memory.bytes(disk.stale, disk.most / 8);
    core.listed.value = disk.listed;
    core.stale.value = disk.stale;
  }

  /** Takes over the states of the table, which are all. Tuples get that layout, which is being filled. */
  begin(layout: TupleLayout): void {
    if (this.hasBegun) return;
    this.#stale.fill(0);
    this.table.core.staleFrom.value = this.#inTable;
    this.#pages.open();
    this.hasBegun = true;
    this.settleNew(layout);
  }

  /** How many more states there are than in the table, as far as that is known. */
  get elsewhere(): number {
    return this.hasBegun ? this.#pages.count - this.#unsettled : 0;
  }

  /** States for which there is room in the table until it has to be emptied. */
  get room(): number {
    const { most, mostInTable } = this.disk;
    return this.hasBegun ? Math.min(this.#added + most, mostInTable) : mostInTable;
  }

  /** Whether the table was emptied a moment ago. */
  get isFresh(): boolean {
    return this.#inTable - this.#added < BLOCK;
  }

  /** Has the core be able to visit states from that one on. Returns the first that it cannot visit by then. */
  show(number: number): number {
    return this.hasBegun ? this.#pages.show(number) : Number.POSITIVE_INFINITY;
  }

  /** Settles what is not; tuples get that layout, which is being filled. */
  *settle(layout: TupleLayout): Lasting {
    const from = this.#unsettled;
    const to = this.#inTable;
    if (from === to) return;
    this.#pages.reserve(to - from);
    yield* this.#runs.markStale(this.table.core.listStates(from, to));
    this.disk.onSettled(this.#pages.count, this.#settled(from, this.#pages.count));
    this.settleNew(layout);
  }

  /** The same if all that is not settled is known to be new. */
  settleNew(layout: TupleLayout): void {
    const from = this.#unsettled;
    this.#unsettled = this.#inTable;
    this.#pages.append(from, this.#unsettled, layout);
  }

  /** Empties the table, which keeps no more than so many of the states that were found last. */
  *empty(keep: number, layout: TupleLayout): Lasting {
    const { core } = this.table;
    yield* this.settle(layout);
    for (let from = this.#added; from < this.#inTable; from += this.disk.most) {
      this.#runs.add(core.listStates(from, Math.min(this.#inTable, from + this.disk.most)), layout);
    }
    this.#added = this.#inTable;
    yield* this.#runs.tidy(layout);
    this.table.clear();
    this.#stale.fill(0);
    const { count } = this.#pages;
    try {
      for (let from = Math.max(0, count - keep); from < count; ) {
        this.table.makeRoom();
        const to = Math.min(count, from + BLOCK, this.show(from));
        core.admit(from, to);
        from = to;
      }
    } catch (error) {
      // Others have taken the room meanwhile: fewer do.
      if (!(error instanceof RangeError)) throw error;
    }
    this.#added = this.#inTable;
    this.#unsettled = this.#added;
    core.staleFrom.value = this.#added;
  }

  /** Makes room for states of so many 64-bit words. Throws a `RangeError`, and has changed nothing, if there is none. */
  makeRoomFor(words: number): void {
    this.#pages.makeRoomFor(words);
  }

  /** Tuples stay as they are, and others know where their numbers are. */
  replaceLayouts(layouts: ReadonlyMap<TupleLayout, TupleLayout>): void {
    this.#pages.replaceLayouts(layouts);
    this.#runs.replaceLayouts(layouts);
  }

  /** Nothing more will be found: what is not settled is forgotten, and so are the table and the runs. */
  stopFinding(): void {
    this.table.clear();
    this.#runs.close();
    this.#added = 0;
    this.#unsettled = 0;
  }

  /** Closes the files, and gives the memory back. Nothing is to be asked of it any more. */
  release(): void {
    this.hasBegun = false;
    this.#pages.release();
    this.#runs.release();
  }

  get #inTable(): number {
    return this.table.core.count.value >>> 0;
  }

  #settled(from: number, first: number): Settled {
    let asked = from;
    let number = first;
    return (unsettled) => {
      const place = from + unsettled - first;
      if (place < asked) [asked, number] = [from, first];
      for (; asked < place; asked++) if (!this.#isStale(asked)) number++;
      return this.#isStale(place) ? null : number;
    };
  }

  #isStale(number: number): boolean {
    const bit = number - this.#added;
    return (((this.#stale[bit >>> 3] as number) >>> (bit & 7)) & 1) === 1;
  }
}
