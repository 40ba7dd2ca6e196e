/** What a series of patches, or fixes to be taken back, do to a design: as text and as JSON. */
import type { Design } from "../lang/design.js";
import { type Fix, type Mended, minimal, type Need, type Standing, type Subset } from "../session/backports.js";
import type { ExitCode } from "../session/run-suite.js";
import type { Effort, IntroducedBySet } from "../session/set-checker.js";
import { parsePath } from "../trace/replay.js";
import { replayCommand } from "./command.js";
import type { JsonHeader } from "./json.js";
import type { Look } from "./style.js";
import { counted, enumerate, grouped, hanging } from "./wrap.js";

export interface JsonSetHead extends JsonHeader {
  readonly design: string;
  readonly version: string;
  readonly revert: readonly string[];
  readonly apply: readonly string[];
  readonly suites: readonly string[];
  readonly effort: Effort;
  /** Suites that are asked nothing: their model is at fault for the base itself. */
  readonly unfit: readonly string[];
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
  readonly introduced: readonly IntroducedBySet[];
  readonly mended: readonly { readonly suite: string; readonly check: string }[];
}

export interface JsonSeries extends JsonSetHead {
  readonly prefixes: readonly JsonPrefix[];
  /** The fewest patches of the series that introduce a violation by themselves, if some prefix does. */
  readonly smallest: { readonly commits: readonly string[]; readonly introduced: readonly IntroducedBySet[] } | null;
}

export interface JsonBackports extends JsonSetHead {
  readonly fixes: readonly JsonFix[];
  readonly subsets: readonly Subset[];
  readonly mended: readonly Mended[];
  /** What all fixes together break. */
  readonly left: readonly IntroducedBySet[];
}

export type JsonFix = JsonPatch & Fix;

export function subjectOf({ commits }: Design, sha: string): string {
  return commits[sha]?.subject ?? "";
}

export function seriesText(document: JsonSeries, file: string | null, look: Look): string {
  const { style, width } = look;
  const lines = [headText(document, `${counted(document.prefixes.length, "patch", "patches")}`), ""];
  for (const [position, prefix] of document.prefixes.entries()) {
    const { sha, subject, lacking, introduced, mended } = prefix;
    lines.push(style.bold(`${String(position + 1).padStart(3)}  ${sha} ${subject}`));
    if (lacking !== null) lines.push(...bad("     ", lackingText(lacking), look));
    else if (introduced.length === 0) lines.push(`     ${style.good("keeps what held")}`);
    for (const each of introduced) lines.push(...introducedLines("     ", each, file, look));
    if (mended.length > 0) {
      const checks = (suite: string) => mended.filter((each) => each.suite === suite).map(({ check }) => check);
      const texts = [...new Set(mended.map(({ suite }) => suite))].map((suite) => `${checks(suite).join(", ")} in ${suite}`);
      lines.push(...hanging("     mends ", texts.join("; "), width));
    }
  }
  if (document.smallest !== null) {
    const { commits, introduced } = document.smallest;
    lines.push("", ...hanging("fewest that break something: ", commits.join(" "), width));
    for (const each of introduced) lines.push(...introducedLines("     ", each, file, look));
  }
  return `${[...lines, "", ...endLines(document)].join("\n")}\n`;
}

export function backportsText(document: JsonBackports, file: string | null, look: Look): string {
  const { style, width } = look;
  const { fixes, subsets, mended, left } = document;
  const lines = [headText(document, counted(fixes.length, "fix", "fixes")), ""];
  for (const fix of fixes) {
    const { sha, subject, carries, smallest, besideAll } = fix;
    lines.push(style.bold(`${sha} ${subject}`));
    if (carries.length > 0) lines.push(...hanging("     brings what it needs: ", carries.join(" "), width));
    if (smallest === null) lines.push(...bad("     ", "is in no safe set", look));
    else if (smallest.length === 1) lines.push(`     ${style.good("safe by itself")}`);
    else lines.push(...standingText(fix).flatMap((text) => hanging("     ", text, width)));
    if (besideAll !== null) lines.push(...hanging("     beside what all of them break: ", standingText(besideAll).join("; "), width));
    for (const { head, why } of reasonsOf(fix, subsets)) lines.push(...whyLines(`     ${head}: `, why, file, look));
  }
  if (mended.length > 0) lines.push("", style.bold("mended"));
  for (const [sets, what] of mendedBy(mended))
    lines.push(...hanging(`  by ${sets.map((set) => set.join(" ")).join(", or by ")}: `, what, width));
  if (left.length > 0) lines.push("", style.bold("all of them together break"));
  for (const each of left) lines.push(...introducedLines("  ", each, file, look));
  const safe = subsets.filter((subset) => subset.safe && subset.commits.length > 0);
  lines.push("", style.bold(`safe: ${safe.length} of ${counted(subsets.length - 1, "set")}`));
  lines.push(...safe.flatMap(({ commits }) => hanging("  ", commits.join(" "), width)));
  const unsafe = leastUnsafe(subsets);
  if (unsafe.length > 0) lines.push("", style.bold("not safe, while all that is less is"));
  for (const subset of unsafe) lines.push(...hanging("  ", subset.commits.join(" "), width), ...whyLines("    ", subset, file, look));
  return `${[...lines, "", ...endLines(document)].join("\n")}\n`;
}

/** What is mended, in words, by the sets that mend it: `L1 in probe/a and probe/b; V2 in probe/c`. */
export function mendedBy(mended: readonly Mended[]): (readonly [sets: Mended["by"], what: string])[] {
  const alike = new Map<string, Mended[]>();
  for (const each of mended) alike.set(JSON.stringify(each.by), [...(alike.get(JSON.stringify(each.by)) ?? []), each]);
  return [...alike.values()].map((those) => {
    const suitesOf = (check: string) => those.filter((each) => each.check === check).map(({ suite }) => suite);
    const checks = [...new Set(those.map(({ check }) => check))];
    return [(those[0] as Mended).by, checks.map((check) => `${check} in ${enumerate(suitesOf(check))}`).join("; ")] as const;
  });
}

/** What a fix needs where it is not in a set of its own that will do, in words. */
export function standingText({ needs, smallest, minimal: sets }: Standing): string[] {
  if (needs === null || smallest === null) return ["is in no set that will do"];
  if (smallest.length === 1) return ["needs none of the others"];
  const because = (why: Need["because"]) => needs.filter((need) => need.because === why).map(({ sha }) => sha);
  const [declared, found] = [because("declared"), because("found")];
  return [
    ...(declared.length === 0 ? [] : [`needs ${enumerate(declared)}, on which it is built`]),
    ...(found.length === 0 ? [] : [`needs ${enumerate(found)}, without which something breaks`]),
    ...(needs.length === 0 ? ["needs one or another of the others"] : []),
    `smallest set: ${smallest.join(" ")}`,
    ...sets.filter((set) => set !== smallest).map((set) => `or: ${set.join(" ")}`),
  ];
}

export type Why = Pick<Subset, "lacking" | "introduced" | "unfinished">;

/** Why a fix will not do by itself: under a head what is so of a set, or what is violated where it lacks what it needs. */
export function reasonsOf(
  { sha, needs, besideAll }: Fix,
  subsets: readonly Subset[],
): readonly { readonly head: string; readonly why: Why }[] {
  const found = (needs ?? besideAll?.needs ?? []).filter(({ because }) => because === "found");
  const alone = subsets.find(({ commits }) => commits.length === 1 && commits[0] === sha);
  const isTold = alone !== undefined && !alone.safe && (alone.lacking !== null || found.length === 0);
  return [
    ...(isTold ? [{ head: "by itself", why: alone }] : []),
    ...found.map((need) => ({ head: `without ${need.sha}`, why: { lacking: null, introduced: need.violated, unfinished: [] } })),
  ];
}

/** Sets that break something, without those that have another of them inside. */
export function leastUnsafe(subsets: readonly Subset[]): Subset[] {
  const unsafe = subsets.filter(({ introduced }) => introduced.length > 0);
  const least = minimal(unsafe.map(({ commits }) => commits));
  return unsafe.filter(({ commits }) => least.includes(commits));
}

function whyLines(head: string, { lacking, introduced, unfinished }: Why, file: string | null, look: Look): string[] {
  if (lacking !== null) return bad(head, lackingText(lacking), look);
  const [first, ...others] = introduced;
  if (first === undefined) return bad(head, unknownText(unfinished), look);
  const more = others.length === 0 ? [] : [`${" ".repeat(head.length)}and ${others.length} more`];
  return [...introducedLines(head, first, file, look), ...more];
}

function introducedLines(head: string, introduced: IntroducedBySet, file: string | null, look: Look): string[] {
  const lines = bad(head, `VIOLATED  ${introducedText(introduced)}`, look);
  const replay = introducedReplay(introduced, file);
  return replay === null ? lines : [...lines, `${" ".repeat(head.length)}${replay}`];
}

/** Why nothing is known of a set that makes sense. */
export function unknownText(unfinished: readonly string[]): string {
  return unfinished.length === 0 ? "not known: no suite can be asked" : `not known: no end in ${enumerate(unfinished)}`;
}

/** `P1 in shop/pay, 1 step`. */
export function introducedText({ suite, check, steps, before }: IntroducedBySet): string {
  const length = steps === null ? "" : `, ${counted(steps, "step")}`;
  const already = before.length === 0 ? "" : `, where ${enumerate(before)} ${before.length === 1 ? "is" : "are"} violated before`;
  return `${check} in ${suite}${length}${already}`;
}

/** The command that shows it, or null if there is no trace. */
export function introducedReplay({ suite, path, variant }: IntroducedBySet, file: string | null): string | null {
  const steps = path === null ? null : parsePath(path);
  return steps === null ? null : replayCommand(suite, steps, variant, file);
}

function bad(head: string, text: string, { style, width }: Look): string[] {
  return hanging(head, text, width).map((line) => style.bad(line));
}

export function lackingText({ sha, needs }: { readonly sha: string; readonly needs: string }): string {
  return `makes no sense: ${sha} needs ${needs}`;
}

function headText({ command, design, version, revert, apply, suites }: JsonSetHead, what: string): string {
  const changes = [...revert.map((sha) => `-${sha}`), ...apply.map((sha) => `+${sha}`)];
  return [`${command}: ${what} on ${design} ${version}`, ...changes, `under ${counted(suites.length, "suite")}`].join(" ");
}

/** What it took, in words: runs and states, beside those that it takes without sharing. */
export function effortText({ sets, suites, asked, checks, states, statesAsked }: Effort): string {
  const all = `${counted(checks, "run")} of ${grouped(states)} states for ${counted(sets, "set")} of commits × ${counted(suites, "suite")}`;
  return asked === checks ? all : `${all}; without sharing ${grouped(asked)} of ${grouped(statesAsked)}`;
}

function endLines({ effort, unfit, unfinished }: JsonSetHead): string[] {
  const left = unfit.length === 0 ? [] : [`not asked, for their models have too little room for the base: ${unfit.join(", ")}`];
  return [effortText(effort), ...left, ...(unfinished ? ["unfinished: a limit was hit, or Ctrl-C; what is not told is not known"] : [])];
}
