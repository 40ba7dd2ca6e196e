/**
 * What the runs of a `check` did not exercise: procedures never entered, branches never taken, failures never
 * injected, alternatives never taken, witnesses never seen. A pure function of the runs, merged over the suites.
 */
import { type CoveragePoint, mentionKey } from "../lang/runtime.js";
import type { NotExercised } from "../lang/suite.js";
import type { SuiteRun } from "../session/run-suite.js";

/** Places that a run may exercise, and what is known beforehand of those that it does not. */
export interface Coverable {
  readonly points: readonly CoveragePoint[];
  readonly notExercised: readonly NotExercised[];
}

export interface Gap extends Pick<CoveragePoint, "procedure" | "kind" | "what"> {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** Why it is not exercised, if the file of suites says so. */
  readonly reason: string | null;
}

export interface Coverage {
  /** Places that belong to model code: procedures, what they call, and what is in them. */
  readonly points: number;
  readonly exercised: number;
  /** In the order of the source; what is inside of another gap is not listed. */
  readonly gaps: readonly Gap[];
  /** Properties that are witnesses (`sometimes`) and were not seen in any suite that has them. */
  readonly witnesses: readonly string[];
  /** Entries of the list of reasons that no gap answers to. */
  readonly stale: readonly NotExercised[];
  readonly suites: readonly { readonly suite: string; readonly exercised: number }[];
}

export function coverageOf({ points, notExercised }: Coverable, runs: readonly SuiteRun[]): Coverage {
  const belongs = modelCode(points);
  const merged = new Set(runs.flatMap(({ machine }) => [...machine.covered]));
  const isWithinGap = (point: CoveragePoint): boolean => point.within >= 0 && !merged.has(point.within);
  const missed = points.filter((point, number) => belongs.has(number) && !merged.has(number) && !isWithinGap(point));
  const gaps = missed
    .filter((point) => !isAsItShould(point) && !isSaidByFault(point, missed))
    .flatMap((point, position, all) => {
      // Of a condition that is neither true nor false it is said once that nobody came there.
      const [before, after] = [all[position - 1], all[position + 1]];
      if (before && isSameCondition(before, point)) return [];
      const isReached = !(after && isSameCondition(point, after));
      return [gapOf(isReached ? point : { ...point, what: point.what.replace(/ is never true$/, " is never asked") }, notExercised)];
    })
    .sort((one, other) => compare(one.file, other.file) || one.line - other.line || one.column - other.column);
  const count = (covered: ReadonlySet<number>) => [...covered].filter((number) => belongs.has(number)).length;
  return {
    points: belongs.size,
    exercised: count(merged),
    gaps,
    witnesses: unseenWitnesses(runs),
    stale: notExercised.filter((entry) => !gaps.some((gap) => answersTo(gap, entry))),
    suites: runs.map(({ suite, machine }) => ({ suite: suite.name, exercised: count(machine.covered) })),
  };
}

/** Numbers of the points in procedures and in the functions they may call; other functions make scenarios, or belong to properties. */
function modelCode(points: readonly CoveragePoint[]): ReadonlySet<number> {
  const byName = new Map<string, number[]>();
  for (const [number, { kind, procedure, location }] of points.entries()) {
    const key = mentionKey(location.file, procedure);
    if (kind === "function") byName.set(key, [...(byName.get(key) ?? []), number]);
  }
  const belongs = new Set(points.flatMap(({ kind }, number) => (kind === "procedure" ? [number] : [])));
  // A set is walked in the order in which it grows.
  for (const number of belongs) {
    for (const name of (points[number] as CoveragePoint).mentions) for (const called of byName.get(name) ?? []) belongs.add(called);
  }
  for (const [number, { within, kind }] of points.entries()) {
    // A point comes after the one around it.
    if (kind !== "function" && belongs.has(within)) belongs.add(number);
  }
  return belongs;
}

function isSameCondition(one: CoveragePoint, other: CoveragePoint): boolean {
  const { file, line, column } = one.location;
  const isThere = other.location.file === file && other.location.line === line && other.location.column === column;
  return isThere && one.kind === other.kind && / is never true$/.test(one.what) && / is never false$/.test(other.what);
}

/** A warning that never fires is what one wants. */
function isAsItShould({ kind, what }: CoveragePoint): boolean {
  return kind === "branch" && (/^WARN_ON\(.* is never true$/.test(what) || /^!WARN_ON\(.* is never false$/.test(what));
}

/** `if (fault("kzalloc"))`: that the failure is never injected says it all. */
function isSaidByFault({ kind, what, location }: CoveragePoint, missed: readonly CoveragePoint[]): boolean {
  const isThere = ({ file, line }: CoveragePoint["location"]) => file === location.file && line === location.line;
  return kind === "branch" && what.includes("fault(") && missed.some((other) => other.kind === "fault" && isThere(other.location));
}

function gapOf({ location, procedure, kind, what }: CoveragePoint, notExercised: readonly NotExercised[]): Gap {
  const gap = { ...location, procedure, kind, what };
  return { ...gap, reason: notExercised.find((entry) => answersTo(gap, entry))?.reason ?? null };
}

function answersTo(gap: Pick<Gap, "file" | "procedure" | "what">, { file, procedure, what }: NotExercised): boolean {
  // Files outside of the working directory are shown with their whole path.
  const isFile = gap.file === file || gap.file.endsWith(`/${file}`);
  return isFile && gap.procedure === procedure && (what === undefined || gap.what.includes(what));
}

function unseenWitnesses(runs: readonly SuiteRun[]): string[] {
  const seen = new Map<string, boolean>();
  for (const { suite, comparisons } of runs) {
    for (const { code, window } of suite.properties) {
      if (window.kind !== "sometimes") continue;
      const holds = comparisons.some(({ check, verdict }) => check === code && verdict === "holds");
      seen.set(code, holds || (seen.get(code) ?? false));
    }
  }
  return [...seen].flatMap(([code, wasSeen]) => (wasSeen ? [] : [code])).sort(compare);
}

/** Not by the user's locale. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
