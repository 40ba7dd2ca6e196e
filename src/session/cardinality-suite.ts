/** Explores one suite, and counts what its states differ in. */
import { type Cardinality, exploreCardinality } from "../explore/cardinality.js";
import type { Limits, Progress } from "../explore/outcome.js";
import type { Suite } from "../lang/suite.js";
import type { Machine, Variant } from "../step/machine.js";
import type { Session } from "./open.js";
import { checksOfSuite, machineOf, resolvedVariant } from "./run-suite.js";

export interface SuiteCardinality extends Cardinality {
  readonly suite: Suite;
  readonly variant: Variant;
  readonly machine: Machine;
}

/** No violation ends the run: it is about the states, not about what is wrong with them. */
export function* cardinalityOfSuite(
  session: Session,
  suite: Suite,
  variant: Variant,
  limits: Limits,
): Generator<Progress, SuiteCardinality, "interrupt" | undefined> {
  const machine = machineOf(session, suite, variant);
  const goOnAfter = new Set(checksOfSuite(suite));
  const found = yield* exploreCardinality(machine, { limits, goOnAfter });
  return { ...found, suite, variant: resolvedVariant(suite, variant), machine };
}
