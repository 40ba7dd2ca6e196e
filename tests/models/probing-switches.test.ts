/** What the switches about probing change: red without the fix, green with it, and where a fix alone is not enough. */
import { describe, expect, it } from "vitest";
import type { Variant } from "../../src/step/machine.js";
import { having, openBundled, run, suiteOf } from "./variant.js";

const session = openBundled();

/** What is violated in a suite under a variant. */
function violated(suite: string, variant: Variant = {}): string[] {
  return having(run(session, suiteOf(session, suite), variant), "violated");
}

describe("b54240ad4943: the pointer is cleared before what it points to is freed", () => {
  it("leaves a dangling pointer without it", () => {
    expect(violated("probe/failing-walk")).not.toContain("L1");
    expect(violated("probe/failing-walk", { revert: ["b54240ad4943"] })).toEqual(["L1"]);
  });

  it("is not enough: without the probe lock others still use what is freed", () => {
    const withoutLock = { revert: ["a2e7e59a9426", "01657bc14a39", "6eb4da8cf545"] };
    expect(violated("probe/rechecked", withoutLock)).toEqual(["use-after-free"]);
  });
});

describe("01657bc14a39: one probe at a time", () => {
  it("keeps a device from joining groups twice", () => {
    expect(violated("probe/joined-once")).not.toContain("X2");
    expect(violated("probe/joined-once", { revert: ["a2e7e59a9426", "01657bc14a39"] })).toEqual(["X2"]);
  });

  it("is not enough: in 6.1 the second probe comes after the first, until 6eb4da8cf545", () => {
    expect(violated("probe/plug-against-register")).toContain("X1");
    expect(violated("probe/plug-against-register", { apply: ["6eb4da8cf545"] })).toEqual([]);
  });
});

describe("a2e7e59a9426: the lock covers the firmware code", () => {
  it("keeps dev->iommu alive while the fwspec is made", () => {
    expect(violated("probe/rechecked")).toEqual(["T5"]);
    expect(violated("probe/rechecked", { revert: ["a2e7e59a9426"] })).toEqual(["use-after-free"]);
  });
});

describe("b46064a18810: binding waits for the default domain", () => {
  it("has no default domain set up under a bound driver, but on arm64 the DMA ops still come too early", () => {
    expect(violated("probe/bind-between-phases")).toEqual(["T5", "T5-domain"]);
    expect(violated("probe/bind-between-phases", { apply: ["b46064a18810"] })).toEqual(["T5"]);
  });

  it("leaves devices unbound for ever under drivers that have no default domains", () => {
    expect(violated("probe/no-default-domains")).toEqual([]);
    expect(violated("probe/no-default-domains", { apply: ["b46064a18810"] })).toEqual(["V2"]);
  });
});

describe("152431e4fe7f: direct mappings before the attach", () => {
  it("is enough for a new group, and not for one that exists", () => {
    expect(violated("direct-map/new-group")).toEqual(["T4"]);
    expect(violated("direct-map/new-group", { apply: ["152431e4fe7f"] })).toEqual([]);
    expect(violated("direct-map/existing-group", { apply: ["152431e4fe7f"] })).toEqual(["T4"]);
  });
});

describe("79659190ee97: no reference of its own", () => {
  it("leaks the group without it", () => {
    expect(violated("plug/come-and-go/intel_iommu")).not.toContain("leak");
    expect(violated("plug/come-and-go/intel_iommu", { revert: ["79659190ee97"] })).toContain("leak");
  });
});
