/** Checks of the end of a run: the window `atEnd`, `livelock` and `leak` in scenarios that terminate. */
import { describe, expect, test } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { judgeEnd } from "../../src/trace/judge.js";
import { replayPath } from "../../src/trace/replay.js";
import { engines, explore, findingOf, found, tiny, verdictOf } from "../support/model.js";

/** Two threads on a box with a pool of objects. */
const boxes = (procedures: string, { threads = `thread("t", t, b)`, more = "terminates: true" } = {}) =>
  tiny({
    procedures,
    structs: `box: { go: flag(), done: flag(), tick: flag(), n: counter(3), m: mutex(), p: ref("obj"), all: list("obj", 2), seen: ref("obj").ghost() },
      obj: { kref: refcount(3), peer: ref("obj"), all: setOf("obj") }`,
    make: `const b = make("box", "b"); const o = make("obj", "o"); b.p = o; const spare = make("obj", "spare");`,
    threads,
    more: `pools: { obj: 4 }, ${more}`,
  });
const two = `thread("t", t, b), thread("u", u, b)`;

describe.each(engines)("%s", (engine) => {
  const run = (text: string) => explore(text, engine);
  const findings = (text: string) => found(run(text).outcome);

  describe("livelock", () => {
    const retry = (until: string) =>
      boxes(
        `function* retry(b) { while (!b.done) { yield; b.tick = !b.tick; } }\nfunction* t(b) { yield; b.go = true; ${until} yield* retry(b); }`,
      );

    test("what goes round for ever is found where the last way out is missed, and named", () => {
      const { outcome, exitCode } = run(retry(""));
      expect(findingOf(outcome, "livelock")).toMatchObject({
        depth: 0,
        message: "no end can be reached from here: t goes round in retry",
      });
      expect([exitCode, outcome.end, outcome.findings.length]).toEqual([1, { kind: "complete" }, 1]);
      expect(verdictOf(run(retry("b.done = true;")).outcome, "livelock")).toBe("holds");
    });

    test("a way out that only some behaviours take leaves nothing to find; one that is lost half-way is found there", () => {
      expect(findings(retry("b.done = choose('done', [true, true]);"))).toEqual([]);
      expect(findings(retry("yield; b.done = choose('done', [true, false]);"))).toEqual(["livelock @2"]);
    });

    test("who waits meanwhile is said; who has finished or rests is not", () => {
      const text = boxes(
        "function* spin(b) { for (;;) { yield; b.tick = !b.tick; } }\nfunction* t(b) { yield* spin(b); }\nfunction* u(b) { yield; yield until(() => b.done); }\nfunction* v(b) { yield idle(); }",
        { threads: `${two}, thread("v", v, b)` },
      );
      const { message } = findingOf(run(text).outcome, "livelock") as { message: string };
      expect(message).toBe("no end can be reached from here: t goes round in spin, while u waits in u");
    });

    test("a loop that rests idle in each round has ends", () => {
      expect(findings(boxes("function* t(b) { for (;;) { yield idle(); b.tick = !b.tick; yield; } }"))).toEqual([]);
      expect(findings(boxes("function* t(b) { for (;;) { yield idle(() => b.go); b.tick = !b.tick; } }"))).toEqual([]);
      expect(findings(boxes("function* t(b) { for (;;) { yield idle(() => !b.go); b.tick = !b.tick; } }"))).toEqual(["livelock @0"]);
    });

    test("a deadlock is stuck and nothing else, also for what leads to it only", () => {
      const waits = "function* t(b) { yield; b.n = 1; yield; b.n = 2; yield until(() => b.done); }";
      expect(findings(boxes(waits))).toEqual(["stuck @2"]);
      const spinner = "\nfunction* u(b) { while (!b.done) { yield; b.tick = !b.tick; } }";
      // Nobody is stuck as long as the other one moves; but it moves for ever.
      expect(findings(boxes(waits + spinner, { threads: two }))).toEqual(["livelock @0"]);
    });

    test("what lies beyond a fault is not known, so it counts as a way out", () => {
      expect(findings(boxes("function* t(b) { for (;;) { yield; BUG_ON(choose('bug', [false, true])); } }"))).toEqual(["bug-on @1 line 2"]);
    });

    test("is asked only where the scenario terminates, and only of a run that is complete", () => {
      const endless = "function* t(b) { for (;;) { yield; b.n = (b.n + 1) % 3; } }";
      expect(verdictOf(run(boxes(endless, { more: "" })).outcome, "livelock")).toBeUndefined();
      const { outcome, exitCode } = explore(boxes(endless), engine, { limits: { maxStates: 1 } });
      expect([verdictOf(outcome, "livelock"), outcome.findings, exitCode]).toEqual(["unfinished", [], 3]);
      expect(() => run(boxes(endless, { more: "expected: { livelock: { verdict: 'violated', reason: 'asked in vain' } }" }))).toThrow(
        ModelError,
      );
    });

    test("an expected one is as expected, and everything else is decided", () => {
      const expected = "terminates: true, expected: { livelock: { verdict: 'violated', reason: 'a test' } }";
      const { outcome, exitCode } = run(boxes("function* t(b) { for (;;) { yield; b.n = (b.n + 1) % 3; } }", { more: expected }));
      expect([exitCode, verdictOf(outcome, "livelock"), verdictOf(outcome, "stuck")]).toEqual([0, "violated", "holds"]);
    });

    test("long ways back to the one exit are followed in both directions", () => {
      const chain =
        "function* t(b) { yield; for (;;) { b.n = choose('n', [0, 1, 2, 3]); yield; while (b.n > 0) { b.n -= 1; yield; } if (choose('enough', [false, true])) return; } }";
      expect(findings(boxes(chain))).toEqual([]);
      expect(findings(boxes(chain.replace("[false, true]", "[false, b.go]")))).toEqual(["livelock @0"]);
    });

    test("more states ahead than the plain engine looks at: still found, and said how far it was seen", () => {
      const text = tiny({
        procedures: "function* t(b) { for (;;) { yield; b.x = (b.x + 1) % 60; if (b.x === 0) b.y = (b.y + 1) % 60; } }",
        structs: "box: { x: counter(60), y: counter(60) }",
        make: `const b = make("box", "b");`,
        threads: `thread("t", t, b)`,
        more: "terminates: true",
      });
      const { outcome } = run(text);
      expect(findingOf(outcome, "livelock")?.message).toMatch(/t goes round in t \(seen in 3000 states from here; there are more\)/);
    });

    test("a replayed path shows it", () => {
      const { machine } = run(retry(""));
      const shown = judgeEnd(machine, [0], replayPath(machine, [0]));
      expect(shown.map(({ finding }) => finding.check)).toEqual(["livelock"]);
    });
  });

  describe("leak at the end", () => {
    const leak = (body: string, more?: string) => boxes(`function* t(b) { yield; ${body} }`, more === undefined ? {} : { more });
    const take = "const o = kzalloc(s, 'obj');";

    test("an object that only a local ever referred to", () => {
      const { outcome } = run(leak(`${take} kref_init(o.kref, 2);`));
      expect(findingOf(outcome, "leak")).toMatchObject({
        depth: 1,
        subject: "obj2",
        message: "at the end obj is still allocated, but nothing refers to it, with references that nobody will drop",
      });
      expect(findings(leak(`${take} kfree(o);`))).toEqual([]);
      expect(findings(leak(`${take} b.all.length; list_add(o, b.all);`))).toEqual([]);
    });

    test("without a reference left it is said without", () => {
      expect(findingOf(run(leak(take)).outcome, "leak")?.message).toBe("at the end obj is still allocated, but nothing refers to it");
    });

    test("objects that refer to each other only are lost together", () => {
      const text = leak(`${take} const p = kzalloc(s, 'obj'); o.peer = p; p.all.add(o);`);
      expect(findingOf(run(text).outcome, "leak")).toMatchObject({ subject: "obj2, obj3" });
      expect(findings(text.replace("o.peer = p;", "o.peer = p; b.p.peer = o;"))).toEqual([]);
    });

    test("what the setup made is lost when the last pointer to it goes; what it never pointed to is its own", () => {
      expect(findingOf(run(leak("b.p = null;")).outcome, "leak")).toMatchObject({ subject: "o" });
      expect(findings(leak("b.n = 1;"))).toEqual([]);
    });

    test("a ghost pointer holds nothing, the local of a thread that rests does", () => {
      expect(findings(leak(`${take} b.seen = o;`))).toEqual(["leak @1"]);
      expect(findings(leak(`${take} yield idle(() => b.go); kfree(o);`))).toEqual([]);
      expect(findings(leak(`${take} yield idle(() => b.go); b.go = false;`))).toEqual(["leak @1"]);
    });

    test("only in ends, and only where the scenario terminates", () => {
      expect(
        findings(leak(`${take} yield; b.go = true; b.p = o; yield; kfree(o); b.p = null;`)).map((each) => each.replace(/ .*/, "")),
      ).toEqual(["leak"]);
      expect(findings(leak(`${take} kref_init(o.kref, 2);`, ""))).toEqual([]);
    });

    test("an exhausted pool says leak too, of objects that only refer to each other as well", () => {
      const text = leak(`for (;;) { ${take} o.peer = o; yield; }`, "");
      expect(findingOf(run(text).outcome, "leak")).toMatchObject({
        message: "no obj is left: obj2, obj3 allocated, but nothing refers to it",
      });
    });
  });

  describe("atEnd", () => {
    const atEnd = (window: string, procedures: string, threads = `thread("t", t, b)`) =>
      boxes(procedures, { threads, more: `properties: [claim("P", windows(s).${window})]` });
    const verdict = (text: string) => verdictOf(run(text).outcome, "P");

    test("a thread that may rest for ever is at its end there, whether it can go on or not", () => {
      const user = "function* t(b) { for (;;) { yield idle(); b.n = 1; yield; b.n = 0; } }";
      expect(verdict(atEnd(`atEnd("box", (b) => b.n === 0)`, user))).toBe("holds");
      expect(findings(atEnd(`atEnd("box", (b) => b.n === 1)`, user))).toEqual(["P @0"]);
    });

    test("one whose condition has come true is not", () => {
      const worker =
        "function* t(b) { for (;;) { yield idle(() => b.go); b.go = false; } }\nfunction* u(b) { yield; b.n = 1; b.go = true; }";
      expect(verdict(atEnd(`atEnd("box", (b) => !b.go && b.n === 1)`, worker, two))).toBe("holds");
      expect(findings(atEnd(`atEnd("box", (b) => b.go)`, worker, two))).toContain("P @2");
    });

    test("once for the whole state", () => {
      const set = "function* t(b) { yield; b.n = 1; }";
      expect(verdict(atEnd(`atEnd((state) => state.all("box").every((b) => b.n === 1))`, set))).toBe("holds");
      expect(findings(atEnd(`atEnd((state) => ({ "one object": state.all("obj").length === 1 }))`, set))).toEqual(["P @1"]);
    });

    test("a stuck state is no end", () => {
      expect(verdict(atEnd(`atEnd("box", () => false)`, "function* t(b) { yield; yield until(() => b.go); }"))).toBe("unfinished");
    });
  });
});
