/** What `audit ops` prints for people. */
import type { DriverRow, OperationRow } from "../audit/operations.js";
import type { Suite } from "../lang/suite.js";
import type { ExitCode } from "../session/run-suite.js";
import type { Look } from "./style.js";
import type { SuiteResult } from "./verdict.js";
import { counted, hanging, padEnd } from "./wrap.js";

/** A suite that was looked at, and the limit that stopped it, if one did. */
export interface OperationsRun {
  readonly suite: Suite;
  readonly limit: string | null;
  readonly exitCode: ExitCode;
}

/** The operations of one design, and what they were found out from. */
export interface OperationsOfDesign {
  readonly design: string;
  readonly rows: readonly OperationRow[];
  /** Drivers to which no suite came. */
  readonly idle: readonly string[];
  readonly results: readonly SuiteResult<OperationsRun>[];
}

/** One design in full, or what differs between two. */
export function operationsText(designs: readonly OperationsOfDesign[], look: Look): string {
  const [first, second] = designs as readonly [OperationsOfDesign, OperationsOfDesign?];
  const body = second === undefined ? first.rows.flatMap((row) => fullLines(row, look)) : differenceLines(first, second, look);
  return [...summaryTable(designs, look), ...body, "", ...designs.flatMap((design) => boundLines(design, look))]
    .map((line) => `${line.trimEnd()}\n`)
    .join("");
}

/** What an operation needs in a few words: `device, perhaps iommu_domain`. */
function needsText(row: OperationRow): string {
  if (row.callers.length === 0) return "never called";
  const named = [...row.needs].flatMap(([name, needed]) => (needed === "no" ? [] : [needed === "yes" ? name : `perhaps ${name}`]));
  return named.join(", ") || "none of its arguments";
}

function summaryTable(designs: readonly OperationsOfDesign[], { style, width }: Look): string[] {
  const operations = [...new Set(designs.flatMap(({ rows }) => rows.map(({ operation }) => operation)))];
  const nameWidth = Math.max("operation".length, ...operations.map((name) => name.length)) + 2;
  const column = Math.max(12, Math.floor((width - nameWidth) / designs.length));
  const cells = (name: string, values: readonly string[]) =>
    padEnd(name, nameWidth) + values.map((value) => padEnd(value, column)).join("");
  const heads = designs.length === 1 ? ["needs"] : designs.map(({ design }) => design);
  return [
    style.bold(cells("operation", heads)),
    ...operations.map((name) =>
      cells(
        name,
        designs.map(({ rows }) => {
          const row = rows.find(({ operation }) => operation === name);
          return row === undefined ? "not there" : needsText(row);
        }),
      ),
    ),
  ];
}

function fullLines(row: OperationRow, look: Look): string[] {
  const { style, width } = look;
  const parameters = row.parameters.map((parameter) => parameter || "NULL").join(", ");
  const head = row.callers.length === 0 ? row.operation : `${row.operation}(${parameters})`;
  const fact = (name: string, values: readonly string[], between = ", ") =>
    values.length === 0 ? [] : hanging(`  ${padEnd(name, 12)}`, values.join(between), width);
  return [
    "",
    style.bold(`${head}: ${needsText(row)}`),
    ...fact("called by", row.callers),
    ...fact(
      "with",
      row.kinds.map(({ parameter, values }) => `${parameter}: ${values.join(", ")}`),
      "; ",
    ),
    ...row.drivers.filter(({ status }) => status === "called").flatMap((driver) => usesLines(driver, look)),
    ...fact(
      "not called",
      row.drivers.filter(({ status }) => status === "uncalled").map(({ driver }) => driver),
    ),
    ...absences(row).flatMap((line) => hanging(`  ${padEnd("NULL", 12)}`, line, width)),
  ];
}

function usesLines({ driver, uses }: DriverRow, { width }: Look): string[] {
  const froms = [...new Set(uses.map(({ from }) => from))];
  if (froms.length === 0) return [`  ${driver}`, "    nothing"];
  return [
    `  ${driver}`,
    ...froms.flatMap((from) =>
      hanging(
        `    ${from}: `,
        uses
          .filter((use) => use.from === from)
          .map(({ what }) => what)
          .join(", "),
        width,
      ),
    ),
  ];
}

/** The drivers that have no such operation, those together of which the same becomes. */
function absences({ drivers }: OperationRow): string[] {
  const absent = drivers.filter(({ status }) => status === "absent");
  const outcomes = [...new Set(absent.map(absenceText))];
  return outcomes.map((outcome) => {
    const names = absent.filter((driver) => absenceText(driver) === outcome).map(({ driver }) => driver);
    return `${names.join(", ")}: ${outcome}`;
  });
}

function absenceText({ askedBy, calledBy }: DriverRow): string {
  const facts = [
    ...(calledBy.length > 0 ? [`called by ${calledBy.join(", ")}: a call of NULL`] : []),
    ...(askedBy.length > 0 ? [`${askedBy.join(", ")} asked, and did without`] : []),
  ];
  return facts.join("; ") || "nobody asked";
}

/** By operation and driver, what only one of two designs does. */
function differenceLines(a: OperationsOfDesign, b: OperationsOfDesign, { style, width }: Look): string[] {
  const operations = [...new Set([...a.rows, ...b.rows].map(({ operation }) => operation))];
  const lines = operations.flatMap((operation) => {
    const [factsA, factsB] = [a, b].map(({ rows }) => factsOf(rows.find((row) => row.operation === operation))) as [string[], string[]];
    const linesOf = (design: string, facts: readonly string[]) => facts.flatMap((fact) => hanging(`  only ${design}: `, fact, width));
    const told = [
      ...linesOf(
        a.design,
        factsA.filter((fact) => !factsB.includes(fact)),
      ),
      ...linesOf(
        b.design,
        factsB.filter((fact) => !factsA.includes(fact)),
      ),
    ];
    return told.length === 0 ? [] : ["", style.bold(operation), ...told];
  });
  return lines.length === 0 ? ["", "Nothing else differs."] : lines;
}

/** Everything that is known of an operation, each a line of its own. */
function factsOf(row: OperationRow | undefined): string[] {
  if (row === undefined) return [];
  return [
    ...row.callers.map((caller) => `called by ${caller}`),
    ...row.kinds.flatMap(({ parameter, values }) => values.map((value) => `with ${parameter} ${value}`)),
    ...row.drivers.flatMap((driver) => {
      if (driver.status === "absent") return [`NULL in ${driver.driver}: ${absenceText(driver)}`];
      if (driver.status === "uncalled") return [`${driver.driver} not called`];
      return driver.uses.map(({ from, what }) => `${driver.driver} ${from}: ${what}`);
    }),
  ];
}

function boundLines({ design, results, idle }: OperationsOfDesign, { width }: Look): string[] {
  const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
  const stopped = runs.filter(({ limit }) => limit !== null);
  const broken = results.filter(({ kind }) => kind === "error");
  const left = results.length - runs.length - broken.length;
  const facts = [
    `${design}: ${counted(results.length, "scenario")}`,
    ...(stopped.length > 0 ? [`${counted(stopped.length, "scenario")} stopped by a limit: there may be more`] : []),
    ...(left > 0 ? [`${counted(left, "scenario")} not looked at`] : []),
    ...(broken.length > 0 ? [`${counted(broken.length, "scenario")} with a model at fault`] : []),
  ];
  return [
    ...hanging("", facts.join(" · "), width),
    ...(idle.length > 0 ? hanging("  left out, since no suite has them: ", idle.join(", "), width) : []),
  ];
}
