/** What a step changed, as one would tell it: `group0.owner NULL → vfio0, owner_cnt 0 → 1`. */
import type { FieldInfo, StructInfo } from "../lang/schema.js";
import { LIVE } from "../state/layout.js";
import { readCell, type State } from "../state/state.js";
import type { Machine } from "../step/machine.js";
import type { TraceStep } from "../trace/replay.js";

interface Slot {
  readonly struct: StructInfo;
  readonly slot: number;
}

/**
 * One text per changed object, in the order of the layout. Mutexes are left out (what is held is told
 * separately), and so are the fields of an object that was freed, which are cleared with it.
 */
export function changeTexts(machine: Machine, step: TraceStep, before: State, after: State): string[] {
  const { layout, names } = machine;
  const objects = new Map<string, { slot: Slot; fate: string | null; fields: Set<FieldInfo> }>();
  const objectIn = (struct: StructInfo, slot: number) => {
    const name = names.object(struct, slot);
    const object = objects.get(name) ?? { slot: { struct, slot }, fate: null, fields: new Set() };
    objects.set(name, object);
    return object;
  };
  let faults: string | null = null;
  for (const { cell: number, from, to } of step.changes) {
    const cell = layout.cells[number];
    if (cell?.kind === "faults") faults = `faults left ${from} → ${to}`;
    if (cell?.kind !== "field" && cell?.kind !== "liveness") continue;
    const object = objectIn(cell.kind === "field" ? cell.field.struct : cell.struct, cell.slot);
    if (cell.kind === "liveness") object.fate = to === LIVE ? "allocated" : from === LIVE ? "freed" : "";
    else if (cell.field.spec.kind !== "mutex") object.fields.add(cell.field);
  }
  for (const number of step.stored) {
    const cell = layout.cells[number];
    if (cell?.kind !== "field") continue;
    const object = objectIn(cell.field.struct, cell.slot);
    // In a new object what is stored is told anyway, unless it is what kzalloc had put there.
    if (object.fate === null) object.fields.add(cell.field);
  }
  const texts = [...objects].flatMap(([name, { slot, fate, fields }]) => {
    if (fate === "freed") return [`${name} freed`];
    // A freed slot that nothing refers to any more becomes a free one: no event of the design.
    if (fate === "") return [];
    const isNew = fate === "allocated";
    const told = [...fields].map((field) => fieldText(machine, slot, field, isNew ? null : before, after));
    if (isNew) return [told.length === 0 ? `${name} allocated` : `${name} allocated: ${told.join(", ")}`];
    return told.length === 0 ? [] : [`${name}.${told.join(", ")}`];
  });
  return faults === null ? texts : [...texts, faults];
}

/** `before` is null for a field of an object that is new: what it held then was nothing. */
function fieldText(machine: Machine, { slot }: Slot, field: FieldInfo, before: State | null, after: State): string {
  const { layout, names } = machine;
  const first = layout.fieldCell(field, slot);
  const { spec } = field;
  if (spec.kind === "set") {
    const members = field.struct.schema.struct(spec.of);
    const moves = Array.from({ length: layout.slots(members) }, (_, member) => {
      const was = before === null ? 0 : readCell(layout, before, first + member);
      const is = readCell(layout, after, first + member);
      return was === is ? "" : `${is === 1 ? "+" : "-"}${names.object(members, member)}`;
    });
    return `${field.name} ${moves.filter((move) => move !== "").join(" ")}`;
  }
  const told = (state: State) =>
    spec.kind === "list" ? listText(machine, field, first, state) : names.code(first, readCell(layout, state, first));
  if (before !== null && spec.kind !== "list" && told(before) === told(after)) return `${field.name} = ${told(after)} again`;
  return before === null ? `${field.name} = ${told(after)}` : `${field.name} ${told(before)} → ${told(after)}`;
}

function listText({ layout, names }: Machine, field: FieldInfo, first: number, state: State): string {
  const elements: string[] = [];
  for (let position = 0; position < layout.width(field); position++) {
    const code = readCell(layout, state, first + position);
    if (code !== 0) elements.push(names.code(first + position, code));
  }
  return `[${elements.join(", ")}]`;
}
