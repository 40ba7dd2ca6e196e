/** What changes between two designs under the same scenario. */
import type { End, Limits, Progress } from "../explore/outcome.js";
import type { Design } from "../lang/design.js";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import { Machine } from "../step/machine.js";
import { formatPath, replayPath } from "../trace/replay.js";
import { GivenUp, Labels } from "./automaton.js";
import { type Distinction, findDistinction } from "./inclusion.js";
import { inWords, Observer } from "./naming.js";
import { type Counts, isSeen, observedGraph } from "./observed-graph.js";
import { wholeRun } from "./whole-run.js";

export type AuditVerdict = "equivalent" | "A allows more" | "B allows more" | "differ" | "unfinished";

export interface Audit {
  /** The suite whose scenario it is. */
  readonly suite: Suite;
  readonly verdict: AuditVerdict;
  /** What can be seen of A only; null if there is nothing. */
  readonly onlyA: Distinction | null;
  readonly onlyB: Distinction | null;
  readonly states: { readonly a: number; readonly b: number };
  readonly machines: { readonly a: Machine; readonly b: Machine };
  /** Why it is unfinished; null if it is not. */
  readonly unfinished: string | null;
}

export interface AuditOptions {
  readonly counts: Counts;
  readonly limits?: Limits;
  readonly faults?: number;
}

/** Pairs of what one design may be in and a set of what the other may be in that are looked at. */
const MOST_PAIRS = 5_000_000;

/**
 * Compares the designs under the suite's scenario. The suite's properties are asked of neither; they decide only where
 * a step ends. `locate` finds the place in model source that an error comes from. Throws a ModelError where a model is at fault.
 */
export function* audit(
  locate: Machine["locate"],
  suite: Suite,
  designs: { readonly a: Design; readonly b: Design },
  { counts, limits = {}, faults }: AuditOptions,
): Generator<Progress | number, Audit, "interrupt" | undefined> {
  const variant = faults === undefined ? {} : { faults };
  const machineOf = (design: Design) => new Machine(design, suite.scenario, suite.properties, variant, locate);
  const machines = { a: machineOf(designs.a), b: machineOf(designs.b) };
  const runs = { a: wholeRun(machines.a, limits), b: wholeRun(machines.b, limits) };
  const ends = [(yield* runs.a.explore()).end, (yield* runs.b.explore()).end];
  const told = { suite, states: { a: runs.a.expander.store.count, b: runs.b.expander.store.count }, machines };
  try {
    ends.forEach(throwIfLimit);
    const labels = new Labels();
    const a = yield* observedGraph(runs.a, counts, labels);
    const b = yield* observedGraph(runs.b, counts, labels);
    const onlyA = yield* findDistinction(a, b, labels, MOST_PAIRS);
    const onlyB = yield* findDistinction(b, a, labels, MOST_PAIRS);
    if (onlyA) confirm(onlyA, machines.a, machines.b, counts);
    if (onlyB) confirm(onlyB, machines.b, machines.a, counts);
    return { ...told, verdict: verdictOf(onlyA, onlyB), onlyA, onlyB, unfinished: null };
  } catch (error) {
    if (!(error instanceof GivenUp)) throw error;
    return { ...told, verdict: "unfinished", onlyA: null, onlyB: null, unfinished: error.message };
  }
}

function throwIfLimit(end: End): void {
  if (end.kind === "limit") throw new GivenUp(`the limit on ${end.what}`);
}

function verdictOf(onlyA: Distinction | null, onlyB: Distinction | null): AuditVerdict {
  if (onlyA === null) return onlyB === null ? "equivalent" : "B allows more";
  return onlyB === null ? "A allows more" : "differ";
}

/** Replays both paths on the plain engine: they have to show the events that are told. */
function confirm({ trace, path, otherPath }: Distinction, one: Machine, other: Machine, counts: Counts): void {
  const shown = eventsOf(one, path, counts);
  const shownByOther = eventsOf(other, otherPath, counts);
  const common = trace.slice(0, -1);
  // The last step of a path may show more than what it is told for. How a behaviour ends is no event of a step.
  const last = shown[common.length];
  const isShown = common.every((label, position) => shown[position] === label) && (last === undefined || last === trace.at(-1));
  if (isShown && common.every((label, position) => shownByOther[position] === label)) return;
  throw new ModelError(
    `the replay of what tells the designs apart does not show it (paths ${formatPath(path)} and ${formatPath(otherPath)})`,
    "This is a defect of the checker: its two engines disagree. Please report it with the model.",
  );
}

/** What an observer sees of the path. */
function eventsOf(machine: Machine, path: readonly number[], counts: Counts): string[] {
  const observer = new Observer(machine);
  let known = observer.nothing;
  const labels = replayPath(machine, path).steps.flatMap(({ observed, freed, thread }) => {
    const seen = observed.flatMap((each) => {
      if (!isSeen(each, counts)) return [];
      const { label, known: after } = observer.see(known, each, thread);
      known = after;
      return [label];
    });
    known = observer.without(known, freed);
    return seen;
  });
  return inWords(labels);
}
