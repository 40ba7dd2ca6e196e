import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonValidation } from "../../src/report/validation.js";
import { iommuMc, temporaryFolder } from "./helpers.js";

const { folder, write } = temporaryFolder();
const claim = resolve(import.meta.dirname, "../ftrace/fixtures/claim-6.1");

describe("validate", () => {
  it("says that a recording is explained, and what of it is not followed", async () => {
    const { code, stdout } = await iommuMc(["validate", claim]);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^EXPLAINED .* by linux-6\.1: (\d+) of \1 records in scope, of 74 in all\n/)]);
    expect(stdout).toContain("12  vfio_pci_core_enable: of VFIO".slice(4));
  });

  it("tells the record that is not explained, what came before, what the model could do and how it stands", async () => {
    const trace = readFileSync(resolve(claim, "trace.jsonl"), "utf8");
    write("trace.jsonl", trace.replace(/("kind": "ret", "ev": "iommu_group_claim_dma_owner".*"ret": )0/, "$1-1"));
    const words = [`${folder}/trace.jsonl`, "--topology", `${claim}/topology.json`, "--design", "linux-6.1"];
    const { code, stdout } = await iommuMc(["validate", ...words, "--json"]);
    const document = JSON.parse(stdout) as JsonValidation;
    expect([code, document.exitCode]).toEqual([1, 1]);
    expect(document.firstUnexplained).toMatchObject({
      task: "vfiot",
      record: "} = -1 /* iommu_group_claim_dma_owner */",
      allowed: [{ event: "iommu_group_claim_dma_owner() = 0", why: "ends with 0, and in the record with -EPERM" }],
    });
    expect(document.firstUnexplained?.before.at(-1)).toBe("vfiot-1098 } = 0 /* __iommu_group_set_domain */");
    const text = await iommuMc(["validate", ...words]);
    expect(text.stdout).toContain("what the model could do instead\n  iommu_group_claim_dma_owner() = 0: ends with 0");
  });

  it("finds the commits that a kernel is without", async () => {
    const words = ["validate", claim, "--design", "linux-6.6", "--json"];
    expect((await iommuMc(words)).code).toBe(1);
    const { code, stdout } = await iommuMc([...words, "--bisect-commits"]);
    const { commits, explained, inScope } = JSON.parse(stdout) as JsonValidation;
    expect([code, explained]).toEqual([0, inScope]);
    // Since then an attach begins with __iommu_group_set_domain_internal().
    expect(commits?.reverted).toContain("dcf40ed3a20d");
    expect(commits?.applied).toEqual([]);
    expect(commits?.tried).toBeGreaterThan(1);
  });

  it("says so if the design explains the recording as it is", async () => {
    const { code, stdout } = await iommuMc(["validate", claim, "--bisect-commits"]);
    expect([code, stdout]).toEqual([0, expect.stringContaining("the design as it is explains most, of 1 set of commits\n")]);
  });

  it.each([
    [["nowhere"], "there is no nowhere"],
    [[claim, "--design", "linux-9.9"], "there is no design linux-9.9"],
    [[`${claim}/topology.json`], "topology.json"],
  ])("refuses %j", async (words, told) => {
    expect(await iommuMc(["validate", ...words])).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });
});
