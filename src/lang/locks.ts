import { context } from "./context.js";
import type { Proc } from "./procedure.js";
import { Wait } from "./procedure.js";
import type { Mutex } from "./schema.js";

/**
 * Waits until the mutex is free and takes it: `yield* mutex_lock(group.mutex)`. What follows, up to the next
 * yield, happens in the same step. Taking it twice in one thread is reported as a self-deadlock (`lockdep`).
 */
export function mutex_lock(mutex: Mutex): Proc {
  // The transformer sees `yield* e`; the step engine recognises the wait and performs the acquisition after it.
  return new Wait("lock", null, mutex) as unknown as Proc;
}

/** Gives the mutex back. Unlocking one that another thread holds, or nobody, is reported (`lockdep`). */
export function mutex_unlock(mutex: Mutex): void {
  context().release(mutex.$view, mutex.$field);
}

/** Takes the mutex if it is free; tells whether it did. */
export function mutex_trylock(mutex: Mutex): boolean {
  if (!mutex.isFree) return false;
  context().acquire(mutex.$view, mutex.$field, false);
  return true;
}

/** Reports (`warn-on`) if the running thread does not hold the mutex. */
export function lockdep_assert_held(mutex: Mutex): void {
  const ctx = context();
  if (ctx.read(mutex.$view, mutex.$field, 0) !== ctx.thread + 1) {
    ctx.report("warn-on", `lockdep_assert_held(${mutex.$field.struct.name}.${mutex.$field.name}): the running thread does not hold it`);
  }
}
