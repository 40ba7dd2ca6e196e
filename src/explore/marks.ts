/** A set of state numbers: one bit each. */
export class Marks {
  size = 0;
  #bits = new Uint8Array(1 << 12);

  /** By state number one bit, the lowest first. */
  get bits(): Uint8Array<ArrayBuffer> {
    return this.#bits;
  }

  /** The set of which these are the bits. */
  restore(bits: Uint8Array<ArrayBuffer>): void {
    this.#bits = bits;
    this.size = bits.reduce((sum, byte) => sum + onesIn(byte), 0);
  }

  has(state: number): boolean {
    return (((this.#bits[state >>> 3] ?? 0) >>> (state & 7)) & 1) === 1;
  }

  add(state: number): void {
    if (this.has(state)) return;
    if (state >>> 3 >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(this.#bits.length * 2, (state >>> 3) + 1));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    this.#bits[state >>> 3] = (this.#bits[state >>> 3] as number) | (1 << (state & 7));
    this.size++;
  }
}

function onesIn(byte: number): number {
  let ones = 0;
  for (let rest = byte; rest !== 0; rest &= rest - 1) ones++;
  return ones;
}
