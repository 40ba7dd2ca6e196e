import { context } from "./context.js";
import type { Schema, StructView, View } from "./schema.js";

/**
 * A zeroed object from the struct's pool: `kzalloc(linux, "iommu_domain")`. Never null: a failing allocation
 * is written `fault("kzalloc") ? null : kzalloc(…)`, so that the author says where one may fail. When the pool
 * is exhausted the run ends in a finding that says why: leaked slots, dangling references, or a bound that is
 * too small. The pool's size is a bound of the scenario.
 */
export function kzalloc<Sc extends Schema, K extends keyof Sc["declaration"] & string>(schema: Sc, struct: K): View<Sc, K> {
  return context().allocate(schema.struct(struct)) as unknown as View<Sc, K>;
}

/** Frees the object; NULL is no object. Its slot is reused only when nothing refers to it any more. Freeing it again is reported (`double-free`). */
export function kfree(object: object | null): void {
  if (object !== null) context().free(object as StructView);
}

/** Whether the object behind a pointer has been freed: for properties about dangling pointers. Model code has no such question to ask. */
export function isFreed(object: object): boolean {
  return context().isFreed(object as StructView);
}
