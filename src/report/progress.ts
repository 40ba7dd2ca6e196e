/** The line on a terminal that tells how far a run has come. */
import type { Progress } from "../explore/outcome.js";
import type { SimulationProgress } from "../explore/simulate.js";
import type { CertifyProgress } from "../session/certify.js";
import { duration, rounded } from "./wrap.js";

/** `3/11 ownership · 1.2 M states, 1.1 M transitions/s, frontier 80 k, depth 41, 210 MB, 4 s`, cut to the width: the name before the facts. */
export function progressText(suite: string, position: string, progress: Progress, width: number): string {
  const { states, transitions, frontier, depth, memoryBytes, seconds, tracing } = progress;
  const rate = rounded(transitions / Math.max(seconds, 1e-3));
  const facts =
    tracing === null
      ? `${rounded(states)} states, ${rate} transitions/s, frontier ${rounded(frontier)}, depth ${depth}`
      : `${rounded(states)} states, depth ${depth}, searching the trace of ${tracing}`;
  return fitted(`${position} ${suite}`, position.length, `${facts}, ${Math.round(memoryBytes / 1e6)} MB, ${duration(seconds)}`, width);
}

/** `1/1 ownership · 312 walks, 1.2 M steps, 300 k steps/s, 80 k states, 210 MB, 4 s`. */
export function simulationProgressText(suite: string, position: string, progress: SimulationProgress, width: number): string {
  const { walks, steps, states, memoryBytes, seconds, shrinking } = progress;
  const rate = rounded(steps / Math.max(seconds, 1e-3));
  const facts =
    shrinking === null
      ? `${rounded(walks)} walks, ${rounded(steps)} steps, ${rate} steps/s, ${rounded(states)} states`
      : `making the path to ${shrinking} smaller`;
  return fitted(`${position} ${suite}`, position.length, `${facts}, ${Math.round(memoryBytes / 1e6)} MB, ${duration(seconds)}`, width);
}

/** The same of an exploration, then `1/1 ownership · verifying: 12 k of 80 k states, 4 s, some 30 s left`. */
export function certifyProgressText(suite: string, position: string, progress: CertifyProgress, width: number): string {
  if (progress.doing === "exploring") return progressText(suite, position, progress.progress, width);
  const { doing, done, of, seconds } = progress;
  const left = `some ${duration((seconds / Math.max(done, 1)) * (of - done))} left`;
  return fitted(
    `${position} ${suite}`,
    position.length,
    `${doing}: ${rounded(done)} of ${rounded(of)} states, ${duration(seconds)}, ${left}`,
    width,
  );
}

function fitted(name: string, least: number, facts: string, width: number): string {
  const tail = ` · ${facts}`;
  // The last column stays free: some terminals begin a new line when it is written.
  const room = width - 1;
  return (name.slice(0, Math.max(least, room - tail.length)) + tail).slice(0, Math.max(0, room));
}
