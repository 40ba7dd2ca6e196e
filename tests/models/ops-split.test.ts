/** Which arguments the callbacks of eight drivers use: whether they are operations of a device, a domain or both. */
import { describe, expect, it } from "vitest";
import { Footprints } from "../../src/audit/footprint.js";
import { addFootprints, operationRows } from "../../src/audit/operations.js";
import { openBundled } from "./variant.js";

const { locate, suites } = openBundled();

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
