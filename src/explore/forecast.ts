/**
 * How many states a run will find, how long it will take and how much memory, from a sample: the first levels of the exploration,
 * and random walks that see how deep the rest is. Nothing is known of states that no sample came near; what an interval is worth
 * was measured on the bundled suites (docs/forecast.md).
 */
import type { Machine } from "../step/machine.js";
import { FastRun, PACK_AFTER } from "./fast-run.js";
import { FIT } from "./forecast-fit.js";
import { Learner } from "./learner.js";
import { overLimit } from "./limits.js";
import type { Limits, Progress } from "./outcome.js";
import { RandomSteps } from "./random-steps.js";

export interface ForecastOptions {
  /** States to be found in order of depth; a run that has no more is known whole. */
  readonly sample: number;
  /** The same seed walks the same way. */
  readonly seed: number;
  readonly limits?: Pick<Limits, "timeoutSeconds" | "memoryBytes">;
  /** Codes of all properties and checks: no violation ends the sample. */
  readonly goOnAfter: ReadonlySet<string>;
}

/** What was measured of a sample. */
export interface Sample {
  /** Found in order of depth. */
  readonly states: number;
  /** There are no more. */
  readonly isAll: boolean;
  /** Of the exploring, and of it what running model code took. */
  readonly seconds: number;
  readonly nativeSeconds: number;
  readonly bytesPerState: number;
  /** Of the process when they were found. */
  readonly memoryBytes: number;
  readonly walks: Walks;
  /** Levels that are known whole, the states in them, and in the last of them. */
  readonly depth: number;
  readonly shallow: number;
  readonly width: number;
  /** What ended it before its time; null if nothing did. */
  readonly stopped: "time" | "memory" | "interrupt" | null;
}

export interface Walks {
  readonly steps: number;
  /** Different states that were walked through, and how many of these are in the levels that are known whole. */
  readonly states: number;
  readonly shallow: number;
  /** Steps to the farthest state walked through, by the shortest way among steps that were walked. */
  readonly depth: number;
  /** How many times deeper than they are states of the levels that are known lie on the ways that were walked. */
  readonly detour: number;
}

/** 8 in 10 are between `low` and `high`; `middle` is as often too low as too high. */
export interface Interval {
  readonly low: number;
  readonly middle: number;
  readonly high: number;
}

export interface Forecast {
  readonly sample: Sample;
  /** Null if the sample was stopped. */
  readonly expected: Readonly<Record<Expected, Interval>> | null;
}

/** What is told beforehand of a run. */
export type Expected = "states" | "seconds" | "memoryBytes";

/** Steps to be walked at least, and of one walk at most. */
const LEAST_STEPS = 10_000;
const LONGEST_WALK = 1000;
const STEPS_BETWEEN_LOOKS = 1024;
/** A short sample has no time to pack its states as a run does. */
const PACK_AFTER_SHARE = 0.2;

/** Takes a sample, and tells what follows from it. */
export function* forecast(machine: Machine, options: ForecastOptions): Generator<Progress, Forecast, "interrupt" | undefined> {
  return forecastFrom(yield* takeSample(machine, options));
}

function* takeSample(machine: Machine, options: ForecastOptions): Generator<Progress, Sample, "interrupt" | undefined> {
  const learner = new Learner(machine);
  const { sample, limits = {}, goOnAfter } = options;
  const packAfter = Math.min(PACK_AFTER, Math.ceil(sample * PACK_AFTER_SHARE));
  const run = new FastRun(
    machine,
    { goOnAfter, traces: false, packAfter, limits: { ...limits, maxStates: sample } },
    learner,
    performance.now(),
  );
  try {
    const { end, states, statistics } = yield* run.explore();
    const { seconds, nativeSeconds, bytesPerState } = statistics;
    // The last level that was begun is not known whole, the one before it is.
    const depth = run.levelStart.length - 1;
    const shallow = run.levelStart[depth] as number;
    const width = shallow - (run.levelStart[depth - 1] as number);
    const found = { states, seconds, nativeSeconds, bytesPerState, memoryBytes: process.memoryUsage.rss(), depth, shallow, width };
    if (end.kind === "complete") return { ...found, isAll: true, walks: NO_WALKS, stopped: null };
    const what = end.kind === "limit" ? end.what : null;
    const stopped = what === "time" || what === "memory" || what === "interrupt" ? what : null;
    if (stopped !== null) return { ...found, isAll: false, walks: NO_WALKS, stopped };
    return { ...found, isAll: false, ...(yield* walk(run, shallow, options)) };
  } finally {
    learner.memory.giveBack();
  }
}

const NO_WALKS: Walks = { steps: 0, states: 0, shallow: 0, depth: 0, detour: 1 };

/** Walks at random from the start, again and again. */
function* walk(
  run: FastRun,
  shallow: number,
  { seed, limits = {} }: ForecastOptions,
): Generator<Progress, Pick<Sample, "walks" | "stopped">, "interrupt" | undefined> {
  const random = new RandomSteps(run.expander, seed);
  const ways = new Map<number, Set<number>>();
  const most = Math.max(LEAST_STEPS, shallow);
  let stopped: Sample["stopped"] = null;
  let steps = 0;
  for (let state = 0, length = 0; steps < most && stopped === null; steps++) {
    const next = length === LONGEST_WALK ? -1 : stepFrom(run, state, random);
    if (next === null) stopped = "memory";
    else if (next < 0) {
      ways.set(state, ways.get(state) ?? new Set());
      state = 0;
      length = 0;
    } else {
      const nexts = ways.get(state) ?? new Set();
      ways.set(state, nexts.add(next));
      state = next;
      length++;
    }
    if (steps % STEPS_BETWEEN_LOOKS !== 0) continue;
    const progress = run.progress(run.expander.store.count);
    stopped ??= overLimit(limits, progress);
    if ((yield progress) === "interrupt") stopped = "interrupt";
  }
  const depths = depthsIn(ways);
  // They were found in this order.
  const farthest = [...depths.values()].at(-1) as number;
  const known = [...depths].filter(([state]) => state < shallow);
  const walked = known.reduce((sum, [, depth]) => sum + depth + 1, 0);
  const least = known.reduce((sum, [state]) => sum + run.levelOf(state) + 1, 0);
  return { walks: { steps, states: depths.size, shallow: known.length, depth: farthest, detour: walked / least }, stopped };
}

/** A state that a step at random leads to; -1 if there is no step, null if memory is at its end. */
function stepFrom(run: FastRun, state: number, random: RandomSteps): number | null {
  for (;;) {
    const isVisited = run.visitIfRoom(state, 0);
    if (isVisited === null) return null;
    // Otherwise all was packed anew; the second time there is room.
    if (isVisited) break;
  }
  const step = random.choose(run.expander.expand(state));
  return step < 0 ? -1 : run.expander.successor(step);
}

/** By state, the steps to it on the shortest way from state 0. */
function depthsIn(ways: ReadonlyMap<number, ReadonlySet<number>>): ReadonlyMap<number, number> {
  const depths = new Map([[0, 0]]);
  for (const [state, depth] of depths) {
    for (const next of ways.get(state) ?? []) if (!depths.has(next)) depths.set(next, depth + 1);
  }
  return depths;
}

/** What a sample says of the logarithm of how many times its states there are. */
export function cluesOf({ walks, depth, shallow, width }: Sample): readonly number[] {
  const deeper = Math.max(1, walks.depth / walks.detour - depth);
  return [
    1,
    // If all levels that are left were as wide as the last that is known.
    Math.log((width * deeper) / shallow),
    // If walks came to all states alike.
    Math.log((walks.states + 1) / (walks.shallow + 1)),
  ];
}

/** What is expected before anything is said of how far it may be off. */
export function middleOf(sample: Sample, weights: readonly number[]): { readonly states: number; readonly seconds: number } {
  const { states: found, isAll, seconds, nativeSeconds } = sample;
  const exponent = cluesOf(sample).reduce((sum, clue, number) => sum + clue * (weights[number] as number), 0);
  const states = isAll ? found : found * Math.max(1, Math.exp(exponent));
  // What there is to learn is mostly learned from a sample.
  return { states, seconds: nativeSeconds + (states / found) * (seconds - nativeSeconds) };
}

function forecastFrom(sample: Sample): Forecast {
  if (sample.stopped !== null) return { sample, expected: null };
  const middle = middleOf(sample, FIT.weights);
  const interval = (what: keyof typeof middle): Interval => {
    const at = (factor: number) => (sample.isAll ? sample[what] : Math.max(sample[what], middle[what] * factor));
    const { low, middle: half, high } = FIT.off[what];
    return { low: at(low), middle: at(half), high: at(high) };
  };
  const states = interval("states");
  const memory = (count: number) => sample.memoryBytes + (count - sample.states) * sample.bytesPerState;
  const memoryBytes = { low: memory(states.low), middle: memory(states.middle), high: memory(states.high) };
  return { sample, expected: { states, seconds: interval("seconds"), memoryBytes } };
}
