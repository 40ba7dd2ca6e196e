/** The immutable state that the plain engine works on, and its correspondence with the cells of a layout. */

import type { StructInfo } from "../lang/schema.js";
import { FREE, FREED, type Layout } from "./layout.js";

/** An object: a number per scalar field, an array of numbers per set or list. `$live` only where objects are allocated and freed. */
export type ObjectState = { readonly $live?: number } & { readonly [field: string]: number | readonly number[] };

/** A state. Always changed through Immer; never in place. */
export interface State {
  readonly objects: { readonly [struct: string]: readonly ObjectState[] };
  readonly faults: number;
  readonly held: readonly number[];
  /** The control state of each thread, by its number in that thread's register. */
  readonly threads: readonly number[];
}

/** What there is in each cell of a state. */
export interface Cells {
  cell(number: number): number;
}

/** A state that is held in another form, to be read without making all of it. */
export interface CellView extends Cells {
  readonly threads: readonly number[];
  /** The same as a state. */
  whole(): State;
}

/** What Immer hands to a recipe. */
export interface StateDraft {
  objects: { [struct: string]: { [field: string]: number | number[] }[] };
  faults: number;
  held: number[];
  threads: number[];
}

export function readCell(layout: Layout, state: State | StateDraft | Cells, number: number): number {
  if ("cell" in state) return state.cell(number);
  const cell = layout.cells[number];
  switch (cell?.kind) {
    case "field": {
      const value = state.objects[cell.field.struct.name]?.[cell.slot]?.[cell.field.name];
      return typeof value === "number" ? value : (value?.[cell.offset] as number);
    }
    case "liveness":
      return state.objects[cell.struct.name]?.[cell.slot]?.$live as number;
    case "faults":
      return state.faults;
    case "held":
      return state.held[cell.thread] as number;
    default:
      throw new RangeError(`no cell ${number}`);
  }
}

export function writeCell(layout: Layout, draft: StateDraft, number: number, code: number): void {
  const cell = layout.cells[number];
  switch (cell?.kind) {
    case "field": {
      const object = draft.objects[cell.field.struct.name]?.[cell.slot] as { [field: string]: number | number[] };
      const value = object[cell.field.name];
      if (typeof value === "number") object[cell.field.name] = code;
      else (value as number[])[cell.offset] = code;
      return;
    }
    case "liveness":
      (draft.objects[cell.struct.name]?.[cell.slot] as { $live: number }).$live = code;
      return;
    case "faults":
      draft.faults = code;
      return;
    case "held":
      draft.held[cell.thread] = code;
      return;
    default:
      throw new RangeError(`no cell ${number}`);
  }
}

/** The state in which every cell is 0 and every thread is in its control state 0. */
export function blankState(layout: Layout): StateDraft {
  const objects: StateDraft["objects"] = {};
  for (const struct of layout.schema.structs) {
    objects[struct.name] = Array.from({ length: layout.slots(struct) }, (_, slot) => {
      const object: { [field: string]: number | number[] } = {};
      if (layout.livenessCell(struct, slot) >= 0) object.$live = FREE;
      for (const field of struct.fields) {
        const isContainer = field.spec.kind === "set" || field.spec.kind === "list";
        object[field.name] = isContainer ? new Array<number>(layout.width(field)).fill(0) : 0;
      }
      return object;
    });
  }
  return { objects, faults: 0, held: new Array<number>(layout.threads).fill(0), threads: new Array<number>(layout.threads).fill(0) };
}

/** Whether a cell of the state refers to the object in the slot. Locals of threads are not looked at. */
export function isReferenced(layout: Layout, read: (cell: number) => number, struct: StructInfo, slot: number): boolean {
  for (const pointer of layout.pointers[struct.number] as NonNullable<Layout["pointers"][number]>) {
    if (pointer.member < 0 ? read(pointer.cell) === slot + 1 : pointer.member === slot && read(pointer.cell) === 1) return true;
  }
  return false;
}

/** Freed slots of the state, as (struct, slot). */
export function freedSlots(layout: Layout, read: (cell: number) => number): { struct: StructInfo; slot: number; cell: number }[] {
  const found: { struct: StructInfo; slot: number; cell: number }[] = [];
  for (const struct of layout.schema.structs) {
    for (let slot = 0; slot < layout.slots(struct); slot++) {
      const cell = layout.livenessCell(struct, slot);
      if (cell >= 0 && read(cell) === FREED) found.push({ struct, slot, cell });
    }
  }
  return found;
}
