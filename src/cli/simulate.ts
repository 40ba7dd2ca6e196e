/** `iommu-mc simulate`: random walks through suites too large to be explored. */
import { jsonSimulate } from "../report/json-simulate.js";
import { simulationProgressText } from "../report/progress.js";
import { simulationText } from "../report/simulation-text.js";
import { exitCodeOf, worst } from "../report/verdict.js";
import type { ExitCode } from "../session/run-suite.js";
import { simulateSuite } from "../session/simulate-suite.js";
import { overSuites } from "./drive.js";
import { headerOf, jsonText } from "./header.js";
import { limitsOf, type SelectionOptions, type VariantOptions, variantOf } from "./options.js";
import { chosenSuites } from "./select.js";
import { lookOfStdout, print, tellErrors } from "./terminal.js";

export interface SimulateCommandOptions extends VariantOptions, SelectionOptions {
  readonly seed: number;
  readonly walks: number;
  readonly maxSteps: number;
  readonly timeout?: number;
  readonly memory?: number;
  readonly json?: boolean;
}

/** `what` is a design's name, or the path of a file of suites. */
export async function simulateCommand(what: string | undefined, options: SimulateCommandOptions): Promise<ExitCode> {
  const variant = variantOf(options);
  const { session, file, suites } = chosenSuites(what, options, variant);
  const { seed, walks, maxSteps } = options;
  const how = { seed, walks, maxSteps, limits: limitsOf(options), variant };
  const results = await overSuites(session, suites, (suite) => simulateSuite(session, suite, how), simulationProgressText);
  const exitCode = worst(results.map(exitCodeOf));
  process.exitCode = exitCode;
  tellErrors(results);
  await print(
    options.json
      ? jsonText(jsonSimulate(headerOf("simulate"), results, session.abstractions))
      : simulationText(results, session.abstractions, { ...lookOfStdout(), seed, file }),
  );
  return exitCode;
}
