/** The fast engine, as it is called. */
import type { CellView } from "../state/state.js";
import type { Machine } from "../step/machine.js";
import { FastRun } from "./fast-run.js";
import { Learner } from "./learner.js";
import type { Exploration, ExploreOptions, Outcome, Progress } from "./outcome.js";

/** Explores every reachable state of the machine within the limits. */
export function* exploreFast(machine: Machine, options: ExploreOptions = {}): Exploration {
  return yield* exploreStates(machine, options, function* (outcome) {
    return outcome;
  });
}

/** The states that a run has found, in the order in which it did. */
export interface FoundStates {
  readonly count: number;
  stateAt(number: number): CellView;
}

/** The same, and makes something of the states that were found while they are there. */
export function* exploreStates<Made, Told = never>(
  machine: Machine,
  options: ExploreOptions,
  make: (outcome: Outcome, states: FoundStates) => Generator<Told, Made, "interrupt" | undefined>,
): Generator<Progress | Told, Made, "interrupt" | undefined> {
  const started = performance.now();
  const learner = new Learner(machine);
  const run = new FastRun(machine, options, learner, started);
  try {
    const outcome = yield* run.explore();
    const { store, current } = run.expander;
    const stateAt = (number: number) => {
      store.load(number, current);
      return learner.packing.view(current);
    };
    return yield* make(outcome, { count: store.count, stateAt });
  } finally {
    run.close();
    learner.memory.giveBack();
  }
}
