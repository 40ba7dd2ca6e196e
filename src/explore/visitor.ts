/** Lays out for the core what it needs to visit states by itself, beside the visited set, and has it do so. */
import type { Place } from "../state/packing.js";
import { type Core, MOST_CHOICES, MOST_SLOTS, MOST_SOURCES, REMARKABLE } from "./core.js";
import type { Expander } from "./expander.js";
import type { Begun, Judge } from "./judge.js";
import type { Learner } from "./learner.js";

/** Flags of property instances. */
export const SETTLED = 1;
/** Its window has been open, or what it is to witness was seen. */
export const OPENED = 2;
export const WITNESS = 4;

/** The core has a bit for each thread, and one for each mutex. */
const MOST_THREADS = 64;
export const MOST_MUTEXES = 52;

/** How far the core came. */
export interface Visited {
  /** The first state that was not wholly visited. */
  readonly next: number;
  /** Of that state, where it has to be looked at from outside; null if it need not, and only time or room was up. */
  readonly remarkable: Begun | null;
}

export class Visitor {
  readonly #core: Core;

  constructor(
    readonly expander: Expander,
    judge: Judge,
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
    mutexTable.set(mutexes.flatMap(({ word, shift, mask }) => [word, shift, mask]));
    core.instances.value = judge.flags.byteOffset;
    core.asksForEnds.value = Number(judge.asksForEnds);
    core.fuses.value = Number(learner.isFusing);
    const room = (states: number) => {
      const address = memory.allocate(states * allWords * 8);
      for (let state = 0; state < states; state++) memory.words(address + state * allWords * 8, initial.length).set(initial);
      return address;
    };
    core.sources.value = room(MOST_SOURCES);
    core.sourceTuple.value = memory.allocate(allWords * 8);
    core.slots.value = room(MOST_SLOTS);
    // No tuple has more lanes than a state has words.
    core.slotTuples.value = memory.allocate(MOST_SLOTS * allWords * 8);
    core.slotLeaves.value = memory.allocate(MOST_SLOTS * 4);
    core.slotHashes.value = memory.allocate(MOST_SLOTS * 8);
    core.sourceSteps.value = memory.allocate((MOST_SOURCES + 1) * 4);
    core.sourceMoves.value = memory.allocate(MOST_SOURCES * 8);
    core.choiceStack.value = memory.allocate(MOST_CHOICES * 8);
  }

  /** Whether the core can visit states of the learner's machine. */
  static canVisit({ machine }: Learner): boolean {
    return machine.threads.length <= MOST_THREADS;
  }

  /** Visits the states from one to the one before the other, until there are more than `most`. */
  visit(from: number, to: number, most: number): Visited {
    const core = this.#core;
    this.expander.store.makeRoom();
    this.expander.follow();
    const next = core.visit(from, to, Math.min(most, 0xffffffff)) >>> 0;
    if (core.reason.value !== REMARKABLE) return { next, remarkable: null };
    const isNew = core.isNew.value;
    return { next, remarkable: { step: core.step.value, isNew: isNew < 0 ? null : isNew === 1 } };
  }

  /** Steps out of the states that were visited wholly. */
  get transitions(): number {
    return this.#core.transitions.value;
  }
}
