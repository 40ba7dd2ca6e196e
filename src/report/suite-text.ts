/** A suite's row in the verdict table. Nothing "holds" here without its design, scenario, bounds and fault policy. */
import { SANITIZERS } from "../explore/outcome.js";
import type { Comparison, SuiteRun } from "../session/run-suite.js";
import { boundsOf, boundsText, changesText, faultsText, objectsText } from "./bounds.js";
import type { Look } from "./style.js";
import { type SuiteResult, type SuiteVerdict, verdictOf } from "./verdict.js";
import { counted, duration, enumerate, hanging, joined } from "./wrap.js";

const MARGIN = 13;

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
  const facts = [
    suite.name,
    `${design.name} ${design.version}${changes === "" ? "" : ` ${changes}`}`,
    faultsText(bounds),
    scenario.describes,
    ...[objectsText(bounds)].filter((text) => text !== ""),
    boundsText(bounds),
    `${counted(outcome.states, "state")}, ${counted(outcome.transitions, "transition")}, depth ${outcome.depth}, ${duration(outcome.statistics.seconds)}`,
    ...holding(comparisons),
  ];
  const lines = row(word, facts, look, paint);
  for (const comparison of comparisons) lines.push(...remarkLines(run, comparison, look));
  const unfinished = comparisons.filter(({ verdict }) => verdict === "unfinished");
  if (unfinished.length > 0) lines.push(...remark(`not decided, since the run was not complete: ${folded(unfinished)}`, look));
  if (outcome.faultedSteps > 0) {
    lines.push(...remark(`${counted(outcome.faultedSteps, "step")} ended in a fault; what would come after is not covered`, look));
  }
  return lines;
}

/** `21 properties and 13 checks hold`. */
function holding(comparisons: readonly Comparison[]): string[] {
  const holds = comparisons.filter(({ verdict }) => verdict === "holds");
  if (holds.length === 0) return [];
  const properties = holds.filter(({ isProperty }) => isProperty).length;
  const checks = holds.length - properties;
  const parts: string[] = [];
  if (properties > 0) parts.push(counted(properties, "property", "properties"));
  if (checks > 0) parts.push(counted(checks, "always-on check"));
  return [`${enumerate(parts)} ${holds.length === 1 ? "holds" : "hold"}`];
}

function folded(comparisons: readonly Comparison[]): string {
  const properties = comparisons.filter(({ isProperty }) => isProperty).map(({ check }) => check);
  const checks = comparisons.filter(({ isProperty }) => !isProperty).map(({ check }) => check);
  const parts = [...properties];
  if (checks.length === SANITIZERS.length || checks.length > 4) parts.push(`${checks.length} always-on checks`);
  else parts.push(...checks);
  return parts.join(", ");
}

/** What is to be said of one check beyond that it holds. */
function remarkLines({ suite, outcome }: SuiteRun, comparison: Comparison, look: Look): string[] {
  const { check, isProperty, verdict, expectedBecause, asExpected } = comparison;
  const sentence = isProperty ? suite.properties.find(({ code }) => code === check)?.sentence : undefined;
  const called = sentence === undefined ? check : `${check} ${sentence}`;
  switch (verdict) {
    case "violated":
      return expectedBecause === null
        ? remark(
            `${check} violated: ${sentence ?? outcome.findings.find((finding) => finding.check === check)?.message ?? ""}`,
            look,
            look.style.bad,
          )
        : remark(`${check} violated, as expected: ${expectedBecause}`, look);
    case "vacuous":
      return remark(`${check} vacuous: nothing was ever put to the test of "${sentence ?? check}"`, look, look.style.bad);
    case "holds":
      if (!asExpected) return remark(`${called}: holds, but was expected to be violated (${expectedBecause})`, look, look.style.bad);
      return expectedBecause === null
        ? []
        : remark(`${check} holds with this change; without it: ${expectedBecause}`, look, look.style.good);
    case "unfinished":
      return [];
  }
}

function row(word: string, facts: readonly string[], { width, style }: Look, paint: (text: string) => string): string[] {
  const [first, ...rest] = joined(word.padEnd(MARGIN), facts, width);
  return [paint(style.bold(word)) + (first as string).slice(word.length), ...rest];
}

function remark(text: string, { width }: Look, paint: (text: string) => string = (same) => same): string[] {
  return hanging(`${" ".repeat(MARGIN)}- `, text, width).map(paint);
}
