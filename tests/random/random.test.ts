import fc from "fast-check";
import { expect, test } from "vitest";
import { compareEngines } from "./agreement.js";
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
