/**
 * The fast engine: breadth-first over packed states, applying learned rules. It says where something is; the
 * plain engine, replaying the path, says what.
 */
import { Atomicity } from "../check/atomicity.js";
import { failureText } from "../check/evaluate.js";
import { explainExhaustion } from "../check/exhaustion.js";
import { leaksAtEnd } from "../check/leak.js";
import { LockOrder } from "../check/lockdep.js";
import { describeStuck, isEnd, stuckThreads, type ThreadSituation } from "../check/stuck.js";
import { ModelError } from "../lang/errors.js";
import type { Property } from "../lang/property.js";
import { get, type Place } from "../state/packing.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { FindingBook, type Occurrence } from "./findings.js";
import { FreedSlots } from "./freed-slots.js";
import { ACQUIRES, CLOSED, FALSE, FAULT, type Leaf, type LearnedInstance, type Learner, REPORTS, TRUE } from "./learner.js";
import { overLimit } from "./limits.js";
import { nearestLivelock } from "./livelock.js";
import { Marks } from "./marks.js";
import type { End, Exploration, ExploreOptions, Finding, Outcome, Progress } from "./outcome.js";
import { compareNatively } from "./paranoid.js";
import { CHOICE, CHOICE_CHILDREN, LEAF, LEAF_ASKED, LEAF_FLAGS, LEAF_HELD, LEAF_WRITES, READ_CHILDREN } from "./rules.js";
import { shortestPath } from "./shortest.js";
import { Store } from "./store.js";
import { MOST_MUTEXES, OPENED, SETTLED, Visitor, WITNESS } from "./visitor.js";

/** Milliseconds between looks at the limits, and reports of progress. */
const LOOK_EVERY = 100;

/** States that the core may visit before the next look at the clock. */
const STATES_AT_ONCE = 4096;

/** States after which a run that goes on begins again, and keeps of each state only what has been seen to change. */
const SMALL_RUN = 20_000;

/** Thrown where room is asked for, before anything is changed. */
function isOutOfMemory(error: unknown): boolean {
  return error instanceof RangeError && /allocation failed|typed array length|no room/.test(error.message);
}

/** Thrown when it pays to begin again with less to keep. */
export class MostlyConstant extends Error {}

/** The property instances whose answer a leaf's writes can change, worked out when the reads known were of that version. */
interface Affected {
  readonly version: number;
  readonly onState: readonly LearnedInstance[];
  readonly onStep: readonly LearnedInstance[];
  /** Those that are asked when the procedure returns that the leaf returns from. */
  readonly onReturn: readonly LearnedInstance[];
  /** The same for the core: where in the rules, and for how many instances there is room. */
  readonly list: number;
  readonly room: number;
}

export class FastRun {
  readonly store: Store;
  readonly book: FindingBook;
  /** The state being expanded. */
  readonly current: Uint32Array;
  /** The state a step leads to. */
  readonly next: Uint32Array;
  /** Addresses of the leaves of the current state's steps, in canonical order. */
  leafAt = new Int32Array(256);
  /** Number of the first state of each level. */
  readonly levelStart: number[] = [0];

  readonly #lockOrder = new LockOrder();
  readonly #atomicity: Atomicity<{ depth: number; occurrence: Occurrence }>;
  /** By thread, whether it has a step out of the current state. */
  readonly #canMove: boolean[];
  readonly #choiceNode = new Int32Array(256);
  readonly #choiceTaken = new Int32Array(256);
  readonly #freedSlots: FreedSlots;
  readonly #mutexes: readonly { readonly cell: number; readonly place: Place }[];
  /** By leaf: the mutexes that its thread held when its acquisitions were last looked at, one bit each. */
  readonly #heldBefore: number[] = [];
  /** States of the core's by address. */
  readonly #stateAt = new Map<number, Uint32Array>();
  /** By leaf. */
  readonly #affected: Affected[] = [];
  readonly #onState: readonly LearnedInstance[];
  readonly #onStep: readonly LearnedInstance[];
  readonly #onReturn: readonly LearnedInstance[];
  readonly #atEnd: readonly LearnedInstance[];
  /** Flags of the property instances. */
  #flags: Uint8Array;
  /** Whether something is asked in the ends of the scenario. */
  readonly #asksForEnds: boolean;
  /** States in which a behaviour stops: an end, a deadlock, a fault. Of scenarios that terminate. */
  readonly #stops = new Marks();
  /** Level of the states that are visited. */
  #depth = 0;
  /** When learning has to be interrupted for a look at the limits. */
  #pauseAt = Number.POSITIVE_INFINITY;
  /** Visits what is unremarkable; of a run that explores. */
  #visitor: Visitor | null = null;
  /** Of the states that it did not visit. */
  #transitions = 0;
  faultedSteps = 0;
  #comparedNatively = 0;

  /** What the learner has learned in another run is known. */
  constructor(
    readonly machine: Machine,
    readonly options: ExploreOptions,
    readonly learner: Learner,
    readonly started: number,
    store = new Store(learner.memory, learner.packing.changingWords, {
      normalise: (address) => this.#normaliseAt(address),
      judgeRest: (number, ...moves) => this.#judgeRestOf(number, moves),
    }),
  ) {
    const { packing, instances } = learner;
    this.store = store;
    this.book = new FindingBook(options);
    // What never changes stands in both behind what does.
    this.current = packing.pack(machine.initial);
    this.next = packing.pack(machine.initial);
    this.#atomicity = new Atomicity();
    this.#canMove = machine.threads.map(() => false);
    const ofKind = (...kinds: Property["window"]["kind"][]) =>
      instances.filter(({ instance }) => kinds.includes(instance.property.window.kind));
    this.#onState = ofKind("always", "atRest", "sometimes");
    this.#onStep = ofKind("onStep");
    this.#onReturn = ofKind("onReturn");
    this.#atEnd = ofKind("atEnd");
    this.#asksForEnds = machine.terminates || this.#atEnd.length > 0;
    this.#flags = Uint8Array.from(instances, ({ instance }) => (instance.property.window.kind === "sometimes" ? WITNESS : 0));
    this.#freedSlots = new FreedSlots(this.learner);
    this.#mutexes = machine.layout.mutexCells.map((cell) => ({ cell, place: packing.cells[cell] as Place }));
  }

  /** Puts the initial state into the store, and judges it. */
  begin(): void {
    const { store, learner, next } = this;
    store.insert(next);
    for (const instance of this.#onState) this.#judge(instance, next, null, null, 0, 0, null);
    for (const instance of this.#onStep) learner.ask(instance, next, next, null);
  }

  *explore(): Exploration {
    const { store, levelStart, learner, book, options } = this;
    const limits = options.limits ?? {};
    if (!options.paranoid && Visitor.canVisit(learner)) this.#visitor = this.#newVisitor();
    this.begin();
    levelStart.push(1);
    let end: End = { kind: "complete" };
    let lastLook = performance.now();
    this.#pauseAt = lastLook + LOOK_EVERY;
    let depth = 0;
    const mostStates = limits.maxStates ?? Number.POSITIVE_INFINITY;
    for (let number = 0; number < store.count; ) {
      if (number === levelStart[depth + 1]) {
        depth++;
        levelStart.push(store.count);
        if (book.unexpected) {
          end = { kind: "violation" };
          break;
        }
        if (depth >= (limits.maxDepth ?? Number.POSITIVE_INFINITY)) {
          end = { kind: "limit", what: "depth" };
          break;
        }
        for (const {
          number: instance,
          instance: { property },
        } of learner.instances) {
          if (book.isSettled(property, depth + 1)) this.#flags[instance] = (this.#flags[instance] as number) | SETTLED;
        }
      }
      this.#depth = depth;
      const to = Math.min(levelStart[depth + 1] as number, number + STATES_AT_ONCE);
      const most = learner.packing.changing === null ? Math.min(mostStates, SMALL_RUN) : mostStates;
      const reached = this.#visitFrom(number, to, depth, most);
      if (reached === null) {
        end = { kind: "limit", what: "memory" };
        break;
      }
      const isPaused = reached === number;
      number = reached;
      if (store.count > SMALL_RUN && learner.packing.changing === null) throw new MostlyConstant();
      if (store.count > mostStates) {
        end = { kind: "limit", what: "states" };
        break;
      }
      if (isPaused || performance.now() - lastLook > LOOK_EVERY) {
        lastLook = performance.now();
        this.#pauseAt = lastLook + LOOK_EVERY;
        end = yield* this.#look(number, depth);
        if (end.kind === "limit") break;
      }
    }
    this.#pauseAt = Number.POSITIVE_INFINITY;
    if (end.kind === "complete" && book.unexpected) end = { kind: "violation" };
    if (end.kind === "complete" && this.machine.terminates) end = yield* this.#lookForLivelock(depth);
    this.judgeWholeRun();
    return yield* this.#outcome(end, store.count > (levelStart[depth + 1] as number) ? depth + 1 : depth);
  }

  #newVisitor(): Visitor {
    const { learner, store } = this;
    const flags = this.#flags;
    this.#flags = new Uint8Array(learner.memory.shared.buffer, learner.memory.allocate(flags.length), flags.length);
    this.#flags.set(flags);
    const mutexes = this.#mutexes.length <= MOST_MUTEXES ? this.#mutexes : [];
    const { freedBits } = this.#freedSlots;
    return new Visitor(store, learner, { mutexes, freedBits, flags: this.#flags, asksForEnds: this.#asksForEnds, initial: this.current });
  }

  /**
   * Visits states from the one on: as many as the core can by itself, and the next if it cannot. Returns the first
   * that was not visited, which is the same one if learning took too long; null if memory is at its end.
   */
  #visitFrom(from: number, to: number, depth: number, most: number): number | null {
    try {
      let next = from;
      let begun: { readonly step: number; readonly isNew: boolean | null } = { step: 0, isNew: null };
      if (this.#visitor !== null) {
        const visited = this.#visitor.visit(from, to, most);
        if (visited.remarkable === null) return visited.next;
        next = visited.next;
        begun = visited.remarkable;
      }
      return this.#visit(next, depth, begun) ? next + 1 : next;
    } catch (error) {
      if (isOutOfMemory(error)) return null;
      throw error;
    }
  }

  /** The checks that have to know the run as a whole. */
  judgeWholeRun(): void {
    for (const { message, location, first } of this.#atomicity.judge(this.machine.names)) {
      this.book.add({ check: "atomicity", isProperty: false, message, location, subject: null, depth: first.depth }, first.occurrence);
    }
  }

  /** Tells how far the run is, and whether it has to end here. */
  *#look(number: number, depth: number): Generator<Progress, End, "interrupt" | undefined> {
    const progress = this.#progress(number, depth);
    const over = overLimit(this.options.limits ?? {}, progress);
    const request = yield progress;
    if (request === "interrupt") return { kind: "limit", what: "interrupt" };
    return over === null ? { kind: "complete" } : { kind: "limit", what: over };
  }

  /** Every state is known and expanded. A limit that is hit here leaves the run unfinished. */
  *#lookForLivelock(depth: number): Generator<Progress, End, "interrupt" | undefined> {
    const search = nearestLivelock(this, this.#stops);
    let lastLook = performance.now();
    let step = search.next();
    while (!step.done) {
      let end: End = { kind: "complete" };
      if (performance.now() - lastLook > LOOK_EVERY) {
        end = yield* this.#look(this.store.count, depth);
        lastLook = performance.now();
      }
      if (end.kind === "limit") return end;
      step = search.next();
    }
    const nearest = step.value;
    for (const occurrence of nearest?.occurrences ?? []) {
      this.book.add(
        {
          check: "livelock",
          isProperty: false,
          message: "no end can be reached from here",
          location: null,
          subject: null,
          depth: nearest?.depth ?? 0,
        },
        occurrence,
      );
    }
    return { kind: "complete" };
  }

  /** Collects the steps out of `current`, learning what is missing. Returns how many there are, or -1 if learning took too long: try again after a look around. */
  expand(number: number, depth: number): number {
    const { learner, current } = this;
    const { rules } = learner;
    const threads = this.machine.threads.length;
    const choiceNode = this.#choiceNode;
    const choiceTaken = this.#choiceTaken;
    let count = 0;
    for (let thread = 0; thread < threads; thread++) {
      const before = count;
      const root = learner.rootOf(thread, learner.controlNumber(current, thread));
      let heap = rules.heap;
      let slot = root;
      let choices = 0;
      for (;;) {
        const node = heap[slot] as number;
        if (node === 0) {
          if (performance.now() > this.#pauseAt) return -1;
          const { control, block } = learner.learnBlock(thread, current, Array.from(choiceTaken.subarray(0, choices)));
          if (block.outcome !== "blocked") {
            this.#atomicity.note(control, block, { depth: depth + 1, occurrence: { state: number, ordinal: count } });
          }
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
          if (choices === choiceNode.length) {
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
      this.#canMove[thread] = count > before;
    }
    return count;
  }

  /** The leaf of a step. */
  leafOf(step: number): Leaf {
    return this.learner.leaves[this.learner.rules.heap[(this.leafAt[step] as number) + 1] as number] as Leaf;
  }

  /** Puts into `next` the state that the step leads to from `current`. */
  apply(step: number): void {
    const { current, next } = this;
    const { heap } = this.learner.rules;
    const { words } = this.store;
    for (let word = 0; word < words; word++) next[word] = current[word] as number;
    const leaf = this.leafAt[step] as number;
    const writes = leaf + LEAF_WRITES + 1;
    const end = writes + (heap[leaf + LEAF_WRITES] as number) * 3;
    for (let at = writes; at < end; at += 3) {
      const word = heap[at] as number;
      next[word] = ((next[word] as number) & (heap[at + 1] as number)) | (heap[at + 2] as number);
    }
    this.#freedSlots.normalise(next);
  }

  /**
   * Judges all steps out of the state and the states they lead to, which are added to the store. Whether that was
   * done, or learning took too long; null if memory is at its end.
   */
  visitIfRoom(number: number, depth: number): boolean | null {
    try {
      return this.#visit(number, depth, { step: 0, isNew: null });
    } catch (error) {
      if (isOutOfMemory(error)) return null;
      throw error;
    }
  }

  /** `begun` tells at which step to begin, and whether the state it leads to is new, if it has been looked up. */
  #visit(number: number, depth: number, begun: { readonly step: number; readonly isNew: boolean | null }): boolean {
    const { store, learner, current, next } = this;
    store.load(number, current);
    const steps = this.expand(number, depth);
    if (steps < 0) return false;
    this.#transitions += steps;
    for (let step = begun.step; step < steps; step++) {
      const { heap } = learner.rules;
      const leaf = this.leafAt[step] as number;
      const flags = heap[leaf + LEAF_FLAGS] as number;
      if (flags & FAULT) {
        this.#fault(number, depth, step);
        continue;
      }
      this.apply(step);
      const isNew = step === begun.step && begun.isNew !== null ? begun.isNew : store.insert(next) < 0;
      const { onState, onStep, onReturn } = this.#affectedBy(leaf);
      if (isNew) {
        for (let at = 0; at < onState.length; at++) {
          const instance = onState[at] as LearnedInstance;
          if (!this.#isSettled(instance)) this.#judge(instance, next, null, null, depth + 1, store.count - 1, null);
        }
        // What a step property would read of a step that changes nothing: a step out of here that writes none of it cannot matter.
        for (let at = 0; at < onStep.length; at++) {
          const instance = onStep[at] as LearnedInstance;
          if (!this.#isSettled(instance)) learner.ask(instance, next, next, null);
        }
      }
      if (flags !== 0) this.#special(number, depth, step, flags);
      for (const instance of onReturn) {
        if (!this.#isSettled(instance)) this.#judge(instance, next, null, this.leafOf(step).next, depth + 1, number, step);
      }
      for (const instance of onStep) {
        if (!this.#isSettled(instance)) this.#judge(instance, next, current, null, depth + 1, number, step);
      }
    }
    this.#judgeRest(number, depth);
    if (this.options.paranoid) this.#comparedNatively += compareNatively(this, depth, steps);
    return true;
  }

  /** Properties of the state, of the step and of its return, whose answer the leaf's writes can change. */
  #affectedBy(leaf: number): Affected {
    const { learner } = this;
    const { rules } = learner;
    const leafNumber = rules.heap[leaf + 1] as number;
    const known = this.#affected[leafNumber];
    if (known !== undefined && known.version === learner.readsVersion) return known;
    const { written, next } = learner.leaves[leafNumber] as Leaf;
    const isAffected = ({ reads }: LearnedInstance) => reads.some((bits, word) => (bits & (written[word] as number)) !== 0);
    const onState = this.#onState.filter(isAffected);
    const onStep = this.#onStep.filter(isAffected);
    const onReturn = this.#onReturn.filter(({ instance: { property } }) => {
      return property.window.kind === "onReturn" && next?.returned?.procedure === property.window.procedure;
    });
    const entries = [
      ...[...onState, ...onStep].flatMap(({ number, root }) => [number, root]),
      ...onReturn.flatMap((instance) => [instance.number, learner.rootOfReturn(instance, next as Control)]),
    ];
    const version = learner.readsVersion;
    const isRoomy = known !== undefined && known.room >= entries.length;
    const room = isRoomy ? known.room : entries.length;
    const list = isRoomy ? known.list : rules.allocate(4 + room);
    rules.heap.set([version, onState.length, onStep.length, onReturn.length, ...entries], list);
    rules.heap[leaf + LEAF_ASKED] = list;
    const affected = { version, onState, onStep, onReturn, list, room };
    this.#affected[leafNumber] = affected;
    return affected;
  }

  #isSettled({ number }: LearnedInstance): boolean {
    return ((this.#flags[number] as number) & SETTLED) !== 0;
  }

  /** Judges the rest of a state that the visitor visits. */
  #judgeRestOf(number: number, moves: readonly number[]): void {
    this.store.load(number, this.current);
    for (let thread = 0; thread < this.#canMove.length; thread++) {
      this.#canMove[thread] = (((moves[thread >>> 5] as number) >>> (thread & 31)) & 1) === 1;
    }
    this.#judgeRest(number, this.#depth);
    this.#visitor?.follow();
  }

  /** Makes freed slots free in the state at the address. */
  #normaliseAt(address: number): void {
    const { memory, packing } = this.learner;
    let state = this.#stateAt.get(address);
    if (state === undefined) {
      state = memory.words(address, packing.words);
      this.#stateAt.set(address, state);
    }
    this.#freedSlots.normalise(state);
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
    const verdict = this.learner.ask(learned, words, before, returned);
    if (verdict === CLOSED) return;
    const { property, subject } = learned.instance;
    if (property.window.kind === "sometimes") {
      if (verdict === TRUE) this.#open(learned);
      return;
    }
    this.#open(learned);
    if (verdict !== FALSE) return;
    if (this.book.isSettled(property, depth)) return;
    const message = failureText(property, this.learner.explain(learned, words, before, returned));
    this.book.add(
      { check: property.code, isProperty: true, message, location: null, subject: subject && this.machine.names.view(subject), depth },
      { state, ordinal },
    );
  }

  #open({ number, instance: { property } }: LearnedInstance): void {
    this.#flags[number] = (this.#flags[number] as number) | OPENED;
    this.book.opened.add(property);
  }

  #special(number: number, depth: number, step: number, flags: number): void {
    const leaf = this.leafOf(step);
    if (flags & REPORTS) {
      const found = { isProperty: false, subject: null, depth: depth + 1 };
      for (const report of leaf.block.reports) this.book.add({ ...found, ...report }, { state: number, ordinal: step });
    }
    if (flags & ACQUIRES) this.#acquisitions(leaf, depth, number, step);
  }

  #acquisitions(leaf: Leaf, depth: number, number: number, step: number): void {
    const { names } = this.machine;
    const { thread } = leaf.control;
    const mutexes = this.#mutexes;
    let held = 0;
    for (let mutex = 0; mutex < mutexes.length; mutex++) {
      if (get(this.current, (mutexes[mutex] as (typeof mutexes)[number]).place) === thread + 1) held += 2 ** mutex;
    }
    const { heap } = this.learner.rules;
    const leafAt = this.leafAt[step] as number;
    const leafNumber = heap[leafAt + 1] as number;
    // Beyond that, two sets might not be told apart.
    if (mutexes.length <= MOST_MUTEXES) {
      if (this.#heldBefore[leafNumber] === held) return;
      this.#heldBefore[leafNumber] = held;
      heap.set([held, held / 2 ** 32], leafAt + LEAF_HELD);
    }
    for (const acquisition of leaf.block.acquisitions) {
      for (const { cell, place } of mutexes) {
        const heldBefore = get(this.current, place) === thread + 1 && !acquisition.givenBack.includes(cell);
        if (!heldBefore && !acquisition.alsoTaken.includes(cell)) continue;
        const cycle = this.#lockOrder.add(cell, acquisition.cell, acquisition.location);
        if (cycle === null) continue;
        const message = this.#lockOrder.describe(cycle, names);
        this.book.add(
          { check: "lockdep", isProperty: false, message, location: acquisition.location, subject: null, depth: depth + 1 },
          { state: number, ordinal: step },
        );
      }
    }
  }

  #fault(number: number, depth: number, step: number): void {
    this.faultedSteps++;
    if (this.machine.terminates) this.#stops.add(number);
    const leaf = this.leafOf(step);
    const { fault, reports } = leaf.block;
    if (fault === null) return;
    const { machine, learner } = this;
    const occurrence = { state: number, ordinal: step };
    const found = { isProperty: false, subject: null, depth: depth + 1 };
    for (const report of reports) this.book.add({ ...found, ...report }, occurrence);
    this.#acquisitions(leaf, depth, number, step);
    const { exhausted } = fault;
    const why = exhausted === undefined ? {} : explainExhaustion(machine, learner.packing.unpack(this.current), exhausted);
    this.book.add({ ...found, ...fault, ...why }, occurrence);
  }

  /** What is to be said of the state now that its steps are known: somebody may be stuck in it, or it may be an end. */
  #judgeRest(number: number, depth: number): void {
    const { machine } = this;
    const situations = this.#situations();
    const stuck = stuckThreads(situations);
    const occurrence = { state: number, ordinal: null };
    if (stuck.length > 0) {
      const message = describeStuck(stuck, situations, machine.names);
      this.book.add({ check: "stuck", isProperty: false, message, location: null, subject: null, depth }, occurrence);
    }
    const isResting = isEnd(situations);
    if (machine.terminates && (stuck.length > 0 || isResting)) this.#stops.add(number);
    if (isResting && this.#asksForEnds) this.#judgeEnd(situations, depth, occurrence);
  }

  #judgeEnd(situations: readonly ThreadSituation[], depth: number, occurrence: Occurrence): void {
    for (const instance of this.#atEnd) this.#judge(instance, this.current, null, null, depth, occurrence.state, null);
    if (!this.machine.terminates) return;
    const { cells } = this.learner.packing;
    const read = (cell: number) => get(this.current, cells[cell] as Place);
    const controls = situations.map(({ control }) => control);
    for (const { message, subject } of leaksAtEnd(this.machine, read, controls)) {
      this.book.add({ check: "leak", isProperty: false, message, location: null, subject, depth }, occurrence);
    }
  }

  #situations(): ThreadSituation[] {
    const { machine, learner, current } = this;
    return machine.threads.map((_, thread) => {
      const control = machine.registers[thread]?.controls[learner.controlNumber(current, thread)] as Control;
      const holder = control.kind === "lock" ? get(current, learner.packing.cells[control.mutexCell] as Place) : 0;
      return { control, canMove: this.#canMove[thread] as boolean, waitsFor: holder - 1 };
    });
  }

  #progress(number: number, depth: number): Progress {
    return {
      states: this.store.count,
      transitions: this.#transitions + (this.#visitor?.transitions ?? 0),
      depth,
      frontier: this.store.count - number,
      seconds: (performance.now() - this.started) / 1000,
      memoryBytes: process.memoryUsage.rss(),
      tracing: null,
    };
  }

  /**
   * Searches a trace to everything found. That may take as long again as the run was allowed to, and can be
   * interrupted; who ended the run by an interrupt wants to see what it found.
   */
  *#trace(end: End, depth: number): Generator<Progress, Pick<Outcome, "findings" | "untraced">, "interrupt" | undefined> {
    const candidates = [...this.book.candidates.values()];
    if (this.options.traces === false) return { findings: [], untraced: [...new Set(candidates.map(({ check }) => check))] };
    const stoppedBy = end.kind === "limit" ? end.what : null;
    const latest = 2 * (this.options.limits?.timeoutSeconds ?? Number.POSITIVE_INFINITY);
    const findings: Finding[] = [];
    const untraced = new Set<string>();
    let lastLook = 0;
    let hasToStop = false;
    for (const { occurrences, ...found } of candidates) {
      const search = shortestPath(this, found.depth, occurrences);
      let step = search.next();
      while (!step.done && !hasToStop) {
        if (performance.now() - lastLook > LOOK_EVERY) {
          lastLook = performance.now();
          const progress = { ...this.#progress(this.store.count, depth), tracing: found.check };
          const request = yield progress;
          const over = overLimit({ ...this.options.limits, timeoutSeconds: latest }, progress);
          hasToStop = (over !== null && over !== stoppedBy) || over === "time" || (request === "interrupt" && stoppedBy !== "interrupt");
        }
        step = search.next();
      }
      if (step.done) findings.push({ ...found, path: step.value });
      else untraced.add(found.check);
    }
    return { findings, untraced: [...untraced] };
  }

  *#outcome(end: End, depth: number): Exploration {
    const { machine, learner, store, book } = this;
    const explored = (performance.now() - this.started) / 1000;
    const { findings, untraced } = yield* this.#trace(end, depth);
    const widest = [...learner.pathsOf].sort((one, other) => other[1] - one[1]).slice(0, 3);
    return {
      engine: "fast",
      end,
      states: store.count,
      transitions: this.#transitions + (this.#visitor?.transitions ?? 0),
      depth,
      results: book.results(machine.properties, machine.terminates, end),
      findings,
      untraced,
      faultedSteps: this.faultedSteps,
      lockOrder: this.#lockOrder.edges,
      statistics: {
        seconds: explored,
        nativeRuns: machine.nativeRuns,
        comparedNatively: this.#comparedNatively,
        nativeSeconds: learner.nativeSeconds,
        controlStates: machine.registers.reduce((sum, register) => sum + register.controls.length, 0),
        bytesPerState: store.bytes / store.count,
        paths: learner.leaves.length,
        widest: widest.map(([control, paths]) => {
          const site = control.frames.at(-1)?.site;
          const at = site ? `${site.procedure} (${site.location.file}:${site.location.line})` : "its start";
          return { thread: machine.names.threads[control.thread] as string, at, paths };
        }),
      },
    };
  }
}
