/** Freed slots of packed states: free again, once nothing refers to them. */
import type { StructInfo } from "../lang/schema.js";
import { FREE, FREED } from "../state/layout.js";
import { get, type Place, put } from "../state/packing.js";
import { type Control, refersTo } from "../step/control.js";
import type { Learner } from "./learner.js";

/** A slot of an allocated struct, with everything that can refer to it. */
interface DynamicSlot {
  readonly struct: StructInfo;
  readonly slot: number;
  readonly liveness: Place;
  readonly pointers: readonly { readonly place: Place; readonly code: number }[];
  /** By thread and control state number, as far as that was asked: whether a local refers to the slot. */
  readonly inLocals: readonly boolean[][];
}

export class FreedSlots {
  readonly #slots: readonly DynamicSlot[];
  /** The bits that say that a slot is freed. */
  readonly freedBits: Uint32Array;

  constructor(readonly learner: Learner) {
    this.#slots = this.#findSlots();
    this.freedBits = new Uint32Array(learner.packing.words);
    for (const { liveness } of this.#slots) put(this.freedBits, liveness, FREED);
  }

  /** Turns freed slots that nothing refers to into free ones; most states have no freed slot, which the first loop sees. */
  normalise(next: Uint32Array): void {
    const freedBits = this.freedBits;
    let freed = 0;
    for (let word = 0; word < freedBits.length; word++) freed |= (next[word] as number) & (freedBits[word] as number);
    if (freed === 0) return;
    for (let number = 0; number < this.#slots.length; number++) {
      const slot = this.#slots[number] as DynamicSlot;
      if (get(next, slot.liveness) === FREED && !isPointedTo(next, slot) && !this.#isInLocal(next, slot)) put(next, slot.liveness, FREE);
    }
  }

  #isInLocal(words: Uint32Array, { struct, slot, inLocals }: DynamicSlot): boolean {
    const { registers } = this.learner.machine;
    for (let thread = 0; thread < registers.length; thread++) {
      const number = this.learner.controlNumber(words, thread);
      const known = inLocals[thread] as boolean[];
      known[number] ??= refersTo(registers[thread]?.controls[number] as Control, struct, slot);
      if (known[number]) return true;
    }
    return false;
  }

  #findSlots(): DynamicSlot[] {
    const { layout } = this.learner.machine;
    const { packing } = this.learner;
    return layout.schema.structs.flatMap((struct) =>
      Array.from({ length: layout.slots(struct) }, (_, slot) => slot).flatMap((slot): DynamicSlot[] => {
        const cell = layout.livenessCell(struct, slot);
        if (cell < 0) return [];
        const pointers = (layout.pointers[struct.number] ?? [])
          .filter(({ member }) => member < 0 || member === slot)
          .map(({ cell: pointer, member }) => ({ place: packing.cells[pointer] as Place, code: member < 0 ? slot + 1 : 1 }));
        const inLocals = this.learner.machine.threads.map(() => []);
        return [{ struct, slot, liveness: packing.cells[cell] as Place, pointers, inLocals }];
      }),
    );
  }
}

function isPointedTo(words: Uint32Array, { pointers }: DynamicSlot): boolean {
  for (let number = 0; number < pointers.length; number++) {
    const { place, code } = pointers[number] as DynamicSlot["pointers"][number];
    if (get(words, place) === code) return true;
  }
  return false;
}
