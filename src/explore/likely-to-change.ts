/** Which cells a run takes to change, before it has seen all that do. */
import type { Cell } from "../state/layout.js";
import type { Machine } from "../step/machine.js";

/**
 * The cells and those that are likely to be written too: what is written of one object is sooner or later written of another
 * of which anything is. Objects of which nothing is may be spare slots of a pool that is larger than it has to be.
 */
export function likelyToChange({ layout }: Machine, written: readonly number[]): ReadonlySet<number> {
  const fieldOf = (cell: Cell) => (cell.kind === "field" ? cell.field : cell.kind === "liveness" ? cell.struct : cell.kind);
  const objectOf = (cell: Cell) =>
    "slot" in cell ? `${(cell.kind === "field" ? cell.field.struct : cell.struct).name} ${cell.slot}` : cell.kind;
  const cells = written.map((number) => layout.cells[number] as Cell);
  const fields = new Set(cells.map(fieldOf));
  const objects = new Set(cells.map(objectOf));
  return new Set(
    [...layout.cells.entries()].flatMap(([number, cell]) => (fields.has(fieldOf(cell)) && objects.has(objectOf(cell)) ? [number] : [])),
  );
}
