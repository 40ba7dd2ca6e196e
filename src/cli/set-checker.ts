/** Checks the suites of a design in many sets of commits, each suite as seldom as will do. */
import type { Design } from "../lang/design.js";
import type { Suite } from "../lang/suite.js";
import { CommitSets, type Verdicts } from "../session/commit-sets.js";
import type { Session } from "../session/open.js";
import { checksBeside, type ExitCode, type RunSuiteOptions } from "../session/run-suite.js";
import { appliedCommits, lackingIn, resolveCommit, type Variant, variantTo } from "../step/machine.js";
import { runSuites } from "./drive.js";
import { UsageError } from "./errors.js";
import { type LimitOptions, limitsOf, type VariantOptions, variantOf } from "./options.js";
import { chosenSuites, verdictCache } from "./select.js";
import { SuiteWorkers } from "./suite-workers.js";

/** More would take for ever to try in every combination. */
const MOST_COMMITS = 12;

export interface SetOptions extends VariantOptions, LimitOptions {
  readonly suite?: string;
  readonly file?: string;
  readonly cache?: boolean;
  readonly jobs?: number;
  readonly json?: boolean;
}

/** A design, and the commits that are added to it in one way or another. */
export interface Base {
  readonly session: Session;
  readonly file: string | null;
  readonly design: Design;
  /** The commits of the base itself. */
  readonly commits: ReadonlySet<string>;
  readonly suites: readonly Suite[];
  /** Commits to add, as the design calls them. */
  readonly added: readonly string[];
}

/** `what` is a design's name, or the path of a file whose suites are all of one design. Throws if a commit is part of it already. */
export function baseOf(what: string, shas: readonly string[], options: SetOptions): Base {
  const variant = variantOf(options);
  const { session, file, suites } = chosenSuites(what, options, variant);
  const names = [...new Set(suites.map(({ design }) => design.name))];
  const [first] = suites;
  if (names.length > 1 || first === undefined)
    throw new UsageError(`${what} has suites of ${names.join(" and ")}`, "Give the name of a design.");
  // A suite may be declared on the design with commits added: it is asked where they are.
  const { design } = suites.find((suite) => suite.design.added === undefined) ?? first;
  const commits = appliedCommits(design, variant);
  const added = shas.map((sha) => resolveCommit(design, sha));
  const twice = added.find((sha, position) => added.indexOf(sha) !== position);
  if (twice !== undefined) throw new UsageError(`${twice} is named twice`, "Name each commit once.");
  const there = added.find((sha) => commits.has(sha));
  if (there !== undefined)
    throw new UsageError(`${what} has ${there} already`, `Name commits that it has not, or take it out: --revert ${there}.`);
  if (added.length > MOST_COMMITS) {
    throw new UsageError(`${added.length} commits are too many to try in all combinations`, `Name at most ${MOST_COMMITS}.`);
  }
  return { session, file, design, commits, suites, added };
}

/** What the suites of a base say of it with commits added, found out as far as somebody wants to know. */
export class SetChecker {
  readonly #sets = new CommitSets();
  readonly #workers: SuiteWorkers;
  readonly #how: RunSuiteOptions;
  /** Whether Ctrl-C ended the work, or a limit a run. */
  isUnfinished = false;

  constructor(
    readonly base: Base,
    private readonly options: SetOptions,
  ) {
    this.#workers = new SuiteWorkers(options.jobs);
    this.#how = { limits: limitsOf(options), ...(options.cache ? { cache: verdictCache() } : {}) };
  }

  /** Runs so far. */
  get checks(): number {
    return this.#sets.runs;
  }

  /** The commits of the base and these. */
  commitsWith(added: readonly string[]): ReadonlySet<string> {
    return new Set([...this.base.commits, ...added]);
  }

  /** Why the base with these commits makes no sense: a commit that needs another. */
  lacking(added: readonly string[]): { sha: string; needs: string } | null {
    return lackingIn(this.base.design, this.commitsWith(added));
  }

  /** Whether the suite can be asked of the base with these commits: it has what the suite's own design adds. */
  isAsked({ design }: Suite, added: readonly string[]): boolean {
    const applied = this.commitsWith(added);
    return (design.added ?? []).every((sha) => applied.has(sha));
  }

  /** What a suite says of the base with these commits; null if it cannot be asked, or its run had no end. */
  verdictsOf(suite: Suite, added: readonly string[]): Verdicts | null {
    return this.isAsked(suite, added) ? this.#sets.find(suite, this.commitsWith(added)) : null;
  }

  /** Finds out what all suites say of the base with each of these sets, as far as they make sense. Throws what a model throws. */
  async check(sets: readonly (readonly string[])[]): Promise<void> {
    const sensible = sets.filter((added) => this.lacking(added) === null);
    for (;;) {
      // Of each suite one set at a time: what it says of that may be so of the others.
      const tasks = this.base.suites.flatMap((suite) => {
        const next = sensible.find((added) => this.isAsked(suite, added) && this.#sets.find(suite, this.commitsWith(added)) === null);
        return next === undefined ? [] : [{ suite, variant: this.#variantOf(suite, next) }];
      });
      if (tasks.length === 0 || this.isUnfinished) return;
      const { session } = this.base;
      const suites = tasks.map(({ suite }) => suite);
      const crew = {
        workers: this.#workers,
        startAfter: 0,
        each: tasks.map(({ suite, variant }) => ({ variant, goOnAfter: checksBeside(null, suite) })),
      };
      for (const result of await runSuites(session, suites, this.#how, crew)) {
        if (result.kind === "error") throw result.error;
        if (result.kind === "not-run") this.isUnfinished = true;
        else {
          this.#sets.keep(result.run);
          if (result.run.outcome.end.kind === "limit") this.isUnfinished = true;
        }
      }
    }
  }

  /** The exit code, if nothing is wrong but for what is unfinished. */
  exitCode(isWrong: boolean): ExitCode {
    return isWrong ? 1 : this.isUnfinished ? 3 : 0;
  }

  close(): Promise<void> {
    return this.#workers.close();
  }

  #variantOf({ design }: Suite, added: readonly string[]): Variant {
    return { ...variantOf(this.options), ...variantTo(design, this.commitsWith(added)) };
  }
}
