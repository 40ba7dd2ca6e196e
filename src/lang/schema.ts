/**
 * The declaration of a model's state. Everything else about the state (types, bytes, views, printing, ranges)
 * is derived from it. A schema is a record of structs; a struct is a record of fields; a field is made by one
 * of the functions below. Names of structs and fields are the kernel's where the thing is the kernel's.
 */
import { context } from "./context.js";

/** What a field can hold, as plain data. */
export type FieldSpec =
  | { readonly kind: "flag" }
  | { readonly kind: "counter"; readonly max: number }
  | { readonly kind: "enumeration"; readonly values: readonly string[] }
  | { readonly kind: "ref"; readonly to: string }
  | { readonly kind: "set"; readonly of: string }
  | { readonly kind: "list"; readonly of: string; readonly capacity: number }
  | { readonly kind: "mutex" }
  | { readonly kind: "refcount"; readonly max: number };

/** A field declaration. The type parameter carries the exact spec, from which the view's type is inferred. */
export class Field<out Spec extends FieldSpec = FieldSpec> {
  constructor(
    readonly spec: Spec,
    readonly guard: string | null = null,
    readonly isGhost = false,
  ) {}

  /**
   * Declares which mutex must be held to touch the field: the name of a mutex of the same struct (`"mutex"`),
   * or a path through refs of the same struct (`"iommu_group.mutex"`). Touching it without that mutex is
   * reported by the `guarded-by` check; a deliberate lockless access is written `data_race(() => …)`.
   */
  guardedBy(lock: string): Field<Spec> {
    return new Field(this.spec, lock, this.isGhost);
  }

  /** Declares a field that does not exist in the C: bookkeeping for properties. It counts for no access check. */
  ghost(): Field<Spec> {
    return new Field(this.spec, this.guard, true);
  }
}

/** A boolean. Starts as false. */
export function flag(): Field<{ kind: "flag" }> {
  return new Field({ kind: "flag" });
}

/** A whole number from 0 to `max`, both included. Starts at 0. A value outside is a `model-fault`. */
export function counter<const M extends number>(max: M): Field<{ kind: "counter"; max: M }> {
  return new Field({ kind: "counter", max });
}

/** One of the given names. Starts as the first. */
export function enumeration<const V extends readonly string[]>(...values: V): Field<{ kind: "enumeration"; values: V }> {
  return new Field({ kind: "enumeration", values });
}

/** A pointer to an object of struct `to`, or `null`. Starts as `null`. */
export function ref<const T extends string>(to: T): Field<{ kind: "ref"; to: T }> {
  return new Field({ kind: "ref", to });
}

/** A set of objects of struct `of`. Starts empty. */
export function setOf<const T extends string>(of: T): Field<{ kind: "set"; of: T }> {
  return new Field({ kind: "set", of });
}

/** An ordered list of at most `capacity` different objects of struct `of`. Starts empty. */
export function list<const T extends string>(of: T, capacity: number): Field<{ kind: "list"; of: T; capacity: number }> {
  return new Field({ kind: "list", of, capacity });
}

/** A mutex: free, or held by a thread. */
export function mutex(): Field<{ kind: "mutex" }> {
  return new Field({ kind: "mutex" });
}

/** A reference count from 0 to `max`. Get on zero, put below zero and a get beyond `max` are reported by the `refcount` check. */
export function refcount(max: number): Field<{ kind: "refcount"; max: number }> {
  return new Field({ kind: "refcount", max });
}

export type Fields = Readonly<Record<string, Field>>;
export type Structs = Readonly<Record<string, Fields>>;

/** Every `ref`, `setOf` and `list` must name a struct of the schema; the offending field turns into an error type. */
type CheckedTargets<S> = {
  [K in keyof S]: {
    [F in keyof S[K]]: S[K][F] extends Field<infer Spec>
      ? Spec extends { kind: "ref"; to: infer T } | { kind: "set" | "list"; of: infer T }
        ? T extends keyof S
          ? S[K][F]
          : { "no such struct in this schema": T }
        : S[K][F]
      : never;
  };
};

/** A schema: the structs by name, and the views that stand for their objects. */
export class Schema<out S extends Structs = Structs> {
  readonly structs: readonly StructInfo[];
  readonly #byName: ReadonlyMap<string, StructInfo>;

  constructor(readonly declaration: S) {
    const names = Object.keys(declaration);
    this.structs = names.map((name, number) => new StructInfo(this as Schema, name, number, declaration[name] as Fields));
    this.#byName = new Map(this.structs.map((struct) => [struct.name, struct]));
  }

  /** The struct called `name`. Throws if the schema has none. */
  struct(name: string): StructInfo {
    const struct = this.#byName.get(name);
    if (!struct) throw new Error(`the schema has no struct "${name}"; it has ${[...this.#byName.keys()].join(", ")}`);
    return struct;
  }
}

/** Declares a schema. A ref to a struct that is not declared does not compile. */
export function schema<const S extends Structs>(structs: S & CheckedTargets<S>): Schema<S> {
  return new Schema<S>(structs);
}

/** A field of a struct, with its place in the declaration. */
export interface FieldInfo {
  readonly struct: StructInfo;
  readonly name: string;
  /** Position among the struct's fields, from 0. */
  readonly number: number;
  readonly spec: FieldSpec;
  /** Names on the way from the object to the mutex that guards the field, or null. */
  readonly guard: readonly string[] | null;
  readonly isGhost: boolean;
}

/** A struct of a schema: its fields, and one view for each object (slot), made on demand and always the same one. */
export class StructInfo {
  readonly fields: readonly FieldInfo[];
  readonly #views: StructView[] = [];
  readonly #View: new (
    index: number,
  ) => StructView;

  constructor(
    readonly schema: Schema,
    readonly name: string,
    readonly number: number,
    declaration: Fields,
  ) {
    this.fields = Object.entries(declaration).map(([fieldName, field], position) => ({
      struct: this,
      name: fieldName,
      number: position,
      spec: field.spec,
      guard: field.guard === null ? null : field.guard.split("."),
      isGhost: field.isGhost,
    }));
    this.#View = viewClass(this);
  }

  field(name: string): FieldInfo {
    const field = this.fields.find((candidate) => candidate.name === name);
    if (!field) throw new Error(`struct ${this.name} has no field "${name}"`);
    return field;
  }

  /** The view of the object in slot `index`. */
  view(index: number): StructView {
    let view = this.#views[index];
    if (!view) {
      view = new this.#View(index);
      this.#views[index] = view;
    }
    return view;
  }
}

/**
 * A view: it stands for one object of the state and holds no data. Reading or writing a property reads or
 * writes the *current* state, so a view may be kept in a local across a yield.
 */
export abstract class StructView {
  readonly $handles: (FieldHandle | undefined)[] = [];

  constructor(
    readonly $struct: StructInfo,
    readonly $index: number,
  ) {}
}

/** A field that is a container or a lock reads as a handle: it too names a place and holds no data. */
export abstract class FieldHandle {
  constructor(
    readonly $view: StructView,
    readonly $field: FieldInfo,
  ) {}
}

/** A mutex of an object. Used with `mutex_lock`, `mutex_unlock`, `lockdep_assert_held`. */
export class Mutex extends FieldHandle {
  private declare readonly brand: "mutex";

  /** Whether nobody holds it. */
  get isFree(): boolean {
    return context().read(this.$view, this.$field, 0) === 0;
  }
}

/** A reference count of an object. Used with `kref_get`, `kref_put`, `refcount_read`. */
export class Refcount extends FieldHandle {
  private declare readonly brand: "refcount";
}

/** A set of objects. Iteration is by slot number. */
export class SetView<V extends object = StructView> extends FieldHandle {
  has(element: V): boolean {
    return context().read(this.$view, this.$field, slotOf(element)) === 1;
  }

  add(element: V): void {
    context().write(this.$view, this.$field, slotOf(element), 1);
  }

  delete(element: V): void {
    context().write(this.$view, this.$field, slotOf(element), 0);
  }

  /** Takes every element out. */
  clear(): void {
    const slots = context().slots(elementStruct(this.$field));
    for (let slot = 0; slot < slots; slot++) context().write(this.$view, this.$field, slot, 0);
  }

  *[Symbol.iterator](): Iterator<V> {
    const struct = elementStruct(this.$field);
    const slots = context().slots(struct);
    for (let slot = 0; slot < slots; slot++) {
      if (context().read(this.$view, this.$field, slot) === 1) yield struct.view(slot) as unknown as V;
    }
  }

  get size(): number {
    return [...this].length;
  }

  every(test: (element: V) => boolean): boolean {
    for (const element of this) if (!test(element)) return false;
    return true;
  }

  some(test: (element: V) => boolean): boolean {
    return !this.every((element) => !test(element));
  }
}

/** An ordered list of objects. Changed with `list_add`, `list_add_tail` and `list_del`. */
export class ListView<V extends object = StructView> extends FieldHandle {
  /** The element at `position`, or null where there is none: past the end, and before the start. */
  at(position: number): V | null {
    const { spec, struct } = this.$field;
    if (spec.kind !== "list" || !(position >= 0 && position < spec.capacity)) return null;
    const of = struct.schema.struct(spec.of);
    if (position >= context().slots(of)) return null;
    const code = context().read(this.$view, this.$field, position);
    return code === 0 ? null : (of.view(code - 1) as unknown as V);
  }

  *[Symbol.iterator](): Iterator<V> {
    for (let position = 0; ; position++) {
      const element = this.at(position);
      if (element === null) return;
      yield element;
    }
  }

  get length(): number {
    return [...this].length;
  }

  includes(element: V): boolean {
    return this.some((other) => other === element);
  }

  every(test: (element: V) => boolean): boolean {
    for (const element of this) if (!test(element)) return false;
    return true;
  }

  some(test: (element: V) => boolean): boolean {
    return !this.every((element) => !test(element));
  }
}

type Scalar = { kind: "flag" | "counter" | "enumeration" | "ref" };

type ScalarValue<S extends Structs, Spec> = Spec extends { kind: "flag" }
  ? boolean
  : Spec extends { kind: "counter" }
    ? number
    : Spec extends { kind: "enumeration"; values: readonly (infer V)[] }
      ? V
      : Spec extends { kind: "ref"; to: infer T extends keyof S }
        ? ViewOf<S, T> | null
        : never;

type ContainerValue<S extends Structs, Spec> = Spec extends { kind: "mutex" }
  ? Mutex
  : Spec extends { kind: "refcount" }
    ? Refcount
    : Spec extends { kind: "set"; of: infer T extends keyof S }
      ? SetView<ViewOf<S, T>>
      : Spec extends { kind: "list"; of: infer T extends keyof S }
        ? ListView<ViewOf<S, T>>
        : never;

type SpecOf<F> = F extends Field<infer Spec> ? Spec : never;

/** The fields one may assign to: flags, counters, enumerations, refs. */
export type ScalarsOf<S extends Structs, K extends keyof S> = {
  -readonly [F in keyof S[K] as SpecOf<S[K][F]> extends Scalar ? F : never]: ScalarValue<S, SpecOf<S[K][F]>>;
};

/** The view of struct `K`: its fields as properties, typed from the declaration. */
export type ViewOf<S extends Structs, K extends keyof S> = ScalarsOf<S, K> & {
  readonly [F in keyof S[K] as SpecOf<S[K][F]> extends Scalar ? never : F]: ContainerValue<S, SpecOf<S[K][F]>>;
} & { readonly $is: K };

/** `View<typeof linux, "iommu_group">`: the type of a pointer to an object of that struct. */
export type View<Sc extends Schema, K extends keyof Sc["declaration"]> = ViewOf<Sc["declaration"], K>;

/** Slot number of the object behind a view. */
export function slotOf(element: object): number {
  return (element as StructView).$index;
}

/** The struct whose objects a set or list field holds. */
export function elementStruct(field: FieldInfo): StructInfo {
  const { spec, struct } = field;
  if (spec.kind !== "set" && spec.kind !== "list") throw new Error(`${struct.name}.${field.name} holds no elements`);
  return struct.schema.struct(spec.of);
}

/** The small whole number that stands for a scalar value in the state. Throws with a reason if the value does not fit the field. */
export function encode(field: FieldInfo, value: unknown): number {
  const { spec } = field;
  const refuse = (wanted: string): never => {
    throw new RangeError(`${field.struct.name}.${field.name} holds ${wanted}, not ${describe(value)}`);
  };
  switch (spec.kind) {
    case "flag":
      return typeof value === "boolean" ? Number(value) : refuse("true or false");
    case "counter":
      return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= spec.max
        ? value
        : refuse(`a whole number from 0 to ${spec.max}`);
    case "enumeration": {
      const position = spec.values.indexOf(value as string);
      return position >= 0 ? position : refuse(`one of ${spec.values.join(", ")}`);
    }
    case "ref":
      if (value === null) return 0;
      return value instanceof StructView && value.$struct === field.struct.schema.struct(spec.to)
        ? value.$index + 1
        : refuse(`a pointer to ${spec.to} or null`);
    default:
      return refuse(`a ${spec.kind}, which is changed by its own functions and never assigned`);
  }
}

/** The value that a scalar field's number stands for. */
export function decode(field: FieldInfo, code: number): boolean | number | string | StructView | null {
  const { spec } = field;
  switch (spec.kind) {
    case "flag":
      return code === 1;
    case "enumeration":
      return spec.values[code] as string;
    case "ref":
      return code === 0 ? null : field.struct.schema.struct(spec.to).view(code - 1);
    default:
      return code;
  }
}

function describe(value: unknown): string {
  if (value instanceof StructView) return `a pointer to ${value.$struct.name}`;
  if (value instanceof FieldHandle) return `the ${value.$field.spec.kind} ${value.$field.struct.name}.${value.$field.name}`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

const handles = { mutex: Mutex, refcount: Refcount, set: SetView, list: ListView } as const;

/** What a field of an object that is a container, a lock or a count reads as: always the same one. */
export function handleOf(view: StructView, field: FieldInfo): FieldHandle {
  const known = view.$handles[field.number];
  if (known !== undefined) return known;
  const made = new handles[field.spec.kind as keyof typeof handles](view, field);
  view.$handles[field.number] = made;
  return made;
}

/** One class per struct, with an accessor per field, so that views are cheap and a misspelt field cannot be created. */
function viewClass(struct: StructInfo): new (index: number) => StructView {
  class ConcreteView extends StructView {
    constructor(index: number) {
      super(struct, index);
      Object.freeze(this);
    }
  }
  for (const field of struct.fields) {
    const { kind } = field.spec;
    if (kind === "mutex" || kind === "refcount" || kind === "set" || kind === "list") {
      Object.defineProperty(ConcreteView.prototype, field.name, {
        get(this: ConcreteView) {
          context().touch(this);
          return handleOf(this, field);
        },
      });
    } else {
      Object.defineProperty(ConcreteView.prototype, field.name, {
        get(this: ConcreteView) {
          return decode(field, context().read(this, field, 0));
        },
        set(this: ConcreteView, value: unknown) {
          context().write(this, field, 0, encode(field, value));
        },
      });
    }
  }
  return ConcreteView;
}
