/** Takes a sample of one suite's states, and tells what a run of it would be like. */
import { type Forecast, type ForecastOptions, forecast } from "../explore/forecast.js";
import type { Progress } from "../explore/outcome.js";
import type { Suite } from "../lang/suite.js";
import type { Machine, Variant } from "../step/machine.js";
import type { Session } from "./open.js";
import { checksOfSuite, machineOf, resolvedVariant } from "./run-suite.js";

export interface SuiteForecast extends Forecast {
  readonly suite: Suite;
  readonly variant: Variant;
  readonly machine: Machine;
}

/** Of a run to the end: no violation ends the sample. */
export function* forecastOfSuite(
  session: Session,
  suite: Suite,
  variant: Variant,
  options: Omit<ForecastOptions, "goOnAfter">,
): Generator<Progress, SuiteForecast, "interrupt" | undefined> {
  const machine = machineOf(session, suite, variant);
  const found = yield* forecast(machine, { ...options, goOnAfter: new Set(checksOfSuite(suite)) });
  return { ...found, suite, variant: resolvedVariant(suite, variant), machine };
}
