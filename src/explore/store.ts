/**
 * The visited set: packed states in the order in which they were found, and a hash table over them. Two states
 * are the same only if all their words are; the hash decides nothing.
 */

/** States per chunk: 2 ** CHUNK_BITS. */
const CHUNK_BITS = 14;
const CHUNK_MASK = (1 << CHUNK_BITS) - 1;
/** The table grows when it is fuller than this. */
const FULLEST = 0.8;

export class Store {
  count = 0;
  readonly #chunks: Uint32Array[] = [];
  /** By state: for the table to grow without a look at the states, which are all over the memory. */
  #hashes = new Uint32Array(1 << 12);
  /** Entry: number of the state plus 1 in the low bits, some bits of its hash above them; 0 is empty. */
  #table: Uint32Array;
  #tableBits: number;

  constructor(readonly words: number) {
    this.#tableBits = 12;
    this.#table = new Uint32Array(1 << this.#tableBits);
  }

  /** Bytes of states and table. */
  get bytes(): number {
    return this.#chunks.length * this.words * 4 * (CHUNK_MASK + 1) + this.#hashes.byteLength + this.#table.byteLength;
  }

  /** Copies state `number` into `into`. */
  load(number: number, into: Uint32Array): void {
    const chunk = this.#chunks[number >>> CHUNK_BITS] as Uint32Array;
    const { words } = this;
    const base = (number & CHUNK_MASK) * words;
    for (let word = 0; word < words; word++) into[word] = chunk[base + word] as number;
  }

  /** Number of the state if it is known; otherwise it is added and the result is -1. */
  insert(state: Uint32Array): number {
    if (this.count + 1 > this.#table.length * FULLEST) this.#grow();
    const { words } = this;
    const table = this.#table;
    const bits = this.#tableBits;
    const last = table.length - 1;
    const indexMask = last;
    const hash = hashWords(state, words);
    const tag = (hash >>> bits) << bits;
    let position = hash & last;
    for (;;) {
      const entry = table[position] as number;
      if (entry === 0) break;
      if (((entry ^ tag) & ~indexMask) === 0) {
        const number = (entry & indexMask) - 1;
        if (this.#equals(number, state)) return number;
      }
      position = (position + 1) & last;
    }
    const number = this.count;
    let chunk = this.#chunks[number >>> CHUNK_BITS];
    if (chunk === undefined) {
      chunk = new Uint32Array(words << CHUNK_BITS);
      this.#chunks.push(chunk);
    }
    if (number === this.#hashes.length) {
      const larger = new Uint32Array(number * 2);
      larger.set(this.#hashes);
      this.#hashes = larger;
    }
    this.#hashes[number] = hash;
    this.count++;
    table[position] = (tag | (number + 1)) >>> 0;
    const base = (number & CHUNK_MASK) * words;
    for (let word = 0; word < words; word++) chunk[base + word] = state[word] as number;
    return -1;
  }

  /** Number of the state, or -1 if it is not known. */
  find(state: Uint32Array): number {
    const table = this.#table;
    const last = table.length - 1;
    const hash = hashWords(state, this.words);
    const tag = (hash >>> this.#tableBits) << this.#tableBits;
    for (let position = hash & last; ; position = (position + 1) & last) {
      const entry = table[position] as number;
      if (entry === 0) return -1;
      if (((entry ^ tag) & ~last) === 0 && this.#equals((entry & last) - 1, state)) return (entry & last) - 1;
    }
  }

  #equals(number: number, state: Uint32Array): boolean {
    const chunk = this.#chunks[number >>> CHUNK_BITS] as Uint32Array;
    const { words } = this;
    const base = (number & CHUNK_MASK) * words;
    for (let word = 0; word < words; word++) if (chunk[base + word] !== state[word]) return false;
    return true;
  }

  #grow(): void {
    const bits = this.#tableBits + 1;
    if (bits > 31) throw new RangeError("no room for more than 1.7 billion states: beyond what the visited set can number");
    const table = new Uint32Array(2 ** bits);
    this.#tableBits = bits;
    const last = table.length - 1;
    for (let number = 0; number < this.count; number++) {
      const hash = this.#hashes[number] as number;
      let position = hash & last;
      while (table[position] !== 0) position = (position + 1) & last;
      table[position] = (((hash >>> bits) << bits) | (number + 1)) >>> 0;
    }
    this.#table = table;
  }
}

/** MurmurHash3's mixing (Appleby, public domain), over words. */
function hashWords(array: Uint32Array, words: number): number {
  let hash = 0x9747b28c;
  for (let word = 0; word < words; word++) {
    let k = Math.imul(array[word] as number, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    hash ^= Math.imul(k, 0x1b873593);
    hash = (hash << 13) | (hash >>> 19);
    hash = (Math.imul(hash, 5) + 0xe6546b64) | 0;
  }
  hash ^= hash >>> 16;
  hash = Math.imul(hash, 0x85ebca6b);
  hash ^= hash >>> 13;
  hash = Math.imul(hash, 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}
