/** The numbers that hashes are made with: always the same, and as if drawn at random. */
import type { Memory } from "./memory.js";

/** What the state of SplitMix64 (Vigna, public domain) grows by. */
const GROWTH = 0x9e3779b97f4a7c15n;

/** So many 64-bit numbers, with the bits of `set` set: of each seed others, by SplitMix64. */
export function hashKeys(memory: Memory, length: number, seed = 0, set = 0n): BigUint64Array {
  const keys = new BigUint64Array(memory.shared.buffer, memory.allocate(length * 8), length);
  // A seed has its own stretch of the sequence.
  let state = BigInt.asUintN(64, GROWTH * (1n + (BigInt(seed) << 32n)));
  for (let number = 0; number < length; number++) {
    state = BigInt.asUintN(64, state + GROWTH);
    let key = BigInt.asUintN(64, (state ^ (state >> 30n)) * 0xbf58476d1ce4e5b9n);
    key = BigInt.asUintN(64, (key ^ (key >> 27n)) * 0x94d049bb133111ebn);
    keys[number] = (key ^ (key >> 31n)) | set;
  }
  return keys;
}
