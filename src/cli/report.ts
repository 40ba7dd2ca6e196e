/** `iommu-mc report`: keeps a Markdown page of every suite in a folder. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { JsonReport } from "../report/json.js";
import { PAGE_MARK, pagesOf } from "../report/pages.js";
import { exitCodeOf, isWhole, suiteOf, worst } from "../report/verdict.js";
import { counted } from "../report/wrap.js";
import { modelLoader, packageRoot } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { runSuitesOnce } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { chosenSuites, isPath } from "./select.js";
import { print } from "./terminal.js";

export interface ReportOptions {
  readonly out?: string;
  readonly check?: boolean;
  readonly json?: boolean;
}

/**
 * `what` is a design's name, or the path of a file of suites. Exit code 1 if a suite is not as expected or, with
 * `--check`, if the folder is not as it would be written. Nothing is written of a run that did not come to its end.
 */
export async function report(what: string | undefined, options: ReportOptions): Promise<ExitCode> {
  const file = what !== undefined && isPath(what) ? what : undefined;
  if (what !== undefined && options.out === undefined) {
    throw new UsageError("no folder for the pages", "Give one: --out DIR. Only all bundled suites together have one of their own.");
  }
  const out = options.out ?? resolve(packageRoot(), "reports/pages");
  // Pages are the same whoever makes them: places in bundled models are given from the package's folder.
  const { session, suites } = chosenSuites(what, {}, {}, modelLoader(file === undefined ? { root: packageRoot() } : {}));
  const results = await runSuitesOnce(session, suites, {});
  const failed = results.find((result) => result.kind === "error");
  if (failed?.kind === "error") throw failed.error;
  const codes = results.map((result) => exitCodeOf(result) || (isWhole(result) ? 0 : 3));
  const code = worst(codes);
  const isComplete = code !== 2 && results.every(isWhole);
  const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
  const pages = pagesOf(runs, { abstractions: session.abstractions, file: file ?? null });
  const found = isComplete ? differences(out, pages) : { stale: [], surplus: [] };
  const differs = found.stale.length + found.surplus.length > 0;
  if (isComplete && !options.check) write(out, pages, found);
  const exitCode = options.check && differs && isComplete ? 1 : code;
  process.exitCode = exitCode;
  const off = results.flatMap((result, position) => (codes[position] === 0 ? [] : [suiteOf(result).name]));
  const document: JsonReport = {
    ...headerOf("report"),
    out,
    pages: [...pages.keys()],
    ...found,
    written: isComplete && !options.check,
    notAsExpected: off,
    exitCode,
  };
  await print(options.json ? jsonText(document) : textOf(document, isComplete));
  return exitCode;
}

interface Differences {
  /** Pages that are missing or other than they would be written. */
  readonly stale: readonly string[];
  /** Pages of suites that are no longer there. */
  readonly surplus: readonly string[];
}

function differences(out: string, pages: ReadonlyMap<string, string>): Differences {
  const stale = [...pages].filter(([path, text]) => {
    const place = join(out, path);
    if (!existsSync(place)) return true;
    const before = readFileSync(place, "utf8");
    if (!isOurs(before)) throw new UsageError(`${place} is a page of somebody else's`, "Choose another folder, or move it away.");
    return before !== text;
  });
  const surplus = existsSync(out) ? ourPages(out).filter((path) => !pages.has(path)) : [];
  return { stale: stale.map(([path]) => path), surplus };
}

function ourPages(out: string): string[] {
  return readdirSync(out, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => isOurs(readFileSync(path, "utf8")))
    .map((path) => relative(out, path).split(sep).join("/"))
    .sort();
}

function isOurs(text: string): boolean {
  return text.startsWith(PAGE_MARK);
}

function write(out: string, pages: ReadonlyMap<string, string>, { stale, surplus }: Differences): void {
  for (const path of stale) {
    const place = join(out, path);
    mkdirSync(dirname(place), { recursive: true });
    writeFileSync(place, pages.get(path) as string);
  }
  for (const path of surplus) rmSync(join(out, path));
}

function textOf({ out, pages, stale, surplus, written, notAsExpected }: JsonReport, isComplete: boolean): string {
  const lines: string[] = [];
  if (!isComplete) lines.push("nothing is written of a run that did not come to its end");
  else if (stale.length + surplus.length === 0) lines.push(`${out}: ${counted(pages.length, "page")}, all as they were`);
  else {
    lines.push(written ? `${out}: ${counted(pages.length, "page")}` : `${out} is out of date; write it anew without --check`);
    lines.push(
      ...stale.map((path) => `  ${written ? "written" : "stale"}  ${path}`),
      ...surplus.map((path) => `  ${written ? "removed" : "of no suite"}  ${path}`),
    );
  }
  if (notAsExpected.length > 0) lines.push(`not as expected: ${notAsExpected.join(", ")}`);
  return `${lines.join("\n")}\n`;
}
