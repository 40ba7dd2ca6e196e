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

/** What was accessed, if the error is an access to a field of null: reading, assigning or destructuring it. */
export function nullAccess(error: unknown): string | null {
  if (!(error instanceof TypeError) || !/ of null|as it is null/.test(error.message)) return null;
  return /'([^']+)'/.exec(error.message)?.[1] ?? "";
}

/** The finding that a thrown error of model code is. Throws a ModelError for one that is not the design's. */
export function reportOf(error: unknown, locate: (error: Error) => Location | null): Report {
  if (error instanceof Fault) return error.report;
  if (error instanceof ModelError) throw error;
  if (!(error instanceof Error))
    throw new ModelError(`model code threw ${String(error)}`, "Model code does not throw; use WARN_ON or BUG_ON.");
  const location = locate(error);
  const field = nullAccess(error);
  if (field !== null) return { check: "null-deref", message: `NULL pointer dereference${field ? ` (reading ->${field})` : ""}`, location };
  if (error instanceof RangeError && /^\w+\.\w+ holds/.test(error.message))
    return { check: "model-fault", message: error.message, location };
  if (error instanceof TypeError && /not extensible|read only property/.test(error.message)) {
    throw new ModelError(
      "this changes an array that is saved as part of the control state, or a constant of the file",
      "Make a new one, `entries = [...entries, entry]`, or keep it in the state.",
      location ?? undefined,
    );
  }
  throw new ModelError(`model code failed: ${error.message}`, "Correct the model at this place.", location ?? undefined);
}
