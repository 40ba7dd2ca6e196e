/** What `audit ops --json` prints. */
import type { DriverRow, Needed, OperationRow } from "../audit/operations.js";
import type { ExitCode } from "../session/run-suite.js";
import { type JsonCheck, type JsonHeader, jsonWithoutRun } from "./json.js";
import type { OperationsOfDesign } from "./operations-text.js";
import { exitCodeOf, worst } from "./verdict.js";

export interface JsonOperations extends JsonHeader {
  readonly designs: readonly JsonOperationsOfDesign[];
  readonly exitCode: ExitCode;
}

export interface JsonOperationsOfDesign extends Pick<JsonCheck, "errors" | "notRun"> {
  readonly design: string;
  /** Suites whose scenarios were looked at, and those that a limit stopped. */
  readonly suites: readonly string[];
  readonly unfinished: readonly string[];
  readonly operations: readonly JsonOperation[];
  /** Drivers to which no suite came; the operations leave them out. */
  readonly idle: readonly string[];
}

export interface JsonOperation extends Omit<OperationRow, "needs" | "drivers"> {
  readonly needs: Readonly<Record<string, Needed>>;
  readonly drivers: readonly (Omit<DriverRow, "needs"> & { readonly needs: Readonly<Record<string, Needed>> })[];
}

export function jsonOperations(header: JsonHeader, designs: readonly OperationsOfDesign[]): JsonOperations {
  return {
    ...header,
    designs: designs.map(({ design, rows, idle, results }) => {
      const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
      return {
        design,
        idle,
        suites: runs.map(({ suite }) => suite.name),
        unfinished: runs.filter(({ limit }) => limit !== null).map(({ suite }) => suite.name),
        operations: rows.map((row) => ({
          ...row,
          needs: Object.fromEntries(row.needs),
          drivers: row.drivers.map((driver) => ({ ...driver, needs: Object.fromEntries(driver.needs) })),
        })),
        ...jsonWithoutRun(results),
      };
    }),
    exitCode: worst(designs.flatMap(({ results }) => results.map(exitCodeOf))),
  };
}
