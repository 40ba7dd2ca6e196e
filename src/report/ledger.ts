/**
 * The ledger: what is known of every suite, as data that is kept with the source. Only what a run repeats
 * exactly: no timings, no places on somebody's disk.
 */
import type { ResultVerdict } from "../explore/outcome.js";
import type { SuiteRun } from "../session/run-suite.js";
import { formatPath, parsePath } from "../trace/replay.js";

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

/** Why a value is no ledger: the keys that lead to what is wrong, and what is. */
export interface LedgerProblem {
  readonly at: readonly string[];
  readonly problem: string;
}

/** The ledger that a value read from a file is, or that a document of `check --json` amounts to. */
export function ledgerFrom(value: unknown): Ledger | LedgerProblem {
  if (!isRecord(value)) return { at: [], problem: "a ledger is an object with an entry for each suite" };
  const entries = value.tool === "iommu-mc" ? entriesOfRun(value) : value;
  if ("problem" in entries && "at" in entries) return entries as unknown as LedgerProblem;
  for (const [suite, entry] of Object.entries(entries)) {
    const found = problemOfEntry(entry);
    if (found !== null) return { at: value.tool === "iommu-mc" ? [] : [suite, ...found.at], problem: `suite ${suite}: ${found.problem}` };
  }
  return entries as Ledger;
}

/** Whether it is none. A suite may have any name, but is never a text. */
export function isProblem(ledger: Ledger | LedgerProblem): ledger is LedgerProblem {
  return typeof ledger.problem === "string";
}

type Fields = Readonly<Record<string, unknown>>;

function isRecord(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const COUNTS = ["states", "transitions", "depth", "holds"] as const;
const VERDICTS: readonly unknown[] = ["violated", "vacuous", "unfinished"] satisfies readonly ResultVerdict[];

function problemOfEntry(entry: unknown): LedgerProblem | null {
  if (!isRecord(entry)) return { at: [], problem: "an entry is an object" };
  if (typeof entry.design !== "string") return { at: ["design"], problem: "design is the design's name and version" };
  for (const key of COUNTS) {
    if (!Number.isSafeInteger(entry[key]) || (entry[key] as number) < 0)
      return { at: [key], problem: `${key} is a whole number, 0 or more` };
  }
  if (!isRecord(entry.others)) return { at: ["others"], problem: "others has the verdict of every check that does not hold" };
  for (const [check, verdict] of Object.entries(entry.others)) {
    if (!VERDICTS.includes(verdict)) return { at: ["others", check], problem: `the verdict of ${check} is one of ${VERDICTS.join(", ")}` };
  }
  const isFinding = (finding: unknown) => isRecord(finding) && typeof finding.check === "string" && isPathText(finding.path);
  if (!Array.isArray(entry.findings) || !entry.findings.every(isFinding)) {
    return { at: ["findings"], problem: "findings is a list of check and path" };
  }
  return null;
}

function isPathText(value: unknown): boolean {
  return typeof value === "string" && parsePath(value) !== null;
}

/** What a document of `check --json` says of each suite, still to be looked at. */
function entriesOfRun(document: Fields): Fields | LedgerProblem {
  if (document.command !== "check" || !Array.isArray(document.suites)) {
    return { at: ["command"], problem: "of what iommu-mc prints with --json only check's can be compared with" };
  }
  const omits = ({ omission }: Fields) => isRecord(omission) && omission.mode !== "off";
  const lossy = document.suites.filter(isRecord).find(omits);
  if (lossy !== undefined) return { at: ["suites"], problem: `suite ${lossy.suite} was explored with --lossy, which proves nothing` };
  return Object.fromEntries(document.suites.map((suite) => (isRecord(suite) ? [String(suite.suite), entryOfJson(suite)] : ["?", suite])));
}

function entryOfJson(suite: Fields): Fields {
  const listed = (value: unknown) => (Array.isArray(value) ? value.filter(isRecord) : []);
  const others = listed(suite.checks).filter(({ verdict }) => verdict !== "holds");
  return {
    design: `${suite.design} ${suite.version}`,
    states: suite.states,
    transitions: suite.transitions,
    depth: suite.depth,
    holds: listed(suite.checks).length - others.length,
    others: Object.fromEntries(others.map(({ check, verdict }) => [String(check), verdict])),
    findings: listed(suite.findings).map(({ check, path }) => ({ check, path })),
  };
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
