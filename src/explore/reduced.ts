/**
 * The fast engine with steps fused (fusion.ts): fewer states, the same verdicts. The first states are explored without, to
 * learn what steps touch; then all is explored from the start with those steps fused that seem to be harmless by what has been learned.
 * If something is learned that shows one not to be, that run is given up, and the next does without it.
 */
import type { BlockRun } from "../step/block.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { exploreFast } from "./fast.js";
import { FastRun, type Onlooker } from "./fast-run.js";
import { Fusion } from "./fusion.js";
import { Learner } from "./learner.js";
import type { Exploration, ExploreOptions, Outcome, Reduction } from "./outcome.js";

/** Default of `reduceAfter`: what is smaller needs no reduction. */
const REDUCE_AFTER = 2000;

/** Share of new paths among all after which it is asked again which steps may be fused. */
const NEW_PATHS = 0.1;

/** Explores the machine. Verdicts are those of `exploreFast`; states, transitions and depth are those of the reduced run, unless it says that there was none. */
export function* exploreReduced(machine: Machine, options: ExploreOptions = {}): Exploration {
  const cannot = whyNot(options);
  if (cannot !== null) return yield* unreduced(machine, options, cannot);
  const learner = new Learner(machine);
  try {
    const started = performance.now();
    const reducer = new Reducer(machine, learner, options.reduceAfter ?? REDUCE_AFTER);
    for (;;) {
      const run = new FastRun(machine, { ...options, traces: false }, learner, started, reducer);
      reducer.begin(run);
      const outcome = yield* run.explore();
      const { next, reduction } = reducer;
      if (next !== null && next !== "again") return yield* unreduced(machine, options, next.cannot);
      // What was found is so, and what was not decided is not, whatever was fused.
      if (next === "again" || (outcome.end.kind === "complete" && !reducer.stillHolds())) {
        run.expander.store.release();
        continue;
      }
      if (run.judge.book.candidates.size === 0) return { ...outcome, reduction };
      return yield* withTraces(machine, options, run, { ...outcome, reduction });
    }
  } finally {
    learner.memory.giveBack();
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

/** Decides which steps are fused in which run. */
class Reducer implements Onlooker {
  readonly #fusion: Fusion;
  #fused: ReadonlySet<number> = new Set();
  /** Paths that were known when it was last asked which steps may be fused. */
  #pathsAsked = 0;
  #runs = 0;
  /** What comes after the run that is explored, if it is given up. */
  next: "again" | { readonly cannot: string } | null = null;

  constructor(
    machine: Machine,
    readonly learner: Learner,
    /** States of the first run, which fuses nothing. */
    readonly reduceAfter: number,
  ) {
    this.#fusion = new Fusion(machine);
    learner.onAnswer = (instance, answer) => this.#fusion.noteAnswer(instance, answer);
  }

  get reduction(): Reduction {
    if (this.#runs === 1) return { kind: "off", because: `there are no more than ${this.reduceAfter} states` };
    return { kind: "fused", fusedPaths: this.#fused.size, paths: this.learner.leaves.length, restarts: this.#runs - 2 };
  }

  /** The run is to fuse what is harmless by all that is known; the first one nothing. */
  begin({ judge }: FastRun): void {
    this.next = null;
    this.#pathsAsked = this.#fusion.learned.length;
    if (this.#runs++ > 0) this.#fused = this.#fusion.fusible();
    this.learner.fuse(this.#fused);
    for (const { control, block } of this.#fusion.learned) judge.noteLearned(control, block, 0, { state: 0, ordinal: 0 });
  }

  noteBlock(control: Control, block: BlockRun): void {
    this.#fusion.noteBlock(control, block);
    if (block.fault?.exhausted !== undefined) this.next = { cannot: "a pool runs out, and why is seen of whole states" };
  }

  hasEnough({ expander }: FastRun): boolean {
    if (this.next !== null) return true;
    const { length: paths } = this.#fusion.learned;
    if (this.#runs === 1) this.next = expander.store.count > this.reduceAfter ? "again" : null;
    else if (paths > this.#pathsAsked * (1 + NEW_PATHS)) {
      this.#pathsAsked = paths;
      const fusible = this.#fusion.fusible();
      const isBetter = fusible.size > this.#fused.size * (1 + NEW_PATHS);
      if (isBetter || !isSubset(this.#fused, fusible)) this.next = "again";
    }
    return this.next !== null;
  }

  /** Whether all that was fused was harmless, as is known at the end of the run. */
  stillHolds(): boolean {
    return this.#fused.size === 0 || isSubset(this.#fused, this.#fusion.fusible());
  }
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
    const { candidates } = run.judge.book;
    const found = this.wanted.map((key) => candidates.get(key)?.depth ?? Number.POSITIVE_INFINITY);
    return Math.max(0, ...found) < run.progress(0).depth;
  }
}
