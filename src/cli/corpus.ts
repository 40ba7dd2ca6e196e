/** `iommu-mc corpus`: known bugs, each in the design just before its fix and in the one with it. */
import type { KnownBug, Switch } from "../lang/corpus.js";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import { bugText, type CorpusContext, corpusText, type JsonCorpus, jsonBug, type KnownBugRuns, summaryOf } from "../report/corpus.js";
import { exitCodeOf, type SuiteResult, worst } from "../report/verdict.js";
import type { Session } from "../session/open.js";
import { mistakesOf, type Rediscovery, runsOf, suiteOfRow } from "../session/rediscovery.js";
import type { ExitCode } from "../session/run-suite.js";
import { runSuitesOnce } from "./drive.js";
import { UsageError, unknownName } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { open, verdictCache } from "./select.js";
import { lookOfStdout, print, tellErrors } from "./terminal.js";

export interface CorpusOptions {
  readonly file?: string;
  readonly jobs?: number;
  readonly cache?: boolean;
  readonly json?: boolean;
}

/** `which` is a bug's number or name; without it all are shown. Exit code 1 if a row does not come out as it claims. */
export async function corpus(which: string | undefined, options: CorpusOptions): Promise<ExitCode> {
  const { session, file } = open(options.file);
  if (session.bugs.length === 0) throw new UsageError("the file tells of no known bugs", "Export `bugs` and `switches` beside its suites.");
  const bugs = which === undefined ? session.bugs : [bugOf(session.bugs, which)];
  const { known, results } = await runBugs(session, bugs, options);
  const isWrong = known.some(
    ({ refused, rediscoveries }) => refused.length > 0 || rediscoveries.some((each) => mistakesOf(each).length > 0),
  );
  // That something is violated is what is claimed; that a run had no end, or no model, is not.
  const codes = results.map((result): ExitCode => (exitCodeOf(result) === 2 ? 2 : isCut(result) ? 3 : 0));
  const exitCode = worst([...codes, ...(isWrong ? [1 as const] : [])]);
  process.exitCode = exitCode;
  tellErrors(results);
  const context: CorpusContext = { bugs: session.bugs, commits: Object.assign({}, ...session.suites.map(({ design }) => design.commits)) };
  if (options.json) {
    const entries = known.map((runs) => jsonBug(runs, context));
    const document: JsonCorpus = { ...headerOf("corpus"), entries, summary: summaryOf(known), exitCode };
    await print(jsonText(document));
    return exitCode;
  }
  const [only] = known;
  const text =
    which === undefined || only === undefined ? corpusText(known, context, lookOfStdout()) : bugText(only, context, file, lookOfStdout());
  await print(text);
  return exitCode;
}

function bugOf(bugs: readonly KnownBug[], which: string): KnownBug {
  const found = bugs.find(({ id, name }) => name === which || String(id) === which);
  if (found !== undefined) return found;
  throw unknownName(
    "bug",
    which,
    bugs.map(({ name }) => name),
  );
}

type Task = { readonly row: Switch; readonly suite: Suite };

/** Whether an interrupt or a limit came before the end. */
function isCut(result: SuiteResult | undefined): boolean {
  return result?.kind === "not-run" || (result?.kind === "run" && result.run.outcome.end.kind === "limit");
}

/** Runs the bugs' rows, each twice. A row that could not be run to an end is not among those of its bug. */
async function runBugs(
  session: Session,
  bugs: readonly KnownBug[],
  { cache, jobs }: CorpusOptions,
): Promise<{ readonly known: KnownBugRuns[]; readonly results: readonly SuiteResult[] }> {
  const tasks: Task[] = [];
  const refused = new Map<number, string[]>();
  for (const { id } of bugs) {
    for (const row of session.switches.filter(({ entry }) => entry === id)) {
      try {
        tasks.push({ row, suite: suiteOfRow(session, row) });
      } catch (error) {
        if (!(error instanceof ModelError)) throw error;
        refused.set(id, [...(refused.get(id) ?? []), error.message]);
      }
    }
  }
  const results = await runSuitesOnce(
    session,
    tasks.flatMap(({ suite }) => [suite, suite]),
    cache ? { cache: verdictCache() } : {},
    { jobs, each: tasks.flatMap(({ row, suite }) => runsOf(row, suite)) },
  );
  const known = bugs.map((bug): KnownBugRuns => {
    const rediscoveries: Rediscovery[] = [];
    let unfinished = 0;
    for (const [position, { row }] of tasks.entries()) {
      if (row.entry !== bug.id) continue;
      const [before, after] = [results[2 * position], results[2 * position + 1]];
      if (isCut(before) || isCut(after)) unfinished++;
      else if (before?.kind === "run" && after?.kind === "run") rediscoveries.push({ row, before: before.run, after: after.run });
    }
    return { bug, rediscoveries, refused: refused.get(bug.id) ?? [], unfinished };
  });
  return { known, results };
}
