/** What a series of patches, or fixes to be taken back, do to a design: as text and as JSON. */
import type { Design } from "../lang/design.js";
import type { Introduced } from "../session/commit-sets.js";
import type { ExitCode } from "../session/run-suite.js";
import { quoted } from "./command.js";
import type { JsonHeader } from "./json.js";
import type { Look } from "./style.js";
import { counted, enumerate, hanging } from "./wrap.js";

/** What was saved: suites are run once for all sets of commits that they cannot tell apart. */
export interface JsonEffort {
  /** Sets of commits that make sense. */
  readonly sets: number;
  readonly suites: number;
  /** Runs it took, of `sets` × `suites`. */
  readonly checks: number;
}

export interface JsonSetHead extends JsonHeader {
  readonly design: string;
  readonly version: string;
  readonly revert: readonly string[];
  readonly apply: readonly string[];
  readonly suites: readonly string[];
  readonly effort: JsonEffort;
  readonly unfinished: boolean;
  readonly exitCode: ExitCode;
}

export interface JsonPatch {
  readonly sha: string;
  readonly subject: string;
}

export interface JsonPrefix extends JsonPatch {
  /** A commit of the prefix that needs another, which is not in it yet; null if the prefix makes sense. */
  readonly lacking: { readonly sha: string; readonly needs: string } | null;
  /** What was not violated before this patch. */
  readonly introduced: readonly Introduced[];
  readonly mended: readonly { readonly suite: string; readonly check: string }[];
}

export interface JsonSeries extends JsonSetHead {
  readonly prefixes: readonly JsonPrefix[];
  /** The fewest patches of the series that introduce a violation by themselves, if some prefix does. */
  readonly smallest: { readonly commits: readonly string[]; readonly introduced: readonly Introduced[] } | null;
}

export interface JsonBackports extends JsonSetHead {
  readonly fixes: readonly JsonFix[];
  readonly subsets: readonly JsonSubset[];
}

export interface JsonFix extends JsonPatch {
  /** The other fixes that every safe set with this one has; null if it is in none. */
  readonly needs: readonly string[] | null;
  /** The smallest safe set that it is in, itself included. */
  readonly smallest: readonly string[] | null;
}

export interface JsonSubset {
  readonly commits: readonly string[];
  readonly safe: boolean;
  readonly lacking: { readonly sha: string; readonly needs: string } | null;
  /** What is violated with these fixes and not without them. */
  readonly introduced: readonly Introduced[];
}

export function patchesOf({ commits }: Design, shas: readonly string[]): JsonPatch[] {
  return shas.map((sha) => ({ sha, subject: commits[sha]?.subject ?? "" }));
}

export function seriesText(document: JsonSeries, file: string | null, look: Look): string {
  const { style, width } = look;
  const lines = [headText(document, `${counted(document.prefixes.length, "patch", "patches")}`), ""];
  for (const [position, prefix] of document.prefixes.entries()) {
    const { sha, subject, lacking, introduced, mended } = prefix;
    lines.push(style.bold(`${String(position + 1).padStart(3)}  ${sha} ${subject}`));
    const soFar = document.prefixes.slice(0, position + 1).map((each) => each.sha);
    if (lacking !== null) lines.push(...bad("     ", lackingText(lacking), look));
    else if (introduced.length === 0) lines.push(`     ${style.good("keeps what held")}`);
    for (const each of introduced) lines.push(...introducedLines("     ", each, document, soFar, file, look));
    if (mended.length > 0) {
      const checks = (suite: string) => mended.filter((each) => each.suite === suite).map(({ check }) => check);
      const texts = [...new Set(mended.map(({ suite }) => suite))].map((suite) => `${checks(suite).join(", ")} in ${suite}`);
      lines.push(...hanging("     mends ", texts.join("; "), width));
    }
  }
  if (document.smallest !== null) {
    const { commits, introduced } = document.smallest;
    lines.push("", ...hanging("fewest that break something: ", commits.join(" "), width));
    for (const each of introduced) lines.push(...introducedLines("     ", each, document, commits, file, look));
  }
  return `${[...lines, "", ...endLines(document)].join("\n")}\n`;
}

export function backportsText(document: JsonBackports, file: string | null, look: Look): string {
  const { style, width } = look;
  const lines = [headText(document, counted(document.fixes.length, "fix", "fixes")), ""];
  for (const { sha, subject, needs, smallest } of document.fixes) {
    lines.push(style.bold(`${sha} ${subject}`));
    if (needs === null || smallest === null) lines.push(...bad("     ", "is in no safe set", look));
    else if (smallest.length === 1) lines.push(`     ${style.good("safe by itself")}`);
    else {
      lines.push(`     ${needs.length === 0 ? "needs one or another of the others" : `needs ${enumerate(needs)}`}`);
      lines.push(...hanging("     smallest safe set: ", smallest.join(" "), width));
    }
    const alone = document.subsets.find(({ commits }) => commits.length === 1 && commits[0] === sha);
    if (alone?.safe === false) lines.push(...whyLines("     by itself: ", alone, document, file, look));
  }
  const safe = document.subsets.filter((subset) => subset.safe && subset.commits.length > 0);
  lines.push("", style.bold(`safe: ${safe.length} of ${counted(document.subsets.length - 1, "set")}`));
  lines.push(...safe.flatMap(({ commits }) => hanging("  ", commits.join(" "), width)));
  const unsafe = minimal(document.subsets.filter((subset) => !subset.safe && subset.lacking === null));
  if (unsafe.length > 0) lines.push("", style.bold("not safe, while all that is less is"));
  for (const subset of unsafe) {
    lines.push(...hanging("  ", subset.commits.join(" "), width), ...whyLines("    ", subset, document, file, look));
  }
  return `${[...lines, "", ...endLines(document)].join("\n")}\n`;
}

/** Those without others of them inside. */
function minimal(subsets: readonly JsonSubset[]): JsonSubset[] {
  const contains = (larger: JsonSubset, smaller: JsonSubset) =>
    larger !== smaller && smaller.commits.every((sha) => larger.commits.includes(sha));
  return subsets.filter((subset) => !subsets.some((other) => contains(subset, other)));
}

function whyLines(
  head: string,
  { lacking, introduced, commits }: JsonSubset,
  document: JsonSetHead,
  file: string | null,
  look: Look,
): string[] {
  if (lacking !== null) return bad(head, lackingText(lacking), look);
  const [first, ...others] = introduced;
  if (first === undefined) return bad(head, "not known", look);
  const more = others.length === 0 ? [] : [`${" ".repeat(head.length)}and ${others.length} more`];
  return [...introducedLines(head, first, document, commits, file, look), ...more];
}

function introducedLines(
  head: string,
  { suite, check, steps, path, before }: Introduced,
  document: JsonSetHead,
  commits: readonly string[],
  file: string | null,
  look: Look,
): string[] {
  const length = steps === null ? "" : `, ${counted(steps, "step")}`;
  const already = before.length === 0 ? "" : `, where ${enumerate(before)} ${before.length === 1 ? "is" : "are"} violated before`;
  const lines = bad(head, `VIOLATED  ${check} in ${suite}${length}${already}`, look);
  if (path === null) return lines;
  const switches = [...document.revert.map((sha) => `--revert ${sha}`), ...[...document.apply, ...commits].map((sha) => `--apply ${sha}`)];
  const where = file === null ? [] : [`--file ${quoted(file)}`];
  return [...lines, `${" ".repeat(head.length)}${["iommu-mc replay", quoted(suite), path, ...where, ...switches].join(" ")}`];
}

function bad(head: string, text: string, { style, width }: Look): string[] {
  return hanging(head, text, width).map((line) => style.bad(line));
}

function lackingText({ sha, needs }: { readonly sha: string; readonly needs: string }): string {
  return `makes no sense: ${sha} needs ${needs}`;
}

function headText({ command, design, version, revert, apply, suites }: JsonSetHead, what: string): string {
  const changes = [...revert.map((sha) => `-${sha}`), ...apply.map((sha) => `+${sha}`)];
  return [`${command}: ${what} on ${design} ${version}`, ...changes, `under ${counted(suites.length, "suite")}`].join(" ");
}

function endLines({ effort, unfinished }: JsonSetHead): string[] {
  const { sets, suites, checks } = effort;
  const all = `${counted(checks, "run")} for ${counted(sets, "set")} of commits × ${counted(suites, "suite")}`;
  return [all, ...(unfinished ? ["unfinished: a limit was hit, or Ctrl-C; what is not told is not known"] : [])];
}
