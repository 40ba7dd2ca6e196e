/** Deadlocks and ends. A deadlock of one state: nobody can move, or some threads wait for each other for ever whatever the others do. */
import type { Names } from "../state/names.js";
import { type CellView, readCell, type State } from "../state/state.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";

/** What the check needs to know of a thread in the state. */
export interface ThreadSituation {
  readonly control: Control;
  readonly canMove: boolean;
  /** For a thread that waits for a mutex: number of the thread that holds it, from 0; otherwise -1. */
  readonly waitsFor: number;
}

/** What each thread is doing in the state; `canMove` by thread. */
export function situationsOf(machine: Machine, state: State | CellView, canMove: readonly boolean[]): ThreadSituation[] {
  return machine.threads.map((_, thread) => {
    const control = machine.control(state, thread);
    const holder = control.kind === "lock" ? readCell(machine.layout, state, control.mutexCell) : 0;
    return { control, canMove: canMove[thread] === true, waitsFor: holder - 1 };
  });
}

/** Whether the thread has finished, or is where it may rest for ever. */
function mayRest({ kind }: Control): boolean {
  return kind === "finished" || kind === "idle" || kind === "idle-until";
}

/**
 * Whether the state is an end of the scenario: nobody has anything left to do. A thread at an `idle()` may go on
 * or not; one at an `idle(condition)` goes on once that is true.
 */
export function isEnd(threads: readonly Pick<ThreadSituation, "control" | "canMove">[]): boolean {
  return threads.every(({ control, canMove }) => mayRest(control) && !(control.kind === "idle-until" && canMove));
}

/** Numbers of the threads that are stuck in the state; empty if none is. */
export function stuckThreads(threads: readonly ThreadSituation[]): readonly number[] {
  for (const [start, situation] of threads.entries()) {
    if (situation.canMove || situation.waitsFor < 0) continue;
    const chain = [start];
    for (;;) {
      const holder = (threads[chain.at(-1) as number] as ThreadSituation).waitsFor;
      const next = threads[holder] as ThreadSituation;
      if (next.control.kind === "finished") return chain;
      if (chain.includes(holder)) return chain.slice(chain.indexOf(holder));
      if (next.canMove || next.waitsFor < 0) break;
      chain.push(holder);
    }
  }
  if (threads.some(({ canMove }) => canMove)) return [];
  return threads.flatMap(({ control }, thread) => (mayRest(control) ? [] : [thread]));
}

/** One sentence for people. */
export function describeStuck(stuck: readonly number[], threads: readonly ThreadSituation[], names: Names): string {
  const sentences = stuck.map((thread) => {
    const { control, waitsFor } = threads[thread] as ThreadSituation;
    const who = names.threads[thread];
    if (control.kind === "lock" && waitsFor >= 0) {
      const holder =
        threads[waitsFor]?.control.kind === "finished" ? `${names.threads[waitsFor]}, which has ended` : names.threads[waitsFor];
      return `${who} waits for ${names.cell(control.mutexCell)} held by ${holder}`;
    }
    const site = control.frames.at(-1)?.site;
    return `${who} waits${site ? ` in ${site.procedure}` : ""} for a condition that never comes true`;
  });
  return sentences.join("; ");
}
