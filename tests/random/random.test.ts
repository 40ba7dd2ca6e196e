import fc from "fast-check";
import { expect, test } from "vitest";
import { compareEngines, compareReduced } from "./agreement.js";
import { models } from "./grow.js";

const RUNS = 200;

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

test("steps that are fused change nothing but the states", () => {
  let fewer = 0;
  fc.assert(
    fc.property(models, (text) => {
      const states = compareReduced(text);
      if (states !== null && states.reduced < states.plain) fewer++;
    }),
    { numRuns: RUNS },
  );
  // Of about half of them steps are fused.
  expect(fewer).toBeGreaterThan(RUNS / 4);
});
