/** Models that once came out wrong, each in the smallest form that showed it. */
import { describe, expect, test } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import type { RunSuiteOptions } from "../../src/session/run-suite.js";
import { engines, explore, found, type Parts, tiny } from "../support/model.js";

/** One box named b, and one thread `t(b)`, unless something else is said. */
const model = ({ structs = "n: counter(3)", ...parts }: Partial<Parts> & { readonly procedures: string }) =>
  tiny({ structs: `box: { ${structs} }`, make: `const b = make("box", "b");`, threads: `thread("t", t, b)`, ...parts });

describe.each(engines)("%s", (engine) => {
  const findings = (text: string, options: RunSuiteOptions = {}) => found(explore(text, engine, options).outcome);
  const messages = (text: string) => explore(text, engine).outcome.findings.map(({ check, message }) => `${check}: ${message}`);
  const refusal = (text: string, options: RunSuiteOptions = {}): string => {
    try {
      explore(text, engine, options);
    } catch (error) {
      if (error instanceof ModelError) return error.message;
      throw error;
    }
    return "none";
  };

  test("taking a NULL object apart is a NULL dereference, not a fault of the model", () => {
    const text = (code: string) => model({ structs: "n: counter(3), next: ref('box')", procedures: `function* t(b) { yield; ${code} }` });
    expect(findings(text("const { n } = b.next; b.n = n;"))).toEqual(["null-deref @1 line 2"]);
    expect(findings(text("b.next.n = 1;"))).toEqual(["null-deref @1 line 2"]);
  });

  test("there is nothing before the start of a list", () => {
    const structs = "before: ref('box'), l: list('box', 2)";
    const text = model({
      structs,
      make: `const b = make("box", "b"); b.before = b;`,
      procedures: "function* t(b) { yield; BUG_ON(b.l.at(-1) !== null); }",
    });
    expect(findings(text)).toEqual([]);
  });

  test("a trylock does not wait, so no deadlock comes from the locks held before it", () => {
    const text = (take: string) =>
      model({
        structs: "a: mutex(), b: mutex()",
        threads: `thread("t", t, b), thread("u", u, b)`,
        procedures: `function* t(x) { yield* mutex_lock(x.a); yield; ${take} mutex_unlock(x.a); }
function* u(x) { yield* mutex_lock(x.b); yield; yield* mutex_lock(x.a); yield; mutex_unlock(x.a); yield; mutex_unlock(x.b); }`,
        more: `expected: { stuck: { verdict: "violated", reason: "with mutex_lock" } }`,
      });
    expect(findings(text("if (mutex_trylock(x.b)) { yield; mutex_unlock(x.b); } yield;"))).toEqual([]);
    expect(findings(text("yield* mutex_lock(x.b); yield; mutex_unlock(x.b); yield;")).map((line) => line.split(" ")[0])).toContain(
      "lockdep",
    );
  });

  test("a trylock orders what is taken after it", () => {
    const text = model({
      structs: "a: mutex(), b: mutex()",
      threads: `thread("t", t, b), thread("u", u, b)`,
      procedures: `function* t(x) { yield; if (mutex_trylock(x.a)) { yield* mutex_lock(x.b); mutex_unlock(x.b); yield; mutex_unlock(x.a); } }
function* u(x) { yield* mutex_lock(x.b); yield* mutex_lock(x.a); mutex_unlock(x.a); yield; mutex_unlock(x.b); }`,
      more: `expected: { stuck: { verdict: "violated", reason: "as it should be" }, atomicity: { verdict: "violated", reason: "not the point" } }`,
    });
    expect(findings(text).map((line) => line.split(" ")[0])).toContain("lockdep");
  });

  test("a thread whose own procedure holds a lock may call helpers; one that comes back with another lock is seen", () => {
    const text = (helper: string) =>
      model({
        structs: "n: counter(3), m: mutex(), other: mutex()",
        procedures: `function* t(b) { yield* mutex_lock(b.m); yield* helper(b); yield; mutex_unlock(b.m); yield; yield* helper(b); }
function* helper(b) { yield; ${helper} }`,
      });
    expect(findings(text("b.n = 1;"))).toEqual([]);
    expect(messages(text("if (mutex_trylock(b.other)) yield;")).join()).toMatch(/helper returns while holding/);
  });

  test("walking on from an entry that is freed is a use after free, also if it is still on the list", () => {
    const text = tiny({
      structs: "box: { l: list('obj', 2) }, obj: { v: counter(1) }",
      make: `const b = make("box", "b"); const o = make("obj", "o"); const q = make("obj", "q"); list_add_tail(o, b.l); list_add_tail(q, b.l);`,
      threads: `thread("t", t, b), thread("u", u, o)`,
      procedures: "function* t(b) { for (const x of b.l) yield; }\nfunction* u(o) { yield; kfree(o); }",
      more: "pools: { obj: 2 }",
    });
    expect(findings(text)).toEqual(["use-after-free @3 line 2"]);
  });

  test("what a thread that has not begun is started with counts as referred to", () => {
    const text = (wait: string) =>
      tiny({
        structs: "box: { go: flag(), p: ref('obj') }, obj: { v: counter(1) }",
        make: `const b = make("box", "b"); const o = make("obj", "o"); b.p = o;`,
        threads: `thread("t", t, b, o), thread("u", u, b)`,
        procedures: `function* t(b, o) { ${wait} o.v = 1; }
function* u(b) { yield; const o = b.p; b.p = null; kfree(o); yield; b.p = kzalloc(s, "obj"); b.go = true; }`,
        more: "pools: { obj: 2 }, expected: { atomicity: { verdict: 'violated', reason: 'not the point' } }",
      });
    // The slot of o must not come back as another object while t still has its address.
    expect(findings(text("assume(b.go);")).filter((line) => !line.startsWith("atomicity"))).toEqual(["use-after-free @3 line 2"]);
    const small = text("assume(b.go);").replace("obj: 2", "obj: 1").replace("const o = b.p; b.p = null; kfree(o);", "b.p = null;");
    expect(messages(small).join()).not.toMatch(/leak/);
  });

  test("an array that a caller holds over a call cannot be changed by the callee unnoticed", () => {
    const text = (fill: string) =>
      model({
        procedures: `function* t(b) { yield; const a = []; yield* fill(a); BUG_ON(a.length === 0); b.n = a.length; }\nfunction* fill(a) { ${fill} }`,
      });
    expect(refusal(text("a.push(1); yield;"))).toMatch(/changes an array/);
    expect(refusal(text("a.push(1);"))).toMatch(/changes an array/);
  });

  test("two warnings of one step are two findings", () => {
    const text = model({ procedures: "function* t(b) { yield; WARN_ON(b.n === 0);\nWARN_ON(b.n === 0); }" });
    expect(findings(text)).toEqual(["warn-on @1 line 2", "warn-on @1 line 3"]);
  });

  test("what a property says must be an answer", () => {
    const text = (holds: string) =>
      model({ procedures: "function* t(b) { yield; b.n = 1; }", more: `properties: [claim("P", windows(s).always("box", ${holds}))]` });
    expect(refusal(text("(b) => b.n"))).toMatch(/neither true, false or null/);
    expect(refusal(text("(b) => { b.n > 0 }"))).toMatch(/neither true, false or null/);
    expect(refusal(text("(b) => ({ small: b.n })"))).toMatch(/neither true, false or null/);
    expect(refusal(text("(b) => b"))).toMatch(/neither true, false or null/);
  });

  test("a thread's default values are part of its first step", () => {
    const text = model({ procedures: "function* t(b, k = b.n + 1) { yield; b.n = k; BUG_ON(b.n === 1); }" });
    expect(findings(text)).toEqual(["bug-on @2 line 2"]);
  });

  test("yield* of what is no procedure is refused, also if it can be iterated", () => {
    expect(refusal(model({ procedures: "function* t(b) { yield; yield* [1, 2]; b.n = 1; }" }))).toMatch(/no procedure/);
  });

  test("objects of a struct without fields can be freed", () => {
    const text = tiny({
      structs: "box: { p: ref('token') }, token: {}",
      make: `const b = make("box", "b");`,
      threads: `thread("t", t, b)`,
      procedures: `function* t(b) { yield; b.p = kzalloc(s, "token"); yield; const p = b.p; b.p = null; kfree(p); }`,
      more: "pools: { token: 1 }",
    });
    expect(findings(text)).toEqual([]);
  });

  test("a thread cannot be started with an object that would keep state of its own", () => {
    const procedures = "function* t(b, o) { o.k++; if (o.k > 2) b.n = 1; }";
    expect(refusal(model({ procedures, threads: `thread("t", t, b, { k: 0 })` }))).toMatch(/thread t is started with an object/);
  });

  test("a setup that does not fit the schema is refused", () => {
    const procedures = "function* t(b) { yield; BUG_ON(b.m > 0); }";
    const structs = "r: refcount(3), m: counter(3), p: ref('box')";
    const of = (make: string) => refusal(model({ procedures, structs, make }));
    expect(of(`const b = make("box", "b"); kref_init(b.r, 7);`)).toMatch(/b.r cannot hold 7/);
    expect(of(`const b = make("box", "b", { m: 9 });`)).toMatch(/setup: box.m holds/);
    expect(of(`const b = make("box", "b"); b.p.m = 1;`)).toMatch(/setup: Cannot set properties of null/);
  });

  test("bounds that no cell can hold are refused, not wrapped", () => {
    const procedures = "function* t(b) { yield; if (fault('x')) b.n = 1; }";
    expect(refusal(model({ procedures }), { variant: { faults: 2 ** 32 } })).toMatch(/fault budget/);
    expect(refusal(model({ procedures, more: "pools: { box: 1.5 }" }))).toMatch(/pools.box/);
    expect(refusal(model({ procedures, structs: "n: counter(2.5)" }))).toMatch(/possible values/);
  });
});

test("randomness is refused under any name", () => {
  const text = model({ procedures: "const { random } = Math; function* t(b) { yield; b.n = random() < 0.5 ? 1 : 2; }" });
  expect(() => explore(text, "fast")).toThrow(/randomness/);
});

test("an object that the scenario does not make is not some other one", () => {
  const text = tiny({
    structs: "box: { n: counter(1) }, obj: { v: counter(1) }",
    make: `const b = make("box", "b"); make("obj", "o", { v: 1 });`,
    threads: `thread("t", t, b)`,
    procedures: "function* t(b) { yield; b.n = s.struct('box').view(1).n; }",
  });
  expect(() => explore(text, "fast")).toThrow(/there is no box number 1/);
});
