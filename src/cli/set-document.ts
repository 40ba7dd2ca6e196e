/** What the commands about sets of commits have in common in what they print. */
import type { JsonSetHead } from "../report/commit-sets.js";
import { type Introduced, introducedIn } from "../session/commit-sets.js";
import type { ExitCode } from "../session/run-suite.js";
import { headerOf } from "./header.js";
import type { SetChecker, SetOptions } from "./set-checker.js";

/** What is violated with the commits of one set and not with those of another, in all suites. */
export function introducedBy(checker: SetChecker, now: readonly string[], before: readonly string[]): Introduced[] {
  return checker.base.suites.flatMap((suite) => {
    const after = checker.verdictsOf(suite, now);
    return after === null ? [] : introducedIn(suite, checker.verdictsOf(suite, before), after);
  });
}

/** `tried` are the sets that were looked at. */
export function documentHead(
  command: string,
  checker: SetChecker,
  tried: readonly (readonly string[])[],
  { revert = [], apply = [] }: SetOptions,
  exitCode: ExitCode,
): JsonSetHead {
  const { design, suites } = checker.base;
  const effort = { sets: tried.filter((set) => checker.lacking(set) === null).length, suites: suites.length, checks: checker.checks };
  return {
    ...headerOf(command),
    design: design.name,
    version: design.version,
    revert,
    apply,
    suites: suites.map(({ name }) => name),
    effort,
    unfinished: checker.isUnfinished,
    exitCode,
  };
}
