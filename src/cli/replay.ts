/** `iommu-mc replay`: shows a path of a suite, step by step, on the plain engine. */
import { ModelError } from "../lang/errors.js";
import { type ReplayFormat, replayReport } from "../report/replay-report.js";
import { type ExitCode, machineOf, resolvedVariant } from "../session/run-suite.js";
import { judgeEnd, type Replayed } from "../trace/judge.js";
import { parsePath, replayPath } from "../trace/replay.js";
import { asModelError } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf } from "./header.js";
import { type VariantOptions, variantOf } from "./options.js";
import { open, selectOne } from "./select.js";
import { lookOfStdout, print } from "./terminal.js";

export interface ReplayOptions extends VariantOptions {
  readonly file?: string;
  readonly format?: ReplayFormat;
  readonly json?: boolean;
}

/** Exit code 1 if the path shows something that the suite does not expect. */
export async function replay(name: string, pathText: string, options: ReplayOptions): Promise<ExitCode> {
  const path = parsePath(pathText);
  if (path === null)
    throw new UsageError(
      `${pathText} is no path`,
      "A path is numbers with dots between them, as `check` prints it, or - for the empty one.",
    );
  const { session, file } = open(options.file);
  const suite = selectOne(session.suites, name);
  const asked = variantOf(options);
  try {
    const machine = machineOf(session, suite, asked);
    const variant = resolvedVariant(suite, asked);
    const replayed = replayPath(machine, path);
    const findings = judgeEnd(machine, path, replayed);
    const exitCode = exitCodeOf(findings, Object.keys(suite.expected ?? {}));
    process.exitCode = exitCode;
    const text = replayReport(options.json ? "json" : (options.format ?? "text"), {
      header: headerOf("replay"),
      subject: { suite, variant, machine },
      shown: { path, trace: replayed, findings },
      exitCode,
      look: lookOfStdout(),
      file,
    });
    await print(text);
    return exitCode;
  } catch (error) {
    throw error instanceof ModelError ? error : asModelError(error, session);
  }
}

function exitCodeOf(shown: readonly Replayed[], expected: readonly string[]): ExitCode {
  if (shown.some(({ finding }) => finding.check === "model-fault")) return 2;
  return shown.some(({ finding }) => !expected.includes(finding.check)) ? 1 : 0;
}
