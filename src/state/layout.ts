/**
 * The layout of a model's state: which cells there are once a scenario's pools have their sizes. A cell holds
 * one small whole number. Immer states, packed states, views and printing all go by it.
 */
import { ModelError } from "../lang/errors.js";
import type { FieldInfo, Schema, StructInfo, StructView } from "../lang/schema.js";

/** Slot states of a pool whose objects are allocated while the model runs. */
export const FREE = 0;
export const LIVE = 1;
export const FREED = 2;

export type Cell =
  | { readonly kind: "field"; readonly size: number; readonly field: FieldInfo; readonly slot: number; readonly offset: number }
  /** Whether a slot is free, live or freed. Only pools with a bound in the scenario have these. */
  | { readonly kind: "liveness"; readonly size: 3; readonly struct: StructInfo; readonly slot: number }
  /** Faults that may still be injected. */
  | { readonly kind: "faults"; readonly size: number }
  /** How many mutexes a thread holds. */
  | { readonly kind: "held"; readonly size: number; readonly thread: number };

/** Slots of each struct, by struct number, and which structs are allocated and freed at run time. */
export interface PoolSizes {
  readonly slots: readonly number[];
  readonly dynamic: readonly boolean[];
}

export class Layout {
  readonly cells: readonly Cell[];
  readonly faultsCell: number;
  /** Cells of all mutexes. */
  readonly mutexCells: readonly number[];
  /** For each struct number, the cells that can point into its pool, with the code that stands for slot 0. Sets count by their offset. */
  readonly pointers: readonly (readonly Pointer[])[];
  readonly #first: number[][] = [];
  readonly #liveness: number[] = [];
  readonly #held: number;

  constructor(
    readonly schema: Schema,
    readonly pools: PoolSizes,
    readonly threads: number,
    faults: number,
  ) {
    const cells: Cell[] = [];
    const mutexes: number[] = [];
    const pointers: Pointer[][] = schema.structs.map(() => []);
    const slotsOf = (name: string) => pools.slots[schema.struct(name).number] as number;
    for (const struct of schema.structs) {
      const slots = pools.slots[struct.number] as number;
      this.#liveness.push(pools.dynamic[struct.number] ? cells.length : -1);
      if (pools.dynamic[struct.number]) {
        for (let slot = 0; slot < slots; slot++) cells.push({ kind: "liveness", size: 3, struct, slot });
      }
      const first: number[] = [];
      for (let slot = 0; slot < slots; slot++) {
        for (const field of struct.fields) {
          if (slot === 0) first[field.number] = cells.length;
          const { spec } = field;
          const width = this.width(field);
          for (let offset = 0; offset < width; offset++) {
            if (spec.kind === "mutex") mutexes.push(cells.length);
            if (spec.kind === "ref") pointers[schema.struct(spec.to).number]?.push({ cell: cells.length, member: -1 });
            if (spec.kind === "list") pointers[schema.struct(spec.of).number]?.push({ cell: cells.length, member: -1 });
            if (spec.kind === "set") pointers[schema.struct(spec.of).number]?.push({ cell: cells.length, member: offset });
            cells.push({ kind: "field", size: checkedSize(field, sizeOf(field, slotsOf, threads)), field, slot, offset });
          }
        }
      }
      this.#first.push(first);
    }
    this.faultsCell = cells.length;
    cells.push({ kind: "faults", size: faults + 1 });
    this.#held = cells.length;
    for (let thread = 0; thread < threads; thread++) cells.push({ kind: "held", size: mutexes.length + 1, thread });
    this.cells = cells;
    this.mutexCells = mutexes;
    this.pointers = pointers;
  }

  /** Cell of a field of an object. Offset: 0, a slot for sets, a position for lists. */
  cell(view: StructView, field: FieldInfo, offset: number): number {
    return this.fieldCell(field, view.$index) + offset;
  }

  /** First cell of a field of the object in a slot. */
  fieldCell(field: FieldInfo, slot: number): number {
    const first = this.#first[field.struct.number]?.[field.number];
    if (first === undefined || slot >= this.slots(field.struct)) {
      throw new ModelError(
        `there is no ${field.struct.name} number ${slot} in this scenario`,
        "Make it in the scenario's setup, or raise the bound of its pool.",
      );
    }
    return first + slot * this.stride(field.struct);
  }

  /** All cells of an object's fields. */
  cellsOf({ $struct, $index }: StructView): readonly number[] {
    const [firstField] = $struct.fields;
    if (firstField === undefined) return [];
    const first = this.fieldCell(firstField, $index);
    return Array.from({ length: this.stride($struct) }, (_, offset) => first + offset);
  }

  /** Number of cells of a field: one, or one for each slot a set can hold or each place of a list, which holds no object twice. */
  width({ spec, struct }: FieldInfo): number {
    if (spec.kind === "set") return this.slots(struct.schema.struct(spec.of));
    return spec.kind === "list" ? Math.min(spec.capacity, this.slots(struct.schema.struct(spec.of))) : 1;
  }

  /** Number of cells of one object of the struct. */
  stride(struct: StructInfo): number {
    let stride = this.#strides[struct.number];
    if (stride === undefined) {
      stride = 0;
      for (const field of struct.fields) stride += this.width(field);
      this.#strides[struct.number] = stride;
    }
    return stride;
  }
  readonly #strides: number[] = [];

  /** Cell that tells whether the object exists, or -1 if it always does. */
  livenessCell(struct: StructInfo, slot: number): number {
    const first = this.#liveness[struct.number] as number;
    return first < 0 ? -1 : first + slot;
  }

  /**
   * Cell of the mutex that a path of refs leads to: `["iommu_group", "mutex"]`. `read` reads a cell on the way; null
   * if a pointer on the way is NULL.
   */
  mutexCell(view: StructView, path: readonly string[], read: (cell: number) => number): number | null {
    let owner = view;
    for (const [position, name] of path.entries()) {
      const field = owner.$struct.field(name);
      const cell = this.fieldCell(field, owner.$index);
      if (position === path.length - 1) return cell;
      const code = read(cell);
      if (code === 0 || field.spec.kind !== "ref") return null;
      owner = field.struct.schema.struct(field.spec.to).view(code - 1);
    }
    return null;
  }

  heldCell(thread: number): number {
    return this.#held + thread;
  }

  slots(struct: StructInfo): number {
    return this.pools.slots[struct.number] as number;
  }
}

/** A cell that can refer to an object: as a pointer (`member` -1; the code is slot + 1) or as the membership bit of slot `member`. */
export interface Pointer {
  readonly cell: number;
  readonly member: number;
}

/** Values a cell may have: the rules have a branch for each of them. */
const LARGEST_CELL = 65_536;

function checkedSize(field: FieldInfo, size: number): number {
  if (!Number.isInteger(size) || size < 1) {
    throw new ModelError(`${field.struct.name}.${field.name} has ${size} possible values`, "Declare bounds that are whole numbers.");
  }
  if (size <= LARGEST_CELL) return size;
  throw new ModelError(
    `${field.struct.name}.${field.name} has ${size} possible values, more than ${LARGEST_CELL}`,
    "Bound it: a model checker visits every value. A few values usually show every bug.",
  );
}

function sizeOf(field: FieldInfo, slotsOf: (struct: string) => number, threads: number): number {
  const { spec } = field;
  switch (spec.kind) {
    case "flag":
    case "set":
      return 2;
    case "counter":
    case "refcount":
      return spec.max + 1;
    case "enumeration":
      return spec.values.length;
    case "ref":
      return slotsOf(spec.to) + 1;
    case "list":
      return slotsOf(spec.of) + 1;
    case "mutex":
      return threads + 1;
  }
}
