/** Threads that explore suites beside the main one. Without them everything comes out the same, only later. */
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Progress } from "../explore/outcome.js";
import { ModelError } from "../lang/errors.js";
import type { Explored } from "../session/run-suite.js";
import { type FromWorker, type Job, type ToWorker, take } from "./suite-job.js";

/** What has become of a suite that a worker took. */
type Answer = { readonly kind: "explored"; readonly explored: Explored } | { readonly kind: "error"; readonly error: ModelError };

/** To learn a rule leaves much behind that is needed no more: the more of it is collected at once, the less is moved about. */
const YOUNG_MB = 192;

export class SuiteWorkers {
  readonly count: number;
  #workers: Worker[] = [];
  #job: Job | null = null;
  #isClosed = false;
  #timer: NodeJS.Timeout | undefined;
  readonly #answers = new Map<number, Answer>();
  readonly #progress = new Map<number, Progress>();
  #tell: () => void = () => {};

  /** `jobs` is the number of threads together with the main one; by default one for each core. */
  constructor(jobs = availableParallelism()) {
    this.count = jobs - 1;
  }

  /**
   * Has these suites explored; threads that there are begin at once, others are started after so many milliseconds.
   * Whoever calls has to take each suite that it wants to explore itself.
   */
  begin(job: Omit<Job, "number" | "taken" | "idle">, startAfter: number): void {
    const taken = new Int32Array(new SharedArrayBuffer(4 * job.suites.length));
    const idle = new Int32Array(new SharedArrayBuffer(4));
    const numbered = { ...job, taken, idle, number: (this.#job?.number ?? 0) + 1 };
    this.#job = numbered;
    this.#answers.clear();
    this.#progress.clear();
    this.#isClosed = false;
    this.#post({ kind: "job", job: numbered });
    const start = () => {
      for (let missing = this.count - this.#workers.length; missing > 0; missing--) {
        const worker = this.#start();
        this.#workers.push(worker);
        worker.postMessage({ kind: "job", job: numbered } satisfies ToWorker);
      }
    };
    this.#timer = setTimeout(start, startAfter);
  }

  /** A job like the last will come, of files that have been saved: threads that there are load them meanwhile. */
  prepare(): void {
    if (this.#job !== null) this.#post({ kind: "load", file: this.#job.file, coverage: this.#job.coverage });
  }

  /** Files will be saved, and a job like the last will come of them. */
  wait(): void {
    this.#post({ kind: "wait" });
  }

  /** Whether the suite at the position is left to whoever asks: no worker has taken it, nor will. */
  take(position: number): boolean {
    return this.#job === null || take(this.#job.taken, position);
  }

  /** How many threads have found no suite of the job left to take; undefined if there is none but the main one. */
  get idle(): Int32Array | undefined {
    return this.#isClosed ? undefined : this.#job?.idle;
  }

  /** The main thread has found none. */
  rest(): void {
    if (this.idle) Atomics.add(this.idle, 0, 1);
  }

  /** What a worker says of the suite at the position, which it took; progress until it has said so. Null if there is no worker any more. */
  async *answerOf(position: number): AsyncGenerator<Progress | null, Answer | null> {
    for (;;) {
      const answer = this.#answers.get(position);
      if (answer !== undefined) return answer;
      if (this.#isClosed) return null;
      await new Promise<void>((resolve) => {
        this.#tell = resolve;
      });
      yield this.#progress.get(position) ?? null;
    }
  }

  /** Ends what they are doing like an interrupt: of what they have taken they tell what is known. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#post({ kind: "stop" });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    const workers = this.#workers;
    this.#workers = [];
    await Promise.all(workers.map((worker) => worker.terminate()));
    this.#tell();
  }

  #start(): Worker {
    const worker = new Worker(new URL("./suite-worker.js", import.meta.url), { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } });
    worker.on("message", (message: FromWorker) => this.#hear(message));
    // What it had taken is explored by the main thread, which then shows what is wrong.
    worker.on("error", () => {
      void this.close();
    });
    return worker;
  }

  #post(message: ToWorker): void {
    for (const worker of this.#workers) worker.postMessage(message);
  }

  #hear(message: FromWorker): void {
    if (message.job !== this.#job?.number) return;
    const { position } = message;
    if (message.kind === "progress") this.#progress.set(position, message.progress);
    else if (message.kind === "explored") this.#answers.set(position, { kind: "explored", explored: message.explored });
    else {
      const { message: text, hint, location } = message;
      this.#answers.set(position, { kind: "error", error: new ModelError(text, hint, location ?? undefined) });
    }
    this.#tell();
  }
}
