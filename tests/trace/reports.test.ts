/** What a report says has to be what its path shows, and a limit has to end a run whatever takes its time. */
import { describe, expect, test } from "vitest";
import { judgeEnd } from "../../src/trace/judge.js";
import { replayPath } from "../../src/trace/replay.js";
import { engines, explore, findingOf, machine, tiny } from "../support/model.js";

describe.each(engines)("%s", (engine) => {
  test("of two objects that break a property after as many steps, the one is named that the path leads to", () => {
    const text = tiny({
      structs: "box: { n: counter(1), bad: flag() }",
      make: `const d0 = make("box", "d0"); const d1 = make("box", "d1");`,
      threads: `thread("a", a, d0), thread("b", b, d0, d1)`,
      procedures: `function* a(x) { yield; x.n = 1; }
function* b(x, y) { yield; if (x.n === 1) x.bad = true; yield; y.bad = true; }`,
      more: `properties: [claim("P", windows(s).always("box", (b) => !b.bad))], expected: { atomicity: { verdict: "violated", reason: "not the point" } }`,
    });
    const { traces, outcome } = explore(text, engine);
    const { finding, trace } = traces.find((shown) => shown.finding.check === "P") as (typeof traces)[number];
    const boxes = trace.states.at(-1)?.objects.box;
    expect(boxes?.map(({ bad }) => bad)).toEqual(finding.subject === "d0" ? [1, 0] : [0, 1]);
    expect(findingOf(outcome, "P")?.subject).toBe(finding.subject);
  });

  test("the same for what a check has to say", () => {
    const text = tiny({
      structs: "box: { n: counter(1) }",
      make: `const d0 = make("box", "d0");`,
      threads: `thread("a", a, d0), thread("b", b, d0)`,
      procedures: `function* a(x) { yield; x.n = 1; }
function* b(x) { yield; const n = x.n; yield; WARN_ON(true, n === 1 ? "raised" : "not raised"); }`,
    });
    for (const { finding, trace } of explore(text, engine).traces) {
      expect(trace.steps.at(-1)?.reports.map(({ message }) => message)).toContain(finding.message);
    }
  });
});

test("a step property that reads an object before it was allocated is told so", () => {
  const text = tiny({
    structs: "box: { p: ref('obj') }, obj: { v: counter(1) }",
    make: `const b = make("box", "b");`,
    threads: `thread("t", t, b)`,
    procedures: `function* t(b) { yield; b.p = kzalloc(s, "obj"); }`,
    more: "pools: { obj: 1 }, properties: [claim('P', windows(s).onStep('obj', (o, before) => before(() => o.v) === o.v))]",
  });
  expect(findingOf(explore(text, "fast").outcome, "P")?.message).toBe("it reads obj0, which is not allocated before the step");
});

test("a step with very many alternatives does not outrun the time limit", () => {
  const text = tiny({
    structs: "box: { n: counter(3) }",
    make: `const b = make("box", "b");`,
    threads: `thread("t", t, b)`,
    procedures: "function* t(b) { yield; let k = 0; for (let i = 0; i < 30; i++) k += choose('bit', [0, 1]); b.n = k % 4; }",
  });
  const { outcome, exitCode } = explore(text, "fast", { limits: { timeoutSeconds: 0.5 } });
  expect([outcome.end, exitCode]).toEqual([{ kind: "limit", what: "time" }, 3]);
  expect(outcome.statistics.seconds).toBeLessThan(10);
});

test("control states without end do not either", () => {
  const text = tiny({
    structs: "box: { n: counter(3) }",
    make: `const b = make("box", "b");`,
    threads: `thread("t", t, b)`,
    procedures: "function* t(b) { yield; yield* t(b); }",
  });
  const { outcome } = explore(text, "fast", { limits: { timeoutSeconds: 0.5 } });
  expect(outcome.end).toEqual({ kind: "limit", what: "time" });
  expect(outcome.statistics.seconds).toBeLessThan(5);
});

test("a path to an exhausted pool says why the pool is exhausted, as the run does", () => {
  const text = tiny({
    structs: "box: { n: counter(1) }, obj: { v: counter(1) }",
    make: `const b = make("box", "b");`,
    threads: `thread("t", t, b)`,
    procedures: "function* t(b) { yield; { const o = kzalloc(s, 'obj'); o.v = 1; } yield; { const o = kzalloc(s, 'obj'); o.v = 1; } }",
    more: "pools: { obj: 1 }",
  });
  const leak = findingOf(explore(text, "fast").outcome, "leak");
  const plain = machine(text);
  expect(judgeEnd(plain, leak?.path ?? [], replayPath(plain, leak?.path ?? [])).map(({ finding }) => finding)).toEqual([leak]);
});
