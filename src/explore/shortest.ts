/**
 * A shortest path to a finding, and among the shortest one with the fewest changes of thread; ties go to the
 * lower state and step numbers, so that the same run gives the same path. No predecessors are stored: the levels
 * are swept backwards from the finding to mark what lies on a shortest path, then forwards over (state, last thread).
 */
import type { FastRun } from "./fast-run.js";
import type { Occurrence } from "./findings.js";

interface Visit {
  readonly state: number;
  /** Thread of the last step, -1 at the start. */
  readonly thread: number;
  readonly changes: number;
  readonly ordinal: number;
  readonly previous: Visit | null;
}

/** States between two looks around. */
const LOOK_EVERY_STATES = 1024;

/** Ordinals of the steps. `depth` counts the last step too if the occurrence is a step. Yields now and then, so that it can be left. */
export function* shortestPath(run: FastRun, depth: number, occurrences: readonly Occurrence[]): Generator<undefined, number[]> {
  const lastLevel = occurrences[0]?.ordinal === null ? depth : depth - 1;
  const marked = yield* markBackwards(run, lastLevel, occurrences);
  let frontier: Visit[] = [{ state: 0, thread: -1, changes: 0, ordinal: -1, previous: null }];
  for (let level = 0; level < lastLevel; level++) frontier = yield* advance(run, frontier, marked[level + 1] as Set<number>);
  const ordinals = new Map<number, (number | null)[]>();
  for (const { state, ordinal } of occurrences) ordinals.set(state, [...(ordinals.get(state) ?? []), ordinal]);
  let best: Visit | null = null;
  for (const visit of frontier) {
    for (const ordinal of ordinals.get(visit.state) ?? []) {
      const arrived = ordinal === null ? visit : lastStep(run, visit, ordinal);
      if (best === null || arrived.changes < best.changes) best = arrived;
    }
  }
  const path: number[] = [];
  for (let visit = best; visit !== null && visit.previous !== null; visit = visit.previous) path.unshift(visit.ordinal);
  return path;
}

/** Per level, the states on a shortest path to an occurrence. */
function* markBackwards(run: FastRun, lastLevel: number, occurrences: readonly Occurrence[]): Generator<undefined, Set<number>[]> {
  const marked: Set<number>[] = [];
  marked[lastLevel] = new Set(occurrences.map(({ state }) => state));
  for (let level = lastLevel - 1; level >= 0; level--) {
    const ahead = run.expander.setOf(marked[level + 1] as Set<number>);
    const here = new Set<number>();
    // What was not visited has led to nothing that was found, and what its steps do may not be known.
    const end = Math.min(run.levelStart[level + 1] as number, run.visited);
    for (let state = run.levelStart[level] as number; state < end; state++) {
      if (state % LOOK_EVERY_STATES === 0) yield;
      const steps = run.expander.expand(state);
      for (let step = 0; step < steps; step++) {
        if (run.expander.successorAmong(ahead, step) >= 0) {
          here.add(state);
          break;
        }
      }
    }
    ahead.release();
    marked[level] = here;
  }
  return marked;
}

/** One level forwards: for each marked state and last thread the visit with the fewest changes, the first such one. */
function* advance(run: FastRun, frontier: readonly Visit[], marked: ReadonlySet<number>): Generator<undefined, Visit[]> {
  const ahead = run.expander.setOf(marked);
  const best = new Map<string, Visit>();
  for (const [position, previous] of frontier.entries()) {
    if (position % LOOK_EVERY_STATES === LOOK_EVERY_STATES - 1) yield;
    const steps = run.expander.expand(previous.state);
    for (let step = 0; step < steps; step++) {
      const state = run.expander.successorAmong(ahead, step);
      if (state < 0) continue;
      const visit = extend(run, previous, step, state);
      const key = `${state} ${visit.thread}`;
      const known = best.get(key);
      if (!known || visit.changes < known.changes) best.set(key, visit);
    }
  }
  ahead.release();
  return [...best.values()];
}

/** A finding in a step is a visit of the state that the step leaves. Only then is that state loaded: one in which something was found need not have been expanded. */
function lastStep(run: FastRun, visit: Visit, ordinal: number): Visit {
  run.expander.expand(visit.state);
  return extend(run, visit, ordinal, visit.state);
}

/** The visit of `state` by a step out of the state that is loaded. */
function extend(run: FastRun, previous: Visit, ordinal: number, state: number): Visit {
  const { thread } = run.expander.leafOf(ordinal).control;
  const changes = previous.changes + Number(previous.thread >= 0 && previous.thread !== thread);
  return { state, thread, changes, ordinal, previous };
}
