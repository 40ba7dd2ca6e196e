/** Two forms of a tiny model under one scenario: what an observer makes of them. */
import { describe, expect, it } from "vitest";
import { type Audit, audit } from "../../src/audit/audit.js";
import { withCommits } from "../../src/lang/design.js";
import { finish } from "../../src/session/run-suite.js";
import { load, tiny } from "../support/model.js";

const COMMIT = "aaaaaaaaaaaa";

interface Model {
  readonly procedures: string;
  readonly more?: string;
  readonly threads?: string;
}

/** Compares the model without the commit, A, with the model with it, B. */
function compare({ procedures, more = "", threads = `thread("t", t, b)` }: Model, counts = (_: string) => true): Audit {
  const text = tiny({
    structs: "box: { n: counter(3), other: ref('item'), m: mutex() }, item: { n: counter(1) }",
    procedures,
    make: `const b = make("box", "b");`,
    threads,
    more: `pools: { item: 2 }, ${more}`,
  });
  const { session, suite } = load(text);
  const known = { ...suite.design, commits: { [COMMIT]: { subject: "a change", since: "v9.9" } } };
  return finish(audit(session.locate, suite, { a: known, b: withCommits(known, COMMIT) }, { counts }));
}

const procedure = (body: string) => `function* t(b) { yield; ${body} }`;
const is = `applied("${COMMIT}")`;

describe("what changes between two designs", () => {
  it("is nothing, whatever happens between events", () => {
    const { verdict } = compare({ procedures: procedure(`if (${is}) { b.n = 1; yield; b.n = 2; yield; } observe("done", b.n === 3);`) });
    expect(verdict).toBe("equivalent");
  });

  it("is an event that one of them has", () => {
    const { verdict, onlyA, onlyB } = compare({ procedures: procedure(`observe("first"); yield; if (${is}) observe("second");`) });
    expect(verdict).toBe("differ");
    expect(onlyA).toMatchObject({ trace: ["first()", "may end"], instead: ["second()"] });
    expect(onlyB).toMatchObject({ trace: ["first()", "second()"], instead: ["may end"] });
  });

  it("is an event in the midst of a step that has more", () => {
    const { verdict, onlyA, onlyB } = compare({
      procedures: procedure(`observe("first"); observe("second", ${is}); observe("third"); yield; observe("last");`),
    });
    expect(verdict).toBe("differ");
    expect(onlyA).toMatchObject({ trace: ["first()", "second(false)"], instead: ["second(true)"] });
    expect(onlyB).toMatchObject({ trace: ["first()", "second(true)"], instead: ["second(false)"] });
  });

  it("is a behaviour more", () => {
    const { verdict, onlyA, onlyB } = compare({
      procedures: `function* t(b) { yield; if (${is}) yield until(() => b.n === 1); observe("t"); }\nfunction* u(b) { yield; observe("u"); b.n = 1; }`,
      threads: `thread("t", t, b), thread("u", u, b)`,
    });
    expect(verdict).toBe("A allows more");
    expect(onlyA?.trace).toEqual(["t()"]);
    expect(onlyB).toBe(null);
  });

  it("is not what objects are called that nobody outside can tell apart", () => {
    const use = `const used = kzalloc(s, "item"); yield; observe("uses", used); yield; observe("drops", used); kfree(used);`;
    const { verdict } = compare({
      procedures: procedure(`if (${is}) { const spare = kzalloc(s, "item"); yield; ${use} yield; kfree(spare); } else { ${use} }`),
    });
    expect(verdict).toBe("equivalent");
  });

  it("is which of two objects is meant", () => {
    const { verdict, onlyB } = compare({
      procedures: procedure(
        `const one = kzalloc(s, "item"); yield; const two = kzalloc(s, "item"); yield; observe("makes", one, two); yield; observe("uses", ${is} ? two : one); kfree(one); kfree(two);`,
      ),
    });
    expect(verdict).toBe("differ");
    expect(onlyB?.trace).toEqual(["makes(item#1, item#2)", "uses(item#2)"]);
  });

  it("is whether a place is used again by something new", () => {
    const once = `const x = kzalloc(s, "item"); yield; observe("uses", x); yield; kfree(x); yield;`;
    const { onlyA } = compare({
      procedures: procedure(
        `if (${is}) { const x = kzalloc(s, "item"); yield; observe("uses", x); yield; observe("uses", x); yield; kfree(x); } else { for (let round = 0; round < 2; round++) { ${once} } }`,
      ),
    });
    expect(onlyA?.trace).toEqual(["uses(item#1)", "uses(item#2)"]);
  });

  it("is found where objects come and go for ever while another one stays", () => {
    const round = (used: string) => `{ const x = kzalloc(s, "item"); yield; observe("uses", ${used}); yield; kfree(x); }`;
    const model = (body: string) => ({
      procedures: procedure(`const kept = kzalloc(s, "item"); yield; observe("uses", kept); for (;;) { yield; ${body} }`),
    });
    expect(compare(model(round("x"))).verdict).toBe("equivalent");
    const { verdict, onlyA } = compare(model(`${round("x")} yield; ${round(`${is} ? x : kept`)}`));
    expect(verdict).toBe("differ");
    expect(onlyA?.trace).toEqual(["uses(item#1)", "uses(item#2)", "uses(item#1)"]);
  });

  it("is a choice of the surroundings that the other cannot match with another one", () => {
    const { verdict } = compare({ procedures: procedure(`const x = choose("x", [1, 2]); yield; observe("got", ${is} ? 3 - x : x);`) });
    expect(verdict).toBe("differ");
  });

  it("is how it ends: stuck, in a fault, or never", () => {
    const stuck = compare({ procedures: procedure(`if (${is}) yield until(() => b.n === 3);`) });
    expect(stuck.onlyB?.trace).toEqual(["is stuck"]);
    const fault = compare({ procedures: procedure(`BUG_ON(${is});`) });
    expect(fault.onlyB?.trace).toEqual(["ends in bug-on"]);
    const forEver = compare({ procedures: procedure(`while (${is}) yield;`) });
    expect(forEver.onlyB?.trace).toEqual(["goes on for ever without an event"]);
  });

  it("is a warning, by the procedure it stands in", () => {
    const { verdict, onlyB } = compare({ procedures: procedure(`observe("first"); WARN_ON(${is}); observe("second");`) });
    expect(verdict).toBe("differ");
    expect(onlyB?.trace).toEqual(["first()", "WARN_ON in t"]);
    const text = { procedures: `function* u(b) { WARN_ON(true, ${is} ? "one" : "other"); }\n${procedure("yield* u(b);")}` };
    expect(compare(text).verdict).toBe("equivalent");
    expect(compare(text, (event) => event !== "WARN_ON").verdict).toBe("equivalent");
    const moved = { procedures: `function* u(b) { WARN_ON(true); }\n${procedure(`if (${is}) yield* u(b); else WARN_ON(true);`)}` };
    expect(compare(moved)).toMatchObject({ onlyA: { trace: ["WARN_ON in t"] }, onlyB: { trace: ["WARN_ON in u"] } });
    expect(compare(moved, (event) => event !== "WARN_ON").verdict).toBe("equivalent");
  });

  it("is only what counts", () => {
    const model = { procedures: procedure(`observe("kept"); yield; observe("dropped", ${is});`) };
    expect(compare(model).verdict).toBe("differ");
    expect(compare(model, (event) => event === "kept").verdict).toBe("equivalent");
  });

  it("is not said of an exploration that was stopped", () => {
    const { session, suite } = load(
      tiny({
        structs: "box: { n: counter(31) }",
        procedures: "function* t(b) { for (;;) { yield; b.n = (b.n + 1) % 32; } }",
        make: `const b = make("box", "b");`,
        threads: `thread("t", t, b)`,
      }),
    );
    const done = finish(
      audit(session.locate, suite, { a: suite.design, b: suite.design }, { counts: () => true, limits: { maxStates: 5 } }),
    );
    expect(done).toMatchObject({ verdict: "unfinished", unfinished: "the limit on states" });
  });
});
