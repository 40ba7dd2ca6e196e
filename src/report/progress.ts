/** The line on a terminal that tells how far a run has come. */
import type { Progress } from "../explore/outcome.js";
import { duration, rounded } from "./wrap.js";

/** `3/11 ownership · 1.2 M states, 1.1 M transitions/s, frontier 80 k, depth 41, 210 MB, 4 s`, cut to the width: the name before the facts. */
export function progressText(suite: string, position: string, progress: Progress, width: number): string {
  const { states, transitions, frontier, depth, memoryBytes, seconds } = progress;
  const rate = rounded(transitions / Math.max(seconds, 1e-3));
  const facts = ` · ${rounded(states)} states, ${rate} transitions/s, frontier ${rounded(frontier)}, depth ${depth}, ${Math.round(memoryBytes / 1e6)} MB, ${duration(seconds)}`;
  // The last column stays free: some terminals begin a new line when it is written.
  const room = width - 1;
  const name = `${position} ${suite}`.slice(0, Math.max(position.length, room - facts.length));
  return (name + facts).slice(0, Math.max(0, room));
}
