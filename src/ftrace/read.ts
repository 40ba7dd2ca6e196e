/** Reads a trace, of whatever form it is. */
import { ModelError } from "../lang/errors.js";
import { jsonRecords } from "./json-lines.js";
import { type Line, linesOf } from "./lines.js";
import type { TraceRecord } from "./record.js";
import { textRecords } from "./text.js";

/**
 * The records of a file, in its order, read as they are asked for. The form is known by the content: JSON lines, ftrace's text
 * or what `trace-cmd report` prints; each may be gzipped.
 * Throws a ModelError, with its place, where the file is not as it should be; what came before has been handed out by then.
 */
export async function* readTrace(file: string): AsyncGenerator<TraceRecord> {
  const lines = linesOf(file);
  const first = await firstLine(lines);
  if (first === null) {
    throw new ModelError("the trace is empty", "Nothing was recorded; `iommu-mc record --help` tells how to.", start(file));
  }
  const records = first.text.trimStart().startsWith("{") ? jsonRecords : textRecords;
  const others = new Map<string, number>();
  let ofIommu = false;
  for await (const record of records(from(first, lines), file)) {
    ofIommu ||= isOfIommu(record);
    if (!ofIommu) others.set(record.event, (others.get(record.event) ?? 0) + 1);
    yield record;
  }
  if (!ofIommu) throw new ModelError(`no record is of the IOMMU subsystem: there are ${counted(others)}`, HOW_TO_RECORD, start(file));
}

const HOW_TO_RECORD = "`iommu-mc record` writes a script that records what is needed.";

/** Functions and tracepoints of the core, of its drivers and of its users are named so. */
const OF_IOMMU = /iommu|vfio|smmu|spapr_tce|_dma_ownership|(?:to|from)_(?:group|domain)$/;

function isOfIommu({ kind, event }: TraceRecord): boolean {
  return kind !== "mark" && OF_IOMMU.test(event);
}

/** What is there instead, the most frequent first. */
function counted(events: ReadonlyMap<string, number>): string {
  const sorted = [...events].sort(([, one], [, other]) => other - one);
  const shown = sorted.slice(0, 5).map(([event, count]) => `${count} of ${event}`);
  return shown.length === 0 ? "none" : `${shown.join(", ")}${sorted.length > 5 ? `, and ${sorted.length - 5} other events` : ""}`;
}

/** The first line that is not empty. Leaves the generator open, to go on behind it. */
async function firstLine(lines: AsyncGenerator<Line>): Promise<Line | null> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done) return null;
    if (value.text.trim() !== "") return value;
  }
}

async function* from(first: Line, rest: AsyncGenerator<Line>): AsyncGenerator<Line> {
  yield first;
  yield* rest;
}

function start(file: string) {
  return { file, line: 1, column: 1 };
}
