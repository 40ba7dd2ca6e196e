/** How a command that could not do its work ends: in words for people, never in a stack trace of ours. */
import { CommanderError } from "commander";
import { formatLocation, ModelError } from "../lang/errors.js";
import type { JsonError, JsonFailure } from "../report/json.js";
import { UsageError } from "./errors.js";
import { headerOf, jsonText } from "./header.js";

/** Tells what went wrong, on standard error and, with `--json`, as a document, or as a line of many. Returns the exit code. */
export function fail(error: unknown, command: string, json: boolean | "line"): number {
  if (error instanceof CommanderError) {
    // Commander has printed its message, or the help or version that was asked for.
    if (error.exitCode === 0) return 0;
    if (json)
      writeJson(command, { kind: "usage", message: error.message.replace(/^error: /, ""), hint: null, location: null }, json === "line");
    return 2;
  }
  const told = describe(error);
  process.stderr.write(`iommu-mc: ${textOf(told)}\n`);
  if (process.env.IOMMU_MC_DEBUG === "1" && error instanceof Error) process.stderr.write(`${error.stack}\n`);
  if (json) writeJson(command, told, json === "line");
  return 2;
}

function describe(error: unknown): JsonError {
  if (error instanceof ModelError) return { kind: "model", message: error.message, hint: error.hint, location: error.location ?? null };
  if (error instanceof UsageError) return { kind: "usage", message: error.message, hint: error.hint, location: null };
  const message = error instanceof Error ? error.message : String(error);
  if (isFileError(error)) return { kind: "usage", message, hint: "Check the path and its permissions.", location: null };
  return {
    kind: "internal",
    message: `internal error: ${message}`,
    hint: "This is a defect of iommu-mc: please report it, with what IOMMU_MC_DEBUG=1 adds.",
    location: null,
  };
}

function textOf({ message, hint, location }: JsonError): string {
  const place = location === null ? "" : `${formatLocation(location)}: `;
  return `${place}${message}${hint === null ? "" : `\n  ${hint}`}`;
}

function isFileError(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === "string" && ["ENOENT", "EACCES", "EISDIR", "ENOTDIR", "EPERM", "EROFS", "ENOSPC"].includes(code);
}

function writeJson(command: string, error: JsonError, isLine: boolean): void {
  const failure: JsonFailure = { ...headerOf(command), error, exitCode: 2 };
  process.stdout.write(isLine ? `${JSON.stringify(failure)}\n` : jsonText(failure));
}
