/**
 * What the calls of drivers' operations that a block is in the midst of touch, and where they have their pointers from: an argument, a
 * field of what an argument leads to, or neither. Of an object there may be several ways; each of them is kept, since which of two equal
 * pointers was used cannot be seen.
 */
import type { OperationCall } from "../lang/operations.js";
import { type FieldInfo, StructView } from "../lang/schema.js";
import type { MissedOperation } from "./block.js";
import { type Control, referencesFrom } from "./control.js";

/**
 * Where a way begins: at the argument of that position, at an object that the call has allocated, or at an object of which the block
 * does not show how the call came to it: it held the pointer when the block began, or needs none.
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
  /** Whether it was begun in the block. */
  readonly isBegun: boolean;
  /** How many calls of procedures are around it. */
  readonly depth: number;
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

  /** `underWay`: by depth, the operations among the calls that the thread is in the midst of. */
  constructor(control: Control, underWay: readonly (OperationCall | null)[]) {
    for (const [depth, call] of underWay.entries()) {
      if (call === null) continue;
      const { known } = this.#push({ isBegun: false, depth, call, caller: "", kinds: [] });
      for (const view of referencesFrom(control, depth)) addWay(known, view, view, "");
    }
  }

  begin(call: OperationCall, depth: number, caller: string, kinds: readonly ArgumentKind[]): void {
    const { known } = this.#push({ isBegun: true, depth, call, caller, kinds });
    for (const [position, argument] of call.arguments.slice(0, call.taken).entries()) {
      const views = Array.isArray(argument) ? argument : [argument];
      for (const view of views) if (view instanceof StructView) addWay(known, view, position, "");
    }
  }

  end(): void {
    const conduct = this.#stack.pop();
    if (conduct) conduct.isOpen = false;
  }

  touch(deed: Deed, view: StructView, field: FieldInfo | null): void {
    if (field?.isGhost) return;
    for (const { touches, known } of this.#stack) touches.push({ deed, view, field, ways: new Map(waysTo(known, view)) });
  }

  /** A field of `view` was read, and points to `target`. */
  follow(view: StructView, field: FieldInfo, target: StructView): void {
    if (field.isGhost) return;
    for (const { known } of this.#stack) {
      for (const [root, way] of [...waysTo(known, view)]) addWay(known, target, root, joined(way, field.name));
    }
  }

  allocated(view: StructView): void {
    for (const { known } of this.#stack) known.set(view, new Map([["new", ""]]));
  }

  #push(begun: Pick<Conduct, "isBegun" | "depth" | "call" | "caller" | "kinds">): OpenConduct {
    const conduct: OpenConduct = { ...begun, touches: [], known: new Map(), isOpen: true };
    this.conducts.push(conduct);
    this.#stack.push(conduct);
    return conduct;
  }
}

/** To what nothing has led, the way begins there. */
function waysTo(known: ReadonlyMap<StructView, Ways>, view: StructView): Ways {
  return known.get(view) ?? new Map([[view, ""]]);
}

/** One way after the other. */
export function joined(way: string, next: string): string {
  return way === "" || next === "" ? way + next : `${way}->${next}`;
}

/** Adds a way to the object. */
export function addWay(known: Map<StructView, Map<Root, string>>, view: StructView, root: Root, way: string): boolean {
  let ways = known.get(view);
  if (ways === undefined) {
    ways = new Map();
    known.set(view, ways);
  }
  return keepShorter(ways, root, way);
}

/** Adds a way, unless one from the same root is known that is no longer; tells whether that was news. */
export function keepShorter(ways: Map<Root, string>, root: Root, way: string): boolean {
  const before = ways.get(root);
  if (before !== undefined && lengthOf(before) <= lengthOf(way)) return false;
  ways.set(root, way);
  return true;
}

function lengthOf(way: string): number {
  return way === "" ? 0 : way.split("->").length;
}
