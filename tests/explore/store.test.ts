import fc from "fast-check";
import { expect, test } from "vitest";
import { Memory } from "../../src/explore/memory.js";
import { Store } from "../../src/explore/store.js";

/** Behaves as a map from states to numbers in the order of their insertion does. */
function compare(words: number, states: Iterable<readonly number[]>, arePlain = false): Store {
  const store = new Store(new Memory(), words, { arePlain });
  const expected = new Map<string, number>();
  const state = new Uint32Array(words);
  for (const numbers of states) {
    state.set(numbers);
    const key = state.join();
    const known = expected.get(key);
    if (store.find(state) !== (known ?? -1)) throw new Error(`find(${key}) is ${store.find(state)}, not ${known ?? -1}`);
    if (store.insert(state) !== (known ?? -1)) throw new Error(`insert(${key})`);
    if (known === undefined) expected.set(key, expected.size);
  }
  expect(store.count).toBe(expected.size);
  const loaded = new Uint32Array(words);
  for (const [key, number] of expected) {
    store.load(number, loaded);
    if (loaded.join() !== key) throw new Error(`state ${number} is ${loaded.join()}, not ${key}`);
  }
  return store;
}

test("numbers states in the order in which they were found, each once", () => {
  const word = fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 2 ** 32 - 1 }), fc.constantFrom(0, 2 ** 31, 2 ** 32 - 1));
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.array(word, { minLength: 5, maxLength: 5 }), { maxLength: 300 }),
      fc.boolean(),
      (words, states, arePlain) => {
        compare(
          words,
          states.map((state) => state.slice(0, words)),
          arePlain,
        );
      },
    ),
  );
});

test.each([1, 2, 3])("keeps doing so while it grows, with states of %i words", (words) => {
  // More values than a word keeps numbers for.
  function* states() {
    // Each comes twice, the second time much later; in the upper bits only, in the lower bits only, and mixed.
    for (let round = 0; round < 2; round++) {
      for (let number = 0; number < 100_000; number++) {
        const value = [number, number << 15, Math.imul(number, 0x9e3779b1)][number % 3] as number;
        yield [value >>> 0, number % 7, number >>> 8].slice(0, words);
      }
    }
  }
  const store = compare(words, states());
  expect(store.count).toBeGreaterThan(70_000);
  expect(store.bytes / store.count).toBeLessThan(words * 4 * 1.6 + 16 + 12);
});
