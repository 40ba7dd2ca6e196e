/**
 * What goes round for ever in a state from which no end can be reached: the plain engine's look ahead. It walks
 * every way out of the state, depth-first; the first strongly connected component that is left (Tarjan, Depth-first
 * search and linear graph algorithms, SIAM J. Comput. 1972) has no way out, and what moves in it moves for ever.
 */
import type { State } from "../state/state.js";
import type { Machine } from "../step/machine.js";
import type { NativeBlock } from "../step/run.js";
import { isEnd, situationsOf, stuckThreads } from "./stuck.js";

/** States looked at before the plain engine leaves it at that. */
const STATES_LOOKED_AT = 3000;

/** What lies ahead of a state. */
export type Future =
  /** An end, a deadlock or a fault can be reached. */
  | { readonly kind: "stops" }
  /** None of them can be; or could not within the states that were looked at. */
  | { readonly kind: "livelock" | "undecided"; readonly message: string };

interface Node {
  readonly state: State;
  /** Position in the order of discovery. */
  readonly index: number;
  /** Lowest position known to be reached from here within the component. */
  low: number;
  readonly steps: readonly Step[];
  next: number;
  /** Whether its component is not settled yet. */
  isOpen: boolean;
}

interface Step {
  readonly thread: number;
  readonly to: State;
}

/** What lies ahead of the state, as far as the plain engine looks. */
export function futureOf(machine: Machine, state: State): Future {
  const known = new Map<string, Node>();
  const open: Node[] = [];
  const path: Node[] = [];
  /** Null if something stops there. */
  const discover = (reached: State): Node | null => {
    const steps = stepsOf(machine, reached);
    if (steps === null) return null;
    const node: Node = { state: reached, index: known.size, low: known.size, steps, next: 0, isOpen: true };
    known.set(JSON.stringify(reached), node);
    open.push(node);
    path.push(node);
    return node;
  };
  if (discover(state) === null) return { kind: "stops" };
  let round: readonly Node[] | null = null;
  for (let node = path.at(-1); node !== undefined; node = path.at(-1)) {
    const step = node.steps[node.next++];
    if (step === undefined) {
      path.pop();
      const before = path.at(-1);
      if (before) before.low = Math.min(before.low, node.low);
      if (node.low !== node.index) continue;
      const component = open.splice(open.indexOf(node));
      for (const member of component) member.isOpen = false;
      round ??= component;
      continue;
    }
    const seen = known.get(JSON.stringify(step.to));
    if (seen) {
      if (seen.isOpen) node.low = Math.min(node.low, seen.index);
    } else if (known.size === STATES_LOOKED_AT) {
      return {
        kind: "undecided",
        message: `${describe(machine, round ?? open)} (seen in ${STATES_LOOKED_AT} states from here; there are more)`,
      };
    } else if (discover(step.to) === null) return { kind: "stops" };
  }
  return { kind: "livelock", message: describe(machine, round as readonly Node[]) };
}

/** The steps out of the state; null if it is an end, if some thread is stuck in it, or if a step of it ends in a fault. */
function stepsOf(machine: Machine, state: State): Step[] | null {
  const blocks = machine.threads.map((_, thread) => [...machine.blocks(state, thread)]);
  if (blocks.flat().some(({ fault }) => fault !== null)) return null;
  const threads = situationsOf(
    machine,
    state,
    blocks.map(({ length }) => length > 0),
  );
  if (isEnd(threads) || stuckThreads(threads).length > 0) return null;
  const after = (block: NativeBlock) => machine.normalise(block.state as State);
  return blocks.flatMap((own, thread) => own.map((block): Step => ({ thread, to: after(block) })));
}

/** `no end can be reached from here: t goes round in retry and poll, while u waits in flush`. */
function describe(machine: Machine, round: readonly Node[]): string {
  const procedures = machine.threads.map(() => new Set<string>());
  for (const { state, steps } of round) {
    for (const { thread } of steps) procedures[thread]?.add(procedureOf(machine, state, thread));
  }
  const goes = procedures.flatMap((own, thread) =>
    own.size === 0 ? [] : [`${machine.names.threads[thread]} goes round in ${[...own].sort().join(" and ")}`],
  );
  const first = (round[0] as Node).state;
  const waits = procedures.flatMap((own, thread) => {
    const { kind } = machine.control(first, thread);
    const isWaiting = own.size === 0 && (kind === "until" || kind === "lock" || kind === "yield");
    return isWaiting ? [`${machine.names.threads[thread]} waits in ${procedureOf(machine, first, thread)}`] : [];
  });
  return `no end can be reached from here: ${goes.join(", ")}${waits.length > 0 ? `, while ${waits.join(", ")}` : ""}`;
}

/** The procedure in which the thread stands. */
function procedureOf(machine: Machine, state: State, thread: number): string {
  const control = machine.control(state, thread);
  return control.frames.at(-1)?.site.procedure ?? control.returned?.procedure ?? (machine.threads[thread]?.procedure.name as string);
}
