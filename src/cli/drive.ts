/** Runs suites one after the other so that Ctrl-C is heard and progress is seen. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import { progressText } from "../report/progress.js";
import type { SuiteResult } from "../report/verdict.js";
import type { Session } from "../session/open.js";
import { type RunSuiteOptions, runSuite, type SuiteRun } from "../session/run-suite.js";
import { StatusLine } from "./terminal.js";

/** Exit code of a program ended by Ctrl-C, as shells report it. */
const ENDED_BY_INTERRUPT = 130;

/** Work on a suite that tells how far it has come, and may be told to end. */
export type Working<Progress, Run> = Generator<Progress, Run, "interrupt" | undefined>;

/** How somebody takes part in work on suites. */
export interface Attending<Run> {
  /** Ends the work like an interrupt. */
  readonly signal?: AbortSignal;
  /** Gets each result as soon as it is there. */
  readonly onResult?: (result: SuiteResult<Run>) => Promise<void>;
}

/** The results, in the order of the suites. After an interrupt the current run ends with what is known, and no other begins. */
export function runSuites(
  session: Session,
  suites: readonly Suite[],
  options: RunSuiteOptions,
  attending: Attending<SuiteRun> = {},
): Promise<SuiteResult[]> {
  return overSuites(session, suites, (suite) => runSuite(session, suite, options), progressText, attending);
}

/** The same for any work. `textOf` makes the line that shows how far it has come. */
export async function overSuites<Progress, Run>(
  session: Session,
  suites: readonly Suite[],
  begin: (suite: Suite) => Working<Progress, Run>,
  textOf: (suite: string, position: string, progress: Progress, width: number) => string,
  { signal, onResult }: Attending<Run> = {},
): Promise<SuiteResult<Run>[]> {
  const status = new StatusLine();
  let interrupted = false;
  const hasToEnd = () => interrupted || signal?.aborted === true;
  const onInterrupt = () => {
    if (interrupted) {
      status.clear();
      process.exit(ENDED_BY_INTERRUPT);
    }
    interrupted = true;
  };
  process.on("SIGINT", onInterrupt);
  try {
    const results: SuiteResult<Run>[] = [];
    for (const [number, suite] of suites.entries()) {
      const position = `${number + 1}/${suites.length}`;
      if (hasToEnd()) results.push({ kind: "not-run", suite });
      else {
        status.show(`${position} ${suite.name}`);
        const show = (progress: Progress) => status.show(textOf(suite.name, position, progress, status.width));
        const result = await workThrough(session, suite, begin, show, hasToEnd);
        status.clear();
        await onResult?.(result);
        results.push(result);
      }
    }
    return results;
  } finally {
    status.clear();
    process.off("SIGINT", onInterrupt);
  }
}

async function workThrough<Progress, Run>(
  session: Session,
  suite: Suite,
  begin: (suite: Suite) => Working<Progress, Run>,
  show: (progress: Progress) => void,
  isInterrupted: () => boolean,
): Promise<SuiteResult<Run>> {
  try {
    const work = begin(suite);
    let step = work.next();
    while (!step.done) {
      show(step.value);
      // Signals are delivered between turns of the event loop only.
      await nextTurn();
      step = work.next(isInterrupted() ? "interrupt" : undefined);
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
