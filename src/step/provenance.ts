/**
 * What the calls of drivers' operations that a block is in the midst of touch, and where they have their pointers from: an argument, a
 * field of what an argument leads to, or neither. Of an object there may be several ways; each of them is kept, since which of two equal
 * pointers was used cannot be seen.
 */
import type { OperationCall } from "../lang/operations.js";
import { type FieldInfo, StructView } from "../lang/schema.js";
import type { MissedOperation } from "./block.js";
import type { Control } from "./control.js";

/**
 * Where a way begins: at the argument of that position, at an object that the call allocated, or at an object of which the block does
 * not show how the call came to it: it held the pointer when the block began, or needs none.
 */
export type Root = number | "new" | StructView;

/** The shortest way from each root: fields, with arrows between. */
export type Ways = ReadonlyMap<Root, string>;

/** `store`: a pointer to the object is put into the field. */
export type Deed = "read" | "write" | "lock" | "free" | "store";

export interface Touch {
  readonly deed: Deed;
  /** What is touched; for `store`, what is pointed to. */
  readonly view: StructView;
  /** Null for `free`. */
  readonly field: FieldInfo | null;
  /** The ways to the object that were known at that time. */
  readonly ways: Ways;
}

/** What a block did for one call of an operation. */
export interface Conduct {
  /** How often calls under way when the block began are below this one; -1 if it was begun in the block. */
  readonly position: number;
  readonly call: OperationCall;
  readonly touches: readonly Touch[];
  /** Ways to all objects known at the end. */
  readonly known: ReadonlyMap<StructView, Ways>;
  /** Whether it is under way when the block ends. */
  readonly isOpen: boolean;
  /** Of one begun in the block: who called it. */
  readonly caller: string;
  /** Of one begun in the block: what the arguments were. */
  readonly kinds: readonly ArgumentKind[];
}

/** An argument at the time of the call: an object, by struct and by its field `type` if it has one, NULL, or a value. */
export type ArgumentKind = { readonly struct: string; readonly type: string | null } | { readonly value: string };

/** An operation that was looked for in vain. */
export interface Missing extends MissedOperation {
  /** Whether it was called all the same. */
  readonly isCalled: boolean;
}

/** A block's part in the operations of drivers. */
export interface BlockConduct {
  readonly control: Control;
  /** Null for a fault. */
  readonly next: Control | null;
  readonly conducts: readonly Conduct[];
  readonly missing: readonly Missing[];
}

interface OpenConduct extends Conduct {
  readonly touches: Touch[];
  readonly known: Map<StructView, Map<Root, string>>;
  isOpen: boolean;
}

/** Follows the pointers of one block. */
export class Provenance {
  readonly conducts: OpenConduct[] = [];
  readonly #stack: OpenConduct[] = [];

  /** `underWay`: the calls that the thread is in the midst of, outermost first. */
  constructor(underWay: readonly OperationCall[]) {
    for (const [position, call] of underWay.entries()) this.#push({ position, call, caller: "", kinds: [] });
  }

  begin(call: OperationCall, caller: string, kinds: readonly ArgumentKind[]): void {
    const { known } = this.#push({ position: -1, call, caller, kinds });
    for (const [position, argument] of call.arguments.entries()) {
      const views = Array.isArray(argument) ? argument : [argument];
      for (const view of views) if (view instanceof StructView) addWay(known, view, position, "");
    }
  }

  end(): void {
    const conduct = this.#stack.pop();
    if (conduct) conduct.isOpen = false;
  }

  touch(deed: Exclude<Deed, "store">, view: StructView, field: FieldInfo | null): void {
    if (field?.isGhost) return;
    for (const conduct of this.#stack) conduct.touches.push({ deed, view, field, ways: waysTo(conduct, view) });
  }

  /** A pointer to `target` is stored in a field. */
  store(target: StructView, field: FieldInfo): void {
    if (field.isGhost) return;
    for (const conduct of this.#stack) conduct.touches.push({ deed: "store", view: target, field, ways: waysTo(conduct, target) });
  }

  /** A field of `view` was read, and points to `target`. */
  follow(view: StructView, field: FieldInfo, target: StructView): void {
    for (const conduct of this.#stack) {
      for (const [root, way] of waysTo(conduct, view)) addWay(conduct.known, target, root, joined(way, field.name));
    }
  }

  allocated(view: StructView): void {
    for (const { known } of this.#stack) known.set(view, new Map([["new", ""]]));
  }

  #push(begun: Pick<Conduct, "position" | "call" | "caller" | "kinds">): OpenConduct {
    const conduct: OpenConduct = { ...begun, touches: [], known: new Map(), isOpen: true };
    this.conducts.push(conduct);
    this.#stack.push(conduct);
    return conduct;
  }
}

/** Of a call that was begun before, the pointer may also be one that it has had since then. */
function waysTo({ position, known }: OpenConduct, view: StructView): Map<Root, string> {
  const ways = new Map(known.get(view));
  if (position >= 0 || ways.size === 0) ways.set(view, "");
  return ways;
}

/** One way after the other. */
export function joined(way: string, next: string): string {
  return way === "" || next === "" ? way + next : `${way}->${next}`;
}

/** Adds a way, unless a shorter one from the same root is known; tells whether that was news. */
export function addWay(known: Map<StructView, Map<Root, string>>, view: StructView, root: Root, way: string): boolean {
  let ways = known.get(view);
  if (ways === undefined) {
    ways = new Map();
    known.set(view, ways);
  }
  const before = ways.get(root);
  if (before !== undefined && lengthOf(before) <= lengthOf(way)) return false;
  ways.set(root, way);
  return true;
}

function lengthOf(way: string): number {
  return way === "" ? 0 : way.split("->").length;
}
