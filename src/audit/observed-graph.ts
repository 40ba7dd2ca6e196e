/**
 * What an observer can see of a design under a scenario: its whole state graph, of whose steps only the events are
 * visible. Where it stops, and where it may go on for ever without an event, are visible too.
 */
import { isEnd, situationsOf, stuckThreads } from "../check/stuck.js";
import type { FastRun } from "../explore/fast-run.js";
import type { End, Limits, Progress } from "../explore/outcome.js";
import type { Observed } from "../step/block.js";
import type { Machine } from "../step/machine.js";
import { type Known, keyOf, labelOf, NOTHING_KNOWN, without } from "./naming.js";
import { wholeRun } from "./whole-run.js";

/** Which events count. Choices of the surroundings always do. */
export type Counts = (event: string) => boolean;

/** That nothing was made to fail is no event: the other design may have more that could have failed. */
export function isSeen(observed: Observed, counts: Counts): boolean {
  return observed.kind === "choice" ? observed.label !== `${observed.what} succeeds` : counts(observed.event);
}

/** A step out of a state, as an observer sees it. */
interface Step {
  readonly thread: number;
  readonly ordinal: number;
  readonly events: readonly Observed[];
  readonly freed: readonly number[];
  /** The state it leads to; -1 for a fault. */
  readonly to: number;
  /** The check that ends it, if it faults. */
  readonly fault: string | null;
}

/** A moment: a state, or the midst of a step of which some events have been seen, with what is known of objects. */
interface Moment {
  readonly state: number;
  readonly step: Step | null;
  readonly position: number;
  readonly known: Known;
}

/** What can come next. */
export interface Move {
  /** What is seen; null for nothing. */
  readonly label: string | null;
  /** Number of the moment it leads to; -1 if nothing comes after it. */
  readonly to: number;
  /** Ordinal of the step that it begins; -1 if it begins none. */
  readonly ordinal: number;
}

export class ObservedGraph {
  readonly #run: FastRun;
  readonly #steps: (readonly Step[] | undefined)[] = [];
  readonly #moments: Moment[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #moves: (readonly Move[] | undefined)[] = [];
  #diverging: Uint8Array | null = null;

  constructor(
    readonly machine: Machine,
    readonly counts: Counts,
    readonly limits: Limits,
  ) {
    this.#run = wholeRun(machine, limits);
  }

  /** Explores the state graph; has to come first. How that ended. */
  *explore(): Generator<Progress, End, "interrupt" | undefined> {
    return (yield* this.#run.explore()).end;
  }

  get states(): number {
    return this.#run.expander.store.count;
  }

  /** The moment at which everything begins. */
  get start(): number {
    return this.#number({ state: 0, step: null, position: 0, known: NOTHING_KNOWN });
  }

  movesOf(number: number): readonly Move[] {
    this.#moves[number] ??= this.#findMoves(this.#moments[number] as Moment);
    return this.#moves[number] as readonly Move[];
  }

  #findMoves(moment: Moment): Move[] {
    if (moment.step !== null) return [this.#nextOf(moment, moment.step, -1)];
    const steps = this.#stepsOf(moment.state);
    const moves = steps.map((step) => this.#nextOf(moment, step, step.ordinal));
    const ending = this.#endingOf(moment.state, steps);
    if (ending !== null) moves.push({ label: ending, to: -1, ordinal: -1 });
    if (this.#diverges(moment.state)) moves.push({ label: "goes on for ever without an event", to: -1, ordinal: -1 });
    return moves;
  }

  /** The next event of the step, or all of it if it has none. */
  #nextOf({ state, position, known }: Moment, step: Step, ordinal: number): Move {
    const event = step.events[position];
    if (event === undefined) {
      const label = step.fault === null ? null : `ends in ${step.fault}`;
      return { label, to: this.#after(step, known), ordinal };
    }
    const seen = labelOf(this.machine, known, event, step.thread);
    const isLast = position + 1 === step.events.length && step.fault === null;
    const to = isLast ? this.#after(step, seen.known) : this.#number({ state, step, position: position + 1, known: seen.known });
    return { label: seen.label, to, ordinal };
  }

  #after(step: Step, known: Known): number {
    if (step.to < 0) return -1;
    return this.#number({ state: step.to, step: null, position: 0, known: without(this.machine, known, step.freed) });
  }

  #number(moment: Moment): number {
    const key = `${moment.state} ${moment.step?.ordinal ?? ""} ${moment.position} ${keyOf(moment.known)}`;
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#moments.push(moment) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  #stepsOf(state: number): readonly Step[] {
    this.#steps[state] ??= this.#findSteps(state);
    return this.#steps[state] as readonly Step[];
  }

  #findSteps(state: number): Step[] {
    const count = this.#run.expander.expand(state);
    return Array.from({ length: count }, (_, ordinal) => {
      const { control, block } = this.#run.expander.leafOf(ordinal);
      const events = block.observed.filter((observed) => isSeen(observed, this.counts));
      const to = this.#run.expander.successor(ordinal);
      return { thread: control.thread, ordinal, events, freed: block.freed, to, fault: block.fault?.check ?? null };
    });
  }

  /** How the state is an end, if it is one. */
  #endingOf(state: number, steps: readonly Step[]): string | null {
    this.#run.expander.store.load(state, this.#run.expander.current);
    const { machine } = this;
    const canMove = machine.threads.map((_, thread) => steps.some((step) => step.thread === thread));
    const situations = situationsOf(machine, this.#run.learner.packing.view(this.#run.expander.current), canMove);
    if (stuckThreads(situations).length > 0) return "is stuck";
    return isEnd(situations) ? "may end" : null;
  }

  /** Whether the state lies on a cycle of steps without events. */
  #diverges(state: number): boolean {
    this.#diverging ??= this.#findCycles();
    return this.#diverging[state] === 1;
  }

  /** Tarjan's strongly connected components of the steps without events, without recursion. */
  #findCycles(): Uint8Array {
    const { states } = this;
    const onCycle = new Uint8Array(states);
    const index = new Int32Array(states);
    const low = new Int32Array(states);
    const onStack = new Uint8Array(states);
    const stack: number[] = [];
    let next = 1;
    const silent = (state: number) => this.#stepsOf(state).filter(({ events, fault }) => events.length === 0 && fault === null);
    for (let root = 0; root < states; root++) {
      if (index[root] !== 0) continue;
      const work = [{ state: root, steps: silent(root), at: 0 }];
      index[root] = low[root] = next++;
      stack.push(root);
      onStack[root] = 1;
      while (work.length > 0) {
        const frame = work.at(-1) as (typeof work)[number];
        const { state } = frame;
        const step = frame.steps[frame.at++];
        if (step !== undefined) {
          const { to } = step;
          if (to === state) onCycle[state] = 1;
          if (index[to] === 0) {
            index[to] = low[to] = next++;
            stack.push(to);
            onStack[to] = 1;
            work.push({ state: to, steps: silent(to), at: 0 });
          } else if (onStack[to] === 1) low[state] = Math.min(low[state] as number, index[to] as number);
          continue;
        }
        work.pop();
        const caller = work.at(-1);
        if (caller) low[caller.state] = Math.min(low[caller.state] as number, low[state] as number);
        if (low[state] !== index[state]) continue;
        const component = stack.splice(stack.lastIndexOf(state));
        for (const member of component) {
          onStack[member] = 0;
          if (component.length > 1) onCycle[member] = 1;
        }
      }
    }
    return onCycle;
  }
}
