/**
 * What a replayed path shows at its end: the questions the engines ask of all states and steps, asked of one.
 * Nothing is told to anyone that has not been replayed: a finding whose replay does not show it is a defect of
 * the checker, and is said to be one.
 */
import { evaluate, failureText, instancesOf } from "../check/evaluate.js";
import { explainExhaustion } from "../check/exhaustion.js";
import { leaksAtEnd } from "../check/leak.js";
import { futureOf } from "../check/livelock.js";
import { describeStuck, isEnd, situationsOf, stuckThreads } from "../check/stuck.js";
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

/**
 * Everything violated in the last step and the last state. Lock order and atomicity, which are judged over a whole
 * run, are not among it. Livelock is, if the plain engine can look at all that lies ahead of the last state.
 */
export function judgeEnd(machine: Machine, path: readonly number[], replayed: ReplayedPath): Replayed[] {
  const seen = judgeLast(machine, path, replayed);
  if (!machine.terminates || replayed.last?.fault) return seen;
  const future = futureOf(machine, replayed.states.at(-1) as State);
  return future.kind === "livelock" ? [...seen, livelock(path, replayed, future.message)] : seen;
}

function livelock(path: readonly number[], { steps, states }: ReplayedPath, message: string): Replayed {
  const finding = { check: "livelock", isProperty: false, message, location: null, subject: null, depth: path.length, path };
  return { finding, trace: { steps, states, because: [], failing: [] } };
}

/** What the last step and the last state show by themselves. */
function judgeLast(machine: Machine, path: readonly number[], replayed: ReplayedPath): Replayed[] {
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
  const canMove = machine.threads.map((_, thread) => !machine.blocks(state, thread, { parked: true }).next().done);
  const threads = situationsOf(machine, state, canMove);
  const stuck = stuckThreads(threads);
  if (stuck.length > 0) {
    see({ check: "stuck", isProperty: false, message: describeStuck(stuck, threads, machine.names), location: null, subject: null });
  }
  const atEnd = isEnd(threads);
  if (atEnd && machine.terminates) {
    const controls = threads.map(({ control }) => control);
    const read = (cell: number) => readCell(machine.layout, state, cell);
    for (const { counts, ...leak } of leaksAtEnd(machine, read, controls)) {
      see({ check: "leak", isProperty: false, location: null, ...leak }, { because: counts.map((cell) => ({ cell, code: read(cell) })) });
    }
  }
  for (const property of machine.properties) {
    const { kind } = property.window;
    if (kind === "sometimes" || (kind === "atEnd" && !atEnd) || (kind === "onStep" && before === undefined)) continue;
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

/** Replays findings of one run, and makes sure that the plain engine sees them too. */
export function replayFindings(machine: Machine, findings: readonly Finding[]): Replayed[] {
  const paths: ReplayedPath[] = [];
  return findings.map((finding) => {
    // Most begin alike, and a step takes long to replay.
    const replayed = replayPath(machine, finding.path, paths);
    paths.push(replayed);
    return shownBy(machine, finding, replayed);
  });
}

function shownBy(machine: Machine, finding: Finding, replayed: ReplayedPath): Replayed {
  const { path, check, location, message } = finding;
  const isThere = (place: Location | null) => place?.file === location?.file && place?.line === location?.line;
  const isIt = ({ finding: seen }: Replayed) =>
    seen.check === check &&
    (seen.isProperty || check === "stuck" || (isThere(seen.location) && (location !== null || seen.message === message)));
  if (check === "livelock") return replayLivelock(machine, finding, replayed);
  const shown = judgeLast(machine, path, replayed).find(isIt);
  if (shown) return shown;
  // These two are judged over the whole run; of a step it can only be seen that it is of the kind.
  const { steps, states, last } = replayed;
  const isAcquisition = check === "lockdep" && last?.acquisitions.some((acquisition) => isThere(acquisition.location));
  const isLongStep = check === "atomicity" && (last?.accesses.length ?? 0) > 1;
  if (isAcquisition || isLongStep) return { finding, trace: { steps, states, because: [], failing: [] } };
  throw notShown(finding);
}

/** The plain engine looks ahead of the last state itself; where that is too much, it has at least seen no end so far, and the text says how far. */
function replayLivelock(machine: Machine, finding: Finding, replayed: ReplayedPath): Replayed {
  const future = futureOf(machine, replayed.states.at(-1) as State);
  if (future.kind === "stops") throw notShown(finding);
  return livelock(finding.path, replayed, future.message);
}

function notShown({ check, path }: Finding): ModelError {
  return new ModelError(
    `the replay of ${check} does not show it (path ${formatPath(path)})`,
    "This is a defect of the checker: its two engines disagree. Please report it with the model.",
  );
}
