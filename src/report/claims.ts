/** Claims with their verdicts: as a list, in full, and as JSON. */
import type { Claim, Evidence } from "../lang/claim.js";
import {
  type ClaimRun,
  type ClaimVerdict,
  cameOut,
  type EvidenceVerdict,
  exitCodeOfClaim,
  type Found,
  isContrary,
  traceOf,
  verdictOfClaim,
} from "../session/claims.js";
import type { ExitCode, SuiteRun } from "../session/run-suite.js";
import type { Machine } from "../step/machine.js";
import { formatPath } from "../trace/replay.js";
import { type AuditNames, distinctionLines } from "./audit-text.js";
import { type Bounds, boundsOf, boundsText, faultsText } from "./bounds.js";
import { designOf, exploredText, withinText } from "./corpus.js";
import { shownLines } from "./finding-text.js";
import type { JsonHeader } from "./json.js";
import { type JsonDistinction, jsonDistinction } from "./json-audit.js";
import { shownOf } from "./shown.js";
import type { Look } from "./style.js";
import { counted, grouped, hanging } from "./wrap.js";

export interface JsonClaims extends JsonHeader {
  readonly claims: readonly JsonClaim[];
  readonly summary: JsonClaimsSummary;
  readonly exitCode: ExitCode;
}

export interface JsonClaimsSummary {
  readonly holds: number;
  readonly refuted: number;
  readonly equivalent: number;
  readonly differs: number;
  /** Claims of which nothing is known: a limit came first, or something was never put to the test. */
  readonly undecided: number;
  /** Ids of the claims that come out otherwise than they are recorded. */
  readonly notAsRecorded: readonly string[];
}

export interface JsonClaim {
  readonly id: string;
  /** Why it is one part of a statement; null if it is not. */
  readonly split: string | null;
  readonly system: string;
  readonly says: string;
  readonly verdict: ClaimVerdict;
  /** What is recorded of it. */
  readonly expected: Claim["verdict"];
  /** Of all its runs together; those of audits have no count of transitions. */
  readonly states: number;
  readonly transitions: number;
  /** Of its runs, each once. */
  readonly bounds: readonly Bounds[];
  /** Steps of the trace, or events of the audit, that decides it; null if nothing that was found has one. */
  readonly traceLength: number | null;
  readonly evidence: readonly JsonEvidence[];
  readonly reading: string;
  readonly finding: string | null;
}

export type JsonEvidence = Evidence & {
  readonly found: EvidenceVerdict;
  readonly asSaid: boolean;
} & (
    | {
        readonly design: string;
        readonly states: number;
        readonly transitions: number;
        readonly depth: number;
        readonly bounds: Bounds;
        /** Steps of the shortest trace, and what `iommu-mc replay` takes; null if nothing is violated. */
        readonly traceLength: number | null;
        readonly path: string | null;
      }
    | {
        readonly designs: { readonly a: string; readonly b: string };
        readonly states: { readonly a: number; readonly b: number };
        readonly bounds: Bounds;
        readonly traceLength: number | null;
        readonly onlyA: JsonDistinction | null;
        readonly onlyB: JsonDistinction | null;
        readonly unfinished: string | null;
      }
    /** There was no run. */
    | { readonly states: null }
  );

export function jsonClaim(run: ClaimRun): JsonClaim {
  const { claim, found } = run;
  const { id, split = null, system, says, verdict: expected, reading, finding = null } = claim;
  const machines = found.flatMap(machineOfFound);
  const bounds = new Map(machines.map((machine) => [JSON.stringify(boundsOf(machine)), boundsOf(machine)]));
  return {
    id,
    split,
    system,
    says,
    verdict: verdictOfClaim(run),
    expected,
    states: statesOf(found),
    transitions: runsOf(found).reduce((sum, { outcome }) => sum + outcome.transitions, 0),
    bounds: [...bounds.values()],
    traceLength: traceLengthOf(run),
    evidence: found.map(jsonEvidence),
    reading,
    finding,
  };
}

function jsonEvidence(found: Found): JsonEvidence {
  const came = cameOut(found);
  const head = { ...found.evidence, found: came, asSaid: came === found.evidence.is };
  if (found.kind === "none") return { ...head, states: null };
  if (found.kind === "check") {
    const { run } = found;
    const trace = traceOf(found);
    return {
      ...head,
      design: run.suite.design.name,
      states: run.outcome.states,
      transitions: run.outcome.transitions,
      depth: run.outcome.depth,
      bounds: boundsOf(run.machine),
      traceLength: lengthOf(found),
      path: trace === null ? null : formatPath(trace.finding.path),
    };
  }
  const { machines, states, onlyA, onlyB, unfinished } = found.audit;
  const [a, b] = found.suites.map(({ design }) => design.name) as [string, string];
  return {
    ...head,
    designs: { a, b },
    states,
    bounds: boundsOf(machines.a),
    traceLength: lengthOf(found),
    onlyA: jsonDistinction(onlyA),
    onlyB: jsonDistinction(onlyB),
    unfinished,
  };
}

export function summaryOf(runs: readonly ClaimRun[]): JsonClaimsSummary {
  const verdicts = runs.map(verdictOfClaim);
  const count = (...wanted: readonly ClaimVerdict[]) => verdicts.filter((verdict) => wanted.includes(verdict)).length;
  return {
    holds: count("holds"),
    refuted: count("refuted"),
    equivalent: count("equivalent"),
    differs: count("differs"),
    undecided: count("vacuous", "unfinished"),
    notAsRecorded: runs.filter(isOtherThanRecorded).map(({ claim }) => claim.id),
  };
}

function isCutShort(run: ClaimRun): boolean {
  return exitCodeOfClaim(run) === 3;
}

/** Not so if a limit came first. */
function isOtherThanRecorded(run: ClaimRun): boolean {
  return exitCodeOfClaim(run) !== 0 && !isCutShort(run);
}

/** `12 hold, 3 refuted, 2 equivalent, 1 differs`. */
export function summaryText({ holds, refuted, equivalent, differs, undecided }: JsonClaimsSummary): string {
  const parts = [
    [holds, holds === 1 ? "holds" : "hold"],
    [refuted, "refuted"],
    [equivalent, "equivalent"],
    [differs, differs === 1 ? "differs" : "differ"],
    [undecided, "undecided"],
  ] as const;
  return parts.flatMap(([count, word]) => (count === 0 ? [] : [`${count} ${word}`])).join(", ");
}

const ID_WIDTH = 6;
const VERDICT_WIDTH = 12;

/** Every claim in a line or two. */
export function claimsText(runs: readonly ClaimRun[], look: Look): string {
  const lines = runs.flatMap((run) => {
    const [first = "", ...rest] = hanging(
      `${run.claim.id.padEnd(ID_WIDTH)}${verdictOfClaim(run).padEnd(VERDICT_WIDTH)}`,
      `${run.claim.says} (${costText(run)})`,
      look.width,
    );
    return [paint(run, first, look), ...rest, ...mistakeLines(run, look)];
  });
  const summary = summaryOf(runs);
  const { length: wrong } = summary.notAsRecorded;
  const cut = runs.filter(isCutShort).length;
  const said =
    cut === 0
      ? []
      : hanging(
          "unfinished: ",
          `an interrupt or a limit came before ${counted(cut, "claim")} could be decided; nothing is known of them`,
          look.width,
        );
  const end = `${counted(runs.length, "claim")}: ${summaryText(summary)}; ${wrong > 0 ? `${wrong} not as recorded` : cut > 0 ? "the others as recorded" : "all as recorded"}`;
  return `${[...said, ...lines, "", ...hanging("", end, look.width)].join("\n")}\n`;
}

/** `1,204 states, 9 steps`: what the verdict cost, and how long its trace is. */
export function costText(run: ClaimRun): string {
  const length = traceLengthOf(run);
  const what = deciding(run)?.kind === "audit" ? "event" : "step";
  return [counted(statesOf(run.found), "state"), ...(length === null ? [] : [counted(length, what)])].join(", ");
}

/** One claim: each thing that it rests on, with its trace. */
export function claimText(run: ClaimRun, file: string | null, look: Look): string {
  const { style, width } = look;
  const { id, says, split, system, reading, finding } = run.claim;
  const [head = "", ...rest] = hanging(id.padEnd(ID_WIDTH), says, width);
  const about = (text: string) => hanging(" ".repeat(ID_WIDTH), text, width);
  const lines = [
    style.bold(head),
    ...rest,
    ...about(`${system} · ${verdictOfClaim(run)}, ${costText(run)}`),
    ...(split === undefined ? [] : about(`part of a statement: ${split}`)),
    "",
    ...about(reading),
    ...(finding === undefined ? [] : about(`see reports/findings/${finding}`)),
    ...mistakeLines(run, look),
    ...run.found.flatMap((found, position) => ["", ...evidenceLines(found, position + 1, file, look)]),
  ];
  return `${lines.map((line) => line.trimEnd()).join("\n")}\n`;
}

function evidenceLines(found: Found, number: number, file: string | null, look: Look): string[] {
  const came = cameOut(found);
  const isOff = isContrary(found.evidence, came);
  const [head = "", ...rest] = hanging(`${number}. `, evidenceText(found), look.width);
  const lines = [isOff ? look.style.bad(head) : look.style.bold(head), ...rest];
  if (found.kind === "none") return lines;
  if (found.kind === "audit") {
    const { audit } = found;
    return [...lines, ...hanging("   ", auditFacts(found), look.width), ...distinctionLines(audit, namesOf(found.evidence), look)];
  }
  lines.push(...hanging("   ", checkFacts(found.run), look.width));
  const trace = traceOf(found);
  if (trace === null) return lines;
  return [...lines, "", ...shownLines(found.run, shownOf(trace), file, look)];
}

/** `C3 in a/b: said to hold, is violated`. */
export function evidenceText(found: Found): string {
  const { evidence } = found;
  const came = cameOut(found);
  const what = "audit" in evidence ? `${evidence.audit[0]} and ${evidence.audit[1]}` : `${evidence.check} in ${evidence.suite}`;
  const seen = "audit" in evidence && evidence.observe !== undefined ? `, by ${evidence.observe.join(", ")}` : "";
  return `${what}${seen}: ${came === evidence.is ? came : `${came}, where the claim needs ${evidence.is}`}`;
}

/** Design, size and bounds of a run. */
export function checkFacts(run: SuiteRun): string {
  return `${designOf(run)}; ${exploredText(run)}; ${withinText(run)}`;
}

/** The same of an audit. */
export function auditFacts({ audit, suites }: Found & { readonly kind: "audit" }): string {
  const { states, machines, unfinished } = audit;
  const bounds = boundsOf(machines.a);
  const counts = `${grouped(states.a)} and ${counted(states.b, "state")}`;
  const [a, b] = suites.map((suite) => designOf({ suite }));
  return [
    `${a} and ${b}`,
    counts,
    faultsText(bounds),
    boundsText(bounds),
    ...(unfinished === null ? [] : [`stopped by ${unfinished}`]),
  ].join("; ");
}

/** The suites of an audit stand for their designs. */
export function namesOf({ audit: [a, b] }: Evidence & { readonly audit: readonly [string, string] }): AuditNames {
  return { a, b };
}

/** What is wrong with what is recorded of the claim, in words. */
function mistakeLines(run: ClaimRun, { style, width }: Look): string[] {
  if (!isOtherThanRecorded(run)) return [];
  const [head = "", ...rest] = hanging(" ".repeat(ID_WIDTH), `NOT AS RECORDED: ${run.claim.verdict} is what is known of it`, width);
  return [style.bad(head), ...rest];
}

function paint(run: ClaimRun, line: string, { style }: Look): string {
  const verdict = verdictOfClaim(run);
  const colour = verdict === "vacuous" || verdict === "unfinished" ? style.warn : verdict === run.claim.verdict ? style.good : style.bad;
  return line.replace(verdict, colour);
}

/** What the verdict comes from: what is contrary to the claim, or else the first that has a trace. */
function deciding({ found }: ClaimRun): Found | undefined {
  const traced = found.filter((each) => lengthOf(each) !== null);
  return traced.find((each) => isContrary(each.evidence, cameOut(each))) ?? traced[0];
}

function traceLengthOf(run: ClaimRun): number | null {
  const found = deciding(run);
  return found === undefined ? null : lengthOf(found);
}

function lengthOf(found: Found): number | null {
  if (found.kind === "none") return null;
  if (found.kind === "check") return traceOf(found)?.finding.path.length ?? null;
  const { onlyA, onlyB } = found.audit;
  const lengths = [onlyA, onlyB].flatMap((distinction) => (distinction === null ? [] : [distinction.trace.length]));
  return lengths.length === 0 ? null : Math.min(...lengths);
}

function statesOf(found: readonly Found[]): number {
  const ofAudits = found.flatMap((each) => (each.kind === "audit" ? [each.audit.states.a + each.audit.states.b] : []));
  const ofRuns = runsOf(found).map(({ outcome }) => outcome.states);
  return [...ofAudits, ...ofRuns].reduce((sum, states) => sum + states, 0);
}

/** The runs, each once, however much of the evidence is theirs. */
function runsOf(found: readonly Found[]): SuiteRun[] {
  return [...new Set(found.flatMap((each) => (each.kind === "check" ? [each.run] : [])))];
}

function machineOfFound(found: Found): Machine[] {
  if (found.kind === "none") return [];
  return [found.kind === "check" ? found.run.machine : found.audit.machines.a];
}
