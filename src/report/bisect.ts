/** Which commit it was that broke something: as text and as JSON. */
import type { Tested, Toggle } from "../session/bisect.js";
import type { Introduced } from "../session/commit-sets.js";
import type { ExitCode } from "../session/run-suite.js";
import type { JsonHeader } from "./json.js";
import type { Look } from "./style.js";
import { counted, hanging } from "./wrap.js";

export interface JsonBisect extends JsonHeader {
  readonly suite: string;
  /** The only property or check that was looked at, or null. */
  readonly property: string | null;
  /** The two sets as they were named. */
  readonly good: string;
  readonly bad: string;
  /** What leads from one to the other, one after the other. */
  readonly way: readonly JsonToggle[];
  /** What was tested, in that order: the set after so many of the way. */
  readonly tested: readonly { readonly after: number; readonly is: Tested; readonly why: string }[];
  /** The first bad commit, if it is known. */
  readonly first: JsonToggle | null;
  /** Those that may be it: one, unless sets between could not be tested; none if there is nothing to find. */
  readonly candidates: readonly JsonToggle[];
  /** What is violated from the first bad commit on. */
  readonly introduced: readonly Introduced[];
  /** The command that shows it, or null. */
  readonly replay: string | null;
  /** Runs it took. */
  readonly checks: number;
  readonly exitCode: ExitCode;
}

export interface JsonToggle extends Toggle {
  readonly subject: string;
}

export function bisectText(document: JsonBisect, { style, width }: Look): string {
  const { good, bad, suite, property, way, tested, first, candidates, introduced } = document;
  const lines = [
    ...hanging(
      "",
      `bisect: ${counted(way.length, "commit")} between ${good} and ${bad}, under ${suite}${property === null ? "" : `, ${property}`}`,
      width,
    ),
    "",
    ...tested.flatMap(({ after, is, why }) => hanging(`  ${is.padEnd(6)}after ${after} of ${way.length}  `, why, width)),
    "",
  ];
  if (first !== null)
    lines.push(
      style.bold(`${first.sha} is the first bad commit${first.change === "reverted" ? ": taking it out" : ""}`),
      `  ${first.subject}`,
    );
  else if (candidates.length > 0) {
    lines.push(
      "one of these is the first bad commit; what is between them cannot be tested",
      ...candidates.map(({ sha, subject, change }) => `  ${sha} ${change}: ${subject}`),
    );
  } else
    lines.push(
      style.bad(tested[0]?.is === "good" ? `${bad} is not bad: there is nothing to find` : `${good} is not good: there is nothing to find`),
    );
  for (const { check, steps } of introduced)
    lines.push(style.bad(`  VIOLATED  ${check}${steps === null ? "" : `, ${counted(steps, "step")}`}`));
  if (document.replay !== null) lines.push(`  ${document.replay}`);
  lines.push("", counted(document.checks, "run"));
  return `${lines.join("\n")}\n`;
}
