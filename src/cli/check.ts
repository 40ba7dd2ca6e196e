/** `iommu-mc check`: runs suites and tells how they came out. */
import { type Format, report } from "../report/formats.js";
import type { TracesShown } from "../report/shown.js";
import { exitCodeOf, worst } from "../report/verdict.js";
import type { ExitCode } from "../session/run-suite.js";
import { appliedCommits } from "../step/machine.js";
import { runSuites } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf } from "./header.js";
import { type LimitOptions, limitsOf, type VariantOptions, variantOf } from "./options.js";
import { isPath, open, select } from "./select.js";
import { lookOfStdout, print } from "./terminal.js";

export interface CheckOptions extends VariantOptions, LimitOptions {
  readonly suite?: string;
  readonly scenario?: string;
  readonly property?: string;
  readonly engine?: "fast" | "reference";
  readonly file?: string;
  readonly traces?: TracesShown;
  readonly format?: Format;
  readonly json?: boolean;
}

/** `what` is a design's name, or the path of a file of suites. */
export async function check(what: string | undefined, options: CheckOptions): Promise<ExitCode> {
  const whatIsPath = what !== undefined && isPath(what);
  if (whatIsPath && options.file !== undefined) {
    throw new UsageError(`two files are named: ${what} and ${options.file}`, "Give one of them.");
  }
  const { session, file } = open(whatIsPath ? what : options.file);
  const { suite, scenario, property } = options;
  const suites = select(session.suites, {
    ...(what === undefined || whatIsPath ? {} : { design: what }),
    ...(suite === undefined ? {} : { suite }),
    ...(scenario === undefined ? {} : { scenario }),
    ...(property === undefined ? {} : { property }),
  });
  const limits = limitsOf(options);
  const variant = variantOf(options);
  // Said once for a design, and not again by each of its suites.
  for (const design of new Set(suites.map((each) => each.design))) appliedCommits(design, variant);
  const results = await runSuites(session, suites, { variant, limits, engine: options.engine ?? "fast" });
  const exitCode = worst(results.map(exitCodeOf));
  process.exitCode = exitCode;
  for (const result of results) {
    if (result.kind === "error") process.stderr.write(`iommu-mc: ${result.suite.name}: ${result.error.describe()}\n`);
  }
  const text = report(options.json ? "json" : (options.format ?? "text"), {
    header: headerOf("check"),
    results,
    abstractions: session.abstractions,
    limits,
    options: { ...lookOfStdout(), traces: options.traces ?? "shortest", file },
  });
  await print(text);
  return exitCode;
}
