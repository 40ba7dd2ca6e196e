/** Finds out what suites say of a design in many sets of commits, each suite run as seldom as will do. */
import type { Design } from "../lang/design.js";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import { lackingIn, resolveCommit, type Variant, variantTo } from "../step/machine.js";
import { CommitSets, type Introduced, introducedIn, type Verdicts } from "./commit-sets.js";
import { checksBeside, type SuiteRun } from "./run-suite.js";

/** More would take for ever to try in every combination. */
const MOST_COMMITS = 12;

/** A design, and the commits that are added to it in one way or another. */
export interface CommitBase {
  readonly design: Design;
  /** The commits of the base itself. */
  readonly commits: ReadonlySet<string>;
  /** Who is asked. */
  readonly suites: readonly Suite[];
  /** Commits to add, as the design calls them. */
  readonly added: readonly string[];
  /** What comes with a commit that is added: what it needs, and is neither there nor to be added. */
  readonly carried: ReadonlyMap<string, readonly string[]>;
  /** Commits that a suite is asked without too, though it is declared with them. */
  readonly optional: ReadonlySet<string>;
}

export interface BaseOptions {
  /** What the base is called where it is refused. */
  readonly name: string;
  /** Whether commits bring what they need with them. Default no: without it they make no sense. */
  readonly carry?: boolean;
  /** Whether a suite that is declared with commits of those to be added is asked without them too. Default no. */
  readonly asksWithout?: boolean;
}

/** Throws a ModelError if there are too many commits, or one is there already, or is named twice. */
export function commitBase(
  design: Design,
  commits: ReadonlySet<string>,
  suites: readonly Suite[],
  shas: readonly string[],
  { name, carry = false, asksWithout = false }: BaseOptions,
): CommitBase {
  const added = shas.map((sha) => resolveCommit(design, sha));
  const twice = added.find((sha, position) => added.indexOf(sha) !== position);
  if (twice !== undefined) throw new ModelError(`${twice} is named twice`, "Name each commit once.");
  const there = added.find((sha) => commits.has(sha));
  if (there !== undefined)
    throw new ModelError(`${name} has ${there} already`, `Name commits that it has not, or take it out: --revert ${there}.`);
  if (added.length > MOST_COMMITS)
    throw new ModelError(`${added.length} commits are too many to try in all combinations`, `Name at most ${MOST_COMMITS}.`);
  const isGiven = (sha: string) => commits.has(sha) || added.includes(sha);
  const carriedBy = (sha: string) => (carry ? needsOf(design, [sha]).filter((needed) => !isGiven(needed)) : []);
  const carried = new Map(added.map((sha) => [sha, carriedBy(sha)]));
  return { design, commits, suites, added, carried, optional: new Set(asksWithout ? added : []) };
}

/** What the commits need, and what that needs, in the order in which the design knows them. */
export function needsOf({ commits }: Pick<Design, "commits">, shas: readonly string[]): string[] {
  const found = new Set<string>();
  const add = (sha: string) => {
    for (const needed of commits[sha]?.needs ?? []) {
      if (found.has(needed)) continue;
      found.add(needed);
      add(needed);
    }
  };
  for (const sha of shas) add(sha);
  return Object.keys(commits).filter((sha) => found.has(sha));
}

/** A run that somebody wants: violations do not end it. */
export interface SetTask {
  readonly suite: Suite;
  readonly variant: Variant;
  readonly goOnAfter: readonly string[];
}

/** Runs suites; null where one was not run. */
export type RunTasks = (tasks: readonly SetTask[]) => Promise<readonly (SuiteRun | null)[]>;

/** A violation, with the variant of the suite that it is seen in. */
export interface IntroducedBySet extends Introduced {
  readonly variant: Variant;
}

/** What was saved: suites are run once for all sets of commits that they cannot tell apart. */
export interface Effort {
  /** Sets of commits that make sense. */
  readonly sets: number;
  readonly suites: number;
  /** Suites that these sets were asked of, each with each: the runs that it takes without sharing. */
  readonly asked: number;
  /** Runs it took. */
  readonly checks: number;
  /** States of all that was asked, and of what was run. */
  readonly statesAsked: number;
  readonly states: number;
}

/** What the suites of a base say of it with commits added, found out as far as somebody wants to know. */
export class SetChecker {
  readonly #sets = new CommitSets();
  readonly #unfit = new Set<Suite>();
  /** Whether Ctrl-C ended the work, or a limit a run. */
  isUnfinished = false;

  /** `faults` are those of each run. */
  constructor(
    readonly base: CommitBase,
    private readonly run: RunTasks,
    private readonly faults: Pick<Variant, "faults" | "faultPolicy"> = {},
  ) {}

  /** The commits of the base, these, and what comes with them. */
  commitsWith(added: readonly string[]): ReadonlySet<string> {
    return new Set([...this.base.commits, ...added.flatMap((sha) => [...(this.base.carried.get(sha) ?? []), sha])]);
  }

  /** Why the base with these commits makes no sense: a commit that needs another. */
  lacking(added: readonly string[]): { sha: string; needs: string } | null {
    return lackingIn(this.base.design, this.commitsWith(added));
  }

  /** Suites whose model is at fault for the base itself, as far as that was checked: their scenarios have too little room for it. They are asked nothing. */
  get unfit(): readonly string[] {
    return [...this.#unfit].map(({ name }) => name);
  }

  /** Whether the suite can be asked of the base with these commits: it has what the suite's own design adds. */
  isAsked(suite: Suite, added: readonly string[]): boolean {
    const applied = this.commitsWith(added);
    return !this.#unfit.has(suite) && (suite.design.added ?? []).every((sha) => applied.has(sha) || this.base.optional.has(sha));
  }

  /** What a suite says of the base with these commits; null if it cannot be asked, or was not run. */
  verdictsOf(suite: Suite, added: readonly string[]): Verdicts | null {
    return this.isAsked(suite, added) ? this.#sets.find(suite, this.commitsWith(added)) : null;
  }

  /** Finds out what all suites say of the base with each of these sets, as far as they make sense. Throws what a model throws. */
  async check(sets: readonly (readonly string[])[]): Promise<void> {
    const sensible = sets.filter((added) => this.lacking(added) === null);
    for (;;) {
      // Of each suite one set at a time: what it says of that may be so of the others.
      const tasks = this.base.suites.flatMap((suite): SetTask[] => {
        const next = sensible.find((added) => this.isAsked(suite, added) && this.#sets.find(suite, this.commitsWith(added)) === null);
        return next === undefined ? [] : [{ suite, variant: this.#variantOf(suite, next), goOnAfter: checksBeside(null, suite) }];
      });
      if (tasks.length === 0 || this.isUnfinished) break;
      for (const run of await this.run(tasks)) {
        if (run === null || run.outcome.end.kind === "limit") this.isUnfinished = true;
        if (run !== null) this.#sets.keep(run);
      }
    }
    for (const suite of this.base.suites)
      if (this.verdictsOf(suite, [])?.verdicts.get("model-fault") === "violated") this.#unfit.add(suite);
  }

  /** What is violated with the commits of one set and not with those of another, in all suites. */
  introducedBy(now: readonly string[], before: readonly string[]): IntroducedBySet[] {
    return this.base.suites.flatMap((suite) => {
      const after = this.verdictsOf(suite, now);
      if (after === null) return [];
      const variant = this.#variantOf(suite, now);
      return introducedIn(suite, this.verdictsOf(suite, before), after).map((each) => ({ ...each, variant }));
    });
  }

  /** What it took to find out about these sets. */
  effortOf(sets: readonly (readonly string[])[]): Effort {
    const sensible = sets.filter((added) => this.lacking(added) === null);
    const { suites } = this.base;
    const asked = sensible.flatMap((added) =>
      suites.flatMap((suite) => (this.isAsked(suite, added) ? [this.verdictsOf(suite, added)] : [])),
    );
    return {
      sets: sensible.length,
      suites: suites.length,
      asked: asked.length,
      checks: this.#sets.runs,
      statesAsked: asked.reduce((sum, verdicts) => sum + (verdicts?.states ?? 0), 0),
      states: this.#sets.states,
    };
  }

  #variantOf({ design }: Suite, added: readonly string[]): Variant {
    return { ...this.faults, ...variantTo(design, this.commitsWith(added)) };
  }
}
