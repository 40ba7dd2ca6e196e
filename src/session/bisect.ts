/** The way from one set of commits to another, and where on it something goes wrong. */
import type { Design } from "../lang/design.js";

/** One commit that is put in, or taken out. */
export interface Toggle {
  readonly sha: string;
  readonly change: "applied" | "reverted";
}

/** What leads from one set to the other: first what is taken out, newest first, then what is put in, oldest first, so that what needs something always has it. */
export function wayBetween({ commits }: Design, from: ReadonlySet<string>, to: ReadonlySet<string>): Toggle[] {
  const known = Object.keys(commits);
  const reverted = known.filter((sha) => from.has(sha) && !to.has(sha)).reverse();
  const applied = known.filter((sha) => !from.has(sha) && to.has(sha));
  return [...reverted.map((sha): Toggle => ({ sha, change: "reverted" })), ...applied.map((sha): Toggle => ({ sha, change: "applied" }))];
}

/** The set after so many of the toggles. */
export function setAfter(from: ReadonlySet<string>, toggles: readonly Toggle[], count: number): Set<string> {
  const set = new Set(from);
  for (const { sha, change } of toggles.slice(0, count)) {
    if (change === "applied") set.add(sha);
    else set.delete(sha);
  }
  return set;
}

export type Tested = "good" | "bad" | "skip";

/**
 * Halves the way until what is known to be bad follows what is known to be good, or until only places are left between them that
 * cannot be tested. `test` is asked for a place from 1 to `length` - 1: 0 is good and `length` is bad. Returns those two places.
 */
export async function bisectWay(length: number, test: (place: number) => Promise<Tested>): Promise<readonly [good: number, bad: number]> {
  let [good, bad] = [0, length];
  const skipped = new Set<number>();
  for (;;) {
    const middle = (good + bad) / 2;
    const untested = Array.from({ length: bad - good - 1 }, (_, between) => good + 1 + between).filter((place) => !skipped.has(place));
    const [nearest] = untested.sort((one, other) => Math.abs(one - middle) - Math.abs(other - middle));
    if (nearest === undefined) return [good, bad];
    const tested = await test(nearest);
    if (tested === "skip") skipped.add(nearest);
    else if (tested === "good") good = nearest;
    else bad = nearest;
  }
}
