/**
 * What the implementations of drivers' operations touch in a design, and of what: of an argument (or of what is reached from it by
 * following pointers) or of what everybody can reach. Collected from each path of each block that exploring a scenario learns.
 */
import type { OperationCall } from "../lang/operations.js";
import { StructView } from "../lang/schema.js";
import { type Control, referencesFrom } from "../step/control.js";
import {
  type ArgumentKind,
  addWay,
  type BlockConduct,
  type Conduct,
  type Deed,
  joined,
  keepShorter,
  type Root,
  type Touch,
  type Ways,
} from "../step/provenance.js";

/** Where a pointer comes from: an argument by position, or what needs none, by its name. */
export interface Source {
  /** -1 for what needs no argument. */
  readonly argument: number;
  /** Fields from there, with arrows between. */
  readonly way: string;
}

/** One thing that an implementation does. */
export interface Use {
  readonly deed: Deed;
  /** What it is done to: the field, or for `store` the field that the pointer is put into; empty for `free`. */
  readonly field: string;
  /** One, if it is sure; more, if it may have used any of several equal pointers. */
  readonly sources: readonly Source[];
}

/** What an argument has been, in all calls. */
export interface Argument {
  /** Structs of the objects. */
  readonly structs: Set<string>;
  /** Of objects the value of their field `type`; else what it was: NULL, a number, a name. */
  readonly values: Set<string>;
}

/** What is known of one driver's implementation of one operation. */
export interface Footprint {
  readonly driver: string;
  readonly operation: string;
  /** By position. */
  readonly arguments: Argument[];
  readonly callers: Set<string>;
  /** By text, so that each is there once. */
  readonly uses: Map<string, Use>;
}

/** Calls of an operation that a driver has not. */
export interface Lack {
  readonly driver: string;
  readonly operation: string;
  /** Who asks for it and goes on without it. */
  readonly askedBy: Set<string>;
  /** Who calls NULL. */
  readonly calledBy: Set<string>;
}

/** Everything that is known of a design's operations, over scenarios. */
export class Footprints {
  readonly #footprints = new Map<string, Footprint>();
  readonly #lacks = new Map<string, Lack>();

  get footprints(): readonly Footprint[] {
    return [...this.#footprints.values()];
  }

  get lacks(): readonly Lack[] {
    return [...this.#lacks.values()];
  }

  /** Adds what was collected while the machine was explored. */
  add(blocks: readonly BlockConduct[]): void {
    const held = new HeldPointers(blocks);
    for (const block of blocks) {
      for (const missing of block.missing) this.#addLack(missing);
      for (const conduct of block.conducts) {
        for (const { call, ways } of held.callsOf(block.control, conduct)) this.#addConduct(call, conduct, ways);
      }
    }
  }

  #addLack({ driver, operation, caller, isCalled }: BlockConduct["missing"][number]): void {
    const key = keyOf(driver, operation);
    const lack = this.#lacks.get(key) ?? { driver, operation, askedBy: new Set(), calledBy: new Set() };
    this.#lacks.set(key, lack);
    (isCalled ? lack.calledBy : lack.askedBy).add(caller);
  }

  #addConduct(call: OperationCall, conduct: Conduct, ways: Held): void {
    const { driver, operation } = call;
    const key = keyOf(driver, operation);
    const footprint = this.#footprints.get(key) ?? { driver, operation, arguments: [], callers: new Set(), uses: new Map() };
    this.#footprints.set(key, footprint);
    if (conduct.isBegun) {
      footprint.callers.add(conduct.caller);
      for (const [position, kind] of conduct.kinds.entries()) {
        footprint.arguments[position] ??= { structs: new Set(), values: new Set() };
        addKind(footprint.arguments[position], kind);
      }
    }
    for (const touch of conduct.touches) {
      const use = useOf(touch, ways);
      if (use !== null) footprint.uses.set(JSON.stringify(use), use);
    }
  }
}

export function keyOf(driver: string, operation: string): string {
  return `${driver} ${operation}`;
}

function addKind({ structs, values }: Argument, kind: ArgumentKind): void {
  if ("value" in kind) values.add(kind.value);
  else {
    structs.add(kind.struct);
    if (kind.type !== null) values.add(kind.type);
  }
}

/** Null for what says nothing of where it is done: to what the call itself has allocated. */
function useOf({ deed, field, ways }: Touch, held: Held): Use | null {
  const resolved = resolve(ways, held);
  if (resolved.has("new")) return null;
  const sources = [...resolved]
    .map(([root, way]): Source => {
      if (typeof root === "number") return { argument: root, way };
      return { argument: -1, way: joined((root as StructView).$struct.name, way) };
    })
    .sort((one, other) => one.argument - other.argument || (one.way < other.way ? -1 : 1));
  // That a pointer to what everybody can reach is stored says nothing of the arguments.
  if (deed === "store" && sources.every(({ argument }) => argument < 0)) return null;
  const name = field === null ? "" : deed === "store" ? `${field.struct.name}.${field.name}` : field.name;
  return { deed, field: name, sources };
}

/** Ways to the objects to which a call has pointers, from its arguments or from what it has allocated. */
type Held = ReadonlyMap<StructView, Ways>;

const NOTHING: Held = new Map();

/** The ways, those from pointers that the call held before the block being led on to where it had these from. */
function resolve(ways: Ways, held: Held): Ways {
  const found = new Map<Root, string>();
  for (const [root, way] of ways) {
    const before = root instanceof StructView ? held.get(root) : undefined;
    if (before === undefined) keepShorter(found, root, way);
    else for (const [from, start] of before) keepShorter(found, from, joined(start, way));
  }
  return found;
}

const NO_WAYS: Ways = new Map();

interface Under {
  readonly call: OperationCall;
  readonly ways: Map<StructView, Map<Root, string>>;
}

/**
 * What calls that are under way at a control state have pointers to: the least that is closed under the blocks that lead
 * there. Several ways to a control state count all, whichever of them a block was learned by.
 */
class HeldPointers {
  /** By control state and depth: by driver and operation. */
  readonly #under = new Map<Control, Map<number, Map<string, Under>>>();

  constructor(blocks: readonly BlockConduct[]) {
    let isNews = true;
    while (isNews) {
      isNews = false;
      for (const block of blocks) isNews = this.#carry(block) || isNews;
    }
  }

  /** The calls that the conduct may be part of, with the pointers that they held when the block began. */
  callsOf(control: Control, { isBegun, depth, call }: Conduct): readonly { readonly call: OperationCall; readonly ways: Held }[] {
    if (isBegun) return [{ call, ways: NOTHING }];
    return [...(this.#under.get(control)?.get(depth)?.values() ?? [])];
  }

  /** What the block hands on to the next control state; tells whether something of it was not known. */
  #carry({ control, next, conducts }: BlockConduct): boolean {
    if (next === null) return false;
    let isNews = false;
    for (const conduct of conducts.filter(({ isOpen }) => isOpen)) {
      const references = referencesFrom(next, conduct.depth);
      for (const { call, ways } of this.callsOf(control, conduct)) {
        const [under, isNew] = this.#underOf(next, conduct.depth, call);
        isNews ||= isNew;
        for (const view of references) {
          for (const [root, way] of resolve(conduct.known.get(view) ?? NO_WAYS, ways)) {
            isNews = addWay(under, view, root, way) || isNews;
          }
        }
      }
    }
    return isNews;
  }

  /** The pointers of a call that is under way there, and whether it was not known to be. */
  #underOf(control: Control, depth: number, call: OperationCall): readonly [Under["ways"], boolean] {
    const byDepth = this.#under.get(control) ?? new Map<number, Map<string, Under>>();
    this.#under.set(control, byDepth);
    const calls = byDepth.get(depth) ?? new Map<string, Under>();
    byDepth.set(depth, calls);
    const key = keyOf(call.driver, call.operation);
    const known = calls.get(key);
    const under = known ?? { call, ways: new Map() };
    calls.set(key, under);
    return [under.ways, known === undefined];
  }
}
