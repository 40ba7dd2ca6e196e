/** One finding: the sentence that is violated, its trace, what shows it, and how to see it again. */
import type { Finding } from "../explore/outcome.js";
import type { Suite } from "../lang/suite.js";
import type { SuiteRun } from "../session/run-suite.js";
import type { Machine, Variant } from "../step/machine.js";
import { formatPath, type Trace } from "../trace/replay.js";
import { becauseTexts, freedTexts, lengthText } from "./because.js";
import { replayCommand } from "./command.js";
import type { Look } from "./style.js";
import { traceLines } from "./trace-text.js";
import { hanging } from "./wrap.js";

/** `C1 every device is on the group's domain`, or the check's own message. */
export function claimText(suite: Suite, { check, message, isProperty }: Pick<Finding, "check" | "message" | "isProperty">): string {
  const property = isProperty ? suite.properties.find(({ code }) => code === check) : undefined;
  return property ? `${check}  ${property.sentence}` : `${check}  ${message}`;
}

/** Findings that one path shows, most specific last: a report of a step, say, and the property that fails after it. */
export interface Shown {
  readonly findings: readonly { readonly finding: Finding; readonly trace: Trace }[];
  readonly path: readonly number[];
}

/** Findings with the same path together, in the order of the first of each. */
export function byPath(traces: SuiteRun["traces"]): Shown[] {
  const paths = new Map<string, { finding: Finding; trace: Trace }[]>();
  for (const found of traces) {
    const key = formatPath(found.finding.path);
    paths.set(key, [...(paths.get(key) ?? []), found]);
  }
  return [...paths.values()].map((findings) => ({ findings, path: findings[0]?.finding.path ?? [] }));
}

/** The trace, with what is violated before it and why after it. */
export function shownLines(run: SuiteRun, { findings, path }: Shown, file: string | null, look: Look): string[] {
  const { machine, suite, variant } = run;
  const { style, width } = look;
  const [first] = findings;
  if (first === undefined) return [];
  const lines = findings.flatMap(({ finding }) => {
    const [head, ...rest] = hanging("VIOLATED  ", claimText(suite, finding), width);
    return [style.bad(head as string), ...rest];
  });
  lines.push(...hanging("  ", `${suite.name}: ${lengthText(machine, first.trace.steps)}, shortest`, width), "");
  lines.push(...traceLines(machine, first.trace, look), "");
  for (const { finding, trace } of findings) lines.push(...reasonLines(machine, finding, trace, look));
  lines.push(...commandLines(suite.name, path, variant, file));
  return lines;
}

/** Unbroken, so that it can be copied. */
function commandLines(suite: string, path: readonly number[], variant: Variant, file: string | null): string[] {
  return [`replay    ${replayCommand(suite, path, variant, file)}`];
}

/** What is not so in the last state, with the values that show it. */
export function reasonLines(
  machine: Machine,
  finding: Pick<Finding, "check" | "subject" | "message" | "isProperty" | "location">,
  trace: Trace,
  { width, style }: Look,
): string[] {
  const sentence = machine.properties.find(({ code }) => finding.isProperty && code === finding.check)?.sentence;
  const lines: string[] = [];
  const add = (head: string, text: string) => {
    const [first, ...rest] = hanging(head.padEnd(10), text, width);
    lines.push(style.bold(first as string), ...rest);
  };
  const about = finding.subject === null ? finding.check : `${finding.check} for ${finding.subject}`;
  if (finding.isProperty) {
    // A property without named parts has nothing to say beyond its sentence, which stands above.
    const what = trace.failing.length > 0 ? trace.failing.join("; ") : finding.message === sentence ? "" : finding.message;
    add("not so", what === "" ? about : `${about}: ${what}`);
  }
  const values = becauseTexts(machine, trace);
  if (values.length > 0) add("because", values.join(", "));
  const freed = freedTexts(machine, trace);
  if (freed.length > 0) add("freed", freed.join(", "));
  if (finding.location) add("where", `${finding.check} at ${finding.location.file}:${finding.location.line}`);
  return lines;
}
