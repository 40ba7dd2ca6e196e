/**
 * States from which none of the marked ones can be reached, after a complete run. There are no predecessor links:
 * the states are swept, and one is marked as soon as a step of it leads to a marked one, until a sweep marks
 * nothing. Most steps lead to states found later, so the first sweep goes backwards and marks nearly all; sweeps
 * change direction, for chains that run the other way, and look at what is not marked only.
 */
import type { Expander } from "./expander.js";
import type { FastRun } from "./fast-run.js";
import type { Occurrence } from "./findings.js";
import type { Marks } from "./marks.js";
import { SetAside } from "./state-set.js";

/** States between two looks at the limits. */
const LOOK_EVERY_STATES = 1024;

/** The unmarked states nearest to the start, with their depth, or null if all are marked. Yields now and then. */
export function* nearestLivelock(
  run: FastRun,
  marks: Marks,
): Generator<undefined, { readonly depth: number; readonly occurrences: Occurrence[] } | null> {
  const { count, isOutOfCore } = run.expander.store;
  yield* isOutOfCore ? markByLevels(run, marks) : markBySweeps(run, marks);
  if (marks.size === count) return null;
  let first = 0;
  while (marks.has(first)) first++;
  const depth = run.levelOf(first);
  const occurrences: Occurrence[] = [];
  for (let state = first; state < (run.levelStart[depth + 1] as number); state++) {
    if (!marks.has(state)) occurrences.push({ state, ordinal: null });
  }
  return { depth, occurrences };
}

/** Marks the states from which marked ones can be reached. */
function* markBySweeps(run: FastRun, marks: Marks): Generator<undefined, void> {
  const { count } = run.expander.store;
  for (let isBackwards = true, hasChanged = true; hasChanged && marks.size < count; isBackwards = !isBackwards) {
    hasChanged = false;
    for (let position = 0; position < count; position++) {
      const state = isBackwards ? count - 1 - position : position;
      if (position % LOOK_EVERY_STATES === 0) yield;
      if (marks.has(state) || !leadsToMarked(run, state, marks)) continue;
      marks.add(state);
      hasChanged = true;
    }
  }
}

function leadsToMarked({ expander }: FastRun, state: number, marks: Marks): boolean {
  return someStep(expander, state, (step) => marks.has(expander.successor(step)));
}

/** Whether that is so of some step out of the state that is no fault. */
function someStep(expander: Expander, state: number, isSo: (step: number) => boolean): boolean {
  const steps = expander.expand(state);
  for (let step = 0; step < steps; step++) if (expander.leafOf(step).next !== null && isSo(step)) return true;
  return false;
}

/**
 * The same of states that are on disk, where nobody can look up what a step leads to. First by levels: of two at a time, those that are
 * marked are in memory. Of those that are left by then, which are few, all are: a step that leads to none of them leads to a marked one.
 */
function* markByLevels(run: FastRun, marks: Marks): Generator<undefined, void> {
  const { expander, levelStart } = run;
  const newSet = () => new SetAside(expander.learner.memory, expander.store);
  let unmarked: number[] = [];
  let ahead = newSet();
  for (let level = levelStart.length - 2; level >= 0; level--) {
    const here = newSet();
    const near = { numberOf: (state: Uint32Array) => Math.max(here.numberOf(state), ahead.numberOf(state)) };
    for (let state = (levelStart[level + 1] as number) - 1; state >= (levelStart[level] as number); state--) {
      if (state % LOOK_EVERY_STATES === 0) yield;
      if (marks.has(state) || someStep(expander, state, (step) => expander.successorAmong(near, step) >= 0)) {
        marks.add(state);
        here.add(state);
      } else unmarked.push(state);
    }
    ahead.release();
    ahead = here;
  }
  ahead.release();
  for (let hasChanged = true; hasChanged; ) {
    const left = newSet();
    for (const state of unmarked) left.add(state);
    const leadsOut = (step: number) => {
      const next = expander.successorAmong(left, step);
      return next < 0 || marks.has(next);
    };
    for (const state of unmarked) {
      if (state % LOOK_EVERY_STATES === 0) yield;
      if (someStep(expander, state, leadsOut)) marks.add(state);
    }
    left.release();
    const before = unmarked.length;
    unmarked = unmarked.filter((state) => !marks.has(state));
    hasChanged = unmarked.length < before;
  }
}
