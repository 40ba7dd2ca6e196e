import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { get, move, Packing, put, without } from "../../src/state/packing.js";
import { readCell, type StateDraft, writeCell } from "../../src/state/state.js";
import { machine, tiny } from "../support/model.js";

/** Cells of every kind and of many sizes. */
const { layout, initial } = machine(
  tiny({
    procedures: "function* t(b) { yield; b.flag = true; }",
    structs: `
      box: { flag: flag(), small: counter(2), odd: counter(4), large: counter(1000), mode: enumeration("only"), p: ref("obj"), set: setOf("obj"), list: list("obj", 3), m: mutex(), rc: refcount(31) },
      obj: { v: counter(6), next: ref("obj"), m: mutex() }`,
    make: `const b = make("box", "b"); make("box", "c"); make("obj", "o");`,
    threads: `thread("t", t, b), thread("u", t, b), thread("v", t, b)`,
    more: "pools: { obj: 5 }, faults: 3",
  }),
);

const codes = fc.tuple(...layout.cells.map(({ size }) => fc.nat({ max: size - 1 })));
const controls = (bits: number) => fc.tuple(...layout.mutexCells.slice(0, layout.threads).map(() => fc.nat({ max: 2 ** bits - 1 })));

const isZeroAtFirst = (cell: number) => readCell(layout, initial, cell) === 0;

/** So many bits for each thread's. */
const all = (bits: number) => new Array<number>(layout.threads).fill(bits);

function stateOf(cells: readonly number[], threads: readonly number[]): StateDraft {
  const state = structuredClone(initial) as unknown as StateDraft;
  for (const [cell, code] of cells.entries()) writeCell(layout, state, cell, code);
  state.threads = [...threads];
  return state;
}

test.each([9, 12, 16, 24])("a state is the same after packing and unpacking, with control states of %i bits", (bits) => {
  const packing = new Packing(layout, all(bits));
  fc.assert(
    fc.property(codes, controls(bits), (cells, threads) => {
      const state = stateOf(cells, threads);
      expect(packing.unpack(packing.pack(state))).toEqual(state);
      expect(cells.map((_, cell) => readCell(layout, state, cell))).toEqual(cells);
    }),
  );
});

test("different states have different words", () => {
  const packing = new Packing(layout, all(9));
  fc.assert(
    fc.property(codes, controls(9), fc.nat({ max: layout.cells.length - 1 }), fc.nat(), (cells, threads, cell, other) => {
      const code = other % (layout.cells[cell]?.size as number);
      const changed = cells.with(cell, code);
      const same = packing.pack(stateOf(cells, threads)).join() === packing.pack(stateOf(changed, threads)).join();
      expect(same).toBe(code === cells[cell]);
    }),
  );
});

test("no two numbers share a bit, and none straddles two words", () => {
  const packing = new Packing(layout, all(9));
  const taken = new Set<string>();
  for (const { word, shift, mask } of [...packing.cells, ...packing.controls]) {
    expect(word).toBeLessThan(packing.words);
    for (let bit = 0; bit < 32; bit++) {
      if (((mask >>> bit) & 1) === 0) continue;
      expect(shift + bit).toBeLessThan(32);
      expect(taken.has(`${word}.${shift + bit}`)).toBe(false);
      taken.add(`${word}.${shift + bit}`);
    }
  }
});

test("every code of a cell fits its place", () => {
  const packing = new Packing(layout, all(9));
  for (const [number, place] of packing.cells.entries())
    expect(place.mask + 1).toBeGreaterThanOrEqual(layout.cells[number]?.size as number);
});

test("storing a number leaves its neighbours alone", () => {
  const packing = new Packing(layout, all(9));
  fc.assert(
    fc.property(codes, fc.nat({ max: layout.cells.length - 1 }), (cells, cell) => {
      const words = packing.pack(stateOf(cells, [0, 0, 0]));
      const place = packing.cells[cell] as (typeof packing.cells)[number];
      put(words, place, (layout.cells[cell]?.size as number) - 1);
      const expected = cells.with(cell, (layout.cells[cell]?.size as number) - 1);
      expect(packing.cells.map((other) => get(words, other))).toEqual(expected);
    }),
  );
});

describe("states that another packed", () => {
  const cells = [...layout.cells.keys()];
  const some = fc.subarray(cells).map((chosen) => new Set(chosen));

  /** The initial state, other in those cells and in where the threads are. */
  const otherIn = (changing: ReadonlySet<number>, values: readonly number[], threads: readonly number[]) => {
    const state = stateOf(
      cells.map((cell) => (changing.has(cell) ? (values[cell] as number) : readCell(layout, initial, cell))),
      threads,
    );
    return state as unknown as typeof initial;
  };

  test.each([
    ["with room for more", all(9), all(9)],
    ["with more bits for control states", all(9), all(12)],
    ["with fewer bits for control states, those that they need", all(9), all(5)],
    ["with more bits for one thread's, and fewer for another's", [9, 12, 5], [7, 5, 11]],
  ])("%s", (_, bitsBefore, bitsNow) => {
    fc.assert(
      fc.property(fc.option(some), some, codes, controls(Math.min(...bitsBefore, ...bitsNow)), (first, more, values, threads) => {
        const before = new Packing(layout, bitsBefore, first);
        const changing = first === null ? more : new Set([...first, ...more]);
        const now = new Packing(layout, bitsNow, changing);
        const state = otherIn(first ?? more, values, threads);
        const moves = now.movesFrom(before);
        const words = without(moves, now.pack(initial));
        move(moves, before.pack(state).fill(0, before.changingWords), words);
        expect(now.unpack(words)).toEqual(state);
      }),
    );
  });

  test.each([
    ["where more changes", all(9)],
    ["where a thread has more control states", all(9).with(1, 24)],
    ["where all have", all(24)],
  ])("stay as they are %s", (_, bitsNow) => {
    fc.assert(
      fc.property(some, some, codes, controls(9), controls(24), (first, more, values, threads, manyThreads) => {
        const before = new Packing(layout, all(9), first);
        const packing = new Packing(layout, bitsNow, new Set([...first, ...more]), { packing: before, isZeroAtFirst });
        const atFirst = packing.pack(initial);
        const known = otherIn(first, values, threads);
        const grown = [...before.pack(known).subarray(0, before.changingWords), ...atFirst.subarray(before.changingWords)];
        expect([...packing.pack(known)]).toEqual(grown);
        const numbers = manyThreads.map((number, thread) => number % 2 ** (bitsNow[thread] as number));
        const other = otherIn(new Set([...first, ...more]), values, numbers);
        expect(packing.unpack(packing.pack(other))).toEqual(other);
        // What comes of it where all is packed anew, as when a run goes on.
        const anew = new Packing(layout, bitsNow, packing.changing);
        const moves = anew.movesFrom(packing);
        const words = without(moves, anew.pack(initial));
        move(moves, packing.pack(other), words);
        expect(anew.unpack(words)).toEqual(other);
      }),
    );
  });

  test("keep their places where more changes, and share no bit with it", () => {
    fc.assert(
      fc.property(some, some, (first, more) => {
        const before = new Packing(layout, all(9), first);
        const now = new Packing(layout, all(24), new Set([...first, ...more]), { packing: before, isZeroAtFirst });
        for (const cell of first) expect(now.cells[cell]).toEqual(before.cells[cell]);
        expect(now.controls).toEqual(before.controls);
        const taken = new Set<string>();
        const uppers = now.upperControls.filter((place) => place !== null);
        expect(uppers.length).toBe(layout.threads);
        for (const { word, shift, mask } of [...now.cells, ...now.controls, ...uppers]) {
          for (let bit = 0; bit < 32; bit++) {
            if (((mask >>> bit) & 1) === 0) continue;
            expect(taken.has(`${word}.${shift + bit}`)).toBe(false);
            taken.add(`${word}.${shift + bit}`);
          }
        }
      }),
    );
  });
});
