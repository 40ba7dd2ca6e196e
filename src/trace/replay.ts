/** Replays a path on the plain engine and says what happens in each step. */
import type { Patch } from "immer";
import { type Location, ModelError } from "../lang/errors.js";
import { readCell, type State } from "../state/state.js";
import type { BlockEvent, Observed, Report } from "../step/block.js";
import type { Machine } from "../step/machine.js";
import type { NativeBlock } from "../step/run.js";

/** A cell that a step changed. */
export interface Change {
  readonly cell: number;
  readonly from: number;
  readonly to: number;
}

export interface TraceStep {
  /** Number of the thread. */
  readonly thread: number;
  /** Position among all steps possible in the state, in canonical order. */
  readonly ordinal: number;
  /** What happened, in order: calls, results, locks, choices, observations, reports. */
  readonly events: readonly BlockEvent[];
  /** What an observer can see of it, in order, and the liveness cells of the objects that it freed. */
  readonly observed: readonly Observed[];
  readonly freed: readonly number[];
  /** Calls open when the step began, outermost first. */
  readonly openCalls: readonly string[];
  /** Cells changed, in layout order; of the model's fields and of allocation, not of the checker's own bookkeeping. */
  readonly changes: readonly Change[];
  /** Cells of scalar fields that the step stored the value into that was there already: in a race, often the lost one. */
  readonly stored: readonly number[];
  readonly patches: readonly Patch[];
  /** Cells of the mutexes that the thread holds after the step. */
  readonly held: readonly number[];
  /** Where the thread stood when the step began; null at its start. */
  readonly location: Location | null;
  readonly reports: readonly Report[];
  /** The report that ended the step, if it ended in one. */
  readonly fault: Report | null;
}

export interface Trace {
  readonly steps: readonly TraceStep[];
  /** States before the first step, after it, and so on; a step that faults adds none. */
  readonly states: readonly State[];
  /** The cells that the violated property read in the last state, with what they hold. */
  readonly because: readonly { readonly cell: number; readonly code: number }[];
  /** Names of the conjuncts that are false, if the property names them. */
  readonly failing: readonly string[];
}

/** A path that has been replayed. */
export interface ReplayedPath extends Pick<Trace, "steps" | "states"> {
  /** The last step's block; null for the empty path. */
  readonly last: NativeBlock | null;
}

/**
 * Replays the path from the initial state, or from where it parts from one that has been replayed. Throws a ModelError if some
 * state has no step with that ordinal.
 */
export function replayPath(machine: Machine, path: readonly number[], others: readonly ReplayedPath[] = []): ReplayedPath {
  const { steps, states, ...start } = longestStart(machine, path, others);
  let { last } = start;
  for (const [position, ordinal] of path.entries()) {
    if (position < steps.length) continue;
    const state = states.at(-1) as State;
    const taken: Taken | null = steps.at(-1)?.fault ? null : stepWithOrdinal(machine, state, ordinal);
    if (taken === null) {
      throw new ModelError(
        `the path cannot be followed beyond step ${position}: there is no step ${ordinal} there`,
        "A path belongs to one suite, one set of commits and one version of the model; take it from a fresh run.",
      );
    }
    const { block, thread }: Taken = taken;
    last = block;
    const control = machine.control(state, thread);
    const next = block.state === null ? null : machine.normalise(block.state);
    steps.push({
      thread,
      ordinal,
      events: block.events,
      observed: block.observed,
      freed: block.freed,
      openCalls: control.frames.map(({ site }) => site.procedure),
      get changes() {
        return next === null ? [] : changesBetween(machine, state, next);
      },
      get stored() {
        return next === null ? [] : storedAgain(machine, block.writes, state);
      },
      get patches() {
        return block.patches;
      },
      held: machine.layout.mutexCells.filter((cell) => readCell(machine.layout, next ?? state, cell) === thread + 1),
      location: control.frames.at(-1)?.site.location ?? null,
      reports: block.reports,
      fault: block.fault,
    });
    if (next !== null) states.push(next);
  }
  return { steps, states, last };
}

interface Start {
  readonly steps: TraceStep[];
  readonly states: State[];
  readonly last: NativeBlock | null;
}

/** What one of the others has of the path: the whole of it, or all up to a step from which the path goes on. */
function longestStart(machine: Machine, path: readonly number[], others: readonly ReplayedPath[]): Start {
  let longest: Start = { steps: [], states: [machine.initial], last: null };
  for (const { steps, states, last } of others) {
    const parted = path.findIndex((ordinal, position) => steps[position]?.ordinal !== ordinal);
    if (parted < 0 && steps.length === path.length) return { steps: [...steps], states: [...states], last };
    // Of a block in the midst of a path nothing is kept but what it did.
    const shared = parted < 0 ? path.length - 1 : parted;
    if (shared > longest.steps.length) longest = { steps: steps.slice(0, shared), states: states.slice(0, shared + 1), last: null };
  }
  return longest;
}

/** `0.3.1`, the form that `iommu-mc replay` takes; `-` for the empty path. */
export function formatPath(path: readonly number[]): string {
  return path.length === 0 ? "-" : path.join(".");
}

/** The path of a string made by `formatPath`, or null if it is none. */
export function parsePath(text: string): number[] | null {
  if (text === "-") return [];
  return /^\d+(\.\d+)*$/.test(text) ? text.split(".").map(Number) : null;
}

interface Taken {
  readonly thread: number;
  readonly block: NativeBlock;
}

function stepWithOrdinal(machine: Machine, state: State, ordinal: number): Taken | null {
  let position = 0;
  for (const thread of machine.threads.keys()) {
    for (const block of machine.blocks(state, thread, { trace: true, parked: true })) {
      if (position++ === ordinal) return { thread, block };
    }
  }
  return null;
}

function changesBetween(machine: Machine, before: State, after: State): Change[] {
  return machine.layout.cells.flatMap((cell, number) => {
    if (cell.kind === "held") return [];
    const from = readCell(machine.layout, before, number);
    const to = readCell(machine.layout, after, number);
    return from === to ? [] : [{ cell: number, from, to }];
  });
}

const SCALARS: ReadonlySet<string> = new Set(["flag", "counter", "enumeration", "ref"]);

function storedAgain(machine: Machine, writes: ReadonlyMap<number, number>, before: State): number[] {
  return [...writes].flatMap(([number, code]) => {
    const cell = machine.layout.cells[number];
    const isScalar = cell?.kind === "field" && SCALARS.has(cell.field.spec.kind);
    return isScalar && readCell(machine.layout, before, number) === code ? [number] : [];
  });
}
