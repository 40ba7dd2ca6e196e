/** Counts on which SPIN, Stateright, Rumur and TLC agree; TLC also counts the initial state as generated and in the depth. */
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import type { Suite } from "../../src/lang/suite.js";
import { modelLoader, session } from "../../src/session/open.js";
import { runSuiteNow } from "../../src/session/run-suite.js";
import type { Engine } from "../support/model.js";

const loader = modelLoader({ cacheDir: false, typecheck: false });
const file = fileURLToPath(new URL("models/two-phase-commit.ts", import.meta.url));
const make = loader.load(file).exports.twoPhaseCommit as (resourceManagers: number) => Suite;

test.each<[number, Engine, { states: number; transitions?: number; depth?: number }]>([
  [3, "reference", { states: 288, transitions: 1145, depth: 10 }],
  [3, "fast", { states: 288, transitions: 1145, depth: 10 }],
  [5, "fast", { states: 8832 }],
  [7, "fast", { states: 296_448, transitions: 2_744_705, depth: 22 }],
])("two-phase commit with %i resource managers, %s engine", (resourceManagers, engine, answer) => {
  const suite = make(resourceManagers);
  const { outcome, exitCode } = runSuiteNow(session([suite], loader), suite, { engine });
  expect(outcome).toMatchObject({ ...answer, end: { kind: "complete" }, findings: [] });
  expect(exitCode).toBe(0);
});
