/** Which sets of fixes a design can take: what is safe, what needs what, and how that is known. */
import { subsetsOf, violatedIn } from "./commit-sets.js";
import { type IntroducedBySet, needsOf, type SetChecker } from "./set-checker.js";

/** Some of the fixes. */
export interface Subset {
  readonly commits: readonly string[];
  /** It makes sense, somebody was asked, all came to an end, and nothing is violated with it that is not without it. */
  readonly safe: boolean;
  /** A commit of it that needs another, which it has not; null if it makes sense. */
  readonly lacking: { readonly sha: string; readonly needs: string } | null;
  /** What is violated with these fixes and not without them. */
  readonly introduced: readonly IntroducedBySet[];
  /** Suites that came to no end: a limit was hit, or their model is at fault with these fixes. */
  readonly unfinished: readonly string[];
}

/** Another fix that every set which will do has, if it has the one. */
export interface Need {
  readonly sha: string;
  /** `declared` by the design, without which it makes no sense; or `found`: sets that make sense without it will not do. */
  readonly because: "declared" | "found";
  /** The largest such set; null if it is declared. */
  readonly without: readonly string[] | null;
  /** What is violated with it that keeps it from doing: what the other fix mends, or one that the set lacks too. */
  readonly violated: readonly IntroducedBySet[];
}

/** How a fix stands among sets that will do. */
export interface Standing {
  /** Null if it is in none. */
  readonly needs: readonly Need[] | null;
  /** The smallest that it is in, itself included; null if there is none. */
  readonly smallest: readonly string[] | null;
  /** All that it is in and that have no other such set inside. */
  readonly minimal: readonly (readonly string[])[];
}

/** What will do is a safe set. */
export interface Fix extends Standing {
  readonly sha: string;
  /** What comes with it, since it needs it: neither there nor one of the fixes. */
  readonly carries: readonly string[];
  /** If all fixes together are not safe: how it stands where a set will do that breaks nothing but what they break together. */
  readonly besideAll: Standing | null;
}

/** What is violated without the fixes, and holds with some. */
export interface Mended {
  readonly suite: string;
  readonly check: string;
  /** The sets with which it holds and that have no other such set inside: of more than one fix if they mend it only together. */
  readonly by: readonly (readonly string[])[];
}

export interface Backports {
  readonly fixes: readonly Fix[];
  readonly subsets: readonly Subset[];
  readonly mended: readonly Mended[];
  /** What all fixes together break. */
  readonly left: readonly IntroducedBySet[];
}

/** Tries every subset of what is added to the checker's base. */
export async function tryBackports(checker: SetChecker): Promise<Backports> {
  const { added } = checker.base;
  const sets = subsetsOf(added);
  await checker.check([[]]);
  await checker.check(sets);
  const subsets = sets.map((commits) => subsetOf(checker, commits));
  const all = subsets.find(({ commits }) => commits.length === added.length);
  const left = all?.introduced ?? [];
  const isLeft = ({ suite, check }: IntroducedBySet) => left.some((each) => each.suite === suite && each.check === check);
  const fixes = added.map((sha): Fix => {
    const standing = standingOf(checker, sha, subsets, () => true);
    const besideAll = left.length === 0 ? null : standingOf(checker, sha, subsets, (each) => !isLeft(each));
    return { sha, carries: checker.base.carried.get(sha) ?? [], ...standing, besideAll };
  });
  return { fixes, subsets, mended: mendedWith(checker, subsets), left };
}

function mendedWith(checker: SetChecker, subsets: readonly Subset[]): Mended[] {
  const sensible = subsets.filter(({ lacking }) => lacking === null).map(({ commits }) => commits);
  return checker.base.suites.flatMap((suite) => {
    const before = checker.verdictsOf(suite, []);
    return (before === null ? [] : violatedIn(before)).flatMap((check): Mended[] => {
      const by = minimal(sensible.filter((commits) => checker.verdictsOf(suite, commits)?.verdicts.get(check) === "holds"));
      return by.length === 0 ? [] : [{ suite: suite.name, check, by }];
    });
  });
}

function subsetOf(checker: SetChecker, commits: readonly string[]): Subset {
  const lacking = checker.lacking(commits);
  if (lacking !== null) return { commits, safe: false, lacking, introduced: [], unfinished: [] };
  // A model at fault, whose run has no end, says nothing of the fixes.
  const introduced = checker.introducedBy(commits, []).filter(({ check }) => check !== "model-fault");
  const asked = checker.base.suites.filter((suite) => checker.isAsked(suite, commits));
  const unfinished = asked.flatMap((suite) => (checker.verdictsOf(suite, commits)?.isComplete === true ? [] : [suite.name]));
  const safe = asked.length > 0 && introduced.length === 0 && unfinished.length === 0;
  return { commits, safe, lacking, introduced, unfinished };
}

/** A set will do if nothing that counts is violated with it. */
function standingOf(
  checker: SetChecker,
  sha: string,
  subsets: readonly Subset[],
  counts: (introduced: IntroducedBySet) => boolean,
): Standing {
  const having = subsets.filter(({ commits, lacking }) => lacking === null && commits.includes(sha));
  const isAsked = (commits: readonly string[]) => checker.base.suites.some((suite) => checker.isAsked(suite, commits));
  const willDo = ({ commits, introduced, unfinished }: Subset) => isAsked(commits) && unfinished.length === 0 && !introduced.some(counts);
  const good = having.filter(willDo).map(({ commits }) => commits);
  const [smallest = null] = good;
  const declared = needsOf(checker.base.design, [sha]);
  const needOf = (other: string): Need => {
    if (declared.includes(other)) return { sha: other, because: "declared", without: null, violated: [] };
    const largest = having.findLast(({ commits }) => !commits.includes(other));
    return { sha: other, because: "found", without: largest?.commits ?? null, violated: largest?.introduced.filter(counts) ?? [] };
  };
  const needed = smallest?.filter((other) => other !== sha && good.every((commits) => commits.includes(other)));
  return { needs: needed?.map(needOf) ?? null, smallest, minimal: minimal(good) };
}

/** Those without others of them inside. */
export function minimal(sets: readonly (readonly string[])[]): (readonly string[])[] {
  const contains = (larger: readonly string[], smaller: readonly string[]) =>
    larger !== smaller && smaller.every((sha) => larger.includes(sha));
  return sets.filter((set) => !sets.some((other) => contains(set, other)));
}
