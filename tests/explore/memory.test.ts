import fc from "fast-check";
import { expect, test } from "vitest";
import { Memory } from "../../src/explore/memory.js";

test("regions are blank, do not overlap, and stay where they are while others come and go", () => {
  const step = fc.record({ bytes: fc.integer({ min: 1, max: 200_000 }), release: fc.option(fc.nat({ max: 20 })) });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const memory = new Memory();
      const live: { address: number; words: Uint32Array; mark: number }[] = [];
      for (const [position, { bytes, release }] of steps.entries()) {
        const length = Math.ceil(bytes / 4);
        const address = memory.allocate(length * 4);
        expect(address % 16).toBe(0);
        expect(address).toBeGreaterThan(0);
        const words = memory.words(address, length);
        expect(words.every((word) => word === 0)).toBe(true);
        words.fill(position + 1);
        live.push({ address, words, mark: position + 1 });
        const [gone] = release === null ? [] : live.splice(release % live.length, 1);
        if (gone) memory.release(gone.address, gone.words.byteLength);
        for (const { words: kept, mark } of live) expect(kept.every((word) => word === mark)).toBe(true);
      }
    }),
    { numRuns: 30 },
  );
});

test("what was given back is handed out again", () => {
  const memory = new Memory();
  const first = memory.allocate(1000);
  memory.allocate(1000);
  memory.release(first, 1000);
  expect(memory.allocate(500)).toBe(first);
  expect(memory.allocate(400)).toBe(first + 512);
});

test("more than there can be is a RangeError that says so", () => {
  expect(() => new Memory().allocate(2 ** 33)).toThrow(/^no room for 8589934592 more bytes/);
});

test("a run that may not take as much gets a RangeError, and what is spare", () => {
  const memory = new Memory();
  const first = memory.allocate(1000);
  memory.most = 2000;
  expect(() => memory.allocate(1000)).toThrow(/^no room for 1008 more bytes/);
  memory.release(first, 1000);
  expect(memory.allocate(1000)).toBe(first);
});
