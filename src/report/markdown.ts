/** A page for each suite: what is assumed, under which bounds, what came out, and a trace of each violation. Without timings: it is kept with the source. */
import type { Abstraction } from "../lang/design.js";
import type { Comparison, SuiteRun } from "../session/run-suite.js";
import { ASSUMPTION_HEADINGS, assumptionsOf, byDirection } from "./assumptions.js";
import { lengthText } from "./because.js";
import { boundsOf, changesText, faultsText, objectsText } from "./bounds.js";
import { replayCommand } from "./command.js";
import { reasonLines } from "./finding-text.js";
import { sequenceDiagram } from "./mermaid.js";
import { isLossy, omissionText } from "./omission.js";
import { byPath, checksOf, NOTHING_VIOLATED, type Shown, type Subject, UNTRACED } from "./shown.js";
import { plain } from "./style.js";
import { traceLines } from "./trace-text.js";
import { type SuiteResult, suiteOf, verdictOf } from "./verdict.js";
import { counted, enumerate } from "./wrap.js";

const LOOK = { width: 100, style: plain };

export interface MarkdownOptions {
  readonly abstractions: readonly Abstraction[];
  /** The file the suites were read from, as given on the command line; null for the bundled ones. */
  readonly file: string | null;
}

/** All pages, one after the other. */
export function markdownReport(results: readonly SuiteResult[], options: MarkdownOptions): string {
  return results.map((result) => suitePage(result, options)).join("\n");
}

/** Ends with a line break. */
export function suitePage(result: SuiteResult, options: MarkdownOptions): string {
  const { name, scenario } = suiteOf(result);
  const blocks = [`# ${prose(name)}`, `${prose(scenario.describes)}.`];
  if (result.kind === "not-run") blocks.push("Not run: interrupted before its turn.");
  else if (result.kind === "error")
    blocks.push("The model is at fault, and nothing can be said of the design:", fenced("text", [result.error.describe()]));
  else blocks.push(...runBlocks(result.run, options));
  return `${blocks.join("\n\n")}\n`;
}

function runBlocks(run: SuiteRun, { abstractions, file }: MarkdownOptions): string[] {
  return [
    `**${verdictText(run)}**`,
    "## Bounds",
    "A verdict is about these, and about nothing beyond them.",
    boundsTable(run),
    ...assumptionBlocks(assumptionsOf([run], abstractions)),
    "## Verdicts",
    verdictTable(run),
    ...undecidedBlocks(run),
    ...traceSections(run, file),
  ];
}

/** The shortest trace of each check in full; where else the same is found, how to see it. */
function traceSections(run: SuiteRun, file: string | null): string[] {
  const told = new Set<string>();
  const elsewhere: string[] = [];
  const sections = [...byPath(run.traces)]
    .sort((one, other) => one.path.length - other.path.length)
    .flatMap((shown) => {
      const news = checksOf(shown).filter((check) => !told.has(check));
      for (const check of news) told.add(check);
      if (news.length > 0) return traceBlocks(run, shown, file);
      const what = shown.findings.map(({ finding: { check, message } }) => `${check}: ${message}`);
      elsewhere.push(
        `- ${prose(enumerate(what))}, ${counted(shown.path.length, "step")}\n  ${fenced("sh", [replayCommand(run.suite.name, shown.path, run.variant, file)]).replaceAll("\n", "\n  ")}`,
      );
      return [];
    });
  return elsewhere.length === 0 ? sections : [...sections, "## The same elsewhere", elsewhere.join("\n")];
}

/** `As expected: C1 and C3 violated`. */
export function verdictText(run: SuiteRun): string {
  const named = (comparisons: readonly Comparison[]) => enumerate(comparisons.map(({ check }) => check));
  const violated = run.comparisons.filter(({ verdict }) => verdict === "violated");
  const vacuous = run.comparisons.filter(({ verdict, asExpected }) => verdict === "vacuous" && !asExpected);
  switch (verdictOf(run)) {
    case "held":
      return "Held";
    case "violated":
      return `${run.exitCode === 0 ? "As expected: " : "Violated: "}${named(violated)}${run.exitCode === 0 ? " violated" : ""}`;
    case "vacuous":
      return `Vacuous: ${named(vacuous)} was never put to the test`;
    case "unfinished":
      return `Unfinished: ${whyUnfinished(run)}`;
    case "model-fault":
      return "The model is at fault";
  }
}

function whyUnfinished({ outcome: { end, omission } }: SuiteRun): string {
  const stopped = end.kind === "limit" ? ["a limit was hit, and what lies beyond it is not known"] : [];
  return [...stopped, ...(omission === null ? [] : [omissionText(omission)])].join("; ");
}

/** `linux-6.1 6.1.176 without 0286300e6045`. */
export function designText({ suite: { design }, variant }: Pick<Subject, "suite" | "variant">): string {
  const changes = changesText(variant);
  return `${design.name} ${design.version}${changes === "" ? "" : ` ${changes}`}`;
}

function boundsTable(run: SuiteRun): string {
  const { machine, suite, outcome } = run;
  const bounds = boundsOf(machine);
  const pools = Object.entries(bounds.pools).map(([struct, slots]) => `${slots} ${struct}`);
  const ends = {
    complete: isLossy(run) ? "states that were not omitted" : "every reachable state",
    violation: "up to the level of the violation",
    limit: "up to a limit",
  } as const;
  const explored = [counted(outcome.states, "state"), counted(outcome.transitions, "transition"), `depth ${outcome.depth}`];
  const rows: readonly (readonly [string, string])[] = [
    ["design", designText(run)],
    ["machine", suite.scenario.setting ?? objectsText(bounds)],
    ["threads", bounds.threads.join(", ")],
    ["at most", pools.join(", ")],
    ["faults", faultsText(bounds)],
    ["explored", `${ends[outcome.end.kind]}: ${explored.join(", ")}`],
  ];
  return table(
    ["", ""],
    rows.filter(([, text]) => text !== "").map((cells) => cells.map(prose)),
  );
}

function assumptionBlocks(abstractions: readonly Abstraction[]): string[] {
  const groups = byDirection(abstractions);
  if (groups.length === 0) return [];
  const lists = groups.flatMap(({ errs, whats }) => [
    `${capitalised(ASSUMPTION_HEADINGS[errs])}:`,
    whats.map((what) => `- ${prose(what)}`).join("\n"),
  ]);
  return ["## Assumptions", ...lists];
}

/** A row for each property, and for each always-on check that does not simply hold; the others share one. */
function verdictTable({ suite, comparisons }: SuiteRun): string {
  const sentenceOf = (check: string) => suite.properties.find(({ code }) => code === check)?.sentence ?? "";
  const isDull = ({ isProperty, verdict, expectedBecause }: Comparison) => !isProperty && verdict === "holds" && expectedBecause === null;
  const rows = comparisons
    .filter((comparison) => !isDull(comparison))
    .map(({ check, isProperty, verdict, expectedBecause, asExpected }) => [
      check,
      isProperty ? sentenceOf(check) : "always-on check",
      asExpected || verdict === "unfinished" || verdict === "not violated" ? verdict : verdict.toUpperCase(),
      expectedBecause === null ? "holds" : `violated: ${expectedBecause}`,
    ]);
  const dull = comparisons.filter(isDull).map(({ check }) => check);
  if (dull.length > 0) rows.push([dull.join(", "), "always-on checks", "holds", "holds"]);
  return table(
    ["check", "claim", "verdict, within these bounds", "expected"],
    rows.map((cells) => cells.map(prose)),
  );
}

function undecidedBlocks({ outcome }: SuiteRun): string[] {
  const untraced = outcome.untraced.map((check) => `${prose(check)}: ${UNTRACED}.`);
  if (outcome.faultedSteps === 0) return untraced;
  return [...untraced, `${counted(outcome.faultedSteps, "step")} ended in a fault; what would come after is not covered.`];
}

/** A path of a run: what is violated, the trace, the same as a diagram, and how to see it again. */
export function traceBlocks(subject: Subject, shown: Shown, file: string | null): string[] {
  const { suite, machine, variant } = subject;
  const reasons = shown.findings.flatMap(({ finding, trace }) => reasonLines(machine, finding, trace, LOOK));
  return [
    `## ${shown.findings.length === 0 ? "A path" : `${prose(enumerate(checksOf(shown)))}: the trace`}`,
    ...(shown.findings.length === 0 ? [prose(NOTHING_VIOLATED)] : []),
    ...shown.findings.map(({ finding: { check, isProperty, message } }) => {
      const sentence = suite.properties.find(({ code }) => isProperty && code === check)?.sentence;
      return `**${prose(check)}** ${prose(sentence ?? message)}`;
    }),
    `${prose(lengthText(machine, shown.trace.steps))}:`,
    fenced("text", [...traceLines(machine, shown.trace, LOOK), "", ...reasons]),
    fenced("mermaid", sequenceDiagram(subject, shown)),
    fenced("sh", [replayCommand(suite.name, shown.path, variant, file)]),
  ];
}

/** A fenced block. */
export function fenced(language: string, lines: readonly string[]): string {
  const text = lines.map((line) => line.trimEnd()).join("\n");
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text}\n${fence}`;
}

/** A table of cells that are Markdown already. */
export function table(heads: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [heads, heads.map(() => "---"), ...rows].map(row).join("\n");
}

/** A text on one line, in which nothing means anything to Markdown or HTML. */
export function prose(text: string): string {
  return text.replace(/\s+/g, " ").replace(/[\\`*_[\]<>|~&$]/g, (character) => (character === "<" ? "&lt;" : `\\${character}`));
}

function capitalised(text: string): string {
  return `${text[0]?.toUpperCase()}${text.slice(1)}`;
}
