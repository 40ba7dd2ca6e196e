/** What a run found out. A value: reporters and the command line are functions of it. */
import type { LockEdge } from "../check/lockdep.js";
import type { CheckName } from "../lang/context.js";
import type { Location } from "../lang/errors.js";
import type { Keeper } from "./checkpoint.js";
import type { LossyMode } from "./lossy-table.js";
import type { Together } from "./team.js";

/** Limits of a run. A limit that is hit ends the run as unfinished, never in a crash. */
export interface Limits {
  readonly maxStates?: number;
  /** Longest trace looked at, in steps. */
  readonly maxDepth?: number;
  readonly timeoutSeconds?: number;
  readonly memoryBytes?: number;
}

export interface ExploreOptions {
  readonly limits?: Limits;
  /** Codes of properties and checks whose violation does not end the run; any other ends it after the level it is found in. */
  readonly goOnAfter?: ReadonlySet<string>;
  /** Whether traces are looked for of what is found; the fast engine only. Default true. */
  readonly traces?: boolean;
  /** Run everything natively too, and compare. The fast engine only; the other one does nothing else. */
  readonly paranoid?: boolean;
  /** Where a run goes on that was interrupted, and what it finds out is kept; the fast engine only. Default: nowhere. */
  readonly keeper?: Keeper;
  /** States after which a run keeps of each state only what has been seen to change; the fast engine only. Default 20,000. */
  readonly packAfter?: number;
  /** Threads that explore, this one included; the fast engine only. Default 1. */
  readonly threads?: number;
  /** How many threads of the process have nothing to do by now, in shared memory: a large run takes those that there are, and gives them back. */
  readonly idle?: Int32Array;
  /** When they do so together, where it matters to a test. */
  readonly together?: Together;
  /** Where states go when there is no room for more in memory; the fast engine only. Default: nowhere. */
  readonly disk?: DiskOptions;
  /** States after which a reduced run begins anew with steps fused. Default 2,000. */
  readonly reduceAfter?: number;
}

/** A folder for states that do not fit into the memory. */
export interface DiskOptions {
  readonly folder: string;
  /** Bytes that are read of a file at once, and states in memory from which on others go to disk, where they matter to a test. */
  readonly blockBytes?: number;
  readonly mostInMemory?: number;
}

/** Something that is not as it should be, with a shortest path to it. */
export interface Finding {
  /** Property code or check name. */
  readonly check: string;
  readonly isProperty: boolean;
  readonly message: string;
  /** Model source, for checks that a place in the model is responsible for. */
  readonly location: Location | null;
  /** The object the property fails for. */
  readonly subject: string | null;
  /** Steps of the shortest trace that shows it. */
  readonly depth: number;
  /** Ordinal of the step to take in each state, counted in canonical order; as long as `depth`. */
  readonly path: readonly number[];
}

/** `not violated` says less than `holds`: that no state violates it but, perhaps, one that was omitted. */
export type ResultVerdict = "holds" | "violated" | "vacuous" | "unfinished" | "not violated";

export interface CheckResult {
  readonly check: string;
  readonly isProperty: boolean;
  readonly verdict: ResultVerdict;
}

export type End =
  | { readonly kind: "complete" }
  /** Stopped after the level in which something unexpected was found. */
  | { readonly kind: "violation" }
  | { readonly kind: "limit"; readonly what: "states" | "depth" | "time" | "memory" | "disk" | "interrupt" };

export interface Outcome {
  readonly engine: "reference" | "fast";
  readonly end: End;
  readonly states: number;
  /** Steps from reachable states, those that lead back to the same state and those that end in a fault included. */
  readonly transitions: number;
  /** Steps to the farthest state. */
  readonly depth: number;
  readonly results: readonly CheckResult[];
  readonly findings: readonly Finding[];
  /** Properties and checks of which something was found, but the search for its trace was stopped. */
  readonly untraced: readonly string[];
  /** Steps that ended in a fault and were not followed further: every "holds" is without what comes after them. */
  readonly faultedSteps: number;
  /** Whether states were left out that show nothing; null if that was not asked for. */
  readonly reduction: Reduction | null;
  /** How likely it is that states were omitted; null of a run that keeps all, as long as nobody asked for another. */
  readonly omission: Omission | null;
  /** What states on disk came to; null if none were allowed to be there. */
  readonly disk: DiskUse | null;
  /** Which mutexes were taken under which. */
  readonly lockOrder: readonly LockEdge[];
  readonly statistics: Statistics;
}

/** What the reductions came to, each null if it was switched off; or why nothing was reduced. */
export type Reduction =
  | {
      readonly kind: "reduced";
      /** How many of the learned paths are fused with the step before. */
      readonly fusion: { readonly fusedPaths: number; readonly paths: number } | null;
      readonly symmetry: SymmetryFound | null;
      /** How many of the cells that change are cleared where nobody will read what they have. */
      readonly clearing: { readonly cleared: number; readonly changing: number } | null;
      /** How often all was explored from the start again, when more was known. */
      readonly restarts: number;
    }
  | { readonly kind: "off"; readonly because: string };

export interface SymmetryFound {
  /** What was swapped, in words. */
  readonly interchangeable: readonly string[];
  /** For how many states those stand that were explored; and whether that is by a sample of them, since there are many. */
  readonly standFor: number;
  readonly isEstimate: boolean;
  /** What the start does not tell apart, and model code does; and where. */
  readonly lost: readonly { readonly what: string; readonly because: string }[];
}

/** What was on disk. */
export interface DiskUse {
  readonly folder: string;
  /** Most bytes of all files at a time; 0 if the states fit into the memory. */
  readonly bytes: number;
  /** Why the run could not go on there; null if it could. */
  readonly failure: string | null;
}

/** What forgetting states may have cost, or why none was forgotten. */
export type Omission =
  | {
      readonly mode: LossyMode;
      /** Bits of its hash that are kept of a state, or bits that are set for it in the table. */
      readonly bitsPerState: number;
      readonly tableBytes: number;
      /** Those that were found. */
      readonly states: number;
      /** How many states are expected to have been taken for others; what can be reached by them only was omitted too. */
      readonly expectedOmissions: number;
      readonly probabilityOfAnyOmission: number;
      /** How often all was explored from the start again, to pack states otherwise. */
      readonly restarts: number;
    }
  | { readonly mode: "off"; readonly because: string };

export interface Statistics {
  readonly seconds: number;
  /** Blocks run natively, and the seconds that took. */
  readonly nativeRuns: number;
  readonly nativeSeconds: number;
  /** Transitions that were run natively too and came out as the rules say; 0 unless that was asked for. */
  readonly comparedNatively: number;
  /** Threads that explored; more than one only where that was allowed and worth the while. */
  readonly threads: number;
  readonly controlStates: number;
  /** Bytes of states and visited set together, per state; 0 for the reference engine. */
  readonly bytesPerState: number;
  /** Learned paths in all, and the control states with most of them. */
  readonly paths: number;
  readonly widest: readonly { readonly thread: string; readonly at: string; readonly paths: number }[];
}

export interface Progress {
  readonly states: number;
  readonly transitions: number;
  readonly depth: number;
  /** States found and not yet expanded. */
  readonly frontier: number;
  readonly seconds: number;
  readonly memoryBytes: number;
  /** Of what the trace is being searched, when the exploring is over. */
  readonly tracing: string | null;
}

/** A run in progress: yields now and then; ends with its outcome. Send "interrupt" to have it end with what is known; while traces are searched, to do without them. */
export type Exploration = Generator<Progress, Outcome, "interrupt" | undefined>;

/** The always-on checks of a scenario. */
export function checksOf(terminates: boolean): readonly CheckName[] {
  return terminates ? SANITIZERS : SANITIZERS.filter((check) => check !== "livelock");
}

/** Checks that are on for every model; `livelock` only where the scenario says that it terminates. */
export const SANITIZERS: readonly CheckName[] = [
  "null-deref",
  "use-after-free",
  "double-free",
  "refcount",
  "lockdep",
  "stuck",
  "livelock",
  "warn-on",
  "bug-on",
  "guarded-by",
  "atomicity",
  "leak",
  "dangling",
  "model-fault",
];
