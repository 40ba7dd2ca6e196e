/** What `audit` prints for people. */
import type { Audit } from "../audit/audit.js";
import type { Distinction } from "../audit/inclusion.js";
import type { Look } from "./style.js";
import type { SuiteResult } from "./verdict.js";
import { counted, hanging, padEnd, wrap } from "./wrap.js";

/** What the designs are called on the command line. */
export interface AuditNames {
  readonly a: string;
  readonly b: string;
}

export function auditText(results: readonly SuiteResult<AuditRun>[], names: AuditNames, look: Look): string {
  const audits = results.flatMap((result) => (result.kind === "run" ? [result.run.audit] : []));
  const rows = results.flatMap((result) => rowOf(result, names, look));
  const traces = audits.flatMap((audit) => distinctionLines(audit, names, look));
  return [...rows, "", ...summaryLines(results, look), ...traces].map((line) => `${line.trimEnd()}\n`).join("");
}

/** An audit, with what it makes of the exit code. */
export interface AuditRun {
  readonly audit: Audit;
  readonly exitCode: 0 | 1 | 3;
}

const VERDICT_WIDTH = 16;

/** Which of the designs allows more, if one does. */
function moreText(verdict: Audit["verdict"], { a, b }: AuditNames): string {
  if (verdict === "A allows more") return `${a} allows more, `;
  return verdict === "B allows more" ? `${b} allows more, ` : "";
}

function rowOf(result: SuiteResult<AuditRun>, names: AuditNames, { width, style }: Look): string[] {
  if (result.kind !== "run") return [`${padEnd(result.kind === "error" ? "model-fault" : "not run", VERDICT_WIDTH)}${result.suite.name}`];
  const { suite, verdict, states, unfinished } = result.run.audit;
  const paint = verdict === "equivalent" ? style.good : verdict === "unfinished" ? style.warn : style.bad;
  const counts = states.a === states.b ? counted(states.a, "state") : `${states.a} and ${counted(states.b, "state")}`;
  const why = unfinished === null ? "" : `, stopped by ${unfinished}`;
  const [first = "", ...rest] = hanging(
    padEnd(verdict === "equivalent" || verdict === "unfinished" ? verdict : "DIFFER", VERDICT_WIDTH),
    `${suite.name} · ${moreText(verdict, names)}${counts}${why}`,
    width,
  );
  return [first.replace(/^\S+/, paint), ...rest];
}

function summaryLines(results: readonly SuiteResult<AuditRun>[], { width }: Look): string[] {
  const verdicts = results.map((result) => (result.kind === "run" ? result.run.audit.verdict : result.kind));
  const count = (...wanted: readonly string[]) => verdicts.filter((verdict) => wanted.includes(verdict)).length;
  const differing = count("differ", "A allows more", "B allows more");
  const facts = [
    ...(count("equivalent") > 0 ? [`${count("equivalent")} equivalent`] : []),
    ...(differing > 0 ? [`${differing} differ`] : []),
    ...(count("unfinished", "not-run") > 0 ? [`${count("unfinished", "not-run")} unfinished`] : []),
    ...(count("error") > 0 ? [`${count("error")} with a model at fault`] : []),
  ];
  return hanging("", `${counted(results.length, "scenario")}: ${facts.join(", ")}`, width);
}

/** Where the designs part, side by side; nothing if they do not. */
export function distinctionLines({ suite, onlyA, onlyB }: Audit, names: AuditNames, look: Look): string[] {
  const { a, b } = names;
  // Where both show an event that the other does not, after the same ones, one table tells it.
  if (onlyA !== null && onlyB !== null && partAlike(onlyA, onlyB)) {
    return [
      ...headLines(suite.name, onlyA, "each shows what the other does not", look),
      ...sideBySide(onlyA, a, b, onlyB.trace.at(-1) as string, look),
    ];
  }
  const told = (distinction: Distinction | null, one: string, other: string) =>
    distinction === null
      ? []
      : [
          ...headLines(suite.name, distinction, `only ${one} shows this`, look),
          ...sideBySide(distinction, one, other, insteadText(distinction), look),
        ];
  return [...told(onlyA, a, b), ...told(onlyB, b, a)];
}

function partAlike(one: Distinction, other: Distinction): boolean {
  return one.trace.length === other.trace.length && one.trace.slice(0, -1).every((event, position) => event === other.trace[position]);
}

function headLines(suite: string, { trace }: Distinction, what: string, { style, width }: Look): string[] {
  return ["", style.bold(suite), ...hanging("  ", `${what}; ${counted(trace.length, "event")}, shortest`, width), ""];
}

function insteadText({ instead }: Distinction): string {
  if (instead.length === 0) return "(nothing more)";
  return `(not so; ${instead.length === 1 ? "only" : "one of"}: ${instead.join("; ")})`;
}

/** Both designs' events in columns; in the last row they part. */
function sideBySide({ trace }: Distinction, one: string, other: string, last: string, { width, style }: Look): string[] {
  const numbers = String(trace.length).length;
  const column = Math.max(16, Math.floor((width - numbers - 8) / 2));
  const row = (number: string, left: string, right: string, paint = (text: string) => text) => {
    const lefts = wrap(left, column, 2);
    const rights = wrap(right, column, 2);
    return Array.from({ length: Math.max(lefts.length, rights.length) }, (_, line) => {
      const head = (line === 0 ? number : "").padStart(numbers);
      return `  ${head}  ${paint(padEnd(lefts[line] ?? "", column))}  ${paint(rights[line] ?? "")}`;
    });
  };
  return [
    ...row("", one, other, style.dim),
    ...trace.slice(0, -1).flatMap((event, position) => row(String(position + 1), event, event)),
    ...row(String(trace.length), trace.at(-1) as string, last, style.bad),
  ];
}
