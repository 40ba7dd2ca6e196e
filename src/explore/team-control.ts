/**
 * What the threads of a team tell each other: numbers in the memory that they share. The main thread opens a stretch of states, of
 * which each thread takes blocks to expand, and closes it; between two stretches nobody but the main thread looks at anything.
 */
import { COMMON, type Core, OWN } from "./core.js";

/** Odd while a stretch is open, another number for each; `OVER` when there will be none any more. */
const GATE = 0;
const OVER = -1;
/** The stretch: its first state, the one behind it, and how many states a block has. */
const FROM = 1;
const TO = 2;
const BLOCK = 3;
/** The first block that nobody has taken, and the first that is not committed. */
const NEXT = 4;
const TURN = 5;
/** What is done with the states. */
const KIND = 6;
/** Where buffers are, how many, and how long each is. */
const BUFFERS = 7;
const BUFFER_COUNT = 8;
const BUFFER_BYTES = 9;
/** What all cores have to know. */
const VALUES = 10;
/** By buffer, the number of the block in it from 1 on, when it is expanded; and how many states of it are. */
const READY = VALUES + COMMON.length;

/** By member: what it is doing, how many blocks it has expanded, and where it works on a batch. */
const MEMBER = 2 + OWN.length;

/** What a member may be doing. */
const ABSENT = 0;
const IDLE = 1;
const BUSY = 2;

/** Milliseconds after which a member that waits for its turn looks whether it is still wanted. */
const PATIENCE = 10;

/** What is done with the states of a stretch: they are expanded, or entered into the table. */
export type Kind = typeof EXPAND | typeof ENTER;
export const EXPAND = 0;
export const ENTER = 1;

/** A block that was taken: states, and where to write down what is found. */
export interface Block {
  readonly number: number;
  readonly from: number;
  readonly to: number;
  readonly buffer: number;
  readonly bufferEnd: number;
}

export class TeamControl {
  /** `numbers` are in shared memory. */
  constructor(readonly numbers: Int32Array) {}

  /** How many numbers there are for so many buffers and members. */
  static size(buffers: number, members: number): number {
    return READY + buffers * 2 + members * MEMBER;
  }

  /** For the main thread, before there is any other. */
  setUp(buffers: number, bufferCount: number, bufferBytes: number): void {
    this.numbers[BUFFERS] = buffers;
    this.numbers[BUFFER_COUNT] = bufferCount;
    this.numbers[BUFFER_BYTES] = bufferBytes;
  }

  /** The next stretch that is opened is one of those states. */
  prepare(kind: Kind, from: number, to: number, block: number): void {
    const { numbers } = this;
    numbers.set([from, to, block, 0, 0, kind], FROM);
    numbers.fill(0, READY, READY + this.#bufferCount * 2);
  }

  /** Opens the stretch, be it for the first time or again: what was expanded of it before stays. */
  open(common: readonly number[]): void {
    this.numbers.set(common, VALUES);
    Atomics.add(this.numbers, GATE, 1);
    Atomics.notify(this.numbers, GATE);
  }

  close(): void {
    Atomics.add(this.numbers, GATE, 1);
    Atomics.notify(this.numbers, TURN);
  }

  /** Nothing more will be opened. */
  end(): void {
    Atomics.store(this.numbers, GATE, OVER);
    Atomics.notify(this.numbers, GATE);
  }

  /** The number of the open stretch; waits until there is one other than `last`. Null if there will be none. */
  awaitStretch(last: number): number | null {
    for (;;) {
      const gate = Atomics.load(this.numbers, GATE);
      if (gate === OVER) return null;
      if (gate % 2 === 1 && gate !== last) return gate;
      Atomics.wait(this.numbers, GATE, gate);
    }
  }

  isOpen(stretch: number): boolean {
    return Atomics.load(this.numbers, GATE) === stretch;
  }

  get common(): readonly number[] {
    return [...this.numbers.subarray(VALUES, READY)];
  }

  /** Where the member works on a batch, in the order of `OWN`. */
  ownOf(member: number): readonly number[] {
    const at = this.#member(member);
    return [...this.numbers.subarray(at + 2, at + MEMBER)];
  }

  setOwn(member: number, own: readonly number[]): void {
    this.numbers.set(own, this.#member(member) + 2);
  }

  /** Takes the next block; null if there is none for now: all are taken, or all buffers are. */
  take(): Block | null {
    const { numbers } = this;
    for (;;) {
      const number = Atomics.load(numbers, NEXT);
      if (number >= Atomics.load(numbers, TURN) + this.#bufferCount || this.#start(number) >= this.#to) return null;
      if (Atomics.compareExchange(numbers, NEXT, number, number + 1) === number) return this.block(number);
    }
  }

  block(number: number): Block {
    const { numbers } = this;
    const bytes = numbers[BUFFER_BYTES] as number;
    const buffer = ((numbers[BUFFERS] as number) >>> 0) + (number % this.#bufferCount) * bytes;
    return { number, from: this.#start(number), to: Math.min(this.#start(number + 1), this.#to), buffer, bufferEnd: buffer + bytes };
  }

  /** Has the core do what is to be done with the block. */
  work(block: Block, core: Core): void {
    const { number, from, to, buffer, bufferEnd } = block;
    const at = this.#ready(number);
    if (this.numbers[KIND] === ENTER) core.rehash(from, to);
    else this.numbers[at + 1] = core.expandBlock(from, to, buffer, bufferEnd);
    Atomics.store(this.numbers, at, number + 1);
    Atomics.notify(this.numbers, at);
  }

  /** The first block that nobody has taken. */
  get firstFree(): number {
    return Atomics.load(this.numbers, NEXT);
  }

  isFinished(number: number): boolean {
    return Atomics.load(this.numbers, this.#ready(number)) === number + 1;
  }

  /** How many states of the block, which is finished, are expanded. */
  expandedOf(number: number): number {
    return this.numbers[this.#ready(number) + 1] as number;
  }

  /** Waits a moment for somebody to finish the block. */
  awaitFinished(number: number, milliseconds: number): void {
    const at = this.#ready(number);
    const seen = Atomics.load(this.numbers, at);
    if (seen !== number + 1) Atomics.wait(this.numbers, at, seen, milliseconds);
  }

  /** The block is committed, and its buffer free. */
  free(number: number): void {
    Atomics.store(this.numbers, TURN, number + 1);
    Atomics.notify(this.numbers, TURN);
  }

  /** Waits a moment for a buffer, as a member of an open stretch. Whether there may be more to do. */
  awaitBuffer(stretch: number): boolean {
    const turn = Atomics.load(this.numbers, TURN);
    const next = Atomics.load(this.numbers, NEXT);
    if (this.#start(next) >= this.#to) return false;
    if (next >= turn + this.#bufferCount && this.isOpen(stretch)) Atomics.wait(this.numbers, TURN, turn, PATIENCE);
    return true;
  }

  /** Waits a moment for somebody to take the first block. */
  awaitTaken(milliseconds: number): void {
    for (let waited = 0; waited < milliseconds; waited++) if (Atomics.wait(this.numbers, NEXT, 0, 1) === "not-equal") return;
  }

  /** Waits for the member to be there. */
  awaitArrival(member: number): void {
    Atomics.wait(this.numbers, this.#member(member), ABSENT);
  }

  isHere(member: number): boolean {
    return Atomics.load(this.numbers, this.#member(member)) !== ABSENT;
  }

  isBusy(member: number): boolean {
    return Atomics.load(this.numbers, this.#member(member)) === BUSY;
  }

  setBusy(member: number, isBusy: boolean): void {
    this.#say(member, isBusy ? BUSY : IDLE);
  }

  /** It does nothing any more. */
  leave(member: number): void {
    this.#say(member, ABSENT);
  }

  #say(member: number, what: number): void {
    const at = this.#member(member);
    Atomics.store(this.numbers, at, what);
    Atomics.notify(this.numbers, at);
  }

  /** Waits a moment for the member not to be busy. */
  awaitIdle(member: number, milliseconds: number): void {
    Atomics.wait(this.numbers, this.#member(member), BUSY, milliseconds);
  }

  countBlock(member: number): void {
    Atomics.add(this.numbers, this.#member(member) + 1, 1);
  }

  /** How many blocks it has expanded. */
  blocksOf(member: number): number {
    return Atomics.load(this.numbers, this.#member(member) + 1);
  }

  get #to(): number {
    return (this.numbers[TO] as number) >>> 0;
  }

  get #bufferCount(): number {
    return this.numbers[BUFFER_COUNT] as number;
  }

  #start(block: number): number {
    return ((this.numbers[FROM] as number) >>> 0) + block * (this.numbers[BLOCK] as number);
  }

  #ready(block: number): number {
    return READY + (block % this.#bufferCount) * 2;
  }

  #member(member: number): number {
    return READY + this.#bufferCount * 2 + member * MEMBER;
  }
}
