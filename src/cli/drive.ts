/** Runs suites one after the other so that Ctrl-C is heard and progress is seen. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import { progressText } from "../report/progress.js";
import type { SuiteResult } from "../report/verdict.js";
import type { Session } from "../session/open.js";
import { type RunSuiteOptions, runSuite } from "../session/run-suite.js";
import { StatusLine } from "./terminal.js";

/** Exit code of a program ended by Ctrl-C, as shells report it. */
const ENDED_BY_INTERRUPT = 130;

/** The results, in the order of the suites. After an interrupt the current run ends with what is known, and no other begins. */
export async function runSuites(session: Session, suites: readonly Suite[], options: RunSuiteOptions): Promise<SuiteResult[]> {
  const status = new StatusLine();
  let interrupted = false;
  const onInterrupt = () => {
    if (interrupted) {
      status.clear();
      process.exit(ENDED_BY_INTERRUPT);
    }
    interrupted = true;
  };
  process.on("SIGINT", onInterrupt);
  try {
    const results: SuiteResult[] = [];
    for (const [number, suite] of suites.entries()) {
      if (interrupted) results.push({ kind: "not-run", suite });
      else results.push(await runOne(session, suite, options, `${number + 1}/${suites.length}`, status, () => interrupted));
    }
    return results;
  } finally {
    status.clear();
    process.off("SIGINT", onInterrupt);
  }
}

async function runOne(
  session: Session,
  suite: Suite,
  options: RunSuiteOptions,
  position: string,
  status: StatusLine,
  isInterrupted: () => boolean,
): Promise<SuiteResult> {
  try {
    const run = runSuite(session, suite, options);
    status.show(`${position} ${suite.name}`);
    let step = run.next();
    while (!step.done) {
      status.show(progressText(suite.name, position, step.value, status.width));
      // Signals are delivered between turns of the event loop only.
      await nextTurn();
      step = run.next(isInterrupted() ? "interrupt" : undefined);
    }
    // Also between short runs that never yield.
    await nextTurn();
    return { kind: "run", run: step.value };
  } catch (error) {
    return { kind: "error", suite, error: asModelError(error, session) };
  }
}

/** What model code threw is the model's fault, at the place it was thrown from; anything else is ours and goes on. */
export function asModelError(error: unknown, session: Session): ModelError {
  if (error instanceof ModelError) return error;
  const location = error instanceof Error ? session.locate(error) : null;
  if (location === null) throw error;
  return new ModelError((error as Error).message, "Thrown while model code ran; correct what it does at this place.", location);
}
