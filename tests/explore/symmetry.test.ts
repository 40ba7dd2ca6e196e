/** Things that are interchangeable: found without being declared, given up where model code tells them apart, and of all images one state. */
import { describe, expect, test } from "vitest";
import { exploreFast, exploreStates } from "../../src/explore/fast.js";
import { FastRun } from "../../src/explore/fast-run.js";
import { imageKey, type Swap, swapsOf } from "../../src/explore/interchange.js";
import { Learner } from "../../src/explore/learner.js";
import type { Reduction } from "../../src/explore/outcome.js";
import { pathTaken } from "../../src/explore/paths.js";
import { exploreReduced } from "../../src/explore/reduced.js";
import { type LostSwap, Symmetry } from "../../src/explore/symmetry.js";
import { checksOfSuite, finish, machineOf } from "../../src/session/run-suite.js";
import { generatedBy, Permutation } from "../../src/state/permutation.js";
import type { Machine } from "../../src/step/machine.js";
import { comparable, load, tiny, verdictOf } from "../support/model.js";

const SYMMETRY = { fusion: false, symmetry: true, clearing: false };

/** Explores the model without reduction and with symmetry, which begins after so many states. */
function both(text: string, reduceAfter = 1) {
  const { session, suite } = load(text);
  const goOnAfter = new Set(checksOfSuite(suite));
  const plain = finish(exploreFast(machineOf(session, suite), { goOnAfter }));
  const reduced = finish(exploreReduced(machineOf(session, suite), { goOnAfter, reduceAfter }, SYMMETRY));
  expect(reduced.results).toEqual(plain.results);
  expect(comparable(reduced)).toMatchObject({ findings: comparable(plain).findings, lockOrder: comparable(plain).lockOrder });
  const symmetry = symmetryOf(reduced.reduction);
  if (symmetry?.isEstimate) expect(symmetry.standFor / plain.states).toBeCloseTo(1, 2);
  else if (symmetry !== null) expect(symmetry.standFor).toBe(plain.states);
  return { plain, reduced, symmetry };
}

function symmetryOf(reduction: Reduction | null) {
  return reduction?.kind === "reduced" ? reduction.symmetry : null;
}

function machineIn(text: string): Machine {
  const { session, suite } = load(text);
  return machineOf(session, suite);
}

/** So many threads that run the procedure, each on a box of its own and on one for all. */
const users = (
  procedure: string,
  count = 2,
  more = "",
  structs = "n: counter(3), k: counter(3), flag: flag(), m: mutex(), p: ref('obj')",
) => {
  const own = Array.from({ length: count }, (_, each) => `const b${each} = make("box", "b${each}");`).join(" ");
  return tiny({
    procedures: `function* t(b, all) { ${procedure} }`,
    structs: `box: { ${structs} }, obj: { v: counter(2) }`,
    make: `${own} const all = make("box", "all");`,
    threads: Array.from({ length: count }, (_, each) => `thread("t${each}", t, b${each}, all)`).join(),
    more,
  });
};

/** How many states there are of which none is the image of another. */
function orbits(machine: Machine): number {
  const group = generatedBy(
    swapsOf(machine).map(({ permutation }) => permutation),
    1000,
  ) as readonly Permutation[];
  const identity = group[0]?.followedBy(group[0].inverse) as Permutation;
  const { cells } = machine.layout;
  return finish(
    exploreStates<number>(machine, {}, function* (_, { count, stateAt }) {
      const smallest = new Set<string>();
      for (let number = 0; number < count; number++) {
        const state = stateAt(number);
        const images = [identity, ...group].map((permutation) => {
          const image: (number | string)[] = [];
          for (const cell of cells.keys()) image[permutation.cells[cell] as number] = permutation.code(cell, state.cell(cell));
          for (const thread of machine.threads.keys())
            image[cells.length + (permutation.threads[thread] as number)] = imageKey(machine.control(state, thread), permutation);
          return image.join();
        });
        smallest.add(images.sort()[0] as string);
      }
      return smallest.size;
    }),
  );
}

describe("of all images of a state one is kept", () => {
  const work = "yield; b.n = 1; yield; b.k = all.k; yield* mutex_lock(all.m); all.k = 1; yield; b.flag = true; mutex_unlock(all.m);";

  test.each([2, 3, 4])("with %d threads that are alike", (count) => {
    const text = users(work, count);
    const { plain, reduced, symmetry } = both(text);
    expect(symmetry).toMatchObject({ lost: [] });
    expect(symmetry?.interchangeable).toHaveLength((count * (count - 1)) / 2);
    expect(reduced.states).toBe(orbits(machineIn(text)));
    expect(plain.states).toBeGreaterThan(reduced.states * (count - 0.5));
  });

  test("with objects that each has in locals, in sets, in lists and in mutexes, and which come and go", () => {
    const text = users(
      `let o = kzalloc(s, "obj"); yield; b.p = o; all.all.add(o); yield; o.v = 1; yield* mutex_lock(b.m); yield; list_add_tail(b, all.line);
       b.own.add(b); mutex_unlock(b.m); yield; all.all.delete(b.p); kfree(b.p); yield; b.p = null; o = null; yield; list_del(b, all.line);`,
      2,
      "pools: { obj: 3 }",
      "m: mutex(), p: ref('obj'), own: setOf('box'), all: setOf('obj'), line: list('box', 2)",
    );
    const { reduced, symmetry } = both(text);
    expect(symmetry?.lost).toEqual([]);
    expect(reduced.states).toBe(orbits(machineIn(text)));
  });

  /** Each looks in its own set for the other; the search ends where it is found, so that one of them looks at more than the other. */
  const searching = (late: string) =>
    tiny({
      procedures: `function* t(b) { for (const each of b.in) { yield; each.n = 1; } yield; b.n = 2; }
function* u(hub) { yield; hub.n = 1; yield; hub.n = 2; yield; ${late} }`,
      structs: "box: { n: counter(3), in: setOf('box') }",
      make: `const [a, b, hub] = ["a", "b", "hub"].map((name) => make("box", name)); a.in.add(b); b.in.add(a); hub.in.add(a); hub.in.add(b);`,
      threads: `thread("ta", t, a), thread("tb", t, b), thread("u", u, hub)`,
    });

  test("though one of them looks at more that never changes", () => {
    const text = searching("hub.n = 3;");
    const { reduced, symmetry } = both(text);
    expect(symmetry).toMatchObject({ interchangeable: [expect.any(String)], lost: [] });
    expect(reduced.states).toBe(orbits(machineIn(text)));
  });

  test("not if it turns out late that it does change", () => {
    const { plain, reduced, symmetry } = both(searching("for (const each of [...hub.in]) each.in.clear();"), 8);
    expect(symmetry?.lost).toEqual([{ what: "ta and tb (with a and b)", because: expect.stringContaining("it depends on") }]);
    expect(reduced.states).toBe(plain.states);
  });

  test("when states are packed anew", () => {
    const { session, suite } = load(users(work, 3));
    const reduced = finish(exploreReduced(machineOf(session, suite), { reduceAfter: 1, packAfter: 3 }, SYMMETRY));
    expect(reduced.states).toBe(orbits(machineOf(session, suite)));
  });

  test("when threads have more control states than there are bits", () => {
    const text = users("while (b.n < 700) { const n = b.n; yield; b.n = n + 1; }", 2, "", "n: counter(700)");
    const { plain, reduced, symmetry } = both(text, 3000);
    expect(reduced.states).toBeLessThan(plain.states * 0.51);
    expect(symmetry).toMatchObject({ isEstimate: true });
  });
});

describe("what is alike is found", () => {
  const what = (text: string) => swapsOf(machineIn(text)).map((swap) => swap.what);

  test("threads, with what belongs to them", () => {
    expect(what(users("yield;"))).toEqual(["t0 and t1 (with b0 and b1)"]);
  });

  test("not threads that begin with other values, nor with another procedure", () => {
    const text = (threads: string) =>
      tiny({ procedures: "function* t(n) { yield; }\nfunction* u(n) { yield; }", structs: "box: { n: flag() }", make: "", threads });
    expect(what(text(`thread("a", t, 1), thread("b", t, 1)`))).toEqual(["a and b"]);
    expect(what(text(`thread("a", t, 1), thread("b", t, 2)`))).toEqual([]);
    expect(what(text(`thread("a", t, 1), thread("b", u, 1)`))).toEqual([]);
  });

  test("objects of which others say which is which, in a list or by a field, are not alike", () => {
    const text = (make: string) =>
      tiny({
        procedures: "function* t(b) { yield; }",
        structs: "box: { n: counter(3), in: setOf('box'), line: list('box', 2), to: ref('box') }",
        make: `const a = make("box", "a"); const b = make("box", "b"); const hub = make("box", "hub"); ${make}`,
        threads: `thread("t", t, hub)`,
      });
    expect(what(text(""))).toEqual(["a and b"]);
    expect(what(text("hub.in.add(a); hub.in.add(b);"))).toEqual(["a and b"]);
    expect(what(text("list_add_tail(a, hub.line); list_add_tail(b, hub.line);"))).toEqual([]);
    expect(what(text("hub.to = a;"))).toEqual([]);
    expect(what(text("a.to = b;"))).toEqual([]);
    expect(what(text("a.to = b; b.to = a;"))).toEqual(["a and b"]);
    expect(what(text("a.n = 1;"))).toEqual([]);
  });

  test("what points to them goes with them", () => {
    const text = tiny({
      procedures: "function* t(b) { yield; }",
      structs: "box: {}, tag: { of: ref('box') }",
      make: `const a = make("box", "a"); const b = make("box", "b"); make("tag", "ta", { of: a }); make("tag", "tb", { of: b });`,
      threads: `thread("t", t, null)`,
    });
    expect(what(text)).toEqual(["a and b (with ta and tb)"]);
  });
});

/** Each tells two threads apart that are alike at first, and finds something in one order only. */
const different: readonly (readonly [string, string, string, string])[] = [
  [
    "which slot an object is in",
    "if (b === [...all.in][0]) { yield; b.n = 1; yield; BUG_ON(all.n === 0); } else { yield; all.n = 1; }",
    "",
    "it goes on elsewhere, the start of t",
  ],
  [
    "which of two slots is free first",
    "yield; kfree(b.p); b.p = null; yield; b.p = kzalloc(s, 'obj'); yield; BUG_ON(b.p === all.p);",
    "pools: { obj: 3 }",
    "it depends on other things, t (tests/inline-model.ts:2:",
  ],
  [
    "the order in which a set is walked",
    "for (const each of all.in) { yield; if (each.n === 1) BUG_ON(each !== b); each.n = 1; }",
    "",
    "it goes on elsewhere, the start of t",
  ],
  [
    "which alternative comes first",
    "const some = choose('box', [...all.in].slice(0, 1)); yield; some.n = 1; yield; BUG_ON(b.n === 1);",
    "",
    "it has other choices, the start of t",
  ],
];

describe("what makes a difference is given up", () => {
  const text = (procedure: string, more: string) =>
    tiny({
      procedures: `function* t(b, all) { ${procedure} }`,
      structs: "box: { n: counter(3), in: setOf('box'), p: ref('obj') }, obj: { v: counter(1) }",
      make: `const a = make("box", "a"); const b = make("box", "b"); const all = make("box", "all"); all.in.add(a); all.in.add(b);
        ${more === "" ? "" : `a.p = make("obj", "oa"); b.p = make("obj", "ob");`}`,
      threads: `thread("t", t, a, all), thread("u", t, b, all)`,
      more,
    });

  test.each(different)("%s", (_, procedure, more, because) => {
    const { plain, reduced, symmetry } = both(text(procedure, more));
    expect(verdictOf(plain, "bug-on")).toBeDefined();
    expect(symmetry).toMatchObject({
      interchangeable: [],
      lost: [{ what: expect.stringContaining("t and u"), because: expect.stringContaining(because) }],
    });
    expect(reduced.states).toBe(plain.states);
  });

  test("late, too: the run begins again without it", () => {
    const late = "while (all.n < 3) { yield; all.n = all.n + 1; b.n = 3; } yield; if (b === [...all.in][0]) b.n = 0;";
    const { plain, reduced, symmetry } = both(text(late, ""), 4);
    expect(symmetry?.lost).toHaveLength(1);
    expect(reduced).toMatchObject({ states: plain.states, reduction: { restarts: 1 } });
  });

  test("of three that are alike two may be left", () => {
    const { reduced, symmetry } = both(
      tiny({
        procedures: `function* t(b, all) { yield; if (b === all.p) b.n = 1; yield; b.n = 2; }
function* u(all, c) { yield; all.p = c; }`,
        structs: "box: { n: counter(3), p: ref('box') }",
        make: `const [a, b, c, all] = ["a", "b", "c", "all"].map((name) => make("box", name));`,
        threads: `thread("ta", t, a, all), thread("tb", t, b, all), thread("tc", t, c, all), thread("u", u, all, c)`,
      }),
    );
    expect(symmetry).toMatchObject({ interchangeable: ["ta and tb (with a and b)"] });
    expect(reduced.states).toBeGreaterThan(0);
  });
});

describe("what is found in an image only is found", () => {
  test("a property that names one object", () => {
    const claims = ["always", "sometimes"].map(
      (window) => `claim("${window}", windows(s).${window}("box", (b, state) => state.all("box")[1].n === ${window === "always" ? 0 : 2}))`,
    );
    const { reduced, symmetry } = both(users("yield; b.n = 2; yield; b.n = 0;", 2, `properties: [${claims}]`));
    expect(symmetry).toMatchObject({ interchangeable: [expect.any(String)], lost: [] });
    expect(["always", "sometimes"].map((check) => verdictOf(reduced, check))).toEqual(["violated", "holds"]);
  });

  test("a property of steps, of returns and of ends that names one object", () => {
    const one = `state.all("box")[1].n`;
    const claims = [
      `claim("step", windows(s).onStep("box", (b, before, state) => before(() => ${one}) !== 1 || ${one} !== 3))`,
      `claim("return", windows(s).onReturn("t", ([b], ret, state) => b !== state.all("box")[1]))`,
      `claim("end", windows(s).atEnd((state) => state.all("box")[0].n !== 2 || ${one} !== 3))`,
    ];
    const work = "yield; b.n = 1; yield; b.n = choose('n', [2, 3]);";
    const { reduced, symmetry } = both(users(work, 2, `properties: [${claims}]`));
    expect(symmetry).toMatchObject({ interchangeable: [expect.any(String)], lost: [] });
    expect(["step", "return", "end"].map((check) => verdictOf(reduced, check))).toEqual(["violated", "violated", "violated"]);
  });

  test("an order of locks, and the cycle that it closes", () => {
    const { reduced, symmetry } = both(
      tiny({
        // Whoever comes first takes both, and nobody else does.
        procedures: `function* t(b, other, all) { yield* mutex_lock(all.m); if (all.n === 0) { all.n = 1; yield* mutex_lock(b.m); yield* mutex_lock(other.m); mutex_unlock(other.m); mutex_unlock(b.m); } mutex_unlock(all.m); }`,
        structs: "box: { m: mutex(), n: counter(1) }",
        make: `const a = make("box", "a"); const b = make("box", "b"); const all = make("box", "all");`,
        threads: `thread("t", t, a, b, all), thread("u", t, b, a, all)`,
      }),
    );
    expect(symmetry).toMatchObject({ interchangeable: [expect.any(String)], lost: [] });
    expect(verdictOf(reduced, "lockdep")).toBe("violated");
  });

  test("a deadlock, a livelock and a leak", () => {
    const deadlock = users("yield* mutex_lock(b.m); yield until(() => all.n === 1); mutex_unlock(b.m);", 2, "terminates: true");
    expect(verdictOf(both(deadlock).reduced, "stuck")).toBe("violated");
    const livelock = users(
      "yield; b.n = 1; while (all.k < 2) { yield; if (all.n === 0) all.n = 1; else all.n = 0; }",
      2,
      "terminates: true",
    );
    expect(verdictOf(both(livelock).reduced, "livelock")).toBe("violated");
    const leak = users("b.p = kzalloc(s, 'obj'); yield; b.p = null;", 2, "terminates: true, pools: { obj: 2 }");
    expect(verdictOf(both(leak).reduced, "leak")).toBe("violated");
  });
});

/** What becomes of a swap in an unreduced run: of all paths that are learned the images are looked at. */
function fateOf(machine: Machine, swap: Swap): LostSwap | null {
  const learner = new Learner(machine);
  const symmetry = Symmetry.of(machine, [swap]);
  let lost: LostSwap | null = null;
  const onlooker = {
    noteBlock(...path: Parameters<typeof pathTaken>) {
      lost ??= symmetry.note(pathTaken(...path));
    },
    hasEnough: () => lost !== null,
  };
  try {
    finish(new FastRun(machine, { traces: false }, learner, performance.now(), onlooker).explore());
  } finally {
    learner.memory.giveBack();
  }
  return lost;
}

test("a permutation that is wrong in one cell is noticed", () => {
  const text = users(
    "yield; b.n = 1; yield* mutex_lock(all.m); yield; all.k = b.n; b.p = b.p; mutex_unlock(all.m); yield; b.flag = !b.flag; b.k = 2;",
  );
  const machine = machineIn(text);
  const [right] = swapsOf(machine) as [Swap];
  expect(fateOf(machine, right)).toBeNull();
  const { layout } = machine;
  const moved = ["n", "k", "flag", "p"].map((name) => layout.fieldCell(layout.schema.struct("box").field(name), 0));
  for (const cell of moved) {
    const wrong = new Permutation(layout, right.permutation.threads, right.permutation.slots);
    const image = right.permutation.cells[cell] as number;
    const cells = right.permutation.cells.with(cell, cell).with(image, image);
    Object.defineProperty(wrong, "cells", { value: cells });
    expect([cell, fateOf(machineIn(text), { permutation: wrong, what: "wrong" })]).toEqual([
      cell,
      expect.objectContaining({ what: "wrong" }),
    ]);
  }
  const sameHolder = new Permutation(layout, right.permutation.threads, right.permutation.slots);
  Object.defineProperty(sameHolder, "code", { value: (_: number, code: number) => code });
  expect(fateOf(machineIn(text), { permutation: sameHolder, what: "wrong" })).not.toBeNull();
});
