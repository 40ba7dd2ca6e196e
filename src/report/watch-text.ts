/** What `check --watch` prints, piece by piece. */
import type { Abstraction } from "../lang/design.js";
import { assumptionsOf } from "./assumptions.js";
import { suiteLines } from "./suite-text.js";
import { assumptionLines, sectionsText, summaryLines, type TextOptions, traceSections } from "./text.js";
import type { SuiteResult } from "./verdict.js";
import { counted, enumerate, hanging } from "./wrap.js";

/** What has been saved. */
export function changedText(files: readonly string[], { width, style }: TextOptions): string {
  return `${hanging("changed  ", enumerate(files), width).map(style.bold).join("\n")}\n`;
}

/** A suite's row, as soon as it has run; nothing for one that did not have to. */
export function resultText(result: SuiteResult, options: TextOptions): string {
  if (result.kind === "run" && result.run.isCached) return "";
  return suiteLines(result, options)
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** When all suites but the large ones have been told, of so many. */
export function soFarText(results: readonly SuiteResult[], all: number, options: TextOptions): string {
  const [summary = "", ...rest] = summaryLines(results, options);
  const more = `${counted(all - results.length, "large suite")} still at work`;
  return ["", ...hanging("so far  ", `${[summary, ...rest].join(" ")}; ${more}`, options.width), ""].map((line) => `${line}\n`).join("");
}

/** After the rows: how the suites came out, the assumptions if asked for, and the traces. */
export function checkedText(results: readonly SuiteResult[], abstractions: readonly Abstraction[] | null, options: TextOptions): string {
  const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
  const unchanged = runs.filter(({ isCached }) => isCached).length;
  const rest = unchanged === 0 ? [] : [`${counted(unchanged, "suite")} unchanged, from the cache`];
  return sectionsText([
    [...rest, ...summaryLines(results, options)],
    abstractions === null ? [] : assumptionLines(assumptionsOf(runs, abstractions), options),
    ...traceSections(runs, options),
  ]);
}
