/** Reads a file of JSON, and says where it is wrong if it is. */
import { readFileSync } from "node:fs";
import type { JsonSourceFile, Node } from "typescript";
import { type Location, ModelError } from "../lang/errors.js";
import { ts, useTypescript } from "../load/typescript.js";

export interface JsonFile {
  readonly value: unknown;
  /** Where the value stands that the keys lead to; of what is missing, what it is missing from. */
  locationOf(keys: readonly string[]): Location;
}

/** `hint` says what to do about a file that is wrong. Throws a located ModelError for what is no JSON. */
export function readJsonFile(path: string, hint: string): JsonFile {
  const text = readFileSync(path, "utf8");
  try {
    return {
      value: JSON.parse(text),
      locationOf(keys) {
        const source = sourceOf(path, text);
        return locationAt(source, offsetOf(source, keys));
      },
    };
  } catch (error) {
    const source = sourceOf(path, text);
    // TypeScript is the more lenient reader: what it lets pass is placed by what JSON.parse says.
    const { parseDiagnostics = [] } = source as { parseDiagnostics?: readonly { readonly start: number }[] };
    const told = /at position (\d+)/.exec((error as Error).message);
    const offset = parseDiagnostics[0]?.start ?? (told === null ? 0 : Number(told[1]));
    throw new ModelError("this is no JSON", hint, locationAt(source, offset));
  }
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
