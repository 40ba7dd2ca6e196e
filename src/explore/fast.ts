/** The fast engine, as it is called. */
import type { Machine } from "../step/machine.js";
import { FastRun } from "./fast-run.js";
import { Learner } from "./learner.js";
import type { Exploration, ExploreOptions } from "./outcome.js";

/** Explores every reachable state of the machine within the limits. */
export function* exploreFast(machine: Machine, options: ExploreOptions = {}): Exploration {
  const started = performance.now();
  const learner = new Learner(machine);
  try {
    return yield* new FastRun(machine, options, learner, started).explore();
  } finally {
    learner.memory.giveBack();
  }
}
