/** Walks through one suite at random, and replays what was found. */
import type { Simulation, SimulationProgress } from "../explore/simulate.js";
import { type SimulateOptions, simulate } from "../explore/simulate.js";
import type { Suite } from "../lang/suite.js";
import type { Machine, Variant } from "../step/machine.js";
import { type Replayed, replayFindings } from "../trace/judge.js";
import type { Session } from "./open.js";
import { checkExpectations, type ExitCode, machineOf, resolvedVariant } from "./run-suite.js";

export interface SimulateSuiteOptions extends Omit<SimulateOptions, "goOnAfter"> {
  readonly variant?: Variant;
}

export interface SuiteSimulation {
  readonly suite: Suite;
  readonly variant: Variant;
  readonly machine: Machine;
  readonly options: SimulateSuiteOptions;
  readonly simulation: Simulation;
  /** Every finding with its trace, replayed by the plain engine. */
  readonly traces: readonly Replayed[];
  readonly exitCode: ExitCode;
}

/** Walks through the suite. Yields progress now and then; "interrupt" sent back ends it with what is known. */
export function* simulateSuite(
  session: Session,
  suite: Suite,
  options: SimulateSuiteOptions,
): Generator<SimulationProgress, SuiteSimulation, "interrupt" | undefined> {
  checkExpectations(suite);
  const machine = machineOf(session, suite, options.variant);
  const variant = resolvedVariant(suite, options.variant);
  const expected = new Set(Object.keys(suite.expected ?? {}));
  const simulation = yield* simulate(machine, { ...options, goOnAfter: expected });
  const traces = replayFindings(machine, simulation.findings);
  return { suite, variant, machine, options, simulation, traces, exitCode: exitCodeOf(simulation, expected) };
}

/** That time was up is no reason to complain: how long to walk is for the user to say. */
function exitCodeOf({ findings, end }: Simulation, expected: ReadonlySet<string>): ExitCode {
  if (findings.some(({ check }) => check === "model-fault")) return 2;
  if (findings.some(({ check }) => !expected.has(check))) return 1;
  return end.kind === "limit" && end.what !== "time" ? 3 : 0;
}
