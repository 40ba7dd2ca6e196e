/**
 * Learned rules: decision trees over packed states, in one flat array. An inner node tests a number of the state
 * or asks for a choice; a leaf says what then happens. What is not in the tree yet has to be found out natively.
 */
import type { Place } from "../state/packing.js";
import type { Memory } from "./memory.js";

/** Node kinds; a node begins with its kind. Address 0 means: not learned yet. */
export const READ = 1; // word, shift, mask, child by value …
export const READ_BEFORE = 2; // the same, of the state before the step
export const CHOICE = 3; // count, child by alternative …
export const LEAF = 4; // its number, then whatever its maker stored
export const BLOCKED = 5;

export const READ_CHILDREN = 4;
export const CHOICE_CHILDREN = 2;

/** What the leaf of a step has, in numbers from its start; `core/core.ts` knows them too. Properties' leaves end with their answer. */
export const LEAF_FLAGS = 2;
export const LEAF_THREAD = 3;
/** Address of the list of property instances whose answers the step can change; 0 if it has not been made. */
export const LEAF_ASKED = 4;
/** The mutexes that its thread held when its acquisitions were last looked at, one bit each, in two numbers. */
export const LEAF_HELD = 5;
/** How many words it writes, then of each: its number, the bits that are kept, and those that are set. */
export const LEAF_WRITES = 7;

/** One decision on the way to a leaf. */
export type Test =
  | { readonly kind: typeof READ | typeof READ_BEFORE; readonly place: Place; readonly size: number; readonly code: number }
  | { readonly kind: typeof CHOICE; readonly count: number; readonly taken: number };

/** Thrown when a path contradicts what was learned before: the same inputs led elsewhere. */
export class Contradiction extends Error {}

export class Rules {
  heap: Int32Array;
  /** Where the heap is in the memory. */
  address: number;
  #top = 1;

  constructor(readonly memory: Memory) {
    const length = 1 << 12;
    this.address = memory.allocate(length * 4);
    this.heap = new Int32Array(memory.shared.buffer, this.address, length);
  }

  /** A place in the heap where a tree can grow; its content is the address of the root. */
  newRoot(): number {
    return this.allocate(1);
  }

  /** Room for `length` numbers, all 0. */
  allocate(length: number): number {
    if (this.#top + length > this.heap.length) this.#grow(Math.max(this.heap.length * 2, this.#top + length));
    const address = this.#top;
    this.#top += length;
    return address;
  }

  /**
   * Grows the tree at `root` along the tests. Returns the slot for the leaf, and whether a leaf is there already.
   */
  grow(root: number, tests: readonly Test[]): number {
    let slot = root;
    for (const test of tests) {
      let node = this.heap[slot] as number;
      if (node === 0) {
        node = test.kind === CHOICE ? this.newChoice(test.count) : this.newRead(test.kind, test.place, test.size);
        this.heap[slot] = node;
      } else if (!this.#matches(node, test)) throw new Contradiction();
      slot = test.kind === CHOICE ? node + CHOICE_CHILDREN + test.taken : node + READ_CHILDREN + test.code;
    }
    return slot;
  }

  /** Hangs a node into a slot. Allocating the one may move the heap with the other in it, so that nobody should hold on to `heap`. */
  hang(slot: number, node: number): void {
    this.heap[slot] = node;
  }

  /** A leaf with its number and payload. */
  newLeaf(number: number, payload: readonly number[]): number {
    const node = this.allocate(2 + payload.length);
    this.heap[node] = LEAF;
    this.heap[node + 1] = number;
    this.heap.set(payload, node + 2);
    return node;
  }

  newBlocked(): number {
    const node = this.allocate(1);
    this.heap[node] = BLOCKED;
    return node;
  }

  #grow(length: number): void {
    const { memory, heap, address } = this;
    this.address = memory.allocate(length * 4);
    this.heap = new Int32Array(memory.shared.buffer, this.address, length);
    this.heap.set(heap);
    memory.release(address, heap.byteLength);
  }

  /** A node that asks for a choice among so many, without children yet. */
  newChoice(count: number): number {
    const node = this.allocate(CHOICE_CHILDREN + count);
    this.heap.set([CHOICE, count], node);
    return node;
  }

  /** A node that reads one of so many numbers, without children yet. */
  newRead(kind: number, { word, shift, mask }: Place, size: number): number {
    const node = this.allocate(READ_CHILDREN + size);
    this.heap.set([kind, word, shift, mask], node);
    return node;
  }

  /** Gives the memory back. */
  release(): void {
    this.memory.release(this.address, this.heap.byteLength);
  }

  #matches(node: number, test: Test): boolean {
    const { heap } = this;
    if (heap[node] !== test.kind) return false;
    if (test.kind === CHOICE) return heap[node + 1] === test.count;
    return heap[node + 1] === test.place.word && heap[node + 2] === test.place.shift;
  }
}
