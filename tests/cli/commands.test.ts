import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonCheck, JsonLedger, JsonReplay, JsonTopologyImport } from "../../src/report/json.js";
import type { JsonList } from "../../src/report/json-list.js";
import { iommuMc, small, temporaryFolder } from "./helpers.js";

const { folder, write } = temporaryFolder();

describe("list", () => {
  it("tells what can be reverted and applied", async () => {
    const { code, stdout } = await iommuMc(["list", "commits", "--file", small]);
    expect(code).toBe(0);
    expect(stdout).toContain("in bank-1 (--revert aaaaaaaaaaaa)");
    expect(stdout).toContain("not in bank-1 (--apply bbbbbbbbbbbb)");
    expect(stdout).toContain("needs aaaaaaaaaaaa");
  });

  it("lists the bundled suites, or all there is", async () => {
    const listed = JSON.parse((await iommuMc(["list", "suites", "--json"])).stdout) as JsonList;
    expect(listed.suites?.map(({ design }) => design)).toContain("linux-6.1");
    expect(listed.properties).toBeUndefined();
    const all = JSON.parse((await iommuMc(["list", "--file", small, "--json"])).stdout) as JsonList;
    expect(all.designs).toEqual([{ name: "bank-1", version: "1.0 (test)", includes: ["aaaaaaaaaaaa"] }]);
    expect(all.properties?.map(({ code }) => code)).toEqual(["D1", "V1", "P1"]);
  });

  it("knows what it does not list", async () => {
    const { code, stderr } = await iommuMc(["list", "suits"]);
    expect([code, stderr]).toEqual([2, expect.stringContaining("Did you mean suites?")]);
  });
});

describe("replay", () => {
  it("shows a path that violates nothing, the empty one too", async () => {
    const { code, stdout } = await iommuMc(["replay", "small/holds", "0.0", "--file", small]);
    expect(code).toBe(0);
    expect(stdout).toContain("nothing is violated in the last step");
    expect((await iommuMc(["replay", "small/holds", "-", "--file", small])).code).toBe(0);
  });

  it("exits with 1 for what is not expected, with 0 for what is", async () => {
    const eve = await iommuMc(["replay", "small/null", "0", "--file", small, "--json"]);
    const document = JSON.parse(eve.stdout) as JsonReplay;
    expect([eve.code, document.exitCode]).toEqual([1, 1]);
    expect(document.violated.map(({ check }) => check)).toEqual(["null-deref"]);
    expect(document.trace).toHaveLength(1);
    const joe = await iommuMc(["replay", "small/known", "0.1", "--file", small]);
    expect(joe.code).toBe(0);
    expect(joe.stdout).toMatch(/^VIOLATED {2}P1 {2}the last entry is alive$/m);
    expect(joe.stdout).toContain("clearing FAILS");
  });

  it.each([
    [["small/holds", "0.7.1"], "cannot be followed beyond step 1"],
    [["small/holds", "0,1"], "is no path"],
    [["small/hold", "0"], "Did you mean small/holds?"],
    [["small/holds"], "missing required argument 'path'"],
  ])("%j exits with 2", async (words, told) => {
    const { code, stderr } = await iommuMc(["replay", ...words, "--file", small]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(told)]);
  });
});

describe("ledger of own suites", () => {
  const ledger = join(folder, "ledger.json");
  const words = ["ledger", "--file", "tests/cli/fixtures/good.ts", "--ledger", ledger];

  it("is made, agrees, and tells what differs", async () => {
    expect(await iommuMc(words)).toMatchObject({ code: 2, stderr: expect.stringContaining("--update") });
    expect((await iommuMc([...words, "--update"])).code).toBe(0);
    expect(await iommuMc(words)).toMatchObject({ code: 0, stdout: "the ledger agrees with the run\n" });
    const text = readFileSync(ledger, "utf8");
    expect(text).not.toContain("fixtures");
    expect(text).not.toContain("seconds");
    writeFileSync(ledger, text.replace('"P1": "violated"', '"P1": "vacuous"').replace('"states": 15', '"states": 14'));
    const ended = await iommuMc(words);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain("small/holds: states 14 → 15\n");
    expect(ended.stdout).toContain("small/known: P1 vacuous → violated\n");
    const { differences, exitCode } = JSON.parse((await iommuMc([...words, "--json"])).stdout) as JsonLedger;
    expect([differences.length, exitCode]).toEqual([2, 1]);
    expect((await iommuMc([...words, "--update"])).code).toBe(0);
    expect(readFileSync(ledger, "utf8")).toBe(text);
  });

  it("tells of what is not as expected, and records it only when asked to", async () => {
    const ended = await iommuMc(["ledger", "--file", small, "--ledger", join(folder, "all.json"), "--update"]);
    expect(ended.code).toBe(1);
    expect(ended.stdout).toContain("small/null: not as the suite expects");
    expect((await iommuMc(["ledger", "--file", small, "--ledger", join(folder, "all.json")])).code).toBe(1);
  });

  it("is not taken for one if it is something else", async () => {
    writeFileSync(ledger, "[1]");
    expect(await iommuMc(words)).toMatchObject({ code: 2, stderr: expect.stringContaining("is no ledger") });
  });
});

describe("topology import", () => {
  const device = (name: string, group: string, driver: string, more: object = {}) => ({
    bus: "pci",
    device: name,
    path: `/sys/devices/${name}`,
    vendor: "0x8086",
    device_id: "0x100e",
    class: "0x020000",
    iommu_group: group,
    iommu: group === "" ? "" : "dmar0",
    driver,
    is_bridge: false,
    ...more,
  });
  const machine = [
    device("0000:00:00.0", "0", "", { class: "0x060000" }),
    device("0000:00:02.0", "1", "pcieport", { class: "0x060400", is_bridge: true }),
    device("0000:00:06.0", "5", ""),
    device("0000:00:07.0", "6", "nvme"),
    device("0000:00:1f.0", "12", ""),
    device("0000:00:1f.2", "12", "ahci"),
    device("0000:05:01.0", "16", "e1000"),
    device("0000:05:02.0", "16", "e1000"),
    device("0000:05:03.0", "16", ""),
    device("0000:06:00.0", "", "igb"),
  ];
  const text = (devices: readonly object[]) => `[\n${devices.map((entry) => JSON.stringify(entry)).join(",\n")}\n]\n`;
  const imported = async (devices: readonly object[], ...words: string[]) =>
    iommuMc(["topology", "import", write("topology.json", text(devices)), "--name", "test", ...words]);

  it("keeps the largest group at work and a free device, says what it left out, and makes suites that run", async () => {
    const out = join(folder, "machine.ts");
    const ended = await imported(machine, "--out", out);
    expect([ended.code, ended.stdout]).toEqual([0, ""]);
    expect(ended.stderr).toMatch(/^kept +group 5 \(0000:00:06\.0\)/m);
    expect(ended.stderr).toMatch(/^kept +group 16 \(0000:05:01\.0 with e1000, /m);
    expect(ended.stderr).toMatch(/^left out +4 more groups: 0, 1, 6 and 12$/m);
    expect(ended.stderr).toMatch(/^left out +1 device in no group: 0000:06:00\.0$/m);
    const checked = await iommuMc(["check", "machine.ts", "--suite", "*/one-failure", "--json"], { cwd: folder });
    const { suites } = JSON.parse(checked.stdout) as JsonCheck;
    expect(suites.map(({ suite, end }) => [suite, end])).toEqual([["ownership/test/one-failure", "complete"]]);
    expect((await imported(machine, "--out", out)).code).toBe(0);
  });

  it("keeps the groups asked for", async () => {
    const ended = await imported(machine, "--keep-group", "12", "--keep-group", "6", "--json");
    const { kept, iommu, text: file } = JSON.parse(ended.stdout) as JsonTopologyImport;
    expect(kept.map(({ group, devices }) => [group, devices])).toEqual([
      [6, ["0000:00:07.0"]],
      [12, ["0000:00:1f.0", "0000:00:1f.2"]],
    ]);
    expect(iommu).toBe("intel_iommu");
    expect(file).toContain("ownershipSuites(topology)");
  });

  it("leaves out devices that the model has no room for, but none of both kinds", async () => {
    const crowd = Array.from({ length: 6 }, (_, number) => device(`0000:07:0${number}.0`, "20", number === 5 ? "" : "e1000"));
    const { stderr } = await imported([...machine, ...crowd], "--out", join(folder, "crowd.ts"));
    expect(stderr).toMatch(/^kept +group 20 \(.*0000:07:05\.0\)/ms);
    expect(stderr).toMatch(/^left out +0000:07:03\.0 and 0000:07:04\.0 of group 20: the model holds 4/m);
  });

  it("knows which drivers manage DMA ownership", async () => {
    const bound = [...machine.slice(0, 8), device("0000:05:03.0", "16", "vfio-pci")];
    const { stdout } = await imported(bound);
    expect(stdout).toContain('{ name: "0000:05:03.0", driver: "vfio-pci", managed: true }');
  });

  it.each([
    ["what is no JSON", `${text(machine)}]`, /topology\.json:13:1: this is no JSON/],
    ["an end too early", '[\n{"device": "a"', /topology\.json:2:\d+: this is no JSON/],
    ["what is no list", "{}", /topology\.json:1:1: this is no list/],
    ["what is no device", "[\n  7\n]", /topology\.json:2:3: this is no device/],
    ["a missing field", '[\n {"device": "a", "driver": ""}\n]', /topology\.json:2:2: this device has no "iommu_group"/],
    ["a wrong value", '[\n {"device": "a", "driver": {}, "iommu_group": "1"}\n]', /topology\.json:2:28: "driver" is no text/],
    ["a group that is none", '[\n {"device": "a", "driver": "", "iommu_group": "x"}\n]', /topology\.json:2:47: "x" is no group/],
    ["a device listed twice", text([...machine, machine[0] as object]), /topology\.json:12:1: 0000:00:00\.0 is listed twice/],
  ])("%s is located", async (_, content, told) => {
    const ended = await iommuMc(["topology", "import", write("topology.json", content)], { cwd: folder });
    expect([ended.code, ended.stdout]).toEqual([2, ""]);
    expect(ended.stderr).toMatch(told);
  });

  it.each([
    ["a group that is not there", machine, ["--keep-group", "99"], "there is no group 99"],
    ["too few groups", machine, ["--keep-group", "16"], "a group of one device, and none is kept"],
    ["a machine without groups", machine.map((entry) => ({ ...entry, iommu_group: "" })), [], "is in an IOMMU group"],
    ["a driver the model does not know", machine, ["--iommu", "arm_smmu_v2"], "Did you mean arm_smmu_v3?"],
    ["a file of somebody else", machine, ["--out", small], "was not written by this command"],
  ])("%s exits with 2", async (_, devices, words, told) => {
    const ended = await imported(devices, ...words);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining(told)]);
  });

  it.each([
    ["dmar0", "intel_iommu"],
    ["ivhd0", "amd_iommu"],
    ["smmu3.0x0000000009050000", "arm_smmu_v3"],
    ["0000:00:0b.0", "virtio_iommu"],
    ["a003c00.virtio_mmio", "virtio_iommu"],
  ])("knows the driver of an IOMMU called %s", async (iommu, driver) => {
    const out = join(folder, `${driver}.ts`);
    const ended = await imported(
      machine.map((entry) => ({ ...entry, iommu: entry.iommu_group === "" ? "" : iommu })),
      "--out",
      out,
    );
    expect(ended.stderr).not.toContain("stand-in");
    expect(readFileSync(out, "utf8")).toContain(`iommu: "${driver}"`);
  });

  it("has a driver stand in for an IOMMU that the model does not know, and says so", async () => {
    const foreign = machine.map((entry) => ({ ...entry, iommu: "iommu-phb0001" }));
    const ended = await imported(foreign);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain("stand-in: intel_iommu drives what the machine has (iommu-phb0001)");
    expect(ended.stderr).toContain("stand-in");
    expect((await imported(foreign, "--iommu", "arm_smmu_v3")).stdout).toContain('iommu: "arm_smmu_v3"');
  });

  it("gives a device a driver where no device of several has one, and says so", async () => {
    const idle = machine.map((entry) => ({ ...entry, driver: "" }));
    const ended = await imported(idle);
    expect(ended.code).toBe(0);
    expect(ended.stdout).toContain('driver: "a_driver"');
    expect(ended.stderr).toContain("gets one, a_driver");
  });
});
