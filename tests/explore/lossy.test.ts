/** Runs that forget the states that they have visited: how much they omit, and what may still be said. */
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import type { Lossy } from "../../src/explore/lossy.js";
import { LOSSY_MODES, type LossyOptions } from "../../src/explore/lossy-table.js";
import { Memory } from "../../src/explore/memory.js";
import { Origins } from "../../src/explore/origins.js";
import { Store } from "../../src/explore/store.js";
import { type RunSuiteOptions, runSuiteNow } from "../../src/session/run-suite.js";
import { load, tiny, verdictOf } from "../support/model.js";

const ROOMY = 1 << 20;

test("how a state was found is known of each", () => {
  const found = fc.record({
    further: fc.oneof(fc.nat({ max: 3 }), fc.nat({ max: 2 ** 31 })),
    step: fc.oneof(fc.nat({ max: 40 }), fc.nat({ max: 600 })),
  });
  fc.assert(
    fc.property(fc.array(found, { minLength: 1, maxLength: 4000, size: "max" }), (states) => {
      const origins = new Origins();
      let source = 0;
      const expected = states.map(({ further, step }) => {
        source += further;
        origins.add(source, step);
        return { source, step };
      });
      for (const [state, origin] of expected.entries()) expect(origins.of(state)).toEqual(origin);
      expect(() => origins.of(states.length)).toThrow(RangeError);
    }),
    { numRuns: 20 },
  );
});

describe("a table of fingerprints", () => {
  /** Adds so many different states, of three words. Returns how many were taken for others, and how many were expected to be. */
  function omissions(states: number, lossy: LossyOptions) {
    const store = new Store(new Memory(), 4, { lossy });
    for (let state = 0; state < states; state++)
      store.insert(Uint32Array.of(state, state % 7, Math.imul(state, 0x9e3779b1) >>> 0, state << 20));
    return { seen: states - store.count, expected: store.lossy?.expectedOmissions ?? Number.NaN };
  }

  it.each<[number, Omit<LossyOptions, "seed">]>([
    [2000, { mode: "hash", keptBits: 10, tableBytes: 5 * 4000 }],
    [3000, { mode: "hash", keptBits: 12, tableBytes: 5 * 4000 }],
    [2000, { mode: "hash", keptBits: 6, tableBytes: 5 * 4000 }],
    [8000, { mode: "hash", keptBits: 12, tableBytes: 5 * 20_000, firstBytes: 5 * 1100 }],
    [2000, { mode: "bits", tableBytes: 4000 }],
    [2000, { mode: "bits", tableBytes: 1500 }],
    [2000, { mode: "bits", tableBytes: 500 }],
  ])("omits as many of %i states as it says: %o", (states, lossy) => {
    let seen = 0;
    let expected = 0;
    for (let seed = 0; seed < 40; seed++) {
      const counted = omissions(states, { ...lossy, seed });
      seen += counted.seen;
      expected += counted.expected;
    }
    // Four times the standard deviation of so many rare events.
    expect(Math.abs(seen - expected)).toBeLessThan(4 * Math.sqrt(expected));
    expect(expected).toBeGreaterThan(20);
  });

  it.each(LOSSY_MODES)("omits nothing that it has room for: %s", (mode) => {
    const { seen, expected } = omissions(20_000, { mode, tableBytes: ROOMY });
    expect(seen).toBe(0);
    expect(expected).toBeGreaterThan(0);
    expect(expected).toBeLessThan(0.01);
  });

  it("grows by tables of entries that are larger and larger, until it has as many bytes as it may have", () => {
    const tables = new Set<number>();
    const store = new Store(new Memory(), 2, { lossy: { mode: "hash", tableBytes: 5 * 400_000, firstBytes: 5 * 1100 } });
    const add = () => {
      for (let state = 0; ; state++) {
        if (store.insert(Uint32Array.of(state, 7)) >= 0) throw new Error(`state ${state} is taken for another`);
        // Nor is one found new a second time, whichever table it is in.
        if (store.insert(Uint32Array.of(state >>> 1, 7)) !== 0) throw new Error(`state ${state >>> 1} is not known`);
        tables.add(store.lossy?.tableBytes ?? 0);
      }
    };
    expect(add).toThrow(/^no room for more states: the table is full/);
    expect([...tables]).toEqual([5 * 1100, 5 * 1100 * 17, 5 * 400_000]);
    expect(store.count).toBeGreaterThan(0.85 * 380_000);
  });

  it("has no room for more than it can tell apart", () => {
    expect(() => omissions(4000, { mode: "hash", tableBytes: 5 * 3000 })).toThrow(/^no room for more states: the table is full/);
  });
});

test("of the states only those are kept that have still to be visited", () => {
  const store = new Store(new Memory(), 2, { lossy: { mode: "hash", tableBytes: ROOMY * 4 } });
  const loaded = new Uint32Array(2);
  const bytes: number[] = [];
  for (let state = 0; state < 500_000; state++) {
    store.insert(Uint32Array.of(state, state >>> 4), Math.max(0, state - 20_000), state % 5);
    if (state < 20_000) continue;
    const visited = state - 20_000;
    store.load(visited, loaded);
    if (loaded[0] !== visited || loaded[1] !== visited >>> 4) throw new Error(`state ${visited} is ${loaded.join()}`);
    store.leaveBehind(visited);
    if (state % 100_000 === 0) bytes.push(store.bytes - (store.lossy?.bytes ?? 0));
  }
  // Two chunks of them, and the numbers of the values that words have had.
  expect(Math.max(...bytes)).toBeLessThan(2_000_000);
  store.lossy?.follow();
  expect(store.lossy?.origins.of(499_999)).toEqual({ source: 479_999, step: 4 });
  expect((store.lossy?.origins.bytes ?? 0) / 500_000).toBeLessThan(1.1);
});

/** Some wheels of so many positions, all of which are turned at will; and what else there is. */
const wheels = (threads: string, more = "") =>
  tiny({
    procedures: `function* turn(w) { for (;;) { yield; w.position = (w.position + 1) % 12; } }
function* once(w) { for (let n = 0; n < 12; n++) { yield; w.position = n; } }
function* stopper(w) { yield; const seen = w.isBroken; yield; BUG_ON(seen); }
function* breaking(w) { for (let n = 1; ; n = (n + 1) % 12) { yield; w.position = n; if (n === 11) w.isBroken = true; } }`,
    structs: "wheel: { position: counter(12), isBroken: flag() }",
    make: `const a = make("wheel", "a"); const b = make("wheel", "b"); const c = make("wheel", "c");`,
    threads,
    more,
  });
const turning = `thread("ta", turn, a), thread("tb", turn, b), thread("tc", turn, c)`;
const breakable = `thread("ta", breaking, a), thread("tb", turn, b), thread("tc", turn, c), thread("s", stopper, a)`;

describe.each(LOSSY_MODES)("a run that forgets: %s", (mode) => {
  const lossy: Lossy = { mode, tableBytes: ROOMY, lossyAfter: 100 };
  function run(text: string, options: RunSuiteOptions = {}) {
    const { session, suite } = load(text);
    return { ...runSuiteNow(session, suite, { lossy, ...options }), plain: runSuiteNow(session, suite) };
  }

  it("never says that something holds, and is not finished", () => {
    const claims = `properties: [claim("P", windows(s).always("wheel", (w) => w.position < 12)), claim("V", windows(s).always("wheel", (w) => w.isBroken ? false : null))]`;
    const { outcome, plain, exitCode } = run(wheels(turning, claims));
    expect(plain.outcome.results.map(({ verdict }) => verdict)).toContain("holds");
    expect(outcome.states).toBe(plain.outcome.states);
    expect(verdictOf(outcome, "P")).toBe("not violated");
    // It may be put to the test by a state that was omitted.
    expect([verdictOf(plain.outcome, "V"), verdictOf(outcome, "V")]).toEqual(["vacuous", "unfinished"]);
    expect(outcome.results.map(({ verdict }) => verdict)).not.toContain("holds");
    expect(exitCode).toBe(3);
    expect(outcome.omission).toMatchObject({ mode, states: outcome.states, tableBytes: ROOMY });
  });

  it("says of what has been seen that it has", () => {
    const claims = `properties: [claim("S", windows(s).sometimes("wheel", (w) => w.position === 11)), claim("N", windows(s).sometimes("wheel", (w) => w.isBroken))]`;
    const { outcome } = run(wheels(turning, claims));
    expect([verdictOf(outcome, "S"), verdictOf(outcome, "N")]).toEqual(["holds", "unfinished"]);
  });

  it("shows what it finds with a trace that can be replayed, of which it does not say that it is shortest", () => {
    const { outcome, traces, plain, exitCode } = run(wheels(breakable));
    expect([exitCode, verdictOf(outcome, "bug-on"), outcome.untraced, outcome.omission?.mode]).toEqual([1, "violated", [], mode]);
    expect(traces.map(({ finding }) => finding.check)).toEqual(["bug-on"]);
    expect(outcome.findings[0]?.path.length).toBe(plain.outcome.findings[0]?.depth);
  });

  it("comes to no verdict on the suite by an expected violation alone", () => {
    const { comparisons, exitCode } = run(wheels(breakable, `expected: { "bug-on": { reason: "test" } }`));
    expect(comparisons.find(({ check }) => check === "bug-on")).toMatchObject({ verdict: "violated", asExpected: true });
    expect(comparisons.find(({ check }) => check === "lockdep")).toMatchObject({ verdict: "not violated", asExpected: false });
    expect(exitCode).toBe(3);
  });

  it("does not know whether an end can be reached from everywhere", () => {
    const { outcome, plain } = run(wheels(`thread("oa", once, a), thread("ob", once, b), thread("oc", once, c)`, "terminates: true"));
    expect([verdictOf(plain.outcome, "livelock"), verdictOf(outcome, "livelock")]).toEqual(["holds", "unfinished"]);
    expect([verdictOf(plain.outcome, "leak"), verdictOf(outcome, "leak")]).toEqual(["holds", "not violated"]);
  });

  it("keeps all states if they are few, and then says what it proves", () => {
    const { outcome, exitCode } = run(wheels(turning), { lossy: { ...lossy, lossyAfter: 2000 } });
    expect([exitCode, verdictOf(outcome, "lockdep")]).toEqual([0, "holds"]);
    expect(outcome.omission).toEqual({ mode: "off", because: "there are no more than 2000 states, which were kept" });
  });

  it("omits the same states each time", () => {
    const tight = { ...lossy, ...(mode === "hash" ? { keptBits: 6, tableBytes: 5 * 2600 } : { tableBytes: 150 }) };
    const [one, other] = [1, 2].map(() => run(wheels(turning), { lossy: tight }).outcome);
    expect(one?.states).toBeLessThan(12 ** 3);
    expect([other?.states, other?.omission]).toEqual([one?.states, one?.omission]);
  });
});

test("a run ends when the table is full", () => {
  const { session, suite } = load(wheels(turning));
  const { outcome, exitCode } = runSuiteNow(session, suite, { lossy: { mode: "hash", tableBytes: 5 * 1500, lossyAfter: 100 } });
  expect([outcome.end, exitCode]).toEqual([{ kind: "limit", what: "memory" }, 3]);
});
