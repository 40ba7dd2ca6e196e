/** One finding: the sentence that is violated, its trace, what shows it, and how to see it again. */
import type { Finding } from "../explore/outcome.js";
import type { Suite } from "../lang/suite.js";
import type { SuiteRun } from "../session/run-suite.js";
import type { Machine } from "../step/machine.js";
import type { Trace } from "../trace/replay.js";
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

export function findingLines(run: SuiteRun, finding: Finding, trace: Trace, file: string | null, look: Look): string[] {
  const { machine, suite, variant } = run;
  const { style, width } = look;
  const [first, ...rest] = hanging("VIOLATED  ", claimText(suite, finding), width);
  const lines = [style.bad(first as string), ...rest];
  lines.push(...hanging("  ", `${suite.name}: ${lengthText(machine, trace.steps)}, shortest`, width), "");
  lines.push(...traceLines(machine, trace, look), "");
  lines.push(...reasonLines(machine, finding, trace, look));
  lines.push(`replay    ${replayCommand(suite.name, finding.path, variant, file)}`);
  return lines;
}

/** What is not so in the last state, with the values that show it. */
export function reasonLines(
  machine: Machine,
  finding: Pick<Finding, "subject" | "message" | "isProperty" | "location">,
  trace: Trace,
  { width, style }: Look,
): string[] {
  const lines: string[] = [];
  const add = (head: string, text: string) => {
    const [first, ...rest] = hanging(head.padEnd(10), text, width);
    lines.push(style.bold(first as string), ...rest);
  };
  const subject = finding.subject === null ? "" : `for ${finding.subject}: `;
  if (trace.failing.length > 0) add("not so", `${subject}${trace.failing.join("; ")}`);
  else add(finding.isProperty ? "not so" : "found", `${subject}${finding.message}`);
  const values = becauseTexts(machine, trace);
  if (values.length > 0) add("because", values.join(", "));
  const freed = freedTexts(machine, trace);
  if (freed.length > 0) add("freed", freed.join(", "));
  if (finding.location) add("where", `${finding.location.file}:${finding.location.line}`);
  return lines;
}
