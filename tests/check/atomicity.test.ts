import { describe, expect, test } from "vitest";
import { engines, explore, findingOf, found, tiny } from "../support/model.js";

/** Thread t runs the code in one step; thread u makes x and y shared by writing them. */
const shared = (code: string, other = "b.x = 1; yield; b.y = 1; yield; b.put = b.p;") =>
  tiny({
    procedures: `function* t(b) {\nyield;\n${code}\n}\nfunction* u(b) { yield; ${other} }`,
    structs: `box: { m: mutex(), m2: mutex(), x: counter(2), y: counter(2), g: counter(2).guardedBy("m"), ghost: counter(2).ghost(), p: ref("obj"), put: ref("obj"), set: setOf("obj"), rc: refcount(3), rc2: refcount(3) }, obj: { v: counter(2) }`,
    make: `const b = make("box", "b"); const o = make("obj", "o"); b.p = o; kref_init(b.rc, 1); kref_init(b.rc2, 1);`,
    threads: `thread("t", t, b), thread("u", u, b)`,
    more: "pools: { obj: 3 }",
  });

describe.each(engines)("%s", (engine) => {
  const run = (text: string) => explore(text, engine).outcome;
  const isCoarse = (text: string) => {
    const { findings } = run(text);
    expect(findings.filter(({ check }) => check !== "atomicity")).toEqual([]);
    return findings.length > 0;
  };

  test("two accesses to shared memory in one step", () => {
    expect(found(run(shared("b.x = 2; b.y = 2;")))).toEqual(["atomicity @1 line 3"]);
    expect(findingOf(run(shared("b.x = 2; b.y = 2;")), "atomicity")?.message).toMatch(
      /coarser than the C: an access to b\.y comes after an access to b\.x with no yield between/,
    );
    expect(isCoarse(shared("b.x = 2; yield; b.y = 2;"))).toBe(false);
  });

  test("a read and a write of the same memory are two accesses", () => {
    expect(isCoarse(shared("b.x = 2 - b.x;"))).toBe(true);
    expect(isCoarse(shared("const x = b.x; yield; b.x = 2 - x;"))).toBe(false);
  });

  test("guarded accesses do not count, however many, on either side of one that does", () => {
    expect(isCoarse(shared("yield* mutex_lock(b.m); b.g = 1; b.x = 2; b.g = b.g + 1; mutex_unlock(b.m);"))).toBe(false);
    expect(isCoarse(shared("yield* mutex_lock(b.m); b.g = 1; b.x = 2; b.y = 1; mutex_unlock(b.m);"))).toBe(true);
  });

  test("nothing but left movers after a release", () => {
    expect(isCoarse(shared("yield* mutex_lock(b.m); b.g = 1; mutex_unlock(b.m); b.x = 2;"))).toBe(true);
    expect(
      isCoarse(shared("yield* mutex_lock(b.m); b.g = 1; mutex_unlock(b.m); if (mutex_trylock(b.m2)) { yield; mutex_unlock(b.m2); }")),
    ).toBe(true);
    expect(isCoarse(shared("yield* mutex_lock(b.m); b.g = 1; mutex_unlock(b.m); yield; b.x = 2;"))).toBe(false);
  });

  test("nothing is taken after an access to shared memory", () => {
    expect(isCoarse(shared("b.x = 2; if (mutex_trylock(b.m2)) { yield; mutex_unlock(b.m2); }"))).toBe(true);
    expect(isCoarse(shared("if (mutex_trylock(b.m2)) { b.x = 2; yield; mutex_unlock(b.m2); }"))).toBe(false);
  });

  test("exempt: what nobody writes after the setup", () => {
    const other = "WARN_ON(b.y > 0); yield; WARN_ON(b.x > 0);";
    expect(isCoarse(shared("WARN_ON(b.x + b.y > 0);", other))).toBe(false);
    expect(isCoarse(shared("WARN_ON(b.x + b.y > 2);"))).toBe(true);
  });

  test("exempt: what one thread alone touches", () => {
    expect(isCoarse(shared("b.x = 2; b.y = 2;", "b.ghost = 1;"))).toBe(false);
    expect(isCoarse(shared("b.x = 2; b.y = 2;", "b.y = 1;"))).toBe(false);
  });

  test("exempt: ghost fields", () => {
    expect(isCoarse(shared("b.ghost = 1; b.x = 2; b.ghost = 2;", "b.x = 1; b.ghost = 0;"))).toBe(false);
  });

  test("exempt: an object that this block allocated", () => {
    // o.v is shared: u writes it through b.p.
    const other = "const o = b.p; yield; if (o !== null) o.v = 1;";
    expect(isCoarse(shared(`const o = kzalloc(s, "obj"); o.v = 1; o.v = 2; b.p = o;`, other))).toBe(false);
    expect(isCoarse(shared(`const o = b.p; yield; o.v = 1; o.v = 2;`, other))).toBe(true);
  });

  test("exempt: a step that says why", () => {
    expect(isCoarse(shared(`atomic("the C does this under a lock that is not modelled"); b.x = 2; b.y = 2;`))).toBe(false);
    expect(isCoarse(shared(`atomic("only the first step"); b.x = 2; b.y = 2; yield; b.x = 2; b.y = 2;`))).toBe(true);
  });

  test("one access: a refcount operation, and a walk over a set or list within a step", () => {
    const other = "kref_get(b.rc); yield; kref_get(b.rc2); yield; b.set.add(b.p);";
    expect(isCoarse(shared("kref_get(b.rc);", other))).toBe(false);
    expect(isCoarse(shared("kref_get(b.rc); kref_get(b.rc2);", other))).toBe(true);
    expect(isCoarse(shared("WARN_ON(b.set.size > 2);", other))).toBe(false);
  });
});
