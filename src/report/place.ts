/** Where in the model's source something is to be looked for. */
import type { Finding } from "../explore/outcome.js";
import type { Location } from "../lang/errors.js";
import type { Trace, TraceStep } from "../trace/replay.js";

/** Where the thread stood when the step began, or, at its start, where what it calls first is. Null if the step says neither. */
export function placeOfStep({ location, events }: Pick<TraceStep, "location" | "events">): Location | null {
  if (location !== null) return location;
  for (const event of events) {
    if (event.kind === "call") return event.location;
    if (event.kind === "report" && event.report.location !== null) return event.report.location;
  }
  return null;
}

/** Where the finding itself is, or the last step that has a place. */
export function placeOfFinding(finding: Pick<Finding, "location">, { steps }: Pick<Trace, "steps">): Location | null {
  if (finding.location !== null) return finding.location;
  for (let position = steps.length - 1; position >= 0; position--) {
    const place = placeOfStep(steps[position] as TraceStep);
    if (place !== null) return place;
  }
  return null;
}
