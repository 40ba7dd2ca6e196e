/** Runs suites, so that Ctrl-C is heard and progress is seen; beside the main thread on others, if there are any. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Progress } from "../explore/outcome.js";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import { progressText } from "../report/progress.js";
import type { SuiteResult } from "../report/verdict.js";
import { fingerprint, type Session } from "../session/open.js";
import { type RunSuiteOptions, runSuite, type SuiteRun, tellRun } from "../session/run-suite.js";
import type { EachRun } from "./suite-job.js";
import { SuiteWorkers } from "./suite-workers.js";
import { StatusLine } from "./terminal.js";

/** Exit code of a program ended by Ctrl-C, as shells report it. */
const ENDED_BY_INTERRUPT = 130;

/** Ctrl-C, and what asks a process to end. */
export const INTERRUPTS = ["SIGINT", "SIGTERM"] as const;

/** Milliseconds after which a run is worth another thread, which takes half a second to start. */
const SHORT_RUN = 1000;

/** Work on a suite that tells how far it has come, and may be told to end. */
export type Working<Progress, Run> = Generator<Progress, Run, "interrupt" | undefined>;

/** How somebody takes part in work on suites. */
export interface Attending<Run> {
  /** Ends the work like an interrupt. */
  readonly signal?: AbortSignal;
  /** Gets each result as soon as it is there. */
  readonly onResult?: (result: SuiteResult<Run>) => Promise<void>;
}

/** Runs the suites like `runSuites`, on as many threads as asked for, and writes the cache. A run that is over soon starts none. */
export async function runSuitesOnce(
  session: Session,
  suites: readonly Suite[],
  options: RunSuiteOptions,
  { jobs, ...narrowing }: Pick<Crew, "property" | "coverage" | "each"> & { readonly jobs?: number | undefined } = {},
): Promise<SuiteResult[]> {
  const workers = new SuiteWorkers(jobs);
  try {
    return await runSuites(session, suites, options, { workers, startAfter: SHORT_RUN, ...narrowing });
  } finally {
    await workers.close();
    options.cache?.write();
  }
}

/** Threads beside the main one, and what they have to know besides what they are given. */
export interface Crew {
  readonly workers: SuiteWorkers;
  /** Milliseconds until threads are started that are not there yet: a short run is over by then. */
  readonly startAfter: number;
  readonly property?: string | undefined;
  readonly coverage?: boolean | undefined;
  /** What is different for each suite, where not all are run alike. */
  readonly each?: readonly EachRun[] | undefined;
}

/** The results, in the order of the suites. After an interrupt the current run ends with what is known, and no other begins. */
export async function runSuites(
  session: Session,
  suites: readonly Suite[],
  options: RunSuiteOptions,
  { workers, startAfter, property, coverage = false, each }: Crew,
  attending: Attending<SuiteRun> = {},
): Promise<SuiteResult[]> {
  const optionsOf = (number: number): RunSuiteOptions => ({ ...options, ...(workers.idle && { idle: workers.idle }), ...each?.[number] });
  const begin = (suite: Suite, number: number) => runSuite(session, suite, optionsOf(number));
  if (workers.count === 0 || suites.length < 2) return overSuites(session, suites, begin, progressText, attending);
  const { cache, ...plain } = options;
  workers.begin(
    {
      file: session.file,
      code: fingerprint(session),
      coverage,
      suites: suites.map(({ name }, number) => ({ name, ...each?.[number] })),
      property: property ?? null,
      options: plain,
      cache: cache?.directory ?? null,
    },
    startAfter,
  );
  const elsewhere: Elsewhere<Progress, SuiteRun> = {
    take: (position) => workers.take(position),
    rest: () => workers.rest(),
    stop: () => workers.stop(),
    async result(suite, number, position, status) {
      const asking = workers.answerOf(number);
      for (;;) {
        const { done, value } = await asking.next();
        if (!done && value !== null) status.show(progressText(suite.name, position, value, status.width));
        if (!done) continue;
        if (value === null) return begin(suite, number);
        if (value.kind === "error") throw value.error;
        return tellRun(session, suite, optionsOf(number), value.explored);
      }
    },
  };
  return overSuites(session, suites, begin, progressText, attending, elsewhere);
}

/** Somebody who does suites from the other end of the list. */
interface Elsewhere<Progress, Run> {
  /** Whether the suite at the position is left to whoever asks. */
  take(position: number): boolean;
  /** Nobody here does anything any more but to wait for what is done there. */
  rest(): void;
  /** Ends what is being done there, like an interrupt. */
  stop(): void;
  /** What remains to be done of a suite that was taken there, when it is ready. */
  result(suite: Suite, number: number, position: string, status: StatusLine): Promise<Working<Progress, Run>>;
}

/** The same for any work. `textOf` makes the line that shows how far it has come; default, what is being worked on. */
export async function overSuites<Progress, Run>(
  session: Session,
  suites: readonly Suite[],
  begin: (suite: Suite, number: number) => Working<Progress, Run>,
  textOf: (suite: string, position: string, progress: Progress, width: number) => string = (suite, position) => `${position} ${suite}`,
  { signal, onResult }: Attending<Run> = {},
  elsewhere: Elsewhere<Progress, Run> | null = null,
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
    elsewhere?.stop();
  };
  const stopElsewhere = () => elsewhere?.stop();
  for (const kind of INTERRUPTS) process.on(kind, onInterrupt);
  signal?.addEventListener("abort", stopElsewhere);
  const results = new Array<SuiteResult<Run>>(suites.length);
  const settle = async (number: number, beginning: (suite: Suite, position: string) => Promise<Working<Progress, Run>>) => {
    const suite = suites[number] as Suite;
    const position = `${number + 1}/${suites.length}`;
    status.show(`${position} ${suite.name}`);
    const show = (progress: Progress) => status.show(textOf(suite.name, position, progress, status.width));
    const result = await workThrough(session, suite, () => beginning(suite, position), show, hasToEnd);
    status.clear();
    await onResult?.(result);
    results[number] = result;
  };
  try {
    const away: number[] = [];
    for (const number of suites.keys()) {
      if (elsewhere !== null && !elsewhere.take(number)) away.push(number);
      else if (hasToEnd()) results[number] = { kind: "not-run", suite: suites[number] as Suite };
      else await settle(number, async (suite) => begin(suite, number));
    }
    elsewhere?.rest();
    for (const number of away) {
      await settle(number, (suite, position) => (elsewhere as Elsewhere<Progress, Run>).result(suite, number, position, status));
    }
    return results;
  } finally {
    status.clear();
    for (const kind of INTERRUPTS) process.off(kind, onInterrupt);
    signal?.removeEventListener("abort", stopElsewhere);
  }
}

async function workThrough<Progress, Run>(
  session: Session,
  suite: Suite,
  begin: () => Promise<Working<Progress, Run>>,
  show: (progress: Progress) => void,
  isInterrupted: () => boolean,
): Promise<SuiteResult<Run>> {
  try {
    const work = await begin();
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
