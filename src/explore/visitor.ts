/** Lays out for the core what it needs to visit states by itself, beside the visited set, and has it do so: on this thread, or on several. */
import { numbersOf, type Packing, type Place } from "../state/packing.js";
import { type Core, MOST_CHOICES, MOST_IMAGES, MOST_RECENT, MOST_SLOTS, MOST_SOURCES, OWN, REMARKABLE } from "./core.js";
import type { Expander } from "./expander.js";
import type { Begun, Judge } from "./judge.js";
import type { Learner } from "./learner.js";
import type { Memory } from "./memory.js";
import { type Batch, type Rest, type Room, STRETCH, Team, THREAD_BYTES, TOGETHER, type Together } from "./team.js";

/** Flags of property instances. */
export const SETTLED = 1;
/** Its window has been open, or what it is to witness was seen. */
export const OPENED = 2;
export const WITNESS = 4;

/** The core has a bit for each thread, and one for each mutex. */
const MOST_THREADS = 64;
export const MOST_MUTEXES = 52;

/** Numbers of a row of the table of mutexes. */
const MUTEX_ROW = 3;

/** States that one thread visits before somebody looks at the clock. */
const STATES_AT_ONCE = 4096;

/** How many threads explore, how many more may since they have nothing else to do, and when they do so together. */
export interface Threads {
  readonly threads: number;
  readonly idle: Int32Array | null;
  readonly together: Together;
}

export const ONE_THREAD: Threads = { threads: 1, idle: null, together: TOGETHER };

/** States to be visited. */
export interface Task {
  readonly from: number;
  readonly to: number;
  /** No more are visited when there are more states than that. */
  readonly most: number;
  /** Or when it is that late, by the clock of `performance.now()`. */
  readonly until: number;
  /** Whether it is a run for which other threads are worth starting. */
  readonly isLarge: boolean;
}

/** How far the core came. */
export interface Visited {
  /** The first state that was not wholly visited. */
  readonly next: number;
  /** Of that state, where it has to be looked at from outside; null if it need not, and only time or room was up. */
  readonly remarkable: Begun | null;
}

export class Visitor {
  readonly #core: Core;
  /** Where cores work on batches of states; the main thread's is the first. */
  #batches: readonly Batch[];
  #mutexTable: Uint32Array;
  /** Null before there is work for one. */
  #team: Team | null = null;
  /** Whether one can be started, if there are threads for it. */
  #canHaveTeam: boolean;
  /** Threads that had nothing else to do. */
  #taken = 0;
  /** States that were visited since the last remarkable one. */
  #calm = 0;
  #rests: Iterable<Rest> = [];
  #isTableWhole = true;

  constructor(
    readonly expander: Expander,
    judge: Judge,
    readonly allowed: Threads = ONE_THREAD,
  ) {
    const { store, learner } = expander;
    const { core } = store;
    this.#core = core;
    core.instances.value = judge.flags.byteOffset;
    core.asksForEnds.value = Number(judge.asksForEnds);
    core.fuses.value = Number(learner.isFusing);
    this.#mutexTable = this.#mutexPlaces();
    this.#batches = this.#newBatches(1);
    this.#tell();
    // Threads find what is known in a table of states.
    this.#canHaveTeam = store.lossy === null;
  }

  /** Lays out anew what depends on how states are packed. To be called when it is quiet. */
  layOut(): void {
    this.release();
    this.#mutexTable = this.#mutexPlaces();
    this.#batches = this.#newBatches(this.#batches.length);
    this.#tell();
    this.#team?.layOut(this.#batches.slice(1));
  }

  #tell(): void {
    const { packing } = this.expander.learner;
    const core = this.#core;
    core.allWords.value = allWords(packing);
    core.mutexes.value = this.#mutexTable.length / MUTEX_ROW;
    core.mutexTable.value = this.#mutexTable.byteOffset;
    for (const name of OWN) core[name].value = (this.#batches[0] as Batch)[name].address;
  }

  /** Without them no acquisition is like one before. */
  #mutexPlaces(): Uint32Array {
    const { machine, memory, packing } = this.expander.learner;
    const { mutexCells } = machine.layout;
    const mutexes = mutexCells.length <= MOST_MUTEXES ? mutexCells.map((cell) => packing.cells[cell] as Place) : [];
    const table = memory.allocateWords(mutexes.length * MUTEX_ROW);
    table.set(mutexes.flatMap(numbersOf));
    return table;
  }

  #newBatches(number: number): Batch[] {
    const { learner, current: initial } = this.expander;
    return Array.from({ length: number }, () => newBatch(learner.memory, allWords(learner.packing), initial));
  }

  /** Whether the core can visit states of the learner's machine. */
  static canVisit({ machine }: Learner): boolean {
    return machine.threads.length <= MOST_THREADS;
  }

  /** Visits the states in their order. Before anything else is done with them, it has to be quiet, and what is left of them judged. */
  visit(task: Task): Visited {
    const core = this.#core;
    const { store } = this.expander;
    if (this.#growTogether()) return { next: task.from, remarkable: null };
    store.makeRoom();
    this.expander.follow();
    this.#rests = [];
    const shown = { ...task, to: Math.min(task.to, store.show(task.from)), most: Math.min(task.most - store.elsewhere, 0xffffffff) };
    const next = this.#visitTogether(shown) ?? this.#visitAlone(shown);
    if (core.reason.value !== REMARKABLE) {
      this.#calm += next - task.from;
      return { next, remarkable: null };
    }
    this.#calm = 0;
    const isNew = core.isNew.value;
    return { next, remarkable: { step: core.step.value, isNew: isNew < 0 ? null : isNew === 1 } };
  }

  /** Whether nobody looks at the states any more; waits a little for that. */
  isQuiet(): boolean {
    return this.#team?.isQuiet() ?? true;
  }

  /** Has the table as it has to be, if some thread has died over it. To be called when it is quiet. */
  mendTable(): void {
    if (this.#isTableWhole) return;
    this.expander.store.rehash();
    this.#isTableWhole = true;
  }

  /** Of what was visited last, what the core has not had judged. */
  get rests(): Iterable<Rest> {
    return this.#rests;
  }

  /** Threads that have explored anything. */
  get threads(): number {
    return this.#team?.threads ?? 1;
  }

  /** Gives back what the cores have worked in. To be called when it is closed. */
  release(): void {
    const { memory } = this.expander.learner;
    memory.releaseAll([this.#mutexTable]);
    for (const batch of this.#batches) release(memory, batch);
  }

  /** Ends the other threads. */
  close(): void {
    this.#team?.close();
    const { idle } = this.allowed;
    if (idle !== null) Atomics.add(idle, 0, this.#taken);
    this.#taken = 0;
  }

  #visitAlone({ from, to, most }: Task): number {
    return this.#core.visit(from, Math.min(to, from + STATES_AT_ONCE), most) >>> 0;
  }

  /** Null if that is not worth the while. */
  #visitTogether(task: Task): number | null {
    const { store } = this.expander;
    const left = task.to - task.from;
    if (task.isLarge && this.#canHaveTeam && left >= this.allowed.together.least) this.#startTeam();
    const team = this.#team;
    if (team === null || !(team.canGoOn(task, store.layout) || team.isWorthwhile(left, this.#calm))) return null;
    store.makeMoreRoom(STRETCH);
    const next = team.visit(task, store.layout);
    this.#rests = team.rests();
    return next;
  }

  /** Lets the table grow if it has to, and if that is worth more threads than one. Whether it has grown. */
  #growTogether(): boolean {
    const { store } = this.expander;
    if (!store.isTableFull || !this.#team?.canEnter(store.count)) return false;
    store.growTable();
    this.#rests = [];
    this.#isTableWhole = this.#team.enter(store.count);
    return true;
  }

  /** If there are threads for it. */
  #startTeam(): void {
    const { threads: allowed, idle, together } = this.allowed;
    this.#taken = idle === null ? 0 : Atomics.exchange(idle, 0, 0);
    const threads = allowed + this.#taken;
    if (threads === 1) return;
    this.#canHaveTeam = false;
    const { memory } = this.expander.learner;
    // What those take that were allowed has been taken off.
    memory.most -= this.#taken * THREAD_BYTES;
    try {
      const batches = this.#newBatches(threads - 1);
      this.#team = new Team(memory, this.#core, together, batches);
      this.#batches = [...this.#batches, ...batches];
    } catch (error) {
      // There is no room for what each thread needs: one can go on.
      if (!(error instanceof RangeError)) throw error;
    }
  }

  /** Steps out of the states that were visited wholly. */
  get transitions(): number {
    return this.#core.transitions.value;
  }
}

/** 64-bit words of a state with what never changes behind it. */
function allWords({ words }: Packing): number {
  return Math.ceil(words / 2);
}

/** Room for a core to work on a batch of states of so many words, which begin like that one. */
function newBatch(memory: Memory, words: number, initial: Uint32Array): Batch {
  const room = (bytes: number): Room => ({ address: memory.allocate(bytes), bytes });
  const blankStates = (states: number) => {
    const blank = room(states * words * 8);
    for (let state = 0; state < states; state++) memory.words(blank.address + state * words * 8, initial.length).set(initial);
    return blank;
  };
  return {
    sources: blankStates(MOST_SOURCES),
    sourceTuple: room(words * 8),
    slots: blankStates(MOST_SLOTS),
    // No tuple has more lanes than a state has words.
    slotTuples: room(MOST_SLOTS * words * 8),
    slotLeaves: room(MOST_SLOTS * 4),
    slotHashes: room(MOST_SLOTS * 8),
    sourceSteps: room((MOST_SOURCES + 1) * 4),
    sourceMoves: room(MOST_SOURCES * 8),
    choiceStack: room(MOST_CHOICES * 8),
    hashes: room(MOST_SLOTS * 4),
    images: blankStates(MOST_IMAGES + 1),
    recent: room(MOST_RECENT * 4),
  };
}

function release(memory: Memory, batch: Batch): void {
  for (const { address, bytes } of Object.values(batch)) memory.release(address, bytes);
}
