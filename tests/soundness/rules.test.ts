/** What a rule must hold: every store, also one that changes nothing where it is learned, and every read that a check consults. */
import { describe, expect, test } from "vitest";
import { exploreFast } from "../../src/explore/fast.js";
import type { Outcome } from "../../src/explore/outcome.js";
import { exploreReference } from "../../src/explore/reference.js";
import { ModelError } from "../../src/lang/errors.js";
import type { Machine } from "../../src/step/machine.js";
import { type Forget, forgetfulMachine, patchesOnly } from "../support/forgetful.js";
import { found, load, tiny } from "../support/model.js";

function outcomes(text: string, forget: Forget): { reference: Outcome; fast: Outcome; forgetful: Outcome | "refused" } {
  const loaded = load(text);
  const goOnAfter = new Set(Object.keys(loaded.suite.expected ?? {}));
  const nothing: Forget = () => ({});
  const finish = (engine: typeof exploreFast, forgetting: Forget) => {
    const machine = forgetfulMachine(loaded, forgetting);
    const run = engine(machine, { goOnAfter });
    for (;;) {
      const { done, value } = run.next();
      if (done) return value;
    }
  };
  const attempt = () => {
    try {
      return finish(exploreFast, forget);
    } catch (error) {
      if (error instanceof ModelError) return "refused";
      throw error;
    }
  };
  return { reference: finish(exploreReference, nothing), fast: finish(exploreFast, nothing), forgetful: attempt() };
}

describe("a store of the value that is there already", () => {
  const blind = (store: string, structs: string, other: string) =>
    tiny({
      procedures: `function* clear(b) { for (;;) { yield; ${store} } }\nfunction* set(b) { yield; ${other} }`,
      structs,
      make: `const b = make("box", "b");`,
      threads: `thread("clear", clear, b), thread("set", set, b)`,
    });

  test.each([
    ["a field", blind("b.flag = false;", "box: { flag: flag() }", "b.flag = true;")],
    ["a set", blind("b.set.clear();", "box: { set: setOf('box') }", "b.set.add(b);")],
    ["a refcount", blind("kref_init(b.rc, 0);", "box: { rc: refcount(1) }", "kref_init(b.rc, 1);")],
  ])("is stored elsewhere too: %s", (_, text) => {
    const { reference, fast, forgetful } = outcomes(text, patchesOnly);
    // Nothing done; set; set and cleared again. clear can run in each, set only in the first.
    for (const outcome of [reference, fast]) expect(outcome).toMatchObject({ states: 3, transitions: 4 });
    // Learned in the first state, where it changes nothing, the rule would clear nothing ever after.
    expect(forgetful).toMatchObject({ states: 2, transitions: 3 });
  });
});

describe("what a check consults is read from the state, so that a rule learned where all is well does not apply where it is not", () => {
  /** Drops the reads of the cells of a kind. */
  const without =
    (isForgotten: (cell: Machine["layout"]["cells"][number]) => boolean): Forget =>
    ({ decisions }, _, { layout }) => ({
      decisions: decisions.filter(
        (decision) => decision.kind === "choice" || !isForgotten(layout.cells[decision.cell] as Machine["layout"]["cells"][number]),
      ),
    });
  const liveness = without(({ kind }) => kind === "liveness");
  const mutexes = without((cell) => cell.kind === "field" && cell.field.spec.kind === "mutex");
  const held = without(({ kind }) => kind === "held");
  const faults = without(({ kind }) => kind === "faults");

  const model = (procedures: string, threads: string) =>
    tiny({
      procedures,
      structs: "box: { m: mutex(), m2: mutex(), g: counter(2).guardedBy('m'), p: ref('obj'), rounds: counter(2) }, obj: { v: flag() }",
      make: `const b = make("box", "b"); b.p = make("obj", "o");`,
      threads,
      more: `pools: { obj: 1 }, faults: 1, expected: Object.fromEntries(["atomicity", "stuck", "warn-on"].map((check) => [check, { verdict: "violated", reason: "not the point" }]))`,
    });

  test.each<[string, string, Forget, RegExp]>([
    [
      "use-after-free: whether the object lives",
      model(
        "function* use(b) { const o = b.p; for (;;) { yield; o.v = true; } }\nfunction* free(b) { yield; kfree(b.p); }",
        `thread("use", use, b), thread("free", free, b)`,
      ),
      liveness,
      /use-after-free/,
    ],
    [
      "double-free: whether the object lives",
      model("function* free(b) { for (;;) { yield; kfree(b.p); } }", `thread("free", free, b)`),
      liveness,
      /double-free/,
    ],
    [
      "guarded-by: who holds the lock",
      model(
        "function* t(b) { const lock = choose('lock', [b.m, b.m2]); mutex_trylock(lock); yield; b.g = 1; yield; mutex_unlock(b.m.isFree ? b.m2 : b.m); }",
        `thread("t", t, b)`,
      ),
      mutexes,
      /guarded-by/,
    ],
    [
      "lockdep: how many locks the thread holds when it returns",
      model(
        "function* t(b) { yield* call(b); }\nfunction* call(b) { yield* maybe(b); yield; }\nfunction* maybe(b) { if (choose('lock', [false, true])) yield* mutex_lock(b.m); }",
        `thread("t", t, b)`,
      ),
      held,
      /lockdep/,
    ],
    [
      "fault: what is left of the budget",
      model(
        "function* t(b) { for (const round of [1, 2]) { yield* step(b); } }\nfunction* step(b) { yield; if (fault('a')) b.rounds++; yield; WARN_ON(b.rounds === 2); }",
        `thread("t", step, b), thread("u", step, b)`,
      ),
      faults,
      /warn-on|model-fault/,
    ],
  ])("%s", (_, text, forget, check) => {
    const { reference, fast, forgetful } = outcomes(text, forget);
    const seen = (outcome: Outcome) => found(outcome).filter((line) => check.test(line));
    expect(seen(fast)).toEqual(seen(reference));
    // What is forgotten shows as a finding that is missed, or is noticed as nondeterminism.
    if (forgetful !== "refused") expect(seen(forgetful)).not.toEqual(seen(fast));
  });
});
