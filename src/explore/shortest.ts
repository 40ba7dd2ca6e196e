/**
 * A shortest path to a finding, and among the shortest one with the fewest changes of thread; ties go to the
 * lower state and step numbers, so that the same run gives the same path. No predecessors are stored: the levels
 * are swept backwards from the finding to mark what lies on a shortest path, then forwards over (state, last thread).
 */
import type { FastRun } from "./fast.js";
import type { Occurrence } from "./findings.js";

interface Visit {
  readonly state: number;
  /** Thread of the last step, -1 at the start. */
  readonly thread: number;
  readonly changes: number;
  readonly ordinal: number;
  readonly previous: Visit | null;
}

/** Ordinals of the steps. `depth` counts the last step too if the occurrence is a step. */
export function shortestPath(run: FastRun, depth: number, occurrences: readonly Occurrence[]): number[] {
  const lastLevel = occurrences[0]?.ordinal === null ? depth : depth - 1;
  const marked = markBackwards(run, lastLevel, occurrences);
  let frontier: Visit[] = [{ state: 0, thread: -1, changes: 0, ordinal: -1, previous: null }];
  for (let level = 0; level < lastLevel; level++) frontier = advance(run, frontier, marked[level + 1] as Set<number>);
  let best: Visit | null = null;
  for (const visit of frontier) {
    for (const occurrence of occurrences) {
      if (occurrence.state !== visit.state) continue;
      const arrived = occurrence.ordinal === null ? visit : lastStep(run, visit, occurrence.ordinal);
      if (best === null || arrived.changes < best.changes) best = arrived;
    }
  }
  const path: number[] = [];
  for (let visit = best; visit !== null && visit.previous !== null; visit = visit.previous) path.unshift(visit.ordinal);
  return path;
}

/** Per level, the states on a shortest path to an occurrence. */
function markBackwards(run: FastRun, lastLevel: number, occurrences: readonly Occurrence[]): Set<number>[] {
  const marked: Set<number>[] = [];
  marked[lastLevel] = new Set(occurrences.map(({ state }) => state));
  for (let level = lastLevel - 1; level >= 0; level--) {
    const ahead = marked[level + 1] as Set<number>;
    const here = new Set<number>();
    const end = run.levelStart[level + 1] as number;
    for (let state = run.levelStart[level] as number; state < end; state++) {
      const steps = load(run, state, level);
      for (let step = 0; step < steps; step++) {
        if (ahead.has(successor(run, step))) {
          here.add(state);
          break;
        }
      }
    }
    marked[level] = here;
  }
  return marked;
}

/** One level forwards: for each marked state and last thread the visit with the fewest changes, the first such one. */
function advance(run: FastRun, frontier: readonly Visit[], ahead: ReadonlySet<number>): Visit[] {
  const best = new Map<string, Visit>();
  for (const previous of frontier) {
    const steps = load(run, previous.state, 0);
    for (let step = 0; step < steps; step++) {
      const state = successor(run, step);
      if (!ahead.has(state)) continue;
      const { thread } = run.leafOf(step).control;
      const changes = previous.changes + Number(previous.thread >= 0 && previous.thread !== thread);
      const key = `${state} ${thread}`;
      const known = best.get(key);
      if (!known || changes < known.changes) best.set(key, { state, thread, changes, ordinal: step, previous });
    }
  }
  return [...best.values()];
}

function lastStep(run: FastRun, previous: Visit, ordinal: number): Visit {
  load(run, previous.state, 0);
  const { thread } = run.leafOf(ordinal).control;
  const changes = previous.changes + Number(previous.thread >= 0 && previous.thread !== thread);
  return { state: previous.state, thread, changes, ordinal, previous };
}

function load(run: FastRun, state: number, depth: number): number {
  run.store.load(state, run.current);
  return run.expand(state, depth);
}

/** Number of the state that the step leads to, or -1 for a fault. */
function successor(run: FastRun, step: number): number {
  if (run.leafOf(step).next === null) return -1;
  run.apply(step);
  return run.store.find(run.next);
}
