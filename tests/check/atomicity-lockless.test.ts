/** What may hide in a step: Lipton's movers, where locks are not held by everybody. */
import { describe, expect, test } from "vitest";
import { engines, explore, findingOf, tiny } from "../support/model.js";

describe.each(engines)("%s", (engine) => {
  const coarse = (text: string) => findingOf(explore(text, engine).outcome, "atomicity")?.message ?? null;

  const raced = (reader: string, writer: string) =>
    tiny({
      structs: `box: { m: mutex(), x: counter(1).guardedBy("m"), y: counter(1).guardedBy("m") }`,
      make: `const b = make("box", "b");`,
      threads: `thread("w", w, b), thread("r", r, b)`,
      procedures: `function* w(b) { yield* mutex_lock(b.m); ${writer} mutex_unlock(b.m); }\nfunction* r(b) { ${reader} }`,
    });

  test("a lock does not hide two stores from a reader that does not take it", () => {
    const lockless = "yield; const x = data_race(() => b.x); yield; observe('saw', x, data_race(() => b.y));";
    expect(coarse(raced(lockless, "b.x = 1; b.y = 1;"))).toMatch(/access to b\.y comes after an access to b\.x/);
    expect(coarse(raced(lockless, "b.x = 1; yield; b.y = 1;"))).toBe(null);
  });

  test("reads under the lock are hidden from lockless reads, and stores from readers that take the lock", () => {
    const lockless = "yield; const x = data_race(() => b.x); yield; observe('saw', x, data_race(() => b.y));";
    expect(coarse(raced(lockless, "observe('saw', b.x, b.y);"))).toBe(null);
    expect(coarse(raced("yield* mutex_lock(b.m); observe('saw', b.x, b.y); mutex_unlock(b.m);", "b.x = 1; b.y = 1;"))).toBe(null);
  });

  const allocates = (block: string) =>
    tiny({
      structs: "box: { p: ref('obj') }, obj: { u: counter(1), v: counter(1) }",
      make: `const b = make("box", "b");`,
      threads: `thread("w", w, b), thread("r", r, b)`,
      procedures: `function* w(b) { yield; const o = kzalloc(s, "obj"); ${block} }
function* r(b) { yield; const p = b.p; if (p === null) return; yield; const u = p.u; yield; observe("saw", u, p.v); }`,
      more: "pools: { obj: 1 }",
    });

  test("a new object is its maker's own until something points to it, and no longer", () => {
    expect(coarse(allocates("o.u = 1; o.v = 1; b.p = o;"))).toBe(null);
    expect(coarse(allocates("o.u = 1; b.p = o; o.v = 1;"))).toMatch(/access to obj0\.v comes after an access to b\.p/);
    expect(coarse(allocates("o.u = 1; b.p = o; yield; o.v = 1;"))).toBe(null);
  });
});
