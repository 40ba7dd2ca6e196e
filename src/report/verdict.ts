/** What is said of a suite in one word, and what makes it so. */
import type { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import type { Comparison, ExitCode, SuiteRun } from "../session/run-suite.js";

/** How a suite came out of a command that wanted to run it. */
export type SuiteResult<Run = SuiteRun> =
  | { readonly kind: "run"; readonly run: Run }
  /** Its model is at fault; nothing can be said of the design. */
  | { readonly kind: "error"; readonly suite: Suite; readonly error: ModelError }
  /** Interrupted before its turn came. */
  | { readonly kind: "not-run"; readonly suite: Suite };

/** Unlike "held", "vacuous" says that something was never put to the test. */
export type SuiteVerdict = "held" | "violated" | "vacuous" | "unfinished" | "model-fault";

/** The verdict of a run as a whole. A run that is unfinished, or may have omitted states, is never said to hold, whatever was expected of it. */
export function verdictOf({ outcome, comparisons }: SuiteRun): SuiteVerdict {
  const has = (verdict: Comparison["verdict"], among = comparisons) => among.some((comparison) => comparison.verdict === verdict);
  if (comparisons.some(({ check, verdict }) => check === "model-fault" && verdict === "violated")) return "model-fault";
  const unexpected = comparisons.filter(({ asExpected }) => !asExpected);
  if (has("violated", unexpected)) return "violated";
  if (outcome.end.kind === "limit" || has("not violated")) return "unfinished";
  if (has("vacuous", unexpected)) return "vacuous";
  return has("violated") ? "violated" : "held";
}

/** Whether the suite ran to its own end, without leave to omit anything, and every finding has its trace: what is written down of it will come out the same again. */
export function isWhole(result: SuiteResult): boolean {
  if (result.kind !== "run") return false;
  const { end, untraced, omission } = result.run.outcome;
  return end.kind !== "limit" && untraced.length === 0 && omission === null;
}

/** The exit code for one result. */
export function exitCodeOf(result: SuiteResult<{ readonly exitCode: ExitCode }>): ExitCode {
  switch (result.kind) {
    case "run":
      return result.run.exitCode;
    case "error":
      return 2;
    case "not-run":
      return 3;
  }
}

/** The exit code for several: a model at fault before a violation before an unfinished run. */
export function worst(codes: readonly ExitCode[]): ExitCode {
  return ([2, 1, 3] as const).find((code) => codes.includes(code)) ?? 0;
}

export function suiteOf(result: SuiteResult<{ readonly suite: Suite }>): Suite {
  return result.kind === "run" ? result.run.suite : result.suite;
}
