/**
 * By number of a state the one that led there and the step, in little more than a byte each: states are found in the order in which
 * those that lead to them are visited, so that it is enough to know by how much the latter has grown.
 */

/** What a state was found by. */
export interface Origin {
  readonly source: number;
  readonly step: number;
}

/** Steps that stand in the first number of an entry; others, less so many, are a number of their own behind it. */
const STEPS = 32;
const LAST_STEP = STEPS - 1;

/** States between two places from which entries can be read. */
const STATES_PER_MARK = 1024;

const BLOCK_BYTES = 1 << 20;

export class Origins {
  readonly #blocks: Uint8Array[] = [];
  /** Bytes in use. */
  bytes = 0;
  count = 0;
  #source = 0;
  /** For each 1024 states: where their entries begin, and the source of the state before them. */
  readonly #marks: { readonly at: number; readonly source: number }[] = [];

  /** Of the next state. */
  add(source: number, step: number): void {
    if (this.count % STATES_PER_MARK === 0) this.#marks.push({ at: this.bytes, source: this.#source });
    this.#write((source - this.#source) * STEPS + Math.min(step, LAST_STEP));
    if (step >= LAST_STEP) this.#write(step - LAST_STEP);
    this.#source = source;
    this.count++;
  }

  of(state: number): Origin {
    const mark = this.#marks[Math.floor(state / STATES_PER_MARK)];
    if (mark === undefined || state >= this.count) throw new RangeError(`nothing is known of state ${state}`);
    const reader = { at: mark.at };
    let { source } = mark;
    for (let number = state - (state % STATES_PER_MARK); ; number++) {
      const entry = this.#read(reader);
      source += Math.floor(entry / STEPS);
      let step = entry % STEPS;
      if (step === LAST_STEP) step += this.#read(reader);
      if (number === state) return { source, step };
    }
  }

  /** Steps that lead from the first state to that one. */
  pathTo(state: number): number[] {
    const path: number[] = [];
    for (let reached = state; reached !== 0; ) {
      const { source, step } = this.of(reached);
      path.unshift(step);
      reached = source;
    }
    return path;
  }

  /** Seven bits to a byte, the lowest first; the highest bit of a byte says that more follow. */
  #write(number: number): void {
    let rest = number;
    for (; rest >= 128; rest = Math.floor(rest / 128)) this.#writeByte(128 + (rest % 128));
    this.#writeByte(rest);
  }

  #writeByte(byte: number): void {
    const place = this.bytes % BLOCK_BYTES;
    if (place === 0) this.#blocks.push(new Uint8Array(BLOCK_BYTES));
    (this.#blocks.at(-1) as Uint8Array)[place] = byte;
    this.bytes++;
  }

  #read(reader: { at: number }): number {
    let number = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = (this.#blocks[Math.floor(reader.at / BLOCK_BYTES)] as Uint8Array)[reader.at % BLOCK_BYTES] as number;
      reader.at++;
      number += (byte % 128) * unit;
      if (byte < 128) return number;
    }
  }
}
