/**
 * The ledger: what is known of every suite, as data that is kept with the source. Only what a run repeats
 * exactly: no timings, no places on somebody's disk.
 */
import type { SuiteRun } from "../session/run-suite.js";
import { formatPath } from "../trace/replay.js";

export interface LedgerEntry {
  readonly design: string;
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** How many properties and checks hold; those that do not are named. */
  readonly holds: number;
  readonly others: Readonly<Record<string, string>>;
  /** Shortest traces to what was found. Without its wording, which may change while nothing else does. */
  readonly findings: readonly { readonly check: string; readonly path: string }[];
}

/** By suite name. */
export type Ledger = Readonly<Record<string, LedgerEntry>>;

export function ledgerOf(runs: readonly SuiteRun[]): Ledger {
  // By name, so that moving a suite in its list changes nothing here.
  const ordered = [...runs].sort((one, other) => compare(one.suite.name, other.suite.name));
  return Object.fromEntries(ordered.map((run) => [run.suite.name, entryOf(run)]));
}

function entryOf({ suite, outcome, comparisons }: SuiteRun): LedgerEntry {
  const others = comparisons.filter(({ verdict }) => verdict !== "holds").map(({ check, verdict }): [string, string] => [check, verdict]);
  return {
    design: `${suite.design.name} ${suite.design.version}`,
    states: outcome.states,
    transitions: outcome.transitions,
    depth: outcome.depth,
    holds: comparisons.length - others.length,
    others: Object.fromEntries(others.sort(([one], [other]) => compare(one, other))),
    findings: distinct(outcome.findings.map(({ check, path }) => ({ check, path: formatPath(path) }))),
  };
}

/** Two warnings in one step are one entry. */
function distinct(findings: LedgerEntry["findings"]): LedgerEntry["findings"] {
  const byText = new Map(findings.map((finding) => [`${finding.check} at ${finding.path}`, finding]));
  return [...byText].sort(([one], [other]) => compare(one, other)).map(([, finding]) => finding);
}

/** As the file holds it. */
export function ledgerText(ledger: Ledger): string {
  return `${JSON.stringify(ledger, null, 2)}\n`;
}

/** The ledger in a file's text; null if it is none. */
export function readLedger(text: string): Ledger | null {
  try {
    const value: unknown = JSON.parse(text);
    const isLedger = typeof value === "object" && value !== null && Object.values(value).every(isEntry);
    return isLedger ? (value as Ledger) : null;
  } catch {
    return null;
  }
}

function isEntry(value: unknown): value is LedgerEntry {
  const entry = value as Partial<LedgerEntry> | null;
  return typeof entry?.states === "number" && typeof entry.others === "object" && Array.isArray(entry.findings);
}

/** One line for each difference: `vfio-close: states 1,204 → 1,310`. */
export function compareLedgers(recorded: Ledger, now: Ledger): string[] {
  const names = [...new Set([...Object.keys(recorded), ...Object.keys(now)])].sort(compare);
  return names.flatMap((name) => {
    const before = recorded[name];
    const after = now[name];
    if (before === undefined) return [`${name}: not in the ledger`];
    if (after === undefined) return [`${name}: in the ledger, but there is no such suite`];
    return differences(before, after).map((difference) => `${name}: ${difference}`);
  });
}

function differences(before: LedgerEntry, after: LedgerEntry): string[] {
  const lines: string[] = [];
  for (const key of ["design", "states", "transitions", "depth", "holds"] as const) {
    if (before[key] !== after[key]) lines.push(`${key} ${before[key]} → ${after[key]}`);
  }
  for (const check of [...new Set([...Object.keys(before.others), ...Object.keys(after.others)])].sort(compare)) {
    const was = before.others[check] ?? "holds";
    const is = after.others[check] ?? "holds";
    if (was !== is) lines.push(`${check} ${was} → ${is}`);
  }
  const told = ({ findings }: LedgerEntry) => findings.map(({ check, path }) => `${check} at ${path}`);
  const [old, fresh] = [told(before), told(after)];
  lines.push(...old.filter((finding) => !fresh.includes(finding)).map((finding) => `no longer found: ${finding}`));
  lines.push(...fresh.filter((finding) => !old.includes(finding)).map((finding) => `newly found: ${finding}`));
  return lines;
}

/** Not by the user's locale: the ledger is the same everywhere. */
function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
