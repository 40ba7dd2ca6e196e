/**
 * What of `reports` is derived from runs beside the ledger and the pages: the table of switches and the traces of the findings.
 * `npm run reports` writes it; with `-- --check` the exit code is 1 if something is not as it would be written.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Suite } from "../src/lang/suite.js";
import { bundledSuites, modelLoader, packageRoot, session } from "../src/session/open.js";
import { withTraces } from "./findings.js";
import { mistakes, runSwitch, switchesOf, switchesPage } from "./switches.js";

const root = packageRoot();
const isCheck = process.argv.includes("--check");
const loader = modelLoader({ root, typecheck: false });
const bundled = session(loader.load(bundledSuites()).exports.suites as Suite[], loader);
const { version } = JSON.parse(readFileSync(resolve(root, "package.json"), "utf8")) as { version: string };

const rows = switchesOf(loader).map((row) => runSwitch(bundled, row));
for (const mistake of rows.flatMap(mistakes)) fail(mistake);
keep("reports/switches.md", () => switchesPage(rows));
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

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
