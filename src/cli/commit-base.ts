/** The base of the commands that check a design in many sets of commits, and how its suites are run. */
import type { Suite } from "../lang/suite.js";
import { designsOf } from "../session/design-spec.js";
import type { Session } from "../session/open.js";
import type { RunSuiteOptions } from "../session/run-suite.js";
import { type BaseOptions, type CommitBase, commitBase, SetChecker } from "../session/set-checker.js";
import { appliedCommits } from "../step/machine.js";
import { runSuites } from "./drive.js";
import { UsageError, unknownName } from "./errors.js";
import { type LimitOptions, limitsOf, type VariantOptions, variantOf } from "./options.js";
import { isPath, matches, open, select, selectDesign, verdictCache } from "./select.js";
import { SuiteWorkers } from "./suite-workers.js";

export interface SetOptions extends VariantOptions, LimitOptions {
  readonly suite?: string;
  readonly file?: string;
  /** Pattern of designs whose suites are asked, beside those of the base. */
  readonly of?: string;
  readonly cache?: boolean;
  readonly jobs?: number;
  readonly json?: boolean;
}

/** A base, and where it was found. */
export interface OpenedBase {
  readonly session: Session;
  readonly file: string | null;
  readonly base: CommitBase;
}

/**
 * `what` is a design, with commits put in and taken out, or the path of a file whose suites are all of one design. Throws if a commit
 * to be added is part of it already.
 */
export function openBase(what: string, shas: readonly string[], options: SetOptions, how: Omit<BaseOptions, "name"> = {}): OpenedBase {
  if (isPath(what) && options.file !== undefined)
    throw new UsageError(`two files are named: ${what} and ${options.file}`, "Give one of them.");
  const { session, file } = open(isPath(what) ? what : options.file);
  const designs = designsOf(session.suites);
  const named = isPath(what) ? onlyOne(what, [...designs.keys()]) : what;
  const { base: name, design } = selectDesign(named, designs);
  const original = designs.get(name) ?? design;
  const isAsked = (suite: Suite) => suite.design.name === name || (options.of !== undefined && matches(suite.design.name, options.of));
  const ofModel = session.suites.filter((suite) => suite.design.commits === original.commits);
  const asked = ofModel.filter(isAsked);
  if (options.of !== undefined && !ofModel.some((suite) => matches(suite.design.name, options.of as string)))
    throw unknownName("design of its model", options.of, [...new Set(ofModel.map((suite) => suite.design.name))]);
  const suites = select(asked, options.suite === undefined ? {} : { suite: options.suite });
  const base = commitBase(original, appliedCommits(design, variantOf(options)), suites, shas, { name: what, ...how });
  return { session, file, base };
}

function onlyOne(what: string, names: readonly string[]): string {
  const [name, ...others] = names;
  if (name === undefined || others.length > 0)
    throw new UsageError(`${what} has suites of ${names.join(" and ")}`, "Give the name of a design.");
  return name;
}

/** Has work done with a checker of the base that runs suites on as many threads as asked for. */
export async function withChecker<T>(
  { session, base }: OpenedBase,
  options: SetOptions,
  work: (checker: SetChecker) => Promise<T>,
): Promise<T> {
  const workers = new SuiteWorkers(options.jobs);
  const how: RunSuiteOptions = { limits: limitsOf(options), ...(options.cache ? { cache: verdictCache() } : {}) };
  const { revert: _, apply: __, ...faults } = variantOf(options);
  const checker = new SetChecker(
    base,
    async (tasks) => {
      const results = await runSuites(
        session,
        tasks.map(({ suite }) => suite),
        how,
        { workers, startAfter: 0, each: tasks.map(({ variant, goOnAfter }) => ({ variant, goOnAfter })) },
      );
      return results.map((result) => {
        if (result.kind === "error") throw result.error;
        return result.kind === "run" ? result.run : null;
      });
    },
    faults,
  );
  try {
    return await work(checker);
  } finally {
    await workers.close();
    how.cache?.write();
  }
}
