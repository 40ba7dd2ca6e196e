/**
 * What was found, to be pasted into a mail or a commit message: ASCII lines of at most 72 columns. Only the title
 * begins in the first column, so that no line is taken for a comment, a trailer, a signature or a patch by the tools
 * such texts pass through, and every step of a trace says its number and its thread, since replies cut.
 */
import { asciiCommand, asciiLines, asciiOf } from "./ascii.js";
import { lengthText } from "./because.js";
import { boundsOf, boundsText, changesText, faultsText, objectsText } from "./bounds.js";
import { replayWords } from "./command.js";
import { claimText, reasons } from "./finding-text.js";
import { howLong } from "./omission.js";
import { checksOf, chosenPlaces, NOTHING_VIOLATED, placesOf, type Shown, type Subject, type TracesShown } from "./shown.js";
import { plain } from "./style.js";
import { suiteLines } from "./suite-text.js";
import { type StepRows, stepRows } from "./trace-rows.js";
import type { SuiteResult } from "./verdict.js";
import { enumerate } from "./wrap.js";

export const MAIL_WIDTH = 72;
const INDENT = "  ";
/** Column where what is said under a head begins. */
const HEAD = 12;

export interface MailOptions {
  readonly traces: TracesShown;
  /** The file the suites were read from, as given on the command line; null for the bundled ones. */
  readonly file: string | null;
  /** Of the checker. */
  readonly version: string;
}

/** The traces that `options.traces` asks for, then what was checked. Ends with a line break. */
export function mailReport(results: readonly SuiteResult[], options: MailOptions): string {
  const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
  const places = chosenPlaces(placesOf(runs), options.traces);
  const sections = places.map(({ run, shown }) => mailFinding(run, shown, options, howLong(run)));
  const title = asciiLines(`iommu-mc ${options.version}: what was checked`, MAIL_WIDTH, INDENT.length);
  const rows = results.flatMap((result) => suiteLines(result, { width: MAIL_WIDTH - INDENT.length, style: plain }));
  sections.push([...title, "", ...rows.flatMap((row) => rowLines(row))]);
  return `${sections.map((lines) => lines.join("\n")).join("\n\n\n")}\n`;
}

/** Lines of a report that was made for people, in ASCII, with the indentation they have. */
function rowLines(row: string): string[] {
  const own = row.length - row.trimStart().length;
  return asciiLines(INDENT + row, MAIL_WIDTH, INDENT.length + own);
}

/** One path and what is violated at its end; `kind` says of it what is known, `shortest` say. */
export function mailFinding(subject: Subject, shown: Shown, options: Omit<MailOptions, "traces">, kind?: string): string[] {
  const { suite, variant, machine } = subject;
  const bounds = boundsOf(machine);
  const changes = changesText(variant);
  const violated = shown.findings.length === 0 ? `a path of ${suite.name}` : `${enumerate(checksOf(shown))} violated in ${suite.name}`;
  const lines = [...asciiLines(`iommu-mc ${options.version}: ${violated}`, MAIL_WIDTH, INDENT.length), ""];
  for (const { finding } of shown.findings) lines.push(...under(INDENT, claimText(suite, finding), INDENT.length + 4));
  if (shown.findings.length === 0) lines.push(...under(INDENT, NOTHING_VIOLATED, INDENT.length));
  lines.push("");
  const { design, scenario } = suite;
  const facts: [string, string][] = [
    ["design", `${design.name} ${design.version}${changes === "" ? "" : `, ${changes}`}`],
    ["machine", scenario.setting ?? objectsText(bounds)],
    ["scenario", scenario.describes],
    ["bounds", `${faultsText(bounds)}; ${boundsText(bounds)}`],
    ["trace", `${lengthText(machine, shown.trace.steps)}${kind === undefined ? "" : `, ${kind}`}; * is what a step changed`],
  ];
  for (const check of checksOf(shown)) {
    const reason = suite.expected?.[check]?.reason;
    if (reason !== undefined) facts.push(["expected", `${check}: ${reason}`]);
  }
  for (const [head, text] of facts) if (text !== "") lines.push(...headed(head, text));
  lines.push("", ...mailTrace(subject, shown.trace), "");
  for (const { finding, trace } of shown.findings) {
    for (const [head, text] of reasons(machine, finding, trace)) lines.push(...headed(head, text));
  }
  lines.push("", `${INDENT}replay with`);
  const command = asciiCommand(replayWords(suite.name, shown.path, variant, options.file), MAIL_WIDTH - 2 * INDENT.length);
  return [...lines, ...command.map((line, number) => (isInsideWord(command, number) ? "" : INDENT + INDENT) + line)];
}

/** Whether a line of a command goes on with the word of the line before, to which no space may be added. */
function isInsideWord(command: readonly string[], number: number): boolean {
  return number > 0 && !(command[number - 1] as string).endsWith(" \\");
}

function under(head: string, text: string, hang: number): string[] {
  return asciiLines(head + text, MAIL_WIDTH, hang);
}

function headed(head: string, text: string): string[] {
  return under(`${INDENT}${head.padEnd(HEAD - INDENT.length)}`, text, HEAD);
}

/** Columns left for a call, however deep it is nested. */
const LEAST_ROOM = 36;

interface Plan {
  /** Width of the threads' names; 0 if there is but one. */
  readonly names: number;
  readonly indent: number;
  readonly deepest: number;
}

/** The steps, each with its number, its thread if there are several, its calls, its changes (`*`) and its place in the model. */
export function mailTrace({ machine }: Pick<Subject, "machine">, trace: Parameters<typeof stepRows>[1]): string[] {
  const steps = stepRows(machine, trace);
  const nameOf = ({ thread }: StepRows) => asciiOf(machine.names.threads[thread] as string);
  const isAlone = new Set(steps.map(({ thread }) => thread)).size < 2;
  const names = isAlone ? 0 : Math.min(12, Math.max(...steps.map((step) => nameOf(step).length)));
  const room = MAIL_WIDTH - headOf(0, "", names).length - LEAST_ROOM;
  const depth = Math.max(0, ...steps.flatMap(({ rows }) => rows.map((row) => row.depth)));
  const indent = 2 * depth <= room ? 2 : 1;
  const plan: Plan = { names, indent, deepest: Math.floor(room / indent) };
  return steps.flatMap((step) => stepLines(step, nameOf(step), plan));
}

function headOf(number: number, name: string, names: number): string {
  const shownName = names === 0 ? "" : `${name.slice(0, names).padEnd(names)}  `;
  return `${INDENT}${number === 0 ? "  " : String(number).padStart(2)}  ${shownName}`;
}

function stepLines(step: StepRows, name: string, { names, indent, deepest }: Plan): string[] {
  const first = headOf(step.number, name, names);
  const rest = " ".repeat(first.length);
  const lines: string[] = [];
  const add = (column: number, text: string, hang: number) => {
    const before = (lines.length === 0 ? first : rest) + " ".repeat(column);
    lines.push(...asciiLines(before + text, MAIL_WIDTH, before.length + hang));
  };
  for (const { depth, text, aside } of step.rows) {
    const column = Math.min(depth, deepest) * indent;
    const whole = aside === undefined ? text : `${text}  ${aside}`;
    add(column, rest.length + column + whole.length <= MAIL_WIDTH ? whole : text, 4);
  }
  const column = Math.min(step.rows[0]?.depth ?? 0, deepest) * indent;
  for (const note of step.notes) add(column, `* ${note}`, 2);
  return placed(lines, asciiOf(step.place), rest.length + column);
}

/** With the place at the right of the first line, or below if there is no room. */
function placed([first = "", ...rest]: readonly string[], place: string, column: number): string[] {
  if (place === "") return [first, ...rest];
  if (first.length + 2 + place.length <= MAIL_WIDTH) return [first.padEnd(MAIL_WIDTH - place.length) + place, ...rest];
  return [first, ...rest, ...asciiLines(`${" ".repeat(column)}* at ${place}`, MAIL_WIDTH, column + 2)];
}
