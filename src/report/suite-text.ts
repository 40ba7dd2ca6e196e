/** A suite's row in the verdict table. Nothing "holds" here without its design, scenario, bounds and fault policy. */
import { SANITIZERS } from "../explore/outcome.js";
import type { Comparison, SuiteRun } from "../session/run-suite.js";
import { boundsOf, boundsText, changesText, faultsText, objectsText } from "./bounds.js";
import { diskText } from "./disk.js";
import { omissionText } from "./omission.js";
import { reductionTexts } from "./reduction.js";
import { type Look, NARROW } from "./style.js";
import { type SuiteResult, type SuiteVerdict, verdictOf } from "./verdict.js";
import { counted, duration, enumerate, hanging, joined } from "./wrap.js";

/** Columns before a suite's facts: for its verdict, unless that stands alone on its line. */
export function marginOf({ width }: Look): number {
  return width < NARROW ? 2 : 13;
}

const words: Readonly<Record<SuiteVerdict, string>> = {
  held: "held",
  violated: "VIOLATED",
  vacuous: "VACUOUS",
  unfinished: "UNFINISHED",
  "model-fault": "MODEL FAULT",
};

export function suiteLines(result: SuiteResult, look: Look): string[] {
  switch (result.kind) {
    case "run":
      return runLines(result.run, look);
    case "error":
      return row("MODEL ERROR", [result.suite.name, result.error.message], look, look.style.bad);
    case "not-run":
      return row("NOT RUN", [result.suite.name, "interrupted before its turn"], look, look.style.warn);
  }
}

function runLines(run: SuiteRun, look: Look): string[] {
  const { suite, variant, machine, outcome, comparisons } = run;
  const { design, scenario } = suite;
  const verdict = verdictOf(run);
  const bounds = boundsOf(machine);
  const changes = changesText(variant);
  const isExpected = run.exitCode === 0;
  const word = verdict === "violated" && isExpected ? "as expected" : words[verdict];
  const paint = isExpected ? look.style.good : verdict === "unfinished" ? look.style.warn : look.style.bad;
  const { states, transitions, depth, statistics } = outcome;
  const isReduced = outcome.reduction?.kind === "reduced";
  const counts = `${counted(states, "state")}, ${counted(transitions, "transition")}, ${isReduced ? "reduced" : `depth ${depth}`}, ${run.isCached ? "unchanged, from the cache" : duration(statistics.seconds)}`;
  const claim = [
    suite.name,
    counts,
    ...holding(comparisons),
    ...notViolated(comparisons),
    `${design.name} ${design.version}${changes === "" ? "" : ` ${changes}`}`,
    ...[scenario.setting ?? objectsText(bounds)].filter((text) => text !== ""),
    faultsText(bounds),
    boundsText(bounds),
  ];
  const lines = row(word, claim, look, paint);
  lines.push(...hanging(" ".repeat(marginOf(look)), scenario.describes, look.width));
  lines.push(...remarkLines(run, look));
  const unfinished = comparisons.filter(({ verdict }) => verdict === "unfinished");
  const whyNot = outcome.end.kind === "complete" ? "not all states are known to have been seen" : "the run was not complete";
  if (unfinished.length > 0) lines.push(...remark(`not decided, since ${whyNot}: ${folded(unfinished)}`, look));
  if (outcome.untraced.length > 0) {
    lines.push(...remark(`the search for a trace was stopped, so there is none for ${enumerate(outcome.untraced)}`, look, look.style.warn));
  }
  if (outcome.reduction !== null) for (const text of reductionTexts(outcome.reduction)) lines.push(...remark(text, look));
  if (outcome.disk !== null)
    lines.push(...remark(diskText(outcome.disk), look, ...(outcome.disk.failure === null ? [] : [look.style.warn])));
  if (outcome.omission !== null) lines.push(...remark(omissionText(outcome.omission), look));
  if (outcome.faultedSteps > 0) {
    lines.push(...remark(`${counted(outcome.faultedSteps, "step")} ended in a fault; what would come after is not covered`, look));
  }
  return lines;
}

/** `21 properties and 13 checks hold`. */
export function holding(comparisons: readonly Comparison[]): string[] {
  const holds = comparisons.filter(({ verdict }) => verdict === "holds");
  return holds.length === 0 ? [] : [`${howMany(holds)} ${holds.length === 1 ? "holds" : "hold"}`];
}

/** `21 properties and 13 always-on checks not violated, unless by a state that was omitted`. */
function notViolated(comparisons: readonly Comparison[]): string[] {
  const open = comparisons.filter(({ verdict }) => verdict === "not violated");
  return open.length === 0 ? [] : [`${howMany(open)} not violated, unless by a state that was omitted`];
}

function howMany(comparisons: readonly Comparison[]): string {
  const properties = comparisons.filter(({ isProperty }) => isProperty).length;
  const checks = comparisons.length - properties;
  const parts: string[] = [];
  if (properties > 0) parts.push(counted(properties, "property", "properties"));
  if (checks > 0) parts.push(counted(checks, "always-on check"));
  return enumerate(parts);
}

function folded(comparisons: readonly Comparison[]): string {
  const properties = comparisons.filter(({ isProperty }) => isProperty).map(({ check }) => check);
  const checks = comparisons.filter(({ isProperty }) => !isProperty).map(({ check }) => check);
  const parts = [...properties];
  if (checks.length === SANITIZERS.length || checks.length > 4) parts.push(`${checks.length} always-on checks`);
  else parts.push(...checks);
  return parts.join(", ");
}

/** What is to be said beyond how many hold: checks of which the same is true share a line. Their sentences stand with the traces. */
export function remarkLines({ comparisons }: Pick<SuiteRun, "comparisons">, look: Look): string[] {
  const { bad, good } = look.style;
  const told = new Map<string, { checks: string[]; paint: (text: string) => string }>();
  const add = (check: string, what: string, paint = (text: string) => text) => {
    const same = told.get(what) ?? { checks: [], paint };
    same.checks.push(check);
    told.set(what, same);
  };
  for (const { check, verdict, expectedBecause, asExpected } of comparisons) {
    if (verdict === "violated") {
      if (expectedBecause === null) add(check, "violated", bad);
      else add(check, `violated, as expected: ${expectedBecause}`);
    } else if (verdict === "not violated" && expectedBecause !== null) {
      add(check, `not seen to be violated, but expected to be: ${expectedBecause}`, bad);
    } else if (verdict === "vacuous") add(check, "vacuous: nothing was ever put to the test", bad);
    else if (verdict === "holds" && expectedBecause !== null) {
      if (asExpected) add(check, `held with this change; without it: ${expectedBecause}`, good);
      else add(check, `held, but expected to be violated: ${expectedBecause}`, bad);
    }
  }
  return [...told].flatMap(([what, { checks, paint }]) => remark(`${enumerate(checks)} ${what}`, look, paint));
}

/** A row of the table: a word in the margin, and facts. */
export function row(word: string, facts: readonly string[], look: Look, paint: (text: string) => string): string[] {
  const { width, style } = look;
  const margin = marginOf(look);
  if (width < NARROW) return [paint(style.bold(word)), ...joined(" ".repeat(margin), facts, width)];
  const [first, ...rest] = joined(word.padEnd(margin), facts, width);
  return [paint(style.bold(word)) + (first as string).slice(word.length), ...rest];
}

export function remark(text: string, look: Look, paint: (text: string) => string = (same) => same): string[] {
  return hanging(`${" ".repeat(marginOf(look))}- `, text, look.width).map(paint);
}
