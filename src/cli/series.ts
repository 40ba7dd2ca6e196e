/** `iommu-mc series`: what each patch of a series does to what held before it. */
import { type JsonPrefix, type JsonSeries, seriesText, subjectOf } from "../report/commit-sets.js";
import { mendedIn, subsetsOf } from "../session/commit-sets.js";
import type { ExitCode } from "../session/run-suite.js";
import type { SetChecker } from "../session/set-checker.js";
import { openBase, type SetOptions, withChecker } from "./commit-base.js";
import { jsonText } from "./header.js";
import { documentHead, exitCodeOfSets } from "./set-document.js";
import { lookOfStdout, print } from "./terminal.js";

/** Exit code 1 if a patch breaks what held before it, or makes no sense without a later one. */
export async function series(what: string, shas: readonly string[], options: SetOptions): Promise<ExitCode> {
  const opened = openBase(what, shas, options);
  return withChecker(opened, options, async (checker) => {
    const { added } = opened.base;
    const prefixes = [[], ...added.map((_, position) => added.slice(0, position + 1))];
    await checker.check(prefixes);
    const told = added.map((_, position) => prefixOf(checker, prefixes, position));
    const { smallest, tried } = await smallestOf(checker, prefixes);
    const isWrong = told.some(({ lacking, introduced }) => lacking !== null || introduced.length > 0);
    const exitCode = exitCodeOfSets(checker, isWrong);
    process.exitCode = exitCode;
    const document: JsonSeries = {
      ...documentHead("series", checker, [...prefixes, ...tried], exitCode),
      prefixes: told,
      smallest,
      exitCode,
    };
    await print(options.json ? jsonText(document) : seriesText(document, opened.file, lookOfStdout()));
    return exitCode;
  });
}

/** What the patch at the position does. */
function prefixOf(checker: SetChecker, prefixes: readonly (readonly string[])[], position: number): JsonPrefix {
  const { design, suites, added } = checker.base;
  const sha = added[position] as string;
  const patch = { sha, subject: subjectOf(design, sha) };
  const now = prefixes[position + 1] as readonly string[];
  const before = prefixes.slice(0, position + 1).findLast((prefix) => checker.lacking(prefix) === null) ?? [];
  const lacking = checker.lacking(now);
  if (lacking !== null) return { ...patch, lacking, introduced: [], mended: [] };
  const mended = suites.flatMap((suite) => {
    const after = checker.verdictsOf(suite, now);
    return after === null ? [] : mendedIn(checker.verdictsOf(suite, before), after).map((check) => ({ suite: suite.name, check }));
  });
  return { ...patch, lacking, introduced: checker.introducedBy(now, before), mended };
}

/** The fewest patches that break something by themselves, if some prefix does; and the sets that were tried for them. */
async function smallestOf(
  checker: SetChecker,
  prefixes: readonly (readonly string[])[],
): Promise<{ readonly smallest: JsonSeries["smallest"]; readonly tried: readonly (readonly string[])[] }> {
  const { added } = checker.base;
  const tried: (readonly string[])[] = [];
  if (!prefixes.some((prefix) => checker.introducedBy(prefix, []).length > 0)) return { smallest: null, tried };
  const candidates = subsetsOf(added);
  for (let size = 1; size <= added.length && !checker.isUnfinished; size++) {
    const ofSize = candidates.filter(({ length }) => length === size);
    tried.push(...ofSize.filter((subset) => !prefixes.some((prefix) => String(prefix) === String(subset))));
    await checker.check(ofSize);
    const commits = ofSize.find((subset) => checker.introducedBy(subset, []).length > 0);
    if (commits !== undefined) return { smallest: { commits, introduced: checker.introducedBy(commits, []) }, tried };
  }
  return { smallest: null, tried };
}
