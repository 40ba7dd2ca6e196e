import { describe, expect, it } from "vitest";
import type { JsonForecasts } from "../../src/report/forecast-text.js";
import { big, iommuMc, small } from "./helpers.js";

describe("forecast", () => {
  it("says that the sample is all there is", async () => {
    const { code, stdout } = await iommuMc(["forecast", small, "--suite", "small/holds"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^small\/holds\n/);
    expect(stdout).toMatch(/^ {2}states {2}\d+: the sample is all of them, in /m);
    expect(stdout).not.toContain("8 of 10");
  });

  it("tells intervals of what is larger, and what they are worth", async () => {
    const { code, stdout } = await iommuMc(["forecast", big, "--sample", "2000"]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}sample {2}2,\d+ states in order of depth, [\d,]+ steps at random, in /m);
    expect(stdout).toMatch(/^ {2}states {2}\S+( [kM])? to \S+( [kM])?, about /m);
    expect(stdout).toMatch(/^ {2}time .* to .*, about .* s$/m);
    expect(stdout).toMatch(/^ {2}memory .* to .*, about .* MB$/m);
    expect(stdout).toContain("An interval is made to hold 8 of 10 runs");
  });

  it("prints the same as JSON", async () => {
    const { code, stdout } = await iommuMc(["forecast", small, "--suite", "small/holds", "--faults", "0", "--json"]);
    const document = JSON.parse(stdout) as JsonForecasts;
    expect([code, document.command, document.seed, document.exitCode]).toEqual([0, "forecast", 1, 0]);
    const [suite] = document.suites;
    expect([suite?.suite, suite?.stopped, suite?.sample.isAll, suite?.bounds.faults]).toEqual(["small/holds", null, true, 0]);
    expect(suite?.expected?.states.low).toBe(suite?.sample.states);
  });

  it("exits with 3 if time is up", async () => {
    const { code, stdout } = await iommuMc(["forecast", big, "--sample", "100000000", "--timeout", "0.1"]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^ {2}unfinished: the limit on time ended the sample after [\d,]+ states$/m);
  });

  it.each([
    [["forecast", small, "--suite", "small/hold"], "Did you mean small/holds?"],
    [["forecast", small, "--sample", "0"], "It is a whole number, 1 or more."],
  ])("%j exits with 2", async (words, told) => {
    expect(await iommuMc(words)).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });
});
