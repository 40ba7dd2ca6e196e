/** Which arguments the callbacks of eight drivers use, and that what is claimed to be equivalent could be found to differ. */
import { describe, expect, it } from "vitest";
import { audit } from "../../src/audit/audit.js";
import { Footprints } from "../../src/audit/footprint.js";
import { addFootprints, operationRows } from "../../src/audit/operations.js";
import type { Suite } from "../../src/lang/suite.js";
import { openBundled, suiteOf } from "./variant.js";

const session = openBundled();
const { locate, suites } = session;

/** Of each operation that is called in the suites of the design, the arguments that some driver needs. */
function needsIn(name: string): Record<string, string[]> {
  const asked = suites.filter(({ design }) => design.name === name && (design.added ?? []).length === 0);
  const footprints = new Footprints();
  for (const suite of asked) {
    const work = addFootprints(locate, suite, suite.design, {}, footprints);
    let step = work.next();
    while (!step.done) step = work.next();
  }
  const rows = operationRows(asked[0]!.design, footprints).filter(({ drivers }) => drivers.some(({ status }) => status === "called"));
  return Object.fromEntries(
    rows.map(({ operation, needs }) => [
      operation,
      [...needs].flatMap(([argument, needed]) => (needed === "yes" ? [argument] : [])).sort(),
    ]),
  );
}

describe("the callbacks of v5.17", () => {
  it("use the domain, or the device, or both", () => {
    const [domain, device, both] = [["iommu_domain"], ["device"], ["device", "iommu_domain"]];
    expect(needsIn("ops-5.17")).toMatchObject({
      attach_dev: both,
      detach_dev: both,
      aux_attach_dev: both,
      is_attach_deferred: device,
      map: domain,
      unmap: domain,
      iova_to_phys: domain,
      flush_iotlb_all: domain,
      iotlb_sync: domain,
      iotlb_sync_map: domain,
      enable_nesting: domain,
      set_pgtable_quirks: domain,
      domain_free: domain,
    });
  });

  it("and of 5.10 use nothing of the device to reserve what the firmware needs", () => {
    expect(needsIn("ops-5.10").apply_resv_region).toEqual(["iommu_domain"]);
  });
});

describe("designs that a claim calls equivalent", () => {
  it.each([
    ["B7 is_attach_deferred that looks at the domain", "deferred-by-domain/through-domain", "deferred-by-domain/through-device"],
    ["B11 nesting before eea53c581688", "nesting/intel_iommu/5.12", "nesting/intel_iommu/5.12-in-name-only"],
    ["B11 nesting that the hardware has not got", "nesting-absent/intel_iommu/real", "nesting-absent/intel_iommu/in-name-only"],
    ["B14 a flag that nobody clears", "deferred/amd_iommu/through-device", "deferred/amd_iommu/flag-never-cleared"],
  ])("differ where there is something to see: %s", (_, a, b) => {
    const [one, other] = [a, b].map((name) => suiteOf(session, `ops-split/${name}`)) as [Suite, Suite];
    const work = audit(locate, one, { a: one.design, b: other.design }, { counts: () => true });
    let step = work.next();
    while (!step.done) step = work.next();
    expect(step.value.verdict).toBe("differ");
  });
});
