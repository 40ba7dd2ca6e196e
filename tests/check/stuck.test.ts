import { describe, expect, test } from "vitest";
import { engines, explore, findingOf, found, tiny } from "../support/model.js";

const boxes = (procedures: string, threads: string) =>
  tiny({
    procedures,
    structs: "box: { m: mutex(), go: flag(), tick: flag() }",
    make: `const a = make("box", "a"); const b = make("box", "b"); const c = make("box", "c");`,
    threads,
    more: "expected: { lockdep: { verdict: 'violated', reason: 'not the point' } }",
  });

/** Takes two mutexes one inside the other. */
const nested = (name: string, first: string, second: string) =>
  `function* ${name}(a, b, c) { yield* mutex_lock(${first}.m); yield* mutex_lock(${second}.m); mutex_unlock(${second}.m); yield; mutex_unlock(${first}.m); }`;
const clock = "function* clock(c) { for (;;) { yield; c.tick = !c.tick; } }";
const all = "a, b, c";

describe.each(engines)("%s", (engine) => {
  const stuck = (text: string) => findingOf(explore(text, engine).outcome, "stuck");

  test("nobody can move: two threads each hold what the other wants", () => {
    const text = boxes(`${nested("t", "a", "b")}\n${nested("u", "b", "a")}`, `thread("t", t, ${all}), thread("u", u, ${all})`);
    expect(stuck(text)).toMatchObject({ depth: 2, message: "t waits for b.m held by u; u waits for a.m held by t" });
    expect(stuck(text.replace(nested("u", "b", "a"), nested("u", "a", "b")))).toBeUndefined();
  });

  test("some can never move, while another thread goes on for ever", () => {
    const text = boxes(
      `${nested("t", "a", "b")}\n${nested("u", "b", "a")}\n${clock}`,
      `thread("t", t, ${all}), thread("u", u, ${all}), thread("clock", clock, c)`,
    );
    expect(stuck(text)).toMatchObject({ depth: 2, message: "t waits for b.m held by u; u waits for a.m held by t" });
    expect(stuck(text.replace(nested("u", "b", "a"), nested("u", "a", "b")))).toBeUndefined();
  });

  test("a circle of three, of which only the members are named", () => {
    const text = boxes(
      `${nested("t", "a", "b")}\n${nested("u", "b", "c")}\n${nested("v", "c", "a")}`,
      `thread("t", t, ${all}), thread("u", u, ${all}), thread("v", v, ${all})`,
    );
    expect(stuck(text)).toMatchObject({ depth: 3, message: expect.stringMatching(/t waits.*u waits.*v waits/) });
    expect(stuck(text.replace(nested("v", "c", "a"), nested("v", "a", "c")))).toBeUndefined();
  });

  test("a lock whose holder has ended", () => {
    const text = boxes(
      `function* t(a) { yield* mutex_lock(a.m); }\nfunction* u(a) { yield* mutex_lock(a.m); mutex_unlock(a.m); }\n${clock}`,
      `thread("t", t, a), thread("u", u, a), thread("clock", clock, c)`,
    );
    expect(stuck(text)).toMatchObject({ depth: 1, message: "u waits for a.m held by t, which has ended" });
    expect(stuck(text.replace("mutex_lock(a.m); }", "mutex_lock(a.m); mutex_unlock(a.m); }"))).toBeUndefined();
  });

  test("a condition that never comes true, once everybody else is done or rests", () => {
    const text = boxes(
      "function* t(a) { yield until(() => a.go); }\nfunction* u(b) { yield; b.go = true; yield idle(); }",
      `thread("t", t, a), thread("u", u, b)`,
    );
    expect(stuck(text)).toMatchObject({ depth: 2, message: "t waits in t for a condition that never comes true" });
    expect(stuck(text.replace(`thread("u", u, b)`, `thread("u", u, a)`))).toBeUndefined();
  });

  test("idle is no deadlock, with or without a condition", () => {
    expect(
      found(
        explore(
          boxes("function* t(a) { yield idle(); }\nfunction* u(a) { yield idle(() => a.go); }", `thread("t", t, a), thread("u", u, a)`),
          engine,
        ).outcome,
      ),
    ).toEqual([]);
  });

  test("a choice among nothing waits, and for ever is stuck", () => {
    const text = boxes(
      "function* t(a) { yield; choose('which', a.go ? [1] : []); }\nfunction* u(b) { yield; b.go = true; }",
      `thread("t", t, a), thread("u", u, b)`,
    );
    expect(stuck(text)?.depth).toBe(1);
    expect(stuck(text.replace(`thread("u", u, b)`, `thread("u", u, a)`))).toBeUndefined();
  });

  test("assume holds a step back until it is true", () => {
    const text = boxes(
      "function* t(a) { yield; assume(a.go); }\nfunction* u(b) { yield; b.go = true; }",
      `thread("t", t, a), thread("u", u, b)`,
    );
    expect(stuck(text)?.depth).toBe(1);
    expect(stuck(text.replace(`thread("u", u, b)`, `thread("u", u, a)`))).toBeUndefined();
  });

  test("waiting for a lock whose holder rests idle is no circle, and not stuck while others move", () => {
    const text = boxes(
      `function* t(a) { yield* mutex_lock(a.m); yield idle(); mutex_unlock(a.m); }\nfunction* u(a) { yield* mutex_lock(a.m); mutex_unlock(a.m); }\n${clock}`,
      `thread("t", t, a), thread("u", u, a), thread("clock", clock, c)`,
    );
    expect(stuck(text)).toBeUndefined();
  });
});
