/** Records that stand as one JSON object in each line: `{"t":6.39,"cpu":0,"task":"init","pid":1,"kind":"ret","ev":"…","caller":"…","f":{…}}`. */
import { ModelError } from "../lang/errors.js";
import { tracepointFields } from "./events.js";
import type { Line } from "./lines.js";
import { callerName, cleanFields, functionName, type TraceFields, type TraceKind, type TraceRecord, wholeNumber } from "./record.js";

const KINDS: Readonly<Record<string, TraceKind>> = { call: "call", ret: "return", tp: "tracepoint", mark: "mark" };

/** The records of the lines. Throws a ModelError at the first line that is none. */
export async function* jsonRecords(lines: AsyncIterable<Line>, file: string): AsyncGenerator<TraceRecord> {
  for await (const line of lines) if (line.text.trim() !== "") yield jsonRecord(line, file);
}

function jsonRecord(line: Line, file: string): TraceRecord {
  const object = parsed(line, file);
  const wrong = (name: string, wanted: string) =>
    new ModelError(
      `"${name}" is ${name in object ? JSON.stringify(object[name]) : "missing"}`,
      `It is ${wanted}.`,
      placeOf(line, file, name),
    );
  const number = (name: string, what: string): number => {
    const value = object[name];
    if (typeof value !== "number" || value < 0) throw wrong(name, what);
    return value;
  };
  const text = (name: string, what: string): string => {
    const value = object[name];
    if (typeof value !== "string") throw wrong(name, what);
    return value;
  };
  const kind = KINDS[text("kind", "call, ret, tp or mark")];
  if (kind === undefined) throw wrong("kind", "call, ret, tp or mark");
  const fields = object.f ?? {};
  if (typeof fields !== "object" || !Object.values(fields).every(isValue)) throw wrong("f", "an object of texts, whole numbers and nulls");
  const { caller } = object;
  if (caller !== undefined && typeof caller !== "string") throw wrong("caller", "a function's name");
  return {
    line: line.number,
    seconds: number("t", "the clock, in seconds"),
    cpu: number("cpu", "the number of a CPU"),
    task: text("task", "the task's name"),
    pid: number("pid", "the task's thread id"),
    kind,
    event: functionName(text("ev", "the function or tracepoint")),
    caller: caller === undefined ? null : callerName(caller),
    fields: fieldsOf(kind, fields as TraceFields),
  };
}

/** A tracepoint whose form the writer did not know is there as its text. */
function fieldsOf(kind: TraceKind, fields: TraceFields): TraceFields {
  return kind === "tracepoint" && typeof fields.text === "string" ? tracepointFields(fields.text) : cleanFields(fields);
}

function isValue(value: unknown): boolean {
  return value === null || typeof value === "string" || Number.isInteger(value);
}

function parsed(line: Line, file: string): Record<string, unknown> {
  const place = { file, line: line.number, column: 1 };
  let value: unknown;
  try {
    value = JSON.parse(exactNumbers(line.text));
  } catch (error) {
    if (line.unfinished) throw new ModelError("the file ends in the middle of a record", "It was cut short; copy it again.", place);
    throw new ModelError(`this line is no JSON: ${(error as Error).message}`, "Every line of such a trace is an object.", place);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new ModelError("this line is no object", "Every line of such a trace is an object with t, cpu, task, pid, kind, ev and f.", place);
}

/** JSON.parse rounds what does not fit a double; whole numbers that do not are given to it as texts. */
function exactNumbers(text: string): string {
  if (!/\d{16}/.test(text)) return text;
  return text.replace(/"(?:[^"\\]|\\.)*"|(?<![\d.])-?\d{16,}(?![\d.eE])/g, (token) =>
    token.startsWith('"') ? token : JSON.stringify(wholeNumber(token)),
  );
}

function placeOf(line: Line, file: string, name: string) {
  return { file, line: line.number, column: Math.max(0, line.text.indexOf(`"${name}"`)) + 1 };
}
