/**
 * Which mutexes a thread is sure to hold where it stands, whatever way it came there: worked out along the paths that
 * have been learned. Mutexes are bits, in the order of the layout.
 */
import type { Layout } from "../state/layout.js";
import { readCell } from "../state/state.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";

/** A step, as far as it takes locks and gives them back. */
export interface LockedStep {
  readonly control: Control;
  /** Null if it leads nowhere. */
  readonly next: Control | null;
  /** Code that it leaves in each cell that it writes. */
  readonly writes: ReadonlyMap<number, number>;
}

/** The bit of the mutex in that cell; 0 if it is no mutex. */
export function lockBits({ mutexCells }: Layout, cell: number): bigint {
  const position = mutexCells.indexOf(cell);
  return position < 0 ? 0n : 1n << BigInt(position);
}

export class Locksets {
  readonly #held = new Map<Control, bigint>();

  constructor(
    readonly machine: Machine,
    steps: Iterable<LockedStep>,
  ) {
    const { layout, initial, threads } = machine;
    const leaving = new Map<Control, { readonly next: Control; readonly taken: bigint; readonly given: bigint }[]>();
    for (const { control, next, writes } of steps) {
      if (next === null) continue;
      let taken = 0n;
      let given = 0n;
      for (const [cell, code] of writes) {
        if (code === control.thread + 1) taken |= lockBits(layout, cell);
        else given |= lockBits(layout, cell);
      }
      const known = leaving.get(control);
      if (known) known.push({ next, taken, given });
      else leaving.set(control, [{ next, taken, given }]);
    }
    const waiting: Control[] = [];
    const arrive = (control: Control, held: bigint) => {
      const before = this.#held.get(control);
      const now = before === undefined ? held : before & held;
      if (now === before) return;
      this.#held.set(control, now);
      waiting.push(control);
    };
    for (const thread of threads.keys()) {
      const mine = layout.mutexCells.filter((cell) => readCell(layout, initial, cell) === thread + 1);
      arrive(
        machine.control(initial, thread),
        mine.reduce((held, cell) => held | lockBits(layout, cell), 0n),
      );
    }
    for (let control = waiting.pop(); control !== undefined; control = waiting.pop()) {
      const held = this.#held.get(control) as bigint;
      for (const { next, taken, given } of leaving.get(control) ?? []) arrive(next, (held & ~given) | taken);
    }
  }

  /** Mutexes that the thread holds there. */
  heldAt(control: Control): bigint {
    return this.#held.get(control) ?? 0n;
  }

  /** Mutexes that nobody else holds when the thread goes on from there: those that it holds, and the one that it waits for. */
  guardsOf(control: Control): bigint {
    return this.heldAt(control) | (control.kind === "lock" ? lockBits(this.machine.layout, control.mutexCell) : 0n);
  }
}
