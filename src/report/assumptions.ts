/** What is assumed besides the abstractions that the models state. */
import type { Abstraction } from "../lang/design.js";
import type { SuiteRun } from "../session/run-suite.js";

/** Steps that are coarser than the C on purpose are assumptions too. */
export function coarseSteps(runs: readonly Pick<SuiteRun, "machine">[]): Abstraction[] {
  const reasons = new Set(runs.flatMap(({ machine }) => [...machine.atomicReasons]));
  return [...reasons].sort().map((why): Abstraction => ({ what: `one step, coarser than the C: ${why}`, errs: "may miss a bug" }));
}
