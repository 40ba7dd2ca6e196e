/**
 * Which commits a kernel has that its design has not, or is without: a distribution takes some early. They are looked for one by one,
 * each time that which lets the model explain most of the recording.
 */
import type { Outcome } from "../ftrace/explain.js";
import type { Design } from "../lang/design.js";
import type { Toggle } from "./bisect.js";
import { finish } from "./run-suite.js";
import { needsOf } from "./set-checker.js";
import type { Validation } from "./validate.js";

export interface Explaining {
  readonly validation: Validation;
  readonly outcome: Outcome;
  /** What the set that explains most is made of the design by; empty if that is the design itself. */
  readonly toggles: readonly Toggle[];
  /** Sets that were tried. */
  readonly tried: number;
}

export interface TryingSets {
  /** Of the best set so far. */
  readonly explained: number;
  readonly tried: number;
}

/** Changes of a set that are tried one after the other: with more, hardly anybody would call it the same kernel. */
const MOST_CHANGES = 6;

/** Looks for the set. `trial` makes a run with a set of commits, or with the design's own. */
export function* explainingCommits(trial: (commits?: ReadonlySet<string>) => Validation): Generator<TryingSets, Explaining, void> {
  let best = tried(trial());
  let count = 1;
  const { design } = best.validation;
  const own = new Set(design.includes);
  const known = Object.keys(design.commits);
  let set: ReadonlySet<string> = own;
  for (let change = 0; change < MOST_CHANGES && best.outcome.unexplained !== null; change++) {
    let better: typeof best | null = null;
    let betterSet = set;
    // Of a commit that nobody asked for up to there it makes no difference whether it is applied.
    for (const sha of known.filter((each) => best.validation.machine.asked.has(each))) {
      const changed = toggled(design, set, sha);
      const candidate = tried(trial(changed));
      count++;
      yield { explained: (better ?? best).outcome.explained, tried: count };
      if (candidate.outcome.hitLimit || !isBetter(candidate.outcome, (better ?? best).outcome)) continue;
      better = candidate;
      betterSet = changed;
      if (candidate.outcome.unexplained === null) break;
    }
    if (better === null) break;
    best = better;
    set = betterSet;
  }
  const toggles = known.flatMap((sha): Toggle[] => {
    if (own.has(sha) === set.has(sha)) return [];
    return [{ sha, change: set.has(sha) ? "applied" : "reverted" }];
  });
  return { ...best, toggles, tried: count };
}

function tried(validation: Validation): Pick<Explaining, "validation" | "outcome"> {
  return { validation, outcome: finish(validation.run) };
}

function isBetter(one: Outcome, other: Outcome): boolean {
  return one.unexplained === null ? other.unexplained !== null : other.unexplained !== null && one.explained > other.explained;
}

/** The set with the commit put in, and what it needs, or taken out, and what needs it. */
function toggled(design: Design, set: ReadonlySet<string>, sha: string): ReadonlySet<string> {
  if (!set.has(sha)) return new Set([...set, sha, ...needsOf(design, [sha])]);
  return new Set([...set].filter((each) => each !== sha && !needsOf(design, [each]).includes(sha)));
}
