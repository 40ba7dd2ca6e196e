/** Runs one suite, replays what was found, and says how it compares with what the suite expects. */
import { exploreFast } from "../explore/fast.js";
import { exploreLossy, type Lossy } from "../explore/lossy.js";
import {
  type CheckResult,
  checksOf,
  type DiskOptions,
  type Exploration,
  type ExploreOptions,
  type Limits,
  type Outcome,
  type Progress,
  type ResultVerdict,
} from "../explore/outcome.js";
import { exploreReduced, type Reductions } from "../explore/reduced.js";
import { exploreReference } from "../explore/reference.js";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import { hashOf, wholeToolFingerprint } from "../load/cache.js";
import { appliedCommits, Machine, type Variant, variantTo } from "../step/machine.js";
import { type Replayed, replayFindings } from "../trace/judge.js";
import { CheckpointFolder, type Checkpointing } from "./checkpoint.js";
import { fingerprint, type Session } from "./open.js";
import { byFile, type Remembered, type RunDescription, type VerdictCache } from "./verdict-cache.js";

export interface RunSuiteOptions {
  readonly variant?: Variant;
  readonly engine?: "fast" | "reference";
  readonly limits?: Limits;
  /** Properties and checks whose violation does not end the run. Default: those that the suite expects. */
  readonly goOnAfter?: readonly string[];
  /** Run every transition natively too, and compare: throws a ModelError at the first difference. */
  readonly paranoid?: boolean;
  /** Where runs are kept that take long, and go on after they were interrupted. Of the fast engine, and of this thread only. Default: nowhere. */
  readonly checkpoint?: Checkpointing;
  /** Leave out states that show nothing, in these ways; the fast engine only. Default: none. */
  readonly reduce?: Reductions;
  /** Threads that explore the suite together, this one included; the fast engine only. Default 1. */
  readonly threads?: number;
  /** How many more have nothing to do by now, in shared memory: a large suite takes them, and gives them back. */
  readonly idle?: Int32Array;
  /** Forget states that have been visited, and say how likely it is that one was omitted; the fast engine only, and nothing but limits beside. */
  readonly lossy?: Lossy;
  /** A folder for states that do not fit into the memory; the fast engine only, and not with states left out or forgotten. */
  readonly disk?: DiskOptions;
  /** Where outcomes are kept and looked for; whoever gives it has it write them. Default: nowhere. */
  readonly cache?: VerdictCache;
  /** Of a suite that came out as expected, leave out the traces: nobody is shown them, and to replay them takes long. Default false. */
  readonly tersely?: boolean;
}

/** One line of the verdict table. */
export interface Comparison {
  readonly check: string;
  readonly isProperty: boolean;
  readonly verdict: ResultVerdict;
  /** Why a violation was expected, or null if the check was expected to hold. */
  readonly expectedBecause: string | null;
  readonly asExpected: boolean;
}

export interface SuiteRun {
  readonly suite: Suite;
  readonly variant: Variant;
  readonly machine: Machine;
  readonly outcome: Outcome;
  readonly comparisons: readonly Comparison[];
  /** Every finding with its trace, replayed by the plain engine; none of a run that is told of tersely. */
  readonly traces: readonly Replayed[];
  readonly exitCode: ExitCode;
  /** Whether it was run before, on code that is the same. */
  readonly isCached: boolean;
}

/** What was seen of a suite: a value that can be sent from thread to thread. */
export interface Explored extends Remembered {
  /** Coverage points reached; empty unless coverage was asked for, and of a suite that was recalled. */
  readonly covered: readonly number[];
  /** Whether it was seen before, on code that is the same. */
  readonly isCached: boolean;
}

/** 0 all as expected, 1 violated or not as expected, 2 the model is at fault, 3 a limit was hit. */
export type ExitCode = 0 | 1 | 2 | 3;

/** The machine of a suite's variant. Throws a ModelError if the variant makes no sense. */
export function machineOf(session: Session, suite: Suite, variant: Variant = {}): Machine {
  return new Machine(suite.design, suite.scenario, suite.properties, variant, session.locate);
}

/** The variant with its commits as the design calls them: a user may abbreviate. Throws a ModelError if it makes no sense. */
export function resolvedVariant({ design }: Suite, variant: Variant = {}): Variant {
  return { ...variant, ...variantTo(design, appliedCommits(design, variant)) };
}

/** Runs the suite. Yields progress now and then; "interrupt" sent back ends the run with what is known. */
export function* runSuite(
  session: Session,
  suite: Suite,
  options: RunSuiteOptions = {},
): Generator<Progress, SuiteRun, "interrupt" | undefined> {
  const explored = yield* exploreSuite(session, suite, options);
  return yield* tellRun(session, suite, options, explored);
}

/**
 * The part of running a suite that takes time, and can be done by another thread: explores it, or recalls what was
 * seen when it was explored before. What it found is not replayed yet.
 */
export function* exploreSuite(
  session: Session,
  suite: Suite,
  options: RunSuiteOptions,
  recalls = true,
): Generator<Progress, Explored, "interrupt" | undefined> {
  checkExpectations(suite);
  const { cache, limits = {}, engine = "fast" } = options;
  const { entered } = session.code;
  entered.clear();
  const remembered = recalls ? cache?.find(session, descriptionOf(suite, options)) : null;
  if (remembered) return { ...remembered, covered: [], isCached: true };
  const machine = machineOf(session, suite, options.variant);
  const explore = explorerOf(engine, options);
  const goOnAfter = new Set(options.goOnAfter ?? Object.keys(suite.expected ?? {}));
  const keeper = options.checkpoint && new CheckpointFolder(suite.name, runOf(session, suite, options), options.checkpoint);
  let outcome: Outcome;
  try {
    const { paranoid = false, threads = 1, idle, disk } = options;
    const optional = { ...(idle && { idle }), ...(keeper && { keeper }), ...(disk && { disk }) };
    outcome = yield* explore(machine, { limits, paranoid, threads, goOnAfter, ...optional });
    if (outcome.end.kind !== "limit") keeper?.remove();
  } finally {
    keeper?.close();
  }
  const atomicReasons = [...machine.atomicReasons];
  const functions = byFile(new Set([...session.enteredAtLoad, ...entered]));
  return { outcome, atomicReasons, asked: [...machine.asked], functions, covered: [...machine.covered], isCached: false };
}

function explorerOf(
  engine: "fast" | "reference",
  { reduce, lossy }: RunSuiteOptions,
): (machine: Machine, options: ExploreOptions) => Exploration {
  if (lossy !== undefined) return (machine, options) => exploreLossy(machine, options, lossy);
  if (reduce !== undefined) return (machine, options) => exploreReduced(machine, options, reduce);
  return engine === "reference" ? exploreReference : exploreFast;
}

/** Differs for runs of which one cannot go on where the other was interrupted. Limits may. */
function runOf(session: Session, suite: Suite, { variant, goOnAfter }: RunSuiteOptions): string {
  const { name, properties, expected = {} } = suite;
  const asked = [name, properties.map(({ code }) => code), Object.keys(expected), resolvedVariant(suite, variant), goOnAfter];
  return hashOf(wholeToolFingerprint(), fingerprint(session), JSON.stringify(asked));
}

/** What of the options a verdict depends on. */
function descriptionOf(suite: Suite, { variant, engine = "fast", limits = {}, goOnAfter, reduce, lossy }: RunSuiteOptions): RunDescription {
  const { maxStates, maxDepth } = limits;
  return { suite, options: { variant: resolvedVariant(suite, variant), engine, maxStates, maxDepth, goOnAfter, reduce, lossy } };
}

/** The other part: how what was seen, which is kept, compares with what the suite expects, and its findings in the words of the plain engine. */
export function* tellRun(
  session: Session,
  suite: Suite,
  options: RunSuiteOptions,
  explored: Explored,
): Generator<Progress, SuiteRun, "interrupt" | undefined> {
  const { variant = {}, tersely = false, cache } = options;
  if (!explored.isCached) cache?.keep(session, descriptionOf(suite, options), explored);
  const run = judged(suite, resolvedVariant(suite, variant), () => machineThatExplored(session, suite, variant, explored), explored);
  if (tersely && run.exitCode === 0) return run;
  try {
    return replayed(run);
  } catch (error) {
    if (!(explored.isCached && error instanceof ModelError)) throw error;
  }
  // A place that a finding stood at has moved; to explore the suite is to find it again.
  return yield* tellRun(session, suite, options, yield* exploreSuite(session, suite, options, false));
}

/** A machine that knows what the one knew with which the suite was explored. */
function machineThatExplored(session: Session, suite: Suite, variant: Variant, explored: Explored): Machine {
  const machine = machineOf(session, suite, variant);
  for (const reason of explored.atomicReasons) machine.atomicReasons.add(reason);
  for (const point of explored.covered) machine.covered.add(point);
  for (const commit of explored.asked) machine.asked.add(commit);
  return machine;
}

/** The run with its findings in the words of the plain engine. */
function replayed(run: SuiteRun): SuiteRun {
  const traces = replayFindings(run.machine, run.outcome.findings);
  return { ...run, outcome: { ...run.outcome, findings: traces.map(({ finding }) => finding) }, traces };
}

/** How the outcome compares with what the suite expects, its findings not replayed yet. */
function judged(suite: Suite, variant: Variant, make: () => Machine, { outcome, isCached }: Explored): SuiteRun {
  const comparisons = comparisonsOf(suite, variant, outcome.results);
  let made: Machine | null = null;
  return {
    suite,
    variant,
    outcome,
    comparisons,
    traces: [],
    exitCode: exitCodeOf(outcome, comparisons),
    isCached,
    // Of most runs of many suites nobody looks at it.
    get machine() {
      made ??= make();
      return made;
    },
  };
}

/** How verdicts on a suite's variant compare with what it expects. */
export function comparisonsOf({ expected }: Suite, variant: Variant, results: readonly CheckResult[]): Comparison[] {
  const isChanged = Object.values(variant).some((change) => change !== undefined && String(change) !== "");
  return results.map(({ check, isProperty, verdict }) => {
    const expectedBecause = expected?.[check]?.reason ?? null;
    // On a changed design, or with other faults, an expected violation may be gone: that is what the change is tried for.
    const asExpected = expectedBecause === null ? verdict === "holds" : verdict === "violated" || (isChanged && verdict === "holds");
    return { check, isProperty, verdict, expectedBecause, asExpected };
  });
}

/** Runs the suite to its end at once, and writes the cache. */
export function runSuiteNow(session: Session, suite: Suite, options: RunSuiteOptions = {}): SuiteRun {
  try {
    return finish(runSuite(session, suite, options));
  } finally {
    options.cache?.write();
  }
}

/** Does work that tells how far it has come, to its end at once. */
export function finish<Result>(work: Generator<unknown, Result, undefined>): Result {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value as Result;
  }
}

function exitCodeOf(outcome: Outcome, comparisons: readonly Comparison[]): ExitCode {
  if (comparisons.some(({ check, verdict }) => check === "model-fault" && verdict === "violated")) return 2;
  const off = comparisons.filter(({ asExpected }) => !asExpected);
  if (off.some(({ verdict }) => verdict !== "unfinished" && verdict !== "not violated")) return 1;
  return off.length > 0 || outcome.end.kind === "limit" ? 3 : 0;
}

/** Properties and checks of the suite. */
export function checksOfSuite({ properties, scenario }: Suite): string[] {
  return [...properties.map(({ code }) => code), ...checksOf(scenario.terminates ?? false)];
}

/** Those of the suite that a run may go on after which is about one of them, or about all if it is null: after the fault of a model nothing makes sense. */
export function checksBeside(check: string | null, suite: Suite): string[] {
  return checksOfSuite(suite).filter((other) => other !== check && other !== "model-fault");
}

/** Throws a ModelError if the suite expects something of a check that it does not have. */
export function checkExpectations(suite: Suite): void {
  const known = checksOfSuite(suite);
  const unknown = Object.keys(suite.expected ?? {}).find((check) => !known.includes(check));
  if (unknown !== undefined) {
    throw new ModelError(
      `suite ${suite.name} expects something of "${unknown}", which it does not check`,
      `It checks ${known.join(", ")}.`,
    );
  }
}
