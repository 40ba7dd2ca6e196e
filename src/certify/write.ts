/** Writes the states that a run has reached in the form of a certificate. */
import type { CellView } from "../state/state.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { bytesFor, type Column, type Form, recordBytes } from "./certificate.js";

/** What an engine has reached: the initial state, then each state behind one that leads to it. */
export interface ReachedStates {
  readonly count: number;
  stateAt(number: number): CellView;
}

export interface WrittenStates {
  readonly form: Form;
  readonly records: Buffer;
}

/** States between two words about how far it is. */
const TELL_EVERY = 4096;

/** `placeOf` calls where a thread stands by a name that means the same everywhere. Yields now and then how many states are done: half of each when it is known what changes in it, half when it is written. */
export function* writeStates(
  machine: Machine,
  { count, stateAt }: ReachedStates,
  placeOf: (control: Control) => string,
): Generator<number, WrittenStates> {
  const { layout, names } = machine;
  const first = stateAt(0);
  const varies = layout.cells.map(() => false);
  /** By thread, the number of each control state in the list of places, by its number in the thread's register. */
  const places = machine.threads.map(() => new Map<number, number>());
  for (let number = 0; number < count; number++) {
    if (number % TELL_EVERY === 0) yield number / 2;
    const state = stateAt(number);
    for (let cell = 0; cell < varies.length; cell++) varies[cell] ||= state.cell(cell) !== first.cell(cell);
    for (const [thread, own] of places.entries()) {
      const control = state.threads[thread] as number;
      if (!own.has(control)) own.set(control, own.size);
    }
  }
  const form: Form = {
    cells: layout.cells.map(({ size }, cell): Column => {
      const name = names.cell(cell);
      return varies[cell] ? { name, bytes: bytesFor(size) } : { name, value: first.cell(cell) };
    }),
    threads: places.map((own, thread) => ({
      name: names.threads[thread] as string,
      bytes: bytesFor(own.size),
      places: [...own.keys()].map((control) => placeOf(machine.registers[thread]?.controls[control] as Control)),
    })),
  };
  const records = Buffer.alloc(recordBytes(form) * count);
  let at = 0;
  for (let number = 0; number < count; number++) {
    if (number % TELL_EVERY === 0) yield (count + number) / 2;
    const state = stateAt(number);
    for (const [cell, column] of form.cells.entries()) if ("bytes" in column) at = records.writeUIntLE(state.cell(cell), at, column.bytes);
    for (const [thread, { bytes }] of form.threads.entries()) {
      at = records.writeUIntLE(places[thread]?.get(state.threads[thread] as number) as number, at, bytes);
    }
  }
  return { form, records };
}
