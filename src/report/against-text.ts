/** The comparison of a run with an earlier one, for people. */
import type { Against, Moved, SuiteChange } from "./against.js";
import type { Look } from "./style.js";
import { counted, grouped, hanging, joined, padEnd, widthOf } from "./wrap.js";

/** More columns than this a suite's name gets no column of its own. */
const WIDEST_NAME = 34;
/** Least room beside the names. */
const LEAST_FACTS = 40;

/** One row for each suite that differs, the change of a verdict first; then how many do not. */
export function againstLines(against: Against, look: Look): string[] {
  const { style, width } = look;
  const longest = Math.max(0, ...against.changed.map(({ suite }) => widthOf(suite)));
  const column = longest <= WIDEST_NAME && width - longest - 4 >= LEAST_FACTS ? longest + 4 : 0;
  return [
    ...hanging("", `against ${against.ledger}`, width).map(style.bold),
    ...against.changed.flatMap((change) => rowLines(change, column, look)),
    ...joined("  ", summary(against), width),
  ];
}

function rowLines(change: SuiteChange, column: number, { style, width }: Look): string[] {
  const head = `  ${change.suite}`;
  const verdicts = change.verdicts.map(({ check, before, after }) => `${check} ${before} → ${after}`);
  const facts = factsOf(change);
  const indent = column === 0 ? "    " : " ".repeat(column);
  const lines = [
    ...(verdicts.length > 0 ? joined(indent, verdicts, width).map(style.bad) : []),
    ...(facts.length > 0 ? joined(indent, facts, width) : []),
  ];
  if (column === 0) return [head, ...lines];
  const [first = "", ...rest] = lines;
  return [padEnd(head, column) + first.replace(indent, ""), ...rest];
}

function factsOf({ design, states, transitions, depth, steps, undecided }: SuiteChange): string[] {
  const facts: string[] = [];
  if (design.before !== design.after) facts.push(`${design.before} → ${design.after}`);
  for (const [name, move] of Object.entries({ states, transitions, depth })) {
    if (move.before !== move.after) facts.push(`${name} ${numberText(move)}`);
  }
  facts.push(...steps.map(({ check, before, after }) => `${check} after ${before} → ${counted(after, "step")}`));
  if (undecided.length > 0) facts.push(`${counted(undecided.length, "check")} not decided`);
  return facts;
}

/** `1,204 → 1,310 (+9%)`. */
function numberText({ before, after }: Moved<number>): string {
  const share = Math.round((100 * (after - before)) / Math.max(before, 1));
  const told = share === 0 ? "" : ` (${share > 0 ? "+" : ""}${grouped(share)}%)`;
  return `${grouped(before)} → ${grouped(after)}${told}`;
}

function summary({ changed, same, added, gone, notRun }: Against): string[] {
  const inVerdicts = changed.filter(({ verdicts }) => verdicts.length > 0).length;
  const facts: string[] = [];
  if (inVerdicts > 0) facts.push(`${counted(inVerdicts, "suite")} with other verdicts`);
  if (changed.length > inVerdicts) facts.push(`${counted(changed.length - inVerdicts, "suite")} with the same verdicts and other figures`);
  if (same.length > 0) facts.push(`${counted(same.length, "suite")} the same`);
  if (added.length > 0) facts.push(`new: ${added.join(", ")}`);
  if (gone.length > 0) facts.push(`gone: ${gone.join(", ")}`);
  if (notRun.length > 0) facts.push(`${notRun.length} of the ledger not run`);
  return facts.length > 0 ? facts : ["nothing to compare"];
}
