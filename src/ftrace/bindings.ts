/**
 * Which object of the model a pointer of the kernel stands for. Both sides are one to one for as long as the object is there: a
 * pointer that was freed may come again as another object.
 */
import type { StructView } from "../lang/schema.js";

/** A pointer, or the number of a group; `kind` keeps them apart. */
export type Kind = "group" | "group id" | "domain" | "table group" | "vfio iommu";

export class Bindings {
  private constructor(
    readonly objects: ReadonlyMap<string, StructView>,
    readonly names: ReadonlyMap<string, string>,
  ) {}

  static readonly none = new Bindings(new Map(), new Map());

  /** What the name stands for, if that is known. */
  get(kind: Kind, name: string | number): StructView | undefined {
    return this.objects.get(`${kind} ${name}`);
  }

  /** The kernel's name of an object. */
  nameOf(kind: Kind, view: StructView): string | undefined {
    return this.names.get(keyOf(kind, view));
  }

  /** With the name standing for the object; null if either stands for, or is called, something else. */
  unified(kind: Kind, name: string | number, view: StructView): Bindings | null {
    const known = this.get(kind, name);
    const called = this.nameOf(kind, view);
    if (known !== undefined || called !== undefined) return known === view && called === String(name) ? this : null;
    const objects = new Map(this.objects).set(`${kind} ${name}`, view);
    return new Bindings(objects, new Map(this.names).set(keyOf(kind, view), String(name)));
  }

  /** Without the object, which has been freed. */
  without(struct: string, slot: number): Bindings {
    const gone = (view: StructView) => view.$struct.name === struct && view.$index === slot;
    if (![...this.objects.values()].some(gone)) return this;
    const objects = new Map([...this.objects].filter(([, view]) => !gone(view)));
    const names = new Map([...objects].map(([key, view]) => split(key, view)));
    return new Bindings(objects, names);
  }
}

function keyOf(kind: Kind, { $struct, $index }: StructView): string {
  return `${kind} of ${$struct.name} ${$index}`;
}

function split(key: string, view: StructView): [string, string] {
  const position = key.lastIndexOf(" ");
  return [keyOf(key.slice(0, position) as Kind, view), key.slice(position + 1)];
}
