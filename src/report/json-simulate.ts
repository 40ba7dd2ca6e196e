/** What `simulate --json` prints. */
import type { SimulatedCheck } from "../explore/simulate.js";
import type { Abstraction } from "../lang/design.js";
import type { ExitCode } from "../session/run-suite.js";
import type { SuiteSimulation } from "../session/simulate-suite.js";
import { assumptionsOf } from "./assumptions.js";
import { type Bounds, boundsOf } from "./bounds.js";
import { type JsonCheck, type JsonFinding, type JsonHeader, jsonFinding, jsonWithoutRun } from "./json.js";
import { exitCodeOf, type SuiteResult, worst } from "./verdict.js";

/** `simulate`. Whatever it says, it is no proof. */
export interface JsonSimulate extends JsonHeader, Pick<JsonCheck, "errors" | "notRun" | "exitCode"> {
  readonly suites: readonly JsonSimulation[];
}

export interface JsonSimulation {
  readonly suite: string;
  readonly design: string;
  readonly version: string;
  readonly revert: readonly string[];
  readonly apply: readonly string[];
  readonly scenario: { readonly name: string; readonly describes: string };
  readonly bounds: Bounds;
  readonly seed: number;
  /** Walks asked for and walks begun, and the steps at which a walk ends. */
  readonly walksAsked: number;
  readonly walks: number;
  readonly maxSteps: number;
  /** Steps of all walks, and of the longest. */
  readonly steps: number;
  readonly longest: number;
  /** Distinct states that were judged. */
  readonly states: number;
  /** Distinct steps that ended in a fault. */
  readonly faultedSteps: number;
  /** `complete`: all walks were walked. `violation`: stopped at something unexpected. */
  readonly end: "complete" | "violation" | { readonly limit: "time" | "memory" | "interrupt" };
  readonly checks: readonly JsonSimulatedCheck[];
  /** Their paths are shrunk, and need not be shortest. */
  readonly findings: readonly JsonFinding[];
  readonly assumptions: readonly Abstraction[];
  readonly exitCode: ExitCode;
  readonly statistics: { readonly seconds: number; readonly stepsPerSecond: number; readonly nativeRuns: number };
}

export interface JsonSimulatedCheck {
  readonly check: string;
  readonly kind: "property" | "sanitizer";
  readonly verdict: SimulatedCheck["verdict"];
  readonly expected: "holds" | "violated";
  readonly reason: string | null;
}

export function jsonSimulate(
  header: JsonHeader,
  results: readonly SuiteResult<SuiteSimulation>[],
  abstractions: readonly Abstraction[],
): JsonSimulate {
  const suites = results.flatMap((result) => (result.kind === "run" ? [jsonSimulation(result.run, abstractions)] : []));
  return { ...header, suites, ...jsonWithoutRun(results), exitCode: worst(results.map(exitCodeOf)) };
}

function jsonSimulation(run: SuiteSimulation, abstractions: readonly Abstraction[]): JsonSimulation {
  const { suite, variant, machine, options, simulation, traces, exitCode } = run;
  const { end, steps, seconds } = simulation;
  return {
    suite: suite.name,
    design: suite.design.name,
    version: suite.design.version,
    revert: variant.revert ?? [],
    apply: variant.apply ?? [],
    scenario: { name: suite.scenario.name, describes: suite.scenario.describes },
    bounds: boundsOf(machine),
    seed: options.seed,
    walksAsked: options.walks,
    walks: simulation.walks,
    maxSteps: options.maxSteps,
    steps,
    longest: simulation.longest,
    states: simulation.states,
    faultedSteps: simulation.faultedSteps,
    end: end.kind === "limit" ? { limit: end.what } : end.kind,
    checks: simulation.results.map(({ check, isProperty, verdict }) => {
      const reason = suite.expected?.[check]?.reason ?? null;
      return { check, kind: isProperty ? "property" : "sanitizer", verdict, expected: reason === null ? "holds" : "violated", reason };
    }),
    findings: traces.map((replayed) => jsonFinding(machine, replayed)),
    assumptions: assumptionsOf([run], abstractions),
    exitCode,
    statistics: { seconds, stepsPerSecond: Math.round(steps / Math.max(seconds, 1e-6)), nativeRuns: machine.nativeRuns },
  };
}
