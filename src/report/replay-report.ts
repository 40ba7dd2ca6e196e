/** The forms in which a path that was replayed can be printed. */

import type { ExitCode } from "../session/run-suite.js";
import { formatPath } from "../trace/replay.js";
import { lengthText } from "./because.js";
import { boundsOf, changesText, faultsText } from "./bounds.js";
import { claimText, reasonLines } from "./finding-text.js";
import { itfTrace } from "./itf.js";
import { type JsonHeader, type JsonReplay, jsonSteps, jsonText } from "./json.js";
import { mailFinding } from "./mail.js";
import { designText, prose, traceBlocks } from "./markdown.js";
import { NOTHING_VIOLATED, type Shown, type Subject } from "./shown.js";
import type { Look } from "./style.js";
import { traceLines } from "./trace-text.js";
import { hanging, joined } from "./wrap.js";

export const REPLAY_FORMATS = ["text", "json", "markdown", "mail", "itf"] as const;
export type ReplayFormat = (typeof REPLAY_FORMATS)[number];

export interface ReplayReported {
  readonly header: JsonHeader;
  readonly subject: Subject;
  readonly shown: Shown;
  readonly exitCode: ExitCode;
  readonly look: Look;
  /** The file the suite was read from, as given on the command line; null for the bundled ones. */
  readonly file: string | null;
}

export function replayReport(format: ReplayFormat, reported: ReplayReported): string {
  const { header, subject, shown, file } = reported;
  switch (format) {
    case "text":
      return replayText(reported);
    case "json":
      return jsonText(jsonReplay(reported));
    case "markdown":
      return `${[`# ${prose(subject.suite.name)}`, prose(designText(subject)), ...traceBlocks(subject, shown, file)].join("\n\n")}\n`;
    case "mail":
      return `${mailFinding(subject, shown, { file, version: header.version }).join("\n")}\n`;
    case "itf":
      return jsonText(itfTrace(subject, shown));
  }
}

function replayText({ subject, shown, look }: ReplayReported): string {
  const { suite, machine, variant } = subject;
  const changes = changesText(variant);
  const facts = [
    suite.name,
    `${suite.design.name} ${suite.design.version}${changes === "" ? "" : ` ${changes}`}`,
    faultsText(boundsOf(machine)),
    suite.scenario.describes,
    lengthText(machine, shown.trace.steps),
  ];
  const lines = [...joined("", facts, look.width), "", ...traceLines(machine, shown.trace, look), ""];
  for (const { finding, trace } of shown.findings) {
    lines.push(...hanging("VIOLATED  ", claimText(suite, finding), look.width).map(look.style.bad));
    const reason = suite.expected?.[finding.check]?.reason;
    if (reason !== undefined) lines.push(...hanging("expected  ", reason, look.width));
    lines.push(...reasonLines(machine, finding, trace, look), "");
  }
  if (shown.findings.length === 0) lines.push(...hanging("", NOTHING_VIOLATED, look.width));
  return `${lines.join("\n").trimEnd()}\n`;
}

function jsonReplay({ header, subject, shown, exitCode }: ReplayReported): JsonReplay {
  const { suite, machine, variant } = subject;
  return {
    ...header,
    suite: suite.name,
    revert: variant.revert ?? [],
    apply: variant.apply ?? [],
    bounds: boundsOf(machine),
    path: formatPath(shown.path),
    violated: shown.findings.map(({ finding: { check, isProperty, message, subject, location }, trace: { failing } }) => ({
      check,
      kind: isProperty ? "property" : "sanitizer",
      message,
      subject,
      location,
      failing,
    })),
    trace: jsonSteps(machine, shown.trace),
    exitCode,
  };
}
