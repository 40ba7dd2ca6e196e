/** Why a pool has no free slot left: a leak, pointers that dangle, or a bound that is too small. */
import type { CheckName } from "../lang/context.js";
import { FREED, type Layout, LIVE } from "../state/layout.js";
import type { Names } from "../state/names.js";
import { isReferenced, readCell, type State } from "../state/state.js";

/** `isInLocal` tells whether some thread's locals refer to a slot of the struct. */
export function explainExhaustion(
  layout: Layout,
  names: Names,
  state: State,
  structNumber: number,
  isInLocal: (slot: number) => boolean,
): { readonly check: CheckName; readonly message: string } {
  const struct = layout.schema.structs[structNumber] as Layout["schema"]["structs"][number];
  const read = (cell: number) => readCell(layout, state, cell);
  const slots = Array.from({ length: layout.slots(struct) }, (_, slot) => slot);
  const called = (chosen: readonly number[]) => chosen.map((slot) => names.object(struct, slot)).join(", ");
  const leaked = slots.filter(
    (slot) => read(layout.livenessCell(struct, slot)) === LIVE && !isReferenced(layout, read, struct, slot) && !isInLocal(slot),
  );
  if (leaked.length > 0)
    return { check: "leak", message: `no ${struct.name} is left: ${called(leaked)} allocated, but nothing refers to it` };
  const dangling = slots.filter((slot) => read(layout.livenessCell(struct, slot)) === FREED && isReferenced(layout, read, struct, slot));
  if (dangling.length > 0)
    return { check: "dangling", message: `no ${struct.name} is left: ${called(dangling)} freed, but a field still points to it` };
  return {
    check: "model-fault",
    message: `the pool of ${struct.name} is too small: all ${slots.length} slots are in use; raise pools.${struct.name} in the scenario`,
  };
}
