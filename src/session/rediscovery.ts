/** A known bug seen again: a suite in two designs that differ by the commit that fixed it. */
import type { Switch } from "../lang/corpus.js";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import { appliedCommits } from "../step/machine.js";
import type { Replayed } from "../trace/judge.js";
import type { Session } from "./open.js";
import { checksBeside, type RunSuiteOptions, type SuiteRun } from "./run-suite.js";

export interface Rediscovery {
  readonly row: Switch;
  /** The run without the commit. */
  readonly before: SuiteRun;
  /** The run with it. */
  readonly after: SuiteRun;
}

/** The row's suite. Throws a ModelError if there is none, or if its two designs differ by anything but the row's commit. */
export function suiteOfRow({ suites }: Pick<Session, "suites">, row: Switch): Suite {
  const where = `the row of ${row.commit} in ${row.suite}`;
  const suite = suites.find(({ name }) => name === row.suite);
  if (suite === undefined) throw new ModelError(`${where}: there is no such suite`, "Correct the suite's name in the row.");
  const without = appliedCommits(suite.design, row.without);
  const applied = appliedCommits(suite.design, row.with);
  const lost = [...without].filter((sha) => !applied.has(sha));
  const gained = [...applied].filter((sha) => !without.has(sha));
  if (lost.length > 0 || gained.length !== 1 || gained[0] !== row.commit) {
    const difference = [...gained.map((sha) => `+${sha}`), ...lost.map((sha) => `-${sha}`)].join(" ");
    throw new ModelError(
      `${where}: what it compares differs by ${difference === "" ? "nothing" : difference}`,
      `Before and after have to differ by +${row.commit} alone; correct the row's "without" and "with".`,
    );
  }
  return suite;
}

/** How the row's suite is run, without the commit and with it: what else is violated is no end of the search for what the row is about. */
export function runsOf(row: Switch, suite: Suite): readonly [before: RunSuiteOptions, after: RunSuiteOptions] {
  const expected = [...Object.keys(suite.expected ?? {}), ...(row.left === undefined ? [] : [row.left.red])];
  return [
    { variant: row.without, goOnAfter: checksBeside(row.red, suite) },
    { variant: row.with, goOnAfter: expected },
  ];
}

/** The shortest trace of the check. */
export function shortestOf({ traces }: SuiteRun, check: string): Replayed | null {
  const found = traces.filter(({ finding }) => finding.check === check);
  return found.sort((one, other) => one.finding.path.length - other.finding.path.length)[0] ?? null;
}

/** What became of the check. */
export function verdictIn({ outcome }: SuiteRun, check: string): string {
  return outcome.results.find((result) => result.check === check)?.verdict ?? "not checked";
}

export function isViolated({ outcome }: SuiteRun, check: string): boolean {
  return outcome.results.some((result) => result.check === check && result.verdict === "violated");
}

/** What the row claims and did not come out, in words; empty if all did. */
export function mistakesOf({ row, before, after }: Rediscovery): string[] {
  const where = `${row.commit} in ${row.suite}`;
  const isLeft = row.left?.red === row.red;
  return [
    ...(isViolated(before, row.red) ? [] : [`${where}: ${row.red} is not violated without it`]),
    ...(isViolated(after, row.red) === isLeft ? [] : [`${where}: ${row.red} with it is not as claimed`]),
    ...(row.left === undefined || isViolated(after, row.left.red) ? [] : [`${where}: ${row.left.red} is not violated with it`]),
    ...(isLeft || after.outcome.end.kind === "complete" ? [] : [`${where}: the run with it did not come to its end`]),
  ];
}
