/** Several threads find what one finds, and number it alike. */
import { deepStrictEqual } from "node:assert";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Worker } from "node:worker_threads";
import fc from "fast-check";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { exploreFast } from "../../src/explore/fast.js";
import type { ExploreOptions, Outcome } from "../../src/explore/outcome.js";
import { exploreReduced } from "../../src/explore/reduced.js";
import { Store } from "../../src/explore/store.js";
import { Team, TOGETHER, type Together } from "../../src/explore/team.js";
import { TeamControl } from "../../src/explore/team-control.js";
import { ModelError } from "../../src/lang/errors.js";
import { bundledSuites, openSuites } from "../../src/session/open.js";
import { checksOfSuite, finish, machineOf } from "../../src/session/run-suite.js";
import { models } from "../random/grow.js";
import { comparable, load, type Parts, tiny, verdictOf } from "../support/model.js";
import { agree, type Explored, explored } from "../support/states.js";

/** Threads that were started. */
const started = vi.hoisted((): Worker[] => []);

vi.mock("node:worker_threads", async (original) => {
  const real = await original<typeof import("node:worker_threads")>();
  class Noted extends real.Worker {
    constructor(...given: ConstructorParameters<typeof real.Worker>) {
      super(...given);
      started.push(this);
    }
  }
  return { ...real, Worker: Noted };
});

beforeEach(() => {
  started.length = 0;
});

/** Even a few states are explored together. */
const EAGERLY: Together = { block: 3, least: 1, calm: 0, enters: 1, waits: true };

test("of random models", () => {
  const explorers = { alone: 0, together: 0 };
  fc.assert(
    fc.property(models, fc.integer({ min: 2, max: 3 }), fc.boolean(), (text, threads, packsEarly) => {
      const { session, suite } = load(text);
      const options = { packAfter: packsEarly ? 3 : 40, goOnAfter: new Set(checksOfSuite(suite)), limits: { maxStates: 2000 } };
      let alone: Explored;
      try {
        alone = explored(machineOf(session, suite), options);
      } catch (error) {
        if (error instanceof ModelError) return;
        throw error;
      }
      const together = explored(machineOf(session, suite), { ...options, threads, together: EAGERLY });
      agree(alone, together);
      explorers[together.outcome.statistics.threads > 1 ? "together" : "alone"]++;
    }),
    { numRuns: 30 },
  );
  expect(explorers.together, JSON.stringify(explorers)).toBeGreaterThan(5);
});

test("of a reduced run: each finds the image of a state that is kept", () => {
  const text = tiny({
    procedures: `function* t(b, all) { for (let i = 0; i < 3; i++) { yield; b.n = i; yield* mutex_lock(all.m); yield; all.n = b.n; mutex_unlock(all.m); } }`,
    structs: "box: { n: counter(3), m: mutex() }",
    make: `const all = make("box", "all"); const own = ["a", "b", "c"].map((name) => make("box", name));`,
    threads: `...own.map((b, each) => thread("t" + each, t, b, all))`,
    more: `properties: [claim("N", windows(s).sometimes("box", (b, state) => state.all("box")[3].n === 2 && state.all("box")[2].n === 0))]`,
  });
  const { session, suite } = load(text);
  const run = (threads: number) => {
    const options = { threads, together: EAGERLY, packAfter: 40, reduceAfter: 20, goOnAfter: new Set(checksOfSuite(suite)) };
    return finish(exploreReduced(machineOf(session, suite), options));
  };
  const [alone, together] = [run(1), run(2)] as const;
  deepStrictEqual(comparable(together), comparable(alone));
  expect(alone.reduction).toMatchObject({ symmetry: { interchangeable: Array(3).fill(expect.any(String)) } });
  expect([alone, together].map(({ statistics }) => statistics.threads)).toEqual([1, 2]);
});

/** Three hands that turn, with so many places each. */
const dials = (places: number, more: Partial<Parts>, { procedures = "", threads = "" } = {}) => {
  const turn = (field: string) => `function* turn_${field}(dial) { for (;;) { yield; dial.${field} = (dial.${field} + 1) % ${places}; } }`;
  return tiny({
    procedures: [...["x", "y", "z"].map(turn), procedures].join("\n"),
    structs: "dial: { x: counter(23), y: counter(23), z: counter(23), late: counter(7), later: counter(200) }",
    make: `const dial = make("dial", "dial", { late: 5 });`,
    threads: [...["x", "y", "z"].map((field) => `thread("${field}", turn_${field}, dial)`), threads].filter(Boolean).join(),
    ...more,
  });
};

test("of claims that fail in one state, or in one step, of thousands", () => {
  const text = dials(24, {
    more: `properties: [
      claim("STATE", windows(s).always("dial", (d) => !(d.x === 17 && d.y === 13 && d.z === 19))),
      claim("STEP", windows(s).onStep("dial", (d, before) => !(d.x === 11 && d.y === 21 && d.z === 8 && before(() => d.x) === 10))),
      claim("SEEN", windows(s).sometimes("dial", (d) => d.x === 23 && d.y === 22 && d.z === 21)),
      claim("NEVER", windows(s).sometimes("dial", (d) => d.x === 23 && d.y === 22 && d.z === 24)),
    ]`,
  });
  const { session, suite } = load(text);
  const options = { packAfter: 40, goOnAfter: new Set(checksOfSuite(suite)) };
  const alone = explored(machineOf(session, suite), options);
  const together = explored(machineOf(session, suite), { ...options, threads: 2, together: { ...EAGERLY, block: 16 } });
  agree(alone, together);
  const verdicts = ["STATE", "STEP", "SEEN", "NEVER"].map((code) => verdictOf(together.outcome, code));
  expect(verdicts).toEqual(["violated", "violated", "holds", "vacuous"]);
  expect(together.outcome.statistics.threads).toBe(2);
});

/** Explores the model by one thread and by two, and has them agree; how often the two opened a stretch, and how many stretches that were. */
function openedAndBegun(text: string) {
  const { session, suite } = load(text);
  const options = { packAfter: 40, goOnAfter: new Set(checksOfSuite(suite)) };
  const alone = explored(machineOf(session, suite), options);
  const opening = vi.spyOn(TeamControl.prototype, "open");
  const beginning = vi.spyOn(TeamControl.prototype, "prepare");
  const together = explored(machineOf(session, suite), { ...options, threads: 2, together: { ...EAGERLY, block: 16 } });
  agree(alone, together);
  expect(together.outcome.statistics.threads).toBe(2);
  const counts = { opened: opening.mock.calls.length, begun: beginning.mock.calls.length };
  opening.mockRestore();
  beginning.mockRestore();
  return counts;
}

test("of states that are remarkable in the midst of a block: what others expanded behind them is not lost", () => {
  const asks = (claim: string) => dials(24, { more: `properties: [claim("ASKS", windows(s).always("dial", (d) => ${claim}))]` });
  // One of some hundred states has an answer of its own, of which one is wrong.
  const { opened, begun } = openedAndBegun(asks("d.x !== 17 || d.y % 2 === 1 || d.z !== 22 || d.y !== 20"));
  expect(opened).toBeGreaterThan(begun + 20);
  // Each has.
  openedAndBegun(asks("(d.x + d.y + d.z) % 71 !== 69"));
}, 60_000);

test("of cells that change for the first time, and of control states that come, when many states are known", () => {
  const extending = vi.spyOn(Store.prototype, "extend");
  const late = `function* wait(dial) { yield until(() => dial.x === 11 && dial.y > 9 && dial.z > 10);
    for (let n = 0; n < 2; n++) { dial.late = n; yield; for (let k = 0; k < 12; k++) { yield; dial.later = 9 * k; } } }`;
  openedAndBegun(dials(12, {}, { procedures: late, threads: `thread("wait", wait, dial)` }));
  const extended = extending.mock.contexts.map((store) => (store as Store).count);
  extending.mockRestore();
  // By one thread, and by two.
  expect(extended.filter((states) => states > 1000).length).toBeGreaterThanOrEqual(4);
}, 60_000);

test("of a bundled suite, with terminating threads and expected violations", () => {
  const session = openSuites(bundledSuites());
  for (const wanted of ["ownership/intel-q35/interface", "dma/lazy/intel_iommu"]) {
    const suite = session.suites.find(({ name }) => name === wanted);
    if (suite === undefined) throw new Error(`no suite ${wanted}`);
    const options = { goOnAfter: new Set(Object.keys(suite.expected ?? {})) };
    const alone = explored(machineOf(session, suite), options, 101);
    const together = explored(machineOf(session, suite), { ...options, threads: 2, together: { ...TOGETHER, waits: true } }, 101);
    agree(alone, together);
    expect([alone, together].map(({ outcome }) => outcome.statistics.threads)).toEqual([1, 2]);
  }
});

describe("of a million states", () => {
  const session = openSuites("tests/cli/fixtures/large.ts");
  const suite = session.suites.find(({ name }) => name === "big/four");
  if (suite === undefined) throw new Error("no suite big/four");
  const WHEELS = { end: { kind: "complete" }, states: 32 ** 4, transitions: 8 * 32 ** 4, depth: 4 * 16 };

  /** As the command line does it: what becomes of other threads is heard of whenever it tells how far it is. */
  async function explore(options: ExploreOptions, look: (states: number) => "interrupt" | undefined): Promise<Outcome> {
    const work = exploreFast(machineOf(session, suite as NonNullable<typeof suite>), options);
    let step = work.next();
    while (!step.done) {
      const request = look(step.value.states);
      await nextTurn();
      step = work.next(request);
    }
    return step.value;
  }

  test("when the others die in the midst", async () => {
    let killed = 0;
    const outcome = await explore({ threads: 3, together: { ...TOGETHER, waits: true } }, (states) => {
      const dies = started[killed];
      if (dies === undefined || states < 100_000 * (killed + 1)) return undefined;
      killed++;
      void dies.terminate();
      return undefined;
    });
    expect(killed).toBe(2);
    expect(outcome).toMatchObject(WHEELS);
    expect(outcome.statistics.threads).toBe(3);
  });

  test("when somebody dies over a table that has grown", async () => {
    const entering = vi.spyOn(Team.prototype, "enter").mockReturnValueOnce(false);
    const outcome = await explore({ threads: 2, together: { ...TOGETHER, waits: true } }, () => undefined);
    expect(entering.mock.results.map(({ value }) => value)).toEqual([false, true, true]);
    expect(outcome).toMatchObject(WHEELS);
    entering.mockRestore();
  });

  test("when it is interrupted, it ends at once", async () => {
    const outcome = await explore({ threads: 2 }, (states) => (states > 300_000 ? "interrupt" : undefined));
    expect(outcome.end).toEqual({ kind: "limit", what: "interrupt" });
    expect(outcome.states).toBeLessThan(WHEELS.states);
  });

  test("with a limit on states, it ends where one thread would", async () => {
    const limits = { maxStates: 400_000 };
    const alone = await explore({ limits }, () => undefined);
    const together = await explore({ limits, threads: 2, together: { ...TOGETHER, waits: true } }, () => undefined);
    expect(together.statistics.threads).toBe(2);
    deepStrictEqual(comparable(together), comparable(alone));
  });
});
