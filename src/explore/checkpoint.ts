/** What a run has found out by the time it is interrupted, as plain data: enough for another to go on from there. */
import type { Places } from "../state/packing.js";
import type { Judged } from "./judge.js";

/** A run between two states. The states themselves are kept beside it: they only become more. */
export interface Snapshot {
  /** How many states were found, and the first that has not been visited. */
  readonly states: number;
  readonly number: number;
  /** Number of the first state of each level, up to that behind the level that is being visited; and which level that is. */
  readonly levels: readonly number[];
  readonly depth: number;
  readonly transitions: number;
  readonly seconds: number;
  /** How states were packed: bits for each thread's control state, and cells taken to change; null for all. */
  readonly controlBits: readonly number[];
  readonly changing: readonly number[] | null;
  /** What was learned, in that order: the number of a state, that of the step out of it, the thread, and the choices it made. To learn it again is to number control states alike. */
  readonly learned: readonly (readonly number[])[];
  /** By property instance, the cells that it has read. */
  readonly reads: readonly (readonly number[])[];
  readonly judged: Judged;
}

/** States in their order that were packed in the same places, as many at a time as a store takes. */
export interface KeptStates {
  readonly places: Places;
  readonly blocks: Iterable<Uint32Array>;
}

/** Keeps what a run has found out. */
export interface Keeper {
  /** Seconds between two times that something is kept. */
  readonly every: number;
  /** What another run has left; null if there was none. */
  readonly left: { readonly snapshot: Snapshot; readonly states: Iterable<KeptStates> } | null;
  /** `statesFrom` has the states from a number on; those before have been kept already. */
  keep(snapshot: Snapshot, places: Places, statesFrom: (first: number) => Iterable<Uint32Array>): void;
}
