import { describe, expect, test } from "vitest";
import { instrument } from "../../src/load/instrument.js";
import type { RefusalKind } from "../../src/load/refusals.js";
import { language, refusalOf } from "./helpers.js";

/** In each text `«` stands right before the place that the error must point to. */
const table: [kind: RefusalKind, text: string][] = [
  ["syntax", "export function* p() { yield «; ] }".replace("«; ]", "; «]")],
  ["try-catch", "export function* p() { «try { yield; } finally {} }"],
  ["try-catch", "export function f(g) { «try { g(); } catch {} }"],
  ["this", "export function* p() { yield; return «this; }"],
  ["this", "export function f() { return «this.x; }"],
  ["this", "export function* p(«this: unknown) { yield; }"],
  ["using", "export function* p(a) { «using x = a; yield; }"],
  ["pending-operand", "export function* p(a) { return { [«yield]() {} }; }"],
  ["arguments", "export function* p() { yield; return «arguments[0]; }"],
  ["async", "export «async function f() {}"],
  ["async", "export const f = «async () => 1;"],
  ["async", "export «async function* f() { yield; }"],
  ["async", "const x = «await f();"],
  ["generator-method", "export const ops = { «*attach() { yield; } };"],
  ["nested-generator", "export const ops = { attach: «function* () { yield; } };"],
  ["nested-generator", "export const f = wrap(«function* () { yield; });"],
  ["nested-generator", "export function* p() { «function* q() { yield; } yield* q(); }"],
  ["nested-generator", "export function f() { const g = «function* () { yield; }; return g; }"],
  ["nested-function", "export function* p() { yield; «function f() {} f(); }"],
  ["class", "«class Dev {}"],
  ["yield-in-default", "export function* p(«a = yield) {}"],
  ["optional-chaining", "export const f = (a) => «a?.b;"],
  ["optional-chaining", "export const f = (a) => «a?.[0].c;"],
  ["optional-chaining", "export const f = (a) => «a.b?.();"],
  ["for-in", "export function f(o) { «for (const k in o) {} }"],
  ["unknown-code", "export const f = () => «eval('1');"],
  ["unknown-code", "export const f = () => new «Function('1');"],
  ["impure", "export const f = () => «Date.now();"],
  ["impure", "export const f = () => «performance.now();"],
  ["impure", "export const f = () => «Math.random();"],
  ["impure", "export const f = () => «crypto;"],
  ["impure", "export const f = () => «process.env.HOME;"],
  ["impure", "export const f = () => «setTimeout(f, 1);"],
  ["impure", "export const f = () => «globalThis;"],
  ["impure", "export const f = () => «fetch('x');"],
  ["impure", "export const f = () => new «Promise(f);"],
  ["impure", "export const f = () => «import.meta.url;"],
  ["impure", "export const f = () => ({ «process });"],
  ["dynamic-import", "export const f = () => «import('./x.js');"],
  ["foreign-import", 'import fs from «"node:fs";'],
  ["foreign-import", 'import { produce } from «"immer";'],
  ["foreign-import", 'export { produce } from «"immer";'],
  ["mutable-module-variable", "«let n = 0;"],
  ["mutable-module-variable", "«export let n = 0;"],
  ["mutable-module-variable", "«var n = 0;"],
  ["var", "export function f() { «var n = 0; return n; }"],
  ["assignment-outside", "function f() {} export function* p() { «f = 1; yield; }"],
  ["assignment-outside", "const c = { n: 0 }; export function* p() { «c.n++; yield; }"],
  ["assignment-outside", "const c = { n: { m: 0 } } as const; export function f() { «c.n.m = 1; }"],
  ["assignment-outside", "const l: number[] = []; export function* p() { «l[0] = 1; yield; }"],
  ["assignment-outside", "const l = []; export function* p() { «l.push(1); yield; }"],
  ["assignment-outside", "const s = new Set(); export const f = () => «s.add(1);"],
  ["assignment-to-const", "export function* p() { const x = 1; yield; «x = 2; return x; }"],
  ["captured-assignment", "export function* p(l) { let n = 0; l.forEach((x) => { «n += x; }); yield; return n; }"],
  ["kept-variable", "function counter() { let n = 0; return () => «n++; }"],
  ["kept-variable", "const counter = (n) => () => { «n += 1; return n; };"],
  ["kept-variable", "function counter() { let n = 0; return { next: () => («n = n + 1), get: () => n }; }"],
  ["kept-variable", "function counter() { let n = 0; return { next() { «n++; } }; }"],
  ["kept-variable", "const api = (() => { let n = 0; const set = () => { «n = 1; }; return { set, get: () => n }; })();"],
  ["kept-variable", "const next = (() => { let n = 0; const f = () => «n++; return f; })();"],
  ["kept-variable", "function counter() { let n = 0; function next() { «n++; } return next; }"],
  ["assignment-outside", "const api = []; { let n = 0; api.push(() => «n++); }"],
  ["assignment-outside", "export function* p() { «p.calls = 1; yield; }"],
  ["live-closure", "export function* p(l) { const «f = () => l; yield; return f(); }"],
  ["live-closure", `${language}export function* p(l) { const «f = () => l; yield until(f); }`],
  ["pending-operand", "export function* p(a) { switch (a) { case «yield: return 1; } }"],
  ["pending-operand", "export function* p(a) { const «{ x = yield } = a; }"],
  ["pending-operand", "export function* p(a) { let x; «[x = yield] = a; return x; }"],
  ["pending-operand", "export function* p(a) { return { «...a, b: yield }; }"],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the template is in the model's text
  ["pending-operand", "export function* p(a) { return «a`${yield}`; }"],
  ["wait-operand", "function wait(x) { return x; } export function* p(a) { «yield wait(a); }"],
  ["wait-operand", "function* q() {} export function* p() { «yield q(); }"],
  ["wait-operand", "export function* p(a) { «yield a.b; }"],
  ["case-scope", "export function* p(a) { switch (a) { case 1: let x = 1; yield; break; case 2: «x = 2; } }"],
];

describe("refusals", () => {
  test.each(table)("%s: %s", (kind, marked) => {
    const before = marked.slice(0, marked.indexOf("«")).split("\n");
    const error = refusalOf(marked.replace("«", ""));
    expect([error.kind, error.location]).toEqual([
      kind,
      { file: "model.ts", line: before.length, column: (before.at(-1) as string).length + 1 },
    ]);
    expect(error.message.length).toBeGreaterThan(0);
    expect(error.hint.length).toBeGreaterThan(0);
  });
});

describe("accepted", () => {
  test.each([
    "export const f = function* () { yield; };",
    "export default function* () { yield; }",
    "export const f = function* () { yield; } satisfies unknown;",
    "const table = { a: 1 }; export function f() { return table.a; }",
    "function f() { const l = []; l.push(1); l[0] = 2; let n = 0; l.forEach((x) => { n += x; }); return n; }",
    "function f(l) { return () => { let n = 0; n++; return n; }; }",
    "const f = (l) => l.map((x) => { let n = x; n++; return n; });",
    "export function* p(l) { let n = 0; yield; for (const x of l) n += x; return n; }",
    "export function* p(l) { yield; const big = l.filter((x) => x > 1); return big.length; }",
    "export function* p(group) { group.owner = null; group.count++; group.devices.add(group); yield; }",
    "export const f = (process) => process.id;",
    "export const f = (o) => o.process + o.Date;",
    'import type { Draft } from "immer"; import { type Immutable } from "immer"; export type D = Draft<Immutable<1>>;',
    `${language}export function* p(a) { yield until(() => a.x); yield idle(); yield idle(() => a.y); yield "here"; yield; }`,
    'import * as mc from "iommu-mc"; export function* p(a) { yield mc.until(() => a); }',
    "const made = []; for (const x of [1]) made.push(x); export const n = made.length;",
  ])("%s", (text) => {
    expect(() => instrument(text, "model.ts")).not.toThrow();
  });
});
