/** What a rule must hold: every store, also one that changes nothing where it is learned, and every read that a check consults. */
import { describe, expect, test } from "vitest";
import { exploreFast } from "../../src/explore/fast.js";
import type { Outcome } from "../../src/explore/outcome.js";
import { exploreReference } from "../../src/explore/reference.js";
import { ModelError } from "../../src/lang/errors.js";
import type { State } from "../../src/state/state.js";
import { readCell } from "../../src/state/state.js";
import type { RunOptions } from "../../src/step/environment.js";
import { Machine } from "../../src/step/machine.js";
import type { NativeBlock } from "../../src/step/run.js";
import { found, load, tiny } from "../support/model.js";

/** What is forgotten of a block before the fast engine learns from it. */
type Forget = (block: NativeBlock, state: State, machine: Machine) => Partial<NativeBlock>;

class Forgetful extends Machine {
  forget: Forget = () => ({});
  override run(state: State, thread: number, options: RunOptions = {}): NativeBlock {
    const block = super.run(state, thread, options);
    return { ...block, ...this.forget?.(block, state, this) };
  }
}

function outcomes(text: string, forget: Forget): { reference: Outcome; fast: Outcome; forgetful: Outcome | "refused" } {
  const { session, suite } = load(text);
  const make = () => new Forgetful(suite.design, suite.scenario, suite.properties, {}, session.locate);
  const goOnAfter = new Set(Object.keys(suite.expected ?? {}));
  const finish = (engine: typeof exploreFast, machine: Forgetful) => {
    const run = engine(machine, { goOnAfter });
    for (;;) {
      const { done, value } = run.next();
      if (done) return value;
    }
  };
  const forgetful = make();
  forgetful.forget = forget;
  const attempt = () => {
    try {
      return finish(exploreFast, forgetful);
    } catch (error) {
      if (error instanceof ModelError) return "refused";
      throw error;
    }
  };
  return { reference: finish(exploreReference, make()), fast: finish(exploreFast, make()), forgetful: attempt() };
}

/** Learns from what Immer would report as changed, instead of from what was stored. */
const patchesOnly: Forget = ({ writes }, state, { layout }) => ({
  writes: new Map([...writes].filter(([cell, code]) => readCell(layout, state, cell) !== code)),
});

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
