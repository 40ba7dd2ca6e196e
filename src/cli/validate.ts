/** `iommu-mc validate`: whether the model of Linux explains what a real kernel did. */
import { existsSync } from "node:fs";
import { type JsonValidation, jsonValidation, validationText } from "../report/validation.js";
import { explainingCommits } from "../session/explaining-commits.js";
import type { ExitCode } from "../session/run-suite.js";
import { openTrials, openValidation } from "../session/validate.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { lookOfStdout, print, StatusLine } from "./terminal.js";

export interface ValidateOptions {
  readonly design?: string;
  readonly topology?: string;
  readonly limit: number;
  readonly bisectCommits?: boolean;
  readonly json?: boolean;
}

/** Exit code 1 if a record cannot be explained, 3 if too many states were possible at a time. */
export async function validate(path: string, options: ValidateOptions): Promise<ExitCode> {
  for (const file of [path, options.topology ?? path]) {
    if (!existsSync(file)) throw new UsageError(`there is no ${file}`, "Give a recorded trace, or the folder of a recording.");
  }
  const document = options.bisectCommits ? await bisected(path, options) : await validated(path, options);
  process.exitCode = document.exitCode;
  await print(options.json ? jsonText(document) : validationText(document, lookOfStdout()));
  return document.exitCode;
}

async function validated(path: string, options: ValidateOptions): Promise<JsonValidation> {
  const validation = await openValidation(path, options);
  const { length } = validation.scope.happenings;
  const outcome = await shown(
    validation.run,
    ({ explained, candidates }) => `${explained} of ${length} records explained, ${candidates} states possible`,
  );
  return jsonValidation(headerOf("validate"), validation, outcome, null);
}

async function bisected(path: string, options: ValidateOptions): Promise<JsonValidation> {
  const search = explainingCommits(await openTrials(path, options));
  const found = await shown(search, ({ explained, tried }) => `${tried} sets of commits tried, ${explained} records explained`);
  return jsonValidation(headerOf("validate"), found.validation, found.outcome, found);
}

/** Does the work to its end, and shows now and then how far it has come. */
async function shown<Progress, Result>(work: Generator<Progress, Result, void>, textOf: (progress: Progress) => string): Promise<Result> {
  const line = new StatusLine();
  let last = Date.now();
  for (;;) {
    const { done, value } = work.next();
    if (done) {
      line.clear();
      return value;
    }
    if (Date.now() - last < 100) continue;
    last = Date.now();
    line.show(textOf(value));
    await new Promise((resolve) => setImmediate(resolve));
  }
}
