/** What `audit --json` prints. */
import type { AuditVerdict } from "../audit/audit.js";
import type { Distinction } from "../audit/inclusion.js";
import type { ExitCode } from "../session/run-suite.js";
import { formatPath } from "../trace/replay.js";
import type { AuditNames, AuditRun } from "./audit-text.js";
import { type JsonCheck, type JsonHeader, jsonWithoutRun } from "./json.js";
import { exitCodeOf, type SuiteResult, worst } from "./verdict.js";

export interface JsonAudit extends JsonHeader, Pick<JsonCheck, "errors" | "notRun"> {
  readonly a: string;
  readonly b: string;
  readonly scenarios: readonly JsonAudited[];
  readonly exitCode: ExitCode;
}

export interface JsonAudited {
  readonly suite: string;
  readonly verdict: AuditVerdict;
  readonly states: { readonly a: number; readonly b: number };
  readonly onlyA: JsonDistinction | null;
  readonly onlyB: JsonDistinction | null;
  readonly unfinished: string | null;
}

export interface JsonDistinction {
  /** The events; all but the last can be seen of the other design too. */
  readonly trace: readonly string[];
  /** Of the design that shows all of them, and of the other that shows all but the last. */
  readonly path: string;
  readonly otherPath: string;
  /** What the other design may show in place of the last. */
  readonly instead: readonly string[];
}

export function jsonAudit(header: JsonHeader, results: readonly SuiteResult<AuditRun>[], names: AuditNames): JsonAudit {
  const scenarios = results.flatMap((result): JsonAudited[] => {
    if (result.kind !== "run") return [];
    const { suite, verdict, states, onlyA, onlyB, unfinished } = result.run.audit;
    return [{ suite: suite.name, verdict, states, onlyA: jsonDistinction(onlyA), onlyB: jsonDistinction(onlyB), unfinished }];
  });
  return { ...header, ...names, scenarios, ...jsonWithoutRun(results), exitCode: worst(results.map(exitCodeOf)) };
}

export function jsonDistinction(distinction: Distinction | null): JsonDistinction | null {
  if (distinction === null) return null;
  const { trace, path, otherPath, instead } = distinction;
  return { trace, path: formatPath(path), otherPath: formatPath(otherPath), instead };
}
