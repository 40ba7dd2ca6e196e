/** The function_graph tracer: who calls whom, by braces. */
import { eventRecord, type Moment, mark, printedValue } from "./events.js";
import { callerName, cleanFields, functionName, type TraceFields, type TraceRecord } from "./record.js";

/** ` 0)  bash-1234  |   1.5 us |  …`, before it the clock if it is recorded; the task only with the option funcgraph-proc. */
const GRAPH_LINE = /^\s*(?:(?<seconds>\d+\.\d+)\s+\|\s+)?(?<cpu>\d+)\)\s+(?:(?<task>\S.*)-(?<pid>\d+)\s+\|)?(?<rest>.*)$/s;

/** What stands before the code: the flags of interrupts, how long it took, nothing. */
const COLUMNS = /^(?:\s*(?:[.\w#]{4,6}|[-+!#*@$]?\s*[\d.]+\s*us|)\s*\|)*\s*/;

/** What is said between two tasks of a CPU. */
const SWITCH = /^\s*(?:-{20,}|\d+\)\s+\S+-\d+\s+=>\s+\S.*-\d+)\s*$/;

export interface GraphLine {
  readonly seconds: number | null;
  readonly cpu: number;
  /** Null where the trace was taken without the option that tells it. */
  readonly task: { readonly name: string; readonly pid: number } | null;
  readonly code: string;
}

/** Says that the CPU goes on with another task; nothing is lost by leaving it out. */
export function isTaskSwitch(text: string): boolean {
  return SWITCH.test(text);
}

/** The parts of a line of the tracer's own output; null if it is none. */
export function graphLine(text: string): GraphLine | null {
  const parts = GRAPH_LINE.exec(text)?.groups;
  if (parts === undefined) return null;
  const { seconds, cpu, task, pid, rest } = parts;
  return {
    seconds: seconds === undefined ? null : Number(seconds),
    cpu: Number(cpu),
    task: task === undefined ? null : { name: task, pid: Number(pid) },
    code: codeOf(rest as string),
  };
}

/** The code of a line, without the columns before it. */
export function codeOf(text: string): string {
  return text.replace(COLUMNS, "").trimEnd();
}

/** Functions that each task is in, which alone say what a closing brace ends. */
export class CallStacks {
  readonly #stacks = new Map<string, string[]>();

  /** The records of a line: two of a function that calls none that is traced, none of the end of one that began before the trace. */
  records(moment: Moment, code: string): readonly TraceRecord[] {
    const stack = this.#stackOf(moment);
    const called = /^([^\s(]+)\((.*?)\)\s*(\{|;)\s*(?:\/\*\s*(.*?)\s*\*\/)?$/s.exec(code);
    if (called !== null) {
      const [, symbol, parameters, end, note] = called as unknown as [string, string, string, string, string | undefined];
      const event = functionName(symbol);
      const from = /<-\s*(\S+)/.exec(note ?? "")?.[1];
      const caller = from === undefined ? (stack.at(-1) ?? null) : callerName(from);
      const call: TraceRecord = { ...moment, kind: "call", event, caller, fields: cleanFields(argumentsOf(parameters)) };
      if (end === ";") return [call, { ...moment, kind: "return", event, caller, fields: resultOf(note) }];
      stack.push(event);
      return [call];
    }
    const left = /^\}\s*(?:\/\*\s*(.*?)\s*\*\/)?$/s.exec(code);
    if (left !== null) {
      const told = /^[A-Za-z_][\w.]*/.exec(left[1] ?? "")?.[0];
      const event = told === undefined ? stack.at(-1) : functionName(told);
      if (event === undefined || !stack.includes(event)) return [];
      while (stack.pop() !== event);
      return [{ ...moment, kind: "return", event, caller: stack.at(-1) ?? null, fields: resultOf(left[1]) }];
    }
    const comment = /^\/\*\s*(.*?)\s*\*\/$/s.exec(code)?.[1];
    if (comment === undefined) return [];
    const event = /^([\w.]+):\s+(.*)$/s.exec(comment);
    return [event === null ? mark(moment, comment) : eventRecord(moment, event[1] as string, event[2] as string)];
  }

  /** Every CPU has an idle task of its own, all with the id 0. */
  #stackOf({ pid, cpu }: Moment): string[] {
    const key = pid === 0 ? `idle ${cpu}` : String(pid);
    const stack = this.#stacks.get(key) ?? [];
    this.#stacks.set(key, stack);
    return stack;
  }
}

/** `dev=0xffff…, type=3`, with the option func-args. */
function argumentsOf(text: string): TraceFields {
  return Object.fromEntries(
    [...text.matchAll(/(\w+)=("[^"]*"|[^,\s]+)/g)].map(([, name, value]) => [name as string, printedValue(value as string)]),
  );
}

/**
 * `= -22`, `ret=-22` or `f = 0x0`, with the option funcgraph-retval, which knows no types: what is too small for a pointer is a
 * number, and a function without a result has one too.
 */
function resultOf(note: string | undefined): TraceFields {
  const value = /(?:= |ret=)(-?\w+)/.exec(note ?? "")?.[1];
  if (value === undefined) return {};
  const number = Number(value);
  return cleanFields({ ret: Math.abs(number) < 2 ** 31 ? number : value });
}
