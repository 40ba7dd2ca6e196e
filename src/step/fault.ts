/** How a block can end before its next yield, and what an error thrown by model code means. */
import { type Location, ModelError } from "../lang/errors.js";
import type { Report } from "./block.js";

/** Ends a block in a finding. */
export class Fault extends Error {
  constructor(readonly report: Report) {
    super(report.message);
  }
}

/** Ends a block that is not possible in this state. */
export class Blocked extends Error {}

/** Ends the replay of a witness that does not fit. */
export class Diverged extends Error {}

/** The finding that a thrown error of model code is. Throws a ModelError for one that is not the design's. */
export function reportOf(error: unknown, locate: (error: Error) => Location | null): Report {
  if (error instanceof Fault) return error.report;
  if (error instanceof ModelError) throw error;
  if (!(error instanceof Error))
    throw new ModelError(`model code threw ${String(error)}`, "Model code does not throw; use WARN_ON or BUG_ON.");
  const location = locate(error);
  if (error instanceof TypeError && /of null/.test(error.message)) {
    const field = /'([^']+)'/.exec(error.message)?.[1];
    return { check: "null-deref", message: `NULL pointer dereference${field ? ` (reading ->${field})` : ""}`, location };
  }
  if (error instanceof RangeError && /^\w+\.\w+ holds/.test(error.message))
    return { check: "model-fault", message: error.message, location };
  throw new ModelError(`model code failed: ${error.message}`, "Correct the model at this place.", location ?? undefined);
}
