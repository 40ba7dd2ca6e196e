/** What a run that forgets states may have missed. Nothing holds in it: it has not been seen to be violated. */
import type { Omission } from "../explore/outcome.js";
import type { SuiteRun } from "../session/run-suite.js";
import { counted, rounded } from "./wrap.js";

/** Whether states may have been omitted: then nothing holds, and no trace is known to be shortest. */
export function isLossy({ outcome: { omission } }: Pick<SuiteRun, "outcome">): boolean {
  return omission !== null && omission.mode !== "off";
}

/** What is known of the length of its traces. */
export function howLong(run: Pick<SuiteRun, "outcome">): string {
  return isLossy(run) ? "perhaps not shortest" : "shortest";
}

export function omissionText(omission: Omission): string {
  if (omission.mode === "off") return `not lossy: ${omission.because}`;
  const { mode, bitsPerState, tableBytes, states, expectedOmissions, probabilityOfAnyOmission, restarts } = omission;
  const kept =
    mode === "hash"
      ? `of each state ${bitsPerState} bits of its hash were kept`
      : `each state set ${bitsPerState} bits of ${rounded(tableBytes * 8)}`;
  const expected = `beside ${counted(states, "state")} that were found ${figure(expectedOmissions)} are expected to have been, and what only they lead to`;
  const again = restarts === 0 ? "" : `; begun anew ${counted(restarts, "time")}, to pack states otherwise`;
  return `lossy: ${kept}, and a state that was taken for another was omitted. The probability that any was is at most ${figure(probabilityOfAnyOmission)} (${expected})${again}`;
}

/** In two digits, `0.00031` or `1.2e-9`; what is all but 1 is 1. */
function figure(number: number): string {
  return String(Number(number.toPrecision(2)));
}
