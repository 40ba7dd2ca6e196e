/**
 * The reference engine: breadth-first over immutable states, every block run natively, every property asked of
 * every state. Slow and obvious; it says what the fast engine has to agree with, and shares nothing with it but
 * the running of one block and the checks.
 */
import { Atomicity } from "../check/atomicity.js";
import { evaluate, failureText, instancesOf, type PropertyInstance, type Question } from "../check/evaluate.js";
import { explainExhaustion } from "../check/exhaustion.js";
import { leaksAtEnd } from "../check/leak.js";
import { LockOrder } from "../check/lockdep.js";
import { describeStuck, isEnd, situationsOf, stuckThreads } from "../check/stuck.js";
import { readCell, type State } from "../state/state.js";
import type { Machine } from "../step/machine.js";
import type { NativeBlock } from "../step/run.js";
import { FindingBook, type Occurrence } from "./findings.js";
import { overLimit } from "./limits.js";
import type { End, Exploration, ExploreOptions, Finding } from "./outcome.js";

interface Visited {
  readonly state: State;
  readonly depth: number;
  readonly parent: { readonly number: number; readonly ordinal: number } | null;
}

/** Explores every reachable state of the machine within the limits. */
export function* exploreReference(machine: Machine, options: ExploreOptions = {}): Exploration {
  const started = performance.now();
  const { layout, names, properties } = machine;
  const limits = options.limits ?? {};
  const book = new FindingBook(options);
  const lockOrder = new LockOrder();
  const atomicity = new Atomicity<{ depth: number; occurrence: Occurrence }>();
  const instances = properties.flatMap((property) => instancesOf(property, machine));
  const visited: Visited[] = [];
  const numbers = new Map<string, number>();
  let transitions = 0;
  let faultedSteps = 0;
  let end: End = { kind: "complete" };
  /** For livelock: states from which each state is reached, and those in which a behaviour stops: an end, a deadlock, a fault. */
  const predecessors: Set<number>[] = [];
  const stops = new Set<number>();

  const ask = (instance: PropertyInstance, question: Question, depth: number, occurrence: Occurrence) => {
    const { property, subject } = instance;
    if (book.isSettled(property, depth)) return;
    const answer = evaluate(instance, machine, question);
    const { verdict } = answer;
    if (verdict === "closed") return;
    if (property.window.kind === "sometimes") {
      if (verdict === "true") book.opened.add(property);
      return;
    }
    book.opened.add(property);
    if (verdict === "true") return;
    const message = failureText(property, answer);
    book.add(
      { check: property.code, isProperty: true, message, location: null, subject: subject && names.view(subject), depth },
      occurrence,
    );
  };

  const visit = (state: State, depth: number, parent: Visited["parent"]): void => {
    const key = JSON.stringify(state);
    const known = numbers.get(key);
    const number = known ?? visited.length;
    predecessors[number] ??= new Set();
    if (parent) predecessors[number].add(parent.number);
    if (known !== undefined) return;
    numbers.set(key, number);
    visited.push({ state, depth, parent });
    for (const instance of instances) {
      const { kind } = instance.property.window;
      if (kind === "always" || kind === "atRest" || kind === "sometimes") ask(instance, { state }, depth, { state: number, ordinal: null });
    }
  };

  /** What the checks have to say of one step, and the state it leads to. */
  const takeStep = (number: number, thread: number, block: NativeBlock, ordinal: number): void => {
    const { state, depth } = visited[number] as Visited;
    const occurrence = { state: number, ordinal };
    const control = machine.control(state, thread);
    const found = { isProperty: false, subject: null, depth: depth + 1 };
    transitions++;
    atomicity.note(control, block, { depth: depth + 1, occurrence });
    for (const report of block.reports) book.add({ ...found, ...report }, occurrence);
    for (const acquisition of block.acquisitions) {
      for (const other of layout.mutexCells.filter((cell) => readCell(layout, state, cell) === thread + 1)) {
        const cycle = lockOrder.add(other, acquisition);
        if (cycle) {
          const message = lockOrder.describe(cycle, names);
          book.add({ ...found, check: "lockdep", message, location: acquisition.location }, occurrence);
        }
      }
    }
    if (block.fault) {
      faultedSteps++;
      stops.add(number);
      const { exhausted } = block.fault;
      const why = exhausted === undefined ? {} : explainExhaustion(machine, state, exhausted);
      book.add({ ...found, ...block.fault, ...why }, occurrence);
      return;
    }
    const next = machine.normalise(block.state as State);
    visit(next, depth + 1, { number, ordinal });
    const returned = machine.control(next, thread);
    for (const instance of instances) {
      const { window } = instance.property;
      if (window.kind === "onReturn" && returned.returned?.procedure === window.procedure) {
        ask(instance, { state: next, returned }, depth + 1, occurrence);
      }
      if (window.kind === "onStep") ask(instance, { state: next, before: state }, depth + 1, occurrence);
    }
  };

  const expand = (number: number): void => {
    const { state, depth } = visited[number] as Visited;
    let ordinal = 0;
    const canMove = machine.threads.map((_, thread) => {
      const before = ordinal;
      for (const block of machine.blocks(state, thread)) takeStep(number, thread, block, ordinal++);
      return ordinal > before;
    });
    const situations = situationsOf(machine, state, canMove);
    const stuck = stuckThreads(situations);
    const occurrence = { state: number, ordinal: null };
    if (stuck.length > 0) {
      const message = describeStuck(stuck, situations, names);
      book.add({ check: "stuck", isProperty: false, message, location: null, subject: null, depth }, occurrence);
    }
    if (stuck.length > 0 || isEnd(situations)) stops.add(number);
    if (!isEnd(situations)) return;
    for (const instance of instances) {
      if (instance.property.window.kind === "atEnd") ask(instance, { state }, depth, occurrence);
    }
    if (!machine.terminates) return;
    const controls = situations.map(({ control }) => control);
    for (const { message, subject } of leaksAtEnd(machine, (cell) => readCell(layout, state, cell), controls)) {
      book.add({ check: "leak", isProperty: false, message, location: null, subject, depth }, occurrence);
    }
  };

  /** Every state from which no state is reached in which a behaviour stops. */
  const lookForLivelock = (): void => {
    const stopping = new Set(stops);
    // A set is walked in the order in which it grows.
    for (const number of stopping) for (const before of predecessors[number] as Set<number>) stopping.add(before);
    for (const [number, { depth }] of visited.entries()) {
      if (stopping.has(number)) continue;
      book.add(
        { check: "livelock", isProperty: false, message: "no end can be reached from here", location: null, subject: null, depth },
        { state: number, ordinal: null },
      );
    }
  };

  visit(machine.initial, 0, null);
  let lastProgress = started;
  let levelDepth = 0;
  for (let number = 0; number < visited.length; number++) {
    const { depth } = visited[number] as Visited;
    if (depth > levelDepth) {
      levelDepth = depth;
      if (book.unexpected) {
        end = { kind: "violation" };
        break;
      }
      if (depth >= (limits.maxDepth ?? Number.POSITIVE_INFINITY)) {
        end = { kind: "limit", what: "depth" };
        break;
      }
    }
    expand(number);
    if (visited.length > (limits.maxStates ?? Number.POSITIVE_INFINITY)) end = { kind: "limit", what: "states" };
    const now = performance.now();
    if (now - lastProgress > 100) {
      lastProgress = now;
      const seconds = (now - started) / 1000;
      const memoryBytes = process.memoryUsage.rss();
      const progress = {
        states: visited.length,
        transitions,
        depth,
        frontier: visited.length - number,
        seconds,
        memoryBytes,
        tracing: null,
      };
      const over = overLimit(limits, progress);
      if (over !== null) end = { kind: "limit", what: over };
      const request = yield progress;
      if (request === "interrupt") end = { kind: "limit", what: "interrupt" };
    }
    if (end.kind === "limit") break;
  }
  if (end.kind === "complete" && book.unexpected) end = { kind: "violation" };

  if (end.kind === "complete" && machine.terminates) lookForLivelock();
  for (const { message, location, first } of atomicity.judge(names)) {
    book.add({ check: "atomicity", isProperty: false, message, location, subject: null, depth: first.depth }, first.occurrence);
  }
  const pathTo = ({ state, ordinal }: Occurrence): number[] => {
    const path = ordinal === null ? [] : [ordinal];
    for (let at = visited[state] as Visited; at.parent !== null; at = visited[at.parent.number] as Visited) path.unshift(at.parent.ordinal);
    return path;
  };
  const findings = [...book.candidates.values()].map(
    ({ occurrences, ...found }): Finding => ({ ...found, path: pathTo(occurrences[0] as Occurrence) }),
  );
  const seconds = (performance.now() - started) / 1000;
  return {
    engine: "reference",
    end,
    states: visited.length,
    transitions,
    depth: visited.at(-1)?.depth ?? 0,
    results: book.results(properties, machine.terminates, end),
    findings,
    untraced: [],
    faultedSteps,
    reduction: null,
    omission: null,
    disk: null,
    lockOrder: lockOrder.edges,
    statistics: {
      seconds,
      nativeRuns: machine.nativeRuns,
      comparedNatively: 0,
      nativeSeconds: seconds,
      threads: 1,
      controlStates: machine.registers.reduce((sum, register) => sum + register.controls.length, 0),
      bytesPerState: 0,
      paths: 0,
      widest: [],
    },
  };
}
