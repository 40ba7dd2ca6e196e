/** `iommu-mc check`: runs suites and tells how they came out. */
import { availableParallelism } from "node:os";
import type { LossyMode } from "../explore/lossy-table.js";
import { ScratchFolder } from "../explore/scratch-file.js";
import { ModelError } from "../lang/errors.js";
import { compareWith } from "../report/against.js";
import { againstLines } from "../report/against-text.js";
import { coverageOf } from "../report/coverage.js";
import { coverageLines } from "../report/coverage-text.js";
import { type Format, report } from "../report/formats.js";
import { ledgerOf } from "../report/ledger.js";
import type { TracesShown } from "../report/shown.js";
import { plain } from "../report/style.js";
import { exitCodeOf, worst } from "../report/verdict.js";
import type { Checkpointing } from "../session/checkpoint.js";
import { modelLoader } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { runSuitesOnce } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf } from "./header.js";
import { readLedgerFile } from "./ledger-file.js";
import { type LimitOptions, limitsOf, type SelectionOptions, type VariantOptions, variantOf } from "./options.js";
import { chosenSuites, verdictCache } from "./select.js";
import { lookOfStdout, print, StatusLine, tellErrors } from "./terminal.js";
import { watchAndCheck } from "./watch.js";

export interface CheckOptions extends VariantOptions, LimitOptions, SelectionOptions {
  readonly engine?: "fast" | "reference";
  readonly traces?: TracesShown;
  readonly format?: Format;
  readonly against?: string;
  readonly coverage?: boolean;
  readonly paranoid?: boolean;
  readonly reduce?: boolean;
  /** False to do without one of the reductions. */
  readonly fusion: boolean;
  readonly symmetry: boolean;
  readonly clearing: boolean;
  readonly lossy?: LossyMode;
  /** Folder for states that do not fit into the memory. */
  readonly disk?: string;
  readonly jobs?: number;
  readonly json?: boolean;
  readonly cache?: boolean;
  readonly watch?: boolean;
  /** Folder to keep runs in, and minutes between two times that something is kept. */
  readonly checkpoint?: string;
  readonly every?: number;
}

const MINUTES_BETWEEN_CHECKPOINTS = 5;

const LEDGER_HINT = "Give a file that `iommu-mc ledger --update` or `iommu-mc check --json` has written.";

/** `what` is a design's name, or the path of a file of suites. */
export async function check(what: string | undefined, options: CheckOptions): Promise<ExitCode> {
  if (options.watch) return watchAndCheck(what, options);
  if (options.lossy === "bits" && options.memory === undefined)
    throw new UsageError(
      "--lossy bits sets bits of an array, and nothing says how large that is",
      "Give --memory: half of it, less 200 MB, is the array.",
    );
  const { fusion, symmetry, clearing } = options;
  if (!(fusion || symmetry || clearing) || (!options.reduce && !(fusion && symmetry && clearing)))
    throw new UsageError(
      "--no-fusion, --no-symmetry and --no-clearing switch off some of the three reductions of --reduce",
      "Give --reduce with two of them at most.",
    );
  if (options.disk !== undefined) assertWritable(options.disk);
  const variant = variantOf(options);
  const { session, file, suites } = chosenSuites(what, options, variant, modelLoader({ coverage: options.coverage === true }));
  const limits = limitsOf(options);
  const recorded = options.against === undefined ? null : readLedgerFile(options.against, LEDGER_HINT);
  // Several suites have a thread each. But a suite that is kept is not one for another thread; and of runs that forget states, or put
  // them to disk, there is one at a time, with all the memory.
  const isAlone = options.checkpoint !== undefined || options.lossy !== undefined || options.disk !== undefined;
  const how = {
    variant,
    limits,
    engine: options.engine ?? "fast",
    paranoid: options.paranoid === true,
    threads: suites.length === 1 || isAlone ? (options.jobs ?? availableParallelism()) : 1,
    ...(options.reduce ? { reduce: { fusion, symmetry, clearing } } : {}),
    ...(options.lossy === undefined ? {} : { lossy: { mode: options.lossy } }),
    ...(options.disk === undefined ? {} : { disk: { folder: options.disk } }),
    ...(options.cache ? { cache: verdictCache() } : {}),
    ...(options.checkpoint === undefined ? {} : { checkpoint: checkpointing(options.checkpoint, options.every) }),
  };
  const crew = isAlone ? { ...options, jobs: 1 } : options;
  const results = await runSuitesOnce(session, suites, how, crew);
  const runs = results.flatMap((result) => (result.kind === "run" ? [result.run] : []));
  const names = new Set(session.suites.map(({ name }) => name));
  const against = recorded === null ? null : compareWith(options.against as string, recorded, ledgerOf(runs), names);
  const exitCode = worst([...results.map(exitCodeOf), ...(against?.verdictsDiffer ? [1 as const] : [])]);
  process.exitCode = exitCode;
  tellErrors(results);
  const coverage = options.coverage ? coverageOf(session, runs) : null;
  const look = lookOfStdout();
  const format = options.json ? "json" : (options.format ?? "text");
  // Of these two they are part; the others have their readers, who expect nothing else.
  if (format !== "text" && format !== "json") {
    const plainly = { ...look, style: plain };
    const lines = [
      ...(against === null ? [] : againstLines(against, plainly)),
      ...(coverage === null ? [] : coverageLines(coverage, plainly)),
    ];
    if (lines.length > 0) process.stderr.write(`${lines.join("\n")}\n`);
  }
  const text = report(format, {
    header: headerOf("check"),
    results,
    abstractions: session.abstractions,
    limits,
    options: { ...look, traces: options.traces ?? "shortest", file },
    against,
    coverage,
    exitCode,
  });
  await print(text);
  return exitCode;
}

/** That a folder is of no use is better said at once than of each suite that comes to need it. */
function assertWritable(folder: string): void {
  try {
    new ScratchFolder(folder);
  } catch (error) {
    if (error instanceof ModelError) throw new UsageError(error.message, error.hint);
    throw error;
  }
}

function checkpointing(directory: string, minutes = MINUTES_BETWEEN_CHECKPOINTS): Checkpointing {
  const status = new StatusLine();
  return {
    directory,
    every: 60 * minutes,
    tell: (text) => {
      status.clear();
      process.stderr.write(`iommu-mc: ${text}\n`);
    },
  };
}
