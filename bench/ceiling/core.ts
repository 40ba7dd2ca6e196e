/** The core of the fast engine, with a loop that does nothing but insert: as fast as its table can be. */
import { insert, words } from "../../src/explore/core/core";

export * from "../../src/explore/core/core";

let random: u64 = 0x9e3779b97f4a7c15;

/** Inserts so many random states, for which there has to be room, made in the place given: xorshift64* (Vigna, public domain). */
export function insertRandom(number: u32, state: usize): void {
  for (let done: u32 = 0; done < number; done++) {
    const end = state + ((<usize>words) << 3);
    for (let word = state; word < end; word += 8) {
      random ^= random >> 12;
      random ^= random << 25;
      random ^= random >> 27;
      store<u64>(word, random * 0x2545f4914f6cdd1d);
    }
    insert(state);
  }
}
