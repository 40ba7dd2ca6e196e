/**
 * A permutation of a machine's threads and of the objects of each struct, and what it makes of a state: what was said of one is said of
 * another. Cells go with their objects, and what is in them is mapped if it stands for an object or a thread.
 */
import type { Local } from "../lang/runtime.js";
import { FieldHandle, handleOf, type StructInfo, StructView } from "../lang/schema.js";
import type { Layout } from "./layout.js";

export class Permutation {
  /** Image of each cell. */
  readonly cells: readonly number[];
  /** By cell the image of each code that it can hold; null where that is the code itself. */
  readonly #codes: readonly (readonly number[] | null)[];

  /** `threads` has the image of each thread, `slots` by struct number that of each slot. */
  constructor(
    readonly layout: Layout,
    readonly threads: readonly number[],
    readonly slots: readonly (readonly number[])[],
  ) {
    const cells: number[] = [];
    const codes: (readonly number[] | null)[] = [];
    const ofPointers = slots.map((images) => mapped(images));
    const ofHolders = mapped(threads);
    for (const cell of layout.cells) {
      let code: readonly number[] | null = null;
      if (cell.kind === "faults") cells.push(layout.faultsCell);
      else if (cell.kind === "held") cells.push(layout.heldCell(threads[cell.thread] as number));
      else if (cell.kind === "liveness") cells.push(layout.livenessCell(cell.struct, this.slot(cell.struct, cell.slot)));
      else {
        const { spec, struct } = cell.field;
        const { schema } = struct;
        const offset = spec.kind === "set" ? this.slot(schema.struct(spec.of), cell.offset) : cell.offset;
        cells.push(layout.fieldCell(cell.field, this.slot(struct, cell.slot)) + offset);
        if (spec.kind === "mutex") code = ofHolders;
        else if (spec.kind === "ref") code = ofPointers[schema.struct(spec.to).number] as readonly number[] | null;
        else if (spec.kind === "list") code = ofPointers[schema.struct(spec.of).number] as readonly number[] | null;
      }
      codes.push(code);
    }
    this.cells = cells;
    this.#codes = codes;
  }

  /** What tells permutations apart. */
  get key(): string {
    return JSON.stringify([this.threads, this.slots]);
  }

  get isIdentity(): boolean {
    return [this.threads, ...this.slots].every((images) => images.every((image, number) => image === number));
  }

  slot(struct: StructInfo, slot: number): number {
    return (this.slots[struct.number] as readonly number[])[slot] as number;
  }

  /** Images of the codes that the cell can hold; null if each is its own. */
  codesOf(cell: number): readonly number[] | null {
    return this.#codes[cell] as readonly number[] | null;
  }

  /** What the image of the cell holds if the cell holds that. */
  code(cell: number, code: number): number {
    return this.codesOf(cell)?.[code] ?? code;
  }

  view(view: StructView): StructView {
    return view.$struct.view(this.slot(view.$struct, view.$index));
  }

  /** A value that model code holds. */
  local(value: Local): Local {
    if (value instanceof StructView) return this.view(value);
    if (value instanceof FieldHandle) return handleOf(this.view(value.$view), value.$field);
    return Array.isArray(value) ? Object.freeze(value.map((element) => this.local(element))) : value;
  }

  /** The permutation that does this one first, and then the other. */
  followedBy(other: Permutation): Permutation {
    return new Permutation(
      this.layout,
      this.threads.map((image) => other.threads[image] as number),
      this.slots.map((images, struct) => images.map((image) => other.slots[struct]?.[image] as number)),
    );
  }

  get inverse(): Permutation {
    return new Permutation(this.layout, inverted(this.threads), this.slots.map(inverted));
  }
}

/** All that can be made of some permutations by doing one after the other, without what changes nothing; null if there are more than so many. */
export function generatedBy(generators: readonly Permutation[], most: number): readonly Permutation[] | null {
  const known = new Map<string, Permutation>();
  const waiting = [...generators];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (next.isIdentity || known.has(next.key)) continue;
    if (known.size === most) return null;
    known.set(next.key, next);
    for (const generator of generators) waiting.push(next.followedBy(generator));
  }
  return [...known.values()];
}

/** Images of codes that are one more than what they stand for, 0 being nothing; null if each is its own. */
function mapped(images: readonly number[]): readonly number[] | null {
  return images.every((image, number) => image === number) ? null : [0, ...images.map((image) => image + 1)];
}

function inverted(images: readonly number[]): number[] {
  const inverse: number[] = [];
  for (const [number, image] of images.entries()) inverse[image] = number;
  return inverse;
}
