/**
 * Looks for a behaviour of the model that a recording shows: a set of states that the model may be in, led on record by record. A
 * block of the model is one step and takes a while in the kernel, during which others leave records too. It lies between the last
 * record of its task before it and the next one after it; where two of different tasks overlap, either may have been first.
 */
import type { StructView } from "../lang/schema.js";
import { FREE, FREED } from "../state/layout.js";
import { readCell, type State } from "../state/state.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import type { NativeBlock } from "../step/run.js";
import type { Bindings } from "./bindings.js";
import { type Matched, type Mismatch, match, type Position } from "./matching.js";
import type { Assumption, Entry, Happening, Scope } from "./scope.js";

/** A task's call that is under way, in one of the model's threads. */
interface Running extends Position {
  readonly pid: number;
  readonly entry: Happening;
}

/** A state that the model may be in. */
export interface Candidate {
  readonly state: State;
  readonly bindings: Bindings;
  /** By thread. */
  readonly running: readonly (Running | null)[];
  /** Records explained, by task. */
  readonly done: ReadonlyMap<number, number>;
  /** No block that is still to come may lie wholly before this. */
  readonly now: number;
  readonly assumed: number;
  /** What ended a thread where the trace ends too. */
  readonly crash: string | null;
  /** Of the state's cells and of what has been explained. */
  readonly sum: Sum;
}

export interface Progress {
  readonly explained: number;
  readonly candidates: number;
}

export interface Unexplained {
  readonly record: Happening;
  /** What the model could have done instead, thread by thread. */
  readonly allowed: readonly Mismatch[];
  readonly state: State;
  readonly bindings: Bindings;
  /** The device that the record names. */
  readonly device: StructView | null;
}

export interface Outcome {
  readonly explained: number;
  readonly unexplained: Unexplained | null;
  /** What ends the model's thread where the trace ends; null if nothing does. */
  readonly crash: string | null;
  /** More states were possible at a time than are kept. */
  readonly hitLimit: boolean;
  /** The most states that were possible at a time. */
  readonly widest: number;
}

export interface Search {
  readonly machine: Machine;
  readonly scope: Scope;
  readonly shared: ReadonlySet<string>;
  /** The choices that make a thread do the call. Null if it is for something that nothing in the model stands for. */
  readonly choicesOf: (entry: Entry, candidate: Pick<Candidate, "bindings">) => readonly number[] | null;
  readonly bindings: Bindings;
  readonly limit: number;
}

/** Follows the recording. Yields now and then how far it has come. */
export function* explain(search: Search): Generator<Progress, Outcome, void> {
  const { machine, scope, limit } = search;
  const last = new Explanation(search);
  let level: readonly Candidate[] = [
    {
      state: { ...machine.initial, faults: 0 },
      bindings: search.bindings,
      running: machine.threads.map(() => null),
      done: new Map(),
      now: -1,
      assumed: 0,
      crash: null,
      sum: NOTHING,
    },
  ];
  let widest = 1;
  for (;;) {
    const whole = level.find((candidate) => explainedBy(candidate) === scope.happenings.length);
    if (whole !== undefined) {
      return { explained: scope.happenings.length, unexplained: null, crash: whole.crash, hitLimit: false, widest };
    }
    const next = new Map<string, Candidate>();
    for (const candidate of level) {
      for (const successor of last.successors(candidate)) {
        const key = next.size === 0 && level.length === 1 ? "" : last.keyOf(successor);
        if (next.has(key)) continue;
        next.set(key, successor);
      }
      // The first was given no key as long as it was alone.
      const [alone] = next.values();
      if (next.size > 1 && next.delete("") && alone !== undefined) next.set(last.keyOf(alone), alone);
    }
    if (next.size === 0) return { explained: last.explained, unexplained: last.unexplained, crash: null, hitLimit: false, widest };
    if (next.size > limit) return { explained: last.explained, unexplained: null, crash: null, hitLimit: true, widest: next.size };
    level = [...next.values()];
    widest = Math.max(widest, level.length);
    yield { explained: last.explained, candidates: level.length };
  }
}

function explainedBy({ done }: Candidate): number {
  let count = 0;
  for (const each of done.values()) count += each;
  return count;
}

/** A way that a thread's block can go. */
interface Way {
  readonly thread: number;
  readonly block: NativeBlock;
  readonly position: Position;
  /** Index of the task's last record before the block, and of the next one after it. */
  readonly from: number;
  readonly until: number;
}

class Explanation {
  /** The longest prefix that is explained by any state. */
  explained = 0;
  unexplained: Unexplained | null = null;
  readonly #idle: readonly Control[];
  readonly #devices: readonly (string | undefined)[];

  constructor(readonly search: Search) {
    const { machine } = search;
    this.#devices = machine.names.objects[machine.layout.schema.struct("device").number] ?? [];
    this.#idle = machine.threads.map((_, thread) => machine.control(machine.initial, thread));
  }

  /** The states that the candidate may become in one step. */
  *successors(candidate: Candidate): Generator<Candidate> {
    const mismatches: Mismatch[] = [];
    const ways = candidate.running.map((running, thread) => (running === null ? null : this.#ways(candidate, running, thread, mismatches)));
    const deadlines = candidate.running.map((running, thread) => this.#deadline(candidate, running, thread, ways[thread] ?? []));
    const started = this.#start(candidate, deadlines);
    if (started !== null) {
      yield started;
      return;
    }
    let moved = false;
    for (const [thread, ofThread] of ways.entries()) {
      for (const way of ofThread ?? []) {
        const now = Math.max(candidate.now, way.from);
        if (now >= way.until || deadlines.some((deadline, other) => other !== thread && now >= deadline)) continue;
        moved = true;
        yield this.#after(candidate, way, now);
      }
    }
    if (!moved) this.#noteEnd(candidate, mismatches);
  }

  #recordsOf(pid: number): readonly Happening[] {
    return this.search.scope.tasks.get(pid) ?? [];
  }

  #ways(candidate: Candidate, running: Running, thread: number, mismatches: Mismatch[]): Way[] {
    const { machine, shared } = this.search;
    const records = this.#recordsOf(running.pid);
    const ways: Way[] = [];
    const isAlone = candidate.running.filter((each) => each !== null).length === 1;
    const state = running.entry.hasFailed ? { ...candidate.state, faults: 1 } : candidate.state;
    for (const block of machine.blocks(state, thread, { trace: true, parked: true })) {
      const comparison = { machine, before: state, after: block.state, isAlone, isOpen: running.entry.isOpen, shared };
      const matched = match(comparison, block.events, records, { ...running, bindings: candidate.bindings });
      if ("why" in matched) {
        mismatches.push(matched);
        continue;
      }
      const { fault } = block;
      if (fault !== null && (matched.next < records.length || fault.check === "model-fault")) {
        const record = records[matched.next] ?? null;
        mismatches.push({ record, event: `${fault.check}: ${fault.message}`, why: "ends the model's thread" });
        continue;
      }
      ways.push({ thread, block, position: matched, ...this.#window(records, running, matched, block, thread) });
    }
    return ways;
  }

  /** Between which records the block was: a mutex is taken before what is done under it, and given back after that. */
  #window(
    records: readonly Happening[],
    running: Running,
    { next, lockedBefore, unlockedAfter }: Matched,
    block: NativeBlock,
    thread: number,
  ): Pick<Way, "from" | "until"> {
    const indexOf = (place: number, otherwise: number) => records[place]?.index ?? otherwise;
    const last = indexOf(next - 1, -1);
    return {
      from: indexOf((lockedBefore === null ? (unlockedAfter ?? running.next) : running.next) - 1, -1),
      until:
        lockedBefore !== null && unlockedAfter === null
          ? indexOf(lockedBefore, Infinity)
          : this.#isDone(block, thread)
            ? last + 0.5
            : indexOf(next, Infinity),
    };
  }

  #isDone({ next }: NativeBlock, thread: number): boolean {
    return next === this.#idle[thread];
  }

  /** Before this the thread has to go on. Who waits for a mutex has it before the next record. */
  #deadline(candidate: Candidate, running: Running | null, thread: number, ways: readonly Way[]): number {
    if (running === null) return Infinity;
    const next = this.#recordsOf(running.pid)[running.next]?.index ?? Infinity;
    if (this.search.machine.control(candidate.state, thread).kind === "lock" || ways.length === 0) return next;
    return Math.max(...ways.map(({ until }) => until));
  }

  /** The candidate with the next call begun, or what has to be assumed before it, once no thread has to go on before. */
  #start(candidate: Candidate, deadlines: readonly number[]): Candidate | null {
    const { scope } = this.search;
    const next = this.#nextStart(candidate);
    const assumption = scope.assumptions[candidate.assumed];
    const at = Math.min(next?.index ?? Infinity, assumption?.before ?? Infinity);
    if (at === Infinity || deadlines.some((deadline) => at >= deadline)) return null;
    if (assumption !== undefined && assumption.before <= at) {
      return candidate.running.every((running) => running === null) ? this.#assume(candidate, assumption) : null;
    }
    if (next === null || next.entry === null) return null;
    const thread = candidate.running.indexOf(null);
    if (thread < 0) return null;
    const state = this.#begin(candidate, next.entry, thread);
    if (state === null) return null;
    const running: Running = {
      pid: next.record.pid,
      entry: next,
      next: candidate.done.get(next.record.pid) ?? 0,
      bindings: candidate.bindings,
      open: [],
    };
    return { ...candidate, state, running: candidate.running.with(thread, running), now: Math.max(candidate.now, next.index - 0.5) };
  }

  /** The first record that is explained by nobody and is of a task without a call under way. */
  #nextStart({ done, running }: Candidate): Happening | null {
    let first: Happening | null = null;
    for (const [pid, records] of this.search.scope.tasks) {
      if (running.some((each) => each?.pid === pid)) continue;
      const record = records[done.get(pid) ?? 0];
      if (record !== undefined && (first === null || record.index < first.index)) first = record;
    }
    return first;
  }

  /** The state in which the thread is about to do the call. */
  #begin(candidate: Pick<Candidate, "bindings" | "state">, entry: Entry, thread: number): State | null {
    const choices = this.search.choicesOf(entry, candidate);
    if (choices === null) return null;
    return this.search.machine.run(candidate.state, thread, { choices, parked: true }).state;
  }

  /** Lets the model do what nobody has recorded. */
  #assume(candidate: Candidate, { entry }: Assumption): Candidate {
    const { machine } = this.search;
    let state = this.#begin(candidate, entry, 0);
    while (state !== null && machine.control(state, 0) !== this.#idle[0]) state = machine.run(state, 0, { parked: true }).state;
    return { ...candidate, state: state ?? candidate.state, assumed: candidate.assumed + 1 };
  }

  #after(candidate: Candidate, { thread, block, position }: Way, now: number): Candidate {
    const running = candidate.running[thread] as Running;
    const isDone = this.#isDone(block, thread) || block.fault !== null;
    const state = { ...(block.state ?? candidate.state), faults: 0 };
    const explained = this.#recordsOf(running.pid)[position.next - 1]?.index ?? -1;
    this.explained = Math.max(this.explained, explained + 1);
    let { bindings } = position;
    for (const cell of block.freed) {
      const place = this.search.machine.layout.cells[cell];
      if (place?.kind === "liveness") bindings = bindings.without(place.struct.name, place.slot);
    }
    return {
      ...candidate,
      state: isDone ? this.search.machine.normalise(state) : state,
      bindings,
      running: candidate.running.with(thread, isDone ? null : { ...running, ...position, bindings }),
      done: new Map(candidate.done).set(running.pid, position.next),
      now,
      sum: this.#sumAfter(candidate, block, running.pid, position.next),
      crash: block.fault === null ? candidate.crash : `${block.fault.check}: ${block.fault.message}`,
    };
  }

  /** Keeps what is to be told of the candidate that came furthest. */
  #noteEnd(candidate: Candidate, allowed: readonly Mismatch[]): void {
    const left = this.#firstLeft(candidate);
    if (left === null) return;
    // A block may have been as recorded up to here.
    const record = allowed.reduce(
      (furthest, { record: at }) => (at !== null && at.record.pid === left.record.pid && at.index > furthest.index ? at : furthest),
      left,
    );
    if (this.unexplained !== null && record.index < this.unexplained.record.index) return;
    const device = this.#devices.indexOf(record.facts.dev ?? "");
    this.unexplained = {
      record,
      allowed,
      state: candidate.state,
      bindings: candidate.bindings,
      device: device < 0 ? null : this.search.machine.layout.schema.struct("device").view(device),
    };
    this.explained = record.index;
  }

  #firstLeft({ done }: Candidate): Happening | null {
    let first: Happening | null = null;
    for (const [pid, records] of this.search.scope.tasks) {
      const record = records[done.get(pid) ?? 0];
      if (record !== undefined && (first === null || record.index < first.index)) first = record;
    }
    return first;
  }

  /** What tells candidates apart that the same records have led to. */
  keyOf({ state, running, bindings, sum, assumed }: Candidate): string {
    const parts: (string | number)[] = [assumed, sum.one, sum.other];
    for (const [thread, each] of running.entries()) {
      parts.push(
        each === null
          ? "-"
          : `${each.pid}=${this.search.machine.control(state, thread).number}+${each.open.filter(({ isRecorded }) => !isRecorded).length}`,
      );
    }
    for (const [name, view] of bindings.objects) parts.push(`${name}=${view.$index}`);
    return parts.join(" ");
  }

  /** The sum after a block, which has stored these. A freed slot counts as free, whatever still refers to it. */
  #sumAfter(candidate: Candidate, { writes }: NativeBlock, pid: number, next: number): Sum {
    const { layout } = this.search.machine;
    let { sum } = candidate;
    for (const [cell, code] of writes) {
      if (cell === layout.faultsCell) continue;
      const isLiveness = layout.cells[cell]?.kind === "liveness";
      const counted = (each: number) => (isLiveness && each === FREED ? FREE : each);
      sum = exchanged(sum, cell, counted(readCell(layout, candidate.state, cell)), counted(code));
    }
    return exchanged(sum, layout.cells.length + pid, candidate.done.get(pid) ?? 0, next);
  }
}

/** Two sums of 32 bits over pairs of a place and what it holds, so that two states with the same sums are one and the same but for one case in 2^64. */
interface Sum {
  readonly one: number;
  readonly other: number;
}

const NOTHING: Sum = { one: 0, other: 0 };

function exchanged({ one, other }: Sum, place: number, before: number, after: number): Sum {
  if (before === after) return { one, other };
  return {
    one: (one - mixed(place, before, 0x9e3779b1) + mixed(place, after, 0x9e3779b1)) | 0,
    other: (other - mixed(place, before, 0x85ebca77) + mixed(place, after, 0x85ebca77)) | 0,
  };
}

/** A pair as a number that has nothing to do with those of its neighbours; nothing and a freed slot are 0. */
function mixed(place: number, code: number, factor: number): number {
  if (code === FREE) return 0;
  let hash = Math.imul(place + 1, factor) ^ Math.imul(code, 0xc2b2ae3d);
  hash = Math.imul(hash ^ (hash >>> 15), factor);
  hash = Math.imul(hash ^ (hash >>> 13), 0x27d4eb2f);
  return hash ^ (hash >>> 16);
}
