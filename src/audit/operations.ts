/** What drivers' operations need: the footprints of a design's operations, as a table. */

import type { End, Limits, Progress } from "../explore/outcome.js";
import type { Design } from "../lang/design.js";
import { type OperationTable, tablesOf } from "../lang/operations.js";
import type { Suite } from "../lang/suite.js";
import { Machine } from "../step/machine.js";
import { type BlockConduct, joined } from "../step/provenance.js";
import type { Argument, Footprint, Footprints, Lack, Source, Use } from "./footprint.js";
import { wholeRun } from "./whole-run.js";

/** `perhaps`: it used one of several equal pointers, and which one cannot be told. */
export type Needed = "yes" | "perhaps" | "no";

/** What is done, together: `iommu->priv->domain`, read and written. */
export interface Used {
  /** What it is reached from: an argument's struct, `anywhere`, or several with `or` between. */
  readonly from: string;
  readonly what: string;
}

export interface DriverRow {
  readonly driver: string;
  /** `uncalled`: it has the operation, and no suite comes to call it. `absent`: it has none. */
  readonly status: "called" | "uncalled" | "absent";
  /** By the argument's struct. */
  readonly needs: ReadonlyMap<string, Needed>;
  readonly uses: readonly Used[];
  /** Of one that is absent: who asks and goes on without it, and who calls NULL. */
  readonly askedBy: readonly string[];
  readonly calledBy: readonly string[];
}

export interface OperationRow {
  readonly operation: string;
  /** The structs, or the values, of each argument. */
  readonly parameters: readonly string[];
  /** By the argument's struct, over all drivers. */
  readonly needs: ReadonlyMap<string, Needed>;
  readonly callers: readonly string[];
  /** What the parameters that are pointers were: values of the object's field `type`, and NULL. */
  readonly kinds: readonly { readonly parameter: string; readonly values: readonly string[] }[];
  readonly drivers: readonly DriverRow[];
}

/** Explores the suite's scenario in the design, and adds what its operations touch. How that ended. */
export function* addFootprints(
  locate: Machine["locate"],
  suite: Suite,
  design: Design,
  limits: Limits,
  footprints: Footprints,
): Generator<Progress, End, "interrupt" | undefined> {
  const machine = new Machine(design, suite.scenario, suite.properties, {}, locate);
  const blocks: BlockConduct[] = [];
  machine.onConduct = (conduct) => blocks.push(conduct);
  const { end } = yield* wholeRun(machine, limits).explore();
  footprints.add(blocks);
  return end;
}

/** The drivers of the design's schema of which no operation was called, or looked for. */
export function idleDrivers({ schema }: Design, { footprints, lacks }: Footprints): string[] {
  const met = new Set([...footprints, ...lacks].map(({ driver }) => driver));
  return [...tablesOf(schema).keys()].filter((driver) => !met.has(driver));
}

/** The rows of all operations that the design's schema declares, in the order of their declaration; of drivers that somebody came to. */
export function operationRows(design: Design, found: Footprints): OperationRow[] {
  const { footprints, lacks } = found;
  const idle = idleDrivers(design, found);
  const tables = new Map([...tablesOf(design.schema)].filter(([driver]) => !idle.includes(driver)));
  const operations = new Set([...tablesOf(design.schema).values()].flatMap((table) => [...table.keys()]));
  return [...operations].map((operation) => {
    const called = footprints.filter((footprint) => footprint.operation === operation);
    const missed = lacks.filter((lack) => lack.operation === operation);
    const drivers = [...tables].flatMap(([driver, table]) =>
      table.has(operation) ? [driverRow(driver, operation, table, called, missed)] : [],
    );
    const described = mergedArguments(called);
    return {
      operation,
      parameters: described.map(({ structs, values }) => [...structs].sort().join(" or ") || [...values].sort().join(" or ")),
      needs: strongest(drivers.map(({ needs }) => needs)),
      callers: sorted(called.flatMap(({ callers }) => [...callers])),
      kinds: described.flatMap(({ structs, values }) =>
        structs.size > 0 && values.size > 0 ? [{ parameter: [...structs].sort().join(" or "), values: sorted([...values]) }] : [],
      ),
      drivers,
    };
  });
}

function driverRow(
  driver: string,
  operation: string,
  table: OperationTable,
  called: readonly Footprint[],
  missed: readonly Lack[],
): DriverRow {
  const footprint = called.find((each) => each.driver === driver);
  const lack = missed.find((each) => each.driver === driver);
  return {
    driver,
    status: footprint ? "called" : table.get(operation) ? "uncalled" : "absent",
    needs: footprint ? needsOf(footprint) : new Map(),
    uses: footprint ? usesOf(footprint) : [],
    askedBy: sorted([...(lack?.askedBy ?? [])]),
    calledBy: sorted([...(lack?.calledBy ?? [])]),
  };
}

/** Of each argument that is an object, whether anything is done to it or to what it leads to. */
function needsOf({ arguments: given, uses }: Footprint): Map<string, Needed> {
  const needs = new Map<string, Needed>();
  for (const name of given.flatMap((argument) => [...argument.structs])) needs.set(name, "no");
  for (const use of uses.values()) {
    const names = new Set(use.sources.map(({ argument }) => nameOf(given, argument)));
    for (const name of names) if (needs.get(name) !== "yes" && needs.has(name)) needs.set(name, names.size === 1 ? "yes" : "perhaps");
  }
  return needs;
}

const ANYWHERE = "anywhere";

/** An argument is called after its struct. */
function nameOf(given: readonly Argument[], argument: number): string {
  return argument < 0 ? ANYWHERE : [...(given[argument]?.structs ?? [])].sort().join(" or ");
}

/** The uses in words, each once. What is only read on the way to something else goes without saying. */
function usesOf({ arguments: given, uses }: Footprint): Used[] {
  const deeds = new Map<string, Done>();
  for (const use of telling([...uses.values()])) {
    const from = sorted(use.sources.map(({ argument }) => nameOf(given, argument))).join(" or ");
    const path = use.sources
      .map((source) => pathOf(use, source))
      .sort((one, other) => one.length - other.length || compare(one, other))[0] as string;
    const key = `${from} ${path}`;
    const known = deeds.get(key) ?? { from, path, deeds: new Set() };
    deeds.set(key, known);
    known.deeds.add(use.deed === "store" ? `kept in ${use.field}` : use.deed);
  }
  const all = [...deeds.values()];
  return all
    .filter((each) => !isOnTheWay(each, all))
    .map(({ from, path, deeds }) => ({ from, what: `${path === "" ? "itself" : path} (${sorted([...deeds]).join(", ")})` }))
    .sort((one, other) => compare(one.from, other.from) || compare(one.what, other.what));
}

interface Done {
  readonly from: string;
  readonly path: string;
  readonly deeds: Set<string>;
}

/** Without those that may have been done in any of several ways, where one of the ways is known to be taken. */
function telling(uses: readonly Use[]): Use[] {
  const key = (use: Use, source: Source) => `${use.deed} ${source.argument} ${pathOf(use, source)}`;
  const sure = new Set(uses.flatMap((use) => (use.sources.length === 1 ? [key(use, use.sources[0] as Source)] : [])));
  return uses.filter((use) => use.sources.length === 1 || !use.sources.some((source) => sure.has(key(use, source))));
}

function pathOf({ deed, field }: Use, { way }: Source): string {
  return deed === "store" ? way : joined(way, field);
}

function isOnTheWay(one: Done, all: readonly Done[]): boolean {
  const isOnlyRead = one.deeds.size === 1 && one.deeds.has("read");
  return isOnlyRead && all.some(({ from, path }) => from === one.from && path.startsWith(`${one.path}->`));
}

function mergedArguments(called: readonly Footprint[]): Argument[] {
  const count = Math.max(0, ...called.map((footprint) => footprint.arguments.length));
  return Array.from({ length: count }, (_, position) => ({
    structs: new Set(called.flatMap((footprint) => [...(footprint.arguments[position]?.structs ?? [])])),
    values: new Set(called.flatMap((footprint) => [...(footprint.arguments[position]?.values ?? [])])),
  }));
}

function strongest(all: readonly ReadonlyMap<string, Needed>[]): Map<string, Needed> {
  const merged = new Map<string, Needed>();
  const order: readonly Needed[] = ["no", "perhaps", "yes"];
  for (const [name, needed] of all.flatMap((needs) => [...needs])) {
    if (order.indexOf(needed) >= order.indexOf(merged.get(name) ?? "no")) merged.set(name, needed);
  }
  return merged;
}

function sorted(names: readonly string[]): string[] {
  return [...new Set(names)].sort(compare);
}

function compare(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0;
}
