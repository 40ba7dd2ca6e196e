/**
 * A trace for people, after ftrace's function_graph: a lane per thread, calls nested by indentation, and beside
 * each step what it changed. Only one thread moves in a step, so a row may run over the lanes to its right,
 * which are empty there: even three threads fit a narrow terminal.
 */
import type { Machine } from "../step/machine.js";
import type { Trace } from "../trace/replay.js";
import { type Look, NARROW, NARROWEST } from "./style.js";
import { type StepRows, stepRows } from "./trace-rows.js";
import { padEnd, widthOf, wrap, wrapCall } from "./wrap.js";

/** Width from which changes stand beside the calls; in a narrower terminal they stand below them. */
const BESIDE = 96;
/** Least room for the calls of the last lane; with less, there are no lanes. */
const LEAST_LANE = 34;
const NUMBER = 5;

interface Plan {
  /** Column where each thread's calls begin; all 0 without lanes. */
  readonly offsets: readonly number[];
  readonly hasLanes: boolean;
  /** Columns for the calls. */
  readonly calls: number;
  /** Columns for the changes; 0 if they stand below. */
  readonly notes: number;
  /** Columns for the places, with what sets them off; 0 if they stand below. */
  readonly places: number;
  readonly indent: number;
}

/** The lines of the trace, without a heading. */
export function traceLines(machine: Machine, trace: Pick<Trace, "steps" | "states">, look: Look): string[] {
  const steps = stepRows(machine, trace);
  const threads = [...new Set(steps.map(({ thread }) => thread))].sort((one, other) => one - other);
  const names = threads.map((thread) => machine.names.threads[thread] as string);
  const lane = new Map(threads.map((thread, position) => [thread, position]));
  const plan = planOf(steps, names, lane, look.width);
  const { style } = look;
  const lines: string[] = [];
  if (plan.hasLanes) {
    const heading = names.reduce((line, name, position) => padEnd(line, plan.offsets[position] as number) + name, "");
    const right = plan.notes > 0 ? `${padEnd(heading, plan.calls)} │ changes` : heading;
    lines.push(style.bold(`${" ".repeat(NUMBER)}${right}`));
  }
  for (const step of steps) {
    const position = lane.get(step.thread) as number;
    lines.push(...stepLines(step, position, names[position] as string, plan, look));
  }
  return lines;
}

function planOf(steps: readonly StepRows[], names: readonly string[], lane: ReadonlyMap<number, number>, width: number): Plan {
  const longest = (texts: readonly string[]) => Math.max(0, ...texts.map(widthOf));
  const places = width < NARROW ? 0 : longest(steps.map(({ place }) => place)) + 2;
  const isBeside = width >= BESIDE;
  const longestNote = longest(steps.flatMap(({ notes }) => notes));
  const notes = isBeside ? Math.min(longestNote, Math.max(28, Math.floor(width * 0.32))) : 0;
  const room = isBeside ? width - NUMBER - 3 - notes - places : width - NUMBER - places;
  const deepest = Math.max(0, ...steps.flatMap(({ rows }) => rows.map(({ depth }) => depth)));
  const indent = room - 2 * deepest >= LEAST_LANE ? 2 : 1;
  const needs = names.map((_, position) =>
    longest(
      steps
        .filter(({ thread }) => lane.get(thread) === position)
        .flatMap(({ rows }) => rows.map(({ depth, text }) => " ".repeat(depth * indent) + text)),
    ),
  );
  const total = needs.reduce((sum, need) => sum + need + 2, -2);
  const least = names.map((name) => widthOf(name) + 2);
  const spareForLast = room - least.slice(0, -1).reduce((sum, need) => sum + need, 0);
  const hasLanes = names.length < 2 || spareForLast >= Math.min(LEAST_LANE, needs.at(-1) as number);
  let calls = Math.max(room, NARROWEST - NUMBER);
  if (isBeside) calls = Math.min(calls, Math.max(total, 30));
  const offsets: number[] = [];
  let offset = 0;
  for (const position of names.keys()) {
    offsets.push(hasLanes ? offset : 0);
    // A full column if all fit side by side; otherwise as far right as leaves room for what is still to come.
    const rest = Math.max(...needs.slice(position + 1), 0);
    const laterNames = least.slice(position + 1, -1).reduce((sum, need) => sum + need, 0);
    const wanted = Math.min((needs[position] as number) + 2, calls - rest - laterNames - offset);
    offset += total <= calls ? (needs[position] as number) + 2 : Math.max(least[position] as number, wanted);
  }
  return { offsets, hasLanes, calls, notes, places, indent };
}

function stepLines(step: StepRows, position: number, name: string, plan: Plan, { style }: Look): string[] {
  const offset = plan.hasLanes ? (plan.offsets[position] as number) : 0;
  const left = step.rows.flatMap(({ depth, text, aside, kind }) => {
    const before = plan.hasLanes ? " ".repeat(offset) : `${name}: `;
    const indent = before + " ".repeat(depth * plan.indent);
    const room = Math.max(16, plan.calls - widthOf(indent));
    const whole = aside !== undefined && widthOf(text) + widthOf(aside) + 2 <= room ? `${text}  ${aside}` : text;
    return wrapCall(whole, room, 4).map((line) => ({ text: indent + line, isReport: kind === "report" }));
  });
  const paint = (isReport: boolean, text: string) => (isReport ? style.bad(text) : text);
  const number = String(step.number).padStart(NUMBER - 2);
  if (plan.notes === 0) {
    const lines = left.map(({ text, isReport }, line) => {
      const numbered = `${line === 0 ? number : " ".repeat(NUMBER - 2)}  `;
      const place = line === 0 && plan.places > 0 ? style.dim(`  ${step.place}`) : "";
      return `${numbered}${paint(isReport, line === 0 ? padEnd(text, plan.calls) : text)}${place}`.trimEnd();
    });
    const notes = plan.places > 0 || step.place === "" ? step.notes : [...step.notes, `at ${step.place}`];
    const below = notes.flatMap((note) => wrap(`~ ${note}`, plan.calls + plan.places - offset - 2, 4));
    return [...lines, ...below.map((line) => style.dim(`${" ".repeat(NUMBER + offset + 2)}${line}`))];
  }
  const right = step.notes.flatMap((note) => wrap(note, plan.notes, 2));
  return Array.from({ length: Math.max(left.length, right.length) }, (_, line) => {
    const { text, isReport } = left[line] ?? { text: "", isReport: false };
    const cells = [
      `${line === 0 ? number : " ".repeat(NUMBER - 2)}  `,
      paint(isReport, padEnd(text, plan.calls)),
      style.dim(" │ "),
      padEnd(right[line] ?? "", plan.notes),
      line === 0 ? style.dim(`  ${step.place}`) : "",
    ];
    return cells.join("").trimEnd();
  });
}
