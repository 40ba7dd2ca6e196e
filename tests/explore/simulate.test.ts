import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { runSuiteNow } from "../../src/session/run-suite.js";
import { type SimulateSuiteOptions, type SuiteSimulation, simulateSuite } from "../../src/session/simulate-suite.js";
import { models } from "../random/grow.js";
import { load, tiny } from "../support/model.js";

const some: SimulateSuiteOptions = { seed: 1, walks: 50, maxSteps: 50 };

function walkThrough(text: string, options: Partial<SimulateSuiteOptions> = {}): SuiteSimulation {
  const { session, suite } = load(text);
  const walking = simulateSuite(session, suite, { ...some, ...options });
  for (;;) {
    const { done, value } = walking.next();
    if (done) return value;
  }
}

/** A thread that opens a lock of four digits by chance, and one that only makes noise. */
const lock = (properties: string, expected = "{}") =>
  tiny({
    procedures: `function* thief(b) { for (;;) { yield; const digit = choose("digit", [0, 1, 2]); b.open = digit === [2, 1, 0, 2][b.open] ? b.open + 1 : 0; if (b.open === 4) return; } }
function* noise(b) { for (;;) { yield; b.noise = 1 - b.noise; } }`,
    structs: "box: { open: counter(4), noise: counter(1) }",
    make: `const b = make("box", "b");`,
    threads: `thread("thief", thief, b), thread("noise", noise, b)`,
    more: `properties: [${properties}], expected: ${expected}`,
  });
const closed = `claim("P", windows(s).always("box", (b) => b.open < 4))`;

describe("a walk", () => {
  test("finds what is there, and its path is made as short as it can be", () => {
    const { simulation, traces, exitCode } = walkThrough(lock(closed), { walks: 1000, maxSteps: 1000 });
    expect([exitCode, simulation.end]).toEqual([1, { kind: "violation" }]);
    // The right digits and nothing else.
    expect(simulation.findings).toMatchObject([{ check: "P", depth: 4, path: [2, 1, 0, 2] }]);
    expect(traces[0]?.trace.steps.map(({ thread }) => thread)).toEqual([0, 0, 0, 0]);
  });

  test("is the same for the same seed, and another for another", () => {
    const facts = (seed: number) => {
      const { seconds, ...rest } = walkThrough(lock(`claim("P", windows(s).always("box", (b) => b.open < 3))`), {
        seed,
        walks: 1000,
      }).simulation;
      return rest;
    };
    expect(facts(7)).toEqual(facts(7));
    expect(new Set([1, 2, 3, 4, 5].map((seed) => JSON.stringify(facts(seed)))).size).toBeGreaterThan(1);
  });

  test("goes on after what is expected, and then sees every state of a small space", () => {
    const { simulation, exitCode } = walkThrough(lock(closed, `{ P: { verdict: "violated", reason: "known" } }`), { walks: 500 });
    expect(exitCode).toBe(0);
    expect(simulation).toMatchObject({ walks: 500, states: 10, end: { kind: "complete" } });
    expect(simulation.longest).toBe(50);
  });

  test("says of a witness whether it was seen, and of a property whether it was asked", () => {
    const { simulation } = walkThrough(
      lock(
        `claim("seen", windows(s).sometimes("box", (b) => b.open === 2)), claim("unseen", windows(s).sometimes("box", (b) => b.noise > 1)), claim("closed", windows(s).always("box", (b) => b.open > 4 ? false : null)), claim("holds", windows(s).always("box", (b) => b.open < 5))`,
      ),
    );
    expect(simulation.results.filter(({ isProperty }) => isProperty)).toMatchObject([
      { check: "seen", verdict: "seen" },
      { check: "unseen", verdict: "never seen" },
      { check: "closed", verdict: "never asked" },
      { check: "holds", verdict: "not violated" },
    ]);
    expect(walkThrough(lock(closed), { walks: 1, maxSteps: 1 }).simulation.states).toBeLessThan(10);
  });

  test("ends where nothing can move, and that is asked about too", () => {
    const text = tiny({
      procedures: "function* t(b) { yield; b.n = 1; yield until(() => b.n > 1); }",
      structs: "box: { n: counter(2) }",
      make: `const b = make("box", "b");`,
      threads: `thread("t", t, b)`,
    });
    const { simulation } = walkThrough(text);
    expect(simulation.findings).toMatchObject([{ check: "stuck", depth: 1 }]);
  });

  test("an initial state that is wrong needs no step", () => {
    const { simulation } = walkThrough(lock(`claim("P", windows(s).always("box", (b) => b.open > 0))`));
    expect(simulation).toMatchObject({ steps: 0, findings: [{ check: "P", depth: 0, path: [] }] });
  });
});

test("on random models walks find nothing that exploring does not", () => {
  let compared = 0;
  let found = 0;
  fc.assert(
    fc.property(models, fc.nat({ max: 1000 }), (text, seed) => {
      const explored = attempt(() => {
        const { session, suite } = load(text);
        return runSuiteNow(session, suite, { limits: { maxStates: 2000 } }).outcome;
      });
      if (explored === null || explored.end.kind !== "complete") return;
      const { simulation } = walkThrough(text, { seed, walks: 10 });
      const violated = new Set(explored.findings.map(({ check }) => check));
      for (const { check, depth } of simulation.findings) {
        expect(violated).toContain(check);
        const shortest = Math.min(...explored.findings.filter((finding) => finding.check === check).map((finding) => finding.depth));
        expect(depth).toBeGreaterThanOrEqual(shortest);
      }
      expect(simulation.states).toBeLessThanOrEqual(explored.states);
      compared++;
      found += simulation.findings.length;
    }),
    { numRuns: 60 },
  );
  expect(compared).toBeGreaterThan(20);
  expect(found).toBeGreaterThan(20);
});

/** The result, or null for a model that is refused. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}
