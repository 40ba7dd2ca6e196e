/** `iommu-mc states`: why a suite has so many. */
import { ModelError } from "../lang/errors.js";
import { type JsonStates, jsonStates, statesText } from "../report/cardinality-text.js";
import { progressText } from "../report/progress.js";
import { cardinalityOfSuite } from "../session/cardinality-suite.js";
import type { ExitCode } from "../session/run-suite.js";
import { overSuites } from "./drive.js";
import { headerOf, jsonText } from "./header.js";
import { readJsonFile } from "./json-file.js";
import { type LimitOptions, limitsOf, type VariantOptions, variantOf } from "./options.js";
import { open, requireFile, selectOne } from "./select.js";
import { lookOfStdout, print, tellErrors } from "./terminal.js";

export interface StatesOptions extends VariantOptions, LimitOptions {
  readonly file?: string;
  readonly against?: string;
  readonly json?: boolean;
}

/** Exit code 3 if not all states were counted. */
export async function states(name: string, options: StatesOptions): Promise<ExitCode> {
  const before = options.against === undefined ? null : earlierRun(options.against);
  const { session } = open(options.file);
  const suite = selectOne(session.suites, name);
  const work = () => cardinalityOfSuite(session, suite, variantOf(options), limitsOf(options));
  const [result] = await overSuites(session, [suite], work, progressText);
  tellErrors(result === undefined ? [] : [result]);
  if (result?.kind !== "run") {
    process.exitCode = result?.kind === "error" ? 2 : 3;
    return process.exitCode as ExitCode;
  }
  const { outcome, dimensions } = result.run;
  const exitCode = outcome.end.kind === "limit" || dimensions === null ? 3 : 0;
  process.exitCode = exitCode;
  const now = jsonStates(headerOf("states"), result.run, exitCode);
  await print(options.json ? jsonText(now) : statesText(result.run, now, before, lookOfStdout()));
  return exitCode;
}

const AGAINST_HINT = "Give the path of what `iommu-mc states SUITE --json` printed before.";

function earlierRun(path: string): JsonStates {
  requireFile(path, AGAINST_HINT);
  const { value, locationOf } = readJsonFile(path, AGAINST_HINT);
  const document = value as Partial<JsonStates> | null;
  if (document?.command === "states" && document.dimensions) return document as JsonStates;
  throw new ModelError("this is not of `iommu-mc states --json`, or nothing was counted in it", AGAINST_HINT, locationOf(["dimensions"]));
}
