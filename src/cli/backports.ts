/** `iommu-mc backports`: which sets of fixes a design can take. */
import { backportsText, type JsonBackports, subjectOf } from "../report/commit-sets.js";
import { tryBackports } from "../session/backports.js";
import { subsetsOf } from "../session/commit-sets.js";
import type { ExitCode } from "../session/run-suite.js";
import { openBase, type SetOptions, withChecker } from "./commit-base.js";
import { UsageError } from "./errors.js";
import { jsonText } from "./header.js";
import { documentHead, exitCodeOfSets } from "./set-document.js";
import { lookOfStdout, print } from "./terminal.js";

export interface BackportsOptions extends SetOptions {
  readonly to?: readonly string[];
  /** Whether fixes bring what they need with them. */
  readonly carry?: boolean;
}

/** Exit code 1 if one of the fixes is in no safe set. A set is safe if nothing is violated with it that is not without it. */
export async function backports(what: string, { to, carry = false, ...options }: BackportsOptions): Promise<ExitCode> {
  if (to === undefined) throw new UsageError("no fixes", "Name them: --to COMMIT...");
  const opened = openBase(what, to, options, { carry, asksWithout: true });
  return withChecker(opened, options, async (checker) => {
    const { design, added } = opened.base;
    const { fixes, subsets, mended, left } = await tryBackports(checker);
    const exitCode = exitCodeOfSets(checker, !checker.isUnfinished && fixes.some(({ smallest }) => smallest === null));
    process.exitCode = exitCode;
    const document: JsonBackports = {
      ...documentHead("backports", checker, subsetsOf(added), exitCode),
      fixes: fixes.map((fix) => ({ ...fix, subject: subjectOf(design, fix.sha) })),
      subsets,
      mended,
      left,
      exitCode,
    };
    await print(options.json ? jsonText(document) : backportsText(document, opened.file, lookOfStdout()));
    return exitCode;
  });
}
