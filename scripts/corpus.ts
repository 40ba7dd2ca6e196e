/** reports/corpus.md and a page of each bug below it: every row of reports/switches, run without its commit and with it. */
import type { KnownBug, Switch } from "../src/lang/corpus.js";
import type { Commit } from "../src/lang/design.js";
import { type CorpusContext, chainTexts, designOf, exploredText, fixesOf, fixText, withinText } from "../src/report/corpus.js";
import { prose, table, traceBlocks } from "../src/report/markdown.js";
import { shownOf } from "../src/report/shown.js";
import { counted, grouped } from "../src/report/wrap.js";
import type { Session } from "../src/session/open.js";
import { type Rediscovery, runsOf, shortestOf, suiteOfRow, verdictIn } from "../src/session/rediscovery.js";
import { runSuiteNow, type SuiteRun } from "../src/session/run-suite.js";

/** Throws if the row compares what it may not. */
export function rediscover(session: Session, row: Switch): Rediscovery {
  const suite = suiteOfRow(session, row);
  const [before, after] = runsOf(row, suite).map((options) => runSuiteNow(session, suite, options)) as [SuiteRun, SuiteRun];
  return { row, before, after };
}

export function contextOf({ suites }: Pick<Session, "suites">, bugs: readonly KnownBug[]): CorpusContext {
  return { bugs, commits: Object.assign({}, ...suites.map(({ design }) => design.commits)) as Readonly<Record<string, Commit>> };
}

/** `corpus/04-default-domain-not-ready-at-bind.md`: below reports. */
export function pathOf({ id, name }: KnownBug): string {
  return `corpus/${String(id).padStart(2, "0")}-${name}.md`;
}

/** The table of all rows: those of known bugs first, by number. */
export function corpusPage(all: readonly Rediscovery[], { bugs }: CorpusContext): string {
  const rowsOf = ({ id }: KnownBug) => all.filter(({ row }) => row.entry === id);
  const shown = bugs.filter((bug) => rowsOf(bug).length > 0);
  const missing = bugs.filter((bug) => rowsOf(bug).length === 0);
  const others = all.filter(({ row }) => row.entry === undefined);
  const mended = shown.filter((bug) => rowsOf(bug).some(({ row }) => row.left?.red !== row.red));
  return `${[
    "# Known bugs, seen again",
    "Each suite is run in two designs that differ by one commit: without it something is violated, with it that holds, within the bounds given. Where a fix is not enough, what it leaves is told on the bug's page. `iommu-mc corpus` runs this; `npm run reports` writes it, and a test compares.",
    `${counted(mended.length, "bug")} of ${bugs.length}.`,
    table(
      ["bug", "year", "without", "caught by", "trace", "with it", "states", "depth", "bounds"],
      shown.flatMap((bug) =>
        rowsOf(bug).map((each) => [`[${bug.id} ${prose(bug.name)}](${pathOf(bug)})`, String(bug.year), ...rowCells(each)]),
      ),
    ),
    "## Other commits",
    "Fixes of what is not on the list of bugs.",
    table(
      ["bug", "without", "caught by", "trace", "with it", "states", "depth", "bounds"],
      others.map((each) => [prose(each.row.bug), ...rowCells(each)]),
    ),
    "## Shown by no suite",
    table(
      ["bug", "year", "fix", "why not"],
      missing.map((bug) => [
        `${bug.id} ${prose(bug.name)}`,
        String(bug.year),
        bug.fix.map(({ sha }) => (sha === null ? "not verified" : `\`${sha}\``)).join(" "),
        prose(bug.leftOut ?? ""),
      ]),
    ),
  ].join("\n\n")}\n`;
}

/** Cells of `corpusPage`, from the commit on. */
export function rowCells({ row, before, after }: Rediscovery): string[] {
  const found = shortestOf(before, row.red);
  const verdict = verdictIn(after, row.red);
  const left = row.left === undefined ? "" : `; ${row.left.red} is left`;
  return [
    `\`${row.commit}\` in \`${row.suite}\``,
    prose(row.red),
    found === null ? "" : counted(found.finding.path.length, "step"),
    prose(`${verdict}${left}`),
    grouped(after.outcome.states),
    String(after.outcome.depth),
    prose(withinText(after)),
  ];
}

/** A bug's own page: the trace without each commit, and what is known with it. */
export function bugPage(bug: KnownBug, rows: readonly Rediscovery[], context: CorpusContext): string {
  const fixes = fixesOf(bug, context).map((fix) => `- ${prose(fixText(fix))}`);
  const chain = chainTexts(bug, context.bugs).map((text) => `- ${prose(text)}`);
  const sections = rows.flatMap(({ row, before, after }) => [
    `# ${prose(row.suite)}`,
    `${prose(row.bug)}; in the suite, ${prose(before.suite.scenario.describes)}.`,
    `**Without \`${row.commit}\`**, in ${prose(designOf(before))}: ${prose(row.red)} ${verdictIn(before, row.red)}.`,
    ...traceOf(before, row.red),
    `**With \`${row.commit}\`**, in ${prose(designOf(after))}: ${prose(row.red)} ${verdictIn(after, row.red)}; ${exploredText(after)}; ${prose(withinText(after))}.`,
    ...(row.left === undefined ? [] : [`**It is not enough**: ${prose(row.left.why)}.`, ...traceOf(after, row.left.red)]),
  ]);
  return `${[`# ${bug.id} ${prose(bug.name)}`, [...fixes, ...chain].join("\n"), ...sections.map(oneLower)].join("\n\n")}\n`;
}

function traceOf(run: SuiteRun, check: string): string[] {
  const found = shortestOf(run, check);
  return found === null ? [] : traceBlocks(run, shownOf(found), null);
}

/** A heading of the page's sections stands below that of the page. */
function oneLower(block: string): string {
  return block.replace(/^#/, "##");
}
