/** Some of the states that a run has found, told by what they are. */
import type { Memory } from "./memory.js";
import { Store } from "./store.js";

export interface StateSet {
  /** Number of the state if it is one of them, -1 otherwise. */
  numberOf(state: Uint32Array): number;
  /** It is not asked any more. */
  release(): void;
}

/** States that are on disk, as a set in memory. */
export class SetAside implements StateSet {
  readonly #set: Store;
  readonly #numbers: number[] = [];
  readonly #state: Uint32Array;

  /** Of the states of that store those numbers. Throws a `RangeError` if there is no room for them. */
  constructor(
    memory: Memory,
    readonly store: Store,
    numbers: Iterable<number> = [],
  ) {
    this.#set = new Store(memory, store.words);
    this.#state = new Uint32Array(store.words);
    for (const number of numbers) this.add(number);
  }

  add(number: number): void {
    this.store.load(number, this.#state);
    this.#set.insert(this.#state);
    this.#numbers.push(number);
  }

  numberOf(state: Uint32Array): number {
    return this.#numbers[this.#set.find(state)] ?? -1;
  }

  release(): void {
    this.#set.release();
  }
}
