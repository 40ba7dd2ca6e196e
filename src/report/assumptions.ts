/** What is assumed: the abstractions that the models state, and steps that are coarser than the C. */
import type { Abstraction, Errs } from "../lang/design.js";
import type { SuiteRun } from "../session/run-suite.js";

/** What runs assume: the abstractions of their models, each once, then the steps that are coarser than the C. */
export function assumptionsOf(runs: readonly Pick<SuiteRun, "machine" | "suite">[], abstractions: readonly Abstraction[]): Abstraction[] {
  const named = new Set(abstractions.map(({ schema }) => schema));
  const models = new Set(runs.map(({ suite: { design } }) => (named.has(design.schema) ? design.schema : undefined)));
  const stated = abstractions.filter(({ schema }) => models.has(schema)).map(({ what, errs }): Abstraction => ({ what, errs }));
  return [...stated, ...coarseSteps(runs)];
}

/** Steps that are coarser than the C on purpose are assumptions too. */
function coarseSteps(runs: readonly Pick<SuiteRun, "machine">[]): Abstraction[] {
  const reasons = new Set(runs.flatMap(({ machine }) => [...machine.atomicReasons]));
  return [...reasons].sort().map((why): Abstraction => ({ what: `one step, coarser than the C: ${why}`, errs: "may miss a bug" }));
}

export const ASSUMPTION_HEADINGS: Readonly<Record<Errs, string>> = {
  "may miss a bug": "these may hide a bug",
  "may cry wolf": "these may cry wolf",
  neither: "these change no verdict",
};

/** Assumptions by the direction in which they err; the worst first. */
export function byDirection(abstractions: readonly Abstraction[]): { readonly errs: Errs; readonly whats: readonly string[] }[] {
  return (Object.keys(ASSUMPTION_HEADINGS) as Errs[])
    .map((errs) => ({ errs, whats: abstractions.filter((abstraction) => abstraction.errs === errs).map(({ what }) => what) }))
    .filter(({ whats }) => whats.length > 0);
}
