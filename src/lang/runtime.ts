/**
 * What instrumented model code calls. The transformer (`src/load/instrument`) rewrites every procedure to
 * report, at each `yield`, where it is and which locals are live; the step engine (`src/step`) implements
 * the calls. This file is the contract between the two and holds no behaviour.
 */
import type { Location } from "./errors.js";

/** One `yield` or `yield*` of a model file. */
export interface Site {
  readonly location: Location;
  /** Name of the procedure the site stands in. */
  readonly procedure: string;
  /** Names of the locals whose values are live after the yield (or captured by its wait's guard), in the order in which they are reported. */
  readonly live: readonly string[];
}

/** One procedure (generator function) of a model file. */
export interface ProcedureInfo {
  readonly name: string;
  readonly location: Location;
  readonly parameters: readonly string[];
}

/** A place of a model file that a run may exercise or not. */
export interface CoveragePoint {
  readonly location: Location;
  /** The procedure or function it stands in. */
  readonly procedure: string;
  /** `commit`: a branch that asks which commits are applied. `function`: one that is no procedure. */
  readonly kind: "procedure" | "function" | "branch" | "commit" | "fault" | "choice";
  /** What is to be said if it is not exercised: `group.owner !== null is never true`. */
  readonly what: string;
  /** Number of the point around it; -1 if there is none. What stands in a branch never taken goes without saying. */
  readonly within: number;
  /** Of a procedure or function: the functions it mentions, as `file#name`, by which it is known what it may call. */
  readonly mentions: readonly string[];
}

/** How `mentions` names a function: by its file, whatever way leads there, and its own name. */
export function mentionKey(file: string, name: string): string {
  return `${(file.split("/").at(-1) as string).replace(/\.[jt]s$/, "")}#${name}`;
}

/** A value that may be held in a local across a yield. Views are objects made by the schema. */
export type Local = number | string | boolean | null | undefined | object | readonly Local[];

/**
 * The object every instrumented module sees as `$rt`. Site and procedure numbers index the tables that the
 * transformer emitted for that module.
 */
export interface ModuleRuntime {
  /** `yield e` becomes `yield $rt.at(site, [live…], e)`. */
  at(site: number, live: readonly Local[], wait: unknown): unknown;
  /** `yield* e` becomes `yield* $rt.call(site, [live…], e)`. The value is the callee's result. */
  call(site: number, live: readonly Local[], callee: unknown): Generator<unknown, unknown, void>;
  /**
   * Values of the live locals of the site just resumed, decoded from the control state, in the order of
   * `Site.live`. Read right after each `at` or `call` and assigned back, so that nothing but the control
   * state can carry a value across a yield.
   */
  restored(): readonly Local[];
  /** First statement of every procedure. `parameters` are the arguments' values. */
  enter(procedure: number, parameters: readonly Local[]): void;
  /** First statement of every loop body; counts iterations since the last yield. */
  tick(location: Location): void;
  /** What dead locals are overwritten with after a yield. */
  readonly POISON: unknown;
  /** Every read of a local in a procedure goes through this; faults if the value is `POISON`. */
  use<T>(value: T, name: string): T;
  /** Normalises what a `for…of` with a yield inside walks: a list view (a cursor that re-reads the list), an array, or a set of references. */
  sequence(value: unknown): Local;
  /** Cursor at the first element, or null if there is none. */
  first(sequence: Local): Local;
  /** Cursor after `cursor`, or null at the end. On a list whose current element was removed: a fault. */
  next(sequence: Local, cursor: Local): Local;
  /** Where coverage is collected: the point was reached. */
  cover(point: number): void;
  /** The same for a failure that is injected, and for the alternative taken, counted from `first`. */
  injected(point: number, happens: boolean): boolean;
  chosen(
    first: number,
    choose: (what: string, alternatives: readonly unknown[]) => unknown,
    what: string,
    alternatives: readonly unknown[],
  ): unknown;
  /** The element at `cursor`. */
  item(sequence: Local, cursor: Local): Local;
}

/** Makes `$rt` for one module, whose coverage points are numbered from `firstPoint` among those of all modules. The step engine registers the one implementation there is. */
export type RuntimeFactory = (sites: readonly Site[], procedures: readonly ProcedureInfo[], firstPoint: number) => ModuleRuntime;
