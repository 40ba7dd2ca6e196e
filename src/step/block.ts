/** What running one block of one thread in one state brings to light. */
import type { CheckName } from "../lang/context.js";
import type { Location } from "../lang/errors.js";
import type { Local } from "../lang/runtime.js";
import type { State } from "../state/state.js";
import type { Control } from "./control.js";

/** In the order in which the block did them: the first read of each cell, and each choice. They decide which path it takes. */
export type Decision =
  | { readonly kind: "read"; readonly cell: number; readonly code: number }
  | { readonly kind: "choice"; readonly what: string; readonly labels: readonly string[]; readonly taken: number };

/** An access to shared memory or a lock operation, in order; from these the `atomicity` check judges the block. */
export interface Access {
  readonly kind: "access" | "acquire" | "release";
  /** First cell of the field (a set or list is one piece of memory). */
  readonly cell: number;
  /** Whether the lock that guards the field was held. */
  readonly guarded: boolean;
  /** Whether it stores something. */
  readonly writes: boolean;
}

/** A mutex that the block waited for before it did anything else, so that its thread holds what the state before says it does. */
export interface Acquisition {
  readonly cell: number;
  /** Worked out when somebody asks. */
  readonly location: Location | null;
}

/** Something a check noticed; the block went on after it unless it is the block's fault. */
export interface Report {
  readonly check: CheckName;
  readonly message: string;
  readonly location: Location | null;
  /** For an exhausted pool: its struct's number, so that the explorer can tell why in each state. */
  readonly exhausted?: number;
  /** For a call of NULL: the operation that is missing. */
  readonly missing?: MissedOperation;
}

/** An operation of a driver that was looked for, and is not there. */
export interface MissedOperation {
  readonly driver: string;
  readonly operation: string;
  /** The procedure that looked for it. */
  readonly caller: string;
}

/** What happened inside a block, for traces. */
export type BlockEvent =
  | {
      readonly kind: "call";
      readonly procedure: string;
      readonly parameters: readonly Local[];
      readonly depth: number;
      readonly location: Location;
    }
  | { readonly kind: "return"; readonly procedure: string; readonly result: Local; readonly depth: number }
  | { readonly kind: "observe"; readonly event: string; readonly values: readonly unknown[]; readonly depth: number }
  | { readonly kind: "lock" | "unlock"; readonly cell: number; readonly depth: number }
  | { readonly kind: "choice"; readonly what: string; readonly label: string; readonly depth: number }
  | { readonly kind: "allocate" | "free"; readonly cell: number; readonly depth: number }
  | { readonly kind: "report"; readonly report: Report; readonly depth: number };

/** What a block did that another design can be compared by, or that its surroundings decided. */
export type Observed =
  | { readonly kind: "observe"; readonly event: string; readonly values: readonly unknown[] }
  | { readonly kind: "choice"; readonly what: string; readonly label: string }
  /** A WARN_ON that came true, with the innermost procedure that was running. */
  | { readonly kind: "warning"; readonly procedure: string };

export interface BlockRun {
  /** `blocked`: its wait is not over, or nothing was enabled to choose; there is no step. `fault`: it ended in `fault`. */
  readonly outcome: "step" | "blocked" | "fault";
  readonly decisions: readonly Decision[];
  /** Every store, in full, even of the value that was there already; last value by cell. */
  readonly writes: ReadonlyMap<number, number>;
  readonly accesses: readonly Access[];
  /** First cells of the fields that the block stored to while another thread could have looked. */
  readonly stored: ReadonlySet<number>;
  readonly acquisitions: readonly Acquisition[];
  readonly reports: readonly Report[];
  /** In order. */
  readonly observed: readonly Observed[];
  /** Liveness cells of the objects that it freed. */
  readonly freed: readonly number[];
  readonly fault: Report | null;
  /** Why the block is coarser than the C on purpose, if it says so. */
  readonly atomicBecause: string | null;
  readonly events: readonly BlockEvent[];
  /** Control state after the block; of a step only. */
  readonly next: Control | null;
  /** State after the block; of a step only. Freed slots are not yet turned into free ones. */
  readonly state: State | null;
}

/** Whether two runs of a block did the same: decided by the same, in the same order, and with the same effects. */
export function behavesAlike(one: BlockRun, other: BlockRun): boolean {
  return (
    one.outcome === other.outcome &&
    one.next === other.next &&
    one.decisions.length === other.decisions.length &&
    one.decisions.every((decision, position) => sameDecision(decision, other.decisions[position] as Decision)) &&
    one.writes.size === other.writes.size &&
    [...one.writes].every(([cell, code]) => other.writes.get(cell) === code) &&
    one.accesses.length === other.accesses.length &&
    one.accesses.every((access, position) => sameAccess(access, other.accesses[position] as Access)) &&
    one.reports.length === other.reports.length &&
    one.reports.every((report, position) => sameReport(report, other.reports[position] as Report)) &&
    sameReport(one.fault, other.fault)
  );
}

function sameDecision(one: Decision, other: Decision): boolean {
  if (one.kind === "read") return other.kind === "read" && one.cell === other.cell && one.code === other.code;
  return (
    other.kind === "choice" &&
    one.what === other.what &&
    one.taken === other.taken &&
    one.labels.length === other.labels.length &&
    one.labels.every((label, position) => label === other.labels[position])
  );
}

function sameAccess(one: Access, other: Access): boolean {
  return one.kind === other.kind && one.cell === other.cell && one.guarded === other.guarded && one.writes === other.writes;
}

/** Reports are rare, and may have a location. */
function sameReport(one: Report | null, other: Report | null): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}
