/** Runs in which fields are cleared that nobody will read: fewer states, whatever is to be found is found, and nothing is learned of what there is not. */
import { describe, expect, test } from "vitest";
import { exploreFast } from "../../src/explore/fast.js";
import { exploreReduced } from "../../src/explore/reduced.js";
import { checksOfSuite, finish, machineOf } from "../../src/session/run-suite.js";
import { strayControls } from "../random/agreement.js";
import { comparable, load, tiny, verdictOf } from "../support/model.js";

/** Explores the model without reduction and with fields cleared, which begins after so many states. */
function both(text: string, reduceAfter = 1) {
  const { session, suite } = load(text);
  const goOnAfter = new Set(checksOfSuite(suite));
  const [machine, other] = [machineOf(session, suite), machineOf(session, suite)];
  const plain = finish(exploreFast(machine, { goOnAfter }));
  const options = { goOnAfter, reduceAfter };
  const cleared = finish(exploreReduced(other, options, { fusion: false, symmetry: false, clearing: true }));
  expect(cleared.results).toEqual(plain.results);
  expect(comparable(cleared)).toMatchObject({ findings: comparable(plain).findings, lockOrder: comparable(plain).lockOrder });
  expect(strayControls(other, machine)).toEqual([]);
  return { plain, cleared, clearing: cleared.reduction?.kind === "reduced" ? cleared.reduction.clearing : null };
}

/** One thread for each procedure, on the same box. */
const threads = (procedures: readonly string[], more = "", structs = "n: counter(3), k: counter(3), flag: flag(), m: mutex()") =>
  tiny({
    procedures: procedures.map((body, each) => `function* t${each}(b) { ${body} }`).join("\n"),
    structs: `box: { ${structs} }, obj: { rc: refcount(2), v: counter(1) }`,
    make: `const b = make("box", "b");`,
    threads: procedures.map((_, each) => `thread("t${each}", t${each}, b)`).join(),
    more,
  });

const chosen = (field: string) => `b.${field} = choose("${field}", [0, 1, 2, 3]);`;

/** It is soon known what the thread does, but not what others do when the field has got so far. */
const turning = (places: number) => `for (;;) { yield; b.k = (b.k + 1) % ${places}; }`;

describe("saves", () => {
  test("what is written over before anybody reads it", () => {
    const { plain, cleared, clearing } = both(threads([`yield; ${chosen("n")} yield; b.n = 0; yield; b.k = b.n;`]), 5);
    // Of four states there is one.
    expect([plain.states, cleared.states]).toEqual([7, 4]);
    expect(clearing).toEqual({ cleared: 2, changing: 2 });
  });

  test("what has been read for the last time", () => {
    const { plain, cleared } = both(threads([`yield; ${chosen("n")} yield; b.flag = b.n > 1; yield; if (b.flag) b.k = 1; yield;`]), 9);
    expect(plain.states).toBeGreaterThan(cleared.states);
  });

  test("how many failures there were, when nothing can fail any more", () => {
    const { plain, cleared } = both(threads([`yield; fault("first"); yield; fault("second"); yield; yield;`], "faults: 2"), 3);
    expect(plain.states).toBeGreaterThan(cleared.states);
  });

  test("what a thread does again and again, of which nothing is dead until all of it has been seen", () => {
    const round = `for (;;) { yield; ${chosen("n")} yield; if (b.k === 3) yield; b.n = 0; }`;
    const [early, late] = [2, 20].map((reduceAfter) => both(threads([round, turning(4)]), reduceAfter));
    expect(early?.cleared.states).toBe(late?.cleared.states);
    expect(late?.cleared.states).toBeLessThan((late?.plain.states ?? 0) / 2);
  });
});

/** In each of them something is found only because of what a field has that looks dead for a while. */
const hidden: readonly (readonly [string, string, string])[] = [
  ["another thread reads it", "bug-on", threads([`yield; ${chosen("n")} yield; b.n = 0;`, "yield; yield; yield; BUG_ON(b.n === 3);"])],
  [
    "the thread reads it on a path that is seldom taken",
    "bug-on",
    threads([
      `yield; ${chosen("n")} yield; if (b.k === 2) BUG_ON(b.n === 3); yield; b.n = 0;`,
      "yield; yield; yield; b.k = 1; yield; b.k = 2;",
    ]),
  ],
  [
    "it is read far behind where it was written, by a path that is learned late",
    "bug-on",
    threads([
      `for (;;) { yield; ${chosen("n")} yield; if (b.k === 3) { yield; yield; BUG_ON(b.n === 3 && b.flag); } else { b.n = 0; } yield; }`,
      "yield; b.k = 1; yield; b.k = 2; yield; b.flag = true; yield; b.k = 3;",
    ]),
  ],
  [
    "a property reads it",
    "P",
    threads([`yield; ${chosen("n")} yield; b.n = 0;`], `properties: [claim("P", windows(s).always("box", (b) => b.n !== 3))]`),
  ],
  [
    "a property reads it only when something else is so",
    "P",
    threads(
      [`yield; ${chosen("n")} yield; yield; yield; b.n = 0;`, "yield; yield; yield; b.k = 1; yield; b.k = 2;"],
      `properties: [claim("P", windows(s).always("box", (b) => b.k !== 2 || b.n !== 3))]`,
    ),
  ],
  [
    "a property reads it at the end",
    "P",
    threads([`yield; ${chosen("n")} yield; b.k = 1; yield;`], `properties: [claim("P", windows(s).atEnd("box", (b) => b.n !== 3))]`),
  ],
  [
    "a property of steps reads it",
    "P",
    threads(
      [`yield; ${chosen("n")} yield; b.n = 0;`],
      `properties: [claim("P", windows(s).onStep("box", (b, before) => !(before(() => b.n) === 3 && b.n === 0)))]`,
    ),
  ],
  [
    "a witness is seen by it",
    "W",
    threads([`yield; ${chosen("n")} yield; b.n = 0;`], `properties: [claim("W", windows(s).sometimes("box", (b) => b.n === 3))]`),
  ],
  [
    "a property has read it where it was not dead, and late",
    "P",
    threads(
      ["yield; b.flag = b.n === 0; yield; yield until(() => b.k !== 15); b.n = 3; yield; yield; b.n = 0;", turning(16)],
      `properties: [claim("P", windows(s).always("box", (b) => b.k !== 15 || b.n !== 3))]`,
      "n: counter(3), k: counter(15), flag: flag()",
    ),
  ],
  [
    "it counts references to what is lost at the end",
    "leak",
    threads([`const o = kzalloc(s, "obj"); kref_init(o.rc); yield; b.k = 1; yield;`], "terminates: true, pools: { obj: 1 }"),
  ],
  [
    "it keeps the slot of an object that was freed",
    "bug-on",
    threads(
      [
        `b.q = kzalloc(s, "obj"); b.p = b.q; yield; kfree(b.q); b.q = null; yield; b.r = kzalloc(s, "obj"); b.all.add(b.r); yield; b.p = null; yield; b.all.add(kzalloc(s, "obj")); yield; BUG_ON([...b.all][0] !== b.r);`,
      ],
      "pools: { obj: 3 }",
      `p: ref("obj"), q: ref("obj"), r: ref("obj"), all: setOf("obj")`,
    ),
  ],
  [
    "somebody waits for the mutex",
    "stuck",
    threads(["yield* mutex_lock(b.m); yield; yield until(() => false);", "yield; yield* mutex_lock(b.m); mutex_unlock(b.m);"]),
  ],
];

test.each(hidden.flatMap((model) => [1, 2, 5, 15].map((reduceAfter) => [...model, reduceAfter] as const)))(
  "is found with fields cleared: %s",
  (_, check, text, reduceAfter) => {
    const { cleared } = both(text, reduceAfter);
    expect(verdictOf(cleared, check)).toBe(check === "W" ? "holds" : "violated");
  },
);

/** In each of them something would be found if fields were cleared that have to be kept, or code was run in states that there are not. */
const sound: readonly (readonly [string, string, string])[] = [
  [
    "what refers to an object until the end",
    "leak",
    threads([`b.p = kzalloc(s, "obj"); yield; b.k = 1; yield;`], "terminates: true, pools: { obj: 1 }", `k: counter(3), p: ref("obj")`),
  ],
  [
    "what is read on a path that is learned late, and is never what it was at the start",
    "bug-on",
    threads(["b.n = 1; yield; yield; if (b.k === 3 && b.n === 0) { yield; BUG_ON(true); } yield; b.n = 1;", turning(4)]),
  ],
  [
    "what code cannot do without",
    "model-fault",
    threads(["b.n = 1; yield; yield; if (b.k === 3) { yield; b.k = 4 - b.n; } yield; b.n = 1;", turning(4)]),
  ],
  [
    "what a property reads seldom",
    "P",
    threads(
      ["b.n = 1; b.flag = true; yield; yield; b.n = 1;", turning(4)],
      `properties: [claim("P", windows(s).always("box", (b) => b.k !== 3 || b.n === 1 || !b.flag))]`,
    ),
  ],
];

test.each(sound.flatMap((model) => [3, 5, 7].map((reduceAfter) => [...model, reduceAfter] as const)))(
  "is kept: %s",
  (_, check, text, reduceAfter) => {
    const { cleared } = both(text, reduceAfter);
    expect(verdictOf(cleared, check)).toBe("holds");
  },
);
