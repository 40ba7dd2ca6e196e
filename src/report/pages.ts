/** The pages of all suites and their index, as files. */
import { ModelError } from "../lang/errors.js";
import type { SuiteRun } from "../session/run-suite.js";
import { boundsOf, boundsText, faultsText, objectsText } from "./bounds.js";
import { designText, type MarkdownOptions, prose, suitePage, table, verdictText } from "./markdown.js";
import { grouped } from "./wrap.js";

/** First line of every page: a file that has it may be written over. */
export const PAGE_MARK = "<!-- Made by `iommu-mc report`, which writes it anew. -->";

const INDEX = "index.md";

/** Texts by path in the folder, with `/` between its parts. Throws a ModelError if two suites would have the same page. */
export function pagesOf(runs: readonly SuiteRun[], options: MarkdownOptions): ReadonlyMap<string, string> {
  const ordered = [...runs].sort((one, other) => (one.suite.name < other.suite.name ? -1 : 1));
  const pages = new Map([[INDEX, indexPage(ordered)]]);
  // Not every file system tells cases apart.
  const taken = new Map([[INDEX, "the index"]]);
  for (const run of ordered) {
    const { name } = run.suite;
    const path = pathOf(name);
    const other = taken.get(path.toLowerCase());
    if (other !== undefined) throw new ModelError(`the page of suite ${name} would be that of ${other}, ${path}`, "Rename the suite.");
    taken.set(path.toLowerCase(), `suite ${name}`);
    pages.set(path, suitePage({ kind: "run", run }, options));
  }
  return new Map([...pages].map(([path, text]) => [path, `${PAGE_MARK}\n\n${text}`]));
}

/** `partial-attach/rmrr.md`. */
function pathOf(name: string): string {
  const parts = name.split("/").map((part) => part.replace(/[^\w.+-]+/g, "-").replace(/^\.*$/, "-"));
  return `${parts.join("/")}.md`;
}

function indexPage(runs: readonly SuiteRun[]): string {
  const designs = [...new Set(runs.map(designText))];
  const sections = designs.map((design) => {
    const rows = runs
      .filter((run) => designText(run) === design)
      .map((run) => {
        const { outcome, machine, suite } = run;
        const bounds = boundsOf(machine);
        const link = `[${prose(suite.name)}](${encodeURI(pathOf(suite.name))})`;
        const figures = [outcome.states, outcome.transitions, outcome.depth].map(grouped);
        const machineText = suite.scenario.setting ?? objectsText(bounds);
        const within = [machineText, faultsText(bounds), boundsText(bounds)].filter((text) => text !== "").join("; ");
        return [link, prose(verdictText(run)), ...figures, prose(within)];
      });
    return `## ${prose(design)}\n\n${table(["suite", "verdict", "states", "transitions", "depth", "bounds"], rows)}`;
  });
  return `# Suites\n\n${sections.join("\n\n")}\n`;
}
