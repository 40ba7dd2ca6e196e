/** The core of the fast engine, with a loop that does nothing but insert: as fast as its table can be. */
import { finish, hashOf, insertTuple } from "../../src/explore/core/states";

export * from "../../src/explore/core/core";

let random: u64 = 0x9e3779b97f4a7c15;

/**
 * Inserts so many random tuples, for which there has to be room, of states of four words that have had the values
 * below 2^16 in their order: a word's value is its number. xorshift64* (Vigna, public domain).
 */
export function insertRandom(number: u32, state: usize, tuple: usize): void {
  for (let done: u32 = 0; done < number; done++) {
    random ^= random >> 12;
    random ^= random << 25;
    random ^= random >> 27;
    const key = random * 0x2545f4914f6cdd1d;
    store<u64>(tuple, key);
    for (let word: u32 = 0; word < 4; word++) store<u32>(state + ((<usize>word) << 2), <u32>((key >> ((<u64>word) << 4)) & 0xffff));
    insertTuple(tuple, finish(hashOf(state)));
  }
}
