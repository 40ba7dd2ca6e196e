/** `--paranoid`: what is run natively in every state has to be what the rules say. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { exploreFast } from "../../src/explore/fast.js";
import type { Outcome } from "../../src/explore/outcome.js";
import { ModelError } from "../../src/lang/errors.js";
import { bundledSuites, openSuites } from "../../src/session/open.js";
import { runSuiteNow } from "../../src/session/run-suite.js";
import type { Machine } from "../../src/step/machine.js";
import type { NativeBlock } from "../../src/step/run.js";
import { models } from "../random/grow.js";
import { comparable, explore, load, machine, tiny } from "../support/model.js";

const STATES = 200;

function runParanoid(explored: Machine): Outcome {
  const run = exploreFast(explored, { paranoid: true, limits: { maxStates: STATES } });
  for (;;) {
    const { done, value } = run.next();
    if (done) return value;
  }
}

/** Two counters that go round, so that each rule is applied in many states. */
const counters = (procedures: string, more = "") =>
  tiny({
    procedures,
    structs: "box: { n: counter(7), k: counter(7), flag: flag(), m: mutex() }",
    make: `const b = make("box", "b");`,
    threads: `thread("t", t, b), thread("u", u, b)`,
    more,
  });
const honest = counters(
  "function* t(b) { for (;;) { yield; b.n = (b.n + 1) % 8; } }\nfunction* u(b) { for (;;) { yield* mutex_lock(b.m); b.k = (b.k + 1) % 8; mutex_unlock(b.m); yield; } }",
);

describe("state outside of the state", () => {
  // Reached through a parameter, and seen only after it was used often: what is learned twice comes out the same.
  const hidden = (what: string) =>
    counters(
      `const kept = { calls: 0 };\nfunction often(where) { where.calls++; return where.calls > 60; }\nfunction* t(b) { for (;;) { yield; b.n = (b.n + 1) % 8; ${what} } }\nfunction* u(b) { for (;;) { yield; b.k = (b.k + 1) % 8; } }`,
    );

  test("an object at module level behind an alias is not noticed by a run, and is by a paranoid one", () => {
    const text = hidden("if (often(kept)) b.flag = true;");
    expect(explore(text, "fast").outcome.states).toBe(64);
    expect(() => explore(text, "fast", { paranoid: true })).toThrow(
      /hidden state: run natively from t, thread t .* b\.flag = true, not false/,
    );
  });

  test.each([
    ["a report", "WARN_ON(often(kept));", /it reports other things/],
    ["a fault", "BUG_ON(often(kept));", /it ends in .*, not in none|nondeterministic/],
    ["a wait", "yield until(() => !often(kept));", /it lacks a step|nondeterministic/],
    ["a local", "const x = often(kept) ? 1 : 2; yield; b.n = x;", /it goes on elsewhere|nondeterministic/],
  ])("%s that depends on it", (_, what, message) => {
    expect(() => explore(hidden(what), "fast", { paranoid: true })).toThrow(message);
  });

  test("the fault of a model has a place", () => {
    try {
      explore(hidden("if (often(kept)) b.flag = true;"), "fast", { paranoid: true });
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(ModelError);
      expect((error as ModelError).location).toMatchObject({ line: 4 });
    }
  });

  test("a property that remembers", () => {
    const text = honest.replace(
      "export const tiny = suiteOf(s, {",
      "const kept = { calls: 0 };\nfunction often(where) { where.calls++; return where.calls > 60; }\nexport const tiny = suiteOf(s, { properties: [claim('P', windows(s).always('box', (b) => b.n < 9 && !often(kept)))],",
    );
    expect(explore(text, "fast").outcome.findings).toEqual([]);
    expect(() => explore(text, "fast", { paranoid: true })).toThrow(/property P, asked natively, is false/);
  });
});

describe("a rule that is wrong", () => {
  /** The machine, which after some honest runs does what `lie` makes of a block. */
  function lying(lie: (block: NativeBlock) => NativeBlock): Machine {
    const true_ = machine(honest);
    let runs = 0;
    const run: Machine["run"] = (...parameters) => {
      const block = true_.run(...parameters);
      return ++runs > 100 ? lie(block) : block;
    };
    return Object.create(true_, { run: { value: run } }) as Machine;
  }

  test.each<[string, (block: NativeBlock) => NativeBlock, RegExp]>([
    ["a step too many", (block) => ({ ...block, outcome: "blocked" }), /it lacks a step that a rule knows/],
    [
      "a fault",
      (block) => ({ ...block, fault: { check: "bug-on", message: "BUG", location: null }, next: null, state: null }),
      /it ends in BUG, not in none/,
    ],
    ["other locks", (block) => ({ ...block, acquisitions: [] }), /it takes other locks/],
    ["another place to go on", (block) => ({ ...block, next: block.next && { ...block.next } }), /it goes on elsewhere/],
  ])("%s", (_, lie, message) => {
    expect(() => runParanoid(lying(lie))).toThrow(message);
    expect(runParanoid(lying((block) => block)).end).toEqual({ kind: "complete" });
  });
});

test("an honest run comes out as it does without, and says how much was compared", () => {
  const [plainly, twice] = [false, true].map((paranoid) => explore(honest, "fast", { paranoid }).outcome) as [Outcome, Outcome];
  expect(comparable(twice)).toEqual(comparable(plainly));
  expect(twice.statistics.comparedNatively).toBeGreaterThanOrEqual(twice.transitions);
  expect(plainly.statistics.comparedNatively).toBe(0);
});

test("random models", () => {
  fc.assert(
    fc.property(models, (text) => {
      const { session, suite } = load(text);
      const options = { limits: { maxStates: 300 } };
      try {
        const plainly = runSuiteNow(session, suite, options).outcome;
        expect(comparable(runSuiteNow(session, suite, { ...options, paranoid: true }).outcome)).toEqual(comparable(plainly));
      } catch (error) {
        if (!(error instanceof ModelError) || /hidden state|asked natively/.test(error.message)) throw error;
      }
    }),
    { numRuns: 60 },
  );
});

const session = openSuites(bundledSuites());

describe("the bundled suites", () => {
  it.each(session.suites.map((suite) => ({ name: suite.name, suite })))("$name", ({ suite }) => {
    const { outcome } = runSuiteNow(session, suite, { paranoid: true, limits: { maxStates: STATES } });
    expect(outcome.statistics.comparedNatively).toBeGreaterThan(0);
  });
});
