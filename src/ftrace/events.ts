/** What stands behind the task and the clock in a line of ftrace's text: `iommu_device_register: (iommu_device_register+0x4/0x2b0) i=0x…`. */
import { callerName, cleanFields, type TraceFields, type TraceRecord, type TraceValue, wholeNumber } from "./record.js";

/** What a line says besides what happened. */
export type Moment = Pick<TraceRecord, "line" | "seconds" | "cpu" | "task" | "pid">;

/** The record of an event that is no line of the function_graph tracer. */
export function eventRecord(moment: Moment, event: string, text: string): TraceRecord {
  if (MARKS.includes(event)) return mark(moment, text.replace(/^tracing_mark_write: /, ""));
  const probe = /^\(([^)]*)\)\s*(.*)$/s.exec(text);
  if (probe === null) return { ...moment, kind: "tracepoint", event, caller: null, fields: tracepointFields(text) };
  const [, place, fields] = probe as unknown as [string, string, string];
  const [caller, ofReturn] = place.split(/\s*<-\s*/);
  return {
    ...moment,
    kind: ofReturn === undefined ? "call" : "return",
    event: probedFunction(event),
    caller: ofReturn === undefined ? null : callerName(caller as string),
    fields: cleanFields(probeFields(fields)),
  };
}

/** Names of what is written to `trace_marker`; the second is trace-cmd's. */
const MARKS = ["tracing_mark_write", "print"];

export function mark(moment: Moment, text: string): TraceRecord {
  return { ...moment, kind: "mark", event: "mark", caller: null, fields: { text } };
}

/** The function of a probe by the name of its event: `f`, `f_ret`, `f__return` or, if nobody named it, `p_f_0`. */
function probedFunction(event: string): string {
  const own = /^[pr]_(\w+)_(?:0x)?[\da-f]+$/.exec(event);
  return own !== null ? (own[1] as string) : event.replace(/(?:_ret|__return)$/, "");
}

/** `name=value` of a probe; a text, `"…"`, may have anything in it. */
function probeFields(text: string): TraceFields {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)=("[^"]*"|\(fault\)|\S+)/g)].map(([, name, value]) => [name, printedValue(value as string)]),
  );
}

/** `name=value` and `name=from - to`, which is told as name and name_end. */
export function tracepointFields(text: string): TraceFields {
  const fault = /^IOMMU:(\S+) (\S+) iova=(\S+) flags=(\S+)$/.exec(text);
  if (fault !== null) {
    const [, driver, device, iova, flags] = fault as unknown as [string, string, string, string, string];
    return { driver, device, iova, flags };
  }
  const fields: Record<string, TraceValue> = {};
  for (const [, name, value, end] of text.matchAll(/(\w+)=(\S+)(?: - (\S+))?/g)) {
    fields[name as string] = printedValue(value as string);
    if (end !== undefined) fields[`${name}_end`] = printedValue(end);
  }
  return Object.keys(fields).length === 0 ? { text } : fields;
}

/** A value as it is printed; null for what could not be read. */
export function printedValue(text: string): TraceValue {
  if (text.startsWith('"')) return text.slice(1, -1);
  if (text === "(fault)") return null;
  return /^-?\d+$/.test(text) ? wholeNumber(text) : text;
}
