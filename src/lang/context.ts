/**
 * The state that views and primitives act on. Model code never sees it: whoever runs model code (the step
 * engine, a property's evaluation, a scenario's setup) enters a context for the duration of the call.
 */
import type { OperationCall } from "./operations.js";
import type { FieldInfo, StructInfo, StructView } from "./schema.js";

/** What a finding of the always-on checks is about. */
export type CheckName =
  | "null-deref"
  | "use-after-free"
  | "double-free"
  | "refcount"
  | "lockdep"
  | "stuck"
  | "livelock"
  | "warn-on"
  | "bug-on"
  | "model-fault"
  | "guarded-by"
  | "atomicity"
  | "leak"
  | "dangling";

export interface Context {
  /** Whether this is a step of a thread (and not a property, a guard's replay or a setup). Only a step may write or choose. */
  readonly isStep: boolean;
  /** Number of the running thread, from 0. */
  readonly thread: number;
  /** Cell `offset` of a field: 0 for scalars, mutexes and refcounts, a slot for sets, a position for lists. */
  read(view: StructView, field: FieldInfo, offset: number): number;
  write(view: StructView, field: FieldInfo, offset: number, code: number): void;
  /** Faults if the object has been freed. */
  touch(view: StructView): void;
  /** Number of slots of a struct's pool. */
  slots(struct: StructInfo): number;
  /** Takes the first free slot; null if the model said the allocation fails. */
  allocate(struct: StructInfo): StructView;
  free(view: StructView): void;
  isFreed(view: StructView): boolean;
  /** `waits` tells whether the thread would have waited for it: only then can it be part of a deadlock. */
  acquire(view: StructView, field: FieldInfo, waits: boolean): void;
  release(view: StructView, field: FieldInfo): void;
  /** Several reads and writes that are one access to memory, such as an atomic increment. */
  asOneAccess<T>(access: () => T): T;
  /** Accesses inside are deliberately without the lock that guards the field. */
  withoutGuard<T>(access: () => T): T;
  /** The current block is coarser than the C on purpose. */
  declareAtomic(why: string): void;
  /** Position of the alternative taken, from 0. With `count` 0 the step is not possible. */
  choose(what: string, labels: readonly string[]): number;
  /** Remaining faults that may be injected. */
  faultBudget(): number;
  spendFault(what: string): void;
  readonly faultPolicy: "contract" | "any";
  applied(commit: string): boolean;
  observe(event: string, values: readonly unknown[]): void;
  /** What `act` does it does for a driver's operation. */
  operate<T>(call: OperationCall, act: () => T): T;
  /** The driver's operation was looked for, and there is none. */
  missing(driver: string, operation: string): void;
  /** Records a finding and goes on. */
  report(check: CheckName, message: string): void;
  /** Records a finding and ends the block here. */
  fault(check: CheckName, message: string): never;
}

let current: Context | null = null;

/** The context in force, if there is one. */
export function contextInForce(): Context | null {
  return current;
}

/** The context in force. Throws when model code runs outside any (a view read at module level, say). */
export function context(): Context {
  if (current === null) throw new Error("the state can only be read or written while a step, a property or a setup runs");
  return current;
}

/** Runs `action` with `next` in force, and puts back what was in force before. */
export function within<T>(next: Context, action: () => T): T {
  const previous = current;
  current = next;
  try {
    return action();
  } finally {
    current = previous;
  }
}
