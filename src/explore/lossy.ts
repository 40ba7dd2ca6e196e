/**
 * The fast engine with states forgotten as soon as they have been visited (lossy-table.ts): it comes further in the same memory, and
 * proves less, for a state may be taken for one that is known. The first states are kept, to see how states are best packed; a run that
 * has no more of them is an ordinary one. Then all is explored from the start, and from the start again if they have to be packed otherwise.
 */
import type { Machine } from "../step/machine.js";
import { type Expander, PackingChanged } from "./expander.js";
import { FastRun, type Onlooker } from "./fast-run.js";
import type { Occurrence } from "./findings.js";
import { Learner } from "./learner.js";
import { mostMemory } from "./limits.js";
import type { LossyMode, LossyOptions } from "./lossy-table.js";
import type { CheckResult, Exploration, ExploreOptions, Finding, Omission, Outcome, Progress } from "./outcome.js";

/** Default of `lossyAfter`: so many states fit anywhere. */
const LOSSY_AFTER = 100_000;

/** What the process takes beside what it knows of states. */
const PROCESS_BYTES = 200_000_000;
/** Share of the rest that is the table; what is left is for states that are still to be visited, and for how states were found. */
const TABLE_SHARE = { hash: 0.75, bits: 0.5 } as const;
/** Of the 4 GB that the engine can address. */
const MOST_TABLE = 3_200_000_000;
const LEAST_TABLE = 2 ** 20;

/** A memory is kept for the next run however large it is: otherwise the process would have both for a while. */
const ANY_SIZE = Number.POSITIVE_INFINITY;

/** How a run may forget states. */
export interface Lossy extends Partial<LossyOptions> {
  readonly mode: LossyMode;
  /** States of the first run, which keeps all. Default 100,000. */
  readonly lossyAfter?: number;
}

type Packed = Pick<Expander["learner"]["packing"], "controlBits" | "changing">;

/** Explores the machine. What is said to be violated is; of what is not, the outcome says how likely it is that something was omitted. */
export function* exploreLossy(machine: Machine, given: ExploreOptions, lossy: Lossy): Exploration {
  const options = { ...given, threads: 1 };
  const lossyAfter = lossy.lossyAfter ?? LOSSY_AFTER;
  const started = performance.now();
  const first = yield* firstStates(machine, options, lossyAfter);
  if ("outcome" in first) {
    return { ...first.outcome, omission: { mode: "off", because: `there are no more than ${lossyAfter} states, which were kept` } };
  }
  let packed: Packed = first;
  for (let restarts = 0; ; restarts++) {
    // Not the one before: it has noted acquisitions that are to be judged in this run.
    const learner = new Learner(machine);
    try {
      const run = new FastRun(machine, { ...options, traces: false }, learner, started);
      const table = { ...lossy, tableBytes: lossy.tableBytes ?? mostTableBytes(lossy.mode, options) };
      run.expander.forgetVisited(table, packed.controlBits, packed.changing);
      const outcome = yield* run.explore();
      return lossyOutcome(run, outcome, options, restarts);
    } catch (error) {
      if (!(error instanceof PackingChanged)) throw error;
      packed = error;
    } finally {
      learner.memory.giveBack(ANY_SIZE);
    }
  }
}

/** Explores until there are more than so many states. How they are packed by then; or the outcome, if there are no more. */
function* firstStates(
  machine: Machine,
  options: ExploreOptions,
  most: number,
): Generator<Progress, Packed | { readonly outcome: Outcome }, "interrupt" | undefined> {
  let hasMore = false;
  const onlooker: Onlooker = {
    noteBlock: () => {},
    hasEnough({ expander, judge }) {
      hasMore = expander.store.count > most && !judge.book.unexpected;
      return hasMore;
    },
  };
  const learner = new Learner(machine);
  try {
    const outcome = yield* new FastRun(machine, options, learner, performance.now(), onlooker).explore();
    return hasMore ? learner.packing : { outcome };
  } finally {
    learner.memory.giveBack(ANY_SIZE);
  }
}

/** Of memory that a run is given, and not of what the machine has left: the same run forgets the same states. */
function mostTableBytes(mode: LossyMode, { limits = {} }: ExploreOptions): number {
  const left = mostMemory(limits) - PROCESS_BYTES;
  return Math.max(LEAST_TABLE, Math.min(MOST_TABLE, Math.floor(left * TABLE_SHARE[mode])));
}

function lossyOutcome(run: FastRun, outcome: Outcome, { traces }: ExploreOptions, restarts: number): Outcome {
  const { lossy } = run.expander.store;
  if (lossy === null) throw new TypeError("the run has kept its states");
  lossy.follow();
  const { options, bitsPerState, tableBytes, expectedOmissions, probabilityOfAnyOmission } = lossy;
  const omission: Omission = {
    mode: options.mode,
    bitsPerState,
    tableBytes,
    states: outcome.states,
    expectedOmissions,
    probabilityOfAnyOmission,
    restarts,
  };
  const lossyOutcome = { ...outcome, omission, results: outcome.results.map((result) => lossyResult(run.machine, result)) };
  if (traces === false) return lossyOutcome;
  const findings = [...run.judge.book.candidates.values()].map(({ occurrences, ...found }): Finding => {
    const { state, ordinal } = occurrences[0] as Occurrence;
    return { ...found, path: [...lossy.origins.pathTo(state), ...(ordinal === null ? [] : [ordinal])] };
  });
  return { ...lossyOutcome, findings, untraced: [] };
}

/** What was seen is so. What would have had to be seen of all states is not known; and that no end can be reached from somewhere was not asked. */
function lossyResult({ properties }: Machine, result: CheckResult): CheckResult {
  const { check, isProperty, verdict } = result;
  const isWitness = isProperty && properties.some(({ code, window }) => code === check && window.kind === "sometimes");
  if (verdict === "vacuous" || check === "livelock") return { ...result, verdict: "unfinished" };
  return verdict === "holds" && !isWitness ? { ...result, verdict: "not violated" } : result;
}
