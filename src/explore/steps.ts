/** Going over the steps of states that a run has explored, again. */
import type { FastRun } from "./fast-run.js";

/** Makes the state current and collects its steps; returns how many there are. */
export function loadState(run: FastRun, state: number, depth: number): number {
  run.store.load(state, run.current);
  return run.expand(state, depth);
}

/** Number of the state that the step leads to, or -1 for a fault. */
export function successor(run: FastRun, step: number): number {
  if (run.leafOf(step).next === null) return -1;
  run.apply(step);
  return run.store.find(run.next);
}
