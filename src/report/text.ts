/** The whole report of a `check`, for people: a pure function of what the runs found out. */
import type { Abstraction } from "../lang/design.js";
import type { SuiteRun } from "../session/run-suite.js";
import { ASSUMPTION_HEADINGS, assumptionsOf, byDirection } from "./assumptions.js";
import { replayCommand } from "./command.js";
import { shownLines } from "./finding-text.js";
import { howLong, isLossy } from "./omission.js";
import { checksOf, chosenPlaces, type Place, placesOf, type Shown, type Subject, type TracesShown } from "./shown.js";
import type { Look } from "./style.js";
import { suiteLines } from "./suite-text.js";
import { exitCodeOf, type SuiteResult, suiteOf } from "./verdict.js";
import { counted, duration, hanging, rounded } from "./wrap.js";

export interface TextOptions extends Look {
  readonly traces: TracesShown;
  /** The file the suites were read from, as given on the command line; null for the bundled ones. */
  readonly file: string | null;
}

/** Learned paths of one block beyond which it slows the run down and wants a `yield`. */
export const WIDE_BLOCK_PATHS = 2000;

/** Limits first, then verdicts, assumptions, traces, statistics. Ends with a line break. */
export function reportText(results: readonly SuiteResult[], abstractions: readonly Abstraction[], options: TextOptions): string {
  const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
  const sections = [
    limitLines(runs, options),
    [...results.flatMap((result) => suiteLines(result, options)), "", ...summaryLines(results, options)],
    assumptionLines(assumptionsOf(runs, abstractions), options),
    ...traceSections(runs, options),
    statisticsLines(
      runs.filter(({ isCached }) => !isCached),
      options,
    ),
  ];
  return sectionsText(sections);
}

/** Sections with an empty line between them; one without lines is none. */
export function sectionsText(sections: readonly (readonly string[])[]): string {
  return sections
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => `${line.trimEnd()}\n`).join(""))
    .join("\n");
}

/** What has stopped a run, in words. */
export const limits = {
  states: "the limit on states (--max-states)",
  depth: "the limit on depth (--max-depth)",
  time: "the time limit (--timeout)",
  memory: "the memory limit (--memory)",
  disk: "a failure of the disk (--disk)",
  interrupt: "an interrupt (Ctrl-C)",
} as const;

function limitLines(runs: readonly SuiteRun[], { width, style }: TextOptions): string[] {
  return runs.flatMap((run) => {
    const { suite, outcome } = run;
    const tell = (text: string) => hanging("unfinished: ", `${suite.name} ${text}`, width).map(style.warn);
    if (outcome.end.kind === "limit")
      return tell(`was stopped by ${limits[outcome.end.what]} after ${counted(outcome.states, "state")}; what lies beyond is not known`);
    return isLossy(run) ? tell("was explored with --lossy: a state may have been omitted, and what is not violated is not proved") : [];
  });
}

/** How many suites came out how. */
export function summaryLines(results: readonly SuiteResult[], { width }: TextOptions): string[] {
  const all = counted(results.length, "suite");
  const kinds = [
    [2, "with a model at fault"],
    [1, "not as expected"],
    [3, "unfinished"],
  ] as const;
  const off = kinds.flatMap(([code, kind]) => {
    const names = results.filter((result) => exitCodeOf(result) === code).map((result) => suiteOf(result).name);
    return names.length === 0 ? [] : [`${names.length} ${kind} (${names.join(", ")})`];
  });
  if (off.length === 0) return [`${all}: ${results.length === 1 ? "as expected" : "all as expected"}`];
  return hanging("", `${all}: ${off.join(", ")}`, width);
}

export function assumptionLines(abstractions: readonly Abstraction[], { width, style }: Look): string[] {
  const groups = byDirection(abstractions);
  if (groups.length === 0) return [];
  return [
    style.bold("assumptions of the model"),
    ...groups.flatMap(({ errs, whats }) => [`  ${ASSUMPTION_HEADINGS[errs]}:`, ...whats.flatMap((what) => hanging("  - ", what, width))]),
  ];
}

/** Traces, shortest first; of what gets none, the command that shows it. */
export function traceSections(runs: readonly SuiteRun[], options: TextOptions): string[][] {
  const places = placesOf(runs);
  const inFull = chosenPlaces(places, options.traces);
  const sections = inFull.map(({ run, shown }) => shownLines(run, shown, options.file, options, howLong(run)));
  const rest = places.filter((place) => !inFull.includes(place));
  const list = (heading: string, listed: readonly Place[]) => {
    if (listed.length > 0) sections.push([options.style.bold(heading), ...listed.flatMap((place) => briefLines(place, options))]);
  };
  list(
    "the same elsewhere",
    rest.filter(({ unexpected }) => unexpected.length > 0),
  );
  list(
    "expected violations, and how to see them",
    rest.filter(({ unexpected }) => unexpected.length === 0),
  );
  return sections;
}

/** What is violated somewhere, and the command that shows it. */
export function briefLines(
  { run, shown }: { readonly run: Pick<Subject, "suite" | "variant">; readonly shown: Shown },
  { width, file }: Pick<TextOptions, "width" | "file">,
): string[] {
  return [
    ...hanging("  ", `${checksOf(shown).join(", ")} in ${run.suite.name}, ${counted(shown.path.length, "step")}`, width),
    `    ${replayCommand(run.suite.name, shown.path, run.variant, file)}`,
  ];
}

function statisticsLines(runs: readonly SuiteRun[], options: TextOptions): string[] {
  const { width, style } = options;
  const largest = runs.reduce<SuiteRun | null>(
    (most, run) => (most === null || run.outcome.transitions > most.outcome.transitions ? run : most),
    null,
  );
  if (largest === null) return [];
  const { statistics } = largest.outcome;
  const parts = [
    `${rounded(largest.outcome.transitions / Math.max(statistics.seconds, 1e-6))} transitions/s`,
    `${rounded(statistics.nativeRuns)} native runs of model code (${percent(statistics.nativeSeconds, statistics.seconds)} of the time)`,
    ...(statistics.comparedNatively > 0 ? [`${rounded(statistics.comparedNatively)} native runs compared with the rules`] : []),
    ...(statistics.bytesPerState > 0 ? [`${Math.round(statistics.bytesPerState)} bytes/state`] : []),
    `${rounded(statistics.controlStates)} control states`,
    ...(statistics.threads > 1 ? [`${statistics.threads} threads`] : []),
    duration(statistics.seconds),
  ];
  const head = runs.length === 1 ? "" : `${largest.suite.name}, the largest: `;
  const lines = hanging("statistics  ", head + parts.join(", "), width).map(style.dim);
  for (const { suite, outcome } of runs) {
    const worst = outcome.statistics.widest[0];
    if (worst && worst.paths > WIDE_BLOCK_PATHS) {
      lines.push(
        ...hanging(
          "warning     ",
          `${suite.name}: the block of ${worst.thread} at ${worst.at} has ${counted(worst.paths, "path")}; read less in it, or put a yield where the C can be preempted`,
          width,
        ).map(style.warn),
      );
    }
  }
  return lines;
}

function percent(part: number, whole: number): string {
  return `${Math.min(100, Math.round((100 * part) / Math.max(whole, 1e-6)))}%`;
}
