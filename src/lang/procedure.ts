import { context } from "./context.js";
import type { FieldHandle, Mutex, StructView } from "./schema.js";

/** What a procedure may yield: nothing (a mere preemption point) or a wait. */
export type Yielded = Wait | undefined;

/**
 * A procedure's type: `function* iommu_group_get(dev: Device): Proc<IommuGroup | null>`. Between two yields it
 * is one atomic step; at a yield any other thread may run.
 */
export type Proc<Result = void> = Generator<Yielded, Result, void>;

/** A point where the thread cannot go on before something is true. */
export class Wait {
  constructor(
    readonly kind: "until" | "idle" | "idle-until" | "lock",
    readonly guard: (() => boolean) | null,
    readonly mutex: Mutex | null,
  ) {}
}

/** `yield until(() => queue.isEmpty)`: the thread goes on only when the condition holds. Waiting for ever is reported as `stuck`. */
export function until(guard: () => boolean): Wait {
  return new Wait("until", guard, null);
}

/**
 * `yield idle()`, `yield idle(() => device.present)`: a point where a thread may rest for ever without that
 * being a deadlock: a user who does nothing more, hardware waiting for work. With a condition it rests only while that is
 * not true.
 */
export function idle(guard?: () => boolean): Wait {
  return guard ? new Wait("idle-until", guard, null) : new Wait("idle", null, null);
}

/**
 * One of the alternatives; the checker follows each of them. With an empty array the step is not possible and
 * the thread waits. `what` names the decision in traces.
 */
export function choose<const T>(what: string, alternatives: readonly T[]): T {
  const taken = context().choose(what, alternatives.map(label));
  return alternatives[taken] as T;
}

/** The step is possible only if the condition holds: `assume(rm.state === "working")`. */
export function assume(condition: boolean): void {
  if (!condition) context().choose("assume", []);
}

/**
 * A failure the checker may inject: true if it does. Bounded by the run's fault budget (`--faults`).
 * `mayFail: false` says that the kernel's contract forbids this failure; it is injected only under
 * `--fault-policy any`.
 */
export function fault(what: string, mayFail = true): boolean {
  const ctx = context();
  if (!mayFail && ctx.faultPolicy === "contract") return false;
  if (ctx.faultBudget() === 0) return false;
  const fails = ctx.choose(what, [`${what} succeeds`, `${what} FAILS`]) === 1;
  if (fails) ctx.spendFault(what);
  return fails;
}

/** An event another design can be compared by, and that traces show: a driver callback, a result to user space. */
export function observe(event: string, ...values: readonly unknown[]): void {
  context().observe(event, values);
}

/** Whether the commit is part of the design under check. Constant during a run. */
export function applied(commit: string): boolean {
  return context().applied(commit);
}

/** The step from here to the next yield is coarser than the C on purpose; `why` is printed among the assumptions. */
export function atomic(why: string): void {
  context().declareAtomic(why);
}

/** Accesses that the C makes without the lock that guards the field, knowingly: `data_race(() => group.domain)`. */
export function data_race<T>(access: () => T): T {
  return context().withoutGuard(access);
}

function label(value: unknown): string {
  if (typeof value === "object" && value !== null) {
    const { $struct, $index, $view, $field } = value as Partial<StructView & FieldHandle>;
    if ($struct) return `&${$struct.name}:${$index}`;
    if ($view && $field) return `${label($view)}.${$field.name}`;
    return Array.isArray(value) ? `[${value.map(label).join(", ")}]` : JSON.stringify(value);
  }
  return String(value);
}
