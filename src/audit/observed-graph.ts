/**
 * What an observer can see of a design under a scenario: its whole state graph, of whose steps only the events are
 * visible. Where it stops, and where it may go on for ever without an event, are visible too.
 */
import { isEnd, situationsOf, stuckThreads } from "../check/stuck.js";
import type { FastRun } from "../explore/fast-run.js";
import type { Leaf } from "../explore/learner.js";
import type { Observed } from "../step/block.js";
import {
  type Automaton,
  GivenUp,
  type Labels,
  type Minimal,
  Moves,
  minimised,
  OVER,
  SILENT,
  START,
  silentComponents,
} from "./automaton.js";
import { type Known, Observer } from "./naming.js";

/** Which events count. Choices of the surroundings always do. */
export type Counts = (event: string) => boolean;

/** That nothing was made to fail is no event: the other design may have more that could have failed. A warning is called WARN_ON. */
export function isSeen(observed: Observed, counts: Counts): boolean {
  if (observed.kind === "choice") return observed.label !== `${observed.what} succeeds`;
  return counts(observed.kind === "warning" ? "WARN_ON" : observed.event);
}

/** A design as an observer sees it: every moment that it can be in, and the least that shows the same. */
export interface ObservedGraph {
  readonly automaton: Automaton;
  readonly minimal: Minimal;
}

/** A state is one moment or several, by what the observer knows of objects; beyond so many it is given up. */
const MOST_MOMENTS = 5_000_000;

const NEVER_ENDS = "goes on for ever without an event";

/** What can be seen of the design that the run has explored to its end. Throws GivenUp. Yields how far it has come. */
export function* observedGraph(run: FastRun, counts: Counts, labels: Labels): Generator<number, ObservedGraph, "interrupt" | undefined> {
  const moves = yield* new Moments(run, counts, labels).moves();
  const components = silentComponents(moves.automaton());
  // Who is on a cycle of silent moves may stay there.
  for (const [moment, component] of components.of.entries()) {
    if (components.cycles[component] === 1) moves.add(moment, labels.numberOf(NEVER_ENDS), OVER, -1);
  }
  const automaton = moves.automaton();
  return { automaton, minimal: yield* minimised(automaton, components) };
}

/** What is seen of a step, and known after it. */
interface SeenStep {
  readonly labels: readonly number[];
  /** Null if nothing comes after it. */
  readonly known: Known | null;
}

/** A state, and what the observer knows in it. */
interface Visit {
  readonly moment: number;
  readonly state: number;
  readonly known: Known;
}

class Moments {
  readonly #observer: Observer;
  readonly #moves = new Moves();
  readonly #visits: Visit[] = [];
  readonly #numbers = new Map<number, number>();
  readonly #seen = new Map<Leaf, SeenStep[]>();

  constructor(
    readonly run: FastRun,
    readonly counts: Counts,
    readonly labels: Labels,
  ) {
    this.#observer = new Observer(run.machine);
  }

  /** All moves of all moments. */
  *moves(): Generator<number, Moves, "interrupt" | undefined> {
    const start = { moment: START, state: 0, known: this.#observer.nothing };
    this.#numbers.set(keyOf(start), START);
    this.#visits.push(start);
    for (const visit of this.#visits) {
      this.#visit(visit);
      const { moments } = this.#moves;
      if (moments > MOST_MOMENTS) throw new GivenUp(`more than ${MOST_MOMENTS} moments to compare`);
      if ((visit.moment & 1023) === 0 && (yield moments) === "interrupt") throw new GivenUp("an interrupt (Ctrl-C)");
    }
    return this.#moves;
  }

  #visit({ moment, state, known }: Visit): void {
    const { expander } = this.run;
    const steps = expander.expand(state);
    for (let ordinal = 0; ordinal < steps; ordinal++) {
      const seen = this.#seenOf(expander.leafOf(ordinal), known);
      const to = seen.known === null ? OVER : this.#momentOf(expander.successor(ordinal), seen.known);
      this.#addStep(moment, seen.labels, to, ordinal);
    }
    const ending = this.#ending();
    if (ending !== null) this.#moves.add(moment, this.labels.numberOf(ending), OVER, -1);
  }

  /** A moment between each two of its events. */
  #addStep(from: number, labels: readonly number[], to: number, ordinal: number): void {
    if (labels.length === 0) this.#moves.add(from, SILENT, to, ordinal);
    let at = from;
    for (const [position, label] of labels.entries()) {
      const next = position + 1 === labels.length ? to : this.#moves.newMoment();
      this.#moves.add(at, label, next, position === 0 ? ordinal : -1);
      at = next;
    }
  }

  #momentOf(state: number, known: Known): number {
    const key = keyOf({ state, known });
    let moment = this.#numbers.get(key);
    if (moment === undefined) {
      moment = this.#moves.newMoment();
      this.#numbers.set(key, moment);
      this.#visits.push({ moment, state, known });
    }
    return moment;
  }

  #seenOf(leaf: Leaf, known: Known): SeenStep {
    const ofLeaf = this.#seen.get(leaf) ?? [];
    this.#seen.set(leaf, ofLeaf);
    ofLeaf[known.number] ??= this.#see(leaf, known);
    return ofLeaf[known.number] as SeenStep;
  }

  #see({ control, block }: Leaf, before: Known): SeenStep {
    let known = before;
    const labels: number[] = [];
    for (const observed of block.observed) {
      if (!isSeen(observed, this.counts)) continue;
      const seen = this.#observer.see(known, observed, control.thread);
      labels.push(this.labels.numberOf(seen.label));
      known = seen.known;
    }
    if (block.fault === null) return { labels, known: this.#observer.without(known, block.freed) };
    return { labels: [...labels, this.labels.numberOf(`ends in ${block.fault.check}`)], known: null };
  }

  /** How the state that is expanded is an end, if it is one. */
  #ending(): string | null {
    const { machine, learner, expander } = this.run;
    const situations = situationsOf(machine, learner.packing.view(expander.current), expander.canMove);
    if (stuckThreads(situations).length > 0) return "is stuck";
    return isEnd(situations) ? "may end" : null;
  }
}

/** A state and what is known in it, as one number. */
function keyOf({ state, known }: Pick<Visit, "state" | "known">): number {
  return known.number * 2 ** 32 + state;
}
