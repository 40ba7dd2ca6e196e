/** A trace as a Mermaid sequence diagram: a participant for each thread, active while it holds a mutex; the violated sentence last. */
import { becauseTexts } from "./because.js";
import { claimText } from "./finding-text.js";
import type { Shown, Subject } from "./shown.js";
import { type StepRows, stepRows } from "./trace-rows.js";
import { wrap } from "./wrap.js";

/** Characters in a line of a message or note. */
const WIDTH = 60;

/** The diagram's lines, without a fence. */
export function sequenceDiagram({ suite, machine }: Pick<Subject, "suite" | "machine">, { findings, trace }: Shown): string[] {
  const steps = stepRows(machine, trace);
  const threads = [...new Set(steps.map(({ thread }) => thread))].sort((one, other) => one - other);
  const held = new Map<number, number>();
  const lines = ["sequenceDiagram", "  autonumber"];
  lines.push(...threads.map((thread) => `  participant T${thread} as ${label([machine.names.threads[thread] as string])}`));
  for (const [position, step] of steps.entries()) {
    const { thread, notes } = step;
    const who = `T${thread}`;
    lines.push(`  ${who}->>${who}: ${label(callTexts(step))}`);
    const after = trace.steps[position]?.held.length ?? 0;
    const before = held.get(thread) ?? 0;
    held.set(thread, after);
    lines.push(...activations(who, after - before));
    if (notes.length > 0) lines.push(`  Note over ${who}: ${label(notes)}`);
  }
  const all = threads.length < 2 ? `T${threads[0] ?? 0}` : `T${threads[0]},T${threads.at(-1)}`;
  // A path of no steps has no thread to write over.
  if (threads.length === 0) lines.push("  participant T0 as the initial state");
  for (const { finding, trace: shown } of findings) {
    lines.push(`  Note over ${all}: ${label([`VIOLATED ${claimText(suite, finding)}`, ...becauseTexts(machine, shown)])}`);
  }
  // What is still held is drawn to the end.
  for (const thread of threads) lines.push(...activations(`T${thread}`, -(held.get(thread) ?? 0)));
  return lines;
}

function activations(who: string, more: number): string[] {
  return Array.from({ length: Math.abs(more) }, () => `  ${more > 0 ? "activate" : "deactivate"} ${who}`);
}

/** What a step does, without the brackets that nest it: the diagram does not. */
function callTexts({ rows, place }: StepRows): string[] {
  const texts = rows.flatMap(({ text, aside = "" }) => {
    if (text === "}") return [];
    const returned = /^\} = (.*)$/.exec(text);
    if (returned === null) return [text.replace(/ \{$/, "")];
    const procedure = /\/\* (.*) \*\//.exec(aside)?.[1];
    return procedure === undefined ? [] : [`${procedure} returns ${returned[1]}`];
  });
  return [...(texts.length > 0 ? texts : ["·"]), ...(place === "" ? [] : [place])];
}

/** Lines of text as Mermaid takes them: what could mean something to it, to HTML or to Markdown is written by its number. */
function label(texts: readonly string[]): string {
  const lines = texts.flatMap((text) => wrap(text.replace(/\s+/g, " "), WIDTH, 2)).map((line) => line.trim());
  const escaped = lines.map((line) => [...line].map((character) => (SAFE.test(character) ? character : codeOf(character))).join(""));
  const whole = escaped.join("<br/>");
  // These words at the beginning are directions to Mermaid.
  return whole.trim() === "" ? "·" : whole.replace(/^(no)?wrap:/i, (word) => word.replace(":", "#58;"));
}

const SAFE = /[\w .,:()[\]{}=/+*!?→·–…-]/;

function codeOf(character: string): string {
  const code = character.codePointAt(0) as number;
  // Half a character, and what no document may hold, are shown as one that is missing.
  return `#${(code >= 0xd800 && code <= 0xdfff) || code < 32 ? 0xfffd : code};`;
}
