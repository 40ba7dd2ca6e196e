/** Reads a trace, of whatever form it is. */
import { ModelError } from "../lang/errors.js";
import { jsonRecord } from "./json-lines.js";
import { linesOf } from "./lines.js";
import type { TraceRecord } from "./record.js";

/**
 * The records of a file, in its order, read as they are asked for. The form is known by the content: JSON lines; either may be gzipped.
 * Throws a ModelError, with its place, where the file is not as it should be; what came before has been handed out by then.
 */
export async function* readTrace(file: string): AsyncGenerator<TraceRecord> {
  let empty = true;
  for await (const line of linesOf(file)) {
    if (line.text.trim() === "") continue;
    empty = false;
    yield jsonRecord(line, file);
  }
  if (empty)
    throw new ModelError("the trace is empty", "Nothing was recorded; `iommu-mc record --help` tells how to.", {
      file,
      line: 1,
      column: 1,
    });
}
