/** Reads a ledger from a file, and says where it is wrong if it is. */
import { existsSync, readFileSync } from "node:fs";
import type { JsonSourceFile, Node } from "typescript";
import { type Location, ModelError } from "../lang/errors.js";
import { ts, useTypescript } from "../load/typescript.js";
import { isProblem, type Ledger, ledgerFrom } from "../report/ledger.js";
import { UsageError } from "./errors.js";

/** `hint` says what to do about a file that is missing or wrong. Throws a UsageError or a located ModelError. */
export function readLedgerFile(path: string, hint: string): Ledger {
  if (!existsSync(path)) throw new UsageError(`there is no ledger ${path}`, hint);
  const text = readFileSync(path, "utf8");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    const source = sourceOf(path, text);
    // TypeScript is the more lenient reader: what it lets pass is placed by what JSON.parse says.
    const { parseDiagnostics = [] } = source as { parseDiagnostics?: readonly { readonly start: number }[] };
    const told = /at position (\d+)/.exec((error as Error).message);
    const offset = parseDiagnostics[0]?.start ?? (told === null ? 0 : Number(told[1]));
    throw new ModelError("this is no JSON", hint, locationAt(source, offset));
  }
  const ledger = ledgerFrom(value);
  if (!isProblem(ledger)) return ledger;
  const source = sourceOf(path, text);
  throw new ModelError(`this is no ledger: ${ledger.problem}`, hint, locationAt(source, offsetOf(source, ledger.at)));
}

/** Only a file that is wrong is worth starting the compiler for. */
function sourceOf(path: string, text: string): JsonSourceFile {
  useTypescript();
  return ts.parseJsonText(path, text);
}

function locationAt(source: JsonSourceFile, offset: number): Location {
  const { line, character } = source.getLineAndCharacterOfPosition(Math.min(offset, source.end));
  return { file: source.fileName, line: line + 1, column: character + 1 };
}

/** Where the value stands that the keys lead to; of what is missing, what it is missing from. */
function offsetOf(source: JsonSourceFile, keys: readonly string[]): number {
  let node: Node | undefined = source.statements[0]?.expression;
  for (const key of keys) {
    if (node === undefined || !ts.isObjectLiteralExpression(node)) break;
    const property = node.properties.find((each) => each.name !== undefined && ts.isStringLiteral(each.name) && each.name.text === key);
    if (property === undefined || !ts.isPropertyAssignment(property)) break;
    node = property.initializer;
  }
  return node?.getStart(source) ?? 0;
}
