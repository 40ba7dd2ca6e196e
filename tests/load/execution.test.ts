import { describe, expect, test } from "vitest";
import { allSafeguards, type Safeguards } from "../../src/load/instrument.js";
import { finish, language, moduleOf, PoisonFault, type Stop, type Thread } from "./helpers.js";

const common = `${language}
declare function ask(): number;
declare function log(...values: unknown[]): void;
`;

const sub = `
export function* sub(x) { const y = x + 1; yield; log("sub", y); return y * 2; }
function pair(...values) { return values; }
function show(value) { log("show", value); return value; }
const tools = { base: 10, join(...values) { return values.join("+"); } };
`;

function procedure(body: string): string {
  return `${common}${sub}\nexport function* p(a, b, o, list) {\n${body}\n}`;
}

const args = () => [3, 4, { n: 5, m: { k: 6 }, l: [1, 2, 3], f: (...x: number[]) => x.join("/") }, [7, 8, 9]];

// biome-ignore-start lint/suspicious/noTemplateCurlyInString: the templates are in the procedures' texts
/** The bodies in which an operand is pending at a yield, and others whose meaning must not change. */
const bodies: string[] = [
  "return o.n + (yield* sub(a));",
  "return a + (yield* sub(b)) + o.n;",
  "let x = a; return x + (x = yield* sub(b));",
  "let x = a; return x + (yield* sub(x++)) + x;",
  "return show(1) + show(2) * (yield* sub(show(3))) + show(4);",
  "return pair(o.n, yield* sub(a), show(b), yield* sub(b), o.n);",
  "return pair(...list, yield* sub(a), ...list);",
  "return pair(...(yield* sub2(a)), b); } function* sub2(x) { yield; return [x, x];",
  "return tools.join(o.n, yield* sub(a));",
  "return o.f(yield* sub(a), yield* sub(b));",
  "return o['f'](b, yield* sub(a));",
  "o.n = yield* sub(a); return o.n;",
  "o.m.k = (o.n = yield* sub(a)) + o.n; return [o.n, o.m.k];",
  "list[a - 2] = yield* sub(b); return list;",
  "list[yield* sub(-1)] = yield* sub(b); return list;",
  "list[yield* sub(-1)] += show(2); return list;",
  "o.m[(yield* sub(-1)) || 'k']++; return o.m;",
  "return --o.l[yield* sub(-1)];",
  "a += yield* sub(b); return a;",
  "o.n += yield* sub(b); return o.n;",
  "o.m.k -= (yield* sub(b)) - o.n; return o.m.k;",
  "list[show(1)] **= yield* sub(0); return list;",
  "o.n &&= yield* sub(b); o.m.k ||= yield* sub(b); o.q ??= yield* sub(a); return o;",
  "const p = [o.n, yield* sub(a), b]; return p;",
  "const p = [...list, yield* sub(a)]; return p;",
  "const p = { x: o.n, b, [show('k')]: show(1), y: yield* sub(a), z: o.n, ...o.m }; return p;",
  "const p = { ...(yield* sub2(a)), b }; return p; } function* sub2(x) { yield; return { x };",
  "return `${o.n} ${yield* sub(a)} ${b} ${yield* sub(b)}`;",
  "return new Array(o.n, yield* sub(a), b);",
  "return (show(a), yield* sub(b));",
  "return a && (yield* sub(b)) && o.n;",
  "return o.zero || (o.n + (yield* sub(b)));",
  "return (o.zero ?? (yield* sub(b))) + 1;",
  "return o.n + (ask() ? yield* sub(a) : show(b));",
  "return o.n < (yield* sub(a)) ? o.n : -(yield* sub(b));",
  "if (!(yield* sub(a))) return 1; return 2;",
  "if ((yield* sub(a)) !== 0 && o.n > (yield* sub(b))) return 1; return 2;",
  "switch (yield* sub(a)) { case 8: return 'eight'; default: return 'other'; }",
  "let n = 0; while (n < (yield* sub(1))) n++; return n;",
  "let n = 0; do { n++; } while (n + (yield* sub(0)) < 6); return n;",
  "for (let i = yield* sub(-1); i < (yield* sub(1)); i += yield* sub(-0.5)) log(i);",
  "const x = yield* sub(a), y = yield* sub(x); return [x, y];",
  "const [x, { k }] = [yield* sub(a), o.m]; return x + k;",
  "let x, y; [x, y = 5, o.n] = [yield* sub(a), , 9]; ({ n: x, m: { k: y } } = o); return [x, y];",
  "return typeof (yield* sub(a)) + void (yield* sub(b));",
  "return (yield* sub(a)) in [1, 2, 3, 4, 5, 6, 7, 8, 9];",
  "throw_(o.n, yield* sub(a)); } function throw_(x, y) { log(x, y);",
  // For-of loops.
  "for (const x of list) { log(x); yield; log(x, a); }",
  "for (const x of list) { if (x === 8) continue; yield; log(x); }",
  "for (const x of list) { yield; if (x === 8) break; log(x); } return 1;",
  "outer: for (const x of list) { for (const y of o.l) { yield; if (y === 2) continue outer; if (x === 9) break outer; log(x, y); } }",
  "for (const [x, y] of [[1, 2], [3, 4]]) { yield; log(x, y); }",
  "let x; for (x of list) { yield; } return x;",
  "for (o.n of list) { yield; log(o.n); }",
  "for (const x of list.filter((x) => x > a + 4)) yield;",
  "for (const x of yield* sub2(a)) { log(x); yield; } } function* sub2(x) { yield; return [x, x + 1];",
  "for (const x of []) { yield; } return 'none';",
  "let s = 0; yield; for (const x of list) { s += x; for (const s of o.l) log(s); } return s;",
  "for (const x of list) { const f = () => x; log(f()); yield; } return list.map((x) => x + a);",
  // Scopes.
  "const x = a; { const x = b; yield; log(x); { const x = o.n; yield; log(x); } yield; log(x); } yield; return x;",
  "let x = 1; for (let x = 0; x < 2; x++) { yield; log(x); } return x;",
  "const x = 1; const { n: y, m: { k: x2 } } = o; { const { n, ...x } = o; yield; log(n, x.m); } return [x, y, x2];",
  "const x = { a, b }; yield; { const { a, b: c = 3 } = x; yield; log(a, c); } return [x.a, a];",
  "for (let i = 0, n = a; i < n; i++) { let seen; log(seen); seen = i; yield; log(seen); }",
  // Other control flow.
  "const x = b; switch (a) { case 3: yield; case 4: { const x = 9; yield; log(x); break; } default: log('no'); } return x;",
  "done: { yield; if (b) break done; log('not here'); } return a;",
  "let i = 0; again: while (true) { i++; yield; if (i < a) continue again; break; } return i;",
  "const n = b; yield until(() => a + n); yield until(() => a); yield idle(() => b * n); yield idle();",
  "yield* mutex_lock(o.m); yield* mutex_lock(list[0]); return a;",
  "const f = (x) => { let n = x; n += a; return n; }; log(f(1)); yield; return b;",
  "list.sort((x, y) => y - x); yield; return list.map((x, i) => ({ x, i, a }));",
];
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: see above

describe("instrumented procedures do what the plain ones do", () => {
  test.each(bodies)("%s", (body) => {
    const text = procedure(body);
    for (const script of [[], [1]]) {
      const plain = finish(moduleOf(text, { plain: true }).start("p", args(), script));
      const own = finish(moduleOf(text).start("p", args(), script));
      expect(own).toEqual(plain);
    }
  });
});

test("enter reports the parameters, also destructured ones and rests", () => {
  const { generator, runtime } = moduleOf("export function* p(a, { b, c: [d] }, e = a + 1, ...f) { yield; }").start("p", [
    1,
    { b: 2, c: [3] },
    undefined,
    5,
    6,
  ]);
  generator.next();
  expect(runtime.entered).toEqual([[0, [1, 2, 3, 2, [5, 6]]]]);
});

test("every loop ticks, in procedures and in functions", () => {
  const text =
    "export function* p(l) {\nfor (const x of l) yield;\nfor (const x of l);\nwhile (l.length > 1) l.pop();\ndo f(l); while (l.length);\n}\nfunction f(l) {\nfor (;;) { l.pop(); if (!l.length) return; } }";
  const thread = moduleOf(text).start("p", [[1, 2]]);
  finish(thread);
  expect(thread.runtime.ticks).toEqual([2, 2, 3, 3, 4, 5, 8]);
});

test("a dead local is poisoned, and using it is a fault", () => {
  const text = "export function* p(a) { yield; return a; }";
  expect(() => finish(moduleOf(text, { safeguards: { liveness: false } }).start("p", [1]))).toThrow(PoisonFault);
});

describe("each safeguard matters", () => {
  /** Drives one thread to its first stop with the one argument, and lets it go on with the control state of the other. */
  function transplanted(text: string, off: Partial<Safeguards>): { same: boolean; first: string[]; mixed: string[] } {
    const safeguards = { ...allSafeguards, ...off };
    const start = (a: number): [Thread, Stop] => {
      const thread = moduleOf(text, { safeguards }).start("p", [a, { n: a, set: (x: unknown) => a * 100 + Number(x) }]);
      return [thread, thread.generator.next().value as Stop];
    };
    const [donor, state] = start(1);
    const [host, other] = start(2);
    const same = JSON.stringify(state.frames) === JSON.stringify(other.frames);
    host.runtime.transplant(state.frames);
    return { same, first: finish(donor), mixed: finish(host) };
  }

  const plain = "export function* p(a, o) { yield; return a; }";
  const pending = `${sub}export function* p(a, o) { return o.n + (yield* sub(1)); }`;
  const target = `${sub}export function* p(a, o) { const t = [a]; t[0] += yield* sub(1); return t; }`;

  test.each([plain, pending, target])("with all of them, the control state decides what follows: %s", (text) => {
    const { same, first, mixed } = transplanted(text, {});
    expect([same, mixed]).toEqual([false, first]);
  });

  test("restore: a local would keep the value of the witness", () => {
    const { first, mixed } = transplanted(plain, { restore: false });
    expect(mixed).not.toEqual(first);
  });

  test("spill: two threads that go on differently would have one control state", () => {
    const { same, first, mixed } = transplanted(pending, { spill: false });
    expect([same, mixed.at(-1) === first.at(-1)]).toEqual([true, false]);
  });

  test("liveness and poison: a forgotten local would go unnoticed", () => {
    const { same, first, mixed } = transplanted(plain, { liveness: false, poison: false });
    expect([same, mixed.at(-1) === first.at(-1)]).toEqual([true, false]);
  });

  test("guardCaptures: two waits for different things would have one control state", () => {
    const text = `${language}export function* p(a, o) { const n = a; yield until(() => 2 > n); }`;
    const stateAndGuard = (a: number, safeguards: Partial<Safeguards>) => {
      const stop = moduleOf(text, { safeguards }).start("p", [a]).generator.next().value as Stop;
      return [JSON.stringify(stop.frames), (stop.wait as { guard: () => boolean }).guard()];
    };
    const [state1, guard1] = stateAndGuard(1, { guardCaptures: false });
    const [state2, guard2] = stateAndGuard(2, { guardCaptures: false });
    expect([state1 === state2, guard1 === guard2]).toEqual([true, false]);
    expect(stateAndGuard(1, {})[0]).not.toEqual(stateAndGuard(2, {})[0]);
  });
});
