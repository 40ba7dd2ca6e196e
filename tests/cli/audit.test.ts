import { describe, expect, it } from "vitest";
import type { JsonAudit } from "../../src/report/json-audit.js";
import type { JsonOperations } from "../../src/report/json-operations.js";
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

  it("says what the drivers' operations need", async () => {
    const { code, stdout } = await iommuMc(["audit", "ops", "linux-6.1", "--suite", "partial-attach/rmrr"]);
    expect(stdout).toMatch(/^attach_dev {11}iommu_domain, device$/m);
    expect(stdout).toMatch(/^remove_dev_pasid {5}never called$/m);
    expect(stdout).toMatch(/^ {2}intel_iommu\n {4}anywhere: iommu_core->has_iotlb \(read\)\n {4}device: [^:]*rmrr_locked \(read\)$/m);
    expect(stdout).toMatch(/^linux-6\.1: 1 scenario$/m);
    expect(code).toBe(0);
  });

  it("shows side by side what they need in two designs", async () => {
    const designs = ["linux-6.1", "linux-6.1+dcf40ed3a20d"];
    const { stdout } = await iommuMc(["audit", "ops", ...designs, "--suite", "partial-attach/rmrr"]);
    expect(stdout).toMatch(/^operation +linux-6\.1 +linux-6\.1\+dcf40ed3a20d$/m);
    expect(stdout).toMatch(/^attach_dev +iommu_domain, device +iommu_domain, device$/m);
    // The device goes back to the domain that it was on.
    expect(stdout).toMatch(/^attach_dev\n {2}only linux-6\.1\+dcf40ed3a20d: with iommu_domain DMA$/m);
  });

  it("says of the operations that there may be more if a limit stops it", async () => {
    const words = ["audit", "ops", "linux-6.1", "--suite", "partial-attach/rmrr", "--max-states", "2"];
    const { code, stdout } = await iommuMc(words);
    expect(stdout).toMatch(/1 scenario stopped by a limit/);
    expect(code).toBe(3);
    const { designs } = JSON.parse((await iommuMc([...words, "--json"])).stdout) as JsonOperations;
    expect(designs).toMatchObject([{ design: "linux-6.1", suites: ["partial-attach/rmrr"], unfinished: ["partial-attach/rmrr"] }]);
  });

  it.each([
    [["ops", "linux-6.2"], /there is no design linux-6\.2/],
    [["ops", "ioda2-4.1"], /declares no operations of drivers/],
    [["linux-6.2", "linux-6.1"], /there is no design linux-6\.2/],
    [["linux-6.1", "linux-6.1+0286300e6045"], /includes it already/],
    [["linux-6.1", "linux-6.1-dcf40ed3a20d"], /does not include it/],
    [["linux-6.1", "linux-6.1-0286300e6045+0286300e6045"], /to be reverted and applied/],
    [["linux-6.1", "linux-6.1", ...file], /there is no design linux-6\.1/],
  ])("refuses %j", async (words, message) => {
    const { code, stderr } = await iommuMc(["audit", ...words]);
    expect(stderr).toMatch(message);
    expect(code).toBe(2);
  });
});
