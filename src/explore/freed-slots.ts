/**
 * Freed slots of packed states are free again once nothing refers to them. The core sees to that (`normalise`); this
 * lays out for it what can refer to which slot.
 */
import type { StructInfo } from "../lang/schema.js";
import { FREED } from "../state/layout.js";
import { numbersOf, type Place, put } from "../state/packing.js";
import { type Control, refersTo } from "../step/control.js";
import type { Core } from "./core.js";
import type { Learner } from "./learner.js";

/** A slot of an allocated struct, with every pointer that can be to it. */
interface DynamicSlot {
  readonly struct: StructInfo;
  readonly slot: number;
  readonly liveness: Place;
  readonly pointers: readonly { readonly place: Place; readonly code: number }[];
}

export class FreedSlots {
  readonly #core: Core;
  readonly #slots: readonly DynamicSlot[];
  /** 32-bit words of a set of slots. */
  readonly #setWords: number;
  /** By thread where its sets are, and these: by control state number the slots that a local refers to. */
  readonly #setsAt: Uint32Array;
  readonly #sets: Uint32Array[];
  /** By thread, of how many control states the sets are known. */
  readonly #known: number[];
  /** What else is allocated. */
  readonly #tables: readonly Uint32Array[];

  constructor(
    readonly learner: Learner,
    core: Core,
  ) {
    const { packing, machine } = learner;
    this.#core = core;
    this.#slots = dynamicSlots(learner);
    this.#setWords = Math.ceil(this.#slots.length / 32);
    this.#sets = machine.threads.map(() => learner.memory.allocateWords(this.#setWords));
    this.#known = machine.threads.map(() => 0);
    this.#setsAt = learner.memory.allocateWords(machine.threads.length);
    const freedBits = learner.memory.allocateWords(packing.words);
    for (const { liveness } of this.#slots) put(freedBits, liveness, FREED);
    const pointers = learner.memory.allocateWords(this.#slots.reduce((sum, slot) => sum + slot.pointers.length, 0) * 4);
    const rows = learner.memory.allocateWords(this.#slots.length * 5);
    let used = 0;
    for (const [number, slot] of this.#slots.entries()) {
      rows.set([...numbersOf(slot.liveness), pointers.byteOffset + used * 4, slot.pointers.length], number * 5);
      for (const { place, code } of slot.pointers) {
        pointers.set([...numbersOf(place), code], used);
        used += 4;
      }
    }
    this.#tables = [this.#setsAt, freedBits, pointers, rows];
    core.threads.value = machine.threads.length;
    core.threadTable.value = learner.threadTable.byteOffset;
    core.freedBits.value = freedBits.byteOffset;
    core.freedSlots.value = this.#slots.length;
    core.freedSlotTable.value = rows.byteOffset;
    core.localsTable.value = this.#setsAt.byteOffset;
    core.localsWords.value = this.#setWords;
    this.follow();
  }

  /** Makes slots free in the state, which is in the memory. */
  normalise(state: Uint32Array): void {
    this.follow();
    this.#core.normalise(state.byteOffset);
  }

  /** Lets the core know of control states that have come. */
  follow(): void {
    for (const [thread, { controls }] of this.learner.machine.registers.entries()) {
      for (let number = this.#known[thread] as number; number < controls.length; number++) {
        this.#note(thread, number, controls[number] as Control);
      }
      this.#known[thread] = controls.length;
    }
  }

  release(): void {
    this.learner.memory.releaseAll([...this.#tables, ...this.#sets]);
  }

  #note(thread: number, number: number, control: Control): void {
    const words = this.#setWords;
    let sets = this.#sets[thread] as Uint32Array;
    if ((number + 1) * words > sets.length) sets = this.learner.memory.enlarge(sets, 2 * (number + 1) * words);
    this.#sets[thread] = sets;
    this.#setsAt[thread] = sets.byteOffset;
    for (const [bit, { struct, slot }] of this.#slots.entries()) {
      const word = number * words + (bit >>> 5);
      if (refersTo(control, struct, slot)) sets[word] = (sets[word] as number) | (1 << (bit & 31));
    }
  }
}

function dynamicSlots({ machine, packing }: Learner): DynamicSlot[] {
  const { layout } = machine;
  return layout.schema.structs.flatMap((struct) =>
    Array.from({ length: layout.slots(struct) }, (_, slot) => slot).flatMap((slot): DynamicSlot[] => {
      const cell = layout.livenessCell(struct, slot);
      if (cell < 0) return [];
      const pointers = (layout.pointers[struct.number] ?? [])
        .filter(({ member }) => member < 0 || member === slot)
        .map(({ cell: pointer, member }) => ({ place: packing.cells[pointer] as Place, code: member < 0 ? slot + 1 : 1 }));
      return [{ struct, slot, liveness: packing.cells[cell] as Place, pointers }];
    }),
  );
}
