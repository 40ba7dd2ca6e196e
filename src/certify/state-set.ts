/** The set of states of a certificate, as a machine understands it: its states, and whether some state is one of them. */
import { blankState, readCell, type State, writeCell } from "../state/state.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { BODY_LINE, bytesFor, type Certificate, recordBytes } from "./certificate.js";

export class StateSet {
  readonly count: number;
  readonly #bytes: number;
  /** Numbers of the states, by their records as text of one character a byte. */
  readonly #numbers = new Map<string, number>();
  /** By thread, the number of each place. */
  readonly #places: readonly ReadonlyMap<string, number>[];
  /** By thread, the control states that the machine has come to so far, by the number of their place. */
  readonly #controls: Control[][];
  /** The numbers of those places; -1 for one that is not in the list. */
  readonly #placeNumbers = new Map<Control, number>();
  readonly #draft: Buffer;

  /** Throws a ModelError if these are no states of the machine, or one is written twice. */
  constructor(
    readonly machine: Machine,
    readonly certificate: Certificate,
    readonly placeOf: (control: Control) => string,
  ) {
    const { form, records, claims, damaged } = certificate;
    const { layout, names } = machine;
    const cellsAgree = form.cells.length === layout.cells.length && form.cells.every(({ name }, cell) => name === names.cell(cell));
    const threadsAgree =
      form.threads.length === names.threads.length && form.threads.every(({ name }, thread) => name === names.threads[thread]);
    if (!cellsAgree || !threadsAgree) throw damaged("the states of the certificate have other parts than those of the design", BODY_LINE);
    this.count = claims.states;
    this.#bytes = recordBytes(form);
    this.#draft = Buffer.alloc(this.#bytes);
    this.#places = form.threads.map(({ places }) => new Map(places.map((place, number) => [place, number])));
    this.#controls = form.threads.map(() => []);
    for (let number = 0; number < this.count; number++) {
      const record = records.toString("latin1", number * this.#bytes, (number + 1) * this.#bytes);
      const before = this.#numbers.get(record);
      if (before !== undefined) throw damaged(`state ${number} of the certificate is state ${before} again`, BODY_LINE);
      this.#numbers.set(record, number);
    }
  }

  /** Number of the state, or -1 if it is none of the set. */
  find(state: State): number {
    const { layout, threads } = this.machine;
    const { form } = this.certificate;
    const draft = this.#draft;
    let at = 0;
    for (let cell = 0; cell < form.cells.length; cell++) {
      const column = form.cells[cell] as (typeof form.cells)[number];
      const code = readCell(layout, state, cell);
      if ("value" in column) {
        if (code !== column.value) return -1;
      } else if (bytesFor(code + 1) > column.bytes) return -1;
      else at = draft.writeUIntLE(code, at, column.bytes);
    }
    for (let thread = 0; thread < threads.length; thread++) {
      const place = this.#numberOfPlace(this.machine.control(state, thread));
      if (place < 0) return -1;
      at = draft.writeUIntLE(place, at, form.threads[thread]?.bytes as number);
    }
    return this.#numbers.get(draft.toString("latin1")) ?? -1;
  }

  /**
   * The state of that number; null if a thread stands where no step from the states before has led one, so that there is no
   * way to have it go on from there. Throws a ModelError if it holds a value that it cannot hold.
   */
  at(number: number): State | null {
    const { layout, names } = this.machine;
    const { form, records, damaged } = this.certificate;
    const state = blankState(layout);
    let at = number * this.#bytes;
    const next = (bytes: number) => {
      at += bytes;
      return records.readUIntLE(at - bytes, bytes);
    };
    for (const [cell, column] of form.cells.entries()) {
      const code = "value" in column ? column.value : next(column.bytes);
      if (code >= (layout.cells[cell]?.size as number))
        throw damaged(`state ${number} of the certificate has no ${names.cell(cell)}`, BODY_LINE);
      if (code !== 0) writeCell(layout, state, cell, code);
    }
    for (const [thread, { bytes }] of form.threads.entries()) {
      const control = this.#controls[thread]?.[next(bytes)];
      if (control === undefined) return null;
      state.threads[thread] = control.number;
    }
    return state as State;
  }

  #numberOfPlace(control: Control): number {
    const known = this.#placeNumbers.get(control);
    if (known !== undefined) return known;
    const number = this.#places[control.thread]?.get(this.placeOf(control)) ?? -1;
    this.#placeNumbers.set(control, number);
    if (number >= 0) (this.#controls[control.thread] as Control[])[number] = control;
    return number;
  }
}
