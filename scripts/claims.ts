/** reports/claims.md, and a page of each thread below it: what was said there, as the checker decides it. */
import { distinctionLines } from "../src/report/audit-text.js";
import { auditFacts, checkFacts, costText, evidenceText, namesOf, summaryOf, summaryText } from "../src/report/claims.js";
import { shownLines } from "../src/report/finding-text.js";
import { fenced, prose, table } from "../src/report/markdown.js";
import { shownOf } from "../src/report/shown.js";
import { plain } from "../src/report/style.js";
import { counted } from "../src/report/wrap.js";
import { type ClaimRun, type Found, traceOf, verdictOfClaim } from "../src/session/claims.js";

const LOOK = { width: 100, style: plain };

/** What each thread is about, by the name that claims call it. */
export type Threads = Readonly<Record<string, string>>;

/** `claims/arm64.md`: below reports. */
export function pathOf(system: string): string {
  return `claims/${system}.md`;
}

/** The table of all claims, thread by thread. */
export function claimsPage(runs: readonly ClaimRun[], threads: Threads): string {
  const blocks = [
    "# What was said, and what the checker says",
    "Statements, questions and doubts of five threads, in our words. A verdict is one about the designs and scenarios that the claim rests on, within their bounds: its page has them, with traces. `iommu-mc claims` runs this; `npm run reports` writes it.",
    `${counted(runs.length, "claim")}: ${summaryText(summaryOf(runs))}.`,
  ];
  for (const system of systemsOf(runs)) {
    const rows = ofSystem(runs, system).map((run) => [
      `[${run.claim.id}](${pathOf(system)}#${anchorOf(run)})`,
      prose(run.claim.says),
      verdictOfClaim(run),
      prose(costText(run)),
      run.claim.finding === undefined ? "" : `[page](findings/${run.claim.finding})`,
    ]);
    blocks.push(`## ${prose(threads[system] ?? system)}`, table(["", "claim", "verdict", "states, trace", "finding"], rows));
  }
  return `${blocks.join("\n\n")}\n`;
}

/** A thread's own page: what each claim rests on, with what was found. */
export function threadPage(runs: readonly ClaimRun[], system: string, threads: Threads): string {
  const sections = ofSystem(runs, system).flatMap(sectionOf);
  return `${[`# ${prose(threads[system] ?? system)}`, ...sections].join("\n\n")}\n`;
}

/** A claim on it, as blocks. */
export function sectionOf(run: ClaimRun): string[] {
  const { id, says, split, reading, finding } = run.claim;
  return [
    `## ${id}`,
    `**${prose(says)}**`,
    ...(split === undefined ? [] : [`Part of a statement: ${prose(split)}.`]),
    `**${verdictOfClaim(run)}**, ${prose(costText(run))}. ${prose(reading)}${finding === undefined ? "" : ` See [the finding](../findings/${finding}).`}`,
    ...run.found.flatMap(evidenceBlocks),
  ];
}

/** Names of the threads, in the order of their claims. */
export function systemsOf(runs: readonly ClaimRun[]): string[] {
  return [...new Set(runs.map(({ claim }) => claim.system))];
}

function ofSystem(runs: readonly ClaimRun[], system: string): ClaimRun[] {
  return runs.filter(({ claim }) => claim.system === system);
}

/** As readers of Markdown call the heading. */
function anchorOf({ claim }: ClaimRun): string {
  return claim.id.toLowerCase();
}

function evidenceBlocks(found: Found): string[] {
  const head = `- ${prose(evidenceText(found))}`;
  if (found.kind === "none") return [head];
  if (found.kind === "audit") {
    const lines = distinctionLines(found.audit, namesOf(found.evidence), LOOK).slice(1);
    return [`${head}. ${prose(auditFacts(found))}`, ...(lines.length === 0 ? [] : [fenced("text", lines)])];
  }
  const { run } = found;
  const trace = traceOf(found);
  const page = `[the suite's page](../pages/${run.suite.name}.md)`;
  return [
    `${head}. ${prose(checkFacts(run))}; ${page}`,
    ...(trace === null ? [] : [fenced("text", shownLines(run, shownOf(trace), null, LOOK))]),
  ];
}
