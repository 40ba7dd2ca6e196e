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

test("words that are added have been the same in all states so far, which stay as they are", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat({ max: 3 }), fc.nat({ max: 70_000 }), fc.nat({ max: 2 ** 32 - 1 })), { minLength: 1, maxLength: 200 }),
      fc.array(fc.nat({ max: 2 ** 32 - 1 }), { minLength: 4, maxLength: 4 }),
      fc.constantFrom(2, 4, 6),
      fc.boolean(),
      (states, initial, words, isFull) => {
        const store = new Store(new Memory(), 2);
        const some = isFull ? 40_000 : 0;
        for (let number = 0; number < some; number++) store.insert(Uint32Array.of(number % 7, Math.imul(number, 0x9e3779b1)));
        const expected: number[][] = [];
        const known = new Map<string, number>();
        const length = states.length >>> 1;
        const insert = (state: readonly number[]) => {
          const packed = Uint32Array.from(state);
          const number = store.insert(packed);
          const full = [...state, ...initial.slice(state.length - 2)].slice(0, words);
          const was = known.get(full.join());
          if (was === undefined && number < 0) {
            known.set(full.join(), store.count - 1);
            expected.push(full);
          } else if (was !== undefined) expect(number).toBe(was);
          else expect(number).toBeLessThan(some);
        };
        for (const [one, other] of states.slice(0, length)) insert([one, other]);
        store.extend(words, Uint32Array.of(0, 0, ...initial).subarray(0, words));
        // Every state so far is found, as it is now, and after a table that is made of what is kept.
        for (const isRehashed of [false, true]) {
          if (isRehashed) store.rehash();
          for (const full of expected) expect(store.find(Uint32Array.from(full))).toBe(known.get(full.join()));
        }
        for (const [one, other, third] of states.slice(length)) {
          const full = [one, other, third, ...initial.slice(1)].slice(0, words);
          const number = store.insert(Uint32Array.from(full));
          if (number < 0) known.set(full.join(), store.count - 1);
          else if (known.has(full.join())) expect(number).toBe(known.get(full.join()));
        }
        const loaded = new Uint32Array(words);
        for (const [key, number] of known) {
          store.load(number, loaded);
          expect(loaded.join()).toBe(key);
        }
      },
    ),
    { numRuns: 30 },
  );
});
