/** The checks that are functions of little data, apart from any engine. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LockOrder } from "../../src/check/lockdep.js";
import { stuckThreads, type ThreadSituation } from "../../src/check/stuck.js";

describe("LockOrder", () => {
  test("no cycle, none reported; the edge that closes one reports it, once", () => {
    const order = new LockOrder();
    expect(order.add(1, { cell: 2, location: null })).toBeNull();
    expect(order.add(2, { cell: 3, location: null })).toBeNull();
    expect(order.add(1, { cell: 3, location: null })).toBeNull();
    expect(order.add(3, { cell: 1, location: null })).not.toBeNull();
    expect(order.add(3, { cell: 1, location: null })).toBeNull();
  });

  test("the cycle is a shortest one through the new edge", () => {
    const order = new LockOrder();
    for (const [held, taken] of [
      [1, 2],
      [2, 3],
      [3, 4],
      [1, 4],
    ] as const)
      order.add(held, { cell: taken, location: null });
    expect([...(order.add(4, { cell: 1, location: null }) as readonly number[])].sort()).toEqual([1, 4]);
  });

  test("a lock taken under itself is a cycle of one", () => {
    expect(new LockOrder().add(5, { cell: 5, location: null })).toEqual([5]);
  });

  test("reports an edge exactly if the graph with it has a cycle through it", () => {
    const lock = fc.nat({ max: 6 });
    fc.assert(
      fc.property(fc.array(fc.tuple(lock, lock), { maxLength: 20 }), (edges) => {
        const order = new LockOrder();
        const after = new Map<number, Set<number>>();
        const leads = (from: number, to: number, seen = new Set<number>()): boolean =>
          from === to || [...(after.get(from) ?? [])].some((next) => !seen.has(next) && leads(next, to, seen.add(next)));
        for (const [held, taken] of edges) {
          const isNew = !after.get(held)?.has(taken);
          const closes = leads(taken, held);
          const cycle = order.add(held, { cell: taken, location: null });
          expect(cycle !== null).toBe(isNew && closes);
          if (!after.has(held)) after.set(held, new Set());
          after.get(held)?.add(taken);
          if (cycle === null) continue;
          // Every step of it is an edge.
          for (const [position, from] of cycle.entries())
            expect(after.get(from)?.has(cycle[(position + 1) % cycle.length] as number)).toBe(true);
        }
      }),
    );
  });
});

describe("stuckThreads", () => {
  const at = (kind: ThreadSituation["control"]["kind"], canMove: boolean, waitsFor = -1): ThreadSituation => ({
    control: { kind } as ThreadSituation["control"],
    canMove,
    waitsFor,
  });
  const free = at("yield", true);
  const finished = at("finished", false);
  const idle = at("idle", false);
  const never = at("until", false);
  const waitsFor = (holder: number) => at("lock", false, holder);

  test.each<[string, ThreadSituation[], number[]]>([
    ["somebody moves", [free, never, idle], []],
    ["all are done or rest", [finished, idle, finished], []],
    ["nobody moves and one waits", [finished, never, idle], [1]],
    ["two wait for each other", [waitsFor(1), waitsFor(0), free], [0, 1]],
    ["the waiter outside a circle is not part of it", [waitsFor(1), waitsFor(2), waitsFor(1), free], [1, 2]],
    ["a circle of three", [free, waitsFor(2), waitsFor(3), waitsFor(1)], [1, 2, 3]],
    ["the holder has ended", [free, waitsFor(2), finished], [1]],
    ["a chain to a holder that has ended", [free, waitsFor(2), waitsFor(3), finished], [1, 2]],
    ["a chain to somebody who moves", [waitsFor(1), waitsFor(2), free], []],
    ["a chain to somebody who rests, while others move", [waitsFor(1), idle, free], []],
    ["a chain to somebody who rests, and nobody moves", [waitsFor(1), idle, finished], [0]],
  ])("%s", (_, threads, stuck) => {
    expect([...stuckThreads(threads)].sort()).toEqual(stuck);
  });
});
