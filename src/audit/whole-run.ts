/** A machine explored to the end, whatever is found on the way: with which an audit has all that a design can do. */
import { FastRun } from "../explore/fast-run.js";
import { Learner } from "../explore/learner.js";
import { checksOf, type Limits } from "../explore/outcome.js";
import type { Machine } from "../step/machine.js";

/** A run that goes on after every finding, and looks for no traces: what is wrong with a design is not the question. */
export function wholeRun(machine: Machine, limits: Limits): FastRun {
  const goOnAfter = new Set([...checksOf(machine.terminates), ...machine.properties.map(({ code }) => code)]);
  return new FastRun(machine, { limits, goOnAfter, traces: false }, new Learner(machine), performance.now());
}
