/** Workflow commands that GitHub turns into annotations of the model's source lines. */
import type { Location } from "../lang/errors.js";
import { changesText } from "./bounds.js";
import { replayCommand } from "./command.js";
import { claimText, reasons } from "./finding-text.js";
import { isLossy, omissionText } from "./omission.js";
import { placeOfFinding } from "./place.js";
import { placesOf, UNTRACED } from "./shown.js";
import type { SuiteResult } from "./verdict.js";
import { counted } from "./wrap.js";

type Level = "error" | "warning" | "notice";

/** One line for each finding, and one for each suite of which a check is not decided. An expected violation is a notice. Empty if there is nothing to say. */
export function githubReport(results: readonly SuiteResult[], file: string | null): string {
  const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
  const lines = placesOf(runs).flatMap(({ run, shown }) =>
    shown.findings.map(({ finding, trace }) => {
      const reason = run.suite.expected?.[finding.check]?.reason;
      const changes = changesText(run.variant);
      const message = [
        claimText(run.suite, finding),
        ...(reason === undefined ? [] : [`expected: ${reason}`]),
        `${run.suite.design.name} ${run.suite.design.version}${changes === "" ? "" : ` ${changes}`}, ${counted(finding.depth, "step")}`,
        ...reasons(run.machine, finding, trace).map(([head, text]) => `${head}: ${text}`),
        replayCommand(run.suite.name, shown.path, run.variant, file),
      ];
      const title = `${finding.check} violated in ${run.suite.name}`;
      const place = placeProperties(placeOfFinding(finding, trace));
      return command(reason === undefined ? "error" : "notice", { ...place, title }, message.join("\n"));
    }),
  );
  return [...lines, ...results.flatMap(undecided)].map((line) => `${line}\n`).join("");
}

/** What is not as it should be although nothing was found. */
function undecided(result: SuiteResult): string[] {
  if (result.kind === "not-run") return [command("warning", { title: `${result.suite.name} was not run` }, "interrupted before its turn")];
  if (result.kind === "error") {
    const { location, message, hint } = result.error;
    const place = placeProperties(location ?? null);
    return [command("error", { ...place, title: `the model of ${result.suite.name} is at fault` }, `${message}\n${hint}`)];
  }
  const { suite, comparisons, outcome } = result.run;
  const off = comparisons.filter(({ asExpected, verdict }) => !asExpected && verdict !== "violated");
  const lines = off
    .filter(({ verdict }) => verdict === "vacuous" || verdict === "holds")
    .map(({ check, verdict, expectedBecause }) => {
      const told =
        verdict === "vacuous" ? "vacuous: nothing was ever put to the test" : `held, but expected to be violated: ${expectedBecause}`;
      return command("error", { title: `${check} in ${suite.name}` }, told);
    });
  for (const check of outcome.untraced) {
    const isExpected = comparisons.some((comparison) => comparison.check === check && comparison.asExpected);
    lines.push(command(isExpected ? "notice" : "error", { title: `${check} violated in ${suite.name}` }, UNTRACED));
  }
  const unfinished = (why: string) => command("warning", { title: `${suite.name} is not finished` }, why);
  if (outcome.end.kind === "limit") lines.push(unfinished("a limit was hit; what lies beyond it is not known"));
  if (outcome.omission !== null && isLossy(result.run)) lines.push(unfinished(omissionText(outcome.omission)));
  return lines;
}

function placeProperties(place: Location | null): Readonly<Record<string, string | number>> {
  return place === null ? {} : { file: place.file, line: place.line, col: place.column };
}

function command(level: Level, properties: Readonly<Record<string, string | number>>, message: string): string {
  const told = Object.entries(properties).map(([name, value]) => `${name}=${escapedProperty(String(value))}`);
  return `::${level} ${told.join(",")}::${escaped(message)}`;
}

function escaped(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapedProperty(text: string): string {
  return escaped(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
