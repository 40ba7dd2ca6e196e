import { describe, expect, test } from "vitest";
import { language, liveNames } from "./helpers.js";

/** Body of a procedure with parameters a, b and list; the names live at each of its yields. */
const table: [what: string, body: string, live: string[][]][] = [
  ["nothing is read afterwards", "let x = a; x = x + 1; yield;", [[]]],
  ["read afterwards", "const x = a + b; yield; return x;", [["x"]]],
  ["written before it is read", "let x = a; yield; x = 2; return x;", [[]]],
  ["`x += 1` and `x++` read", "let x = a; let y = b; yield; x += 1; y++; return 0;", [["x", "y"]]],
  ["a parameter", "yield; return b;", [["b"]]],
  ["read only in the other branch of an if", "if (a) { yield; return 1; } else { return b; }", [[]]],
  ["read after both branches", "const x = b; if (a) { yield; } else { yield; } return x;", [["x"], ["x"]]],
  ["written on one path only", "let x = b; yield; if (a) x = 1; return x;", [["a", "x"]]],
  ["?: reads one side", "const x = b; return a ? (yield, x) : 0;", [["x"]]],
  ["?: the other side", "const x = b; return a ? (yield, 0) : x;", [[]]],
  ["&& may skip the write", "let x = b; yield; a && (x = 1); return x;", [["a", "x"]]],
  ["?? and ||", "let x = b; let y = b; yield; a ?? x; a || y; return 0;", [["a", "x", "y"]]],
  ["&&= reads, and may write", "let x = b; yield; x &&= a; return x;", [["a", "x"]]],
  ["while: read in the next turn", "let i = 0; while (i < 3) { yield; i = i + 1; } return 0;", [["i"]]],
  ["while: dead in the body, fresh in each turn", "while (a) { const t = b; if (t) return t; yield; }", [["a", "b"]]],
  ["while (true) ends by jumps only", "let x = a; while (true) { yield; if (a) break; x = 2; } return 0;", [["a"]]],
  ["do: condition after the body", "let i = 0; do { yield; i++; } while (i < a); return 0;", [["a", "i"]]],
  ["for: condition and update", "for (let i = 0; i < a; i++) { yield; }", [["a", "i"]]],
  ["for: left by break before the update", "for (let i = 0; i < a; i++) { yield; break; }", [[]]],
  ["for: continue reaches the update", "for (let i = 0; i < a; i++) { if (b) { yield; continue; } return i; }", [["a", "b", "i"]]],
  [
    "labelled continue skips the inner loop's rest",
    "let x = b; outer: for (let i = 0; i < a; i++) { for (let j = 0; j < a; j++) { yield; continue outer; } x++; } return 0;",
    [["a", "x", "i"]],
  ],
  ["labelled break of a loop", "outer: while (a) { while (b) { yield; break outer; } } return 0;", [[]]],
  ["labelled break of a block", "const x = b; done: { if (a) { yield; break done; } return x; } return 0;", [[]]],
  ["switch: own case only", "const x = b; switch (a) { case 1: yield; return 0; case 2: return x; default: return 0; }", [[]]],
  ["switch: fallthrough", "const x = b; switch (a) { case 1: yield; case 2: return x; default: return 0; }", [["x"]]],
  ["switch: break leaves", "const x = b; switch (a) { case 1: yield; break; default: return x; } return 0;", [[]]],
  ["switch: without a default it may be skipped", "let x = b; yield; switch (a) { case 1: x = 1; break; } return x;", [["a", "x"]]],
  ["throw ends the path", "const x = b; if (a) { yield; throw new Error(); } return x;", [[]]],
  ["unreachable code after return", "const x = b; yield; return 0; return x;", [[]]],
  ["for-of with a yield inside", "for (const d of list) { yield; a; }", [["a", "list", "cursor of list"]]],
  ["for-of: the element while it is used", "for (const d of list) { yield; d; }", [["d", "list", "cursor of list"]]],
  ["for-of: left by break", "for (const d of list) { yield; break; }", [[]]],
  ["for-of without a yield inside", "yield; for (const d of list) { a += d; } return a;", [["a", "list"]]],
  ["shadowing: the outer one", "const x = a; { const x = b; yield; } return x;", [["x"]]],
  ["shadowing: the inner one", "const x = a; { const x = b; yield; return x; }", [["x"]]],
  ["shadowing: both", "const x = a; { const x = b; yield; if (x) return 1; } return x;", [["x", "x"]]],
  ["destructured locals", "const [p, q] = list; const { r, s: t } = a; yield; return q + t;", [["q", "t"]]],
  ["destructuring assignment", "let p = 1; let q = 2; yield; [p, q] = [a, p]; return q;", [["a", "p"]]],
  ["captured by a guard", "const n = a; yield until(() => b > n); return 0;", [["b", "n"]]],
  ["captured by the guard of idle", "const n = a; yield idle(() => b > n); return 0;", [["b", "n"]]],
  [
    "captured by a guard, live before it too",
    "const n = a; yield; yield until(() => b > n); return 0;",
    [
      ["b", "n"],
      ["b", "n"],
    ],
  ],
  ["what a wait is called with, besides its guard", "yield until(() => b, a.n, a); return 0;", [["a", "b", "a.n"]]],
  ["what a lock is called with", "yield* mutex_lock(a.mutex); return 0;", [["a"]]],
  ["what a lock hangs on", "yield* mutex_lock(a.b.mutex); return 0;", [["a.b"]]],
  ["a function used within the step", "const x = b; yield; const f = () => x; return f();", [["x"]]],
  ["the argument of a call is consumed", "const x = b; yield* other(x); return 0;", [[]]],
  ["an operand that is pending", "return a.count + (yield* other(b));", [["a.count"]]],
  ["a local that is pending", "return a + (yield* other(b));", [["a"]]],
  ["the object of an assignment", "a.owner = yield* other(b); return 0;", [["a"]]],
  ["object and index of an assignment", "list[b] = yield* other(a); return 0;", [["b", "list"]]],
  ["the old value in x += yield", "a += yield* other(b); return a;", [["a"]]],
  ["arguments before the yield", "g(a.x, b, yield* other(1)); return 0;", [["b", "a.x"]]],
];

describe("live locals at each yield", () => {
  test.each(table)("%s", (_what, body, live) => {
    const text = `${language}function g(...x) {}\nfunction* other(x) { return x; }\nexport function* p(a, b, list) { ${body} }`;
    expect(liveNames(text)).toEqual(live);
  });

  test("a variable that an unfinished declaration declares is not in scope yet", () => {
    expect(liveNames("export function* p(n) { while (n) { const ret = yield; n = ret; } }")).toEqual([[]]);
  });

  test("without the safeguard nothing is live", () => {
    expect(liveNames("export function* p(n) { yield; return n; }", { liveness: false })).toEqual([[]]);
  });

  test("without the safeguard a guard's captures are not live", () => {
    const text = `${language}export function* p(n) { yield until(() => n > 1); }`;
    expect([liveNames(text), liveNames(text, { guardCaptures: false })]).toEqual([[["n"]], [[]]]);
  });
});
