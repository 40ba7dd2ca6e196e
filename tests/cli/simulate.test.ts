import { beforeAll, describe, expect, it } from "vitest";
import type { JsonSimulate } from "../../src/report/json-simulate.js";
import { big, iommuMc, shell, small } from "./helpers.js";

describe("simulate", () => {
  it("says what it is worth, what it saw, and what it never saw", async () => {
    const { code, stdout } = await iommuMc(["simulate", small, "--suite", "small/vacuous", "--walks", "20"]);
    expect(code).toBe(0);
    expect(stdout).toContain("This is no proof");
    expect(stdout).toMatch(/^no violation small\/vacuous/m);
    expect(stdout).toContain("20 walks of at most 1,000 steps, 120 steps in all, 15 distinct states judged");
    expect(stdout).toContain("- V1 never asked");
    expect(stdout).not.toMatch(/holds?\b/);
  });

  it("exits with 1 for a violation, and prints a path that replay shows", async () => {
    const { code, stdout } = await iommuMc(["simulate", small, "--suite", "small/holds", "--revert", "aaaaaaaaaaaa"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^VIOLATED {5}small\/holds/m);
    expect(stdout).toMatch(/changes? of thread, shrunk$/m);
    const replay = /^replay +iommu-mc (.*)$/m.exec(stdout)?.[1] as string;
    const shown = await shell(`"$MC" ${replay}`);
    expect(shown.code).toBe(1);
    expect(shown.stdout).toMatch(/^VIOLATED {2}D1 {2}every deposit counts$/m);
  });

  it("does not print the traces of what is expected, but how to see them", async () => {
    const { code, stdout } = await iommuMc(["simulate", small, "--suite", "small/known", "--walks", "5"]);
    expect(code).toBe(0);
    expect(stdout).toContain("- P1 violated, as expected: the clerk's known weakness");
    expect(stdout).toMatch(/^ {4}iommu-mc replay small\/known 0\.1 --file/m);
    expect(stdout).not.toMatch(/^VIOLATED/m);
    const none = await iommuMc(["simulate", small, "--suite", "small/known", "--walks", "5", "--faults", "0"]);
    expect([none.code, none.stdout]).toEqual([0, expect.stringContaining("P1 was expected to be violated, and not seen to be")]);
  });

  it("prints the same for the same seed", async () => {
    const run = async (seed: string) => (await iommuMc(["simulate", big, "--seed", seed, "--walks", "5"])).stdout;
    const first = await run("3");
    expect(await run("3")).toBe(first);
    expect(await run("4")).not.toBe(first);
  });

  it("has the documented shape", async () => {
    const document = JSON.parse((await iommuMc(["simulate", small, "--json"])).stdout) as JsonSimulate;
    expect(Object.keys(document)).toEqual(["tool", "version", "schema", "command", "suites", "errors", "notRun", "exitCode"]);
    expect(document).toMatchObject({ command: "simulate", errors: [], notRun: [], exitCode: 1 });
    const wrong = document.suites.find(({ suite }) => suite === "small/null");
    expect(wrong).toMatchObject({ seed: 1, walksAsked: 1000, walks: 1, maxSteps: 1000, end: "violation", exitCode: 1 });
    expect(wrong?.findings).toMatchObject([{ check: "null-deref", path: "0", trace: [{ thread: "eve" }] }]);
    const holds = document.suites.find(({ suite }) => suite === "small/holds");
    expect(holds?.checks.find(({ check }) => check === "D1")).toEqual({
      check: "D1",
      kind: "property",
      verdict: "not violated",
      expected: "holds",
      reason: null,
    });
  });

  it.each([
    [["--walks", "0"], "1 or more"],
    [["--seed", "x"], "whole number"],
    [["--suite", "small/hols"], "Did you mean small/holds?"],
    [["--revert", "cccccccc"], "knows no commit"],
  ])("%j exits with 2", async (words, told) => {
    const { code, stderr } = await iommuMc(["simulate", small, ...words]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(told)]);
  });
});

describe("walks that take long", () => {
  beforeAll(async () => {
    await iommuMc(["simulate", big, "--walks", "1"]);
  });

  it("end when time is up, which is no failure", async () => {
    const { code, stdout } = await iommuMc(["simulate", big, "--walks", "100000000", "--timeout", "0.5"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/stopped by the time limit \(--timeout\) in walk \d+ of 100000000/);
  });

  it("end with what was found when they are interrupted", async () => {
    const ended = await iommuMc(["simulate", big, "--walks", "100000000", "--json"], {
      whileRunning: (child) => setTimeout(() => child.kill("SIGINT"), 2500),
    });
    const { suites, exitCode } = JSON.parse(ended.stdout) as JsonSimulate;
    expect([ended.code, exitCode, suites[0]?.end]).toEqual([3, 3, { limit: "interrupt" }]);
    expect(suites[0]?.steps).toBeGreaterThan(0);
  });
});
