/** `iommu-mc replay`: shows a path of a suite, step by step, on the plain engine. */
import { ModelError } from "../lang/errors.js";
import { lengthText } from "../report/because.js";
import { boundsOf, changesText, faultsText } from "../report/bounds.js";
import { claimText, reasonLines } from "../report/finding-text.js";
import { type JsonReplay, jsonSteps } from "../report/json.js";
import { traceLines } from "../report/trace-text.js";
import { hanging, joined } from "../report/wrap.js";
import { type ExitCode, machineOf, resolvedVariant } from "../session/run-suite.js";
import { judgeEnd, type Replayed } from "../trace/judge.js";
import { formatPath, parsePath, replayPath } from "../trace/replay.js";
import { asModelError } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { type VariantOptions, variantOf } from "./options.js";
import { open, selectOne } from "./select.js";
import { lookOfStdout, print } from "./terminal.js";

export interface ReplayOptions extends VariantOptions {
  readonly file?: string;
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
  const { session } = open(options.file);
  const suite = selectOne(session.suites, name);
  const asked = variantOf(options);
  try {
    const machine = machineOf(session, suite, asked);
    const variant = resolvedVariant(suite, machine, asked);
    const replayed = replayPath(machine, path);
    const shown = judgeEnd(machine, path, replayed);
    const exitCode = exitCodeOf(shown, Object.keys(suite.expected ?? {}));
    process.exitCode = exitCode;
    if (options.json) {
      const document: JsonReplay = {
        ...headerOf("replay"),
        suite: suite.name,
        revert: variant.revert ?? [],
        apply: variant.apply ?? [],
        bounds: boundsOf(machine),
        path: formatPath(path),
        violated: shown.map(({ finding: { check, isProperty, message, subject, location }, trace: { failing } }) => ({
          check,
          kind: isProperty ? "property" : "sanitizer",
          message,
          subject,
          location,
          failing,
        })),
        trace: jsonSteps(machine, replayed),
        exitCode,
      };
      await print(jsonText(document));
      return exitCode;
    }
    const look = lookOfStdout();
    const changes = changesText(variant);
    const facts = [
      suite.name,
      `${suite.design.name} ${suite.design.version}${changes === "" ? "" : ` ${changes}`}`,
      faultsText(boundsOf(machine)),
      suite.scenario.describes,
      lengthText(machine, replayed.steps),
    ];
    const lines = [...joined("", facts, look.width), "", ...traceLines(machine, replayed, look), ""];
    for (const { finding, trace } of shown) {
      lines.push(...hanging("VIOLATED  ", claimText(suite, finding), look.width).map(look.style.bad));
      const reason = suite.expected?.[finding.check]?.reason;
      if (reason !== undefined) lines.push(...hanging("expected  ", reason, look.width));
      lines.push(...reasonLines(machine, finding, trace, look), "");
    }
    if (shown.length === 0)
      lines.push(...hanging("", "nothing is violated in the last step (lock order and atomicity are judged over a whole run)", look.width));
    await print(`${lines.join("\n").trimEnd()}\n`);
    return exitCode;
  } catch (error) {
    throw error instanceof ModelError ? error : asModelError(error, session);
  }
}

function exitCodeOf(shown: readonly Replayed[], expected: readonly string[]): ExitCode {
  if (shown.some(({ finding }) => finding.check === "model-fault")) return 2;
  return shown.some(({ finding }) => !expected.includes(finding.check)) ? 1 : 0;
}
