/**
 * Tables of callbacks by which a core calls its drivers. A model says which function is which driver's implementation of
 * which operation; an audit then tells what each of them touches, and of what.
 */
import { contextInForce } from "./context.js";
import type { Schema } from "./schema.js";

/** One call of a driver's operation. */
export interface OperationCall {
  readonly driver: string;
  readonly operation: string;
  readonly arguments: readonly unknown[];
  /** How many of the arguments the implementation takes; of those behind them it knows nothing. */
  readonly taken: number;
}

/** Names of a driver's operations, and whether it has them. */
export type OperationTable = ReadonlyMap<string, boolean>;

const tablesBySchema = new WeakMap<Schema, Map<string, Map<string, boolean>>>();

/** Calls that have made a procedure, which does its work only when it is run. */
const procedures = new WeakMap<object, OperationCall>();

/**
 * Declares the tables of all drivers, by name: `operations(linux, { intel_iommu: { attach_dev }, … })`. What comes back is used like
 * what was given. An operation that another driver has, and this one has not, is undefined; to call it is a call of NULL.
 */
export function operations<const T extends Readonly<Record<string, object>>>(schema: Schema, tables: T): T {
  const names = new Set(Object.values(tables).flatMap((table) => functionsOf(table).map(([name]) => name)));
  const declared = Object.entries(tables).map(([driver, table]) => [driver, declare(schema, driver, table, names)]);
  return Object.fromEntries(declared) as T;
}

/** The tables that were declared of a schema, by driver. */
export function tablesOf(schema: Schema): ReadonlyMap<string, OperationTable> {
  return tablesBySchema.get(schema) ?? new Map();
}

/** The call that has made the procedure, if it is a driver's operation. */
export function callOf(procedure: object): OperationCall | null {
  return procedures.get(procedure) ?? null;
}

function declare(schema: Schema, driver: string, table: object, names: ReadonlySet<string>): object {
  const present = new Map(functionsOf(table));
  const known = tablesBySchema.get(schema) ?? new Map<string, Map<string, boolean>>();
  tablesBySchema.set(schema, known);
  const ofDriver = known.get(driver) ?? new Map<string, boolean>();
  known.set(driver, ofDriver);
  const declared: Record<string, unknown> = { ...table };
  for (const name of names) {
    const implementation = present.get(name);
    ofDriver.set(name, implementation !== undefined || ofDriver.get(name) === true);
    if (implementation !== undefined) declared[name] = calling(driver, name, implementation);
    else Object.defineProperty(declared, name, { get: () => void contextInForce()?.missing(driver, name), enumerable: false });
  }
  return declared;
}

type Implementation = (...args: unknown[]) => unknown;

function functionsOf(table: object): [string, Implementation][] {
  return Object.entries(table).filter((entry): entry is [string, Implementation] => typeof entry[1] === "function");
}

function calling(driver: string, operation: string, implementation: Implementation): Implementation {
  return (...args) => {
    const call = { driver, operation, arguments: args, taken: implementation.length };
    const act = () => implementation(...args);
    const context = contextInForce();
    const result = context === null ? act() : context.operate(call, act);
    if (Object.prototype.toString.call(result) === "[object Generator]") procedures.set(result as object, call);
    return result;
  };
}
