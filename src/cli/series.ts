/** `iommu-mc series`: what each patch of a series does to what held before it. */
import { type JsonPrefix, type JsonSeries, patchesOf, seriesText } from "../report/commit-sets.js";
import { mendedIn, subsetsOf } from "../session/commit-sets.js";
import type { ExitCode } from "../session/run-suite.js";
import { jsonText } from "./header.js";
import { baseOf, SetChecker, type SetOptions } from "./set-checker.js";
import { documentHead, introducedBy } from "./set-document.js";
import { lookOfStdout, print } from "./terminal.js";

/** Exit code 1 if a patch breaks what held before it, or makes no sense without a later one. */
export async function series(what: string, shas: readonly string[], options: SetOptions): Promise<ExitCode> {
  const base = baseOf(what, shas, options);
  const checker = new SetChecker(base, options);
  try {
    const prefixes = [[], ...base.added.map((_, position) => base.added.slice(0, position + 1))];
    await checker.check(prefixes);
    const told = patchesOf(base.design, base.added).map((patch, position): JsonPrefix => {
      const now = prefixes[position + 1] as string[];
      const before = prefixes.slice(0, position + 1).findLast((prefix) => checker.lacking(prefix) === null) ?? [];
      const lacking = checker.lacking(now);
      if (lacking !== null) return { ...patch, lacking, introduced: [], mended: [] };
      const mended = base.suites.flatMap((suite) => {
        const after = checker.verdictsOf(suite, now);
        return after === null ? [] : mendedIn(checker.verdictsOf(suite, before), after).map((check) => ({ suite: suite.name, check }));
      });
      return { ...patch, lacking, introduced: introducedBy(checker, now, before), mended };
    });
    const tried = [...prefixes];
    let smallest: JsonSeries["smallest"] = null;
    if (prefixes.some((prefix) => introducedBy(checker, prefix, []).length > 0)) {
      const candidates = subsetsOf(base.added);
      for (let size = 1; size <= base.added.length && smallest === null && !checker.isUnfinished; size++) {
        const ofSize = candidates.filter(({ length }) => length === size);
        tried.push(...ofSize.filter((subset) => !prefixes.some((prefix) => String(prefix) === String(subset))));
        await checker.check(ofSize);
        const found = ofSize.find((subset) => introducedBy(checker, subset, []).length > 0);
        if (found !== undefined) smallest = { commits: found, introduced: introducedBy(checker, found, []) };
      }
    }
    const isWrong = told.some(({ lacking, introduced }) => lacking !== null || introduced.length > 0);
    const exitCode = checker.exitCode(isWrong);
    process.exitCode = exitCode;
    const document: JsonSeries = { ...documentHead("series", checker, tried, options, exitCode), prefixes: told, smallest, exitCode };
    await print(options.json ? jsonText(document) : seriesText(document, base.file, lookOfStdout()));
    return exitCode;
  } finally {
    await checker.close();
  }
}
