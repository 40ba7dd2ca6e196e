/** What a model says of itself (WARN_ON, BUG_ON, …), what it may not do, failures it may inject. */
import { describe, expect, test } from "vitest";
import { engines, explore, findingOf, found, machine, tiny, verdictOf } from "../support/model.js";

const one = (code: string, more = "") =>
  tiny({
    procedures: `function* t(b) {\nyield;\n${code}\n}`,
    structs: `box: { n: counter(2), mode: enumeration("off", "on"), m: mutex(), list: list("item", 2), rc: refcount(2), big: counter(9) }, item: { v: counter(3), w: counter(3) }`,
    make: `const b = make("box", "b"); const i = make("item", "i"); const j = make("item", "j"); const k = make("item", "k"); list_add_tail(i, b.list);`,
    threads: `thread("t", t, b, i, j, k)`,
    more,
  }).replace("t(b)", "t(b, i, j, k)");

describe.each(engines)("%s", (engine) => {
  const findings = (text: string, options = {}) => found(explore(text, engine, options).outcome);
  const message = (text: string, check: string) => findingOf(explore(text, engine).outcome, check)?.message;

  test("warn-on: reported, and the thread goes on", () => {
    const text = one(
      `if (WARN_ON(b.n === 0, "n is zero")) { yield; b.n = 1; }\nyield; BUG_ON(b.n === 1);`,
      "expected: { 'warn-on': { verdict: 'violated', reason: 'known' } }",
    );
    expect(findings(text)).toEqual(["bug-on @3 line 5", "warn-on @1 line 4"]);
    expect(message(text, "warn-on")).toBe("n is zero");
    expect(findings(one("WARN_ON(b.n > 0);"))).toEqual([]);
  });

  test("bug-on: reported, and nothing comes after it", () => {
    const { outcome } = explore(
      one("BUG_ON(b.n === 0); yield; b.n = 1;", "expected: { 'bug-on': { verdict: 'violated', reason: 'known' } }"),
      engine,
    );
    expect(outcome).toMatchObject({ states: 1, transitions: 1, faultedSteps: 1, end: { kind: "complete" } });
    expect(found(outcome)).toEqual(["bug-on @1 line 4"]);
    expect(findings(one("BUG_ON(b.n > 0); yield; b.n = 1;"))).toEqual([]);
  });

  test("lockdep_assert_held", () => {
    expect(findings(one("lockdep_assert_held(b.m);"))).toEqual(["warn-on @1 line 4"]);
    expect(message(one("lockdep_assert_held(b.m);"), "warn-on")).toMatch(/lockdep_assert_held\(box\.m\)/);
    expect(findings(one("yield* mutex_lock(b.m); lockdep_assert_held(b.m); mutex_unlock(b.m);"))).toEqual([]);
  });

  test("a warning is judged in every state, not only where its step was learned", () => {
    const text = one("for (let round = 0; round < 3; round++) { WARN_ON(b.n === 2);\nyield; b.n = (b.n + 1) % 3; yield; }");
    expect(findings(text)).toEqual(["warn-on @5 line 4"]);
  });

  describe("model-fault: the model, not the design, is wrong, and the exit code is 2", () => {
    test.each([
      ["a counter above its bound", "b.n = 3;", /box\.n holds a whole number from 0 to 2, not 3/],
      ["a counter below zero", "b.n--;", /box\.n holds a whole number from 0 to 2, not -1/],
      ["an enumeration's name that is none", "b.mode = 'dim';", /box\.mode holds one of off, on, not "dim"/],
      ["a refcount beyond its bound", "kref_init(b.rc, 3);", /b\.rc cannot hold 3/],
      ["a list beyond its capacity", "list_add(j, b.list); list_add(k, b.list);", /box\.list holds at most 2 entries/],
    ])("%s", (_, code, words) => {
      const { outcome, exitCode } = explore(one(code), engine);
      expect(found(outcome)).toEqual(["model-fault @1 line 4"]);
      expect(findingOf(outcome, "model-fault")?.message).toMatch(words);
      expect(exitCode).toBe(2);
    });

    test("a value at the bound is fine", () => {
      expect(findings(one("b.n = 2; yield; b.n--; yield; b.mode = 'on'; yield; kref_init(b.rc, 2); yield; list_add(j, b.list);"))).toEqual(
        [],
      );
    });
  });

  describe("lists", () => {
    test("adding an entry twice and taking out one that is not there", () => {
      expect(findings(one("list_add(i, b.list);"))).toEqual(["bug-on @1 line 4"]);
      expect(findings(one("list_del(j, b.list);"))).toEqual(["bug-on @1 line 4"]);
      expect(findings(one("list_add(j, b.list); list_del(i, b.list); list_add_tail(i, b.list);"))).toEqual([]);
    });

    /** Walks the list with a yield at each entry, while another thread edits it once. */
    const walk = (edit: string, check = "") =>
      tiny({
        procedures: `function* walker(b, i, j, k) {\nfor (const each of b.list) { yield; each.v = 1; b.order = (b.order * 2 + 1) % 16; }\n${check} }\nfunction* editor(b, i, j, k) { yield; if (!b.list.includes(i)) return; ${edit} }`,
        structs: `box: { list: list("item", 3), order: counter(15) }, item: { v: counter(3) }`,
        make: `const b = make("box", "b"); const i = make("item", "i"); const j = make("item", "j"); const k = make("item", "k"); list_add_tail(i, b.list); list_add_tail(j, b.list);`,
        threads: `thread("walker", walker, b, i, j, k), thread("editor", editor, b, i, j, k)`,
        more: `expected: { atomicity: { verdict: "violated", reason: "not the point" } }, properties: [claim("both visited", windows(s).atEnd("box", (b) => i.v === 1))]`,
      }).replace(/properties: \[.*?\)\)\]/, "properties: []");
    const checks = (text: string) => findings(text).filter((line) => !/atomicity/.test(line));

    test("the current entry of a walk is removed under it", () => {
      // Into the loop, removal, the next advance.
      expect(checks(walk("list_del(i, b.list);"))).toEqual(["use-after-free @3 line 3"]);
      const { outcome } = explore(walk("list_del(i, b.list);"), engine);
      expect(findingOf(outcome, "use-after-free")?.message).toMatch(/current entry of a list walk was removed/);
    });

    test("another entry may be removed or added under a walk, which then sees the list as it is", () => {
      expect(checks(walk("if (b.list.at(1) === k) return; list_add_tail(k, b.list);", "WARN_ON(b.list.length === 2);"))).toEqual([
        "warn-on @3 line 4",
      ]);
      // What was added before the walk ended is visited.
      expect(checks(walk("if (b.order > 0) return; list_add_tail(k, b.list);", "WARN_ON(b.list.length === 3 && k.v === 0);"))).toEqual([]);
    });
  });

  describe("injected failures", () => {
    const failing = (count: number, mayFail = true) =>
      one(
        `let failed = 0;\nfor (let i = 0; i < 3; i++) { if (fault("kzalloc", ${mayFail})) failed++; yield; }\nb.n = Math.min(failed, 2); b.big = failed;`,
        `faults: ${count}, expected: { atomicity: { verdict: "violated", reason: "not the point" } }`,
      ).replace(
        "expected:",
        `properties: [0, 1, 2, 3].map((n) => claim("failed" + n, windows(s).sometimes("box", (b) => b.big === n))), expected:`,
      );
    const reached = (text: string, options = {}) => {
      const { outcome } = explore(text, engine, options);
      return [0, 1, 2, 3].filter((n) => verdictOf(outcome, `failed${n}`) === "holds");
    };

    test("no more in one behaviour than the budget, and any number up to it", () => {
      expect(reached(failing(0))).toEqual([0]);
      expect(reached(failing(1))).toEqual([0, 1]);
      expect(reached(failing(2))).toEqual([0, 1, 2]);
      expect(reached(failing(3))).toEqual([0, 1, 2, 3]);
    });

    test("the run's budget replaces the scenario's", () => {
      expect(reached(failing(0), { variant: { faults: 2 } })).toEqual([0, 1, 2]);
      expect(reached(failing(3), { variant: { faults: 1 } })).toEqual([0, 1]);
    });

    test("what the contract forbids fails only under the policy that ignores it", () => {
      expect(reached(failing(1, false))).toEqual([0]);
      expect(reached(failing(1, false), { variant: { faultPolicy: "contract" } })).toEqual([0]);
      expect(reached(failing(1, false), { variant: { faultPolicy: "any" } })).toEqual([0, 1]);
    });
  });

  test("a commit is applied if the design includes it and the variant does not revert it", () => {
    const text = one(
      `BUG_ON(applied("aaaaaaaaaaaa"));`,
      `commits: { aaaaaaaaaaaa: { subject: "a", since: "v1" }, bbbbbbbbbbbb: { subject: "b", since: "v1", needs: ["aaaaaaaaaaaa"] } }, includes: ["aaaaaaaaaaaa"]`,
    );
    expect(findings(text)).toEqual(["bug-on @1 line 4"]);
    expect(findings(text, { variant: { revert: ["aaaaaaaaaaaa"] } })).toEqual([]);
    expect(findings(text, { variant: { apply: ["bbbbbbbbbbbb"] } })).toEqual(["bug-on @1 line 4"]);
    expect(() => machine(text, { revert: ["aaaaaaaaaaaa"], apply: ["bbbbbbbbbbbb"] })).toThrow(/needs aaaaaaaaaaaa/);
    expect(() => machine(text, { apply: ["aaaaaaaaaaaa"] })).toThrow(/includes it already/);
    expect(() => machine(text, { revert: ["cccccccccccc"] })).toThrow(/knows no commit/);
  });
});
