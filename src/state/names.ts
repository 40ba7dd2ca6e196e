/** How cells and values are called in traces, reports and messages. */
import { errnoName } from "../lang/errno.js";
import type { FieldInfo, StructInfo } from "../lang/schema.js";
import { FieldHandle, StructView } from "../lang/schema.js";
import type { Layout } from "./layout.js";

/** Names given in the scenario's setup, by struct number and slot; an unnamed slot is called after its struct. */
export type ObjectNames = readonly (readonly (string | undefined)[])[];

export class Names {
  constructor(
    readonly layout: Layout,
    readonly objects: ObjectNames,
    readonly threads: readonly string[],
  ) {}

  object(struct: StructInfo, slot: number): string {
    return this.objects[struct.number]?.[slot] ?? `${struct.name}${slot}`;
  }

  view(view: StructView): string {
    return this.object(view.$struct, view.$index);
  }

  /** A cell as one would write it in C: `group0.owner_cnt`, `group0.devices[1]`. */
  cell(number: number): string {
    const cell = this.layout.cells[number];
    switch (cell?.kind) {
      case "field": {
        const place = `${this.object(cell.field.struct, cell.slot)}.${cell.field.name}`;
        const { spec } = cell.field;
        if (spec.kind === "set") return `${place}{${this.object(cell.field.struct.schema.struct(spec.of), cell.offset)}}`;
        return spec.kind === "list" ? `${place}[${cell.offset}]` : place;
      }
      case "liveness":
        return this.object(cell.struct, cell.slot);
      case "faults":
        return "faults left";
      case "held":
        return `mutexes held by ${this.threads[cell.thread]}`;
      default:
        return `cell ${number}`;
    }
  }

  /** The value of a cell: `NULL`, `dom2`, `BLOCKED`, `true`, `held by qemu`. */
  code(number: number, code: number): string {
    const cell = this.layout.cells[number];
    if (cell?.kind === "liveness") return ["free", "allocated", "freed"][code] as string;
    return cell?.kind === "field" ? this.#fieldCode(cell.field, code) : String(code);
  }

  #fieldCode(field: FieldInfo, code: number): string {
    const { spec } = field;
    switch (spec.kind) {
      case "flag":
        return code === 1 ? "true" : "false";
      case "set":
        return code === 1 ? "in" : "out";
      case "enumeration":
        return spec.values[code] as string;
      case "ref":
        return code === 0 ? "NULL" : this.object(field.struct.schema.struct(spec.to), code - 1);
      case "list":
        return code === 0 ? "–" : this.object(field.struct.schema.struct(spec.of), code - 1);
      case "mutex":
        return code === 0 ? "free" : `held by ${this.threads[code - 1]}`;
      default:
        return String(code);
    }
  }

  /** A value of model code: an argument, a result, a local. Small negative numbers read as error numbers. */
  value(value: unknown): string {
    if (value instanceof StructView) return this.view(value);
    if (value instanceof FieldHandle) return `${this.view(value.$view)}.${value.$field.name}`;
    if (value === null) return "NULL";
    if (value === undefined) return "";
    if (typeof value === "number") return errnoName(value) ?? String(value);
    if (Array.isArray(value)) return `[${value.map((element) => this.value(element)).join(", ")}]`;
    return String(value);
  }
}
