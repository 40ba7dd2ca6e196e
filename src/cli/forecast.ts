/** `iommu-mc forecast`: what a run would be like, before it is begun. */
import { forecastText, jsonForecasts } from "../report/forecast-text.js";
import { progressText } from "../report/progress.js";
import { worst } from "../report/verdict.js";
import { forecastOfSuite } from "../session/forecast-suite.js";
import type { ExitCode } from "../session/run-suite.js";
import { overSuites } from "./drive.js";
import { headerOf, jsonText } from "./header.js";
import { limitsOf, type SelectionOptions, type VariantOptions, variantOf } from "./options.js";
import { chosenSuites } from "./select.js";
import { lookOfStdout, print, tellErrors } from "./terminal.js";

export interface ForecastCommandOptions extends VariantOptions, SelectionOptions {
  readonly sample: number;
  readonly seed: number;
  readonly timeout?: number;
  readonly memory?: number;
  readonly json?: boolean;
}

/** `what` is a design's name, or the path of a file of suites. Exit code 3 if a sample was stopped. */
export async function forecastCommand(what: string | undefined, options: ForecastCommandOptions): Promise<ExitCode> {
  const variant = variantOf(options);
  const { session, suites } = chosenSuites(what, options, variant);
  const { sample, seed } = options;
  const how = { sample, seed, limits: limitsOf(options) };
  const results = await overSuites(session, suites, (suite) => forecastOfSuite(session, suite, variant, how), progressText);
  const exitCode = worst(
    results.map((result): ExitCode => {
      if (result.kind === "error") return 2;
      return result.kind === "run" && result.run.expected !== null ? 0 : 3;
    }),
  );
  process.exitCode = exitCode;
  tellErrors(results);
  await print(
    options.json ? jsonText(jsonForecasts(headerOf("forecast"), results, seed, exitCode)) : forecastText(results, lookOfStdout()),
  );
  return exitCode;
}
