/** What the last step and the last state of a replayed path show: the same questions the engines ask, of one path. */
import { evaluate, instancesOf } from "../check/evaluate.js";
import { describeStuck, stuckThreads } from "../check/stuck.js";
import type { Finding } from "../explore/outcome.js";
import type { State } from "../state/state.js";
import type { Machine } from "../step/machine.js";
import { type replayPath, situations, type Trace } from "../trace/replay.js";

export interface Shown {
  readonly finding: Finding;
  readonly trace: Trace;
}

/** Everything violated at the end of the path. Lock order and atomicity, which are judged over a whole run, are not among it. */
export function judgePath(machine: Machine, path: readonly number[], replayed: ReturnType<typeof replayPath>): Shown[] {
  const { steps, states, last } = replayed;
  const state = states.at(-1) as State;
  const before = states.at(-2);
  const shown: Shown[] = [];
  const show = (finding: Pick<Finding, "check" | "isProperty" | "message" | "location" | "subject">, trace: Partial<Trace> = {}) =>
    shown.push({ finding: { ...finding, depth: path.length, path }, trace: { steps, states, because: [], failing: [], ...trace } });
  for (const report of [...(last?.reports ?? []), ...(last?.fault ? [last.fault] : [])]) {
    show({ isProperty: false, subject: null, ...report });
  }
  // A step that ends in a fault leads nowhere: there is no state to ask about.
  if (last?.fault) return shown;
  const threads = situations(machine, state);
  const stuck = stuckThreads(threads);
  if (stuck.length > 0) {
    show({ check: "stuck", isProperty: false, message: describeStuck(stuck, threads, machine.names), location: null, subject: null });
  }
  const isEnd = stuck.length === 0 && threads.every(({ canMove }) => !canMove);
  for (const property of machine.properties) {
    const { kind } = property.window;
    if (kind === "sometimes" || (kind === "atEnd" && !isEnd) || (kind === "onStep" && before === undefined)) continue;
    for (const instance of instancesOf(property, machine)) {
      const answer = evaluate(instance, machine, {
        state,
        ...(kind === "onStep" && before ? { before } : {}),
        ...(kind === "onReturn" && last?.next ? { returned: last.next } : {}),
      });
      if (answer.verdict !== "false") continue;
      const because = answer.reads.map(({ cell, code }) => ({ cell: cell % machine.layout.cells.length, code }));
      const subject = instance.subject && machine.names.view(instance.subject);
      const message = answer.trouble ?? property.sentence;
      show({ check: property.code, isProperty: true, message, location: null, subject }, { because, failing: answer.failing });
    }
  }
  return shown;
}
