/** How a run compares with an earlier one, of which a ledger is kept. */

import { parsePath } from "../trace/replay.js";
import type { Ledger, LedgerEntry } from "./ledger.js";

/** A value before, in the ledger, and after, in the run. */
export interface Moved<T> {
  readonly before: T;
  readonly after: T;
}

export interface SuiteChange {
  readonly suite: string;
  /** Checks that were decided both times, otherwise. */
  readonly verdicts: readonly ({ readonly check: string } & Moved<string>)[];
  /** Checks that are decided in the ledger and not in the run, because a limit or a violation ended it. */
  readonly undecided: readonly string[];
  readonly design: Moved<string>;
  readonly states: Moved<number>;
  readonly transitions: Moved<number>;
  readonly depth: Moved<number>;
  /** Steps of the shortest trace to a violation that is there both times, where they differ. */
  readonly steps: readonly ({ readonly check: string } & Moved<number>)[];
}

export interface Against {
  /** Path of the ledger, as given on the command line. */
  readonly ledger: string;
  /** Whether a verdict changed: alone it makes the exit code 1. */
  readonly verdictsDiffer: boolean;
  /** Suites of which something differs, by name. */
  readonly changed: readonly SuiteChange[];
  /** Names of suites that are as the ledger says. */
  readonly same: readonly string[];
  /** Suites that ran and are not in the ledger. */
  readonly added: readonly string[];
  /** Suites of the ledger that are no longer there. */
  readonly gone: readonly string[];
  /** Suites of the ledger that are there and were not part of the run. */
  readonly notRun: readonly string[];
}

/** `known` are the names of all suites there are, those that did not run included. */
export function compareWith(path: string, recorded: Ledger, now: Ledger, known: ReadonlySet<string>): Against {
  const missing = Object.keys(recorded).filter((name) => now[name] === undefined);
  const changes = Object.entries(now).flatMap(([suite, after]) => {
    const before = recorded[suite];
    return before === undefined ? [] : [changeOf(suite, before, after)];
  });
  const changed = changes.filter((change) => !isSame(change));
  return {
    ledger: path,
    verdictsDiffer: changed.some(({ verdicts }) => verdicts.length > 0),
    changed,
    same: changes.filter(isSame).map(({ suite }) => suite),
    added: Object.keys(now).filter((name) => recorded[name] === undefined),
    gone: missing.filter((name) => !known.has(name)),
    notRun: missing.filter((name) => known.has(name)),
  };
}

function changeOf(suite: string, before: LedgerEntry, after: LedgerEntry): SuiteChange {
  const checks = [...new Set([...Object.keys(before.others), ...Object.keys(after.others)])].sort();
  const moves = checks
    .map((check) => ({ check, before: before.others[check] ?? "holds", after: after.others[check] ?? "holds" }))
    .filter((move) => move.before !== move.after);
  const isDecided = (move: Moved<string>) => move.before !== "unfinished" && move.after !== "unfinished";
  const moved = (key: "states" | "transitions" | "depth") => ({ before: before[key], after: after[key] });
  return {
    suite,
    verdicts: moves.filter(isDecided),
    undecided: moves.filter((move) => move.after === "unfinished").map(({ check }) => check),
    design: { before: before.design, after: after.design },
    states: moved("states"),
    transitions: moved("transitions"),
    depth: moved("depth"),
    steps: checks.flatMap((check) => {
      const move = { before: stepsTo(before, check), after: stepsTo(after, check) };
      return move.before === null || move.after === null || move.before === move.after
        ? []
        : [{ check, before: move.before, after: move.after }];
    }),
  };
}

function stepsTo({ findings }: LedgerEntry, check: string): number | null {
  const lengths = findings.flatMap((finding) => (finding.check === check ? [parsePath(finding.path)?.length ?? 0] : []));
  return lengths.length === 0 ? null : Math.min(...lengths);
}

function isSame({ verdicts, undecided, design, states, transitions, depth, steps }: SuiteChange): boolean {
  const counts = [states, transitions, depth, design];
  return verdicts.length + undecided.length + steps.length === 0 && counts.every(({ before, after }) => before === after);
}
