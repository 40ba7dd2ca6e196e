/**
 * The threads that explore one suite. All of them expand states; the main one also commits what they found, in the order of the
 * states, and looks at what is remarkable (core/blocks.ts). Whatever it changes besides, it changes between two stretches.
 */
import { resolve } from "node:path";
import { Worker } from "node:worker_threads";
import { bundledModule, COMMON, type Core, DONE, MOST_SLOTS, OWN } from "./core.js";
import type { Memory } from "./memory.js";
import { packageRoot } from "./package-root.js";
import { ENTER, EXPAND, type Kind, TeamControl } from "./team-control.js";
import type { MemberData } from "./team-worker.js";

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

export class Team {
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
    this.#rests = memory.words(memory.allocate(STRETCH * REST * 4), STRETCH * REST);
    core.rests.value = this.#rests.byteOffset;
    memory.isKnownElsewhere = true;
    const compiled = bundledModule();
    this.#members = batches.map((_, member) => this.#start({ member, shared: memory.shared, compiled, control: [address, length] }));
    if (together.waits) for (const { number } of this.#members) this.#control.awaitArrival(number);
  }

  /** Lays out what depends on how long states are; for each of the others there is such a batch. Nobody may be busy. */
  layOut(batches: readonly Batch[]): void {
    const { memory, core } = this;
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

  /**
   * Visits states from the one on, until there are more than `most`, one is remarkable, or it is that late. Returns the first
   * that was not wholly visited; the core has the reason.
   */
  visit(from: number, to: number, most: number, until: number): number {
    this.core.restCount.value = 0;
    const commit = (number: number, next: number) => this.#commit(number, next, most);
    return this.#work(EXPAND, from, Math.min(to, from + STRETCH), this.together.block, commit, until);
  }

  /** Whether so many states are better entered into the table together. */
  canEnter(count: number): boolean {
    return count >= this.together.enters && this.#present.length > 0;
  }

  /** Enters so many states into the table, which is empty. Whether all were: if somebody has died over it, some may not be. */
  enter(count: number): boolean {
    const next = this.#work(ENTER, 0, count, ENTERED, (number) => this.#control.block(number).to, Number.POSITIVE_INFINITY);
    return next === count;
  }

  /** Has all threads work on those states, until the core has a reason to stop or it is that late. Returns the first that is not done; `commit` is told in their order of blocks that are. */
  #work(kind: Kind, from: number, end: number, block: number, commit: (number: number, next: number) => number, until: number): number {
    const { core } = this;
    const control = this.#control;
    core.reason.value = DONE;
    control.open(
      kind,
      from,
      end,
      block,
      COMMON.map((name) => core[name].value),
    );
    if (this.together.waits) control.awaitTaken(PATIENCE);
    let next = from;
    let number = 0;
    let waited = 0;
    while (next < end) {
      if (control.isFinished(number)) {
        next = commit(number, next);
        if (core.reason.value !== DONE || performance.now() > until) break;
        control.free(number++);
        waited = 0;
        continue;
      }
      const taken = control.take();
      if (taken !== null) control.work(taken, core);
      else if (waited++ < PATIENCE) control.awaitFinished(number, 1);
      else break;
    }
    control.close();
    return next;
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

  /** Commits the block's states from that number on. */
  #commit(number: number, from: number, most: number): number {
    const { core } = this;
    const { to, buffer, bufferEnd } = this.#control.block(number);
    let next = core.commit(from, this.#control.expandedOf(number), buffer, most) >>> 0;
    // The others did not fit into the buffer.
    while (core.reason.value === DONE && next < to) {
      next = core.commit(next, core.expandBlock(next, to, buffer, bufferEnd), buffer, most) >>> 0;
    }
    return next;
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
