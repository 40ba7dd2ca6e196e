/** A thread that explores suites beside the main one: it takes one after the other from the far end of the list. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { parentPort } from "node:worker_threads";
import { ModelError } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import { useTypescript } from "../load/typescript.js";
import { fingerprint, modelLoader, openWith, type Session } from "../session/open.js";
import { exploreSuite, type RunSuiteOptions } from "../session/run-suite.js";
import { VerdictCache } from "../session/verdict-cache.js";
import { asModelError } from "./drive.js";
import { select } from "./select.js";
import { type FromWorker, type Job, type Loading, type ToWorker, take } from "./suite-job.js";

let current = 0;
let hasToStop = false;
/** Loaded for the next job. */
let prepared: Session | null = null;

parentPort?.on("message", (message: ToWorker) => {
  if (message.kind === "stop") hasToStop = true;
  else if (message.kind === "load") prepared = opened(message);
  else if (message.kind === "wait") useTypescript();
  else {
    current = message.job.number;
    hasToStop = false;
    void work(message.job);
  }
});

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

async function work(job: Job): Promise<void> {
  const isAsAsked = (session: Session | null) => session !== null && fingerprint(session) === job.code;
  const session = isAsAsked(prepared) ? prepared : opened(job);
  prepared = null;
  // Somebody has saved a file meanwhile, or it cannot be loaded any more: the main thread has what there was.
  if (session === null || !isAsAsked(session)) return;
  const suites = select(session.suites, job.property === null ? {} : { property: job.property });
  const options: RunSuiteOptions = {
    ...job.options,
    idle: job.idle,
    ...(job.cache === null ? {} : { cache: new VerdictCache(job.cache) }),
  };
  for (let position = job.suites.length - 1; position >= 0; position--) {
    // Messages are delivered between turns of the event loop only.
    await nextTurn();
    if (hasToStop || current !== job.number) return;
    const { name: wanted, ...different } = job.suites[position] as Job["suites"][number];
    const suite = suites.find(({ name }) => name === wanted);
    if (suite !== undefined && take(job.taken, position)) await explore(job.number, position, session, suite, { ...options, ...different });
  }
  Atomics.add(job.idle, 0, 1);
}

function opened({ file, coverage }: Loading): Session | null {
  try {
    return openWith(modelLoader({ typecheck: false, coverage }), file);
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}

async function explore(job: number, position: number, session: Session, suite: Suite, options: RunSuiteOptions): Promise<void> {
  const of = { job, position };
  try {
    const work = exploreSuite(session, suite, options);
    let step = work.next();
    while (!step.done) {
      send({ ...of, kind: "progress", progress: step.value });
      await nextTurn();
      step = work.next(hasToStop ? "interrupt" : undefined);
    }
    send({ ...of, kind: "explored", explored: step.value });
  } catch (error) {
    const { message, hint, location = null } = asModelError(error, session);
    send({ ...of, kind: "error", message, hint, location });
  }
}
