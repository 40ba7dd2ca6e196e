/**
 * The fast engine: breadth-first over packed states, applying learned rules. It says where something is; the
 * plain engine, replaying the path, says what.
 */
import { ModelError } from "../lang/errors.js";
import { bitsFor } from "../state/packing.js";
import type { BlockRun } from "../step/block.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import type { Keeper, Snapshot } from "./checkpoint.js";
import { Expander } from "./expander.js";
import { type Begun, FROM_THE_START, Judge } from "./judge.js";
import { ConstantWritten, type Learner, TooManyControls } from "./learner.js";
import { likelyToChange } from "./likely-to-change.js";
import { mostMemory, overLimit } from "./limits.js";
import { nearestLivelock } from "./livelock.js";
import { MOST_BYTES } from "./memory.js";
import { type Disk, layOutDisk } from "./out-of-core.js";
import type { DiskOptions, End, Exploration, ExploreOptions, Finding, Outcome, Progress } from "./outcome.js";
import { compareNatively } from "./paranoid.js";
import { DiskFailed, ScratchFolder } from "./scratch-file.js";
import { shortestPath } from "./shortest.js";
import { BLOCK_BYTES, type Lasting } from "./sorted-runs.js";
import { THREAD_BYTES, TOGETHER } from "./team.js";
import { type Visited, Visitor } from "./visitor.js";

/** Milliseconds between looks at the limits, and reports of progress. */
const LOOK_EVERY = 100;

/** Default of `packAfter`: what a smaller run would save is not worth the while. */
export const PACK_AFTER = 20_000;

/** Bits that a thread gets when its control states are more than those it has can number. */
const MOST_CONTROL_BITS = 24;

/** What the rest of the process may come to take while states fill the memory that a run may take. */
const HEAP_GROWTH = 24_000_000;

/** How often states make room and there is still none, until a run gives up. */
const MOST_CROWDED = 3;

/** Who looks on while a run learns, and may have it end early. */
export interface Onlooker {
  noteBlock(control: Control, block: BlockRun): void;
  /** Whether nobody needs the rest of the run. Asked between levels, so that the same run ends at the same place. */
  hasEnough(run: FastRun): boolean;
}

/** How far states were visited. */
interface Reached {
  /** The first that was not. */
  readonly reached: number;
  readonly hasRoom: boolean;
}

export class FastRun {
  readonly expander: Expander;
  readonly judge: Judge;
  /** Number of the first state of each level. */
  readonly levelStart: number[] = [0];
  /** The first state that was not visited, when the exploring is over. */
  visited = 0;
  /** Level of the state that is visited. */
  #depth = 0;
  /** Visits what is unremarkable; of a run that explores. */
  #visitor: Visitor | null = null;
  /** Threads that have explored anything. */
  #threads = 1;
  #isInterrupted = false;
  /** Of the states that it did not visit, and those that one before it did. */
  #transitions = 0;
  #comparedNatively = 0;
  /** What was learned, as in a snapshot; of a run that is kept. */
  readonly #learned: (readonly number[])[] = [];
  /** Seconds that the run took before it was interrupted. */
  #secondsBefore = 0;
  #lastKept = performance.now();
  /** Where states go that do not fit into the memory, and why no more can. */
  #disk: Disk | null = null;
  #diskFailure: string | null = null;
  /** When it was last looked how far the run is. */
  #lastLook = performance.now();
  /** Why the run had to end while it settled states; null if it had not. */
  #halted: End | null = null;

  /** What the learner has learned in another run is known. */
  constructor(
    readonly machine: Machine,
    readonly options: ExploreOptions,
    readonly learner: Learner,
    readonly started: number,
    readonly onlooker: Onlooker | null = null,
  ) {
    this.expander = new Expander(
      machine,
      learner,
      (control, block, state, ordinal) => this.#noteLearned(control, block, state, ordinal),
      (number, ...moves) => this.#judgeRest(number, moves),
    );
    this.judge = new Judge(this.expander, options);
  }

  /** Puts the initial state into the store, and judges it. */
  begin(): void {
    this.expander.store.insert(this.expander.next);
    this.judge.judgeInitial();
  }

  *explore(): Exploration {
    try {
      return yield* this.#explore();
    } finally {
      this.#visitor?.close();
    }
  }

  /** Nobody asks for anything any more but what was learned. */
  giveUp(): void {
    this.#visitor?.release();
    this.expander.release();
  }

  /** Nobody asks for its states any more. */
  close(): void {
    this.expander.store.outOfCore?.release();
  }

  *#explore(): Exploration {
    const { expander, levelStart, learner, judge, options } = this;
    const limits = options.limits ?? {};
    const left = options.keeper?.left ?? null;
    if (options.disk !== undefined) this.#layOutDisk(options.disk);
    let number = 0;
    this.#makeRoomForImages();
    if (left === null) {
      this.begin();
      levelStart.push(1);
    } else number = this.#goOn(left);
    if (!options.paranoid && Visitor.canVisit(learner)) this.#visitor = this.#newVisitor();
    this.#limitMemory();
    let end: End = { kind: "complete" };
    const mostStates = limits.maxStates ?? Number.POSITIVE_INFINITY;
    /** How often in a row states had to make room for others. */
    let crowded = 0;
    for (;;) {
      const isLevelOver = number === levelStart[this.#depth + 1];
      if (isLevelOver && !(yield* this.#settle(number))) {
        end = this.#atLimit("memory");
        break;
      }
      if (number >= expander.store.count) break;
      expander.pauseAt = this.#lastLook + LOOK_EVERY;
      if (isLevelOver) {
        this.#depth++;
        levelStart.push(expander.store.count);
        if (this.onlooker?.hasEnough(this)) {
          end = { kind: "limit", what: "interrupt" };
          break;
        }
        if (judge.book.unexpected) {
          end = { kind: "violation" };
          break;
        }
        if (this.#depth >= (limits.maxDepth ?? Number.POSITIVE_INFINITY)) {
          end = { kind: "limit", what: "depth" };
          break;
        }
        judge.settle(this.#depth + 1);
      }
      const { reached, hasRoom } = yield* this.#visitFrom(number, levelStart[this.#depth + 1] as number, mostStates);
      if (!hasRoom) {
        number = reached;
        if (crowded++ < MOST_CROWDED && (yield* this.#makeSpace(number))) continue;
        end = this.#atLimit("memory");
        break;
      }
      if (reached > number) crowded = 0;
      const isPaused = reached === number;
      number = reached;
      expander.store.leaveBehind(number);
      if (expander.store.count > mostStates && (!(yield* this.#settle(number)) || expander.store.count > mostStates)) {
        end = this.#atLimit("states");
        break;
      }
      if (isPaused || this.#isLookDue) {
        end = yield* this.#look(number);
        if (end.kind === "limit") break;
        if (performance.now() - this.#lastKept > 1000 * (options.keeper?.every ?? Number.POSITIVE_INFINITY)) this.#keep(number);
      }
    }
    this.visited = number;
    if (this.#halted === null) yield* this.#settle(number);
    expander.store.stopFinding();
    expander.pauseAt = Number.POSITIVE_INFINITY;
    if (end.kind === "complete" && judge.book.unexpected) end = { kind: "violation" };
    if (end.kind === "complete" && judge.looksForLivelock) end = yield* this.#lookForLivelock();
    learner.memory.most = Number.POSITIVE_INFINITY;
    if (end.kind === "limit") this.#keep(number);
    judge.judgeWholeRun();
    const isDeeper = expander.store.count > (levelStart[this.#depth + 1] as number);
    return yield* this.#outcome(end, isDeeper ? this.#depth + 1 : this.#depth);
  }

  /** Has the memory hand out no more than the run may take. A table that grows may take more at once than is left: it is too late to see that when it has. */
  #limitMemory(): void {
    const { limits = {}, threads = 1, disk } = this.options;
    const { memory } = this.learner;
    const forOthers = (threads - 1) * THREAD_BYTES + (disk === undefined ? 0 : HEAP_GROWTH);
    // Where states can go elsewhere there is always a limit, at which they do.
    if (limits.memoryBytes === undefined && disk === undefined) return;
    memory.most = Math.max(0, mostMemory(limits) + memory.used - process.memoryUsage.rss() - forOthers);
    if (disk !== undefined) memory.most = Math.min(memory.most, MOST_BYTES);
  }

  #layOutDisk({ folder, blockBytes = BLOCK_BYTES, mostInMemory = Number.POSITIVE_INFINITY }: DiskOptions): void {
    const { expander, judge, learner, options } = this;
    const disk = layOutDisk(learner.memory, mostMemory(options.limits ?? {}) - process.memoryUsage.rss(), {
      folder: new ScratchFolder(folder),
      blockBytes,
      mostInTable: mostInMemory,
      onSettled: (first, numberOf) => judge.book.renumber(first, numberOf),
    });
    expander.useDisk(disk);
    this.#disk = disk;
  }

  /** Settles what was found lately. Whether that could be done. */
  *#settle(number: number): Generator<Progress, boolean, "interrupt" | undefined> {
    return (yield* this.#lookingAround(number, this.expander.store.settle())) !== null;
  }

  /** Has states make room for others. Whether they could. */
  *#makeSpace(number: number): Generator<Progress, boolean, "interrupt" | undefined> {
    return this.#diskFailure === null && (yield* this.#lookingAround(number, this.expander.store.makeSpace())) === true;
  }

  /** Does what takes long, before the state of that number is visited; null if there is no room for it, or the run has to end meanwhile. */
  *#lookingAround<Result>(number: number, work: Lasting<Result>): Generator<Progress, Result | null, "interrupt" | undefined> {
    for (;;) {
      const step = this.#ifRoom(() => work.next());
      if (step === null) return null;
      if (step.done) return step.value;
      if (!this.#isLookDue) continue;
      const end = yield* this.#look(number);
      if (end.kind !== "limit") continue;
      this.#halted = end;
      work.return(undefined as never);
      return null;
    }
  }

  /** The end of a run that has come to that limit, unless it had to end before, or its states could not go to disk. */
  #atLimit(what: "memory" | "states"): End {
    return this.#halted ?? { kind: "limit", what: this.#diskFailure === null ? what : "disk" };
  }

  /** The level that the state is in. */
  levelOf(state: number): number {
    return this.levelStart.findLastIndex((start) => start <= state);
  }

  /** Goes on where another run was interrupted. Returns the first state that has not been visited. */
  #goOn({ snapshot, states }: NonNullable<Keeper["left"]>): number {
    const { expander, learner, judge, levelStart } = this;
    const { controlBits, changing, levels } = snapshot;
    expander.repack(controlBits, changing === null ? null : new Set(changing));
    for (const { places, blocks } of states) expander.absorb(places, blocks);
    levelStart.splice(0, 1, ...levels);
    for (const [number, cells] of snapshot.reads.entries()) for (const cell of cells) learner.instances[number]?.reads.add(cell);
    for (const [state, ordinal, thread, ...choices] of snapshot.learned as [number, number, number, ...number[]][]) {
      this.#depth = this.levelOf(state);
      expander.store.load(state, expander.current);
      const { control, block } = learner.learnBlock(thread, expander.current, choices);
      this.#noteLearned(control, block, state, ordinal);
    }
    judge.restore(snapshot.judged);
    this.#depth = snapshot.depth;
    this.#transitions = snapshot.transitions;
    this.#secondsBefore = snapshot.seconds;
    return snapshot.number;
  }

  /** Keeps what was found out before the state of that number is visited, if that is asked for. */
  #keep(number: number): void {
    const { expander, learner, judge, levelStart } = this;
    const { keeper } = this.options;
    if (keeper === undefined) return;
    const { packing, instances } = learner;
    const { states, transitions, seconds } = this.progress(number);
    const snapshot: Snapshot = {
      states,
      number,
      levels: levelStart,
      depth: this.#depth,
      transitions,
      seconds: this.#secondsBefore + seconds,
      controlBits: packing.controlBits,
      changing: packing.changing && [...packing.changing],
      learned: this.#learned,
      reads: instances.map(({ reads }) => [...reads]),
      judged: judge.judged,
    };
    keeper.keep(snapshot, packing, (first) => expander.store.blocks(first));
    this.#lastKept = performance.now();
  }

  #noteLearned(control: Control, block: BlockRun, state: number, ordinal: number): void {
    this.onlooker?.noteBlock(control, block);
    this.judge.noteLearned(control, block, this.#depth + 1, { state, ordinal });
    if (this.options.keeper === undefined) return;
    const choices = block.decisions.flatMap((decision) =>
      decision.kind === "choice" && decision.labels.length > 0 ? [decision.taken] : [],
    );
    this.#learned.push([state, ordinal, control.thread, ...choices]);
  }

  /**
   * Judges all steps out of the state and the states they lead to, which are added to the store. Whether that was
   * done, or learning took too long; null if memory is at its end.
   */
  visitIfRoom(number: number, depth: number): boolean | null {
    this.#depth = depth;
    return this.#ifRoom(() => this.#visit(number, FROM_THE_START));
  }

  /**
   * Visits states from the one on, until there are more than `most`: as many as the core can by itself, and the next if
   * it cannot. Returns the first that was not visited, which is the same one if learning took too long or a step had
   * all packed anew; and whether there was room.
   */
  *#visitFrom(from: number, to: number, most: number): Generator<Progress, Reached, "interrupt" | undefined> {
    const before = this.#transitionsSoFar;
    const { judge } = this;
    const { faultedSteps } = judge;
    const takenBack = () => {
      this.#transitions += before - this.#transitionsSoFar;
      judge.faultedSteps = faultedSteps;
      return { reached: from, hasRoom: false };
    };
    const visited = this.#ifRoom(() => this.#visitByCore(from, to, most));
    if (visited === null) return takenBack();
    const { next, remarkable } = visited;
    while (!(this.#visitor?.isQuiet() ?? true)) {
      // Whoever has died is heard of between turns of the event loop only.
      if ((yield this.progress(next)) === "interrupt") this.#isInterrupted = true;
    }
    this.#visitor?.mendTable();
    if (this.#ifRoom(() => this.#judgeRests()) === null) return takenBack();
    if (remarkable === null) return { reached: next, hasRoom: true };
    const isVisited = this.#ifRoom(() => this.#visit(next, remarkable));
    return { reached: isVisited ? next + 1 : next, hasRoom: isVisited !== null };
  }

  /** Judges what the core has left of the states that it visited. */
  #judgeRests(): void {
    for (const [number, ...moves] of this.#visitor?.rests ?? []) this.#judgeRest(number, moves);
  }

  /** The same, without what the core cannot do by itself. */
  #visitByCore(from: number, to: number, most: number): Visited {
    const { learner, expander, options } = this;
    const packAfter = options.packAfter ?? PACK_AFTER;
    const isLarge = expander.store.count > packAfter;
    if (isLarge && learner.packing.changing === null) this.#keepOnly([...learner.written], this.#roomyControlBits());
    if (this.#visitor === null) return { next: from, remarkable: FROM_THE_START };
    return this.#visitor.visit({ from, to, most: isLarge ? most : Math.min(most, packAfter), until: expander.pauseAt, isLarge });
  }

  #ifRoom<Result>(visit: () => Result): Result | null {
    try {
      return visit();
    } catch (error) {
      if (error instanceof DiskFailed) {
        this.#diskFailure = error.message;
        return null;
      }
      // Thrown where room is asked for, before anything is changed.
      if (error instanceof RangeError && /allocation failed|typed array length|no room/.test(error.message)) return null;
      throw error;
    }
  }

  #visit(number: number, begun: Begun): boolean {
    const { expander, judge } = this;
    let steps: number;
    try {
      steps = expander.expand(number);
    } catch (error) {
      const { controlBits, changing } = this.learner.packing;
      if (error instanceof TooManyControls) this.#repack(withMoreBits(controlBits, error.thread), changing);
      else if (error instanceof ConstantWritten) this.#keepOnly([...(changing ?? []), ...this.learner.written], controlBits);
      else throw error;
      return false;
    }
    if (steps < 0) return false;
    judge.judgeSteps(number, this.#depth, steps, begun);
    judge.judgeRest(number, this.#depth);
    this.#transitions += steps;
    if (this.options.paranoid) this.#comparedNatively += compareNatively(this, this.#depth, steps);
    return true;
  }

  /** Judges what is left of a state that the core visits; there is a bit for each thread that can move. */
  #judgeRest(number: number, moves: readonly number[]): void {
    const { expander, judge } = this;
    expander.store.load(number, expander.current);
    for (let thread = 0; thread < expander.canMove.length; thread++) {
      expander.canMove[thread] = (((moves[thread >>> 5] as number) >>> (thread & 31)) & 1) === 1;
    }
    judge.judgeRest(number, this.#depth);
    expander.follow();
  }

  /** By thread, bits for twice as many control states as are known. */
  #roomyControlBits(): number[] {
    return this.machine.registers.map(({ controls }) => bitsFor(2 * controls.length));
  }

  /** Keeps of each state only those cells, and what is likely to change with them. */
  #keepOnly(changing: readonly number[], controlBits: readonly number[]): void {
    this.#repack(controlBits, this.#withImages(likelyToChange(this.machine, changing)));
  }

  /** The cells and their images: what changes in a state changes in its images too. */
  #withImages(cells: ReadonlySet<number>): ReadonlySet<number> {
    const { symmetry } = this.learner;
    if (symmetry === null) return cells;
    return new Set([...cells, ...symmetry.group.flatMap((image) => [...cells].map((cell) => image.cells[cell] as number))]);
  }

  /** Of a run that has not begun: what was learned in another has not been packed like the images of states. */
  #makeRoomForImages(): void {
    const { learner } = this;
    const { controlBits, changing } = learner.packing;
    if (learner.symmetry === null) return;
    if (changing !== null && this.#withImages(changing).size > changing.size) this.#keepOnly([...changing], controlBits);
    this.#fitControls();
  }

  /** Packs states with as many bits for control states as their images need too. */
  #fitControls(): void {
    const { expander, learner } = this;
    try {
      expander.follow();
    } catch (error) {
      if (!(error instanceof TooManyControls)) throw error;
      const { controlBits, changing } = learner.packing;
      this.#repack(withMoreBits(controlBits, error.thread), changing);
    }
  }

  #repack(controlBits: readonly number[], changing: ReadonlySet<number> | null): void {
    const { store } = this.expander;
    this.expander.repack(controlBits, changing);
    this.#fitControls();
    if (this.#visitor === null) return;
    if (this.expander.store === store) {
      this.#visitor.layOut();
      return;
    }
    this.#transitions += this.#visitor.transitions;
    this.#threads = this.#threadsSoFar;
    this.#visitor.close();
    this.#visitor = this.#newVisitor();
  }

  #newVisitor(): Visitor {
    const { threads = 1, idle = null, together = TOGETHER } = this.options;
    return new Visitor(this.expander, this.judge, { threads, idle, together });
  }

  get #transitionsSoFar(): number {
    return this.#transitions + (this.#visitor?.transitions ?? 0);
  }

  get #threadsSoFar(): number {
    return Math.max(this.#threads, this.#visitor?.threads ?? 1);
  }

  get #isLookDue(): boolean {
    return performance.now() - this.#lastLook > LOOK_EVERY;
  }

  /** Tells how far the run is, and whether it has to end here. */
  *#look(number: number): Generator<Progress, End, "interrupt" | undefined> {
    this.#lastLook = performance.now();
    const progress = this.progress(number);
    const over = overLimit(this.options.limits ?? {}, progress);
    const request = yield progress;
    if (request === "interrupt" || this.#isInterrupted) return { kind: "limit", what: "interrupt" };
    return over === null ? { kind: "complete" } : { kind: "limit", what: over };
  }

  /** Every state is known and expanded. A limit that is hit here leaves the run unfinished. */
  *#lookForLivelock(): Generator<Progress, End, "interrupt" | undefined> {
    const search = nearestLivelock(this, this.judge.stops);
    let step = search.next();
    while (!step.done) {
      if (this.#isLookDue) {
        const end = yield* this.#look(this.expander.store.count);
        if (end.kind === "limit") return end;
      }
      const next = this.#ifRoom(() => search.next());
      if (next === null) return this.#atLimit("memory");
      step = next;
    }
    const nearest = step.value;
    for (const occurrence of nearest?.occurrences ?? []) {
      this.judge.book.add(
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

  /** How far the run is when it has come to the state of that number. */
  progress(number: number): Progress {
    return {
      states: this.expander.store.count,
      transitions: this.#transitionsSoFar,
      depth: this.#depth,
      frontier: this.expander.store.count - number,
      seconds: (performance.now() - this.started) / 1000,
      memoryBytes: process.memoryUsage.rss(),
      tracing: null,
    };
  }

  /**
   * Searches a trace to everything found. That may take as long again as the run was allowed to, and can be
   * interrupted; who ended the run by an interrupt wants to see what it found.
   */
  *#trace(end: End): Generator<Progress, Pick<Outcome, "findings" | "untraced">, "interrupt" | undefined> {
    const candidates = [...this.judge.book.candidates.values()];
    if (this.options.traces === false) return { findings: [], untraced: [...new Set(candidates.map(({ check }) => check))] };
    const stoppedBy = end.kind === "limit" ? end.what : null;
    const latest = 2 * (this.options.limits?.timeoutSeconds ?? Number.POSITIVE_INFINITY);
    const findings: Finding[] = [];
    const untraced = new Set<string>();
    let lastLook = 0;
    let hasToStop = false;
    for (const { occurrences, ...found } of candidates) {
      // When a disk has failed there are states that nobody knows the number of.
      const places = occurrences.filter(({ state }) => state < this.expander.store.count);
      if (places.length === 0) {
        untraced.add(found.check);
        continue;
      }
      const search = shortestPath(this, found.depth, places);
      let step = search.next();
      while (!step.done && !hasToStop) {
        if (performance.now() - lastLook > LOOK_EVERY) {
          lastLook = performance.now();
          const progress = { ...this.progress(this.expander.store.count), tracing: found.check };
          const request = yield progress;
          const over = overLimit({ ...this.options.limits, timeoutSeconds: latest }, progress);
          hasToStop = (over !== null && over !== stoppedBy) || over === "time" || (request === "interrupt" && stoppedBy !== "interrupt");
        }
        const next = this.#ifRoom(() => search.next());
        if (next === null) hasToStop = true;
        else step = next;
      }
      if (step.done) findings.push({ ...found, path: step.value });
      else untraced.add(found.check);
    }
    return { findings, untraced: [...untraced] };
  }

  *#outcome(end: End, depth: number): Exploration {
    const { machine, learner, judge } = this;
    const { store } = this.expander;
    const explored = this.#secondsBefore + (performance.now() - this.started) / 1000;
    const { findings, untraced } = yield* this.#trace(end);
    const widest = [...learner.pathsOf].sort((one, other) => other[1] - one[1]).slice(0, 3);
    return {
      engine: "fast",
      end,
      states: store.count,
      transitions: this.#transitionsSoFar,
      depth,
      results: judge.book.results(machine.properties, machine.terminates, end),
      findings,
      untraced,
      faultedSteps: judge.faultedSteps,
      reduction: null,
      omission: null,
      disk: this.#disk && { folder: this.#disk.folder.path, bytes: this.#disk.folder.mostBytes, failure: this.#diskFailure },
      lockOrder: judge.lockOrder.edges,
      statistics: {
        seconds: explored,
        nativeRuns: machine.nativeRuns,
        comparedNatively: this.#comparedNatively,
        nativeSeconds: learner.nativeSeconds,
        threads: this.#threadsSoFar,
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

function withMoreBits(controlBits: readonly number[], thread: number): number[] {
  if ((controlBits[thread] as number) < MOST_CONTROL_BITS) return controlBits.with(thread, MOST_CONTROL_BITS);
  throw new ModelError("a thread has more than 16 million control states", "Keep fewer values in locals across yields, or bound them.");
}
