/** `iommu-mc states`: why a suite has so many. */
import { readFileSync } from "node:fs";
import { type JsonStates, jsonStates, statesText } from "../report/cardinality-text.js";
import { progressText } from "../report/progress.js";
import { cardinalityOfSuite } from "../session/cardinality-suite.js";
import type { ExitCode } from "../session/run-suite.js";
import { overSuites } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
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

function earlierRun(path: string): JsonStates {
  requireFile(path, "Give the path of what `iommu-mc states --json` printed before.");
  let document: Partial<JsonStates>;
  try {
    document = JSON.parse(readFileSync(path, "utf8")) as Partial<JsonStates>;
  } catch (error) {
    throw new UsageError(`${path} is no JSON: ${(error as Error).message}`, "Give what `iommu-mc states --json` printed before.");
  }
  if (document.command === "states" && document.dimensions) return document as JsonStates;
  throw new UsageError(
    `${path} is not of \`iommu-mc states --json\`, or nothing was counted in it`,
    "Make it with `iommu-mc states SUITE --json`.",
  );
}
