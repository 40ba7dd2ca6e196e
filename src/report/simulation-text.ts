/** The report of a `simulate`, for people. No times are in it: the same seed gives the same text. */
import type { SimulatedCheck } from "../explore/simulate.js";
import type { Abstraction } from "../lang/design.js";
import type { SuiteSimulation } from "../session/simulate-suite.js";
import { assumptionsOf } from "./assumptions.js";
import { boundsOf, boundsText, changesText, faultsText, objectsText } from "./bounds.js";
import { shownLines } from "./finding-text.js";
import { byPath } from "./shown.js";
import type { Look } from "./style.js";
import { marginOf, remark, row } from "./suite-text.js";
import { assumptionLines, briefLines, sectionsText } from "./text.js";
import type { SuiteResult } from "./verdict.js";
import { counted, enumerate, hanging } from "./wrap.js";

export interface SimulationTextOptions extends Look {
  readonly seed: number;
  /** The file the suites were read from, as given on the command line; null for the bundled ones. */
  readonly file: string | null;
}

/** What a simulation is worth, verdicts, assumptions, traces. Ends with a line break. */
export function simulationText(
  results: readonly SuiteResult<SuiteSimulation>[],
  abstractions: readonly Abstraction[],
  options: SimulationTextOptions,
): string {
  const { width, style, seed, file } = options;
  const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
  const places = runs.flatMap((run) => byPath(run.traces).map((shown) => ({ run, shown })));
  const isUnexpected = ({ run, shown }: (typeof places)[number]) =>
    shown.findings.some(({ finding }) => run.suite.expected?.[finding.check] === undefined);
  const known = places.filter((place) => !isUnexpected(place));
  const caveat = `random walks from seed ${seed}. This is no proof: what no walk came near is not known. --seed ${seed + 1} walks elsewhere.`;
  const sections = [
    hanging("simulation  ", caveat, width).map(style.bold),
    results.flatMap((result) => resultLines(result, options)),
    assumptionLines(assumptionsOf(runs, abstractions), options),
    ...places.filter(isUnexpected).map(({ run, shown }) => shownLines(run, shown, file, options, "shrunk")),
    known.length === 0
      ? []
      : [style.bold("expected violations, and how to see them"), ...known.flatMap((place) => briefLines(place, options))],
  ];
  return sectionsText(sections);
}

function resultLines(result: SuiteResult<SuiteSimulation>, look: Look): string[] {
  switch (result.kind) {
    case "run":
      return simulationLines(result.run, look);
    case "error":
      return row("MODEL ERROR", [result.suite.name, result.error.message], look, look.style.bad);
    case "not-run":
      return row("NOT RUN", [result.suite.name, "interrupted before its turn"], look, look.style.warn);
  }
}

function simulationLines(run: SuiteSimulation, look: Look): string[] {
  const { suite, variant, machine, simulation, options, exitCode } = run;
  const { design, scenario } = suite;
  const bounds = boundsOf(machine);
  const changes = changesText(variant);
  const isSeen = simulation.findings.length > 0;
  const words = { 0: isSeen ? "as expected" : "no violation", 1: "VIOLATED", 2: "MODEL FAULT", 3: "UNFINISHED" } as const;
  const { good, bad, warn } = look.style;
  const facts = [
    suite.name,
    `${counted(simulation.walks, "walk")} of at most ${counted(options.maxSteps, "step")}, ${counted(simulation.steps, "step")} in all, ${counted(simulation.states, "distinct state")} judged`,
    `${design.name} ${design.version}${changes === "" ? "" : ` ${changes}`}`,
    ...[scenario.setting ?? objectsText(bounds)].filter((text) => text !== ""),
    faultsText(bounds),
    boundsText(bounds),
  ];
  return [
    ...row(words[exitCode], facts, look, { 0: good, 1: bad, 2: bad, 3: warn }[exitCode]),
    ...hanging(" ".repeat(marginOf(look)), scenario.describes, look.width),
    ...remarks(run).flatMap((text) => remark(text, look)),
  ];
}

const stops = { time: "the time limit (--timeout)", memory: "the memory limit (--memory)", interrupt: "an interrupt (Ctrl-C)" } as const;

function remarks({ suite, machine, simulation, options }: SuiteSimulation): string[] {
  const { results, end, walks, faultedSteps } = simulation;
  const reasonOf = ({ check }: SimulatedCheck) => suite.expected?.[check]?.reason;
  const named = (checks: readonly SimulatedCheck[], what: string) =>
    checks.length === 0 ? [] : [`${enumerate(checks.map(({ check }) => check))} ${what}`];
  const having = (verdict: SimulatedCheck["verdict"]) => results.filter((result) => result.verdict === verdict);
  const violated = having("violated");
  return [
    ...named(
      violated.filter((result) => reasonOf(result) === undefined),
      "violated",
    ),
    ...violated.flatMap((result) => (reasonOf(result) === undefined ? [] : [`${result.check} violated, as expected: ${reasonOf(result)}`])),
    ...results.flatMap((result) =>
      result.verdict !== "violated" && reasonOf(result) !== undefined
        ? [`${result.check} was expected to be violated, and not seen to be: ${reasonOf(result)}`]
        : [],
    ),
    ...named(having("never seen"), "never seen: no walk came to what the witness looks for"),
    ...named(having("never asked"), "never asked: its window was never open"),
    ...(machine.terminates ? ["livelock is not looked for: no walk can see that no end can be reached"] : []),
    ...(end.kind === "limit" ? [`stopped by ${stops[end.what]} in walk ${walks} of ${options.walks}`] : []),
    ...(end.kind === "violation" ? [`stopped at the violation, in walk ${walks} of ${options.walks}`] : []),
    ...(faultedSteps > 0 ? [`${counted(faultedSteps, "step")} ended in a fault; no walk went on behind it`] : []),
  ];
}
