import { describe, expect, test } from "vitest";
import { engines, explore, findingOf, found, verdictOf } from "../support/model.js";

/** A box that two threads change: `up` sets n to 1 and then 2, `raise` sets the flag once. */
const box = (window: string, more = "") => `
const s = schema({ box: { n: counter(2), flag: flag(), next: ref("box"), m: mutex() } });
function* up(b) { yield; b.n = 1; yield; b.n = 2; }
function* raise(b) { yield; b.flag = true; }
${more}
const { always, atRest, onReturn, onStep, atEnd, sometimes } = windows(s);
export const tiny = suiteOf(s, { properties: [claim("P", ${window})] }, (make) => {
  const b = make("box", "b");
  return [thread("up", up, b), thread("raise", raise, b)];
});
`;

/** A box whose two halves are made equal under its mutex, one after the other. */
const halves = (window: string) => `
const s = schema({ box: { left: flag(), right: flag(), m: mutex() }, user: { of: ref("box") } });
function* both(b) { yield* mutex_lock(b.m); b.left = true; yield; b.right = true; mutex_unlock(b.m); }
const { always, atRest } = windows(s);
export const tiny = suiteOf(s, { properties: [claim("P", ${window})] }, (make) => {
  const b = make("box", "b");
  make("user", "u", { of: b });
  return [thread("t", both, b)];
});
`;

/** A procedure with a result, called from another one or being the thread itself. */
const call = (window: string, caller = "function* caller(b) { yield; const ret = yield* half(b, 2); yield; b.n = ret; }") => `
const s = schema({ box: { n: counter(3) } });
function* half(b, x) { yield; b.n = 1; return x / 2; }
${caller}
const { onReturn } = windows(s);
export const tiny = suiteOf(s, { properties: [claim("P", ${window})] }, (make) => [thread("t", caller, make("box", "b"))]);
`;

describe.each(engines)("%s", (engine) => {
  const verdict = (text: string) => verdictOf(explore(text, engine).outcome, "P");
  const findings = (text: string) => found(explore(text, engine).outcome);

  test("always: a state that breaks it is found after the fewest steps, none means it holds", () => {
    expect(findings(box(`always("box", (b) => b.n < 2)`))).toEqual(["P @2"]);
    expect(findings(box(`always("box", (b) => !(b.n === 2 && b.flag))`))).toEqual(["P @3"]);
    expect(verdict(box(`always("box", (b) => b.n <= 2)`))).toBe("holds");
  });

  test("always: the initial state counts", () => {
    expect(findings(box(`always("box", (b) => b.n > 0)`))).toEqual(["P @0"]);
  });

  test("a judgement of null everywhere is vacuous, one that applies once is not", () => {
    expect(verdict(box(`always("box", () => null)`))).toBe("vacuous");
    expect(verdict(box(`always("box", (b) => (b.n === 2 && b.flag ? true : null))`))).toBe("holds");
    expect(findings(box(`always("box", (b) => (b.n === 2 && b.flag ? false : null))`))).toEqual(["P @3"]);
  });

  test("conjuncts: the message names those that fail and only those", () => {
    const { outcome } = explore(
      box(`always("box", (b) => ({ "n stays small": b.n < 2, "flag is down": !b.flag || b.n < 2, fine: true }))`),
      engine,
    );
    expect(findingOf(outcome, "P")).toMatchObject({ message: "not so: n stays small", subject: "b", depth: 2 });
  });

  test("a pointer that is NULL makes the predicate false, with the reason", () => {
    const { outcome } = explore(box(`always("box", (b) => b.next.n === 0)`), engine);
    expect(findingOf(outcome, "P")?.message).toMatch(/NULL pointer \(n\)/);
  });

  test("atRest: what happens while the lock is held does not count", () => {
    expect(findings(halves(`always("box", (b) => b.left === b.right)`))).toEqual(["P @1"]);
    expect(verdict(halves(`atRest("box", "m", (b) => b.left === b.right)`))).toBe("holds");
    expect(findings(halves(`atRest("box", "m", (b) => !b.right)`))).toEqual(["P @2"]);
  });

  test("atRest: the lock may be that of an object the instance points to", () => {
    expect(verdict(halves(`atRest("user", "of.m", (u) => u.of.left === u.of.right)`))).toBe("holds");
    expect(findings(halves(`atRest("user", "of.m", (u) => !u.of.left)`))).toEqual(["P @2"]);
  });

  test("onReturn: asked in the very state of the return, with parameters and result", () => {
    expect(verdict(call(`onReturn("half", ([b, x], ret) => b.n === 1 && x === 2 && ret === 1)`))).toBe("holds");
    expect(findings(call(`onReturn("half", ([b, x], ret) => ret !== 1)`))).toEqual(["P @2"]);
    expect(findings(call(`onReturn("half", ([b]) => b.n === 0)`))).toEqual(["P @2"]);
  });

  test("onReturn: a procedure that never returns is vacuous", () => {
    const waits = "function* caller(b) { yield; yield idle(() => b.n > 2); yield* half(b, 2); }";
    expect(verdict(call(`onReturn("half", () => false)`, waits))).toBe("vacuous");
  });

  test("onReturn: the thread's own procedure, and one that returns at once deep inside, are seen returning", () => {
    expect(findings(call(`onReturn("caller", ([b]) => b.n === 0)`, "function* caller(b) { yield; b.n = 1; }"))).toEqual(["P @1"]);
    const nested =
      "function* at_once() { return 0; } function* middle() { yield* at_once(); yield; } function* caller(b) { yield* middle(); b.n = 1; }";
    expect(findings(call(`onReturn("at_once", () => false)`, nested))).toEqual(["P @1"]);
  });

  test("onStep: compares the states before and after each step that changes what it reads", () => {
    expect(verdict(box(`onStep("box", (b, before) => before(() => b.n) + 1 === b.n)`))).toBe("holds");
    expect(findings(box(`onStep("box", (b, before) => !(before(() => b.n) === 1 && b.n === 2))`))).toEqual(["P @2"]);
    expect(verdict(box(`onStep("box", (b, before) => before(() => b.m.isFree) === b.m.isFree)`))).toBe("vacuous");
  });

  test("onStep: a step can matter although the predicate read less of every earlier step", () => {
    expect(findings(box(`onStep("box", (b) => b.flag || b.n !== 2)`, "")).join()).toBe("P @2");
    const text = box(`onStep("box", (b) => b.flag || b.n !== 1)`).replace(
      `[thread("up", up, b), thread("raise", raise, b)]`,
      `[thread("raise", raise, b), thread("up", up, b)]`,
    );
    expect(findings(text)).toEqual(["P @1"]);
  });

  test("onStep: a step can matter although the predicate read less of every earlier state", () => {
    const text = box(`onStep("box", (b, before) => !before(() => b.n === 1 && !b.flag))`).replace(
      "yield; b.n = 2;",
      "yield; b.flag = true;",
    );
    expect(findings(text)).toEqual(["P @2"]);
  });

  test("onStep: an object that comes or goes is a change; that its freed slot may be used again is none", () => {
    const dying = (window: string) => `
const s = schema({ box: { p: ref("obj"), done: flag() }, obj: { v: flag() } });
function* holder(b) { const o = b.p; yield until(() => b.p === null); WARN_ON(o === null); yield; b.done = true; }
function* freer(b) { yield until(() => b.done === false); kfree(b.p); b.p = null; }
export const tiny = suiteOf(s, { pools: { obj: 1 }, expected: { "warn-on": { verdict: "violated", reason: "freed before it was held" }, atomicity: { verdict: "violated", reason: "not the point" } },
  properties: [claim("P", windows(s).onStep("box", (b, before, state) => ${window}))] }, (make) => {
  const b = make("box", "b", { p: make("obj", "o") });
  return [thread("holder", holder, b), thread("freer", freer, b)];
});`;
    expect(findings(dying(`state.all("obj").length === before(() => state.all("obj").length)`))).toContain("P @1");
    expect(verdict(dying(`before(() => state.all("obj").length > 0)`))).toBe("holds");
  });

  test("onStep: a step that changes nothing the predicate reads is not asked, also where reading fails", () => {
    expect(verdict(box(`onStep("box", (b) => b.next.flag)`))).toBe("vacuous");
  });

  test("atEnd: only where nothing more can happen", () => {
    expect(verdict(box(`atEnd("box", (b) => b.n === 2 && b.flag)`))).toBe("holds");
    expect(findings(box(`atEnd("box", (b) => b.n !== 2)`))).toEqual(["P @3"]);
    const forEver = box(`atEnd("box", () => false)`).replace("b.flag = true;", "for (;;) { yield; b.flag = !b.flag; }");
    expect(verdict(forEver)).toBe("vacuous");
  });

  test("sometimes: one state is enough, none is vacuous and never violated", () => {
    expect(verdict(box(`sometimes("box", (b) => b.n === 2 && !b.flag)`))).toBe("holds");
    const { outcome, exitCode } = explore(box(`sometimes("box", (b) => b.n === 0 && b.m.isFree === false)`), engine);
    expect([verdictOf(outcome, "P"), outcome.findings, exitCode]).toEqual(["vacuous", [], 1]);
  });

  test("a property holds only if the run went to its end", () => {
    const { outcome } = explore(box(`always("box", (b) => b.n <= 2)`), engine, { limits: { maxStates: 3 } });
    expect([outcome.end, verdictOf(outcome, "P")]).toEqual([{ kind: "limit", what: "states" }, "unfinished"]);
  });
});
