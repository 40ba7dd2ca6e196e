import { describe, expect, it } from "vitest";
import type { JsonStates } from "../../src/report/cardinality-text.js";
import { iommuMc, small, temporaryFolder } from "./helpers.js";

describe("states", () => {
  const { write } = temporaryFolder();

  it("tells which parts of the state multiply it", async () => {
    const { code, stdout } = await iommuMc(["states", "small/holds", "--file", small]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^small\/holds · \d+ states\n/);
    expect(stdout).toMatch(/'s place +×\d\.\d\d, \d+ values, \d+ states without it\n/);
  });

  it("prints the same as JSON, which a later run is compared with", async () => {
    const { code, stdout } = await iommuMc(["states", "small/holds", "--file", small, "--json"]);
    const document = JSON.parse(stdout) as JsonStates;
    expect([code, document.command, document.suite, document.end, document.exitCode]).toEqual([0, "states", "small/holds", "complete", 0]);
    const [first] = document.dimensions ?? [];
    expect(first?.factor).toBeCloseTo(document.states / (first?.without as number));
    const fewer = { ...document, states: 3, dimensions: [{ ...first, values: 2, factor: 1 }] };
    const before = write("before.json", JSON.stringify(fewer));
    const compared = await iommuMc(["states", "small/holds", "--file", small, "--against", before]);
    expect(compared.stdout).toMatch(/^small\/holds · \d+ states, before 3\n/);
    expect(compared.stdout).toMatch(new RegExp(`${first?.name} +×1\\.00 with 2 values → ×\\d`));
    expect(compared.stdout).toContain("does not change → ×");
  });

  it("says first that not all states were counted", async () => {
    const { code, stdout } = await iommuMc(["states", "small/holds", "--file", small, "--max-states", "3"]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^unfinished: stopped by a limit after \d+ states; only these are counted\n/);
  });

  it.each([
    [["states", "small/hold", "--file", small], "Did you mean small/holds?"],
    [["states", "small/holds", "--file", small, "--against", "nowhere.json"], "there is no file nowhere.json"],
    [["states", "small/holds", "--file", small, "--against", small], "is no JSON"],
    [["states", "small/holds", "--file", small, "--against", "package.json"], "is not of `iommu-mc states --json`"],
  ])("%j exits with 2", async (words, told) => {
    expect(await iommuMc(words)).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });
});
