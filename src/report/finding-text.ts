/** One finding: the sentence that is violated, its trace, what shows it, and how to see it again. */
import type { Finding } from "../explore/outcome.js";
import type { Suite } from "../lang/suite.js";
import type { Machine, Variant } from "../step/machine.js";
import type { Trace } from "../trace/replay.js";
import { becauseTexts, freedTexts, lengthText } from "./because.js";
import { replayCommand } from "./command.js";
import type { Shown, Subject } from "./shown.js";
import type { Look } from "./style.js";
import { traceLines } from "./trace-text.js";
import { hanging } from "./wrap.js";

/** `C1 every device is on the group's domain`, or the check's own message. */
export function claimText(suite: Suite, { check, message, isProperty }: Pick<Finding, "check" | "message" | "isProperty">): string {
  const property = isProperty ? suite.properties.find(({ code }) => code === check) : undefined;
  return property ? `${check}  ${property.sentence}` : `${check}  ${message}`;
}

/** The trace, with what is violated before it and why after it. `how` says what is known of its length. */
export function shownLines(
  { machine, suite, variant }: Subject,
  { findings, path, trace }: Shown,
  file: string | null,
  look: Look,
  how = "shortest",
): string[] {
  const { style, width } = look;
  const lines = findings.flatMap(({ finding }) => {
    const [head, ...rest] = hanging("VIOLATED  ", claimText(suite, finding), width);
    return [style.bad(head as string), ...rest];
  });
  lines.push(...hanging("  ", `${suite.name}: ${lengthText(machine, trace.steps)}, ${how}`, width), "");
  lines.push(...traceLines(machine, trace, look), "");
  for (const found of findings) lines.push(...reasonLines(machine, found.finding, found.trace, look));
  lines.push(...commandLines(suite.name, path, variant, file));
  return lines;
}

/** Unbroken, so that it can be copied. */
function commandLines(suite: string, path: readonly number[], variant: Variant, file: string | null): string[] {
  return [`replay    ${replayCommand(suite, path, variant, file)}`];
}

/** What is not so in the last state, with the values that show it. */
export function reasonLines(machine: Machine, finding: Reasoned, trace: Trace, { width, style }: Look): string[] {
  return reasons(machine, finding, trace).flatMap(([head, text]) => {
    const [first, ...rest] = hanging(head.padEnd(10), text, width);
    return [style.bold(first as string), ...rest];
  });
}

type Reasoned = Pick<Finding, "check" | "subject" | "message" | "isProperty" | "location">;

/** The same as pairs of a head and a text: `["because", "group0.domain = dom2"]`. */
export function reasons(machine: Machine, finding: Reasoned, trace: Trace): [head: string, text: string][] {
  const sentence = machine.properties.find(({ code }) => finding.isProperty && code === finding.check)?.sentence;
  const told: [string, string][] = [];
  const about = finding.subject === null ? finding.check : `${finding.check} for ${finding.subject}`;
  if (finding.isProperty) {
    // A property without named parts has nothing to say beyond its sentence, which stands above.
    const what = trace.failing.length > 0 ? trace.failing.join("; ") : finding.message === sentence ? "" : finding.message;
    told.push(["not so", what === "" ? about : `${about}: ${what}`]);
  }
  if (!finding.isProperty && finding.subject !== null) told.push(["which", finding.subject]);
  const values = becauseTexts(machine, trace);
  if (values.length > 0) told.push(["because", values.join(", ")]);
  const freed = freedTexts(machine, trace);
  if (freed.length > 0) told.push(["freed", freed.join(", ")]);
  if (finding.location) told.push(["where", `${finding.check} at ${finding.location.file}:${finding.location.line}`]);
  return told;
}
