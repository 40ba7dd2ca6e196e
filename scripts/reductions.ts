/**
 * npm run reductions -- [--least STATES] [--most STATES]: what each reduction leaves of the states of the bundled suites of that size, as a
 * table in Markdown. Every suite is explored five times, and has to come out the same: verdicts, what is found where, order of locks.
 * Exit code 1 if one does not.
 */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual, parseArgs } from "node:util";
import { ALL_REDUCTIONS, type Reductions } from "../src/explore/reduced.js";
import type { Ledger } from "../src/report/ledger.js";
import { bundledSuites, openSuites, packageRoot } from "../src/session/open.js";
import { runSuiteNow, type SuiteRun } from "../src/session/run-suite.js";

const { values } = parseArgs({ options: { least: { type: "string", default: "2000" }, most: { type: "string", default: "1000000" } } });
const [least, most] = [Number(values.least), Number(values.most)];
if (!Number.isSafeInteger(least) || !Number.isSafeInteger(most)) {
  console.error("usage: npm run reductions -- [--least STATES] [--most STATES]");
  process.exit(2);
}

const WAYS: readonly (Reductions | undefined)[] = [
  undefined,
  { fusion: true, symmetry: false, clearing: false },
  { fusion: false, symmetry: true, clearing: false },
  { fusion: false, symmetry: false, clearing: true },
  ALL_REDUCTIONS,
];

const ledger = JSON.parse(readFileSync(join(packageRoot(), "reports/ledger.json"), "utf8")) as Ledger;
const session = openSuites(bundledSuites(), { typecheck: false });
const sums = WAYS.map(() => 0);
let suites = 0;
console.log("| suite | states | fusion | symmetry | clearing | all three | interchangeable |");
console.log("| --- | --- | --- | --- | --- | --- | --- |");
for (const suite of session.suites) {
  const { states = 0 } = ledger[suite.name] ?? {};
  if (states <= least || states > most) continue;
  const runs = WAYS.map((reduce) => runSuiteNow(session, suite, reduce === undefined ? {} : { reduce }));
  const [plain] = runs as [SuiteRun];
  if (!runs.every((run) => isDeepStrictEqual(outcomeOf(run), outcomeOf(plain)))) {
    console.log(`${suite.name} comes out otherwise`);
    process.exitCode = 1;
  }
  suites++;
  for (const [way, { outcome }] of runs.entries()) sums[way] = (sums[way] as number) + outcome.states;
  console.log(`| ${[suite.name, ...runs.map(({ outcome }) => outcome.states), interchangeable(runs.at(-1) as SuiteRun)].join(" | ")} |`);
}
console.log(`| ${[`${suites} suites`, ...sums, ""].join(" | ")} |`);

function outcomeOf({ comparisons, outcome }: SuiteRun) {
  const { findings, lockOrder } = outcome;
  return {
    comparisons,
    findings: findings.map(({ check, depth, location }) => [check, depth, location]),
    lockOrder: lockOrder.map(({ held, taken }) => [held, taken]),
  };
}

function interchangeable({ outcome: { reduction } }: SuiteRun): string {
  if (reduction?.kind !== "reduced") return reduction?.because ?? "";
  const { interchangeable, lost } = reduction.symmetry ?? { interchangeable: [], lost: [] };
  return [...interchangeable, ...lost.map(({ what, because }) => `not ${what}: ${because}`)].join("; ");
}
