/** What the main thread and those that explore suites beside it say to each other. */
import type { Progress } from "../explore/outcome.js";
import type { Location } from "../lang/errors.js";
import type { Explored, RunSuiteOptions } from "../session/run-suite.js";

/** Options of one run among others. */
export type EachRun = Pick<RunSuiteOptions, "variant" | "goOnAfter">;

/** What has to be loaded for suites to be explored. */
export interface Loading {
  /** The file of suites, absolute. */
  readonly file: string;
  readonly coverage: boolean;
}

/** Suites to explore. */
export interface Job extends Loading {
  readonly number: number;
  /** What `fingerprint` says of the code as the main thread has it. */
  readonly code: string;
  /** Names of the suites, in the order in which the main thread goes through them, with what is different for each. */
  readonly suites: readonly ({ readonly name: string } & EachRun)[];
  /** Code of the only property to ask of each; null for all. */
  readonly property: string | null;
  /** One for each suite: 0 until a thread has taken it. */
  readonly taken: Int32Array;
  /** How many threads have found no suite left to take. */
  readonly idle: Int32Array;
  readonly options: Omit<RunSuiteOptions, "cache" | "idle">;
  /** Directory of the verdict cache; null for none. */
  readonly cache: string | null;
}

/** To load is to be ready for a job on the same files as they are now. Who is to wait for files to be saved gets ready to compile them. */
export type ToWorker =
  | ({ readonly kind: "load" } & Loading)
  | { readonly kind: "wait" }
  | { readonly kind: "job"; readonly job: Job }
  | { readonly kind: "stop" };

export type FromWorker = { readonly job: number; readonly position: number } & (
  | { readonly kind: "progress"; readonly progress: Progress }
  | { readonly kind: "explored"; readonly explored: Explored }
  | { readonly kind: "error"; readonly message: string; readonly hint: string; readonly location: Location | null }
);

/** Takes the suite at the position for this thread. Whether nobody else had. */
export function take(taken: Int32Array, position: number): boolean {
  return Atomics.exchange(taken, position, 1) === 0;
}
