/** The forms in which the outcome of a `check` can be printed. Each is a function of the run and nothing else. */
import type { Limits } from "../explore/outcome.js";
import type { Abstraction } from "../lang/design.js";
import type { ExitCode } from "../session/run-suite.js";
import type { Against } from "./against.js";
import { againstLines } from "./against-text.js";
import type { Coverage } from "./coverage.js";
import { coverageLines } from "./coverage-text.js";
import { githubReport } from "./github.js";
import { itfReport } from "./itf.js";
import { type JsonHeader, jsonCheck, jsonText } from "./json.js";
import { junitReport } from "./junit.js";
import { mailReport } from "./mail.js";
import { markdownReport } from "./markdown.js";
import { sarifReport } from "./sarif.js";
import { reportText, type TextOptions } from "./text.js";
import type { SuiteResult } from "./verdict.js";

/** All that a reporter may go by. */
export interface Reported {
  readonly header: JsonHeader;
  readonly results: readonly SuiteResult[];
  /** Simplifications that the loaded models state. */
  readonly abstractions: readonly Abstraction[];
  readonly limits: Limits;
  readonly options: TextOptions;
  /** The comparison with an earlier run, if one was asked for. */
  readonly against: Against | null;
  /** What the runs exercised of the model; null if it was not asked for. */
  readonly coverage: Coverage | null;
  readonly exitCode: ExitCode;
}

export const FORMATS = ["text", "json", "markdown", "mail", "itf", "junit", "sarif", "github"] as const;
export type Format = (typeof FORMATS)[number];

/** What `check` prints. */
export function report(format: Format, reported: Reported): string {
  const { header, results, abstractions, options, against, coverage } = reported;
  switch (format) {
    case "text": {
      const compared = against === null ? "" : `\n${againstLines(against, options).join("\n")}\n`;
      const exercised = coverage === null ? "" : `\n${coverageLines(coverage, options).join("\n")}\n`;
      return reportText(results, abstractions, options) + compared + exercised;
    }
    case "json":
      return jsonText(jsonCheck(reported));
    case "markdown":
      return markdownReport(results, { abstractions, file: options.file });
    case "mail":
      return mailReport(results, { ...options, version: header.version });
    case "itf":
      return itfReport(results);
    case "junit":
      return junitReport(results, options.file);
    case "sarif":
      return sarifReport(results, options.file, header.version);
    case "github":
      return githubReport(results, options.file);
  }
}
