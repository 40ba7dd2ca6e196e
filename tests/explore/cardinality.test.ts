/** What multiplies the states of a run, where one can count by hand. */
import { expect, test } from "vitest";
import { type Dimension, exploreCardinality } from "../../src/explore/cardinality.js";
import type { Limits } from "../../src/explore/outcome.js";
import { finish } from "../../src/session/run-suite.js";
import { machine } from "../support/model.js";

/** A wheel of three positions turns for ever, a counter goes up to four once, and a lamp is lit when the wheel is at 0. */
const wheels = `
const s = schema({ box: { wheel: counter(2), ups: counter(4), lamp: flag() } });
function* turn(b) { for (;;) { yield; b.wheel = (b.wheel + 1) % 3; b.lamp = b.wheel === 0; } }
function* raise(b) { for (;;) { yield until(() => b.ups < 4); b.ups++; } }
export const tiny = suiteOf(s, {}, (make) => { const b = make("box", "b", { lamp: true }); return [thread("turn", turn, b), thread("raise", raise, b)]; });`;

function counted(text: string, limits: Limits = {}) {
  const { outcome, dimensions } = finish(exploreCardinality(machine(text), { limits }));
  return { outcome, dimensions: dimensions as readonly Dimension[] };
}

test("independent parts multiply by the number of their values, and what follows from others by nothing", () => {
  const { outcome, dimensions } = counted(wheels);
  expect(outcome.states).toBe(15);
  expect(dimensions).toEqual([
    { name: "b.ups", kind: "field", values: 5, without: 3, neverReturns: true },
    { name: "b.wheel", kind: "field", values: 3, without: 10, neverReturns: false },
    { name: "b.lamp", kind: "field", values: 2, without: 15, neverReturns: false },
  ]);
});

test("objects that come and go, and where a thread stands, are parts too", () => {
  const { outcome, dimensions } = counted(`
const s = schema({ box: { of: ref("thing") }, thing: {} });
function* t(b) { for (;;) { yield; b.of = kzalloc(s, "thing"); yield; kfree(b.of); b.of = null; } }
export const tiny = suiteOf(s, { pools: { thing: 1 } }, (make) => [thread("t", t, make("box", "b"))]);`);
  expect(outcome.states).toBe(2);
  expect(dimensions.map(({ name, kind, values, without }) => [name, kind, values, without])).toEqual([
    ["t's place", "thread", 2, 2],
    ["b.of", "field", 2, 2],
    ["thing0", "object", 2, 2],
  ]);
});

test("of an unfinished run what was found is counted, and nothing is said of what returns", () => {
  const { outcome, dimensions } = counted(wheels, { maxStates: 7 });
  expect(outcome.end.kind).toBe("limit");
  expect(dimensions.every(({ neverReturns }) => neverReturns === null)).toBe(true);
});

test("an interrupt ends the counting with nothing", () => {
  const counting = exploreCardinality(machine(wheels), {});
  let step = counting.next();
  while (!step.done) step = counting.next("interrupt");
  expect(step.value.dimensions).toBeNull();
});
