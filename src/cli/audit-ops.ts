/** `iommu-mc audit ops`: what drivers' operations touch, and of what. */
import { Footprints } from "../audit/footprint.js";
import { addFootprints, idleDrivers, operationRows } from "../audit/operations.js";
import { tablesOf } from "../lang/operations.js";
import { jsonOperations } from "../report/json-operations.js";
import { type OperationsOfDesign, type OperationsRun, operationsText } from "../report/operations-text.js";
import { exitCodeOf, worst } from "../report/verdict.js";
import { designsOf } from "../session/design-spec.js";
import type { Session } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { scenariosOf } from "./audit.js";
import { overSuites, type Working } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { type LimitOptions, limitsOf } from "./options.js";
import { open, selectDesign } from "./select.js";
import { lookOfStdout, print, tellErrors } from "./terminal.js";

export interface AuditOpsOptions extends LimitOptions {
  readonly suite?: string;
  readonly file?: string;
  readonly json?: boolean;
}

/** Exit code 0, or 3 if a limit left something out. */
export async function auditOps(a: string, b: string | undefined, options: AuditOpsOptions): Promise<ExitCode> {
  const { session } = open(options.file);
  const designs: OperationsOfDesign[] = [];
  for (const name of b === undefined ? [a] : [a, b]) designs.push(await operationsOf(session, name, options));
  const exitCode = worst(designs.flatMap(({ results }) => results.map(exitCodeOf)));
  process.exitCode = exitCode;
  for (const { results } of designs) tellErrors(results);
  await print(options.json ? jsonText(jsonOperations(headerOf("audit ops"), designs)) : operationsText(designs, lookOfStdout()));
  return exitCode;
}

async function operationsOf(session: Session, name: string, options: AuditOpsOptions): Promise<OperationsOfDesign> {
  const { base, design } = selectDesign(name, designsOf(session.suites));
  if (tablesOf(design.schema).size === 0) {
    throw new UsageError(
      `the model of ${name} declares no operations of drivers`,
      "A model declares them by operations(): see docs/language.md.",
    );
  }
  const footprints = new Footprints();
  const results = await overSuites(session, scenariosOf(session.suites, base, options.suite), function* (suite): Working<
    unknown,
    OperationsRun
  > {
    const end = yield* addFootprints(session.locate, suite, design, limitsOf(options), footprints);
    return { suite, limit: end.kind === "limit" ? end.what : null, exitCode: end.kind === "limit" ? 3 : 0 };
  });
  return { design: name, rows: operationRows(design, footprints), idle: idleDrivers(design, footprints), results };
}
