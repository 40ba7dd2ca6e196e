/** What `forecast` prints: how many states a run is likely to find, how long it takes, and how much memory. */
import type { Expected, Forecast, Interval } from "../explore/forecast.js";
import type { SuiteForecast } from "../session/forecast-suite.js";
import type { ExitCode } from "../session/run-suite.js";
import { type Bounds, boundsOf, boundsText, changesText, faultsText } from "./bounds.js";
import { type JsonCheck, type JsonHeader, jsonWithoutRun } from "./json.js";
import type { Look } from "./style.js";
import { row } from "./suite-text.js";
import { sectionsText } from "./text.js";
import type { SuiteResult } from "./verdict.js";
import { counted, duration, grouped, hanging, rounded } from "./wrap.js";

/** `iommu-mc forecast --json`. */
export interface JsonForecasts extends JsonHeader, Pick<JsonCheck, "errors" | "notRun" | "exitCode"> {
  readonly seed: number;
  readonly suites: readonly JsonForecast[];
}

export interface JsonForecast {
  readonly suite: string;
  readonly design: string;
  readonly version: string;
  readonly revert: readonly string[];
  readonly apply: readonly string[];
  readonly bounds: Bounds;
  /** `isAll`: the suite has no more states than these, and what is expected is what was found. */
  readonly sample: { readonly states: number; readonly isAll: boolean; readonly steps: number; readonly seconds: number };
  /** What ended the sample before its time, or null. */
  readonly stopped: Forecast["sample"]["stopped"];
  /** Null if the sample was stopped. */
  readonly expected: Readonly<Record<Expected, Interval>> | null;
}

export function jsonForecasts(
  header: JsonHeader,
  results: readonly SuiteResult<SuiteForecast>[],
  seed: number,
  exitCode: ExitCode,
): JsonForecasts {
  const suites = results.flatMap((result) => (result.kind === "run" ? [jsonForecast(result.run)] : []));
  return { ...header, seed, suites, ...jsonWithoutRun(results), exitCode };
}

function jsonForecast({ suite, variant, machine, sample, expected }: SuiteForecast): JsonForecast {
  const { states, isAll, walks, seconds, stopped } = sample;
  const { revert = [], apply = [] } = variant;
  const { name, version } = suite.design;
  const bounds = boundsOf(machine);
  return {
    suite: suite.name,
    design: name,
    version,
    revert,
    apply,
    bounds,
    sample: { states, isAll, steps: walks.steps, seconds },
    stopped,
    expected,
  };
}

/** One paragraph for each suite, and at the end what an interval is worth. */
export function forecastText(results: readonly SuiteResult<SuiteForecast>[], look: Look): string {
  const isGuessed = results.some((result) => result.kind === "run" && result.run.expected !== null && !result.run.sample.isAll);
  return sectionsText([...results.map((result) => paragraph(result, look)), isGuessed ? hanging("", WORTH, look.width) : []]);
}

const WORTH =
  "An interval is made to hold 8 of 10 runs, and was fitted to the bundled suites. Of runs with a hundred times the states of the sample and more it holds fewer: then take a larger --sample (docs/forecast.md).";

function paragraph(result: SuiteResult<SuiteForecast>, look: Look): string[] {
  switch (result.kind) {
    case "run":
      return forecastLines(result.run, look);
    case "error":
      return row("MODEL ERROR", [result.suite.name, result.error.message], look, look.style.bad);
    case "not-run":
      return row("NOT RUN", [result.suite.name, "interrupted before its turn"], look, look.style.warn);
  }
}

function forecastLines({ suite, variant, machine, sample, expected }: SuiteForecast, { style, width }: Look): string[] {
  const { states, isAll, walks, seconds, stopped } = sample;
  const bounds = boundsOf(machine);
  const facts = [suite.design.name, changesText(variant), boundsText(bounds), faultsText(bounds)].filter((text) => text !== "");
  const head = [style.bold(suite.name), ...hanging("  ", facts.join(" · "), width)];
  if (expected === null) {
    const why = stopped === "interrupt" ? "an interrupt" : `the limit on ${stopped}`;
    return [...head, ...hanging("  unfinished: ", `${why} ended the sample after ${counted(states, "state")}`, width)];
  }
  if (isAll) return [...head, ...hanging("  states  ", `${grouped(states)}: the sample is all of them, in ${duration(seconds)}`, width)];
  const megabytes = (bytes: number) => `${rounded(bytes / 1e6)} MB`;
  return [
    ...head,
    ...hanging(
      "  sample  ",
      `${counted(states, "state")} in order of depth, ${counted(walks.steps, "step")} at random, in ${duration(seconds)}`,
      width,
    ),
    ...hanging("  states  ", intervalText(expected.states, rounded), width),
    ...hanging("  time    ", intervalText(expected.seconds, duration), width),
    ...hanging("  memory  ", intervalText(expected.memoryBytes, megabytes), width),
  ];
}

/** `1.2 M to 30 M, likely about 6.0 M`. */
function intervalText({ low, middle, high }: Interval, text: (value: number) => string): string {
  return `${text(low)} to ${text(high)}, about ${text(middle)}`;
}
