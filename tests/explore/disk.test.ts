/** Runs whose states do not fit into the memory find what others find, and number it alike. */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, it, test, vi } from "vitest";
import { exploreFast } from "../../src/explore/fast.js";
import { Memory } from "../../src/explore/memory.js";
import { layOutDisk } from "../../src/explore/out-of-core.js";
import type { DiskOptions, ExploreOptions } from "../../src/explore/outcome.js";
import { ScratchFile, ScratchFolder } from "../../src/explore/scratch-file.js";
import { atOnce, type Lasting } from "../../src/explore/sorted-runs.js";
import { Store } from "../../src/explore/store.js";
import { ModelError } from "../../src/lang/errors.js";
import { bundledSuites, openSuites } from "../../src/session/open.js";
import { checksOfSuite, finish, machineOf } from "../../src/session/run-suite.js";
import { models } from "../random/grow.js";
import { findingOf, load, tiny, verdictOf } from "../support/model.js";
import { agree, explored } from "../support/states.js";

/** After how many more writes there is no room. */
const written = vi.hoisted(() => ({ left: Number.POSITIVE_INFINITY }));

vi.mock("node:fs", async (original) => {
  const real = await original<typeof import("node:fs")>();
  const writeSync = (...given: Parameters<typeof real.writeSync>) => {
    if (written.left-- <= 0) throw new Error("ENOSPC: no space left on device, write");
    return real.writeSync(...given);
  };
  return { ...real, writeSync };
});

const folder = mkdtempSync(join(tmpdir(), "iommu-mc-disk-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** There is hardly room for what the core adds at once, and a block has few states: of small models most is on disk too. */
const TIGHT: DiskOptions = { folder, blockBytes: 512, mostInMemory: 600 };

describe("a visited set", () => {
  /** Adds states, which may come again, and settles now and then; behaves as a map from them to numbers does. */
  function compare(words: number, states: Iterable<readonly number[]>, settlesAfter: number, mostInTable = 600) {
    const memory = new Memory();
    const given = { folder: new ScratchFolder(folder), blockBytes: 256, mostInTable, onSettled: () => {} };
    const store = new Store(memory, words, { disk: layOutDisk(memory, 2 ** 20, given) });
    const expected = new Map<string, readonly number[]>();
    let inserted = 0;
    for (const state of states) {
      store.insert(Uint32Array.from(state));
      if (!expected.has(state.join())) expected.set(state.join(), state);
      if (++inserted % settlesAfter === 0) {
        atOnce(store.settle());
        if (store.count !== expected.size) throw new Error(`${store.count} states are known, not ${expected.size}`);
      }
    }
    atOnce(store.settle());
    expect(store.count).toBe(expected.size);
    const loaded = new Uint32Array(words);
    for (const [number, state] of [...expected.values()].entries()) {
      store.load(number, loaded);
      if (loaded.join() !== state.join()) throw new Error(`state ${number} is ${loaded.join()}, not ${state.join()}`);
    }
    const { isOutOfCore } = store;
    const { mostBytes } = given.folder;
    store.release();
    expect(given.folder.bytes).toBe(0);
    return { isOutOfCore, mostBytes };
  }

  test("numbers states in the order in which they were found, whenever they are settled", () => {
    const word = fc.oneof(fc.nat({ max: 9 }), fc.nat({ max: 2 ** 32 - 1 }));
    const state = fc.array(word, { minLength: 3, maxLength: 3 });
    let onDisk = 0;
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 3 }),
        fc.array(state, { maxLength: 3000, size: "max" }),
        fc.integer({ min: 1, max: 500 }),
        (...given) => {
          const [words, states, settlesAfter] = given;
          const cut = states.map((numbers) => numbers.slice(0, words));
          if (compare(words, [...cut, ...cut.toReversed()], settlesAfter).isOutOfCore) onDisk++;
        },
      ),
      { numRuns: 30 },
    );
    expect(onDisk).toBeGreaterThan(5);
  });

  test.each([1, 2, 3])("keeps doing so with more states than a page has, and values than a word keeps numbers for: %i words", (words) => {
    function* states() {
      for (let round = 0; round < 2; round++) {
        for (let number = 0; number < 100_000; number++) {
          const value = [number, number << 15, Math.imul(number, 0x9e3779b1)][number % 3] as number;
          yield [value >>> 0, number % 7, number >>> 8].slice(0, words);
        }
      }
    }
    const { isOutOfCore, mostBytes } = compare(words, states(), 7000, 20_000);
    expect(isOutOfCore).toBe(true);
    // Twice a tuple and a hash, and as much again while runs are merged.
    expect(mostBytes).toBeGreaterThan(100_000 * 4);
    expect(mostBytes).toBeLessThan(100_000 * 3 * (8 * words + 4));
  });

  test("stays the same when states get words more, which those on disk have had no other value of", () => {
    const memory = new Memory();
    const given = { folder: new ScratchFolder(folder), blockBytes: 1024, mostInTable: 9000, onSettled: () => {} };
    const store = new Store(memory, 2, { disk: layOutDisk(memory, 2 ** 20, given) });
    const initial = Uint32Array.of(0, 0, 7, 8, 9, 10);
    const half = 40_000;
    const stateAt = (number: number) =>
      number < half ? [number, number % 5, 7, 8, 9, 10] : [number - half, number % 5, 7, number, 9, number >>> 9];
    for (let number = 0; number < half; number++) store.insert(Uint32Array.from(stateAt(number).slice(0, 2)));
    store.extend(4, initial);
    store.extend(6, initial);
    for (let number = 0; number < 2 * half; number++) store.insert(Uint32Array.from(stateAt(number)));
    atOnce(store.settle());
    expect([store.isOutOfCore, store.count]).toEqual([true, 2 * half]);
    const loaded = new Uint32Array(6);
    for (let number = 0; number < 2 * half; number++) {
      store.load(number, loaded);
      if (loaded.join() !== stateAt(number).join()) throw new Error(`state ${number} is ${loaded.join()}`);
    }
    store.release();
  });

  test("tells states of the same hash apart", () => {
    const states: number[][] = [];
    for (let state = 0; state < 2000; state++) states.push([0, 0, 0, state]);
    const memory = new Memory();
    const store = new Store(memory, 4, {
      disk: layOutDisk(memory, 2 ** 20, { folder: new ScratchFolder(folder), blockBytes: 64, mostInTable: 600, onSettled: () => {} }),
    });
    // What distinguishes the states is multiplied by nothing.
    new BigUint64Array(memory.shared.buffer, store.core.hashKeys.value, 4).fill(0n);
    for (const state of [...states, ...states]) store.insert(Uint32Array.from(state));
    atOnce(store.settle());
    expect([store.isOutOfCore, store.count]).toEqual([true, 2000]);
    store.release();
  });
});

/** Explores with all in memory and with most on disk. */
function both(machine: () => ReturnType<typeof machineOf>, options: ExploreOptions, disk: DiskOptions, oneOf = 1) {
  const inMemory = explored(machine(), options, oneOf);
  const onDisk = explored(machine(), { ...options, disk }, oneOf);
  agree(inMemory, onDisk);
  return { inMemory: inMemory.outcome, onDisk: onDisk.outcome };
}

test("of random models", () => {
  const explorers = { "in memory": 0, "on disk": 0 };
  fc.assert(
    fc.property(
      models,
      fc.constantFrom(3, 40, 300),
      fc.integer({ min: 513, max: 530 }),
      fc.boolean(),
      (text, packAfter, mostInMemory, goesOn) => {
        const { session, suite } = load(text);
        const goOnAfter = new Set(goesOn ? checksOfSuite(suite) : []);
        const options = { packAfter, goOnAfter, limits: { maxStates: 3000 } };
        let compared: ReturnType<typeof both>;
        try {
          compared = both(() => machineOf(session, suite), options, { ...TIGHT, mostInMemory });
        } catch (error) {
          if (error instanceof ModelError) return;
          throw error;
        }
        explorers[(compared.onDisk.disk?.bytes ?? 0) > 0 ? "on disk" : "in memory"]++;
      },
    ),
    { numRuns: 80 },
  );
  expect(explorers["on disk"], JSON.stringify(explorers)).toBeGreaterThan(20);
});

/** Three numbers that go round. */
const dials = (more: string, positions = 24) =>
  tiny({
    procedures: ["x", "y", "z"]
      .map((field) => `function* turn_${field}(dial) { for (;;) { yield; dial.${field} = (dial.${field} + 1) % ${positions}; } }`)
      .join("\n"),
    structs: `dial: { x: counter(${positions}), y: counter(${positions}), z: counter(${positions}) }`,
    make: `const dial = make("dial", "dial");`,
    threads: ["x", "y", "z"].map((field) => `thread("${field}", turn_${field}, dial)`).join(),
    more,
  });

test.each([
  [1, 1500],
  [2, 6000],
])("of claims that fail in one state, or in one step, of thousands; by %i threads", (threads, mostInMemory) => {
  const { session, suite } = load(
    dials(`properties: [
      claim("STATE", windows(s).always("dial", (d) => !(d.x === 17 && d.y === 13 && d.z === 19))),
      claim("FEW", windows(s).always("dial", (d) => !(d.x === 22 || d.y === 22))),
      claim("STEP", windows(s).onStep("dial", (d, before) => !(d.x === 11 && d.y === 21 && d.z === 8 && before(() => d.x) === 10))),
      claim("SEEN", windows(s).sometimes("dial", (d) => d.x === 23 && d.y === 22 && d.z === 21)),
      claim("NEVER", windows(s).sometimes("dial", (d) => d.x === 23 && d.y === 22 && d.z === 24)),
    ]`),
  );
  const together = { block: 64, least: 1, calm: 0, enters: 1, waits: true };
  const options = { packAfter: 40, goOnAfter: new Set(checksOfSuite(suite)), threads, together };
  const { onDisk } = both(() => machineOf(session, suite), options, { ...TIGHT, mostInMemory });
  const verdicts = ["STATE", "FEW", "STEP", "SEEN", "NEVER"].map((code) => verdictOf(onDisk, code));
  expect(verdicts).toEqual(["violated", "violated", "violated", "holds", "vacuous"]);
  expect([onDisk.states, onDisk.transitions, onDisk.statistics.threads]).toEqual([24 ** 3, 3 * 24 ** 3, threads]);
  expect(findingOf(onDisk, "FEW")?.path).toHaveLength(22);
});

test.each([{ maxStates: 5000 }, { maxStates: 13_823 }, { maxStates: 13_824 }, { maxDepth: 20 }, { maxDepth: 69 }])(
  "with a limit it ends where a run in memory would: %o",
  (limits) => {
    const { session, suite } = load(dials(""));
    both(() => machineOf(session, suite), { packAfter: 40, limits }, TIGHT);
  },
);

test("when it is interrupted, it says how many states there are", () => {
  const { session, suite } = load(dials("", 100));
  const work = exploreFast(machineOf(session, suite), { disk: { ...TIGHT, mostInMemory: 5000 } });
  let step = work.next();
  let told = 0;
  while (!step.done) {
    told = step.value.states;
    step = work.next(told > 50_000 ? "interrupt" : undefined);
  }
  expect(step.value.end).toEqual({ kind: "limit", what: "interrupt" });
  // Some of those that it told of turned out to be known.
  expect(step.value.states).toBeGreaterThan(40_000);
  expect(step.value.states).toBeLessThanOrEqual(told);
  const { depth } = step.value;
  const limits = { maxStates: step.value.states - 1 };
  expect(finish(exploreFast(machineOf(session, suite), { limits }))).toMatchObject({ states: step.value.states, depth });
});

describe("while it settles states", () => {
  /** Work that is left before its end, of what the stores do. */
  let left = 0;

  beforeEach(() => {
    left = 0;
    for (const method of ["settle", "makeSpace"] as const) {
      const original = Store.prototype[method] as () => Lasting<never>;
      vi.spyOn(Store.prototype, method).mockImplementation(function* (this: Store) {
        let isLeft = true;
        try {
          const result = yield* original.call(this);
          isLeft = false;
          return result;
        } finally {
          if (isLeft) left++;
        }
      });
    }
    // Time flies: somebody looks around after every few blocks.
    let now = 0;
    vi.spyOn(performance, "now").mockImplementation(() => {
      now += 30;
      return now;
    });
  });
  afterEach(() => vi.restoreAllMocks());

  test("it can be interrupted, and what is not settled does not count", () => {
    const text = dials(`properties: [claim("P", windows(s).always("dial", (d) => d.x + d.y + d.z !== 40))]`);
    const { session, suite } = load(text);
    const options = { disk: { ...TIGHT, mostInMemory: 700 }, packAfter: 40, goOnAfter: new Set(["P"]) };
    const machine = () => machineOf(session, suite);
    const turns = Array.from({ length: 24 ** 3 }, (_, state) => (state % 24) + (Math.floor(state / 24) % 24) + Math.floor(state / 24 ** 2));
    const within = (depth: number) => turns.filter((turned) => turned <= depth).length;
    for (let after = 5; after < 400; after += 13) {
      const work = exploreFast(machine(), options);
      let step = work.next();
      for (let told = 0; !step.done; told++) step = work.next(told >= after ? "interrupt" : undefined);
      const { end, states, depth, findings, results } = step.value;
      if (end.kind === "complete") continue;
      expect(end).toEqual({ kind: "limit", what: "interrupt" });
      // All that are nearer were settled.
      expect(states).toBeGreaterThanOrEqual(within(depth - 1));
      expect(states).toBeLessThanOrEqual(within(depth));
      for (const { path } of findings) expect(path).toHaveLength(40);
      expect(results.find(({ check }) => check === "P")?.verdict).toBe(findings.length > 0 ? "violated" : "unfinished");
    }
    expect(left).toBeGreaterThan(5);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("whether an end can be reached from everywhere", () => {
  /** Wheels that turn until they are stopped, which they can be in one position only: from the others the way is back to where they have been. */
  const stoppable = (more = "") =>
    tiny({
      procedures: `function* spin(w) { for (;;) { yield; if (w.isStopped) return; w.position = (w.position + 1) % 12; ${more} } }
function* stop(a, b, c) { yield until(() => a.position === 0 && b.position === 0 && c.position === 0); a.isStopped = true; b.isStopped = true; c.isStopped = true; }`,
      structs: "wheel: { position: counter(12), isStopped: flag() }",
      make: `const a = make("wheel", "a"); const b = make("wheel", "b"); const c = make("wheel", "c");`,
      threads: `thread("ta", spin, a), thread("tb", spin, b), thread("tc", spin, c), thread("s", stop, a, b, c)`,
      more: "terminates: true",
    });

  test.each([
    ["it can", stoppable(), "holds"],
    ["it cannot", stoppable("if (w.position === 7) for (;;) { yield; if (w.isStopped) w.position = 3; }"), "violated"],
  ])("%s", (_, text, verdict) => {
    const { session, suite } = load(text);
    const { inMemory, onDisk } = both(() => machineOf(session, suite), { packAfter: 40, goOnAfter: new Set(["livelock"]) }, TIGHT);
    expect([verdictOf(inMemory, "livelock"), verdictOf(onDisk, "livelock")]).toEqual([verdict, verdict]);
    expect(onDisk.disk?.bytes).toBeGreaterThan(0);
  });
});

test("of bundled suites, with terminating threads and expected violations", () => {
  const session = openSuites(bundledSuites());
  for (const wanted of ["ownership/intel-q35/interface", "dma/lazy/intel_iommu"]) {
    const suite = session.suites.find(({ name }) => name === wanted);
    if (suite === undefined) throw new Error(`no suite ${wanted}`);
    const options = { goOnAfter: new Set(Object.keys(suite.expected ?? {})) };
    const { onDisk } = both(() => machineOf(session, suite), options, { folder, blockBytes: 4096, mostInMemory: 6000 }, 101);
    expect(onDisk.disk?.bytes).toBeGreaterThan(onDisk.states * 4);
    expect(onDisk.states).toBeGreaterThan(20_000);
  }
});

test("a run that has room goes nowhere", () => {
  const { session, suite } = load(dials(""));
  const outcome = finish(exploreFast(machineOf(session, suite), { disk: { folder } }));
  expect(outcome.disk).toEqual({ folder, bytes: 0, failure: null });
});

describe("files", () => {
  it("have no name, so that they are gone with the run", () => {
    const file = new ScratchFile(new ScratchFolder(folder));
    file.append(Uint8Array.of(1, 2, 3));
    const read = new Uint8Array(2);
    file.read(1, read);
    expect([[...read], file.bytes, readdirSync(folder)]).toEqual([[2, 3], 3, []]);
    expect(() => file.read(2, read)).toThrow(/what was written is not there/);
    file.close();
  });

  it("cannot be made where there is no folder", () => {
    expect(() => new ScratchFolder(join(folder, "nowhere"))).toThrow(/^no file can be made in .*nowhere: ENOENT/);
  });
});

test.each([1, 20, 60, 200])("a run whose disk is full after %i blocks ends, and what it says is so", (blocks) => {
  const { session, suite } = load(
    dials(`properties: [
      claim("FEW", windows(s).always("dial", (d) => !(d.x === 16 || d.y === 16))),
      claim("LAST", windows(s).always("dial", (d) => !(d.x === 23 && d.y === 23 && d.z === 23))),
    ]`),
  );
  const options = { packAfter: 40, goOnAfter: new Set(["FEW", "LAST"]) };
  const whole = explored(machineOf(session, suite), options);
  written.left = blocks;
  const cut = explored(machineOf(session, suite), { ...options, disk: { ...TIGHT, mostInMemory: 1500 } });
  expect(written.left).toBeLessThan(0);
  written.left = Number.POSITIVE_INFINITY;
  const { end, states, results, findings, untraced, disk } = cut.outcome;
  expect(end).toEqual({ kind: "limit", what: "disk" });
  expect(disk?.failure).toBe(`${folder}: ENOSPC: no space left on device, write`);
  expect(states).toBeLessThan(24 ** 3);
  expect(cut.states).toEqual(whole.states.slice(0, states));
  for (const { check, verdict } of results) {
    if (verdict === "violated") expect(verdictOf(whole.outcome, check)).toBe("violated");
    else expect(verdict).toBe("unfinished");
  }
  const violated = results.filter(({ verdict }) => verdict === "violated").map(({ check }) => check);
  expect([...findings.map(({ check }) => check), ...untraced].sort()).toEqual(violated.sort());
  for (const { check, path } of findings) expect(path).toHaveLength(findingOf(whole.outcome, check)?.depth ?? 0);
});
