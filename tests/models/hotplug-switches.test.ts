/** What the table of switches cannot say of those about hot plug and unplug. */
import { expect, it } from "vitest";
import type { Variant } from "../../src/step/machine.js";
import { having, openBundled, run, suiteOf } from "./variant.js";

const session = openBundled();

/** What is violated in a suite under a variant. */
function violated(suite: string, variant: Variant = {}): string[] {
  return having(run(session, suiteOf(session, suite), variant), "violated");
}

it.each([
  "hotplug/unplug-sibling/intel_iommu",
  "hotplug/unplug-sibling/arm_smmu_v3",
  "hotplug/unplug-from-own-domain",
  "hotplug/unplug-in-use",
  "hotplug/unplug-open-group",
  "hotplug/unplug-open-device",
])("%s is green all over with dba9ca9d41f5", (suite) => {
  expect(violated(suite)).toContain("L4");
  expect(violated(suite, { apply: ["dba9ca9d41f5"] })).toEqual([]);
});

it("dba9ca9d41f5 does not keep two releases apart", () => {
  expect(violated("hotplug/two-releases", { apply: ["dba9ca9d41f5"] })).toContain("use-after-free");
});

it("dba9ca9d41f5 warns of a lent group that loses its last device, which VFIO prevents since ca5f21b25749", () => {
  expect(violated("hotplug/unplug-open-group", { apply: ["dba9ca9d41f5"] })).not.toContain("warn-on");
  expect(violated("hotplug/unplug-open-group", { apply: ["dba9ca9d41f5"], revert: ["ca5f21b25749"] })).toContain("warn-on");
});

it("49a22aae7d9c is not allowed before dba9ca9d41f5", () => {
  expect(() => violated("hotplug/unplug-against-type", { apply: ["49a22aae7d9c"] })).toThrow("needs dba9ca9d41f5");
});

it("49a22aae7d9c sets up the DMA ops of the whole group, by a walk without the mutex", () => {
  const one = violated("hotplug/unplug-against-type", { apply: ["dba9ca9d41f5"] });
  const both = violated("hotplug/unplug-against-type", { apply: ["dba9ca9d41f5", "49a22aae7d9c"] });
  expect([one, both]).toEqual([
    ["null-deref", "use-after-free"],
    ["null-deref", "use-after-free"],
  ]);
});

it("e7f85dfbbc9c changes nothing where a user owns the group", () => {
  const before = violated("hotplug/plug-into-users-domain");
  expect(before).not.toContain("C1");
  expect(violated("hotplug/plug-into-users-domain", { apply: ["e7f85dfbbc9c"] })).toEqual(before);
});

it("between ca5f21b25749 and 3dd59a7dcb97 nobody gave back VFIO's reference on the iommu_group", () => {
  const suite = suiteOf(session, "hotplug/unplug-in-use");
  const otherwise = { verdict: "violated" as const, reason: "the group is opened behind the last look at it" };
  const expected = { ...suite.expected, "null-deref": otherwise, "warn-on": otherwise, O4: otherwise };
  expect(having(run(session, { ...suite, expected }, { revert: ["3dd59a7dcb97"] }), "violated")).toContain("leak");
});
