/** `iommu-mc ledger`: compares a run of the suites with what is recorded of them, or records it. */
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import type { JsonLedger } from "../report/json.js";
import { compareLedgers, type Ledger, ledgerOf, ledgerText } from "../report/ledger.js";
import { exitCodeOf, isWhole, type SuiteResult, suiteOf, worst } from "../report/verdict.js";
import { packageRoot } from "../session/open.js";
import type { ExitCode } from "../session/run-suite.js";
import { runSuitesOnce } from "./drive.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";
import { readLedgerFile } from "./ledger-file.js";
import { open } from "./select.js";
import { print } from "./terminal.js";

export interface LedgerOptions {
  readonly update?: boolean;
  readonly file?: string;
  readonly ledger?: string;
  readonly json?: boolean;
}

/** Where what is known of the bundled suites is recorded. */
export function bundledLedger(): string {
  return resolve(packageRoot(), "reports/ledger.json");
}

/** Exit code 1 if something differs or is not as its suite expects. With `--update` the run is recorded, unless it did not come to its end. */
export async function ledger(options: LedgerOptions): Promise<ExitCode> {
  if (options.file !== undefined && options.ledger === undefined) {
    throw new UsageError("--file without --ledger", "Say where the ledger of your suites is: --ledger FILE.json.");
  }
  const path = options.ledger ?? bundledLedger();
  const before = recorded(path, options.update === true);
  const { session } = open(options.file);
  const results = await runSuitesOnce(session, session.suites, {});
  const failed = results.find((result) => result.kind === "error");
  if (failed?.kind === "error") throw failed.error;
  // Of a suite that did not come to its end nothing is compared or recorded.
  const codeOf = (result: SuiteResult): ExitCode => exitCodeOf(result) || (isWhole(result) ? 0 : 3);
  const code = worst(results.map(codeOf));
  const off = results.filter((result) => codeOf(result) !== 0).map((result) => `${suiteOf(result).name}: ${complaints[codeOf(result)]}`);
  if (code === 2 || !results.every(isWhole)) {
    await say(options, path, off, false, code);
    return code;
  }
  const now = ledgerOf(results.flatMap((result) => (result.kind === "run" ? [result.run] : [])));
  const differences = [...off, ...compareLedgers(before, now)];
  if (options.update) writeFileSync(path, ledgerText(now));
  const exitCode = options.update ? code : differences.length > 0 ? 1 : 0;
  await say(options, path, differences, options.update === true, exitCode);
  return exitCode;
}

const complaints: Readonly<Record<ExitCode, string>> = {
  0: "as expected",
  1: "not as the suite expects; see iommu-mc check",
  2: "the model is at fault; see iommu-mc check",
  3: "not finished",
};

function recorded(path: string, isUpdate: boolean): Ledger {
  if (isUpdate) {
    // What cannot be read is made anew.
    try {
      return readLedgerFile(path, "");
    } catch {
      return {};
    }
  }
  return readLedgerFile(path, "Make one with --update.");
}

async function say(
  options: LedgerOptions,
  path: string,
  differences: readonly string[],
  updated: boolean,
  exitCode: ExitCode,
): Promise<void> {
  process.exitCode = exitCode;
  if (options.json) {
    const document: JsonLedger = { ...headerOf("ledger"), ledger: path, differences, updated, exitCode };
    await print(jsonText(document));
    return;
  }
  const verdict =
    differences.length === 0 ? "the ledger agrees with the run" : updated ? "the ledger is updated:" : "the ledger and the run differ:";
  const advice = exitCode === 1 && !updated ? ["", "If the new figures are right, record them: iommu-mc ledger --update"] : [];
  await print(`${[verdict, ...differences.map((line) => `  ${line}`), ...advice].join("\n")}\n`);
}
