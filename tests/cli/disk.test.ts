/** `check --disk`, as a user runs it. */
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, beforeEach, describe, expect, it, test } from "vitest";
import type { JsonCheck } from "../../src/report/json.js";
import { big, iommuMc, type RunOptions, shell, small, temporaryFolder } from "./helpers.js";
import { peakOf, watchingPeak } from "./peak.js";

const { folder: above } = temporaryFolder();
let folder = "";
let folders = 0;

beforeEach(() => {
  folder = join(above, String(folders++));
  mkdirSync(folder);
});

/** More than fits into so many megabytes, and less than anybody waits for. */
const MEGABYTES = 150;
const BOUNDED = ["check", "--file", big, "--suite", "big/wheels", "--max-states", "4500000", "--json"];
const ENDLESS = ["check", "--file", big, "--suite", "big/wheels", "--memory", String(MEGABYTES), "--json"];

// What is loaded for the first time is compiled first, which takes more memory than these runs may.
beforeAll(async () => {
  await iommuMc(["check", "--file", big, "--suite", "big/wheels", "--max-states", "10"]);
});

function run(words: readonly string[], options: RunOptions = {}) {
  return iommuMc([...words, "--disk", folder], options);
}

function suiteOf(stdout: string): JsonCheck["suites"][number] {
  const suite = (JSON.parse(stdout) as JsonCheck).suites[0];
  if (suite === undefined) throw new Error("no suite was told of");
  return suite;
}

test("the same states are found as in memory", async () => {
  const inMemory = await iommuMc(BOUNDED);
  const onDisk = await run([...BOUNDED, "--memory", String(MEGABYTES)]);
  const [one, other] = [inMemory, onDisk].map(({ stdout }) => suiteOf(stdout));
  const told = (suite: typeof one) => [suite?.end, suite?.states, suite?.transitions, suite?.depth, suite?.checks];
  expect(told(other)).toEqual(told(one));
  expect([one?.disk, other?.disk]).toMatchObject([null, { folder, failure: null }]);
  expect(other?.disk?.bytes).toBeGreaterThan(10_000_000);
  expect([inMemory.code, onDisk.code]).toEqual([3, 3]);
});

describe("whatever becomes of the run", () => {
  const signals = ["SIGINT", "SIGKILL"] as const;
  it.each(signals)("no file is left: %s", async (signal) => {
    const names: string[] = [];
    const { code, stdout } = await run([...ENDLESS, "--timeout", "60"], {
      whileRunning: (child) => {
        setTimeout(() => {
          names.push(...readdirSync(folder));
          child.kill(signal);
        }, 9000);
      },
    });
    expect(names).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
    if (signal === "SIGKILL") return;
    expect(code).toBe(3);
    expect(suiteOf(stdout)).toMatchObject({ end: { limit: "interrupt" }, disk: { failure: null } });
    expect(suiteOf(stdout).disk?.bytes).toBeGreaterThan(0);
  });
});

it.runIf(peakOf(process.pid) > 0)("--memory is kept to within a tenth, and is not the end", async () => {
  const watching = watchingPeak();
  const { code, stdout } = await run([...ENDLESS, "--timeout", "20"], { whileRunning: (child) => watching.watch(child) });
  expect([code, suiteOf(stdout).end]).toEqual([3, { limit: "time" }]);
  expect(suiteOf(stdout).disk?.bytes).toBeGreaterThan(20_000_000);
  expect(watching.peak / (MEGABYTES * 1_000_000)).toBeGreaterThan(0.6);
  expect(watching.peak / (MEGABYTES * 1_000_000)).toBeLessThan(1.1);
});

test("a full disk ends the run, in words", async () => {
  const words = `check --file ${big} --suite big/wheels --memory ${MEGABYTES} --disk ${folder}`;
  const { code, stdout, stderr } = await shell(`trap '' XFSZ; ulimit -f 20000; node $MC ${words}`);
  expect(code).toBe(3);
  expect(stdout).toContain("was stopped by a failure of the disk (--disk)");
  expect(stdout).toMatch(/no more states could go to disk: \S+ EFBIG: file too large,\s+write/);
  expect(stdout).not.toMatch(/\bheld\b/);
  expect(stderr).not.toContain("    at ");
  expect(readdirSync(folder)).toEqual([]);
});

test("a folder that is not there is a usage error, as are options that keep states otherwise", async () => {
  const nowhere = await iommuMc(["check", "--file", small, "--disk", join(folder, "nowhere")]);
  expect([nowhere.code, nowhere.stdout]).toEqual([2, ""]);
  expect(nowhere.stderr).toMatch(/no file can be made in .*nowhere: ENOENT[\s\S]*Give --disk a folder that is there and can be written/);
  for (const other of ["--reduce", "--paranoid", "--lossy=hash", "--engine=reference", `--checkpoint=${folder}`, "--cache"]) {
    const { code, stderr } = await run(["check", "--file", small, other]);
    expect([other, code]).toEqual([other, 2]);
    expect(stderr).toContain("cannot be used with");
  }
});

test("a suite that fits leaves the disk alone, and says so", async () => {
  const { code, stdout } = await run(["check", "--file", small]);
  const without = await iommuMc(["check", "--file", small]);
  expect(code).toBe(without.code);
  expect(stdout).toContain("nothing was put to disk: all states fit into the memory");
});
