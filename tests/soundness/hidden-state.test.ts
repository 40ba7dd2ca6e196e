/**
 * Nothing may hide from a control state. Each model has a count worked out by hand, and comes out wrong, or is
 * refused, when the safeguard is taken out that keeps its kind of hidden state visible.
 */
import { describe, expect, test } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { allSafeguards, type Safeguards } from "../../src/load/instrument.js";
import { engines, explore, machine, tiny, verdictOf } from "../support/model.js";

const structs = "box: { n: counter(3), r: counter(3), p: ref('obj') }, obj: { v: counter(1) }";
const make = `const b = make("box", "b"); const o = make("obj", "o"); const q = make("obj", "q"); b.p = o;`;
interface Case {
  readonly claim: string;
  readonly text: string;
  readonly states: number;
  /** Those that keep it visible. */
  readonly safeguards: readonly (keyof Safeguards)[];
  /** What the reference engine counts without them. */
  readonly without: number;
}

const one = (code: string, never: string) =>
  tiny({
    procedures: `function* t(b, o, q) { ${code} }\nfunction* one() { yield; return 1; }\nconst sum = (x, y) => x + y;`,
    structs,
    make,
    threads: `thread("t", t, b, o, q)`,
    more: `properties: [claim("never", windows(s).always("box", (b) => !(${never})))], expected: { never: { verdict: "violated", reason: "so it is" }, atomicity: { verdict: "violated", reason: "not the point" } }`,
  });
/** Beside t, a thread that changes the box once: b.n from 0 to 2, or b.p from o to q. */
const two = (code: string, change: string, never: string) =>
  one(code, never)
    .replace("\nconst s", `\nfunction* u(b, o, q) { yield; ${change} }\nconst s`)
    .replace(`thread("t", t, b, o, q)`, `thread("t", t, b, o, q), thread("u", u, b, o, q)`)
    .replace("expected: {", "expected: { stuck: { verdict: 'violated', reason: 'not the point' },");

const cases: readonly Case[] = [
  {
    claim: "a local that is needed after a yield",
    text: one(`let x = choose("x", [0, 1, 2]); yield; b.n = x;`, "b.n === 2"),
    // The start; x is 0, 1 or 2; n is 0, 1 or 2.
    states: 1 + 3 + 3,
    safeguards: ["liveness", "poison"],
    without: 3,
  },
  {
    claim: "what a wait's condition captures",
    text: two(`const x = choose("x", [1, 2]); yield until(() => b.n === x);`, "b.n = 2;", "b.n === 2"),
    // t at its start, waiting for 1, waiting for 2; each before and after u; and t done after u.
    states: 3 + 3 + 1,
    safeguards: ["guardCaptures"],
    without: 4,
  },
  {
    claim: "an operand that was read before the call: b.n + (yield* one())",
    text: two("b.r = b.n + (yield* one());", "b.n = 2;", "b.r === 3"),
    // Before u: t at its start, holding 0, done with r = 1. After u: these, and holding 2, and r = 3.
    states: 3 + 5,
    safeguards: ["spill"],
    without: 6,
  },
  {
    claim: "an argument that was read before the call: sum(b.n, yield* one())",
    text: two("b.r = sum(b.n, yield* one());", "b.n = 2;", "b.r === 3"),
    states: 3 + 5,
    safeguards: ["spill"],
    without: 6,
  },
  {
    claim: "the object to be assigned to, read from the state: b.p.v = yield* one()",
    text: two("b.p.v = yield* one();", "b.p = q;", "b.p === q && q.v === 1")
      .replace(
        "b.p === q && q.v === 1",
        "b.p !== null && b.p.v === 1 && state.all('obj').every((x) => x === b.p || x.v === 0) && state.all('obj')[1] === b.p",
      )
      .replace("(b) => !", "(b, state) => !"),
    // As above, with the object that b.p pointed to instead of the number.
    states: 3 + 5,
    safeguards: ["spill"],
    without: 6,
  },
  {
    claim: "the object to be assigned to, in a local that nothing mentions later: to.v = yield* one()",
    text: one(`const to = choose("to", [o, q]); to.v = yield* one();`, "b.p.v === 0 && false").replace(
      "(b) => !(b.p.v === 0 && false)",
      "(b, state) => state.all('obj')[1].v === 0",
    ),
    // The start, holding o or q, one of them written.
    states: 1 + 2 + 2,
    safeguards: ["spill"],
    without: 3,
  },
];

const off = (names: readonly (keyof Safeguards)[]) => ({
  loading: { safeguards: { ...allSafeguards, ...Object.fromEntries(names.map((name) => [name, false])) } },
});

describe.each(cases)("$claim", ({ text, states, safeguards, without }) => {
  test.each(engines)("is part of the state (%s)", (engine) => {
    const { outcome } = explore(text, engine);
    expect(outcome).toMatchObject({ states, end: { kind: "complete" } });
    expect(verdictOf(outcome, "never")).toBe("violated");
  });

  test(`without ${safeguards.join(" and ")}: the plain engine counts too few, and misses the violation`, () => {
    const { outcome } = explore(text, "reference", off(safeguards));
    expect(outcome.states).toBe(without);
    if (!/guardCaptures/.test(safeguards.join())) expect(verdictOf(outcome, "never")).not.toBe("violated");
  });

  test(`without ${safeguards.join(" and ")}: the second witness exposes it`, () => {
    expect(() => explore(text, "fast", off(safeguards))).toThrow(/nondeterministic model code/);
  });

  test(`without ${safeguards.join(" and ")}: the first witness is at one with itself, only the second is not`, () => {
    const explored = machine(text, {}, off(safeguards).loading);
    const seen = new Set<string>();
    let differences = 0;
    const queue = [explored.initial];
    for (const state of queue) {
      const key = JSON.stringify(state);
      if (seen.has(key)) continue;
      seen.add(key);
      for (const thread of explored.threads.keys()) {
        for (const block of explored.blocks(state, thread)) {
          const again = explored.run(state, thread, { choices: block.choices });
          expect([...again.writes]).toEqual([...block.writes]);
          const other = explored.run(state, thread, { choices: block.choices, otherThan: block });
          if (other.outcome !== block.outcome || JSON.stringify([...other.writes]) !== JSON.stringify([...block.writes])) differences++;
          if (block.state) queue.push(block.state);
        }
      }
    }
    // A condition that the first witness finds false is no block to compare.
    if (!safeguards.includes("guardCaptures")) expect(differences).toBeGreaterThan(0);
  });
});

test("poison: a local that is wrongly taken to be dead cannot be used unnoticed", () => {
  const text = (cases[0] as Case).text;
  for (const engine of engines)
    expect(() => explore(text, engine, off(["liveness"]))).toThrow(/local "\w" is used although the liveness analysis says it is dead/);
});

test("a dead local does not multiply states", () => {
  const text = one(`let x = choose("x", [0, 1, 2]); WARN_ON(x > 2); yield; x = 1; yield; b.n = x;`, "false");
  for (const engine of engines) expect(explore(text, engine).outcome.states).toBe(4);
});

describe("restore: what a local is beyond its value is cut at a yield", () => {
  // Whether both locals are one array or two equal ones is nothing that a control state tells.
  const text = one(`const x = [1]; const y = choose("which", [true, false]) ? x : [1]; yield; b.n = x === y ? 1 : 2;`, "b.n === 1");

  test.each(engines)("with it, both histories go on alike (%s)", (engine) => {
    const { outcome } = explore(text, engine);
    expect(outcome.states).toBe(3);
    expect(verdictOf(outcome, "never")).toBe("holds");
  });

  test("without it, the first history decides for both, and the second witness exposes that", () => {
    expect(verdictOf(explore(text, "reference", off(["restore"])).outcome, "never")).toBe("violated");
    expect(() => explore(text, "fast", off(["restore"]))).toThrow(/nondeterministic model code/);
  });

  test.each(engines)("an array held across a yield cannot be changed in place (%s)", (engine) => {
    const changed = one("const x = [0]; yield; x[0] = 1; b.n = x[0];", "false");
    expect(() => explore(changed, engine)).toThrow(ModelError);
  });
});

describe("model code that keeps something outside the state is reported, at its place", () => {
  // The static checks refuse literals at module level; what a function made they cannot see.
  const hiding = (code: string) => one(code, "false").replace("\nfunction* t", `\nconst hidden = [0].map((n) => ({ n }))[0];\nfunction* t`);

  function refusal(text: string): ModelError {
    try {
      explore(text, "fast");
    } catch (error) {
      if (error instanceof ModelError) return error;
      throw error;
    }
    throw new Error("nothing was noticed");
  }

  test.each([
    ["what it writes", "yield; hidden.n++; b.n = hidden.n % 3;"],
    ["what it reads", "yield; hidden.n++; if (hidden.n % 2 === 0) b.n = 1; else if (b.r > 0) b.n = 2;"],
    ["what it chooses from", "yield; hidden.n++; b.n = choose('n', hidden.n % 2 === 0 ? [0, 1] : [0]);"],
    ["where it goes", "yield; hidden.n++; if (hidden.n % 2 === 0) yield; b.n = 1;"],
    ["what it reports", "yield; hidden.n++; WARN_ON(hidden.n % 2 === 0);"],
    ["its very first step", "hidden.n++; b.n = hidden.n % 3; yield;"],
  ])("%s", (_, code) => {
    const { message, location } = refusal(hiding(code));
    expect(message).toMatch(/nondeterministic model code/);
    expect(location).toMatchObject({ file: "tests/inline-model.ts", line: 3 });
  });

  test("the same, when it shows only on the way to a later step", () => {
    const { message } = refusal(
      hiding("yield; b.n = 1; yield; hidden.n++; b.n = 2; yield; if (hidden.n > 2) b.n = 0; b.r = 1; yield; b.r = 2;"),
    );
    expect(message).toMatch(/nondeterministic model code/);
  });

  test("a property that keeps something outside the state", () => {
    const text = tiny({
      procedures: "const hidden = [0].map((n) => ({ n }))[0];\nfunction* t(b) { for (;;) { yield; b.n = choose('n', [0, 1, 2, 3]); } }",
      structs,
      make,
      threads: `thread("t", t, b)`,
      more: `properties: [claim("odd", windows(s).always("box", (b) => (hidden.n++ % 2 === 0 ? b.n >= 0 : b.r === 0)))]`,
    });
    expect(refusal(text).message).toMatch(/property odd is nondeterministic/);
  });

  test.each(engines)("a literal at module level is refused before anything runs (%s)", (engine) => {
    const text = hiding("yield; hidden.n++;").replace("[0].map((n) => ({ n }))[0]", "{ n: 0 }");
    expect(() => explore(text, engine)).toThrow(/hidden is an object of the file, not of the state/);
  });
});
