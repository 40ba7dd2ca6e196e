/**
 * The fast engine with reductions: steps that are fused (fusion.ts), and one state for all that are its images (symmetry.ts), or differ in what
 * nobody will read (dead-fields.ts). Fewer states, the same verdicts. The first states are explored without, to learn what steps do; then all
 * is explored from the start, reduced as seems to be harmless by what has been learned. If something is learned that shows that it is not, that
 * run is given up, and the next does without it.
 */
import type { BlockRun } from "../step/block.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { DeadFields, type LiveCells, Outdated } from "./dead-fields.js";
import { exploreFast } from "./fast.js";
import { FastRun, type Onlooker } from "./fast-run.js";
import { Fusion } from "./fusion.js";
import { swapsOf } from "./interchange.js";
import type { Judge } from "./judge.js";
import { Learner } from "./learner.js";
import { MOST_COUNTED } from "./normal-forms.js";
import type { Exploration, ExploreOptions, Outcome, Progress, Reduction } from "./outcome.js";
import { pathTaken, type TakenPath } from "./paths.js";
import { type LostSwap, Symmetry } from "./symmetry.js";
import { Visitor } from "./visitor.js";

/** Default of `reduceAfter`: what is smaller needs no reduction. */
const REDUCE_AFTER = 2000;

/** Share of new paths among all after which it is asked again what may be left out, and by which it has to be more for another run. */
const NEW_PATHS = 0.1;

/** What may be done to have fewer states. */
export interface Reductions {
  readonly fusion: boolean;
  readonly symmetry: boolean;
  readonly clearing: boolean;
}

export const ALL_REDUCTIONS: Reductions = { fusion: true, symmetry: true, clearing: true };

/** Explores the machine. Verdicts are those of `exploreFast`; states, transitions and depth are those of the reduced run, unless it says that there was none. */
export function* exploreReduced(machine: Machine, options: ExploreOptions = {}, reductions = ALL_REDUCTIONS): Exploration {
  const cannot = whyNot(options);
  if (cannot !== null) return yield* unreduced(machine, options, cannot);
  const learner = new Learner(machine);
  try {
    const started = performance.now();
    const reducer = new Reducer(machine, learner, options.reduceAfter ?? REDUCE_AFTER, reductions);
    for (;;) {
      reducer.prepare();
      const run = new FastRun(machine, { ...options, traces: false }, learner, started, reducer);
      reducer.begin(run.judge);
      const outcome = yield* untilOutdated(run);
      const { next } = reducer;
      if (next !== null && next !== "again") return yield* unreduced(machine, options, next.cannot);
      // What was found is so, and what was not decided is not, whatever was fused.
      if (outcome === null || next === "again" || (outcome.end.kind === "complete" && !reducer.isFinal())) {
        run.giveUp();
        continue;
      }
      const told = { ...outcome, reduction: reducer.end(run) };
      if (run.judge.book.candidates.size === 0) return told;
      return yield* withTraces(machine, options, run, told);
    }
  } finally {
    learner.memory.giveBack();
  }
}

/** The outcome of the run; null if it had to be given up at once. */
function* untilOutdated(run: FastRun): Generator<Progress, Outcome | null, "interrupt" | undefined> {
  try {
    return yield* run.explore();
  } catch (error) {
    if (error instanceof Outdated) return null;
    throw error;
  }
}

function whyNot({ paranoid, keeper, limits }: ExploreOptions): string | null {
  if (paranoid) return "every step is to be compared";
  if (keeper !== undefined) return "the run is kept, to go on later";
  return limits?.maxDepth === undefined ? null : "a depth is given, and fused steps have none of their own";
}

function* unreduced(machine: Machine, options: ExploreOptions, because: string): Exploration {
  const outcome = yield* exploreFast(machine, options);
  return { ...outcome, reduction: { kind: "off", because } };
}

/** Decides how which run is reduced. */
class Reducer implements Onlooker {
  readonly #fusion: Fusion;
  #fused: ReadonlySet<number> = new Set();
  /** By what is known, whether or not the run that is explored makes use of it. */
  #symmetry: Symmetry;
  readonly #lost: LostSwap[] = [];
  readonly #deadFields: DeadFields;
  /** Every path that has been learned. */
  readonly #learned: TakenPath[] = [];
  /** Paths that were known when it was last asked which steps may be fused. */
  #pathsAsked = 0;
  /** Those when it was last asked what is dead. */
  #pathsWhenCleared = 0;
  #runs = 0;
  #judge: Judge | null = null;
  /** Images that the judge has heard of. */
  #imagesTold = 0;
  /** What comes after the run that is explored, if it is given up. */
  next: "again" | { readonly cannot: string } | null = null;

  constructor(
    readonly machine: Machine,
    readonly learner: Learner,
    /** States of the first run, which is not reduced. */
    readonly reduceAfter: number,
    readonly reductions: Reductions,
  ) {
    this.#fusion = new Fusion(machine);
    this.#symmetry = Symmetry.of(machine, reductions.symmetry && Visitor.canVisit(learner) ? swapsOf(machine) : []);
    this.#deadFields = new DeadFields(machine);
    learner.onAnswer = (instance, answer) => {
      this.#fusion.noteAnswer(instance, answer);
      this.#deadFields.noteAnswer(answer);
      if (learner.live?.allowsAnswer(answer, machine.layout.cells.length) === false) throw new Outdated();
    };
    learner.onDeadRead = (cell, by) => this.#deadFields.noteRead(cell, by);
  }

  /** Has the run that comes reduced by all that is known; the first one is not. */
  prepare(): void {
    this.next = null;
    this.#pathsAsked = this.#learned.length;
    if (this.#runs++ > 0) {
      this.learner.keepOneOf(this.#symmetry.swaps.length > 0 ? this.#symmetry : null);
      this.#fused = this.#fusible();
      this.learner.live = this.#live();
      this.#pathsWhenCleared = this.#learned.length;
    }
    this.learner.fuse(this.#fused);
  }

  /** Tells who judges the run that begins what has been learned before. */
  begin(judge: Judge): void {
    this.#judge = judge;
    this.#imagesTold = 0;
    for (const path of this.#learned) tell(judge, path);
    this.#tellImages();
  }

  noteBlock(control: Control, run: BlockRun): void {
    const started = performance.now();
    const path = pathTaken(control, run);
    this.#learned.push(path);
    this.#fusion.notePath(path);
    this.#deadFields.notePath(path);
    const images = this.#noteImages(path);
    this.#tellImages();
    this.learner.nativeSeconds += (performance.now() - started) / 1000;
    if (run.fault?.exhausted !== undefined) this.next = { cannot: "a pool runs out, and why is seen of whole states" };
    // From then on there might be states that there are not.
    const { live } = this.learner;
    if (images === null || live?.allows(path) === false || images.some((image) => live?.allows(image) === false)) throw new Outdated();
  }

  hasEnough({ expander }: FastRun): boolean {
    if (this.next !== null) return true;
    const { length: paths } = this.#learned;
    if (this.#runs === 1) this.next = expander.store.count > this.reduceAfter ? "again" : null;
    else if (paths > this.#pathsAsked * (1 + NEW_PATHS)) {
      this.#pathsAsked = paths;
      const fusible = this.#fusible();
      if (isMuchMore(fusible.size, this.#fused.size) || !isSubset(this.#fused, fusible)) this.next = "again";
    }
    if (this.#clearsTooLittle()) this.next ??= "again";
    return this.next !== null;
  }

  /** Whether the run needs no other: all that was fused was harmless, and not much more could have been cleared, as is known at its end. */
  isFinal(): boolean {
    if (this.#clearsTooLittle()) return false;
    return this.#fused.size === 0 || isSubset(this.#fused, this.#fusible());
  }

  /** What the reductions came to in the run that has ended. */
  end({ expander }: FastRun): Reduction {
    if (this.#runs === 1) return { kind: "off", because: `there are no more than ${this.reduceAfter} states` };
    const { symmetry, live, leaves, written } = this.learner;
    const { standFor } = expander;
    // What images exercise would have been exercised by a run without.
    for (const point of symmetry?.covered ?? []) this.machine.covered.add(point);
    return {
      kind: "reduced",
      fusion: this.reductions.fusion ? { fusedPaths: this.#fused.size, paths: leaves.length } : null,
      symmetry: this.reductions.symmetry
        ? {
            interchangeable: symmetry?.swaps.map(({ what }) => what) ?? [],
            standFor,
            isEstimate: symmetry !== null && expander.store.count > MOST_COUNTED,
            lost: this.#lost,
          }
        : null,
      clearing: live && { cleared: live.cells, changing: written.size },
      restarts: this.#runs - 2,
    };
  }

  #fusible(): Set<number> {
    return this.reductions.fusion ? this.#fusion.fusible(this.learner.symmetry?.images ?? []) : new Set();
  }

  /** Whether much more is dead by all that is known: of a thread that begins again and again nothing is, until all it does has been seen. */
  #clearsTooLittle(): boolean {
    const { live } = this.learner;
    const { length: paths } = this.#learned;
    if (live === null || paths === this.#pathsWhenCleared) return false;
    this.#pathsWhenCleared = paths;
    return isMuchMore(this.#live()?.places ?? 0, live.places);
  }

  /** What is live by all that is known; null if nothing is to be cleared. */
  #live(): LiveCells | null {
    const { symmetry } = this.learner;
    return this.reductions.clearing ? this.#deadFields.find(symmetry?.images ?? [], symmetry?.group ?? []) : null;
  }

  /**
   * Looks whether the swaps make no difference to the path; if one does, all that is known is looked at again without it. Returns the images
   * that came of it, or null if the run is one for which that swap made none.
   */
  #noteImages(path: TakenPath): readonly TakenPath[] | null {
    const { symmetry } = this.learner;
    const known = symmetry?.images.length ?? 0;
    let isOutdated = false;
    let lost = this.#symmetry.note(path);
    while (lost !== null) {
      this.#lost.push(lost);
      isOutdated ||= symmetry !== null;
      const left = this.#symmetry.without(lost);
      this.#symmetry = left;
      lost = null;
      for (const learned of this.#learned) lost ??= left.note(learned);
    }
    return isOutdated ? null : (symmetry?.images.slice(known) ?? []);
  }

  /** Images are as good as learned, in a run that makes use of them. */
  #tellImages(): void {
    const { symmetry } = this.learner;
    if (symmetry === null || this.#judge === null) return;
    for (const image of symmetry.images.slice(this.#imagesTold)) tell(this.#judge, image);
    this.#imagesTold = symmetry.images.length;
  }
}

/** Where a finding is does not matter: traces are those of another run. */
function tell(judge: Judge, { control, block }: TakenPath): void {
  judge.noteLearned(control, block, 0, { state: 0, ordinal: 0 });
}

function isMuchMore(one: number, other: number): boolean {
  return one > other * (1 + NEW_PATHS);
}

function isSubset(some: ReadonlySet<number>, all: ReadonlySet<number>): boolean {
  return [...some].every((each) => all.has(each));
}

/** The shortest traces to what the reduced run found: looked for without reduction, no deeper than they are. */
function* withTraces(machine: Machine, options: ExploreOptions, reduced: FastRun, found: Outcome): Exploration {
  if (options.traces === false) return found;
  if (found.end.kind === "violation") {
    const outcome = yield* unreduced(machine, options, "something was found; explored again without, for a shortest trace");
    return outcome.end.kind === "limit" ? found : outcome;
  }
  const search = new Search([...reduced.judge.book.candidates.keys()]);
  const learner = new Learner(machine);
  try {
    const goOnAfter = new Set(found.untraced);
    const run = new FastRun(machine, { ...options, goOnAfter }, learner, performance.now(), search);
    const { findings } = yield* run.explore();
    const traced = new Set(findings.map(({ check }) => check));
    return { ...found, findings, untraced: found.untraced.filter((check) => !traced.has(check)) };
  } finally {
    learner.memory.giveBack();
  }
}

/** Ends a run when all that is wanted has been found, and no shorter trace to it is left to be found. */
class Search implements Onlooker {
  constructor(readonly wanted: readonly string[]) {}

  noteBlock(): void {}

  hasEnough(run: FastRun): boolean {
    // Which order of locks closes a cycle depends on those that were seen before.
    if (this.wanted.some((key) => key.startsWith("lockdep "))) return false;
    const { candidates } = run.judge.book;
    const found = this.wanted.map((key) => candidates.get(key)?.depth ?? Number.POSITIVE_INFINITY);
    return Math.max(0, ...found) < run.progress(0).depth;
  }
}
