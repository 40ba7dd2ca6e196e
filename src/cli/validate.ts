/** `iommu-mc validate`: whether the model of Linux explains what a real kernel did. */
import { existsSync } from "node:fs";
import { jsonValidation, validationText } from "../report/validation.js";
import type { ExitCode } from "../session/run-suite.js";
import { openValidation } from "../session/validate.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { lookOfStdout, print, StatusLine } from "./terminal.js";

export interface ValidateOptions {
  readonly design?: string;
  readonly topology?: string;
  readonly limit: number;
  readonly json?: boolean;
}

/** Exit code 1 if a record cannot be explained, 3 if too many states were possible at a time. */
export async function validate(path: string, options: ValidateOptions): Promise<ExitCode> {
  for (const file of [path, options.topology ?? path]) {
    if (!existsSync(file)) throw new UsageError(`there is no ${file}`, "Give a recorded trace, or the folder of a recording.");
  }
  const validation = await openValidation(path, options);
  const line = new StatusLine();
  let shown = Date.now();
  let step = validation.run.next();
  for (; !step.done; step = validation.run.next()) {
    if (Date.now() - shown < 100) continue;
    shown = Date.now();
    line.show(
      `${step.value.explained} of ${validation.scope.happenings.length} records explained, ${step.value.candidates} states possible`,
    );
    await new Promise((resolve) => setImmediate(resolve));
  }
  line.clear();
  const document = jsonValidation(headerOf("validate"), validation, step.value);
  process.exitCode = document.exitCode;
  await print(options.json ? jsonText(document) : validationText(document, lookOfStdout()));
  return document.exitCode;
}
