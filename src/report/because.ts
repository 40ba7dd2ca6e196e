/** What shows, in the last state of a trace, that a property is violated. */
import { FREED } from "../state/layout.js";
import { readCell, type State } from "../state/state.js";
import type { Machine } from "../step/machine.js";
import type { Trace } from "../trace/replay.js";
import { counted, enumerate } from "./wrap.js";

/** More values than this tell nobody anything. */
const VALUES_SHOWN = 8;

/** `group0.domain = dom2`, those that are set first, what is on lists last; the last entry may say how many more there are. */
export function becauseTexts(machine: Machine, trace: Pick<Trace, "because">): string[] {
  const { layout, names } = machine;
  const seen = new Set<number>();
  const cells = trace.because.filter(({ cell, code }) => {
    const info = layout.cells[cell];
    if (seen.has(cell)) return false;
    seen.add(cell);
    // That an object exists, where a list ends, and the lock of the property's window are no reason for anything.
    if (info?.kind === "liveness") return code === FREED;
    const kind = info?.kind === "field" ? info.field.spec.kind : null;
    return kind !== "mutex" && !(kind === "list" && code === 0);
  });
  const telling = cells.filter(({ cell, code }) => !isWayTo(machine, cell, code, cells));
  const isList = (cell: number) => {
    const info = layout.cells[cell];
    return info?.kind === "field" && info.field.spec.kind === "list";
  };
  const rank = ({ cell, code }: (typeof cells)[number]) => (isList(cell) ? 2 : code === 0 ? 1 : 0);
  const ordered = [...telling].sort((one, other) => rank(one) - rank(other));
  const texts = ordered
    .slice(0, VALUES_SHOWN)
    .map(({ cell, code }) =>
      layout.cells[cell]?.kind === "liveness" ? `${names.cell(cell)} is freed` : `${names.cell(cell)} = ${names.code(cell, code)}`,
    );
  return ordered.length > VALUES_SHOWN ? [...texts, `${ordered.length - VALUES_SHOWN} more`] : texts;
}

/** Whether the value is a pointer that was followed to another of the cells, which says more. */
function isWayTo({ layout }: Machine, cell: number, code: number, cells: readonly { readonly cell: number }[]): boolean {
  const info = layout.cells[cell];
  if (info?.kind !== "field" || code === 0) return false;
  const { spec, struct } = info.field;
  if (spec.kind !== "ref" && spec.kind !== "list") return false;
  const target = struct.schema.struct(spec.kind === "ref" ? spec.to : spec.of);
  return cells.some((other) => {
    const reached = layout.cells[other.cell];
    return other.cell !== cell && reached?.kind === "field" && reached.field.struct === target && reached.slot === code - 1;
  });
}

/** `dom2 freed at step 8 by qemu`, for every object that is freed in the last state and still referred to. */
export function freedTexts(machine: Machine, trace: Pick<Trace, "steps" | "states">): string[] {
  const { layout, names } = machine;
  const last = trace.states.at(-1) as State;
  return layout.cells.flatMap((cell, number) => {
    if (cell.kind !== "liveness" || readCell(layout, last, number) !== FREED) return [];
    const when = trace.steps.findLastIndex(({ events }) => events.some((event) => event.kind === "free" && event.cell === number));
    if (when < 0) return [`${names.cell(number)} freed`];
    return [`${names.cell(number)} freed at step ${when + 1} by ${names.threads[trace.steps[when]?.thread as number]}`];
  });
}

/** `8 steps, 2 threads (qemu and udev), 1 change of thread`. */
export function lengthText(machine: Machine, steps: readonly { readonly thread: number }[]): string {
  const threads = [...new Set(steps.map(({ thread }) => thread))].sort((one, other) => one - other);
  const changes = steps.filter(({ thread }, position) => position > 0 && thread !== steps[position - 1]?.thread).length;
  const who = threads.map((thread) => machine.names.threads[thread] as string);
  const parts = [counted(steps.length, "step")];
  if (who.length > 0) parts.push(`${counted(who.length, "thread")} (${enumerate(who)})`);
  if (who.length > 1) parts.push(counted(changes, "change of thread", "changes of thread"));
  return parts.join(", ");
}
