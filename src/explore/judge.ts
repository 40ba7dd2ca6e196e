/** Judges states and steps: properties, lock order, deadlocks, ends. What is found goes into the book. */
import { Atomicity } from "../check/atomicity.js";
import { failureText } from "../check/evaluate.js";
import { explainExhaustion } from "../check/exhaustion.js";
import { leaksAtEnd } from "../check/leak.js";
import { type LockEdge, LockOrder } from "../check/lockdep.js";
import { describeStuck, isEnd, situationsOf, stuckThreads, type ThreadSituation } from "../check/stuck.js";
import { get, type Place } from "../state/packing.js";
import type { Acquisition, BlockRun } from "../step/block.js";
import type { Control } from "../step/control.js";
import type { Expander } from "./expander.js";
import { type Candidate, FindingBook, type Occurrence } from "./findings.js";
import { ACQUIRES, CLOSED, FALSE, FAULT, type LearnedInstance, REPORTS, TRUE } from "./learner.js";
import { Marks } from "./marks.js";
import type { ExploreOptions } from "./outcome.js";
import { LEAF_FLAGS, LEAF_HELD } from "./rules.js";
import { MOST_MUTEXES, OPENED, SETTLED, WITNESS } from "./visitor.js";

/** Where to begin with the steps of a state: those before are judged already. */
export interface Begun {
  readonly step: number;
  /** Whether the state that this step leads to is new; null if it has not been looked up. */
  readonly isNew: boolean | null;
}

/** What a judge has found in part of a run, as plain data. */
export interface Judged {
  readonly candidates: readonly Candidate[];
  /** Codes of the properties whose window has been open. */
  readonly opened: readonly string[];
  /** Bits of `stops`, in base64. */
  readonly stops: string;
  readonly lockOrder: readonly LockEdge[];
  readonly flags: readonly number[];
  readonly faultedSteps: number;
}

/** What the judge wants to know of a path of a block. */
export type LearnedBlock = Pick<BlockRun, "outcome" | "accesses" | "stored" | "atomicBecause">;

export const FROM_THE_START: Begun = { step: 0, isNew: null };

export class Judge {
  readonly book: FindingBook;
  /** Flags of the property instances, where the core can see them. */
  readonly flags: Uint8Array;
  /** States in which a behaviour stops: an end, a deadlock, a fault. Of scenarios that terminate. */
  readonly stops = new Marks();
  /** Whether something is asked in the ends of the scenario. */
  readonly asksForEnds: boolean;
  readonly lockOrder = new LockOrder();
  faultedSteps = 0;
  readonly #atomicity = new Atomicity<{ depth: number; occurrence: Occurrence }>();
  /** By leaf: the mutexes that its thread held when its acquisitions were last looked at, one bit each. */
  readonly #heldBefore: number[] = [];
  readonly #atEnd: readonly LearnedInstance[];

  constructor(
    readonly expander: Expander,
    options: ExploreOptions,
  ) {
    const { machine, learner } = expander;
    const { instances, memory } = learner;
    this.book = new FindingBook(options);
    this.#atEnd = instances.filter(({ instance }) => instance.property.window.kind === "atEnd");
    this.asksForEnds = machine.terminates || this.#atEnd.length > 0;
    this.flags = new Uint8Array(memory.shared.buffer, memory.allocate(instances.length), instances.length);
    for (const { number, instance } of instances) if (instance.property.window.kind === "sometimes") this.flags[number] = WITNESS;
  }

  /** What was found so far. */
  get judged(): Judged {
    const { book, stops, faultedSteps, flags, lockOrder } = this;
    return {
      candidates: [...book.candidates.values()],
      opened: [...book.opened].map(({ code }) => code),
      stops: Buffer.from(stops.bits).toString("base64"),
      lockOrder: lockOrder.edges,
      flags: [...flags],
      faultedSteps,
    };
  }

  /** Goes on from what another found. */
  restore({ candidates, opened, stops, lockOrder, flags, faultedSteps }: Judged): void {
    const { properties } = this.expander.machine;
    for (const { occurrences, ...found } of candidates) for (const occurrence of occurrences) this.book.add(found, occurrence);
    for (const property of properties) if (opened.includes(property.code)) this.book.opened.add(property);
    this.stops.restore(Uint8Array.from(Buffer.from(stops, "base64")));
    for (const { held, taken, location } of lockOrder) this.lockOrder.add(held, { cell: taken, location });
    this.flags.set(flags);
    this.faultedSteps = faultedSteps;
  }

  /** The initial state, which is in `next`. */
  judgeInitial(): void {
    const { learner, next } = this.expander;
    for (const instance of learner.onState) this.#judge(instance, next, null, null, 0, 0, null);
    for (const instance of learner.onStep) learner.ask(instance, next, next, null);
  }

  noteLearned(control: Control, block: LearnedBlock, depth: number, occurrence: Occurrence): void {
    if (block.outcome !== "blocked") this.#atomicity.note(control, block, { depth, occurrence });
  }

  /** Whether it is asked, at the end, if from every state an end can be reached: not of states that are forgotten. */
  get looksForLivelock(): boolean {
    const { machine, store } = this.expander;
    return machine.terminates && store.lossy === null;
  }

  /** What needs not be asked any more at that depth. */
  settle(depth: number): void {
    for (const { number, instance } of this.expander.learner.instances) {
      if (this.book.isSettled(instance.property, depth)) this.flags[number] = (this.flags[number] as number) | SETTLED;
    }
  }

  /** All steps out of the state that is expanded, and the states they lead to, which are added to the store. */
  judgeSteps(number: number, depth: number, steps: number, begun: Begun): void {
    const { expander } = this;
    const { learner } = expander;
    for (let step = begun.step; step < steps; step++) {
      const leafAt = expander.leafAt[step] as number;
      const flags = learner.rules.heap[leafAt + LEAF_FLAGS] as number;
      if (flags & FAULT) {
        this.#fault(number, depth, step);
        continue;
      }
      expander.apply(step);
      const { store, current, next } = expander;
      const isNew = step === begun.step && begun.isNew !== null ? begun.isNew : store.insert(expander.normalForm, number, step) < 0;
      const { onState, onStep, onReturn } = learner.askedOf(leafAt);
      if (isNew) {
        for (const instance of onState) {
          if (!this.#isSettled(instance)) this.#judge(instance, next, null, null, depth + 1, store.count - 1, null);
        }
        // What a step property would read of a step that changes nothing: a step out of here that writes none of it cannot matter.
        for (const instance of onStep) if (!this.#isSettled(instance)) learner.ask(instance, next, next, null);
      }
      if (flags & REPORTS) this.#report(number, depth, step);
      if (flags & ACQUIRES) this.#acquisitions(depth, number, step);
      for (const instance of onReturn) {
        if (!this.#isSettled(instance)) this.#judge(instance, next, null, expander.leafOf(step).next, depth + 1, number, step);
      }
      for (const instance of onStep) if (!this.#isSettled(instance)) this.#judge(instance, next, current, null, depth + 1, number, step);
    }
  }

  /** What is to be said of the current state now that its steps are known: somebody may be stuck in it, or it may be an end. */
  judgeRest(number: number, depth: number): void {
    if (!this.#mayBeOver()) return;
    const { machine, learner, current, canMove } = this.expander;
    const situations = situationsOf(machine, learner.packing.view(current), canMove);
    const stuck = stuckThreads(situations);
    const occurrence = { state: number, ordinal: null };
    if (stuck.length > 0) {
      const message = describeStuck(stuck, situations, machine.names);
      this.book.add({ check: "stuck", isProperty: false, message, location: null, subject: null, depth }, occurrence);
    }
    const isResting = this.asksForEnds && isEnd(situations);
    if (this.looksForLivelock && (stuck.length > 0 || isResting)) this.stops.add(number);
    if (isResting) this.#judgeEnd(situations, depth, occurrence);
  }

  /** The checks that have to know the run as a whole. */
  judgeWholeRun(): void {
    for (const { message, location, first } of this.#atomicity.judge(this.expander.machine.names)) {
      this.book.add({ check: "atomicity", isProperty: false, message, location, subject: null, depth: first.depth }, first.occurrence);
    }
  }

  #isSettled({ number }: LearnedInstance): boolean {
    return ((this.flags[number] as number) & SETTLED) !== 0;
  }

  #judge(
    learned: LearnedInstance,
    words: Uint32Array,
    before: Uint32Array | null,
    returned: Control | null,
    depth: number,
    state: number,
    ordinal: number | null,
  ): void {
    const { machine, learner } = this.expander;
    const verdict = learner.ask(learned, words, before, returned);
    const { property, subject } = learned.instance;
    const isWitness = property.window.kind === "sometimes";
    if (verdict === CLOSED || (isWitness && verdict !== TRUE)) return;
    this.flags[learned.number] = (this.flags[learned.number] as number) | OPENED;
    this.book.opened.add(property);
    if (verdict !== FALSE || this.book.isSettled(property, depth)) return;
    const message = failureText(property, learner.explain(learned, words, before, returned));
    this.book.add(
      { check: property.code, isProperty: true, message, location: null, subject: subject && machine.names.view(subject), depth },
      { state, ordinal },
    );
  }

  #report(number: number, depth: number, step: number): void {
    const found = { isProperty: false, subject: null, depth: depth + 1 };
    for (const report of this.expander.leafOf(step).block.reports) this.book.add({ ...found, ...report }, { state: number, ordinal: step });
  }

  #acquisitions(depth: number, number: number, step: number): void {
    const { machine, learner, current, leafAt } = this.expander;
    const { control, block } = this.expander.leafOf(step);
    const { mutexCells } = machine.layout;
    const isHeld = (cell: number) => get(current, learner.packing.cells[cell] as Place) === control.thread + 1;
    // Beyond that, two sets might not be told apart.
    if (mutexCells.length <= MOST_MUTEXES) {
      let held = 0;
      for (let mutex = 0; mutex < mutexCells.length; mutex++) if (isHeld(mutexCells[mutex] as number)) held += 2 ** mutex;
      const { heap } = learner.rules;
      const leaf = leafAt[step] as number;
      const leafNumber = heap[leaf + 1] as number;
      if (this.#heldBefore[leafNumber] === held) return;
      this.#heldBefore[leafNumber] = held;
      heap.set([held, held / 2 ** 32], leaf + LEAF_HELD);
    }
    for (const acquisition of block.acquisitions) {
      for (const cell of mutexCells.filter(isHeld)) {
        this.#order(cell, acquisition, depth, { state: number, ordinal: step });
        for (const { cells } of learner.symmetry?.group ?? []) {
          const image = { cell: cells[acquisition.cell] as number, location: acquisition.location };
          this.#order(cells[cell] as number, image, depth, { state: number, ordinal: step });
        }
      }
    }
  }

  /** A mutex was taken under another. */
  #order(held: number, taken: Pick<Acquisition, "cell" | "location">, depth: number, occurrence: Occurrence): void {
    const cycle = this.lockOrder.add(held, taken);
    if (cycle === null) return;
    const message = this.lockOrder.describe(cycle, this.expander.machine.names);
    this.book.add({ check: "lockdep", isProperty: false, message, location: taken.location, subject: null, depth: depth + 1 }, occurrence);
  }

  #fault(number: number, depth: number, step: number): void {
    this.faultedSteps++;
    const { machine, learner, current } = this.expander;
    if (this.looksForLivelock) this.stops.add(number);
    const { fault } = this.expander.leafOf(step).block;
    if (fault === null) return;
    this.#report(number, depth, step);
    this.#acquisitions(depth, number, step);
    const { exhausted } = fault;
    const why = exhausted === undefined ? {} : explainExhaustion(machine, learner.packing.unpack(current), exhausted);
    this.book.add({ isProperty: false, subject: null, depth: depth + 1, ...fault, ...why }, { state: number, ordinal: step });
  }

  #judgeEnd(situations: readonly ThreadSituation[], depth: number, occurrence: Occurrence): void {
    const { machine, learner, current } = this.expander;
    for (const instance of this.#atEnd) this.#judge(instance, current, null, null, depth, occurrence.state, null);
    if (!machine.terminates) return;
    const { cells } = learner.packing;
    const read = (cell: number) => get(current, cells[cell] as Place);
    const controls = situations.map(({ control }) => control);
    for (const { message, subject } of leaksAtEnd(machine, read, controls)) {
      this.book.add({ check: "leak", isProperty: false, message, location: null, subject, depth }, occurrence);
    }
  }

  /** Whether nobody can move, somebody waits for a mutex, or all rest; most states are passed over at a glance. */
  #mayBeOver(): boolean {
    const { machine, learner, current, canMove } = this.expander;
    let nobodyMoves = true;
    let allRest = this.asksForEnds;
    for (let thread = 0; thread < canMove.length; thread++) {
      const kind = machine.registers[thread]?.controls[learner.controlNumber(current, thread)]?.kind;
      if (canMove[thread]) nobodyMoves = false;
      else if (kind === "lock") return true;
      allRest &&= kind === "finished" || kind === "idle" || (kind === "idle-until" && canMove[thread] === false);
    }
    return nobodyMoves || allRest;
  }
}
