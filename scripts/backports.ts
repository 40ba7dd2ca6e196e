/** reports/backports/*.md: what `iommu-mc backports` says of the fixes of some known bugs. */

import type { Question } from "../reports/backports/questions.js";
import { selectDesign } from "../src/cli/select.js";
import type { KnownBug } from "../src/lang/corpus.js";
import {
  effortText,
  introducedText,
  lackingText,
  leastUnsafe,
  mendedBy,
  reasonsOf,
  standingText,
  subjectOf,
  unknownText,
  type Why,
} from "../src/report/commit-sets.js";
import { prose, table } from "../src/report/markdown.js";
import { counted } from "../src/report/wrap.js";
import { type Backports, type Fix, type Subset, tryBackports } from "../src/session/backports.js";
import { subsetsOf } from "../src/session/commit-sets.js";
import { designsOf } from "../src/session/design-spec.js";
import type { Session } from "../src/session/open.js";
import { runSuiteNow } from "../src/session/run-suite.js";
import { commitBase, SetChecker } from "../src/session/set-checker.js";

export interface Answer {
  readonly question: Question;
  readonly checker: SetChecker;
  readonly backports: Backports;
}

/** Throws if there is no such design. */
export async function answerOf(session: Session, question: Question): Promise<Answer> {
  const designs = designsOf(session.suites);
  const { base: name, design } = selectDesign(question.base, designs);
  const original = designs.get(name) ?? design;
  const suites = session.suites.filter(
    (suite) => suite.design.commits === original.commits && question.of.test(suite.design.name) && !question.except?.names.test(suite.name),
  );
  const how = { name: question.base, carry: true, asksWithout: true };
  const base = commitBase(original, new Set(design.includes), suites, question.fixes, how);
  const checker = new SetChecker(base, async (tasks) =>
    tasks.map(({ suite, variant, goOnAfter }) => runSuiteNow(session, suite, { variant, goOnAfter })),
  );
  return { question, checker, backports: await tryBackports(checker) };
}

export function pathOfAnswer({ name }: Question): string {
  return `backports/${name}.md`;
}

export function answerPage({ question, checker, backports }: Answer, bugs: readonly KnownBug[]): string {
  const { base } = checker;
  const { fixes, subsets, mended, left } = backports;
  const safe = subsets.filter((subset) => subset.safe && subset.commits.length > 0);
  const senseless = subsets.filter(({ lacking }) => lacking !== null);
  return `${[
    `# ${prose(question.title)}`,
    `Which subsets of the fixes of ${question.bugs.map((id) => bugText(id, bugs)).join(", ")} can ${prose(base.design.name)} take? The base is \`${question.base}\`: ${prose(question.because)}. A set is safe if nothing is violated with it, in ${counted(base.suites.length, "suite")}, that is not violated without.`,
    ...(question.except === undefined ? [] : [`Suites that are not asked: ${question.except.because}.`]),
    "`npm run reports` writes this page.",
    "## What each needs",
    ...fixes.flatMap((fix) => fixBlocks(fix, checker, subsets)),
    "## What is mended, and by which",
    "What is violated in the base and holds with some of them; where it takes several, fewer of them do not, or make no sense.",
    table(
      ["fixes", "what"],
      mendedBy(mended).map(([sets, what]) => [sets.map(shas).join(" or "), prose(what)]),
    ),
    "## Sets",
    `${safe.length} of ${counted(subsets.length - 1, "set")} are safe, and ${senseless.length} without sense.`,
    ...list(safe.map(({ commits }) => shas(commits))),
    ...setsBlocks("These are not, while all that is less is:", leastUnsafe(subsets)),
    ...senselessBlocks(senseless),
    ...(left.length === 0
      ? []
      : [
          "## What all of them together break",
          "What each needs _beside that_ says above which sets break nothing else. Suites that were made for other designs are among those asked: where a scenario does not fit, what it shows is about the scenario.",
          introducedTable(left),
        ]),
    "## What it took",
    `${prose(effortText(checker.effortOf(subsetsOf(base.added))))}.`,
    ...(checker.unfit.length === 0
      ? []
      : [
          `Asked nothing, since their scenarios have too little room for the base: ${checker.unfit.map((name) => `\`${name}\``).join(", ")}.`,
        ]),
  ].join("\n\n")}\n`;
}

function fixBlocks(fix: Fix, { base }: SetChecker, subsets: readonly Subset[]): string[] {
  const { sha, carries, smallest, besideAll } = fix;
  const standing = smallest === null ? ["is in no safe set"] : smallest.length === 1 ? ["is safe by itself"] : standingText(fix);
  const facts = [
    ...standing,
    ...(besideAll === null ? [] : [`beside what all of them break: ${standingText(besideAll).join("; ")}`]),
    ...reasonsOf(fix, subsets).map(({ head, why }) => `${head}: ${whyText(why)}`),
  ];
  return [
    `**\`${sha}\` ${prose(subjectOf(base.design, sha))}**`,
    [...facts.map((text) => `- ${prose(text)}`), ...(carries.length === 0 ? [] : [carriedText(carries)])].join("\n"),
  ];
}

function carriedText(carries: readonly string[]): string {
  return `- brings what it needs: ${shas(carries)}`;
}

function whyText({ lacking, introduced: [first, ...others], unfinished }: Why): string {
  if (lacking !== null) return lackingText(lacking);
  if (first === undefined) return unknownText(unfinished);
  return `violated is ${introducedText(first)}${others.length === 0 ? "" : `, and ${others.length} more`}`;
}

function setsBlocks(head: string, sets: readonly Subset[]): string[] {
  return sets.length === 0 ? [] : [head, ...list(sets.map((set) => `${shas(set.commits)}: ${prose(whyText(set))}`))];
}

/** The reasons, each with the number of sets. */
function senselessBlocks(sets: readonly Subset[]): string[] {
  const reasons = new Map<string, number>();
  for (const { lacking } of sets) {
    if (lacking === null) continue;
    const reason = `${lacking.sha} needs ${lacking.needs}`;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  if (reasons.size === 0) return [];
  return ["What makes no sense:", ...list([...reasons].map(([reason, count]) => `${prose(reason)} (${counted(count, "set")})`))];
}

function introducedTable(introduced: Backports["left"]): string {
  return table(
    ["suite", "violated", "trace", "violated before"],
    introduced.map(({ suite, check, steps, before }) => [
      `\`${suite}\``,
      prose(check),
      steps === null ? "" : counted(steps, "step"),
      prose(before.join(", ")),
    ]),
  );
}

function bugText(id: number, bugs: readonly KnownBug[]): string {
  return prose(`${id} (${bugs.find((bug) => bug.id === id)?.name ?? "not listed"})`);
}

function shas(commits: readonly string[]): string {
  return commits.map((sha) => `\`${sha}\``).join(" ");
}

/** One block, or none of nothing. */
function list(items: readonly string[]): string[] {
  return items.length === 0 ? [] : [items.map((item) => `- ${item}`).join("\n")];
}
