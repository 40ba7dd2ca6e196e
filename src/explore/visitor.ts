/** Lays out for the core what it needs to visit states by itself, beside the visited set, and has it do so: on this thread, or on several. */
import { numbersOf, type Place } from "../state/packing.js";
import { type Core, MOST_CHOICES, MOST_SLOTS, MOST_SOURCES, OWN, REMARKABLE } from "./core.js";
import type { Expander } from "./expander.js";
import type { Begun, Judge } from "./judge.js";
import type { Learner } from "./learner.js";
import type { Memory } from "./memory.js";
import { type Rest, STRETCH, Team, TOGETHER, type Together } from "./team.js";

/** Flags of property instances. */
export const SETTLED = 1;
/** Its window has been open, or what it is to witness was seen. */
export const OPENED = 2;
export const WITNESS = 4;

/** The core has a bit for each thread, and one for each mutex. */
const MOST_THREADS = 64;
export const MOST_MUTEXES = 52;

/** States that one thread visits before somebody looks at the clock. */
const STATES_AT_ONCE = 4096;

/** How many threads explore, and when they do so together. */
export interface Threads {
  readonly threads: number;
  readonly together: Together;
}

export const ONE_THREAD: Threads = { threads: 1, together: TOGETHER };

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
  readonly #makeTeam: () => Team;
  /** Null before there is work for one. */
  #team: Team | null = null;
  #canHaveTeam: boolean;
  /** States that were visited since the last remarkable one. */
  #calm = 0;
  #rests: Iterable<Rest> = [];
  #isTableWhole = true;

  constructor(
    readonly expander: Expander,
    judge: Judge,
    readonly allowed: Threads = ONE_THREAD,
  ) {
    const { store, learner, current: initial } = expander;
    const { machine, memory, packing } = learner;
    const { core } = store;
    this.#core = core;
    const { mutexCells } = machine.layout;
    // Without them no acquisition is like one before.
    const mutexes = mutexCells.length <= MOST_MUTEXES ? mutexCells.map((cell) => packing.cells[cell] as Place) : [];
    const allWords = Math.ceil(packing.words / 2);
    core.allWords.value = allWords;
    core.mutexes.value = mutexes.length;
    core.mutexTable.value = memory.allocate(mutexes.length * 12);
    const mutexTable = memory.words(core.mutexTable.value, mutexes.length * 3);
    mutexTable.set(mutexes.flatMap(numbersOf));
    core.instances.value = judge.flags.byteOffset;
    core.asksForEnds.value = Number(judge.asksForEnds);
    core.fuses.value = Number(learner.isFusing);
    const layOutBatch = () => batchRoom(memory, allWords, initial);
    for (const [at, address] of layOutBatch().entries()) core[OWN[at] as (typeof OWN)[number]].value = address;
    this.#makeTeam = () => new Team(memory, core, allowed.threads, allowed.together, layOutBatch);
    this.#canHaveTeam = allowed.threads > 1;
  }

  /** Whether the core can visit states of the learner's machine. */
  static canVisit({ machine }: Learner): boolean {
    return machine.threads.length <= MOST_THREADS;
  }

  /** Visits the states in their order. Before anything else is done with them, it has to be quiet, and what is left of them judged. */
  visit(task: Task): Visited {
    const core = this.#core;
    if (this.#growTogether()) return { next: task.from, remarkable: null };
    this.expander.store.makeRoom();
    this.expander.follow();
    this.#rests = [];
    const next = this.#visitTogether(task) ?? this.#visitAlone(task);
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

  /** Ends the other threads. */
  close(): void {
    this.#team?.close();
  }

  #visitAlone({ from, to, most }: Task): number {
    return this.#core.visit(from, Math.min(to, from + STATES_AT_ONCE), Math.min(most, 0xffffffff)) >>> 0;
  }

  /** Null if that is not worth the while. */
  #visitTogether({ from, to, most, until, isLarge }: Task): number | null {
    if (isLarge && this.#canHaveTeam && to - from >= this.allowed.together.least) this.#startTeam();
    if (!this.#team?.isWorthwhile(to - from, this.#calm)) return null;
    this.expander.store.makeMoreRoom(STRETCH);
    const next = this.#team.visit(from, to, Math.min(most, 0xffffffff), until);
    this.#rests = this.#team.rests();
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

  #startTeam(): void {
    this.#canHaveTeam = false;
    try {
      this.#team = this.#makeTeam();
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

/** Room for a core to work on a batch of states, which begin like that one: where it is, in the order of `OWN`. */
function batchRoom(memory: Memory, allWords: number, initial: Uint32Array): number[] {
  const blankStates = (states: number) => {
    const address = memory.allocate(states * allWords * 8);
    for (let state = 0; state < states; state++) memory.words(address + state * allWords * 8, initial.length).set(initial);
    return address;
  };
  const room: Record<(typeof OWN)[number], number> = {
    sources: blankStates(MOST_SOURCES),
    sourceTuple: memory.allocate(allWords * 8),
    slots: blankStates(MOST_SLOTS),
    // No tuple has more lanes than a state has words.
    slotTuples: memory.allocate(MOST_SLOTS * allWords * 8),
    slotLeaves: memory.allocate(MOST_SLOTS * 4),
    slotHashes: memory.allocate(MOST_SLOTS * 8),
    sourceSteps: memory.allocate((MOST_SOURCES + 1) * 4),
    sourceMoves: memory.allocate(MOST_SOURCES * 8),
    choiceStack: memory.allocate(MOST_CHOICES * 8),
    hashes: memory.allocate(MOST_SLOTS * 4),
  };
  return OWN.map((name) => room[name]);
}
