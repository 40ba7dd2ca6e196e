/** Runs with steps fused: fewer states, and whatever is to be found is found. */
import { describe, expect, test } from "vitest";
import { exploreFast } from "../../src/explore/fast.js";
import { exploreReduced } from "../../src/explore/reduced.js";
import { checksOfSuite, finish, machineOf } from "../../src/session/run-suite.js";
import { comparable, load, tiny, verdictOf } from "../support/model.js";

const FUSION = { fusion: true, symmetry: false, clearing: false };

/** Explores the model without reduction and with it, beginning to fuse after so many states. */
function both(text: string, reduceAfter = 1) {
  const { session, suite } = load(text);
  const goOnAfter = new Set(checksOfSuite(suite));
  const plain = finish(exploreFast(machineOf(session, suite), { goOnAfter }));
  const reduced = finish(exploreReduced(machineOf(session, suite), { goOnAfter, reduceAfter }, FUSION));
  expect(reduced.results).toEqual(plain.results);
  expect(comparable(reduced)).toMatchObject({ findings: comparable(plain).findings, lockOrder: comparable(plain).lockOrder });
  return { plain, reduced };
}

const box = `box: { m: mutex(), n: counter(3), k: counter(3), flag: flag() }`;

/** Two threads run the procedure on a box each, or on one. */
const twice = (procedure: string, shared: boolean, more = "") =>
  tiny({
    procedures: `function* t(b, other) { ${procedure} }`,
    structs: box,
    make: `const a = make("box", "a"); const b = make("box", "b");`,
    threads: shared ? `thread("t", t, a, b), thread("u", t, a, b)` : `thread("t", t, a, b), thread("u", t, b, a)`,
    more,
  });

describe("saves", () => {
  test("steps that concern one thread alone", () => {
    const { plain, reduced } = both(twice("yield; b.n = 1; yield; b.n = 2; yield; b.n = 3;", false));
    expect(plain.states).toBe(16);
    expect(reduced.states).toBeLessThan(10);
    expect(reduced.reduction).toMatchObject({ kind: "reduced", symmetry: null });
  });

  test("steps under a lock that all take who touch the same", () => {
    const { plain, reduced } = both(
      twice("yield* mutex_lock(b.m); b.n = 1; yield; b.n = 2; yield; b.n = 3; yield; mutex_unlock(b.m);", true),
    );
    expect(reduced.states).toBeLessThan(plain.states / 2);
  });

  test("what a property sees only when the lock is free", () => {
    const atRest = `properties: [claim("P", windows(s).atRest("box", "m", (b) => b.n !== 1))]`;
    const { plain, reduced } = both(
      twice("yield* mutex_lock(b.m); b.n = 1; yield; b.n = 2; yield; b.n = 3; yield; mutex_unlock(b.m);", true, atRest),
    );
    expect(reduced.states).toBeLessThan(plain.states);
  });
});

/** A thread holds an object that another one frees. What that one allocates while it is held stands behind what it allocates after that. */
const slots = (holds: string) =>
  tiny({
    procedures: `function* holder(b) { ${holds} }
function* user(b) { yield; kfree(b.p); b.p = null; yield; b.q = kzalloc(s, "obj"); b.all.add(b.q); yield; b.all.add(kzalloc(s, "obj")); yield; BUG_ON([...b.all][0] !== b.q); }`,
    structs: `box: { m: mutex(), n: counter(1), p: ref("obj"), q: ref("obj"), own: ref("obj"), all: setOf("obj") }, obj: { v: counter(1) }`,
    make: `const b = make("box", "b", { p: make("obj", "o") });`,
    threads: `thread("holder", holder, b), thread("user", user, b)`,
    more: "pools: { obj: 3 }",
  });

/** In each of them something is found only in a state that a fused step would pass over, or in an order that it would rule out. */
const hidden: readonly (readonly [string, string, string])[] = [
  [
    "another thread reads what is written",
    "bug-on",
    twice("yield; b.flag = true; yield; BUG_ON(other.flag); yield; b.flag = false;", false),
  ],
  ["another thread writes what is read", "bug-on", twice("yield; other.n = 1; yield; BUG_ON(b.n === 0); yield; other.n = 0;", false)],
  [
    "a property sees what is written",
    "P",
    twice("yield; b.n = 1; yield; b.n = 0;", false, `properties: [claim("P", windows(s).always("box", (b) => b.n === 0))]`),
  ],
  [
    "a property sees it under another lock",
    "P",
    twice(
      "yield* mutex_lock(other.m); b.n = 1; yield; b.n = 0; yield; mutex_unlock(other.m);",
      false,
      `properties: [claim("P", windows(s).atRest("box", "m", (b) => b.n === 0))]`,
    ),
  ],
  [
    "a property asks at an end, where a thread may rest",
    "P",
    twice("yield; b.n = 1; yield idle(); b.n = 0;", false, `properties: [claim("P", windows(s).atEnd("box", (b) => b.n === 0))]`),
  ],
  ["somebody tries the lock", "bug-on", twice("yield; if (mutex_trylock(b.m)) { yield; mutex_unlock(b.m); } else BUG_ON(true);", true)],
  [
    "the lock has been given back",
    "bug-on",
    tiny({
      procedures: `function* t(b) { yield* mutex_lock(b.m); b.n = 2; yield; mutex_unlock(b.m); yield; b.n = 1; yield; b.n = 0; }
function* u(b) { yield* mutex_lock(b.m); BUG_ON(b.n === 1); mutex_unlock(b.m); }`,
      structs: box,
      make: `const b = make("box", "b");`,
      threads: `thread("t", t, b), thread("u", u, b)`,
    }),
  ],
  [
    "the lock is held on one way to the place, and not on another",
    "bug-on",
    tiny({
      procedures: `function* t(b) { yield; yield* inner(b); }
function* inner(b) { b.k = choose("locks", [0, 1]); if (b.k === 1) yield* mutex_lock(b.m); else yield; yield; b.n = 1; yield; b.n = 0; yield; if (b.k === 1) mutex_unlock(b.m); }
function* u(b) { yield* mutex_lock(b.m); BUG_ON(b.n === 1); mutex_unlock(b.m); }`,
      structs: box,
      make: `const b = make("box", "b");`,
      threads: `thread("t", t, b), thread("u", u, b)`,
    }),
  ],
  [
    "a property asks of a step, and the lock was free",
    "P",
    twice(
      "yield* mutex_lock(b.m); b.n = 1; yield; b.n = 2; yield; mutex_unlock(b.m);",
      false,
      `properties: [claim("P", windows(s).onStep("box", (b, before) => (b.m.isFree ? b.n : before(() => b.n)) !== 1))]`,
    ),
  ],
  [
    "a property reads it whether the lock is free or not",
    "P",
    twice(
      "yield* mutex_lock(b.m); b.n = 1; yield; b.n = 0; yield; mutex_unlock(b.m);",
      true,
      `properties: [claim("P", windows(s).always("box", (b) => b.m.isFree || b.n === 0))]`,
    ),
  ],
  [
    "a witness",
    "W",
    twice("yield; b.n = 1; yield; b.n = 0;", false, `properties: [claim("W", windows(s).sometimes("box", (b) => b.n === 1))]`),
  ],
  [
    "another thread comes to it late",
    "bug-on",
    tiny({
      procedures: `function* t(b) { yield; b.flag = true; yield; b.flag = false; }
function* u(b, own) { while (own.far < 60) { yield; own.far++; } yield; BUG_ON(b.flag); }`,
      structs: "box: { flag: flag(), far: counter(60) }",
      make: `const a = make("box", "a"); const b = make("box", "b");`,
      threads: `thread("t", t, a), thread("u", u, a, b)`,
    }),
  ],
  ["a local lets go of a freed slot", "bug-on", slots("yield; const o = b.p; yield; b.n = o === null ? 0 : 1;")],
  ["a pointer lets go of a freed slot", "bug-on", slots("yield; b.own = b.p; yield; b.own = null;")],
  [
    "a freed slot is let go of under a lock that others need not take",
    "bug-on",
    slots("yield* mutex_lock(b.m); const o = b.p; yield; b.n = o === null ? 0 : 1; yield; mutex_unlock(b.m);"),
  ],
];

test.each(hidden)("is found with steps fused: %s", (_, check, text) => {
  const { reduced } = both(text);
  expect(verdictOf(reduced, check)).toBe(check === "W" ? "holds" : "violated");
});

test("a run that found something has the traces of an unreduced one", () => {
  const text = twice("yield* mutex_lock(b.m); b.n = 1; yield; b.n = 2; yield; mutex_unlock(b.m); yield; BUG_ON(other.n === 2);", false);
  const { plain, reduced } = both(text);
  expect(reduced.findings).toEqual(plain.findings);
  expect(reduced.states).toBeLessThan(plain.states);
});

describe("turns itself off, and says why", () => {
  test("where a pool runs out", () => {
    const text = tiny({
      procedures: `function* t(b) { for (;;) { yield; b.p = kzalloc(s, "obj"); } }`,
      structs: `box: { p: ref("obj") }, obj: { v: counter(1) }`,
      make: `const b = make("box", "b");`,
      threads: `thread("t", t, b)`,
      more: "pools: { obj: 2 }",
    });
    expect(both(text).reduced.reduction).toEqual({ kind: "off", because: "a pool runs out, and why is seen of whole states" });
  });

  test("where there is little to save", () => {
    const { plain, reduced } = both(twice("yield; b.n = 1;", false), 2000);
    expect(reduced).toMatchObject({ states: plain.states, reduction: { kind: "off", because: "there are no more than 2000 states" } });
  });

  test("where an unexpected violation ends the run", () => {
    const { session, suite } = load(hidden[0]?.[2] as string);
    const reduced = finish(exploreReduced(machineOf(session, suite), { reduceAfter: 1 }, FUSION));
    const plain = finish(exploreFast(machineOf(session, suite)));
    expect(comparable(reduced)).toEqual(comparable(plain));
    expect(reduced.reduction).toMatchObject({ kind: "off" });
  });
});
