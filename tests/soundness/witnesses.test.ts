/** Two histories that lead to the same control state must go on alike, in every state. */
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Suite } from "../../src/lang/suite.js";
import { modelLoader, session } from "../../src/session/open.js";
import { machineOf } from "../../src/session/run-suite.js";
import type { State } from "../../src/state/state.js";
import type { Machine } from "../../src/step/machine.js";
import type { NativeBlock } from "../../src/step/run.js";
import { models } from "../random/grow.js";
import { machine } from "../support/model.js";

/** Explores up to so many states and runs every block by both witnesses. Returns how often there were two. */
function compareWitnesses(explored: Machine, mostStates: number): number {
  const states: State[] = [explored.initial];
  const seen = new Set([JSON.stringify(explored.initial)]);
  let compared = 0;
  const shown = ({ outcome, decisions, writes, next, fault, reports, accesses, acquisitions }: NativeBlock) => ({
    outcome,
    decisions,
    writes: [...writes],
    next: next?.key,
    fault,
    reports,
    accesses,
    acquisitions,
  });
  for (const state of states) {
    for (const thread of explored.threads.keys()) {
      for (const block of explored.blocks(state, thread)) {
        if (explored.control(state, thread).secondWitness !== null) {
          compared++;
          expect(shown(explored.run(state, thread, { choices: block.choices, otherThan: block }))).toEqual(shown(block));
        }
        if (block.state === null) continue;
        const next = explored.normalise(block.state);
        const key = JSON.stringify(next);
        if (seen.has(key) || states.length >= mostStates) continue;
        seen.add(key);
        states.push(next);
      }
    }
  }
  return compared;
}

test("two-phase commit", () => {
  const loader = modelLoader({ cacheDir: false, typecheck: false });
  const file = fileURLToPath(new URL("../known-answers/models/two-phase-commit.ts", import.meta.url));
  const suite = (loader.load(file).exports.twoPhaseCommit as (count: number) => Suite)(3);
  expect(compareWitnesses(machineOf(session([suite], loader), suite), 288)).toBeGreaterThan(500);
});

test("random models", () => {
  let compared = 0;
  fc.assert(
    fc.property(models, (text) => {
      compared += compareWitnesses(machine(text), 150);
    }),
    { numRuns: 60 },
  );
  expect(compared).toBeGreaterThan(200);
});
