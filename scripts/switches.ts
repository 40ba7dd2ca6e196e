/** reports/switches.md: every row of reports/switches.ts, run without its commit and with it. */
import { resolve } from "node:path";
import type { Change, Switch } from "../reports/switches.js";
import { boundsOf, boundsText, changesText, faultsText } from "../src/report/bounds.js";
import { counted, grouped } from "../src/report/wrap.js";
import { packageRoot, type Session } from "../src/session/open.js";
import { runSuiteNow, type SuiteRun } from "../src/session/run-suite.js";

export interface Switched {
  readonly row: Switch;
  readonly without: SuiteRun;
  readonly with: SuiteRun;
}

/** The rows as the session's loader reads them. */
export function switchesOf({ load }: Loader): readonly Switch[] {
  return load(resolve(packageRoot(), "reports/switches.ts")).exports.switches as readonly Switch[];
}

interface Loader {
  load(file: string): { readonly exports: Record<string, unknown> };
}

/** Throws if there is no such suite. */
export function runSwitch(session: Session, row: Switch): Switched {
  const suite = session.suites.find(({ name }) => name === row.suite);
  if (suite === undefined) throw new Error(`reports/switches.ts: there is no suite ${row.suite}`);
  const run = (variant: Change) => runSuiteNow(session, suite, { variant });
  return { row, without: run(row.without), with: run(row.with) };
}

/** What is violated, of properties and checks. */
export function violatedIn({ outcome }: SuiteRun): string[] {
  return outcome.results.filter(({ verdict }) => verdict === "violated").map(({ check }) => check);
}

/** What a row claims and did not come out, in words; empty if all did. */
export function mistakes({ row, without, with: applied }: Switched): string[] {
  const where = `${row.commit} in ${row.suite}`;
  const isLeft = (check: string) => row.left?.red === check;
  return [
    ...(violatedIn(without).includes(row.red) ? [] : [`${where}: ${row.red} is not violated without it`]),
    ...(violatedIn(applied).includes(row.red) === isLeft(row.red) ? [] : [`${where}: ${row.red} with it is not as claimed`]),
    ...(row.left === undefined || violatedIn(applied).includes(row.left.red) ? [] : [`${where}: ${row.left.red} is not violated with it`]),
    ...(applied.outcome.end.kind === "complete" || row.left?.red === row.red ? [] : [`${where}: the run with it did not come to its end`]),
  ];
}

export function switchesPage(rows: readonly Switched[]): string {
  const lines = rows.map((switched) => {
    const { row, without, with: applied } = switched;
    const finding = without.outcome.findings
      .filter(({ check }) => check === row.red)
      .sort((one, other) => one.path.length - other.path.length)[0];
    const design = (run: SuiteRun) =>
      `\`${[run.suite.design.name, addedText(run), changesText(run.variant)].filter((text) => text !== "").join(", ")}\``;
    const withIt = [
      violatedIn(applied).includes(row.red) ? `${row.red} still violated` : `${row.red} holds`,
      `${grouped(applied.outcome.states)} states`,
      ...(row.left === undefined ? [] : [`${row.left.red} left: ${row.left.why}`]),
    ];
    return `| ${row.bug} | \`${row.commit}\` | \`${row.suite}\` | ${design(without)}: ${row.red} violated, ${counted(finding?.path.length ?? 0, "step")} | ${design(applied)}: ${withIt.join("; ")} | ${faultsText(boundsOf(applied.machine))}; ${boundsText(boundsOf(applied.machine))} |`;
  });
  return [
    "# What the switches of Linux 6.1 show",
    "",
    "Each commit is taken out of the design, or put into it, under one suite: red without it, green with it, and what it leaves red. Written by `npm run reports`; a test compares.",
    "",
    "| bug | commit | suite | without | with | bounds |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines,
    "",
  ].join("\n");
}

/** Commits that the suite's own design has beyond its version. */
function addedText({ suite }: SuiteRun): string {
  const added = suite.design.added ?? [];
  return added.length === 0 ? "" : `with ${added.join(" and ")}`;
}
