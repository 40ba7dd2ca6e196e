/**
 * Verdicts of suites in sets of commits. A run depends on its commits by what was asked of them and on nothing else, so that what
 * it found out is so in every set that gives the same answers.
 */
import type { ResultVerdict } from "../explore/outcome.js";
import type { Suite } from "../lang/suite.js";
import { formatPath } from "../trace/replay.js";
import { shortestOf } from "./rediscovery.js";
import type { SuiteRun } from "./run-suite.js";

/** What a suite's run in a set of commits came to. */
export interface Verdicts {
  readonly verdicts: ReadonlyMap<string, ResultVerdict>;
  /** Shortest trace of what is violated: its steps, and the path that `iommu-mc replay` takes. */
  readonly traces: ReadonlyMap<string, { readonly steps: number; readonly path: string }>;
  readonly isComplete: boolean;
  readonly states: number;
}

interface Known extends Verdicts {
  readonly applied: ReadonlySet<string>;
  readonly asked: readonly string[];
}

export class CommitSets {
  readonly #known = new Map<string, Known[]>();
  /** Runs that were looked at, and their states together. */
  runs = 0;
  states = 0;

  /** What is known of the suite in the set. */
  find({ name }: Suite, applied: ReadonlySet<string>): Verdicts | null {
    const answersAlike = (known: Known) => known.asked.every((sha) => known.applied.has(sha) === applied.has(sha));
    return this.#known.get(name)?.find(answersAlike) ?? null;
  }

  keep(run: SuiteRun): void {
    const { suite, machine, outcome } = run;
    this.runs++;
    this.states += outcome.states;
    const violated = outcome.results.filter(({ verdict }) => verdict === "violated");
    const traces = violated.flatMap(({ check }) => {
      const found = shortestOf(run, check)?.finding;
      return found === undefined ? [] : [[check, { steps: found.path.length, path: formatPath(found.path) }] as const];
    });
    const known: Known = {
      applied: machine.applied,
      asked: [...machine.asked],
      verdicts: new Map(outcome.results.map(({ check, verdict }) => [check, verdict])),
      traces: new Map(traces),
      isComplete: outcome.end.kind === "complete",
      states: outcome.states,
    };
    this.#known.set(suite.name, [...(this.#known.get(suite.name) ?? []), known]);
  }
}

/** A violation that a set of commits has and another has not. */
export interface Introduced {
  readonly suite: string;
  readonly check: string;
  readonly steps: number | null;
  /** What `iommu-mc replay` takes. */
  readonly path: string | null;
  /** What else was violated in the suite before: a step that faulted there may have hidden this. */
  readonly before: readonly string[];
}

/** What is violated in a suite and was not before. Of a suite that made no sense before, what it does not expect. */
export function introducedIn(suite: Suite, before: Verdicts | null, after: Verdicts): Introduced[] {
  const isNew = (check: string) => {
    if (before === null) return suite.expected?.[check] === undefined;
    const verdict = before.verdicts.get(check);
    return verdict === "holds" || verdict === "vacuous";
  };
  return violatedIn(after)
    .filter(isNew)
    .map((check) => {
      const trace = after.traces.get(check);
      return {
        suite: suite.name,
        check,
        steps: trace?.steps ?? null,
        path: trace?.path ?? null,
        before: before === null ? [] : violatedIn(before),
      };
    });
}

/** What was violated in a suite and holds now. */
export function mendedIn(before: Verdicts | null, after: Verdicts): string[] {
  return before === null ? [] : violatedIn(before).filter((check) => after.verdicts.get(check) === "holds");
}

export function violatedIn({ verdicts }: Verdicts): string[] {
  return [...verdicts].flatMap(([check, verdict]) => (verdict === "violated" ? [check] : []));
}

/** All ways to choose from the items, the smaller ones first, in the order of the items. */
export function subsetsOf<T>(items: readonly T[]): T[][] {
  const all = Array.from({ length: 2 ** items.length }, (_, bits) => items.filter((_, position) => bits & (1 << position)));
  return all.sort((one, other) => one.length - other.length);
}
