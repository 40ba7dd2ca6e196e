/**
 * `iommu-mc check --watch`: checks again whenever a model, property or suite file is saved. Verdicts come first;
 * types are checked beside them, and told after them.
 */
import { ModelError } from "../lang/errors.js";
import { shownFrom } from "../load/shown.js";
import type { TypesChecked } from "../load/typecheck-worker.js";
import { useTypescript } from "../load/typescript.js";
import { report } from "../report/formats.js";
import { exitCodeOf, type SuiteResult, suiteOf, worst } from "../report/verdict.js";
import { changedText, checkedText, resultText, soFarText } from "../report/watch-text.js";
import { counted } from "../report/wrap.js";
import { modelLoader } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { BackgroundTypes } from "./background-types.js";
import type { CheckOptions } from "./check.js";
import { INTERRUPTS, runSuites } from "./drive.js";
import { UsageError } from "./errors.js";
import { fail } from "./failure.js";
import { headerOf } from "./header.js";
import { limitsOf, variantOf } from "./options.js";
import { chosenSuites, verdictCache } from "./select.js";
import { SuiteWorkers } from "./suite-workers.js";
import { lookOfStdout, print, tellErrors } from "./terminal.js";
import { Watcher } from "./watcher.js";

/** Seconds that a suite may take to be among those that are told of first. */
const QUICK = 0.5;

/** Ends with Ctrl-C, and the exit code of the last check. Throws what makes a first check impossible that no edit of a model can mend. */
export async function watchAndCheck(what: string | undefined, options: CheckOptions): Promise<ExitCode> {
  const { format = "text", json = false } = options;
  if (format !== "text" && format !== "json") throw new UsageError("--watch prints text or JSON", `Leave out --format ${format}.`);
  const watching = new Watching(what, options, json || format === "json");
  const onInterrupt = () => watching.end();
  for (const kind of INTERRUPTS) process.on(kind, onInterrupt);
  try {
    return await watching.run();
  } finally {
    for (const kind of INTERRUPTS) process.off(kind, onInterrupt);
    await watching.close();
  }
}

class Watching {
  readonly #watcher = new Watcher();
  readonly #types = new BackgroundTypes();
  readonly #cache = verdictCache();
  readonly #workers: SuiteWorkers;
  /** Seconds that suites took, by name: the quick ones go first. */
  readonly #seconds = new Map<string, number>();
  #hasEnded = false;
  #exitCode: ExitCode = 3;
  /** Stops what is being done, because something was saved or it is the end. */
  #stop = new AbortController();
  #isFirst = true;

  constructor(
    readonly what: string | undefined,
    readonly options: CheckOptions,
    readonly json: boolean,
  ) {
    this.#workers = new SuiteWorkers(options.jobs);
  }

  end(): void {
    this.#hasEnded = true;
    this.#stop.abort();
  }

  async close(): Promise<void> {
    this.#watcher.close();
    await this.#types.close();
    await this.#workers.close();
  }

  async run(): Promise<ExitCode> {
    while (!this.#hasEnded) {
      this.#stop = new AbortController();
      const { signal } = this.#stop;
      const saved = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      this.#watcher.whenSaved(() => this.#stop.abort());
      if (await this.#check(signal)) {
        this.#isFirst = false;
        if (!this.json) await print(`watching ${counted(this.#watcher.size, "file")}; Ctrl-C ends\n`);
        // What is saved has to be compiled.
        this.#workers.wait();
        useTypescript();
      }
      await saved;
      if (!this.#hasEnded) await this.#tellSaved();
    }
    return this.#exitCode;
  }

  async #tellSaved(): Promise<void> {
    this.#workers.prepare();
    const files = this.#watcher.take().map((path) => shownFrom(process.cwd(), path));
    if (!this.json) await print(`\n${changedText(files, this.#look(null))}\n`);
  }

  /** Whether it came to its end. */
  async #check(signal: AbortSignal): Promise<boolean> {
    const began = Date.now();
    const loader = modelLoader({ typecheck: false });
    try {
      const chosen = chosenSuites(this.what, this.options, variantOf(this.options), loader);
      this.#watcher.add(loader.sources(), began);
      const isWhole = await this.#runAll(chosen, signal);
      // Not beside them: every core is at work for the verdicts.
      const types = isWhole ? this.#types.check(chosen.session.file) : null;
      this.#cache.write();
      if (types !== null) await this.#tellTypes(await Promise.race([types, aborted(signal)]), began);
      return isWhole && !signal.aborted;
    } catch (error) {
      if (this.#isFirst && !(error instanceof ModelError)) throw error;
      if (!(error instanceof ModelError) && !(error instanceof UsageError)) throw error;
      this.#exitCode = fail(error, "check", this.json && "line") as ExitCode;
      return true;
    } finally {
      this.#watcher.add(loader.sources(), began);
    }
  }

  async #runAll({ session, suites, file }: ReturnType<typeof chosenSuites>, signal: AbortSignal): Promise<boolean> {
    const limits = limitsOf(this.options);
    const look = this.#look(file);
    const quickFirst = [...suites].sort((one, other) => this.#secondsOf(one.name) - this.#secondsOf(other.name));
    /** Those that do not keep anybody waiting; what is known of them is told before the others are through. */
    const quick = new Set(suites.map(({ name }) => name).filter((name) => this.#secondsOf(name) <= QUICK));
    if (this.#isFirst || quick.size === suites.length) quick.clear();
    const toldSoFar: SuiteResult[] = [];
    const engine = this.options.engine ?? "fast";
    const results = await runSuites(
      session,
      quickFirst,
      { variant: variantOf(this.options), limits, engine, cache: this.#cache, tersely: !this.#isFirst && !this.json },
      { workers: this.#workers, startAfter: 0, property: this.options.property },
      {
        signal,
        onResult: async (result) => {
          if (result.kind === "run") this.#seconds.set(result.run.suite.name, result.run.outcome.statistics.seconds);
          if (this.json || signal.aborted) return;
          await print(resultText(result, look));
          if (quick.delete(suiteOf(result).name)) toldSoFar.push(result);
          if (quick.size === 0 && toldSoFar.length > 0) await print(soFarText(toldSoFar.splice(0), suites.length, look));
        },
      },
    );
    this.#exitCode = worst(results.map(exitCodeOf));
    if (signal.aborted && !this.#hasEnded) return false;
    tellErrors(results);
    const reported = {
      header: headerOf("check"),
      results,
      abstractions: session.abstractions,
      limits,
      options: look,
      against: null,
      coverage: null,
    };
    if (this.json) await print(`${JSON.stringify(JSON.parse(report("json", { ...reported, exitCode: this.#exitCode })))}\n`);
    else {
      const hasRows = results.some((result) => resultText(result, look) !== "");
      await print(`${hasRows ? "\n" : ""}${checkedText(results, this.#isFirst ? session.abstractions : null, look)}\n`);
    }
    return true;
  }

  #secondsOf(suite: string): number {
    return this.#seconds.get(suite) ?? 0;
  }

  async #tellTypes(checked: TypesChecked | null, began: number): Promise<void> {
    if (checked === null) return;
    this.#watcher.add(checked.files, began);
    const { error } = checked;
    if (error === null) {
      if (!this.json) await print("types  no errors\n");
      return;
    }
    this.#exitCode = fail(new ModelError(error.message, error.hint, error.location ?? undefined), "check", this.json && "line") as ExitCode;
    if (!this.json) await print("types  wrong, as told on standard error; the verdicts above may be of something else than is meant\n");
  }

  #look(file: string | null) {
    return { ...lookOfStdout(), traces: this.options.traces ?? ("shortest" as const), file };
  }
}

function aborted(signal: AbortSignal): Promise<null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(null), { once: true }));
}
