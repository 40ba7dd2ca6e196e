/** Runs compared by all that they found: also by their states, in their order. */
import { deepStrictEqual } from "node:assert";
import { exploreStates } from "../../src/explore/fast.js";
import type { ExploreOptions, Outcome } from "../../src/explore/outcome.js";
import { finish } from "../../src/session/run-suite.js";
import type { Machine } from "../../src/step/machine.js";
import { comparable } from "./model.js";

export interface Explored {
  readonly outcome: Outcome;
  /** Some of the states, in their order. */
  readonly states: readonly string[];
}

/** Explores the machine; of the states that are found, one of so many is told. */
export function explored(machine: Machine, options: ExploreOptions, oneOf = 1): Explored {
  const { cells } = machine.layout;
  return finish(
    exploreStates<Explored>(machine, options, function* (outcome, { count, stateAt }) {
      const states: string[] = [];
      for (let number = 0; number < count; number += oneOf) {
        const state = stateAt(number);
        states.push([...state.threads, ...cells.map((_, cell) => state.cell(cell))].join());
      }
      return { outcome, states };
    }),
  );
}

/** They found the same, and numbered it alike. */
export function agree(one: Explored, other: Explored): void {
  deepStrictEqual(comparable(other.outcome), comparable(one.outcome));
  deepStrictEqual(other.outcome.findings, one.outcome.findings);
  deepStrictEqual(other.states, one.states);
}
