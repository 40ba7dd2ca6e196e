/** How a block can end before its next yield, and what an error thrown by model code means. */
import { type Location, ModelError } from "../lang/errors.js";
import type { MissedOperation, Report } from "./block.js";

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

/** What was called, if the error is a call of an operation that the driver does not have. */
function nullCall(error: unknown, missed: readonly MissedOperation[]): MissedOperation | null {
  if (!(error instanceof TypeError)) return null;
  const name = /(\w+) is not a function/.exec(error.message)?.[1];
  return missed.findLast(({ operation }) => operation === name) ?? null;
}

/**
 * The finding that a thrown error of model code is. Throws a ModelError for one that is not the design's. `missed` are the operations of
 * drivers that the block has looked for in vain.
 */
export function reportOf(error: unknown, locate: (error: Error) => Location | null, missed: readonly MissedOperation[] = []): Report {
  if (error instanceof Fault) return error.report;
  if (error instanceof ModelError) throw error;
  if (!(error instanceof Error))
    throw new ModelError(`model code threw ${String(error)}`, "Model code does not throw; use WARN_ON or BUG_ON.");
  const location = locate(error);
  const field = nullAccess(error);
  if (field !== null) return { check: "null-deref", message: `NULL pointer dereference${field ? ` (reading ->${field})` : ""}`, location };
  const missing = nullCall(error, missed);
  if (missing !== null) {
    return { check: "null-deref", message: `call of NULL (${missing.driver} has no ${missing.operation})`, location, missing };
  }
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
