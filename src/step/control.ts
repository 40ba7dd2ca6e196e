/**
 * Control states. A thread's control state **L** is its stack of (site, live locals): plain data, so that it can
 * be stored, compared and printed, which a generator cannot. Each L keeps a witness: how a fresh generator gets there.
 */
import { ModelError } from "../lang/errors.js";
import type { Local, Site } from "../lang/runtime.js";
import { FieldHandle, type StructInfo, StructView } from "../lang/schema.js";

/** One active call: where it stands, with what locals. */
export interface Frame {
  readonly site: Site;
  readonly live: readonly Local[];
  /** The procedure called from the site, with its arguments, where a property watches its return. */
  readonly watched: { readonly procedure: string; readonly parameters: readonly Local[] } | null;
}

export type ControlKind =
  /** Has not begun. */
  | "start"
  /** At a plain `yield`. */
  | "yield"
  | "until"
  /** May rest here for ever. */
  | "idle"
  /** The same, until a condition holds. */
  | "idle-until"
  /** Waits for a mutex. */
  | "lock"
  /** Has just returned from a watched procedure. */
  | "return"
  | "finished";

/** How to get a fresh generator to a control state: the last block's inputs, after those of its predecessor. */
export interface Witness {
  readonly from: Control;
  /** Every value the block read, in order, and every choice it made. */
  readonly reads: readonly number[];
  readonly choices: readonly number[];
}

/** What identifies a control state before it is known to be new. */
export interface ControlDescription {
  readonly kind: ControlKind;
  readonly frames: readonly Frame[];
  /** For `lock`: the mutex waited for, and its cell; otherwise null and -1. */
  readonly mutex: FieldHandle | null;
  readonly mutexCell: number;
  /** For `return`: what returned, its arguments and its result. */
  readonly returned: { readonly procedure: string; readonly parameters: readonly Local[]; readonly result: Local } | null;
  /** Arguments of the thread's own procedure that are needed although no local holds them. */
  readonly root: readonly Local[];
  /** Mutexes that the thread's own procedure holds: what it calls may return with them held. */
  readonly heldByRoot: number;
}

export interface Control extends ControlDescription {
  readonly thread: number;
  /** Number in the thread's register, from 0 in the order of discovery; it orders nothing that is reported. */
  readonly number: number;
  readonly key: string;
  /** Objects that the locals refer to. */
  readonly references: readonly StructView[];
  /** Null for the start. */
  readonly witness: Witness | null;
  /** Another way to get here, for the check that both behave alike. */
  secondWitness: Witness | null;
}

/** The control states of one thread, each known by its key. */
export class ControlRegister {
  readonly controls: Control[] = [];
  readonly #byKey = new Map<string, Control>();

  /** `parameters` are those the thread starts with. */
  constructor(
    readonly thread: number,
    parameters: readonly Local[],
  ) {
    this.intern({ kind: "start", frames: [], mutex: null, mutexCell: -1, returned: null, root: parameters, heldByRoot: 0 }, null);
  }

  get start(): Control {
    return this.controls[0] as Control;
  }

  /** The control state of the description; `witness` is kept if it is new, or if it is the second way to it. */
  intern(description: ControlDescription, witness: Witness | null): Control {
    const key = keyOf(description);
    const known = this.#byKey.get(key);
    if (known) {
      if (known.secondWitness === null && witness !== null && known.witness !== null && !sameWitness(known.witness, witness)) {
        known.secondWitness = witness;
      }
      return known;
    }
    const { frames, returned, root } = description;
    const references = new Set<StructView>();
    collectReferences(root, references);
    for (const frame of frames) {
      collectReferences(frame.live, references);
      if (frame.watched) collectReferences(frame.watched.parameters, references);
    }
    if (description.mutex) collectReferences(description.mutex, references);
    if (returned) collectReferences([returned.parameters, returned.result], references);
    const control: Control = {
      ...description,
      thread: this.thread,
      number: this.controls.length,
      key,
      references: [...references],
      witness,
      secondWitness: null,
    };
    this.controls.push(control);
    this.#byKey.set(key, control);
    return control;
  }
}

/** Whether they are the same block with the same inputs. */
export function sameWitness(one: Witness, other: Witness): boolean {
  const equal = (left: readonly number[], right: readonly number[]) =>
    left.length === right.length && left.every((value, position) => value === right[position]);
  return one.from === other.from && equal(one.reads, other.reads) && equal(one.choices, other.choices);
}

/** Numbers of sites, for keys that are shorter than their places are. */
const siteNumbers = new WeakMap<Site, number>();
let sitesNumbered = 0;

function numberOf(site: Site): number {
  const known = siteNumbers.get(site);
  if (known !== undefined) return known;
  siteNumbers.set(site, sitesNumbered);
  return sitesNumbered++;
}

/** What tells control states of a thread apart. `placeOf` makes the name that a site is called by, `viewOf` what stands for an object. */
export function keyOf(
  { kind, frames, mutex, returned, root, heldByRoot }: ControlDescription,
  placeOf: (site: Site) => string | number = numberOf,
  viewOf: (view: StructView) => StructView = (view) => view,
): string {
  const localKey = (value: Local) => keyOfLocal(value, viewOf);
  const parts: string[] = [kind, root.map(localKey).join(), String(heldByRoot)];
  for (const { site, live, watched } of frames) {
    parts.push(`${placeOf(site)}(${live.map(localKey).join()})`);
    if (watched) parts.push(`${watched.procedure}(${watched.parameters.map(localKey).join()})`);
  }
  if (mutex) parts.push(localKey(mutex));
  if (returned) parts.push(`${returned.procedure}(${returned.parameters.map(localKey).join()})=${localKey(returned.result)}`);
  return parts.join(">");
}

function keyOfLocal(value: Local, viewOf: (view: StructView) => StructView): string {
  if (value instanceof StructView) return `&${value.$struct.number}:${viewOf(value).$index}`;
  if (value instanceof FieldHandle) return `${keyOfLocal(value.$view, viewOf)}.${value.$field.number}`;
  if (Array.isArray(value)) return `[${value.map((element) => keyOfLocal(element, viewOf)).join()}]`;
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function collectReferences(value: Local, into: Set<StructView>): void {
  if (value instanceof StructView) into.add(value);
  else if (value instanceof FieldHandle) into.add(value.$view);
  else if (Array.isArray(value)) for (const element of value) collectReferences(element, into);
}

/**
 * A copy of a local that shares nothing mutable with the original, as if it had been written out and read back.
 * Throws a located ModelError for a value that a control state cannot hold.
 */
export function copyLocal(value: Local, name: string, site: Site): Local {
  if (value === null || value === undefined || value instanceof StructView || value instanceof FieldHandle) return value;
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value === 0 ? 0 : value;
  if (Array.isArray(value)) return Object.freeze(value.map((element) => copyLocal(element, name, site)));
  throw new ModelError(
    `local "${name}" of ${site.procedure} holds ${describeUnstorable(value)} across a yield`,
    "Across a yield a local may hold a number, string, boolean, null, a pointer into the state, or an array of these; compute anything else after the yield.",
    site.location,
  );
}

/** Whether a control state can hold the value. */
export function isStorable(value: Local): boolean {
  if (Array.isArray(value)) return value.every(isStorable);
  if (typeof value === "object") return value === null || value instanceof StructView || value instanceof FieldHandle;
  return typeof value !== "function" && (typeof value !== "number" || Number.isFinite(value));
}

export function describeUnstorable(value: Local): string {
  return typeof value === "function"
    ? "a function"
    : typeof value === "number"
      ? String(value)
      : `an object (${describeObject(value as object)})`;
}

function describeObject(value: object): string {
  return value.constructor?.name ?? "no prototype";
}

/** Objects that the locals of the call at that depth, or of what it has called, refer to, with what it waits for. */
export function referencesFrom({ frames, references }: Control, depth: number): Set<StructView> {
  const ofCallers = new Set<StructView>();
  for (const { live } of frames.slice(0, depth + 1)) collectReferences(live, ofCallers);
  const own = new Set<StructView>();
  for (const { live } of frames.slice(depth + 1)) collectReferences(live, own);
  for (const view of references) if (!ofCallers.has(view)) own.add(view);
  return own;
}

/** Whether a struct's slot is referred to by the control state's locals. */
export function refersTo(control: Control, struct: StructInfo, slot: number): boolean {
  return control.references.some((view) => view.$struct === struct && view.$index === slot);
}
