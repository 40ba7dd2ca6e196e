/**
 * What `--json` prints, as types. Documented in docs/json.md; a field is added at will, but none is renamed,
 * removed or given another meaning without a new `schema` number.
 */
import type { DiskUse, Limits, Omission, Reduction, ResultVerdict } from "../explore/outcome.js";
import type { Abstraction } from "../lang/design.js";
import type { Location } from "../lang/errors.js";
import type { ExitCode, SuiteRun } from "../session/run-suite.js";
import { readCell, type State } from "../state/state.js";
import type { Machine } from "../step/machine.js";
import type { Replayed } from "../trace/judge.js";
import { formatPath, type Trace } from "../trace/replay.js";
import type { Against } from "./against.js";
import { assumptionsOf } from "./assumptions.js";
import { becauseTexts, freedTexts } from "./because.js";
import { type Bounds, boundsOf } from "./bounds.js";
import type { Coverage } from "./coverage.js";
import type { Reported } from "./formats.js";
import { stepRows } from "./trace-rows.js";
import { type SuiteResult, type SuiteVerdict, verdictOf } from "./verdict.js";

export const JSON_SCHEMA = 1;

/** First members of every document. */
export interface JsonHeader {
  readonly tool: "iommu-mc";
  readonly version: string;
  readonly schema: typeof JSON_SCHEMA;
  readonly command: string;
}

/** Printed by any command instead of its own document when it cannot do its work; `exitCode` is 2. */
export interface JsonFailure extends JsonHeader {
  readonly error: JsonError;
  readonly exitCode: 2;
}

export interface JsonError {
  /** `model`: a file the user wrote is wrong. `usage`: the command line is. `internal`: a defect of the checker. */
  readonly kind: "model" | "usage" | "internal";
  readonly message: string;
  readonly hint: string | null;
  readonly location: Location | null;
}

/** `check`. */
export interface JsonCheck extends JsonHeader {
  readonly suites: readonly JsonSuite[];
  /** Suites whose model is at fault. */
  readonly errors: readonly (JsonError & { readonly suite: string })[];
  /** Names of suites whose turn did not come before an interrupt. */
  readonly notRun: readonly string[];
  /** The comparison with an earlier run; null if none was asked for. */
  readonly against: Against | null;
  /** What the runs exercised of the model; null if it was not asked for. */
  readonly coverage: Coverage | null;
  /** 0 all as expected, 1 not as expected, 2 a model at fault, 3 unfinished; of several, in the order 2, 1, 3, 0. */
  readonly exitCode: ExitCode;
}

/** `replay`. */
export interface JsonReplay extends JsonHeader {
  readonly suite: string;
  readonly revert: readonly string[];
  readonly apply: readonly string[];
  readonly bounds: Bounds;
  readonly path: string;
  /** What the last step and the state after it violate. */
  readonly violated: readonly Pick<JsonFinding, "check" | "kind" | "message" | "subject" | "location" | "failing">[];
  readonly trace: readonly JsonStep[];
  /** 1 if something is violated that the suite does not expect. */
  readonly exitCode: ExitCode;
}

/** `ledger`. */
export interface JsonLedger extends JsonHeader {
  /** Path of the ledger file. */
  readonly ledger: string;
  /** Differences between the file as it was and the run, in words; empty if they agree. */
  readonly differences: readonly string[];
  readonly updated: boolean;
  readonly exitCode: ExitCode;
}

/** `report`. */
export interface JsonReport extends JsonHeader {
  /** The folder. */
  readonly out: string;
  /** Paths of all pages in it. */
  readonly pages: readonly string[];
  /** Those that were missing or different. */
  readonly stale: readonly string[];
  /** Pages found there of suites that are no longer there. */
  readonly surplus: readonly string[];
  /** Whether the folder is now as the run says. */
  readonly written: boolean;
  /** Names of suites that are not as they expect. */
  readonly notAsExpected: readonly string[];
  readonly exitCode: ExitCode;
}

/** `new`. */
export interface JsonNew extends JsonHeader {
  readonly folder: string;
  /** What the design is called. */
  readonly name: string;
  /** Files that were written, relative to the folder. */
  readonly files: readonly string[];
  readonly exitCode: 0;
}

/** `record`. */
export interface JsonRecord extends JsonHeader {
  /** The file written; null for standard output, in which case `text` holds it. */
  readonly out: string | null;
  readonly text: string | null;
  /** Release of the kernel that the script is for. */
  readonly release: string;
  /** Functions that are probed where the kernel has them. */
  readonly functions: readonly string[];
  /** Those whose arguments are not recorded, since no BTF tells of them. */
  readonly withoutArguments: readonly string[];
  readonly exitCode: 0;
}

/** `topology import`. */
export interface JsonTopologyImport extends JsonHeader {
  /** The file written; null for standard output, in which case `text` holds it. */
  readonly out: string | null;
  readonly text: string | null;
  readonly kept: readonly { readonly group: number; readonly devices: readonly string[]; readonly why: string }[];
  readonly leftOut: readonly string[];
  /** What the scenario has in the place of something the machine has not, or the model cannot drive; in words. */
  readonly standIns: readonly string[];
  /** The IOMMU driver of the model that stands for the machine's. */
  readonly iommu: string;
  readonly suites: readonly string[];
  readonly exitCode: 0;
}

export interface JsonSuite {
  readonly suite: string;
  readonly design: string;
  readonly version: string;
  /** Commits taken out of the design, and added to it, as the design calls them. */
  readonly revert: readonly string[];
  readonly apply: readonly string[];
  readonly scenario: { readonly name: string; readonly describes: string };
  readonly bounds: Bounds & { readonly limits: Limits };
  readonly engine: "fast" | "reference";
  /** Whether this is what an earlier run on the same code found out; `statistics` are of that run. */
  readonly fromCache: boolean;
  readonly verdict: SuiteVerdict;
  readonly asExpected: boolean;
  readonly exitCode: ExitCode;
  /** `complete`: every reachable state was seen. `violation`: stopped after the level of something unexpected. */
  readonly end: "complete" | "violation" | { readonly limit: "states" | "depth" | "time" | "memory" | "disk" | "interrupt" };
  readonly states: number;
  readonly transitions: number;
  /** Steps to the farthest state. */
  readonly depth: number;
  /** Properties and checks of which something was found, but the search for its trace was stopped. */
  readonly untraced: readonly string[];
  /** Steps that ended in a fault; what would come after them is not covered by any verdict. */
  readonly faultedSteps: number;
  /** What `--reduce` came to: `states`, `transitions` and `depth` are then of the reduced run, unless it is `off`. Null without it. */
  readonly reduction: Reduction | null;
  /** What `--lossy` may have cost, unless it is `off`. Null without it. */
  readonly omission: Omission | null;
  /** What `--disk` came to. Null without it. */
  readonly disk: DiskUse | null;
  readonly checks: readonly JsonCheckResult[];
  readonly findings: readonly JsonFinding[];
  readonly assumptions: readonly Abstraction[];
  readonly statistics: JsonStatistics;
}

export interface JsonCheckResult {
  /** Property code or name of an always-on check. */
  readonly check: string;
  readonly kind: "property" | "sanitizer";
  /** `not violated`, of a run that may have omitted states: no more than that. */
  readonly verdict: ResultVerdict;
  readonly expected: "holds" | "violated";
  /** Why a violation is expected. */
  readonly reason: string | null;
  readonly asExpected: boolean;
}

export interface JsonFinding {
  readonly check: string;
  readonly kind: "property" | "sanitizer";
  readonly message: string;
  /** The object the property fails for. */
  readonly subject: string | null;
  readonly depth: number;
  /** What `iommu-mc replay` takes. */
  readonly path: string;
  readonly location: Location | null;
  /** Conjuncts of the property that are false. */
  readonly failing: readonly string[];
  /** Values that show it, in words. */
  readonly because: readonly string[];
  readonly freed: readonly string[];
  readonly trace: readonly JsonStep[];
}

export interface JsonStep {
  /** From 1. */
  readonly step: number;
  readonly thread: string;
  /** Where the thread stood when the step began. */
  readonly location: Location | null;
  /** Calls the thread was in, outermost first. */
  readonly within: readonly string[];
  readonly events: readonly { readonly depth: number; readonly text: string }[];
  readonly changes: readonly { readonly cell: string; readonly from: string; readonly to: string }[];
  /** Fields that the step stored the value into that was there already. */
  readonly storedAgain: readonly { readonly cell: string; readonly value: string }[];
  /** Mutexes held after the step. */
  readonly held: readonly string[];
}

export interface JsonStatistics {
  readonly seconds: number;
  readonly transitionsPerSecond: number;
  /** Blocks of model code that were run, and the share of the time that took, from 0 to 1. */
  readonly nativeRuns: number;
  readonly nativeShare: number;
  /** Transitions that `--paranoid` ran natively too; 0 without it. */
  readonly comparedNatively: number;
  readonly threads: number;
  readonly controlStates: number;
  /** States and visited set together; 0 with the reference engine. */
  readonly bytesPerState: number;
  readonly paths: number;
  readonly widest: readonly { readonly thread: string; readonly at: string; readonly paths: number }[];
}

export function jsonCheck({ header, results, abstractions, limits, against, coverage, exitCode }: Reported): JsonCheck {
  return {
    ...header,
    suites: results.flatMap((result) => (result.kind === "run" ? [jsonSuite(result.run, abstractions, limits)] : [])),
    ...jsonWithoutRun(results),
    against,
    coverage,
    exitCode,
  };
}

/** What is told of the suites that have no run. */
export function jsonWithoutRun(results: readonly SuiteResult<unknown>[]): Pick<JsonCheck, "errors" | "notRun"> {
  return {
    errors: results.flatMap((result) => {
      if (result.kind !== "error") return [];
      const { message, hint, location } = result.error;
      return [{ suite: result.suite.name, kind: "model" as const, message, hint, location: location ?? null }];
    }),
    notRun: results.flatMap((result) => (result.kind === "not-run" ? [result.suite.name] : [])),
  };
}

function jsonSuite(run: SuiteRun, abstractions: readonly Abstraction[], limits: Limits): JsonSuite {
  const { suite, variant, machine, outcome, comparisons, traces } = run;
  const { seconds, nativeSeconds, ...statistics } = outcome.statistics;
  return {
    suite: suite.name,
    design: suite.design.name,
    version: suite.design.version,
    revert: variant.revert ?? [],
    apply: variant.apply ?? [],
    scenario: { name: suite.scenario.name, describes: suite.scenario.describes },
    bounds: { ...boundsOf(machine), limits },
    engine: outcome.engine,
    fromCache: run.isCached,
    verdict: verdictOf(run),
    asExpected: run.exitCode === 0,
    exitCode: run.exitCode,
    end: outcome.end.kind === "limit" ? { limit: outcome.end.what } : outcome.end.kind,
    states: outcome.states,
    transitions: outcome.transitions,
    depth: outcome.depth,
    untraced: outcome.untraced,
    faultedSteps: outcome.faultedSteps,
    reduction: outcome.reduction,
    omission: outcome.omission,
    disk: outcome.disk,
    checks: comparisons.map(({ check, isProperty, verdict, expectedBecause, asExpected }) => ({
      check,
      kind: isProperty ? "property" : "sanitizer",
      verdict,
      expected: expectedBecause === null ? "holds" : "violated",
      reason: expectedBecause,
      asExpected,
    })),
    findings: traces.map((replayed) => jsonFinding(machine, replayed)),
    assumptions: assumptionsOf([run], abstractions),
    statistics: {
      ...statistics,
      seconds,
      transitionsPerSecond: Math.round(outcome.transitions / Math.max(seconds, 1e-6)),
      nativeShare: Math.min(1, nativeSeconds / Math.max(seconds, 1e-6)),
    },
  };
}

/** A finding with its trace. */
export function jsonFinding(machine: Machine, { finding, trace }: Replayed): JsonFinding {
  return {
    check: finding.check,
    kind: finding.isProperty ? "property" : "sanitizer",
    message: finding.message,
    subject: finding.subject,
    depth: finding.depth,
    path: formatPath(finding.path),
    location: finding.location,
    failing: trace.failing,
    because: becauseTexts(machine, trace),
    freed: freedTexts(machine, trace),
    trace: jsonSteps(machine, trace),
  };
}

/** The steps of a trace, with everything in words. */
export function jsonSteps(machine: Machine, trace: Pick<Trace, "steps" | "states">): JsonStep[] {
  const { names } = machine;
  const rows = stepRows(machine, trace as { steps: Trace["steps"]; states: readonly State[] });
  return trace.steps.map((step, position) => ({
    step: position + 1,
    thread: names.threads[step.thread] as string,
    location: step.location,
    within: step.openCalls,
    events: (rows[position]?.rows ?? []).map(({ depth, text }) => ({ depth, text })),
    changes: step.changes.map(({ cell, from, to }) => ({ cell: names.cell(cell), from: names.code(cell, from), to: names.code(cell, to) })),
    storedAgain: step.stored.map((cell) => ({
      cell: names.cell(cell),
      value: names.code(cell, readCell(machine.layout, trace.states[position] as State, cell)),
    })),
    held: step.held.map((cell) => names.cell(cell)),
  }));
}

/** A document as it is printed. */
export function jsonText(document: object): string {
  return `${JSON.stringify(document, null, 2)}\n`;
}
