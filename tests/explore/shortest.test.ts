import { describe, expect, test } from "vitest";
import { exploreFast } from "../../src/explore/fast.js";
import { finish, machineOf, runSuite, runSuiteNow } from "../../src/session/run-suite.js";
import { engines, explore, findingOf, load, tiny } from "../support/model.js";

/** Two threads count to two each, in a box of their own; what is wrong depends on how far both are. */
const counters = (property: string) =>
  tiny({
    procedures: "function* t(b) { yield; b.n = 1; yield; b.n = 2; yield; b.n = 3; }",
    structs: "box: { n: counter(3) }",
    make: `const a = make("box", "a"); const b = make("box", "b");`,
    threads: `thread("t", t, a), thread("u", t, b)`,
    more: `properties: [claim("P", windows(s).always("box", (box, state) => { const [a, b] = state.all("box").map((one) => one.n); return ${property}; }))]`,
  });

function threadsOf(text: string): number[] {
  const run = explore(text, "fast");
  const { trace } = run.traces.find(({ finding }) => finding.check === "P") as (typeof run.traces)[number];
  return trace.steps.map(({ thread }) => thread);
}

test("among the shortest traces the one with the fewest changes of thread", () => {
  // Any order of two steps of each thread gets there; only two of them change threads once.
  expect(threadsOf(counters("!(a === 2 && b === 2)"))).toEqual([0, 0, 1, 1]);
});

test("a shorter trace comes first, however often it changes threads", () => {
  const text = tiny({
    procedures: `function* t(b, mine) { for (;;) { yield; assume(b.turn === mine && b.n < 3); b.turn = 1 - mine; b.n++; } }
function* alone(b) { yield; b.alone = 1; yield; b.alone = 2; yield; b.alone = 3; yield; b.alone = 4; }`,
    structs: "box: { turn: counter(1), n: counter(3), alone: counter(4) }",
    make: `const b = make("box", "b");`,
    threads: `thread("t", t, b, 0), thread("u", t, b, 1), thread("alone", alone, b)`,
    more: `properties: [claim("P", windows(s).always("box", (b) => b.n < 3 && b.alone < 4))], expected: { atomicity: { verdict: "violated", reason: "no" }, stuck: { verdict: "violated", reason: "no" } }`,
  });
  expect(threadsOf(text)).toEqual([0, 1, 0]);
});

test("which of several violations of one depth is shown is decided by the changes of thread too", () => {
  // One step of each, or two of one: the latter needs no change.
  expect(threadsOf(counters("a + b < 2"))).toEqual([0, 0]);
  expect(threadsOf(counters("!(a === 1 && b === 1) && b < 2"))).toEqual([1, 1]);
});

test("for a step too: the last step counts as one of its thread", () => {
  const text = counters("true")
    .replace(/windows\(s\)\.always\("box",/, `windows(s).onReturn("t", ([box], ret,`)
    .replace("(box, state) =>", "state) =>")
    .replace("return true", "return !(a === 3 && b === 2)");
  expect(threadsOf(text)).toEqual([1, 1, 0, 0, 0]);
});

describe.each(engines)("%s", (engine) => {
  test("a path is as long as the finding is deep, and the same in every run", () => {
    const text = counters("!(a === 2 && b === 2)");
    const paths = [1, 2].map(() => findingOf(explore(text, engine).outcome, "P")?.path);
    expect(paths[0]).toHaveLength(4);
    expect(paths[1]).toEqual(paths[0]);
  });

  test("the initial state has the empty path", () => {
    expect(findingOf(explore(counters("a > 0"), engine).outcome, "P")).toMatchObject({ depth: 0, path: [] });
  });

  test("a violated run finishes its level, so that counts are defined", () => {
    const { outcome } = explore(counters("a < 1 || b > 0"), engine);
    // (0, 0), then (1, 0) and (0, 1): the level of the violation is complete, the next one not begun.
    expect(outcome).toMatchObject({ states: 3, transitions: 2, depth: 1, end: { kind: "violation" } });
  });

  test.each([
    [{ maxDepth: 2 }, "depth"],
    [{ maxStates: 4 }, "states"],
  ] as const)("the limit %o ends the run as unfinished", (limits, what) => {
    const { outcome, exitCode } = explore(counters("true"), engine, { limits });
    expect(outcome.end).toEqual({ kind: "limit", what });
    expect(outcome.results.every(({ verdict }) => verdict === "unfinished")).toBe(true);
    expect(exitCode).toBe(3);
  });

  test("findings that are expected do not end the run, others do", () => {
    const text = counters("a < 1");
    const { session, suite } = load(text.replace("properties:", `expected: { P: { verdict: "violated", reason: "known" } }, properties:`));
    expect(runSuiteNow(session, suite, { engine })).toMatchObject({ outcome: { states: 16, end: { kind: "complete" } }, exitCode: 0 });
    expect(explore(text, engine)).toMatchObject({ outcome: { end: { kind: "violation" } }, exitCode: 1 });
  });
});

describe("the search", () => {
  const wheels = tiny({
    procedures: "function* t(b) { for (;;) { yield; b.n = (b.n + 1) % 16; } }",
    structs: "box: { n: counter(15) }",
    make: `const boxes = [make("box", "a"), make("box", "b"), make("box", "c")];`,
    threads: `...boxes.map((b, number) => thread("t" + number, t, b))`,
    more: `properties: [claim("P", windows(s).always("box", (box, state) => !state.all("box").every((b) => b.n === 15)))]`,
  });

  /** Interrupts when `when` says so; the tracing is looked at before its first sweep, so one look is sure to come. */
  function interrupted(when: (tracing: string | null) => boolean) {
    const { session, suite } = load(wheels);
    const run = runSuite(session, suite);
    let step = run.next();
    let looks = 0;
    while (!step.done) {
      if (when(step.value.tracing)) looks++;
      step = run.next(when(step.value.tracing) ? "interrupt" : undefined);
    }
    return { ...step.value, looks };
  }

  test("can be interrupted; the verdict then stands without a trace", () => {
    const { outcome, exitCode, looks } = interrupted((tracing) => tracing !== null);
    expect(looks).toBe(1);
    expect([outcome.end, outcome.untraced, outcome.findings, exitCode]).toEqual([{ kind: "violation" }, ["P"], [], 1]);
  });

  test("goes to its end if nobody interrupts", () => {
    expect(interrupted(() => false).outcome.findings[0]?.path).toHaveLength(45);
  });
});

test("a run that ends amid a level does not learn what is behind to tell what it has found", () => {
  const text = tiny({
    procedures: `function* t(b) { yield; b.n = 1; yield; b.n = 2; yield; b.n = 3; }
function* late(b) { yield; b.k = 1; yield; b.k = 2; b.late = 1; }`,
    structs: "box: { n: counter(3), k: counter(3), late: counter(1) }",
    make: `const b = make("box", "b");`,
    threads: `thread("t", t, b), thread("late", late, b)`,
    more: `properties: [claim("P", windows(s).always("box", (b) => b.n < 2))]`,
  });
  const { session, suite } = load(text);
  const limited = Array.from({ length: 12 }, (_, maxStates) =>
    finish(exploreFast(machineOf(session, suite), { packAfter: 1, goOnAfter: new Set(["P"]), limits: { maxStates } })),
  );
  const lengths = limited.flatMap((outcome) => findingOf(outcome, "P")?.path.length ?? []);
  expect(new Set(lengths)).toEqual(new Set([2]));
});
