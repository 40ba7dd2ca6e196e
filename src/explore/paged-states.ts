/**
 * States in the order of their numbers, on disk: pages of as many as a chunk has, each with the layout of its tuples. In memory there are
 * the page that is being filled and the one that was asked for last; the core finds both as it finds chunks.
 */
import type { Core } from "./core.js";
import type { Memory } from "./memory.js";
import { ScratchFile, type ScratchFolder } from "./scratch-file.js";
import { BEHIND, CHUNK_BITS, CHUNK_ROW, CHUNK_STATES, type TupleLayout } from "./tuples.js";

/** The core numbers states by 32 bits, and has other meanings for the last of these. */
const MOST_STATES = 2 ** 32 - CHUNK_STATES;

/** Pages that there is room for at first. */
const FIRST_PAGES = 4096;

export class PagedStates {
  count = 0;
  #file: ScratchFile | null = null;
  /** By page, what the core knows of a chunk, and where in the file it is. */
  #rows: Uint32Array;
  readonly #places: number[] = [];
  readonly #layouts: TupleLayout[] = [];
  /** Room for a page whatever its tuples: one is being filled, the other shown. */
  #pageBytes: number;
  #filled: number;
  #filledPage = -1;
  #shown: number;
  #shownPage = -1;
  #layout: TupleLayout | null = null;

  /** Of states of so many 64-bit words. */
  constructor(
    readonly memory: Memory,
    readonly core: Core,
    readonly folder: ScratchFolder,
    words: number,
  ) {
    this.#rows = memory.allocateWords(FIRST_PAGES * CHUNK_ROW, false);
    this.#pageBytes = bytesOfPage(words);
    this.#filled = memory.allocate(this.#pageBytes, false);
    this.#shown = memory.allocate(this.#pageBytes, false);
  }

  /** Opens the file. From now on it is here that the core finds the states that are visited. */
  open(): void {
    this.#file = new ScratchFile(this.folder);
    this.core.pages.value = this.#rows.byteOffset;
  }

  /** Makes room for what has to be known of so many more states. Throws a `RangeError`, and has changed nothing, if there is none. */
  reserve(states: number): void {
    if (this.count + states > MOST_STATES) throw new RangeError("no room for more states than have numbers of 32 bits");
    const pages = (this.count + states) / CHUNK_STATES + 1;
    if (pages * CHUNK_ROW <= this.#rows.length) return;
    this.#rows = this.memory.enlarge(this.#rows, Math.ceil(2 * pages) * CHUNK_ROW, false);
    this.core.pages.value = this.#rows.byteOffset;
  }

  /** Adds the states of the table from the one to the one before the other that are not stale; their tuples get that layout, which is being filled. */
  append(from: number, to: number, layout: TupleLayout): void {
    const { core } = this;
    this.reserve(to - from);
    this.#fillIn(layout);
    for (let next = from; next < to; ) {
      const inPage = this.count % CHUNK_STATES;
      if (inPage === 0) {
        this.#filledPage = this.count >>> CHUNK_BITS;
        this.#placeFilled(layout);
      }
      next = core.collect(next, to, this.#filled + inPage * layout.bytes, CHUNK_STATES - inPage) >>> 0;
      this.count += core.collected.value;
      if (core.collected.value > 0 && this.count % CHUNK_STATES === 0) this.#writeFilled(layout);
    }
  }

  /** Makes the page of that state one that the core can read. Returns the number of the first state behind it. */
  show(number: number): number {
    const page = number >>> CHUNK_BITS;
    if (page !== this.#filledPage && page !== this.#shownPage) {
      const bytes = this.#rows[page * CHUNK_ROW + 2] as number;
      this.#shownPage = -1;
      this.#file?.read(this.#places[page] as number, this.memory.bytes(this.#shown, CHUNK_STATES * bytes));
      this.#rows[page * CHUNK_ROW] = this.#shown;
      this.#shownPage = page;
    }
    return (page + 1) * CHUNK_STATES;
  }

  /** Makes room for states of so many 64-bit words. Throws a `RangeError`, and has changed nothing, if there is none. */
  makeRoomFor(words: number): void {
    const { memory } = this;
    const bytes = bytesOfPage(words);
    if (bytes <= this.#pageBytes) return;
    const filled = memory.allocate(bytes, false);
    let shown: number;
    try {
      shown = memory.allocate(bytes, false);
    } catch (error) {
      memory.release(filled, bytes);
      throw error;
    }
    memory.bytes(filled, this.#pageBytes).set(memory.bytes(this.#filled, this.#pageBytes));
    for (const address of [this.#filled, this.#shown]) memory.release(address, this.#pageBytes);
    this.#pageBytes = bytes;
    [this.#filled, this.#shown] = [filled, shown];
    this.#shownPage = -1;
    if (this.#filledPage >= 0) this.#rows[this.#filledPage * CHUNK_ROW] = filled;
  }

  /** Tuples stay as they are, and others know where their numbers are. */
  replaceLayouts(layouts: ReadonlyMap<TupleLayout, TupleLayout>): void {
    for (const [page, before] of this.#layouts.entries()) {
      const layout = layouts.get(before) as TupleLayout;
      this.#layouts[page] = layout;
      this.#rows[page * CHUNK_ROW + 1] = layout.columns.byteOffset;
    }
    this.#layout = this.#layout && (layouts.get(this.#layout) as TupleLayout);
  }

  /** Closes the file, and gives the memory back. */
  release(): void {
    const { memory } = this;
    this.#file?.close();
    this.#file = null;
    memory.releaseAll([this.#rows]);
    for (const address of [this.#filled, this.#shown]) memory.release(address, this.#pageBytes);
  }

  /** Has what there is of the page that is being filled in that layout. */
  #fillIn(layout: TupleLayout): void {
    const before = this.#layout;
    this.#layout = layout;
    if (layout === before || before === null || this.#filledPage < 0) return;
    this.core.translateAll(this.#filled, before.columns.byteOffset, before.bytes, this.count % CHUNK_STATES, this.#shown);
    [this.#filled, this.#shown] = [this.#shown, this.#filled];
    this.#shownPage = -1;
    this.#placeFilled(layout);
  }

  #placeFilled(layout: TupleLayout): void {
    this.#layouts[this.#filledPage] = layout;
    this.#rows.set([this.#filled, layout.columns.byteOffset, layout.bytes], this.#filledPage * CHUNK_ROW);
  }

  /** The page that has been filled goes to the file, and stays the one that is shown. */
  #writeFilled({ bytes }: TupleLayout): void {
    this.#places.push(this.#file?.bytes ?? 0);
    this.#file?.append(this.memory.bytes(this.#filled, CHUNK_STATES * bytes));
    [this.#filled, this.#shown] = [this.#shown, this.#filled];
    this.#shownPage = this.#filledPage;
    this.#filledPage = -1;
  }
}

/** No tuple has more lanes than a state has words. */
function bytesOfPage(words: number): number {
  return CHUNK_STATES * words * 8 + BEHIND;
}
