import fc from "fast-check";
import { expect, test } from "vitest";
import type { State } from "../../src/state/state.js";
import { type ReplayedPath, replayPath } from "../../src/trace/replay.js";
import { machine, tiny } from "../support/model.js";

/** Two threads that take turns; one of them ends in a fault now and then. */
const model = machine(
  tiny({
    structs: "box: { n: counter(3) }",
    make: `const b = make("box", "b");`,
    threads: `thread("one", t, b), thread("other", t, b)`,
    procedures: `function* t(b) { for (;;) { yield; if (choose("up", [true, false])) b.n = b.n + 1; else b.n = 0; } }`,
  }),
);

/** The path as far as there are steps of that number. */
function possible(path: readonly number[]): number[] {
  let longest: number[] = [];
  let state = model.initial as State | null;
  for (const ordinal of path) {
    if (state === null) break;
    const from: State = state;
    const steps = model.threads.flatMap((_, thread) => [...model.blocks(from, thread, { parked: true })]);
    const taken = steps[ordinal];
    if (taken === undefined) break;
    longest = [...longest, ordinal];
    state = taken.state && model.normalise(taken.state);
  }
  return longest;
}

function told({ steps, states, last }: ReplayedPath) {
  const shown = steps.map(({ patches, changes, stored, ...step }) => ({ ...step, patches, changes, stored }));
  return JSON.stringify([shown, states, last?.reports, last?.fault, last?.next?.frames.length, [...(last?.writes ?? [])]]);
}

const paths = fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 8 }).map(possible);

test("a path that is replayed from where it parts from others is the same", () => {
  let faults = 0;
  let shared = 0;
  fc.assert(
    fc.property(fc.array(paths, { minLength: 1, maxLength: 6 }), (all) => {
      const others: ReplayedPath[] = [];
      for (const path of all) {
        const replayed = replayPath(model, path, others);
        expect(told(replayed)).toBe(told(replayPath(model, path)));
        if (others.some(({ steps }) => steps[0] === replayed.steps[0])) shared++;
        if (replayed.last?.fault) faults++;
        others.push(replayed);
      }
    }),
    { numRuns: 100 },
  );
  expect(Math.min(shared, faults)).toBeGreaterThan(10);
});

test("a path does not go on after a fault, whoever has replayed that before", () => {
  const faulty = possible([0, 0, 0, 0, 0, 0]);
  const replayed = replayPath(model, faulty);
  expect(replayed.last?.fault).not.toBeNull();
  expect(() => replayPath(model, [...faulty, 0], [replayed])).toThrow(/cannot be followed beyond step/);
});
