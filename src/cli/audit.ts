/** `iommu-mc audit`: what changes between two designs under the same scenarios. */
import { type Audit, audit } from "../audit/audit.js";
import type { Counts } from "../audit/observed-graph.js";
import type { Suite } from "../lang/suite.js";
import { type AuditRun, auditText } from "../report/audit-text.js";
import { jsonAudit } from "../report/json-audit.js";
import { exitCodeOf, worst } from "../report/verdict.js";
import { designsOf } from "../session/design-spec.js";
import type { ExitCode } from "../session/run-suite.js";
import { overSuites, type Working } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { type LimitOptions, limitsOf } from "./options.js";
import { matches, open, select, selectDesign } from "./select.js";
import { lookOfStdout, print, tellErrors } from "./terminal.js";

export interface AuditCommandOptions extends LimitOptions {
  readonly suite?: string;
  readonly faults?: number;
  readonly observe?: readonly string[];
  readonly file?: string;
  readonly json?: boolean;
}

/** Exit code 0 if they are equivalent in all scenarios, 1 if they differ in one. */
export async function auditCommand(a: string, b: string, options: AuditCommandOptions): Promise<ExitCode> {
  const { session } = open(options.file);
  const known = designsOf(session.suites);
  const { base, design } = selectDesign(a, known);
  const designs = { a: design, b: selectDesign(b, known).design };
  if (designs.a.schema !== designs.b.schema)
    throw new UsageError(`${a} and ${b} are models of different things`, "Only designs over one schema have scenarios in common.");
  const suites = scenariosOf(session.suites, base, options.suite);
  const how = {
    counts: countsOf(options.observe),
    limits: limitsOf(options),
    ...(options.faults === undefined ? {} : { faults: options.faults }),
  };
  const results = await overSuites(session, suites, function* (suite): Working<unknown, AuditRun> {
    const done = yield* audit(session.locate, suite, designs, how);
    return { audit: done, exitCode: exitCodeOfAudit(done) };
  });
  const exitCode = worst(results.map(exitCodeOf));
  process.exitCode = exitCode;
  tellErrors(results);
  const names = { a, b };
  await print(options.json ? jsonText(jsonAudit(headerOf("audit"), results, names)) : auditText(results, names, lookOfStdout()));
  return exitCode;
}

/** Which events count: those that match one of the patterns, or all of them. */
export function countsOf(patterns: readonly string[] = ["*"]): Counts {
  return (event) => patterns.some((pattern) => matches(event, pattern));
}

/** A suite for each scenario in which the design is checked. */
export function scenariosOf(suites: readonly Suite[], design: string, pattern?: string): Suite[] {
  const chosen = select(suites, { design, ...(pattern === undefined ? {} : { suite: pattern }) });
  return chosen.filter(({ scenario }, position) => chosen.findIndex((other) => other.scenario === scenario) === position);
}

function exitCodeOfAudit({ verdict }: Audit): 0 | 1 | 3 {
  if (verdict === "equivalent") return 0;
  return verdict === "unfinished" ? 3 : 1;
}
