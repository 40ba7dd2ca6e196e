import { describe, expect, test } from "vitest";
import { engines, explore, findingOf, found, tiny } from "../support/model.js";

/** One box with a pointer to an obj made in the setup, from a pool of so many. */
const withObject = (procedures: string, threads: string, slots = 1, more = "") =>
  tiny({
    procedures,
    structs: `box: { p: ref("obj"), q: ref("obj"), done: flag(), list: list("obj", 2), set: setOf("obj") }, obj: { v: counter(2), next: ref("obj") }`,
    make: `const b = make("box", "b"); const o = make("obj", "o"); b.p = o;`,
    threads,
    more: `pools: { obj: ${slots} }, ${more}`,
  });

describe.each(engines)("%s", (engine) => {
  const findings = (text: string) => found(explore(text, engine).outcome);
  const message = (text: string, check: string) => findingOf(explore(text, engine).outcome, check)?.message;

  test("null-deref: a field of NULL is read", () => {
    const text = withObject("function* t(b) {\n  yield;\n  b.p.v = 1; yield;\n  b.q.v = 1;\n}", `thread("t", t, b)`);
    expect(findings(text)).toEqual(["null-deref @2 line 5"]);
    expect(message(text, "null-deref")).toMatch(/NULL pointer dereference/);
    expect(findings(text.replace("b.q.v = 1", "if (b.q !== null) b.q.v = 1"))).toEqual([]);
  });

  test("null-deref: in a wait's condition", () => {
    expect(findings(withObject("function* t(b) { yield idle(() => b.q.v > 0); }", `thread("t", t, b)`))).toEqual(["null-deref @1 line 2"]);
    expect(findings(withObject("function* t(b) { yield idle(() => b.p.v > 0); }", `thread("t", t, b)`))).toEqual([]);
  });

  test("null-deref: the first entry of an empty list", () => {
    const text = withObject("function* t(b) { list_first_entry(b.list).v = 1; }", `thread("t", t, b)`);
    expect(findings(text)).toEqual(["null-deref @1 line 2"]);
    expect(findings(text.replace("{ list", "{ list_add(b.p, b.list); yield; list"))).toEqual([]);
  });

  const user = "function* user(b) { const o = b.p; yield; o.v = 1; yield; b.done = true; }";

  test("use-after-free: another thread frees what a local points to", () => {
    const text = withObject(
      `${user}\nfunction* freer(b) { kfree(b.p); b.p = null; }`,
      `thread("user", user, b), thread("freer", freer, b)`,
    );
    expect(findingOf(explore(text, engine).outcome, "use-after-free")).toMatchObject({
      depth: 3,
      location: { line: 2 },
      message: "o is used after it was freed",
    });
  });

  test("use-after-free: not if the free waits for the user", () => {
    const text = withObject(
      `${user}\nfunction* freer(b) { yield until(() => b.done); kfree(b.p); b.p = null; }`,
      `thread("user", user, b), thread("freer", freer, b)`,
      1,
      "expected: { atomicity: { verdict: 'violated', reason: 'not the point' } }",
    );
    expect(findings(text).filter((line) => !/atomicity/.test(line))).toEqual([]);
  });

  test("use-after-free: a pointer that dangles may be compared and overwritten, not followed", () => {
    const text = withObject("function* t(b) { kfree(b.p); yield; if (b.p !== b.q) b.p = null; }", `thread("t", t, b)`);
    expect(findings(text)).toEqual([]);
    expect(findings(text.replace("if (b.p !== b.q)", "b.p.v = 1;"))).toEqual(["use-after-free @2 line 2"]);
  });

  test("double-free", () => {
    const text = withObject("function* t(b) { const o = b.p; kfree(o); yield; kfree(o); }", `thread("t", t, b)`);
    expect(explore(text, engine).outcome.findings).toMatchObject([{ check: "double-free", depth: 2, message: "o is freed again" }]);
    expect(findings(text.replace("yield; kfree(o)", "yield"))).toEqual([]);
  });

  describe("refcount", () => {
    const counted = (code: string, initial: number) =>
      tiny({
        procedures: `function* t(b) { yield; ${code} }`,
        structs: "box: { rc: refcount(2) }",
        make: `const b = make("box", "b"); kref_init(b.rc, ${initial});`,
        threads: `thread("t", t, b)`,
      });

    test("get on zero", () => {
      expect(findings(counted("kref_get(b.rc);", 0))).toEqual(["refcount @1 line 2"]);
      expect(message(counted("kref_get(b.rc);", 0), "refcount")).toBe("get on zero: box.rc");
      expect(findings(counted("kref_get(b.rc);", 1))).toEqual([]);
    });

    test("put below zero", () => {
      const text = counted("kref_put(b.rc); yield; kref_put(b.rc);", 1);
      expect(findings(text)).toEqual(["refcount @2 line 2"]);
      expect(message(text, "refcount")).toBe("put below zero: box.rc");
      expect(findings(counted("kref_put(b.rc); yield; kref_put(b.rc);", 2))).toEqual([]);
    });

    test("saturation of the bound", () => {
      const text = counted("kref_get(b.rc); yield; kref_get(b.rc);", 1);
      expect(findings(text)).toEqual(["refcount @2 line 2"]);
      expect(message(text, "refcount")).toMatch(/saturates its bound of 2/);
    });

    test("put tells who was the last", () => {
      const text = counted("WARN_ON(kref_put(b.rc)); yield; WARN_ON(!kref_put(b.rc));", 2);
      expect(findings(text)).toEqual([]);
      expect(findings(text.replace("!kref_put", "kref_put"))).toEqual(["warn-on @2 line 2"]);
    });
  });

  describe("a pool that runs out says why", () => {
    const again = (before: string, slots = 1) =>
      withObject(`function* t(b) { ${before} yield; const fresh = kzalloc(s, "obj"); b.q = fresh; }`, `thread("t", t, b)`, slots);

    test("leak: nothing refers to a slot that is still allocated", () => {
      const text = again("b.p = null;");
      expect(explore(text, engine).outcome.findings).toMatchObject([
        { check: "leak", depth: 2, message: "no obj is left: o allocated, but nothing refers to it" },
      ]);
    });

    test("no leak: what only a live local of some thread refers to", () => {
      const text = withObject(
        `function* holder(b) { const o = b.p; b.p = null; yield until(() => b.done); o.v = 1; b.p = o; }
function* t(b) { yield until(() => b.p === null); b.q = kzalloc(s, "obj"); }`,
        `thread("holder", holder, b), thread("t", t, b)`,
        1,
        "expected: { atomicity: { verdict: 'violated', reason: 'not the point' } }",
      );
      expect(findings(text).filter((line) => !/atomicity/.test(line))).toEqual(["model-fault @2 line 3"]);
      expect(findings(text.replace("o.v = 1; b.p = o;", "")).filter((line) => !/atomicity/.test(line))).toEqual(["leak @2 line 3"]);
    });

    test("dangling: a freed slot that a pointer, a set or a list still refers to", () => {
      expect(findings(again("kfree(b.p);"))).toEqual(["dangling @2 line 2"]);
      expect(findings(again("b.set.add(b.p); kfree(b.p); b.p = null;"))).toEqual(["dangling @2 line 2"]);
      expect(findings(again("list_add(b.p, b.list); kfree(b.p); b.p = null;"))).toEqual(["dangling @2 line 2"]);
      expect(message(again("kfree(b.p);"), "dangling")).toMatch(/o freed, but a field still points to it/);
    });

    test("bound too small: every slot is in use, which is the model's fault", () => {
      const { outcome, exitCode } = explore(again(""), engine);
      expect(found(outcome)).toEqual(["model-fault @1 line 2"]);
      expect(findingOf(outcome, "model-fault")?.message).toMatch(/pool of obj is too small.*raise pools\.obj/);
      expect(exitCode).toBe(2);
    });

    test("a freed slot that nothing refers to is free again, and no other", () => {
      expect(findings(again("kfree(b.p); b.p = null;"))).toEqual([]);
      expect(findings(again("kfree(b.p);", 2))).toEqual([]);
    });

    test("a freed slot that a live local of another thread refers to is not reused", () => {
      const holder = (use: string) =>
        withObject(
          `function* holder(b) { const o = b.p; yield until(() => b.q !== null); ${use} }
function* t(b) { yield; kfree(b.p); b.p = null; yield; b.q = kzalloc(s, "obj"); }`,
          `thread("holder", holder, b), thread("t", t, b)`,
          1,
          "expected: { atomicity: { verdict: 'violated', reason: 'not the point' }, stuck: { verdict: 'violated', reason: 'not the point' } }",
        );
      const checks = (text: string) =>
        [...new Set(explore(text, engine).outcome.findings.map(({ check }) => check))].filter((check) => check !== "atomicity");
      // The holder reads b.p before it is cleared, and then keeps the only slot from being allocated.
      expect(checks(holder("if (o !== null) o.v = 1;"))).toContain("model-fault");
      // Without a use the local is dead, and keeps nothing.
      expect(checks(holder("b.done = true;"))).toEqual([]);
    });

    test("allocating and freeing for ever has finitely many states, and a new object is zero", () => {
      const text = withObject(
        `function* t(b) { for (;;) { yield; const o = kzalloc(s, "obj"); WARN_ON(o.v !== 0); o.v = 2; b.q = o; yield; b.q = null; kfree(o); } }`,
        `thread("t", t, b)`,
        2,
      );
      // At the loop's head with nothing, and with an object in b.q.
      expect(explore(text, engine).outcome).toMatchObject({ states: 2, transitions: 2, findings: [] });
    });
  });
});
