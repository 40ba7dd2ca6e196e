import fc from "fast-check";
import { expect, test } from "vitest";
import type { Lossy } from "../../src/explore/lossy.js";
import { LOSSY_MODES } from "../../src/explore/lossy-table.js";
import { ALL_REDUCTIONS } from "../../src/explore/reduced.js";
import { comparable } from "../support/model.js";
import { compareEngines, compareLossy, compareReduced } from "./agreement.js";
import { alikeModels, models } from "./grow.js";

const RUNS = 200;
const REDUCED_RUNS = 120;
const LOSSY_RUNS = 60;

test("the engines agree on random models", () => {
  const kinds = { compared: 0, "too large": 0, refused: 0 };
  fc.assert(
    fc.property(models, (text) => {
      kinds[compareEngines(text).kind]++;
    }),
    { numRuns: RUNS },
  );
  expect(kinds.compared, JSON.stringify(kinds)).toBeGreaterThan(RUNS / 2);
});

// Of about half of them steps are fused, of half of those with threads that are alike these are interchangeable, and in a quarter something is dead.
test.each([
  ["steps that are fused", models, { fusion: true, symmetry: false, clearing: false }],
  ["states that stand for their images", alikeModels, { fusion: false, symmetry: true, clearing: false }],
  ["fields that are cleared", models, { fusion: false, symmetry: false, clearing: true }],
  ["all together", alikeModels, ALL_REDUCTIONS],
])("%s change nothing but the states", (_, from, reductions) => {
  let fewer = 0;
  fc.assert(
    fc.property(from, (text) => {
      const states = compareReduced(text, reductions);
      if (states !== null && states.reduced < states.plain) fewer++;
    }),
    { numRuns: REDUCED_RUNS },
  );
  expect(fewer).toBeGreaterThan(REDUCED_RUNS / 8);
});

/** Random models of which the states are forgotten, packed anew again and again on the way: what is found in all of them. */
function forgetting(lossy: Omit<Lossy, "lossyAfter" | "seed">) {
  const all: NonNullable<ReturnType<typeof compareLossy>>[] = [];
  fc.assert(
    fc.property(models, (text) => {
      const compared = compareLossy(text, { ...lossy, lossyAfter: text.length % 3, seed: text.length });
      if (compared !== null) all.push(compared);
    }),
    { numRuns: LOSSY_RUNS, seed: 1 },
  );
  expect(all.length).toBeGreaterThan(LOSSY_RUNS / 2);
  const sum = (of: (compared: (typeof all)[number]) => number) => all.reduce((total, compared) => total + of(compared), 0);
  const omissionOf = ({ forgetful: { omission } }: (typeof all)[number]) => (omission?.mode === "off" ? null : omission);
  return {
    all,
    missing: sum(({ plain, forgetful }) => plain.states - forgetful.states),
    expected: sum((compared) => omissionOf(compared)?.expectedOmissions ?? 0),
    restarts: sum((compared) => omissionOf(compared)?.restarts ?? 0),
  };
}

test.each(LOSSY_MODES)("states that are forgotten are not found again, if there is room: %s", (mode) => {
  const { all, expected, restarts } = forgetting({ mode, tableBytes: 2 ** 20 });
  for (const { plain, forgetful } of all) {
    const told = ({ states, transitions, depth, findings, ...others }: ReturnType<typeof comparable>) => ({
      ...{ states, transitions, depth, faultedSteps: others.faultedSteps, lockOrder: others.lockOrder },
      // That no end can be reached is not asked.
      findings: findings.filter((finding) => !finding.startsWith("livelock")),
    });
    expect(told(comparable(forgetful))).toEqual(told(comparable(plain)));
  }
  expect(expected).toBeLessThan(0.01);
  expect(restarts).toBeGreaterThan(LOSSY_RUNS / 2);
});

test.each<Omit<Lossy, "lossyAfter">>([
  { mode: "hash", keptBits: 4, tableBytes: 5 * 4000 },
  { mode: "bits", tableBytes: 200 },
])("what is found where many are omitted is there, and as many are omitted as is said, and what only they lead to: %o", (lossy) => {
  const { missing, expected } = forgetting(lossy);
  expect(expected).toBeGreaterThan(10);
  expect(missing).toBeGreaterThan(expected / 2);
  expect(missing).toBeLessThan(expected * 10);
});
