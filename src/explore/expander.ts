/** The states that are known, and the steps out of each, by learned rules; what is missing is learned on the way. */
import { ModelError } from "../lang/errors.js";
import { type Move, Packing, type Places, without } from "../state/packing.js";
import { readCell } from "../state/state.js";
import type { BlockRun } from "../step/block.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { type Host, MOST_CHOICES, MOST_FUSED } from "./core.js";
import { FreedSlots } from "./freed-slots.js";
import { FUSED, type Leaf, type Learner } from "./learner.js";
import type { LossyOptions } from "./lossy-table.js";
import { NormalForms } from "./normal-forms.js";
import type { Disk } from "./out-of-core.js";
import { CHOICE, CHOICE_CHILDREN, LEAF, LEAF_FLAGS, LEAF_WRITES, READ, READ_CHILDREN } from "./rules.js";
import { SetAside, type StateSet } from "./state-set.js";
import { Store } from "./store.js";

/** Thrown where states would have to be packed otherwise that are not kept: in so many bits for control states, and of the cells these. */
export class PackingChanged extends Error {
  constructor(
    readonly controlBits: readonly number[],
    readonly changing: ReadonlySet<number> | null,
  ) {
    super("states that are not kept would have to be packed otherwise");
  }
}

/** Most that the rules take at once while they are packed otherwise, in what they take before: they grow by doubling. */
const REPACKED = 4;

export class Expander {
  store: Store;
  /** The state being expanded. */
  current: Uint32Array;
  /** The state a step leads to, where the core can see it. */
  next: Uint32Array;
  /** Addresses of the leaves of the current state's steps, in canonical order. */
  leafAt = new Int32Array(256);
  /** By thread, whether it has a step out of the current state. */
  readonly canMove: boolean[];
  /** When learning has to be interrupted, by the clock of `performance.now()`. */
  pauseAt = Number.POSITIVE_INFINITY;
  readonly #choiceNode = new Int32Array(MOST_CHOICES);
  readonly #choiceTaken = new Int32Array(MOST_CHOICES);
  #freedSlots: FreedSlots;
  /** Null if all states are kept, and as they are. */
  #normalForms: NormalForms | null;
  /** All states, where all are in memory. */
  readonly #inMemory: Pick<StateSet, "numberOf"> = { numberOf: (state) => this.store.find(state) };
  #lossy: LossyOptions | null = null;
  #disk: Disk | null = null;

  /**
   * What the learner has learned for another is known. `noteLearned` is told of each block that is learned, with the
   * number of the state and that of the step out of it; `judgeRest` is what the core asks for.
   */
  constructor(
    readonly machine: Machine,
    readonly learner: Learner,
    readonly noteLearned: (control: Control, block: BlockRun, state: number, ordinal: number) => void,
    readonly judgeRest: Host["judgeRest"],
  ) {
    this.store = this.#newStore(learner.packing);
    // What never changes stands in both behind what does.
    this.current = learner.packing.pack(machine.initial);
    this.next = this.#initialInMemory();
    this.canMove = machine.threads.map(() => false);
    this.#freedSlots = new FreedSlots(learner, this.store.core);
    this.#normalForms = this.#newNormalForms();
  }

  /** Lets the core see what has been learned. Throws a `TooManyControls` if that takes more bits for control states. */
  follow(): void {
    this.store.core.rules.value = this.learner.rules.address;
    this.#freedSlots.follow();
    this.#normalForms?.follow();
  }

  /**
   * Packs all states otherwise, each thread's control state in so many bits, and of the cells only those that change. Where that was
   * done before, what is more only gets a place, and states stay as they are.
   */
  repack(controlBits: readonly number[], changing: ReadonlySet<number> | null): void {
    const { store, learner, machine } = this;
    if (store.lossy !== null) throw new PackingChanged(controlBits, changing);
    // What is learned is not packed otherwise by halves.
    const roomForRules = REPACKED * learner.rules.heap.byteLength;
    const reserved = learner.memory.allocate(roomForRules, false);
    const { packing: old } = learner;
    const isZeroAtFirst = (cell: number) => readCell(machine.layout, machine.initial, cell) === 0;
    const packing = new Packing(machine.layout, controlBits, changing, old.changing === null ? null : { packing: old, isZeroAtFirst });
    const moves = packing.movesFrom(old);
    const initial = packing.pack(machine.initial);
    const rest = without(moves, initial);
    // If there is no room for what comes first, all is as it was.
    try {
      if (old.changing !== null) store.extend(packing.changingWords, initial);
      else this.#absorbInto(this.#newStore(packing), moves, rest);
    } finally {
      learner.memory.release(reserved, roomForRules);
    }
    learner.repack(packing, moves, rest);
    this.current = initial;
    learner.memory.releaseAll([this.next]);
    this.next = this.#initialInMemory();
    this.#layOutForStore();
  }

  /** Has the store be that one, with all states packed otherwise. */
  #absorbInto(packed: Store, moves: readonly Move[], rest: Uint32Array): void {
    const { store } = this;
    try {
      store.leaveMemory();
      packed.absorb(store.blocks(), store.words, moves, rest);
    } catch (error) {
      packed.release();
      throw error;
    }
    this.store = packed;
    store.release();
  }

  /** Of a run that has not begun: it will forget the states that it has visited, which are packed like that. */
  forgetVisited(lossy: LossyOptions, controlBits: readonly number[], changing: ReadonlySet<number> | null): void {
    this.#lossy = lossy;
    this.repack(controlBits, changing);
  }

  /** Of a run that has not begun: its states go there when there is no room for more of them in memory. */
  useDisk(disk: Disk): void {
    const { store } = this;
    this.#disk = disk;
    this.store = this.#newStore(this.learner.packing);
    this.#layOutForStore();
    store.release();
  }

  /** Gives all back but what was learned. Nothing is to be asked of it any more. */
  release(): void {
    this.store.release();
    this.#freedSlots.release();
    this.#normalForms?.release();
    this.learner.memory.releaseAll([this.next]);
  }

  /** Adds states that were packed in these places, in their order. */
  absorb(places: Places, blocks: Iterable<Uint32Array>): void {
    const { packing } = this.learner;
    const moves = packing.movesFrom(places);
    this.store.absorb(blocks, places.changingWords, moves, without(moves, packing.pack(this.machine.initial)));
  }

  /** Makes the state current and collects the steps out of it, learning what is missing. Returns how many there are, or -1 if learning took too long: try again after a look around. */
  expand(number: number): number {
    const { learner, current } = this;
    this.store.load(number, current);
    const { rules } = learner;
    const choiceNode = this.#choiceNode;
    const choiceTaken = this.#choiceTaken;
    let count = 0;
    for (let thread = 0; thread < this.canMove.length; thread++) {
      const before = count;
      const root = learner.rootOf(thread, learner.controlNumber(current, thread));
      let heap = rules.heap;
      let slot = root;
      let choices = 0;
      for (;;) {
        const node = heap[slot] as number;
        if (node === 0) {
          if (performance.now() > this.pauseAt) return -1;
          const { control, block } = learner.learnBlock(thread, current, Array.from(choiceTaken.subarray(0, choices)));
          this.noteLearned(control, block, number, count);
          this.#normalForms?.follow();
          heap = rules.heap;
          continue;
        }
        const kind = heap[node] as number;
        if (kind < CHOICE) {
          slot =
            node +
            READ_CHILDREN +
            (((current[heap[node + 1] as number] as number) >>> (heap[node + 2] as number)) & (heap[node + 3] as number));
          continue;
        }
        if (kind === CHOICE) {
          if (choices === MOST_CHOICES) {
            throw new ModelError(
              `a step of ${this.machine.names.threads[thread]} makes more than ${choices} choices`,
              "Put a yield between them.",
            );
          }
          choiceNode[choices] = node;
          choiceTaken[choices++] = 0;
          slot = node + CHOICE_CHILDREN;
          continue;
        }
        if (kind === LEAF) {
          if (count === this.leafAt.length) {
            const larger = new Int32Array(count * 2);
            larger.set(this.leafAt);
            this.leafAt = larger;
          }
          this.leafAt[count++] = node;
        }
        // Back to the last choice that has an alternative left.
        let alternative = -1;
        while (choices > 0) {
          const taken = (choiceTaken[choices - 1] as number) + 1;
          const choice = choiceNode[choices - 1] as number;
          if (taken < (heap[choice + 1] as number)) {
            choiceTaken[choices - 1] = taken;
            alternative = choice + CHOICE_CHILDREN + taken;
            break;
          }
          choices--;
        }
        if (alternative < 0) break;
        slot = alternative;
      }
      this.canMove[thread] = count > before;
    }
    return count;
  }

  /** The leaf of a step. */
  leafOf(step: number): Leaf {
    return this.learner.leaves[this.learner.rules.heap[(this.leafAt[step] as number) + 1] as number] as Leaf;
  }

  /** Puts into `next` the state that the step, with what is fused with it, leads to from `current`. */
  apply(step: number): void {
    const { current, next } = this;
    const { words } = this.store;
    for (let word = 0; word < words; word++) next[word] = current[word] as number;
    this.#write(this.leafAt[step] as number);
    if (!this.learner.isFusing) return;
    for (let length = 0; length < MOST_FUSED; length++) {
      const leaf = this.#fusedLeaf();
      if (leaf === 0) break;
      this.#write(leaf);
    }
  }

  /** Address of the leaf of a step out of `next` that is fused with the one that leads there; 0 if there is none. */
  #fusedLeaf(): number {
    const { learner, next } = this;
    const { heap } = learner.rules;
    for (let thread = 0; thread < this.canMove.length; thread++) {
      const control = learner.controlNumber(next, thread);
      if (!learner.fusesAt(thread, control)) continue;
      let node = heap[learner.rootOf(thread, control)] as number;
      while (heap[node] === READ) {
        const place = ((next[heap[node + 1] as number] as number) >>> (heap[node + 2] as number)) & (heap[node + 3] as number);
        node = heap[node + READ_CHILDREN + place] as number;
      }
      if (heap[node] === LEAF && ((heap[node + LEAF_FLAGS] as number) & FUSED) !== 0) return node;
    }
    return 0;
  }

  /** Changes `next` by what the leaf at that address writes. */
  #write(leaf: number): void {
    const { next } = this;
    const { heap } = this.learner.rules;
    const writes = leaf + LEAF_WRITES + 1;
    const end = writes + (heap[leaf + LEAF_WRITES] as number) * 3;
    for (let at = writes; at < end; at += 3) {
      const word = heap[at] as number;
      next[word] = ((next[word] as number) & (heap[at + 1] as number)) | (heap[at + 2] as number);
    }
    this.#freedSlots.normalise(next);
  }

  /** What is kept for `next`: the state itself, or one that stands for it and is overwritten when this is asked again. */
  get normalForm(): Uint32Array {
    return this.#normalForms?.of(this.next) ?? this.next;
  }

  /** For how many states those stand that are kept. */
  get standFor(): number {
    const { count } = this.store;
    return this.#normalForms?.standFor(count) ?? count;
  }

  /** Number of the state that is kept for the one that the step leads to from `current`, or -1 for a fault; of a run that has all in memory. */
  successor(step: number): number {
    return this.successorAmong(this.#inMemory, step);
  }

  /** The same if it is one of these states; -1 otherwise. */
  successorAmong(states: Pick<StateSet, "numberOf">, step: number): number {
    if (this.leafOf(step).next === null) return -1;
    this.apply(step);
    return states.numberOf(this.normalForm);
  }

  /** States of which one asks whether they are led to. */
  setOf(numbers: ReadonlySet<number>): StateSet {
    const { store, learner } = this;
    if (store.isOutOfCore) return new SetAside(learner.memory, store, numbers);
    const numberOf = (state: Uint32Array) => {
      const number = store.find(state);
      return numbers.has(number) ? number : -1;
    };
    return { numberOf, release: () => {} };
  }

  /** As long as all may change states are few, and to number what is there takes longer than it saves. */
  #newStore({ changingWords, changing }: Packing): Store {
    const host = { judgeRest: this.judgeRest };
    return new Store(this.learner.memory, changingWords, { host, arePlain: changing === null, lossy: this.#lossy, disk: this.#disk });
  }

  /** Lays out anew what the core of the store reads besides states. */
  #layOutForStore(): void {
    this.#freedSlots.release();
    this.#freedSlots = new FreedSlots(this.learner, this.store.core);
    this.#normalForms?.release();
    this.#normalForms = this.#newNormalForms();
  }

  #newNormalForms(): NormalForms | null {
    const { learner, store } = this;
    const { symmetry, live } = learner;
    return symmetry === null && live === null ? null : new NormalForms(learner, store.core, symmetry, live);
  }

  #initialInMemory(): Uint32Array {
    const { memory, packing } = this.learner;
    const state = memory.allocateWords(packing.words);
    state.set(packing.pack(this.machine.initial));
    return state;
  }
}
