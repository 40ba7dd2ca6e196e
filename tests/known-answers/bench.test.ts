/** The models of the benchmark in sizes of which SPIN 6.5.2 and Rumur 2022.08.20 say the same, of their own versions in bench/peers. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Suite } from "../../src/lang/suite.js";
import { modelLoader, session } from "../../src/session/open.js";
import { runSuiteNow } from "../../src/session/run-suite.js";

test.each([
  ["ownership", "ownershipRaces", [2, 3], { states: 460, transitions: 1724 }],
  ["ownership", "ownershipRaces", [2, 9], { states: 138_124, transitions: 1_242_884 }],
  ["bus-walk", "busWalk", [3, 1], { states: 43_616, transitions: 176_449 }],
  ["bus-walk", "busWalk", [3, 3], { states: 103_292, transitions: 420_948 }],
  ["spapr-windows", "spaprWindows", [3, 4], { states: 2480, transitions: 29_328 }],
  ["spapr-windows", "spaprWindows", [3, 7], { states: 133_204, transitions: 2_509_080 }],
] as const)("%s: %s%j", (model, makes, sizes, answer) => {
  const loader = modelLoader({ typecheck: false });
  const file = fileURLToPath(new URL(`../../bench/models/${model}.ts`, import.meta.url));
  const make = loader.load(file).exports[makes] as (...sizes: readonly number[]) => Suite;
  const suite = make(...sizes);
  const { outcome } = runSuiteNow(session([suite], loader), suite);
  expect(outcome).toMatchObject({ ...answer, end: { kind: "complete" }, findings: [] });
});
