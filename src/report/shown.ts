/** Which findings are shown with a trace, and in what order. */
import type { Finding } from "../explore/outcome.js";
import type { SuiteRun } from "../session/run-suite.js";
import type { Replayed } from "../trace/judge.js";
import { formatPath, type Trace } from "../trace/replay.js";

/** What a trace is a trace of. */
export type Subject = Pick<SuiteRun, "suite" | "variant" | "machine">;

/** A path, and what is violated at its end, most specific last: a report of a step, say, and the property that fails after it. */
export interface Shown {
  readonly path: readonly number[];
  readonly trace: Pick<Trace, "steps" | "states">;
  /** Empty only for a path that somebody asked for. */
  readonly findings: readonly { readonly finding: Finding; readonly trace: Trace }[];
}

/** A path of a run, with the names of what is violated there that the suite did not expect. */
export interface Place {
  readonly run: SuiteRun;
  readonly shown: Shown;
  readonly unexpected: readonly string[];
}

/** Said of a path at whose end there is nothing to tell. */
export const NOTHING_VIOLATED = "nothing is violated in the last step (lock order and atomicity are judged over a whole run)";

/** Said of a violation whose trace is missing. */
export const UNTRACED = "violated; the search for its trace was stopped";

export const TRACES_SHOWN = ["shortest", "unexpected", "all"] as const;
/** Of every unexpected violation the shortest trace in any suite; of all that is unexpected; or of expected violations too. */
export type TracesShown = (typeof TRACES_SHOWN)[number];

/** One finding with its path. */
export function shownOf(found: Replayed): Shown {
  return { path: found.finding.path, trace: found.trace, findings: [found] };
}

/** Findings with the same path together, in the order of the first of each. */
export function byPath(traces: SuiteRun["traces"]): Shown[] {
  const paths = new Map<string, Replayed[]>();
  for (const found of traces) {
    const key = formatPath(found.finding.path);
    paths.set(key, [...(paths.get(key) ?? []), found]);
  }
  return [...paths.values()].flatMap((findings) => {
    const [first] = findings;
    return first === undefined ? [] : [{ ...shownOf(first), findings }];
  });
}

/** Every path that was found, in the order of the runs. */
export function placesOf(runs: readonly SuiteRun[]): Place[] {
  return runs.flatMap((run) => {
    const expected = new Set(run.comparisons.filter(({ expectedBecause }) => expectedBecause !== null).map(({ check }) => check));
    return byPath(run.traces).map((shown): Place => {
      const unexpected = shown.findings.map(({ finding }) => finding.check).filter((check) => !expected.has(check));
      return { run, shown, unexpected };
    });
  });
}

/** Those that get a trace, shortest first. A change that breaks one thing breaks it in many suites: once is enough by default. */
export function chosenPlaces(places: readonly Place[], which: TracesShown): Place[] {
  const byLength = [...places].sort((one, other) => one.shown.path.length - other.shown.path.length);
  if (which === "all") return byLength;
  const told = new Set<string>();
  return byLength.filter(({ unexpected }) => {
    const isNews = unexpected.some((check) => which === "unexpected" || !told.has(check));
    for (const check of unexpected) told.add(check);
    return isNews;
  });
}

/** The checks of a path, each once. */
export function checksOf({ findings }: Shown): string[] {
  return [...new Set(findings.map(({ finding }) => finding.check))];
}
