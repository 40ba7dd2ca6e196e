/**
 * What a replayed path shows at its end: the questions the engines ask of all states and steps, asked of one.
 * Nothing is told to anyone that has not been replayed: a finding whose replay does not show it is a defect of
 * the checker, and is said to be one.
 */
import { evaluate, failureText, instancesOf } from "../check/evaluate.js";
import { explainExhaustion } from "../check/exhaustion.js";
import { describeStuck, stuckThreads, type ThreadSituation } from "../check/stuck.js";
import type { Finding } from "../explore/outcome.js";
import { type Location, ModelError } from "../lang/errors.js";
import { readCell, type State } from "../state/state.js";
import type { Machine } from "../step/machine.js";
import { formatPath, type ReplayedPath, replayPath, type Trace } from "./replay.js";

/** A finding as the plain engine sees it at the end of its path. */
export interface Replayed {
  /** What is wrong, in the words of the replay: of many places where a run saw it, the path leads to one. */
  readonly finding: Finding;
  readonly trace: Trace;
}

/** Everything violated in the last step and the last state. Lock order and atomicity, which are judged over a whole run, are not among it. */
export function judgeEnd(machine: Machine, path: readonly number[], replayed: ReplayedPath): Replayed[] {
  const { steps, states, last } = replayed;
  const state = states.at(-1) as State;
  const before = states.at(-2);
  const seen: Replayed[] = [];
  const see = (finding: Pick<Finding, "check" | "isProperty" | "message" | "location" | "subject">, trace: Partial<Trace> = {}) =>
    seen.push({ finding: { ...finding, depth: path.length, path }, trace: { steps, states, because: [], failing: [], ...trace } });
  for (const { exhausted, ...report } of [...(last?.reports ?? []), ...(last?.fault ? [last.fault] : [])]) {
    const why = exhausted === undefined ? {} : explainExhaustion(machine, state, exhausted);
    see({ isProperty: false, subject: null, ...report, ...why });
  }
  // A step that ends in a fault leads nowhere: there is no state to ask about.
  if (last?.fault) return seen;
  const threads = situations(machine, state);
  const stuck = stuckThreads(threads);
  if (stuck.length > 0) {
    see({ check: "stuck", isProperty: false, message: describeStuck(stuck, threads, machine.names), location: null, subject: null });
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
      const message = failureText(property, answer);
      see({ check: property.code, isProperty: true, message, location: null, subject }, { because, failing: answer.failing });
    }
  }
  return seen;
}

/** Replays a finding and makes sure that the plain engine sees it too. */
export function replayFinding(machine: Machine, finding: Finding): Replayed {
  const { path, check, location, message } = finding;
  const replayed = replayPath(machine, path);
  const isThere = (place: Location | null) => place?.file === location?.file && place?.line === location?.line;
  const isIt = ({ finding: seen }: Replayed) =>
    seen.check === check &&
    (seen.isProperty || check === "stuck" || (isThere(seen.location) && (location !== null || seen.message === message)));
  const shown = judgeEnd(machine, path, replayed).find(isIt);
  if (shown) return shown;
  // These two are judged over the whole run; of a step it can only be seen that it is of the kind.
  const { steps, states, last } = replayed;
  const isAcquisition = check === "lockdep" && last?.acquisitions.some((acquisition) => isThere(acquisition.location));
  const isLongStep = check === "atomicity" && (last?.accesses.length ?? 0) > 1;
  if (isAcquisition || isLongStep) return { finding, trace: { steps, states, because: [], failing: [] } };
  throw new ModelError(
    `the replay of ${check} does not show it (path ${formatPath(path)})`,
    "This is a defect of the checker: its two engines disagree. Please report it with the model.",
  );
}

/** What each thread can do in the state. */
function situations(machine: Machine, state: State): ThreadSituation[] {
  return machine.threads.map((_, thread) => {
    const control = machine.control(state, thread);
    const [first] = machine.blocks(state, thread);
    const holder = control.kind === "lock" ? readCell(machine.layout, state, control.mutexCell) : 0;
    return { control, canMove: first !== undefined, waitsFor: holder - 1 };
  });
}
