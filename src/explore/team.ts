/**
 * The threads that explore one suite. All of them expand states; the main one also commits what they found, in the order of the
 * states, and looks at what is remarkable (core/blocks.ts). Whatever it changes besides, it changes between two stretches.
 */
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { bundledModule, COMMON, type Core, DONE, MOST_SLOTS, OWN, REMARKABLE } from "./core.js";
import type { Memory } from "./memory.js";
import { packageRoot } from "./package-root.js";
import { ENTER, EXPAND, TeamControl } from "./team-control.js";
import type { MemberData } from "./team-worker.js";
import type { TupleLayout } from "./tuples.js";
import type { Task } from "./visitor.js";

/** When states are explored together. */
export interface Together {
  /** States of a block: a small part of a millisecond's work. */
  readonly block: number;
  /** States that have to be left of a level: to open a stretch takes as long as to visit some hundreds. */
  readonly least: number;
  /** States since the last remarkable one, at which what others have expanded is lost. */
  readonly calm: number;
  /** States from which on they are entered together into a table that has grown. */
  readonly enters: number;
  /** Others come first: wait for them to be there, and in each stretch for one to take a block. Only so they see anything of a small run. */
  readonly waits: boolean;
}

export const TOGETHER: Together = { block: 128, least: 1024, calm: 1024, enters: 1 << 17, waits: false };

/** States of a block that are entered into the table. */
const ENTERED = 4096;

/** What another thread takes of the process's memory before it has done anything. */
export const THREAD_BYTES = 12_000_000;

/** Most states of a stretch. */
export const STRETCH = 1 << 16;

/** Buffers for each thread, so that those that are ahead need not wait for those behind. */
const BUFFERS = 16;
const BUFFER_BYTES = 1 << 16;
/** In numbers, what there is of each rest; as in core/blocks.ts. */
export const REST = 3;

/** Milliseconds to wait for another thread, until the event loop is given a turn to tell what has become of it. */
const PATIENCE = 100;

/** A state in which somebody may be stuck, or that is an end; and which threads can move. */
export type Rest = readonly [number: number, moves: number, upperMoves: number];

/** A region of the memory. */
export interface Room {
  readonly address: number;
  readonly bytes: number;
}

/** Where a core works on a batch of states. */
export type Batch = Readonly<Record<(typeof OWN)[number], Room>>;

/** How far a stretch has come: the block in turn, the first state that is not visited, and the one behind the last. */
interface Turn {
  block: number;
  next: number;
  readonly to: number;
}

/** States that were expanded, and where it is written down what was found. */
interface Expanded {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/** A stretch of states that are visited. */
interface Stretch extends Turn {
  /** What is written down of them are tuples of this layout. */
  readonly layout: TupleLayout;
  /** What is left of the block in turn; null before any of it is committed. */
  expanded: Expanded | null;
  /** Blocks before that one may have been expanded when less was known. */
  olderBlocks: number;
}

export class Team {
  /** The last stretch, if it was left before its end. */
  #left: Stretch | null = null;
  readonly #members: { readonly number: number; isGone: boolean }[];
  readonly #control: TeamControl;
  readonly #rests: Uint32Array;
  /** Where what was expanded of a block is written down: all buffers, and how long each is. */
  #buffers: Room & { readonly each: number } = { address: 0, bytes: 0, each: 0 };

  /** A thread for each batch, beside the main one. */
  constructor(
    readonly memory: Memory,
    readonly core: Core,
    readonly together: Together,
    batches: readonly Batch[],
  ) {
    const length = TeamControl.size((batches.length + 1) * BUFFERS, batches.length);
    const address = memory.allocate(length * 4);
    this.#control = new TeamControl(new Int32Array(memory.shared.buffer, address, length));
    this.layOut(batches);
    this.#rests = memory.allocateWords(STRETCH * REST);
    core.rests.value = this.#rests.byteOffset;
    memory.isKnownElsewhere = true;
    const compiled = bundledModule();
    this.#members = batches.map((_, member) => this.#start({ member, shared: memory.shared, compiled, control: [address, length] }));
    if (together.waits) for (const { number } of this.#members) this.#control.awaitArrival(number);
  }

  /** Lays out what depends on how long states are; for each of the others there is such a batch. Nobody may be busy. */
  layOut(batches: readonly Batch[]): void {
    const { memory, core } = this;
    this.#left = null;
    const number = (batches.length + 1) * BUFFERS;
    // One state has room in each, whatever its steps lead to.
    const each = Math.max(BUFFER_BYTES, (MOST_SLOTS + 1) * (16 + core.allWords.value * 8));
    if (each > this.#buffers.each) {
      const bytes = number * each;
      if (this.#buffers.each > 0) memory.release(this.#buffers.address, this.#buffers.bytes);
      this.#buffers = { address: memory.allocate(bytes, false), bytes, each };
      this.#control.setUp(this.#buffers.address, number, each);
    }
    for (const [member, batch] of batches.entries())
      this.#control.setOwn(
        member,
        OWN.map((name) => batch[name].address),
      );
  }

  /** Whether states are better explored together, of which so many are left, and so many have not been remarkable. */
  isWorthwhile(left: number, calm: number): boolean {
    return left >= this.together.least && calm >= this.together.calm && this.#present.length > 0;
  }

  /** Whether these states begin where the last stretch was left before its end, which is one of them: some of what comes may be expanded already. */
  canGoOn({ from, to }: Pick<Task, "from" | "to">, layout: TupleLayout): boolean {
    const left = this.#left;
    if (left === null || left.layout !== layout || from === left.to || left.to > to) return false;
    return from >= left.next && from <= this.#control.block(left.block).to;
  }

  /**
   * Visits states, which are kept in that layout, until there are more than `most`, one is remarkable, or it is that late. Returns the
   * first that was not wholly visited; the core has the reason.
   */
  visit({ from, to, most, until }: Omit<Task, "isLarge">, layout: TupleLayout): number {
    const control = this.#control;
    const goesOn = this.canGoOn({ from, to }, layout) ? this.#left : null;
    const stretch = goesOn ?? { block: 0, next: from, to: Math.min(to, from + STRETCH), layout, expanded: null, olderBlocks: 0 };
    if (goesOn === null) control.prepare(EXPAND, from, stretch.to, this.together.block);
    stretch.next = from;
    stretch.olderBlocks = control.firstFree;
    this.#left = stretch;
    this.core.restCount.value = 0;
    this.#work(stretch, () => this.#commit(stretch, most), until);
    return stretch.next;
  }

  /** Whether so many states are better entered into the table together. */
  canEnter(count: number): boolean {
    return count >= this.together.enters && this.#present.length > 0;
  }

  /** Enters so many states into the table, which is empty. Whether all were: if somebody has died over it, some may not be. */
  enter(count: number): boolean {
    const control = this.#control;
    this.#left = null;
    control.prepare(ENTER, 0, count, ENTERED);
    const stretch = { block: 0, next: 0, to: count };
    const note = () => {
      stretch.next = control.block(stretch.block).to;
      control.free(stretch.block++);
    };
    this.#work(stretch, note, Number.POSITIVE_INFINITY);
    return stretch.next === count;
  }

  /** Has all threads work on the stretch, until the core has a reason to stop or it is that late; `commit` is called when the block in turn is finished. */
  #work(stretch: Turn, commit: () => void, until: number): void {
    const { core } = this;
    const control = this.#control;
    core.reason.value = DONE;
    control.open(COMMON.map((name) => core[name].value));
    if (this.together.waits) control.awaitTaken(PATIENCE);
    let waited = 0;
    while (stretch.next < stretch.to) {
      if (control.isFinished(stretch.block)) {
        commit();
        if (core.reason.value !== DONE || performance.now() > until) break;
        waited = 0;
        continue;
      }
      const taken = control.take();
      if (taken !== null) control.work(taken, core);
      else if (waited++ < PATIENCE) control.awaitFinished(stretch.block, 1);
      else {
        // Whoever has taken it may have died.
        this.#left = null;
        break;
      }
    }
    control.close();
  }

  /** Whether no other thread looks at anything, after waiting for that a little. */
  isQuiet(): boolean {
    const busy = this.#members.filter(({ number, isGone }) => !isGone && this.#control.isBusy(number));
    for (const { number } of busy) this.#control.awaitIdle(number, PATIENCE);
    return busy.every(({ number }) => !this.#control.isBusy(number));
  }

  /** What was committed last in which something has to be asked of the rest. */
  *rests(): Generator<Rest> {
    const rests = this.#rests;
    for (let at = 0; at < this.core.restCount.value * REST; at += REST) {
      yield [rests[at] as number, rests[at + 1] as number, rests[at + 2] as number];
    }
  }

  /** Threads that have expanded anything, the main one included. */
  get threads(): number {
    return 1 + this.#members.filter(({ number }) => this.#control.blocksOf(number) > 0).length;
  }

  close(): void {
    this.#control.end();
  }

  get #present() {
    return this.#members.filter(({ number, isGone }) => !isGone && this.#control.isHere(number));
  }

  /** Commits what is left of the block in turn, which somebody has expanded. */
  #commit(stretch: Stretch, most: number): void {
    const { core } = this;
    const control = this.#control;
    const { to, buffer, bufferEnd } = control.block(stretch.block);
    const expand = (from: number): Expanded => ({ from, to: from + core.expandBlock(from, to, buffer, bufferEnd), at: buffer });
    let mayBeKnown = stretch.block < stretch.olderBlocks;
    let expanded = stretch.expanded ?? { from: stretch.next, to: stretch.next + control.expandedOf(stretch.block), at: buffer };
    for (;;) {
      // Not those: what was there did not fit into the buffer, or was not looked at behind a remarkable state.
      if (expanded.from !== stretch.next || expanded.from === expanded.to) expanded = expand(stretch.next);
      stretch.next = core.commit(expanded.from, expanded.to - expanded.from, expanded.at, most) >>> 0;
      const isRemarkable = core.reason.value === REMARKABLE;
      expanded = { from: stretch.next + Number(isRemarkable), to: expanded.to, at: core.uncommitted.value >>> 0 };
      if (isRemarkable && core.isNew.value < 0 && mayBeKnown) {
        // What was missing may have been learned since.
        mayBeKnown = false;
        core.reason.value = DONE;
        expanded = expand(stretch.next);
        continue;
      }
      stretch.expanded = expanded;
      if (core.reason.value !== DONE) return;
      if (stretch.next === to) break;
    }
    stretch.expanded = null;
    control.free(stretch.block++);
  }

  #start(workerData: MemberData) {
    const member = { number: workerData.member, isGone: false };
    const worker = new Worker(resolve(packageRoot(), "dist/explore/team-worker.js"), { workerData, execArgv: [] });
    const forget = () => {
      member.isGone = true;
    };
    // Whatever has become of it, the others explore what it has not.
    worker.on("error", forget);
    worker.on("exit", forget);
    worker.unref();
    return member;
  }
}
