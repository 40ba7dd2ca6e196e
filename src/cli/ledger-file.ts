/** Reads a ledger from a file, and says where it is wrong if it is. */
import { existsSync } from "node:fs";
import { ModelError } from "../lang/errors.js";
import { isProblem, type Ledger, ledgerFrom } from "../report/ledger.js";
import { UsageError } from "./errors.js";
import { readJsonFile } from "./json-file.js";

/** `hint` says what to do about a file that is missing or wrong. Throws a UsageError or a located ModelError. */
export function readLedgerFile(path: string, hint: string): Ledger {
  if (!existsSync(path)) throw new UsageError(`there is no ledger ${path}`, hint);
  const file = readJsonFile(path, hint);
  const ledger = ledgerFrom(file.value);
  if (!isProblem(ledger)) return ledger;
  throw new ModelError(`this is no ledger: ${ledger.problem}`, hint, file.locationOf(ledger.at));
}
