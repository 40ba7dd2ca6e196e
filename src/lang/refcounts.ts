import { context } from "./context.js";
import type { Refcount } from "./schema.js";

/** Sets the count of an object nobody else can see yet. */
export function kref_init(count: Refcount, value = 1): void {
  context().write(count.$view, count.$field, 0, value);
}

/** One more reference. On zero (the object is being released) and beyond the declared bound: a `refcount` finding. */
export function kref_get(count: Refcount): void {
  context().asOneAccess(() => {
    const value = refcount_read(count);
    const max = count.$field.spec.kind === "refcount" ? count.$field.spec.max : 0;
    if (value === 0) context().fault("refcount", `get on zero: ${name(count)}`);
    if (value === max)
      context().fault("refcount", `${name(count)} saturates its bound of ${max}: references leak, or the bound in the schema is too small`);
    context().write(count.$view, count.$field, 0, value + 1);
  });
}

/** One reference less; true if it was the last. Below zero: a `refcount` finding. */
export function kref_put(count: Refcount): boolean {
  return context().asOneAccess(() => {
    const value = refcount_read(count);
    if (value === 0) context().fault("refcount", `put below zero: ${name(count)}`);
    context().write(count.$view, count.$field, 0, value - 1);
    return value === 1;
  });
}

/** The present value. */
export function refcount_read(count: Refcount): number {
  return context().read(count.$view, count.$field, 0);
}

function name(count: Refcount): string {
  return `${count.$field.struct.name}.${count.$field.name}`;
}
