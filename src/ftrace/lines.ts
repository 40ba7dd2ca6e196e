/** The lines of a file, plain or gzipped, one after the other: a trace may be longer than memory. */
import { closeSync, createReadStream, openSync, readSync } from "node:fs";
import { createGunzip } from "node:zlib";
import { ModelError } from "../lang/errors.js";

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** The file ends in the middle of it. */
  readonly unfinished: boolean;
}

const GZIP = Buffer.from([0x1f, 0x8b]);
/** What trace-cmd writes begins so. */
const TRACE_DAT = Buffer.from([0x17, 0x08, 0x44]);

/** Throws a ModelError for a file that is binary, or gzipped and cut short. */
export async function* linesOf(file: string): AsyncGenerator<Line> {
  const start = firstBytes(file, 3);
  if (start.equals(TRACE_DAT)) {
    throw new ModelError("this is the binary file of trace-cmd", `Give what \`trace-cmd report -i ${file}\` prints.`, {
      file,
      line: 1,
      column: 1,
    });
  }
  const raw = createReadStream(file);
  const chunks = start.subarray(0, 2).equals(GZIP) ? raw.pipe(createGunzip()) : raw;
  if (chunks !== raw) raw.on("error", (error) => chunks.destroy(error));
  let number = 0;
  let rest = "";
  try {
    for await (const chunk of chunks.setEncoding("utf8")) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() as string;
      for (const text of lines) yield { number: ++number, text, unfinished: false };
    }
  } catch (error) {
    if (!String((error as NodeJS.ErrnoException).code).startsWith("Z_")) throw error;
    throw new ModelError(`the gzipped file cannot be read on: ${(error as Error).message}`, "It was cut short or damaged; copy it again.", {
      file,
      line: number + 1,
      column: 1,
    });
  }
  if (rest !== "") yield { number: number + 1, text: rest, unfinished: true };
}

function firstBytes(file: string, count: number): Buffer {
  const descriptor = openSync(file, "r");
  try {
    const bytes = Buffer.alloc(count);
    return bytes.subarray(0, readSync(descriptor, bytes, 0, count, 0));
  } finally {
    closeSync(descriptor);
  }
}
