/**
 * What of `reports` is derived from runs beside the ledger and the pages: the known bugs, what is safe to backport of their fixes,
 * the claims and the traces of the findings.
 * `npm run reports` writes it; with `-- --check` the exit code is 1 if something is not as it would be written.
 */
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { questions } from "../reports/backports/questions.js";
import { threads } from "../reports/claims/index.js";
import { systems as kinds, promises } from "../reports/promises.js";
import { runClaims } from "../src/cli/claims.js";
import { summaryOf } from "../src/report/claims.js";
import type { Ledger } from "../src/report/ledger.js";
import { bundledSuites, modelLoader, openWith, packageRoot } from "../src/session/open.js";
import { mistakesOf } from "../src/session/rediscovery.js";
import { answerOf, answerPage, pathOfAnswer } from "./backports.js";
import { claimsPage, pathOf as pathOfThread, systemsOf, threadPage } from "./claims.js";
import { bugPage, contextOf, corpusPage, pathOf, rediscover } from "./corpus.js";
import { withTraces } from "./findings.js";
import { promisesPage } from "./promises.js";

const root = packageRoot();
const isCheck = process.argv.includes("--check");
const bundled = openWith(modelLoader({ root, typecheck: false }), bundledSuites());
const { version } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as { version: string };

const context = contextOf(bundled, bundled.bugs);
const rediscoveries = bundled.switches.map((row) => rediscover(bundled, row));
for (const mistake of rediscoveries.flatMap(mistakesOf)) fail(mistake);
keep("reports/corpus.md", () => corpusPage(rediscoveries, context));
const shown = bundled.bugs.filter(({ id }) => rediscoveries.some(({ row }) => row.entry === id));
for (const bug of shown) {
  const rows = rediscoveries.filter(({ row }) => row.entry === bug.id);
  keep(join("reports", pathOf(bug)), () => bugPage(bug, rows, context));
}
keepOnly("corpus", shown.map(pathOf));
for (const question of questions) {
  const answer = await answerOf(bundled, question);
  keep(join("reports", pathOfAnswer(question)), () => answerPage(answer, bundled.bugs));
}
keepOnly("backports", questions.map(pathOfAnswer));
const { runs } = await runClaims(bundled, bundled.claims, { jobs: 1 });
for (const id of summaryOf(runs).notAsRecorded) fail(`claim ${id} is not as recorded`);
keep("reports/claims.md", () => claimsPage(runs, threads));
const systems = systemsOf(runs);
for (const system of systems) keep(join("reports", pathOfThread(system)), () => threadPage(runs, system, threads));
keepOnly("claims", systems.map(pathOfThread));
const ledger = JSON.parse(readFileSync(resolve(root, "reports/ledger.json"), "utf8")) as Ledger;
keep("reports/promises.md", () => promisesPage(bundled.suites, ledger, promises, kinds));
const findings = "reports/findings";
for (const page of readdirSync(resolve(root, findings)).sort()) {
  const path = join(findings, page);
  keep(path, () => withTraces(bundled, readFileSync(resolve(root, path), "utf8"), version));
}

/** Writes the page, or says that it is not as it would be. */
function keep(path: string, make: () => string): void {
  const place = resolve(root, path);
  const text = make();
  if (existsSync(place) && readFileSync(place, "utf8") === text) return;
  if (isCheck) {
    fail(`${path} is out of date: npm run reports`);
    return;
  }
  writeFileSync(place, text);
  console.log(`${path} written`);
}

/** Removes pages that are of nothing any more, or says that there are any. */
function keepOnly(folder: string, paths: readonly string[]): void {
  for (const page of readdirSync(resolve(root, "reports", folder)).filter((name) => name.endsWith(".md"))) {
    if (paths.includes(`${folder}/${page}`)) continue;
    if (isCheck) fail(`reports/${folder}/${page} is of nothing that is shown: npm run reports`);
    else rmSync(resolve(root, "reports", folder, page));
  }
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
