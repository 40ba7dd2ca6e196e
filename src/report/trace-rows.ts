/** A trace as rows: who does what in which step, nested by calls. No widths yet; see `trace-text`. */
import { formatLocation } from "../lang/errors.js";
import type { State } from "../state/state.js";
import type { BlockEvent } from "../step/block.js";
import type { Machine } from "../step/machine.js";
import type { Trace, TraceStep } from "../trace/replay.js";
import { changeTexts } from "./changes.js";

export interface Row {
  /** Calls around it. */
  readonly depth: number;
  readonly text: string;
  /** Said after the text where there is room. */
  readonly aside?: string;
  readonly kind: "call" | "event" | "report";
}

export interface StepRows {
  /** From 1. */
  readonly number: number;
  readonly thread: number;
  readonly rows: readonly Row[];
  /** What the step changed, and the locks held after it if they are others than before. */
  readonly notes: readonly string[];
  /** `iommu.ts:214`: where the thread stood when the step began. */
  readonly place: string;
}

/** The rows of every step, in order. */
export function stepRows(machine: Machine, trace: Pick<Trace, "steps" | "states">): StepRows[] {
  const begun = new Set<number>();
  /** Mutexes each thread holds, in the order in which it took them. */
  const heldBefore = new Map<number, readonly number[]>();
  return trace.steps.map((step, position) => {
    const before = trace.states[position] as State;
    const after = trace.states[position + 1] ?? null;
    const rows: Row[] = [];
    if (!begun.has(step.thread)) {
      begun.add(step.thread);
      rows.push(...openingRows(machine, step));
    }
    rows.push(...eventRows(machine, step.events));
    const isOver = after !== null && machine.control(after, step.thread).kind === "finished";
    if (isOver) rows.push({ depth: 0, text: "}", kind: "call" });
    if (step.fault !== null) rows.push({ depth: step.openCalls.length, text: "the thread goes no further", kind: "report" });
    if (rows.length === 0) rows.push({ depth: step.openCalls.length, text: "·", kind: "event" });
    const notes = after === null ? [] : changeTexts(machine, step, before, after);
    const known = heldBefore.get(step.thread) ?? [];
    const held = [...known.filter((cell) => step.held.includes(cell)), ...step.held.filter((cell) => !known.includes(cell))];
    if (String(known) !== String(held)) notes.push(`held: ${held.map((cell) => machine.names.cell(cell)).join(", ") || "nothing"}`);
    heldBefore.set(step.thread, held);
    return { number: position + 1, thread: step.thread, rows, notes, place: placeOf(step) };
  });
}

/** The calls a thread is in when it first appears: its own procedure, and what it entered before it touched anything. */
function openingRows(machine: Machine, step: TraceStep): Row[] {
  const { procedure, parameters } = machine.threads[step.thread] as Machine["threads"][number];
  const name = step.openCalls[0] ?? procedure.name;
  const own: Row = { depth: 0, text: `${name}(${parameters.map((value) => machine.names.value(value)).join(", ")}) {`, kind: "call" };
  return [own, ...step.openCalls.slice(1).map((call, depth): Row => ({ depth: depth + 1, text: `${call}(…) {`, kind: "call" }))];
}

function eventRows(machine: Machine, events: readonly BlockEvent[]): Row[] {
  const { names } = machine;
  const rows: Row[] = [];
  /** Rows of the calls opened in this step and not yet closed, innermost last. */
  const open: { readonly row: number; readonly call: BlockEvent & { kind: "call" } }[] = [];
  for (const [position, event] of events.entries()) {
    const depth = event.depth + 1;
    switch (event.kind) {
      case "call":
        open.push({ row: rows.length, call: event });
        rows.push({ depth, text: `${event.procedure}(${event.parameters.map((value) => names.value(value)).join(", ")}) {`, kind: "call" });
        break;
      case "return": {
        const begun = open.pop();
        const result = event.result === undefined ? "" : ` = ${names.value(event.result)}`;
        const last = rows.at(-1);
        if (begun && last && begun.row === rows.length - 1) {
          rows[begun.row] = { ...last, text: last.text.replace(/ \{$/, result) };
        } else {
          // A brace whose opening is far away is hard to place by eye.
          rows.push({ depth, text: `}${result}`, kind: "call", ...(begun ? {} : { aside: `/* ${event.procedure} */` }) });
        }
        break;
      }
      case "lock":
      case "unlock":
        rows.push({ depth, text: `mutex_${event.kind}(${names.cell(event.cell)})`, kind: "call" });
        break;
      case "allocate":
        rows.push({ depth, text: `kzalloc() = ${names.cell(event.cell)}`, kind: "call" });
        break;
      case "free":
        rows.push({ depth, text: `kfree(${names.cell(event.cell)})`, kind: "call" });
        break;
      case "choice":
        // That nothing was made to fail is what a reader takes for granted.
        if (event.label === `${event.what} FAILS`) rows.push({ depth, text: event.label, kind: "report" });
        else if (event.label !== `${event.what} succeeds`) rows.push({ depth, text: `? ${choiceText(machine, event)}`, kind: "event" });
        break;
      case "observe":
        if (!repeatsCall(event, open.at(-1)?.call, events[position + 1])) {
          rows.push({ depth, text: `! ${event.event}${event.values.map((value) => ` ${names.value(value)}`).join("")}`, kind: "event" });
        }
        break;
      case "report":
        rows.push({ depth, text: `${event.report.check}: ${event.report.message}`, kind: "report" });
        break;
    }
  }
  return rows;
}

function choiceText(machine: Machine, { what, label }: BlockEvent & { kind: "choice" }): string {
  const pointer = /^&(.+):(\d+)$/.exec(label);
  return `${what}: ${pointer ? machine.names.object(machine.layout.schema.struct(pointer[1] as string), Number(pointer[2])) : label}`;
}

/** An observed driver callback is told already by its call, if that says the same values. */
function repeatsCall(
  event: BlockEvent & { kind: "observe" },
  call: (BlockEvent & { kind: "call" }) | undefined,
  next: BlockEvent | undefined,
) {
  if (event.event !== call?.procedure || next?.kind !== "return") return false;
  const told = [...call.parameters, next.result];
  return event.values.every((value) => told.includes(value as (typeof told)[number]));
}

function placeOf({ location }: TraceStep): string {
  if (location === null) return "";
  return formatLocation(location)
    .replace(/^.*[\\/]/, "")
    .replace(/:\d+$/, "");
}
