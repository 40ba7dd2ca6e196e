import { describe, expect, it } from "vitest";
import type { JsonAudit } from "../../src/report/json-audit.js";
import { iommuMc, small } from "./helpers.js";

const file = ["--file", small];

describe("audit", () => {
  it("finds a design equivalent to itself", async () => {
    const { code, stdout } = await iommuMc(["audit", "linux-6.1", "linux-6.1", "--suite", "partial-attach/rmrr"]);
    expect(stdout).toMatch(/^equivalent {6}partial-attach\/rmrr · \d+ states$/m);
    expect(stdout).toMatch(/^1 scenario: 1 equivalent$/m);
    expect(code).toBe(0);
  });

  it("shows side by side where designs part", async () => {
    const { code, stdout } = await iommuMc(["audit", "linux-6.1", "linux-6.1+dcf40ed3a20d", "--suite", "partial-attach/rmrr"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^DIFFER {10}partial-attach\/rmrr/m);
    expect(stdout).toMatch(/^ {5}linux-6\.1 +linux-6\.1\+dcf40ed3a20d$/m);
    // The roll-back is what is new.
    expect(stdout).toMatch(/^ {2}3 {2}may end +attach_dev\(default\d+, \S+ 0\)$/m);
  });

  it("prints paths that the plain engine follows", async () => {
    const words = ["audit", "linux-6.1", "linux-6.1+dcf40ed3a20d", "--suite", "partial-attach/rmrr", "--json"];
    const { scenarios, exitCode } = JSON.parse((await iommuMc(words)).stdout) as JsonAudit;
    expect(exitCode).toBe(1);
    const { onlyB } = scenarios[0]!;
    const { stdout } = await iommuMc(["replay", "partial-attach/rmrr", onlyB!.path, "--apply", "dcf40ed3a20d"]);
    expect(stdout).toContain("attach_dev");
  });

  it("counts only what is asked for", async () => {
    const words = ["audit", "linux-6.1", "linux-6.1+dcf40ed3a20d", "--suite", "partial-attach/rmrr", "--observe", "nothing*"];
    expect((await iommuMc(words)).code).toBe(0);
  });

  it("says that it is unfinished when a limit stops it", async () => {
    const words = ["audit", "linux-6.1", "linux-6.1", "--suite", "partial-attach/rmrr", "--max-states", "3"];
    const { code, stdout } = await iommuMc(words);
    expect(stdout).toMatch(/^unfinished.*stopped by the limit on states/m);
    expect(code).toBe(3);
  });

  it.each([
    [["linux-6.2", "linux-6.1"], /there is no design linux-6\.2/],
    [["linux-6.1", "linux-6.1+0286300e6045"], /includes it already/],
    [["linux-6.1", "linux-6.1-dcf40ed3a20d"], /does not include it/],
    [["linux-6.1", "linux-6.1", ...file], /there is no design linux-6\.1/],
  ])("refuses %j", async (words, message) => {
    const { code, stderr } = await iommuMc(["audit", ...words]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
