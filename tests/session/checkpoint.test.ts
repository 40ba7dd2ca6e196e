import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CheckpointFolder } from "../../src/session/checkpoint.js";
import { type RunSuiteOptions, runSuiteNow, type SuiteRun } from "../../src/session/run-suite.js";
import { comparable, load, tiny } from "../support/model.js";

let directory: string;
let told: string[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "iommu-mc-checkpoint-test-"));
  told = [];
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const text = tiny({
  procedures: "function* t(b) { for (;;) { yield; b.n = (b.n + 1) % 20; } } function* u(b) { for (;;) { yield; b.m = (b.m + 1) % 20; } }",
  structs: "box: { n: counter(20), m: counter(20) }",
  make: `const b = make("box", "b");`,
  threads: `thread("t", t, b), thread("u", u, b)`,
});

const checkpoint = () => ({ directory, every: Number.POSITIVE_INFINITY, tell: (each: string) => told.push(each) });

function run(options: RunSuiteOptions = {}, model = text): SuiteRun {
  const { session, suite } = load(model);
  return runSuiteNow(session, suite, { checkpoint: checkpoint(), ...options });
}

const inFolder = (...names: string[]) => join(directory, "tiny", ...names);

describe("a folder of checkpoints", () => {
  test("has what a run needs to go on, and nothing when it is through", () => {
    for (const maxStates of [50, 120, 300]) expect(run({ limits: { maxStates } }).outcome.end).toEqual({ kind: "limit", what: "states" });
    expect(readdirSync(inFolder())).toEqual(["checkpoint.json", "states-1", "states-2", "states-3"]);
    const { session, suite } = load(text);
    expect(comparable(run().outcome)).toEqual(comparable(runSuiteNow(session, suite).outcome));
    expect(told.map((each) => each.replace(/\d+/, "N"))).toEqual(new Array(3).fill("tiny: goes on from N states"));
    expect(readdirSync(directory)).toEqual([]);
  });

  test("says which file is damaged, and loses nothing", () => {
    run({ limits: { maxStates: 50 } });
    run({ limits: { maxStates: 200 } });
    for (const file of ["checkpoint.json", "states-1", "states-2"]) {
      const before = readFileSync(inFolder(file));
      const flipped = Buffer.from(before);
      flipped[Math.floor(before.length / 2)] = (flipped[Math.floor(before.length / 2)] as number) ^ 4;
      writeFileSync(inFolder(file), flipped);
      expect(() => run()).toThrow(`${inFolder(file)} is damaged`);
      writeFileSync(inFolder(file), before);
      truncateSync(inFolder(file), before.length - 8);
      expect(() => run()).toThrow(`${inFolder(file)} is damaged`);
      rmSync(inFolder(file));
      if (file !== "checkpoint.json") expect(() => run()).toThrow(`${inFolder(file)} is damaged`);
      writeFileSync(inFolder(file), before);
    }
    expect(run().outcome.states).toBe(400);
  });

  test.each([
    ["another model", {}, text.replace("% 20", "% 19")],
    ["other properties that may be violated", { goOnAfter: ["stuck"] }, text],
  ])("is refused by a run of %s", (_, options, model) => {
    run({ limits: { maxStates: 50 } });
    expect(() => run(options, model)).toThrow("is of another run");
    expect(run().outcome.states).toBe(400);
  });

  test("is one process's at a time, and that of one that was killed is anybody's", () => {
    const mine = new CheckpointFolder("tiny", "run", checkpoint());
    expect(() => run()).toThrow(`is in use by process ${process.pid}`);
    mine.close();
    const { pid } = spawnSync("true");
    writeFileSync(inFolder("lock"), `${pid} 1`);
    expect(run().outcome.states).toBe(400);
  });

  test("keeps the checkpoint before if there is no room for another, and says so", () => {
    run({ limits: { maxStates: 50 } });
    const keeper = new CheckpointFolder("other", "run", checkpoint());
    keeper.keep(
      { states: 3 } as Parameters<typeof keeper.keep>[0],
      { cells: [], controls: [], upperControls: [], changingWords: 2 },
      () => {
        throw new Error("ENOSPC: no space left on device, write");
      },
    );
    keeper.close();
    expect(told.at(-1)).toBe("other: no checkpoint was written, and the one before still counts: ENOSPC: no space left on device, write");
    expect(readdirSync(join(directory, "other"))).toEqual([]);
  });
});
