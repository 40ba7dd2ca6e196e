/**
 * Random walks, for state spaces too large to be seen whole. A walk applies learned rules like an exploration; in
 * every state it comes to, all steps out of it are judged, not only the one it takes. It proves nothing: what no
 * walk came near is not known.
 */
import type { Machine } from "../step/machine.js";
import { FastRun } from "./fast-run.js";
import type { Candidate, Occurrence } from "./findings.js";
import { Learner } from "./learner.js";
import { overLimit } from "./limits.js";
import { Marks } from "./marks.js";
import { checksOf, type Finding, type Limits } from "./outcome.js";
import { RandomSteps } from "./random-steps.js";
import { shrinkPath, stepTo } from "./shrink.js";

export interface SimulateOptions {
  /** The same seed gives the same walks. */
  readonly seed: number;
  readonly walks: number;
  /** Steps after which a walk ends, if nothing ends it before. */
  readonly maxSteps: number;
  readonly limits?: Pick<Limits, "timeoutSeconds" | "memoryBytes">;
  /** Codes of properties and checks whose violation does not end the walks; any other does. */
  readonly goOnAfter?: ReadonlySet<string>;
}

export interface SimulatedCheck {
  readonly check: string;
  readonly isProperty: boolean;
  /** `seen` and `never seen` are said of witnesses; `never asked` of a property whose window no walk opened. */
  readonly verdict: "violated" | "not violated" | "never asked" | "seen" | "never seen";
}

export interface Simulation {
  /** Walks that were begun. */
  readonly walks: number;
  /** Steps walked. */
  readonly steps: number;
  /** Distinct states that were judged: those walked through, and those one step beside the way. */
  readonly states: number;
  /** Steps of the longest walk. */
  readonly longest: number;
  readonly end: { readonly kind: "complete" } | { readonly kind: "violation" } | SimulationLimit;
  readonly results: readonly SimulatedCheck[];
  /** With paths that have been shrunk. */
  readonly findings: readonly Finding[];
  /** Distinct steps judged that ended in a fault; no walk went on behind them. */
  readonly faultedSteps: number;
  readonly seconds: number;
}

interface SimulationLimit {
  readonly kind: "limit";
  readonly what: "time" | "memory" | "interrupt";
}

export interface SimulationProgress {
  readonly walks: number;
  readonly steps: number;
  readonly states: number;
  readonly seconds: number;
  readonly memoryBytes: number;
  /** What is being shrunk, if the walking is over. */
  readonly shrinking: string | null;
}

/** Walks in progress: yields now and then. Send "interrupt" to have them end with what is known. */
export type Simulating = Generator<SimulationProgress, Simulation, "interrupt" | undefined>;

/** More than any model has; a walk is not worth starting again with wider states. */
const CONTROL_BITS = 24;
/** Milliseconds between looks at the limits, and reports of progress. */
const LOOK_EVERY = 100;

export function* simulate(machine: Machine, options: SimulateOptions): Simulating {
  return yield* new Simulator(machine, options).run();
}

class Simulator {
  readonly #run: FastRun;
  readonly #random: RandomSteps;
  readonly #started = performance.now();
  /** States whose steps have been judged, in that order, and how many states were known before each of them. */
  readonly #judged: { readonly state: number; readonly knownBefore: number }[] = [];
  readonly #isJudged = new Marks();
  #end: Simulation["end"] = { kind: "complete" };
  #lastLook = this.#started;
  #walks = 0;
  #steps = 0;
  #longest = 0;

  constructor(
    readonly machine: Machine,
    readonly options: SimulateOptions,
  ) {
    const { goOnAfter } = options;
    this.#run = new FastRun(machine, goOnAfter === undefined ? {} : { goOnAfter }, new Learner(machine, CONTROL_BITS), this.#started);
    this.#random = new RandomSteps(this.#run.expander, options.seed);
  }

  *run(): Simulating {
    this.#run.begin();
    if (this.#run.judge.book.unexpected) this.#end = { kind: "violation" };
    while (this.#end.kind === "complete" && this.#walks < this.options.walks) {
      this.#walks++;
      yield* this.#walk();
    }
    this.#run.judge.judgeWholeRun();
    const findings: Finding[] = [];
    for (const [key, candidate] of this.#run.judge.book.candidates) findings.push(yield* this.#finding(key, candidate));
    return {
      walks: this.#walks,
      steps: this.#steps,
      states: this.#run.expander.store.count,
      longest: this.#longest,
      end: this.#end.kind === "complete" && this.#run.judge.book.unexpected ? { kind: "violation" } : this.#end,
      results: this.#results(),
      findings,
      faultedSteps: this.#run.judge.faultedSteps,
      seconds: (performance.now() - this.#started) / 1000,
    };
  }

  *#walk(): Generator<SimulationProgress, void, "interrupt" | undefined> {
    let state = 0;
    for (let step = 0; step < this.options.maxSteps; step++) {
      if (!this.#judge(state, step)) return;
      const ordinal = this.#random.choose(this.#run.expander.expand(state));
      if (ordinal < 0) return;
      state = this.#run.expander.successor(ordinal);
      this.#steps++;
      this.#longest = Math.max(this.#longest, step + 1);
      if ((this.#steps & 63) === 0) yield* this.#lookAround();
      if (this.#end.kind !== "complete") return;
    }
  }

  /** Judges all steps out of the state, once. False if the walks are over. */
  #judge(state: number, depth: number): boolean {
    if (this.#isJudged.has(state)) return true;
    this.#isJudged.add(state);
    this.#judged.push({ state, knownBefore: this.#run.expander.store.count });
    if (this.#run.visitIfRoom(state, depth) === null) this.#end = { kind: "limit", what: "memory" };
    else if (this.#run.judge.book.unexpected) this.#end = { kind: "violation" };
    return this.#end.kind === "complete";
  }

  *#lookAround(): Generator<SimulationProgress, void, "interrupt" | undefined> {
    const now = performance.now();
    if (now - this.#lastLook < LOOK_EVERY) return;
    this.#lastLook = now;
    const progress = this.#progress(null);
    const over = overLimit(this.options.limits ?? {}, progress);
    if (over !== null) this.#end = { kind: "limit", what: over };
    if ((yield progress) === "interrupt") this.#end = { kind: "limit", what: "interrupt" };
  }

  *#finding(key: string, { occurrences, ...found }: Candidate): Generator<SimulationProgress, Finding, "interrupt" | undefined> {
    const way = this.#pathTo(occurrences[0] as Occurrence);
    const shrinking = shrinkPath(this.#run, key, way);
    // Nothing is shrunk for somebody who wants to stop.
    let path = way;
    while (this.#end.kind !== "limit" || this.#end.what !== "interrupt") {
      const { done, value } = shrinking.next();
      if (value !== undefined) path = value;
      if (done) break;
      const now = performance.now();
      if (now - this.#lastLook < LOOK_EVERY) continue;
      this.#lastLook = now;
      if ((yield this.#progress(found.check)) === "interrupt") this.#end = { kind: "limit", what: "interrupt" };
    }
    return { ...found, depth: path.length, path };
  }

  /** A way there: each state is reached from the state by whose judging it became known. */
  #pathTo({ state, ordinal }: Occurrence): number[] {
    const path = ordinal === null ? [] : [ordinal];
    for (let at = state; at > 0; ) {
      const from = this.#judged.findLast(({ knownBefore }) => knownBefore <= at)?.state as number;
      path.unshift(stepTo(this.#run, from, at));
      at = from;
    }
    return path;
  }

  #progress(shrinking: string | null): SimulationProgress {
    return {
      walks: this.#walks,
      steps: this.#steps,
      states: this.#run.expander.store.count,
      seconds: (performance.now() - this.#started) / 1000,
      memoryBytes: process.memoryUsage.rss(),
      shrinking,
    };
  }

  #results(): SimulatedCheck[] {
    const { candidates, opened } = this.#run.judge.book;
    const violated = new Set([...candidates.values()].map(({ check }) => check));
    return [
      ...this.machine.properties.map((property): SimulatedCheck => {
        const { code, window } = property;
        const isOpen = opened.has(property);
        const verdict = window.kind === "sometimes" ? (isOpen ? "seen" : "never seen") : isOpen ? "not violated" : "never asked";
        return { check: code, isProperty: true, verdict: violated.has(code) ? "violated" : verdict };
      }),
      // A walk cannot see that no end can be reached.
      ...checksOf(false).map(
        (check): SimulatedCheck => ({ check, isProperty: false, verdict: violated.has(check) ? "violated" : "not violated" }),
      ),
    ];
  }
}
