/** `iommu-mc backports`: which sets of fixes a design can take. */
import { backportsText, type JsonBackports, type JsonFix, type JsonSubset, patchesOf } from "../report/commit-sets.js";
import { subsetsOf } from "../session/commit-sets.js";
import type { ExitCode } from "../session/run-suite.js";
import { UsageError } from "./errors.js";
import { jsonText } from "./header.js";
import { baseOf, SetChecker, type SetOptions } from "./set-checker.js";
import { documentHead, introducedBy } from "./set-document.js";
import { lookOfStdout, print } from "./terminal.js";

export interface BackportsOptions extends SetOptions {
  readonly to?: readonly string[];
}

/** Exit code 1 if one of the fixes is in no safe set. A set is safe if nothing is violated with it that is not without it. */
export async function backports(what: string, { to, ...options }: BackportsOptions): Promise<ExitCode> {
  if (to === undefined) throw new UsageError("no fixes", "Name them: --to COMMIT...");
  const base = baseOf(what, to, options);
  const checker = new SetChecker(base, options);
  try {
    const sets = subsetsOf(base.added);
    await checker.check(sets);
    const subsets = sets.map((commits): JsonSubset => {
      const lacking = checker.lacking(commits);
      const introduced = lacking === null ? introducedBy(checker, commits, []) : [];
      const isKnown = base.suites.every(
        (suite) => !checker.isAsked(suite, commits) || checker.verdictsOf(suite, commits)?.isComplete === true,
      );
      return { commits, safe: lacking === null && introduced.length === 0 && isKnown, lacking, introduced };
    });
    const fixes = patchesOf(base.design, base.added).map((patch): JsonFix => {
      const safe = subsets.filter((subset) => subset.safe && subset.commits.includes(patch.sha)).map(({ commits }) => commits);
      const [smallest] = safe;
      if (smallest === undefined) return { ...patch, needs: null, smallest: null };
      const needs = smallest.filter((sha) => sha !== patch.sha && safe.every((commits) => commits.includes(sha)));
      return { ...patch, needs, smallest };
    });
    const exitCode = checker.exitCode(!checker.isUnfinished && fixes.some(({ smallest }) => smallest === null));
    process.exitCode = exitCode;
    const document: JsonBackports = { ...documentHead("backports", checker, sets, options, exitCode), fixes, subsets, exitCode };
    await print(options.json ? jsonText(document) : backportsText(document, base.file, lookOfStdout()));
    return exitCode;
  } finally {
    await checker.close();
  }
}
