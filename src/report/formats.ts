/** The forms in which the outcome of a `check` can be printed. Each is a function of the run and nothing else. */
import type { Limits } from "../explore/outcome.js";
import type { Abstraction } from "../lang/design.js";
import { githubReport } from "./github.js";
import { type JsonHeader, jsonCheck, jsonText } from "./json.js";
import { junitReport } from "./junit.js";
import { mailReport } from "./mail.js";
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
}

export const FORMATS = ["text", "json", "mail", "junit", "github"] as const;
export type Format = (typeof FORMATS)[number];

/** What `check` prints. */
export function report(format: Format, { header, results, abstractions, limits, options }: Reported): string {
  switch (format) {
    case "text":
      return reportText(results, abstractions, options);
    case "json":
      return jsonText(jsonCheck(header, results, abstractions, limits));
    case "mail":
      return mailReport(results, { ...options, version: header.version });
    case "junit":
      return junitReport(results, options.file);
    case "github":
      return githubReport(results, options.file);
  }
}
