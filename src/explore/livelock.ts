/**
 * States from which none of the marked ones can be reached, after a complete run. There are no predecessor links:
 * the states are swept, and one is marked as soon as a step of it leads to a marked one, until a sweep marks
 * nothing. Most steps lead to states found later, so the first sweep goes backwards and marks nearly all; sweeps
 * change direction, for chains that run the other way, and look at what is not marked only.
 */
import type { FastRun } from "./fast-run.js";
import type { Occurrence } from "./findings.js";
import type { Marks } from "./marks.js";

/** States between two looks at the limits. */
const LOOK_EVERY_STATES = 1024;

/** The unmarked states nearest to the start, with their depth, or null if all are marked. Yields now and then. */
export function* nearestLivelock(
  run: FastRun,
  marks: Marks,
): Generator<undefined, { readonly depth: number; readonly occurrences: Occurrence[] } | null> {
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

function leadsToMarked(run: FastRun, state: number, marks: Marks): boolean {
  const steps = run.expander.expand(state);
  for (let step = 0; step < steps; step++) {
    const next = run.expander.successor(step);
    if (next >= 0 && marks.has(next)) return true;
  }
  return false;
}
