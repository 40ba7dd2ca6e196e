/** Known bugs seen again: as a list, in full, and as JSON. */
import type { KnownBug } from "../lang/corpus.js";
import type { Commit } from "../lang/design.js";
import { isViolated, mistakesOf, type Rediscovery, shortestOf, verdictIn } from "../session/rediscovery.js";
import type { ExitCode, SuiteRun } from "../session/run-suite.js";
import { formatPath } from "../trace/replay.js";
import { lengthText } from "./because.js";
import { type Bounds, boundsOf, boundsText, changesText, faultsText } from "./bounds.js";
import { shownLines } from "./finding-text.js";
import type { JsonHeader } from "./json.js";
import { shownOf } from "./shown.js";
import type { Look } from "./style.js";
import { counted, enumerate, hanging } from "./wrap.js";

/** A bug, and each suite that shows it. */
export interface KnownBugRuns {
  readonly bug: KnownBug;
  readonly rediscoveries: readonly Rediscovery[];
  /** Rows that could not be run, in words. */
  readonly refused: readonly string[];
  /** Rows of which nothing is known, since an interrupt or a limit came first. */
  readonly unfinished: number;
}

export interface JsonCorpus extends JsonHeader {
  readonly entries: readonly JsonBug[];
  readonly summary: JsonCorpusSummary;
  readonly exitCode: ExitCode;
}

export interface JsonCorpusSummary {
  /** Bugs that are violated without their fix and, what they were caught by, hold with it. */
  readonly rediscovered: number;
  /** Bugs of which a fix leaves something violated in the suite that shows them. */
  readonly refutedFix: number;
  /** Bugs that no suite shows. */
  readonly left: number;
  /** Bugs with a suite of which nothing is known, since an interrupt or a limit came first. */
  readonly unfinished: number;
}

interface JsonBugHead {
  readonly id: number;
  readonly name: string;
  readonly year: number;
  readonly fix: readonly JsonFixOfBug[];
  /** Ids of bugs: `from` is the one whose fix made this one or was not enough, `to` are those that follow from this one's fix. */
  readonly chain: { readonly from: number | null; readonly to: readonly number[] };
}

/** The fields of its first row, if it has one, stand in the entry itself; `rows` has them all. */
export type JsonBug = JsonBugHead &
  (
    | ({ readonly rows: readonly JsonRediscovery[]; readonly mistakes: readonly string[] } & JsonRediscovery)
    | { readonly rows: readonly []; readonly mistakes: readonly string[]; readonly leftOut: string | null }
  );

export interface JsonRediscovery {
  /** The commit by which the two designs differ. */
  readonly commit: string;
  readonly suite: string;
  readonly design: string;
  /** What was changed in the suite's design for each. */
  readonly without: { readonly revert: readonly string[]; readonly apply: readonly string[] };
  readonly with: { readonly revert: readonly string[]; readonly apply: readonly string[] };
  readonly bounds: Bounds;
  /** What caught it. */
  readonly property: string;
  readonly before: string;
  /** Steps of the shortest trace, and what `iommu-mc replay` takes; null if it was not found. */
  readonly traceLength: number | null;
  readonly path: string | null;
  /** States seen until the run without the commit ended. */
  readonly states: number;
  readonly after: string;
  readonly afterStates: number;
  readonly afterDepth: number;
  /** What the commit does not mend. */
  readonly left: { readonly property: string; readonly why: string; readonly traceLength: number | null } | null;
}

/** Known bugs and the commits of the designs, by which they are told. */
export interface CorpusContext {
  readonly bugs: readonly KnownBug[];
  readonly commits: Readonly<Record<string, Commit>>;
}

export function jsonBug({ bug, rediscoveries, refused }: KnownBugRuns, context: CorpusContext): JsonBug {
  const { id, name, year } = bug;
  const chain = { from: bug.follows ?? null, to: followersOf(bug, context.bugs) };
  const head = { id, name, year, fix: fixesOf(bug, context), chain };
  const rows = rediscoveries.map(jsonRediscovery);
  const mistakes = [...refused, ...rediscoveries.flatMap(mistakesOf)];
  const [first] = rows;
  if (first === undefined) return { ...head, rows: [], mistakes, leftOut: bug.leftOut ?? null };
  return { ...head, ...first, rows, mistakes };
}

export function summaryOf(known: readonly KnownBugRuns[]): JsonCorpusSummary {
  const count = (holds: (runs: KnownBugRuns) => boolean) => known.filter(holds).length;
  return {
    rediscovered: count(({ rediscoveries }) => rediscoveries.some((each) => mistakesOf(each).length === 0 && isMended(each))),
    refutedFix: count(({ rediscoveries }) => rediscoveries.some((each) => mistakesOf(each).length === 0 && each.row.left !== undefined)),
    left: count(isShownByNone),
    unfinished: count(({ unfinished }) => unfinished > 0),
  };
}

function isShownByNone({ rediscoveries, refused, unfinished }: KnownBugRuns): boolean {
  return rediscoveries.length + refused.length + unfinished === 0;
}

function isMended({ row, after }: Rediscovery): boolean {
  return !isViolated(after, row.red);
}

function jsonRediscovery({ row, before, after }: Rediscovery): JsonRediscovery {
  const found = shortestOf(before, row.red);
  const { left } = row;
  const changes = ({ variant: { revert = [], apply = [] } }: SuiteRun) => ({ revert, apply });
  return {
    commit: row.commit,
    suite: row.suite,
    design: before.suite.design.name,
    without: changes(before),
    with: changes(after),
    bounds: boundsOf(after.machine),
    property: row.red,
    before: verdictIn(before, row.red),
    traceLength: found?.finding.path.length ?? null,
    path: found === null ? null : formatPath(found.finding.path),
    states: before.outcome.states,
    after: verdictIn(after, row.red),
    afterStates: after.outcome.states,
    afterDepth: after.outcome.depth,
    left:
      left === undefined
        ? null
        : { property: left.red, why: left.why, traceLength: shortestOf(after, left.red)?.finding.path.length ?? null },
  };
}

export function followersOf({ id }: KnownBug, bugs: readonly KnownBug[]): number[] {
  return bugs.filter(({ follows }) => follows === id).map((each) => each.id);
}

export interface JsonFixOfBug {
  readonly sha: string | null;
  readonly subject: string | null;
  /** Where `sha` is none, but what the design calls the commit: the Message-Id of its patch. */
  readonly messageId: string | null;
}

/** The fixes, with what the bug does not say of them from the design's commits. */
export function fixesOf({ fix }: KnownBug, { commits }: CorpusContext): JsonFixOfBug[] {
  return fix.map(({ sha, subject }) => {
    const commit = sha === null ? undefined : commits[sha];
    return { sha, subject: subject ?? commit?.subject ?? null, messageId: commit?.messageId ?? null };
  });
}

/** `01657bc14a39 iommu: Avoid races around device probe`. */
export function fixText({ sha, subject, messageId }: JsonFixOfBug): string {
  const unknown = messageId === null ? "" : `(no sha known; its patch is ${messageId})`;
  return [sha ?? "(sha not verified)", subject ?? "", unknown].join(" ").trim();
}

/** `linux-6.1 6.1.176 without 0286300e6045`. */
export function designOf({ suite: { design }, variant = {} }: Pick<SuiteRun, "suite"> & Partial<Pick<SuiteRun, "variant">>): string {
  return [design.name, addedText(design.added ?? []), changesText(variant)].filter((text) => text !== "").join(", ");
}

function addedText(added: readonly string[]): string {
  return added.length === 0 ? "" : `with ${added.join(" and ")}`;
}

/** What follows from what: `its fix made 3 (fwspec-free-vs-configure)`. */
export function chainTexts(bug: KnownBug, bugs: readonly KnownBug[]): string[] {
  const named = (id: number) => `${id} (${bugs.find((other) => other.id === id)?.name ?? "not listed"})`;
  const followers = followersOf(bug, bugs);
  return [
    ...(bug.follows === undefined ? [] : [`follows from the fix of ${named(bug.follows)}`]),
    ...(followers.length === 0 ? [] : [`its fix led to ${enumerate(followers.map(named))}`]),
  ];
}

/** Every bug in a few lines. */
export function corpusText(known: readonly KnownBugRuns[], context: CorpusContext, look: Look): string {
  const rest = known.filter(isShownByNone);
  const shown = known.filter((runs) => !rest.includes(runs));
  const { rediscovered, refutedFix, left, unfinished } = summaryOf(known);
  const lines = unfinished === 0 ? [] : [...hanging("unfinished: ", unfinishedText(unfinished), look.width), ""];
  lines.push(...shown.flatMap((runs) => [...headLines(runs, context, look), ...rowLines(runs, look), ""]));
  if (rest.length > 0) {
    const entry = ({ bug }: KnownBugRuns) =>
      hanging(`${String(bug.id).padStart(3)}  `, `${bug.name}: ${bug.leftOut ?? "no reason given"}`, look.width);
    lines.push(look.style.bold("shown by no suite"), ...rest.flatMap(entry), "");
  }
  const end = `${counted(rediscovered, "bug")} rediscovered; ${counted(refutedFix, "fix", "fixes")} leave something; ${left} shown by no suite`;
  lines.push(...hanging("", unfinished === 0 ? end : `${end}; ${unfinished} unfinished`, look.width));
  return `${lines.join("\n")}\n`;
}

function unfinishedText(bugs: number): string {
  return `an interrupt or a limit came before all runs of ${counted(bugs, "bug")} were through; what those would show is not known`;
}

/** One bug: the trace of each row in full, and what the fix makes of it. */
export function bugText(runs: KnownBugRuns, context: CorpusContext, file: string | null, look: Look): string {
  const lines = runs.unfinished === 0 ? [] : hanging("unfinished: ", unfinishedText(1), look.width);
  lines.push(...headLines(runs, context, look));
  for (const sentence of chainTexts(runs.bug, context.bugs)) lines.push(...hanging("     ", sentence, look.width));
  for (const { row, before, after } of runs.rediscoveries) {
    lines.push("", look.style.bold(`before ${row.commit}`), ...hanging("  ", designOf(before), look.width), "");
    lines.push(...foundLines(before, row.red, file, look));
    lines.push("", look.style.bold(`with ${row.commit}`), ...hanging("  ", designOf(after), look.width), "");
    lines.push(
      ...hanging(`${verdictIn(after, row.red).toUpperCase()}  `, `${row.red}: ${exploredText(after)}; ${withinText(after)}`, look.width),
    );
    if (row.left !== undefined) {
      lines.push("", ...hanging("the fix is not enough  ", row.left.why, look.width), "", ...foundLines(after, row.left.red, file, look));
    }
  }
  lines.push(...mistakeLines(runs, look));
  if (isShownByNone(runs)) lines.push(...hanging("     ", `shown by no suite: ${runs.bug.leftOut ?? "no reason given"}`, look.width));
  return `${lines.join("\n")}\n`;
}

function foundLines(run: SuiteRun, check: string, file: string | null, look: Look): string[] {
  const found = shortestOf(run, check);
  if (found === null) return hanging(`${check}  `, verdictIn(run, check), look.width);
  return shownLines(run, shownOf(found), file, look);
}

function headLines({ bug }: KnownBugRuns, context: CorpusContext, { style, width }: Look): string[] {
  const fixes = fixesOf(bug, context).flatMap((fix) => hanging("     ", fixText(fix), width));
  return [style.bold(`${String(bug.id).padStart(3)}  ${bug.name} (${bug.year})`), ...fixes];
}

function rowLines(runs: KnownBugRuns, look: Look): string[] {
  const lines = runs.rediscoveries.flatMap(({ row, before, after }) => {
    const found = shortestOf(before, row.red);
    const length = found === null ? "" : `, ${lengthText(before.machine, found.trace.steps)}`;
    return [
      ...hanging("       ", row.suite, look.width),
      ...hanging("         before  ", `${row.red} ${verdictIn(before, row.red)}${length}`, look.width),
      ...hanging("         after   ", `${row.red} ${verdictIn(after, row.red)}, ${exploredText(after)}`, look.width),
      ...(row.left === undefined ? [] : hanging("         left    ", `${row.left.red}: ${row.left.why}`, look.width)),
    ];
  });
  const isCut = runs.unfinished > 0 ? hanging("       ", `${counted(runs.unfinished, "suite")} not run to the end`, look.width) : [];
  return [...lines, ...isCut, ...mistakeLines(runs, look)];
}

function mistakeLines({ refused, rediscoveries }: KnownBugRuns, { style, width }: Look): string[] {
  return [...refused, ...rediscoveries.flatMap(mistakesOf)].flatMap((text) => {
    const [head, ...rest] = hanging("     WRONG  ", text, width);
    return [style.bad(head as string), ...rest];
  });
}

/** `1,204 states, depth 30`. */
export function exploredText({ outcome }: SuiteRun): string {
  return `${counted(outcome.states, "state")}, depth ${outcome.depth}`;
}

/** `no faults (policy contract); 2 threads (a, b), pools: c 1`. */
export function withinText({ machine }: SuiteRun): string {
  const bounds = boundsOf(machine);
  return `${faultsText(bounds)}; ${boundsText(bounds)}`;
}
