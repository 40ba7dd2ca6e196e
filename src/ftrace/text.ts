/** Records of ftrace's own text: `trace`, and what `trace-cmd report` prints. */
import { type Location, ModelError } from "../lang/errors.js";
import { eventRecord, type Moment } from "./events.js";
import { CallStacks, codeOf, graphLine, isTaskSwitch } from "./function-graph.js";
import type { Line } from "./lines.js";
import { functionName, type TraceRecord } from "./record.js";

/** From here on the trace is not whole. What came before is. */
export class LostEvents extends ModelError {
  constructor(what: string, location: Location) {
    super(what, "Nothing can be concluded past this point: record again with a larger buffer_size_kb, or fewer probes.", location);
    this.name = "LostEvents";
  }
}

/** `TASK-PID (TGID) [CPU] FLAGS SECONDS: EVENT: …`, the thread group and the flags if they are recorded. */
const EVENT_LINE =
  /^\s*(?<task>\S.*)-(?<pid>\d+)\s+(?:\([\s\d-]+\)\s+)?\[(?<cpu>\d+)\]\s+(?:\S+\s+)?(?<seconds>\d+\.\d+):\s+(?<rest>\S.*)$/s;

/** What trace-cmd says before the records. */
const PREAMBLE = /^(?:cpus=\d+|version = \d+|CPU \d+ is empty|trace\.dat.*:)$/;

/** `CPU:1 [LOST 11 EVENTS]`, and trace-cmd's `CPU:1 [11 EVENTS DROPPED]`. */
const LOST = /^CPU:(\d+) \[(?:LOST )?(\d+ )?EVENTS(?: DROPPED)?\]/;

/** Lines that are read as one: a probe's text argument, or a mark, may have line breaks. */
interface Entry {
  readonly line: Line;
  text: string;
}

/** The records of the lines. Throws a ModelError at the first line that is none. */
export async function* textRecords(lines: AsyncIterable<Line>, file: string): AsyncGenerator<TraceRecord> {
  const stacks = new CallStacks();
  let entry: Entry | null = null;
  for await (const line of lines) {
    const { text } = line;
    // The kernel ends every line, and a record that is cut short may look whole.
    if (line.unfinished) {
      if (entry !== null) yield* recordsOf(entry, stacks, file);
      throw new ModelError("the file ends in the middle of a record", "It was cut short; copy it again.", placeOf(line, file));
    }
    if (text.startsWith("#")) refuseOverwritten(line, file);
    if (text.trim() === "" || text.startsWith("#") || PREAMBLE.test(text) || isTaskSwitch(text)) continue;
    const goesOn = entry !== null && isOpen(entry.text) && !EVENT_LINE.test(text) && !LOST.test(text);
    // As it is written in the JSON form: a backslash and an n.
    if (goesOn && entry !== null) entry.text += `\\n${text}`;
    else {
      if (entry !== null) yield* recordsOf(entry, stacks, file);
      refuseLost(line, file);
      entry = { line, text };
    }
  }
  if (entry !== null) yield* recordsOf(entry, stacks, file);
}

/** Its last text argument is not closed, or it is a mark: anything may be written there. */
function isOpen(text: string): boolean {
  return /: (?:tracing_mark_write|print): /.test(text) || (text.match(/"/g)?.length ?? 0) % 2 === 1;
}

function recordsOf({ line, text }: Entry, stacks: CallStacks, file: string): readonly TraceRecord[] {
  const parts = EVENT_LINE.exec(text)?.groups as Readonly<Record<"task" | "pid" | "cpu" | "seconds" | "rest", string>> | undefined;
  if (parts === undefined) return graphRecords(line, text, stacks, file);
  const moment: Moment = {
    line: line.number,
    seconds: Number(parts.seconds),
    cpu: Number(parts.cpu),
    task: parts.task,
    pid: Number(parts.pid),
  };
  const called = /^(?:function:\s+)?(\S+) <--? ?(\S+)$/.exec(parts.rest);
  if (called !== null) {
    const [, callee, caller] = called as unknown as [string, string, string];
    return [{ ...moment, kind: "call", event: functionName(callee), caller: functionName(caller), fields: {} }];
  }
  const event = /^([\w.]+):\s+(.*)$/s.exec(parts.rest);
  if (event === null) throw noRecord(line, file);
  const [, name, rest] = event as unknown as [string, string, string];
  if (name === "funcgraph_entry" || name === "funcgraph_exit") return stacks.records(moment, codeOf(rest));
  return [eventRecord(moment, name, rest)];
}

function graphRecords(line: Line, text: string, stacks: CallStacks, file: string): readonly TraceRecord[] {
  const graph = graphLine(text);
  if (graph === null) throw noRecord(line, file);
  const { task, code, ...when } = graph;
  if (task === null) {
    throw new ModelError(
      "this trace does not say of which task a line is",
      "Record it again with the options funcgraph-proc and funcgraph-abstime, or take probes: `iommu-mc record`.",
      placeOf(line, file),
    );
  }
  return stacks.records({ line: line.number, ...when, task: task.name, pid: task.pid }, code);
}

function noRecord(line: Line, file: string): ModelError {
  return new ModelError(
    `this line is no record of a trace: ${line.text.trim().slice(0, 60)}`,
    "Give JSON lines, the text of tracefs's `trace`, or what `trace-cmd report` prints.",
    placeOf(line, file),
  );
}

function placeOf(line: Line, file: string): Location {
  return { file, line: line.number, column: 1 };
}

function refuseLost(line: Line, file: string): void {
  const lost = LOST.exec(line.text);
  if (lost !== null) throw new LostEvents(`CPU ${lost[1]} lost ${lost[2] ?? ""}events`, placeOf(line, file));
}

/** The header counts what the buffer holds and what was written to it; what is missing was at the beginning. */
function refuseOverwritten(line: Line, file: string): void {
  const [, held, written] = /entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(line.text) ?? [];
  if (held === undefined || Number(held) >= Number(written)) return;
  throw new LostEvents(`the buffer has overwritten the first ${Number(written) - Number(held)} of ${written} events`, placeOf(line, file));
}
