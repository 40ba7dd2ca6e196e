import { describe, expect, test } from "vitest";
import { engines, explore, findingOf, found, tiny } from "../support/model.js";

/** Two mutexes in two boxes, and a flag to serialise threads by. */
const boxes = (procedures: string, threads: string) =>
  tiny({
    procedures,
    structs: "box: { m: mutex(), done: flag(), n: counter(2) }, obj: { m: mutex() }, holder: { p: ref('obj') }",
    make: `const a = make("box", "a"); const b = make("box", "b"); const h = make("holder", "h"); h.p = make("obj", "o");`,
    threads,
    more: "pools: { obj: 1 }",
  });
const one = (code: string) => boxes(`function* t(a, b, h) { yield; ${code} }`, `thread("t", t, a, b, h)`);

describe.each(engines)("%s", (engine) => {
  const findings = (text: string) => found(explore(text, engine).outcome);
  const message = (text: string) => findingOf(explore(text, engine).outcome, "lockdep")?.message;

  describe("lockdep", () => {
    const nested = (first: string, second: string, before = "", after = "") =>
      `${before} yield* mutex_lock(${first}.m);\nyield* mutex_lock(${second}.m);\nmutex_unlock(${second}.m);\nyield; mutex_unlock(${first}.m);\n${after}`;

    test("an order cycle is found although the threads never meet", () => {
      const text = boxes(
        `function* t(a, b) {\n${nested("a", "b", "", "yield; a.done = true;")}}\nfunction* u(a, b) {\n${nested("b", "a", "yield until(() => a.done);")}}`,
        `thread("t", t, a, b), thread("u", u, a, b)`,
      );
      // t: a, b, unlock a, done; u: wakes up, b, a.
      expect(findings(text)).toEqual(["lockdep @7 line 10"]);
      expect(message(text)).toMatch(
        /lock order cycle: .*a\.m under b\.m \(tests\/inline-model\.ts:10:.*b\.m under a\.m \(tests\/inline-model\.ts:4:|lock order cycle: .*b\.m under a\.m \(tests\/inline-model\.ts:4:.*a\.m under b\.m \(tests\/inline-model\.ts:10:/,
      );
    });

    test("the same order in both threads is none", () => {
      const text = boxes(
        `function* t(a, b) {\n${nested("a", "b")}}\nfunction* u(a, b) {\n${nested("a", "b")}}`,
        `thread("t", t, a, b), thread("u", u, a, b)`,
      );
      expect(findings(text)).toEqual([]);
    });

    test("the order is not the taker's path alone: a lock is noticed whoever's path was learned without it", () => {
      // The same code takes b.m, once with a.m held and once without; which comes first must not matter.
      const text = boxes(
        `function* inner(b) { yield* mutex_lock(b.m); mutex_unlock(b.m); }
function* t(a, b) { for (const held of [false, true]) { yield* outer(a, b, held); yield; } a.done = true; }
function* outer(a, b, held) { if (held) yield* mutex_lock(a.m); yield* inner(b); yield; if (held) mutex_unlock(a.m); }
function* u(a, b) { yield until(() => a.done); yield* mutex_lock(b.m); yield* mutex_lock(a.m); mutex_unlock(a.m); yield; mutex_unlock(b.m); }`,
        `thread("t", t, a, b), thread("u", u, a, b)`,
      );
      expect(explore(text, engine).outcome.findings.filter(({ check }) => check === "lockdep")).toMatchObject([
        { message: expect.stringContaining("cycle") },
      ]);
    });

    test("self-deadlock", () => {
      const text = one("yield* mutex_lock(a.m); yield* mutex_lock(a.m);");
      expect(findings(text)).toEqual(["lockdep @3 line 2"]);
      expect(message(text)).toMatch(/self-deadlock: t already holds a\.m/);
      expect(findings(one("yield* mutex_lock(a.m); mutex_unlock(a.m); yield* mutex_lock(a.m); mutex_unlock(a.m);"))).toEqual([]);
    });

    test("unlock of a mutex that is free", () => {
      expect(findings(one("mutex_unlock(a.m);"))).toEqual(["lockdep @1 line 2"]);
      expect(message(one("mutex_unlock(a.m);"))).toBe("t unlocks a.m, which is free");
    });

    test("unlock by a stranger", () => {
      const text = boxes(
        "function* t(a) { yield* mutex_lock(a.m); yield; mutex_unlock(a.m); }\nfunction* u(a) { yield idle(() => !a.m.isFree); mutex_unlock(a.m); }",
        `thread("t", t, a), thread("u", u, a)`,
      );
      expect(explore(text, engine).outcome.findings).toMatchObject([
        { check: "lockdep", depth: 2, message: "u unlocks a.m, which another thread holds", location: { line: 3 } },
      ]);
    });

    test("a thread that ends while holding", () => {
      expect(findings(one("yield* mutex_lock(a.m);"))).toContain("lockdep @2");
      expect(message(one("yield* mutex_lock(a.m);"))).toBe("t returns while holding a mutex");
      expect(findings(one("yield* mutex_lock(a.m); mutex_unlock(a.m);"))).toEqual([]);
    });

    test("a system call that returns while holding; a helper inside one may", () => {
      const call = (body: string) =>
        boxes(
          `function* helper(a) { yield* mutex_lock(a.m); }\nfunction* ioctl(a) { ${body} }\nfunction* t(a) { yield* ioctl(a); yield; if (!a.m.isFree) mutex_unlock(a.m); }`,
          `thread("t", t, a)`,
        );
      expect(explore(call("yield* helper(a);"), engine).outcome.findings).toMatchObject([
        { check: "lockdep", depth: 1, message: "ioctl returns while holding a mutex" },
      ]);
      expect(findings(call("yield* helper(a); mutex_unlock(a.m);"))).toEqual([]);
    });

    test("an object freed while its mutex is held", () => {
      const text = one("yield* mutex_lock(h.p.m); yield; const o = h.p; h.p = null; kfree(o);");
      expect(findings(text)).toEqual(["lockdep @3 line 2"]);
      expect(message(text)).toBe("o is freed while o.m is held");
      expect(findings(text.replace("kfree(o)", "mutex_unlock(o.m); kfree(o)"))).toEqual([]);
    });

    test("a mutex that is freed while another thread waits for it is a use-after-free of the waiter", () => {
      const text = boxes(
        "function* t(h) { const o = h.p; if (o === null) return; yield* mutex_lock(o.m); mutex_unlock(o.m); }\nfunction* u(h) { const o = h.p; h.p = null; yield; kfree(o); }",
        `thread("t", t, h), thread("u", u, h)`,
      );
      expect(findings(text)).toContain("use-after-free @4 line 2");
    });

    test("a mutex may be chosen, and kept in a local", () => {
      const text = one("const lock = choose('lock', [a.m, b.m]); yield* mutex_lock(lock); yield; mutex_unlock(lock);");
      expect(findings(text)).toEqual([]);
      expect(findings(text.replace("mutex_unlock(lock)", "mutex_unlock(a.m)"))).toEqual(["lockdep @3 line 2"]);
    });

    test("mutex_trylock takes a free mutex and leaves one that is held", () => {
      expect(findings(one("WARN_ON(!mutex_trylock(a.m)); yield; WARN_ON(mutex_trylock(a.m)); yield; mutex_unlock(a.m);"))).toEqual([]);
      expect(findings(one("WARN_ON(mutex_trylock(a.m)); yield; mutex_unlock(a.m);"))).toEqual(["warn-on @1 line 2"]);
    });
  });

  describe("guarded-by", () => {
    const guarded = (code: string, more = "") =>
      tiny({
        procedures: `function* t(d, h) {\nyield;\n${code}\n}`,
        structs: `group: { m: mutex(), n: counter(2).guardedBy("m") }, dev: { group: ref("group"), attached: flag().guardedBy("group.m") }, holder: { p: ref("group") }`,
        make: `const g = make("group", "g"); const d = make("dev", "d", { group: g }); const h = make("holder", "h");`,
        threads: `thread("t", t, d, h)`,
        more: `pools: { group: 2 }, ${more}`,
      });

    test("touched without the lock, read or written", () => {
      expect(findings(guarded("d.group.n = 1;"))).toEqual(["guarded-by @1 line 4"]);
      expect(findings(guarded("WARN_ON(d.group.n > 0);"))).toEqual(["guarded-by @1 line 4"]);
      expect(findingOf(explore(guarded("d.group.n = 1;"), engine).outcome, "guarded-by")?.message).toBe("g.n is touched without g.m");
    });

    test("touched under the lock", () => {
      expect(findings(guarded("yield* mutex_lock(d.group.m); d.group.n = 1; d.attached = true; mutex_unlock(d.group.m);"))).toEqual([]);
      expect(findings(guarded("yield* mutex_lock(d.group.m); mutex_unlock(d.group.m); yield; d.group.n = 1;"))).toEqual([
        "guarded-by @3 line 4",
      ]);
    });

    test("the lock may be that of an object the field's owner points to; with no such object there is nothing to hold", () => {
      expect(findings(guarded("d.attached = true;"))).toEqual(["guarded-by @1 line 4"]);
      expect(findings(guarded("d.group = null; yield; d.attached = true;"))).toEqual([]);
    });

    test("data_race says that the C does so knowingly", () => {
      expect(findings(guarded("data_race(() => d.group.n);"))).toEqual([]);
      expect(findings(guarded("data_race(() => d.group.n); yield; d.attached = true;"))).toEqual(["guarded-by @2 line 4"]);
    });

    test("an object allocated in this very block needs no lock, in a later block it does", () => {
      expect(findings(guarded(`const g = kzalloc(s, "group"); g.n = 1; h.p = g;`))).toEqual([]);
      expect(findings(guarded(`const g = kzalloc(s, "group"); h.p = g; yield; g.n = 1;`))).toEqual(["guarded-by @2 line 4"]);
    });

    test("a thread is reported in a state without the lock although its path was learned in one with it", () => {
      const text = guarded(
        `for (const locked of [true, false]) {\nif (locked) yield* mutex_lock(d.group.m);\nyield;\nd.group.n = 1; if (locked) mutex_unlock(d.group.m);\n}`,
      );
      expect(findings(text)).toEqual(["guarded-by @4 line 7"]);
    });
  });
});
