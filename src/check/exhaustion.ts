/** Why a pool has no free slot left: a leak, pointers that dangle, or a bound that is too small. */
import type { CheckName } from "../lang/context.js";
import type { StructInfo } from "../lang/schema.js";
import { FREED } from "../state/layout.js";
import { isReferenced, readCell, type State } from "../state/state.js";
import type { Machine } from "../step/machine.js";
import { lostObjects } from "./leak.js";

/** Why the pool of the struct with that number has no free slot in the state. */
export function explainExhaustion(
  machine: Machine,
  state: State,
  structNumber: number,
): { readonly check: CheckName; readonly message: string } {
  const { layout, names } = machine;
  const struct = layout.schema.structs[structNumber] as StructInfo;
  const read = (cell: number) => readCell(layout, state, cell);
  const slots = Array.from({ length: layout.slots(struct) }, (_, slot) => slot);
  const called = (chosen: readonly number[]) => chosen.map((slot) => names.object(struct, slot)).join(", ");
  const controls = machine.threads.map((_, thread) => machine.control(state, thread));
  const leaked = lostObjects(machine, read, controls).flatMap((place) => (place.struct === struct ? [place.slot] : []));
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
