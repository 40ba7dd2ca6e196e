/** A run that is interrupted, and goes on from what it kept, says in the end what one says that was not. */
import { deepStrictEqual } from "node:assert";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Keeper, KeptStates, Snapshot } from "../../src/explore/checkpoint.js";
import { exploreFast } from "../../src/explore/fast.js";
import type { ExploreOptions, Outcome } from "../../src/explore/outcome.js";
import { ModelError } from "../../src/lang/errors.js";
import { finish, machineOf } from "../../src/session/run-suite.js";
import { models } from "../random/grow.js";
import { comparable, load } from "../support/model.js";

/** Keeps everything in memory, as plain data. */
class Drawer {
  #snapshot: string | null = null;
  readonly #states: KeptStates[] = [];
  #count = 0;

  open(): Keeper {
    const snapshot = this.#snapshot === null ? null : (JSON.parse(this.#snapshot) as Snapshot);
    return {
      every: Number.POSITIVE_INFINITY,
      left: snapshot && { snapshot, states: [...this.#states] },
      keep: (kept, { cells, controls, upperControls, changingWords }, statesFrom) => {
        this.#snapshot = JSON.stringify(kept);
        const blocks = Array.from(statesFrom(this.#count), (block) => block.slice());
        const places = { cells: [...cells], controls: [...controls], upperControls: [...upperControls], changingWords };
        this.#states.push({ places, blocks });
        this.#count = kept.states;
      },
    };
  }
}

function explore(text: string, options: ExploreOptions): Outcome {
  const { session, suite } = load(text);
  const goOnAfter = new Set(Object.keys(suite.expected ?? {}));
  return finish(exploreFast(machineOf(session, suite), { goOnAfter, ...options }));
}

const MOST_STATES = 5000;

/** Explores random models in parts, and says how often that was interrupted, and how often by several threads. */
function compareParts(numRuns: number, more: ExploreOptions): { readonly interrupted: number; readonly together: number } {
  let interrupted = 0;
  let together = 0;
  fc.assert(
    fc.property(models, fc.integer({ min: 1, max: 12 }), fc.boolean(), (text, gap, packsEarly) => {
      const packing = packsEarly ? { packAfter: 3 } : {};
      let whole: Outcome;
      try {
        whole = explore(text, { limits: { maxStates: MOST_STATES }, ...packing });
      } catch (error) {
        if (error instanceof ModelError) return;
        throw error;
      }
      if (whole.end.kind === "limit") return;
      const drawer = new Drawer();
      let most = 1;
      const part = () => {
        const outcome = explore(text, { limits: { maxStates: most }, keeper: drawer.open(), ...packing, ...more });
        if (outcome.statistics.threads > 1) together++;
        return outcome;
      };
      let outcome = part();
      for (; outcome.end.kind === "limit"; interrupted++) {
        most = most * 2 + gap;
        outcome = part();
      }
      deepStrictEqual(comparable(outcome), comparable(whole));
    }),
    { numRuns },
  );
  return { interrupted, together };
}

test("on random models, interrupted again and again", () => {
  expect(compareParts(60, {}).interrupted).toBeGreaterThan(100);
});

test("by several threads", () => {
  const eagerly = { packAfter: 3, threads: 2, together: { block: 3, least: 1, calm: 0, enters: 1, waits: true } };
  const { interrupted, together } = compareParts(15, eagerly);
  expect(interrupted).toBeGreaterThan(10);
  expect(together).toBeGreaterThan(3);
});
