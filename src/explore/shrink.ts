/**
 * Makes the path to a finding smaller: fast-check proposes paths with steps taken out or replaced by earlier ones
 * (which are, in canonical order, those of earlier threads and choices), and each is walked to see whether it
 * still leads there.
 */
import fc from "fast-check";
import { FastRun } from "./fast-run.js";
import type { Candidate, Occurrence } from "./findings.js";
import { Marks } from "./marks.js";

/** Steps walked in search of a smaller path; a number and not a time, so that the same run gives the same path. */
const STEPS_SPENT = 1_000_000;

/**
 * Yields each smaller path that still leads to the finding with that key in the run's book, and returns the
 * smallest found. The path itself if it alone does not show the finding: lock order is judged over many.
 */
export function* shrinkPath(run: FastRun, key: string, path: readonly number[]): Generator<number[] | undefined, number[]> {
  let spent = 0;
  const attempt = (schedule: readonly number[]): number[] | null => {
    const shown = walk(run, key, schedule);
    spent += shown?.length ?? schedule.length;
    return shown;
  };
  let best = attempt(path) ?? [...path];
  const schedules = fc.array(fc.nat({ max: Math.max(...best, 0) }), { maxLength: best.length });
  let proposals = schedules.shrink(best, undefined);
  for (let proposal = proposals.next(); !proposal.done && spent < STEPS_SPENT; proposal = proposals.next()) {
    const shown = attempt(proposal.value.value);
    if (shown === null || !isSmaller(shown, best)) {
      yield undefined;
      continue;
    }
    best = shown;
    yield best;
    // fast-check goes on from its own proposal, of which the path that was walked may be a part only.
    const { value, context } = proposal.value;
    proposals = value.length === shown.length ? schedules.shrink(value, context) : schedules.shrink(shown, undefined);
  }
  return best;
}

function isSmaller(one: readonly number[], other: readonly number[]): boolean {
  if (one.length !== other.length) return one.length < other.length;
  const at = one.findIndex((ordinal, position) => ordinal !== other[position]);
  return at >= 0 && (one[at] as number) < (other[at] as number);
}

/** The steps really taken by a schedule up to the finding, or null if it does not lead there. A number too large for its state means the last step. */
function walk({ machine, learner, options }: FastRun, key: string, schedule: readonly number[]): number[] | null {
  const run = new FastRun(machine, options, learner, 0);
  try {
    return follow(run, key, schedule);
  } finally {
    run.expander.store.release();
  }
}

function follow(run: FastRun, key: string, schedule: readonly number[]): number[] | null {
  const judged = new Marks();
  const path: number[] = [];
  run.begin();
  let state = 0;
  for (let position = 0; ; position++) {
    if (!judged.has(state)) {
      judged.add(state);
      run.visitIfRoom(state, position);
    }
    const found = run.judge.book.candidates.get(key);
    if (found) return [...path, ...lastStep(run, state, found)];
    const steps = run.expander.expand(state);
    if (position === schedule.length || steps === 0) return null;
    const ordinal = Math.min(schedule[position] as number, steps - 1);
    state = run.expander.successor(ordinal);
    if (state < 0) return null;
    path.push(ordinal);
  }
}

/** The step from the state at which something was found, unless it was found in that state itself. */
function lastStep(run: FastRun, state: number, { occurrences }: Candidate): number[] {
  const occurrence = occurrences[0] as Occurrence;
  if (occurrence.state === state) return occurrence.ordinal === null ? [] : [occurrence.ordinal];
  return [stepTo(run, state, occurrence.state)];
}

/** The first step out of a state that leads to another. */
export function stepTo(run: FastRun, from: number, to: number): number {
  const steps = run.expander.expand(from);
  for (let step = 0; step < steps; step++) if (run.expander.successor(step) === to) return step;
  throw new RangeError(`no step leads from state ${from} to state ${to}`);
}
