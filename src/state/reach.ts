/** Which objects of a state can be reached by following its pointers. */
import { elementStruct, type FieldInfo, type StructInfo, type StructView } from "../lang/schema.js";
import { type Layout, LIVE } from "./layout.js";

/** An object: its struct and its slot there. */
export interface ObjectPlace {
  readonly struct: StructInfo;
  readonly slot: number;
}

/**
 * Liveness cells of the allocated objects that can be reached from the objects that always exist and from those
 * given. Ghost fields lead nowhere: the C does not have them.
 */
export function reachableObjects(layout: Layout, read: (cell: number) => number, from: Iterable<ObjectPlace>): Set<number> {
  const reached = new Set<number>();
  const waiting: ObjectPlace[] = [];
  const reach = (struct: StructInfo, slot: number) => {
    const cell = layout.livenessCell(struct, slot);
    if (cell < 0 || reached.has(cell) || read(cell) !== LIVE) return;
    reached.add(cell);
    waiting.push({ struct, slot });
  };
  for (const struct of layout.schema.structs) {
    if (layout.pools.dynamic[struct.number]) continue;
    for (let slot = 0; slot < layout.slots(struct); slot++) waiting.push({ struct, slot });
  }
  for (const { struct, slot } of from) reach(struct, slot);
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    for (const field of place.struct.fields) if (!field.isGhost) followField(layout, read, field, place.slot, reach);
  }
  return reached;
}

function followField(
  layout: Layout,
  read: (cell: number) => number,
  field: FieldInfo,
  slot: number,
  reach: (struct: StructInfo, slot: number) => void,
): void {
  const { spec, struct } = field;
  if (spec.kind !== "ref" && spec.kind !== "set" && spec.kind !== "list") return;
  const target = spec.kind === "ref" ? struct.schema.struct(spec.to) : elementStruct(field);
  const first = layout.fieldCell(field, slot);
  for (let offset = 0; offset < layout.width(field); offset++) {
    const code = read(first + offset);
    if (code !== 0) reach(target, spec.kind === "set" ? offset : code - 1);
  }
}

/** The place of the object that a view stands for. */
export function placeOf({ $struct, $index }: StructView): ObjectPlace {
  return { struct: $struct, slot: $index };
}

/** Every slot whose object is allocated in the state, of the structs that are allocated and freed at run time. */
export function allocatedObjects(layout: Layout, read: (cell: number) => number): (ObjectPlace & { readonly cell: number })[] {
  return layout.schema.structs.flatMap((struct) =>
    Array.from({ length: layout.slots(struct) }, (_, slot) => ({ struct, slot, cell: layout.livenessCell(struct, slot) })).filter(
      ({ cell }) => cell >= 0 && read(cell) === LIVE,
    ),
  );
}
