/** Bundled suites come out the same reduced: some of each kind, neither small nor large. */
import { expect, test } from "vitest";
import { ALL_REDUCTIONS } from "../../src/explore/reduced.js";
import { bundledSuites, openSuites } from "../../src/session/open.js";
import { runSuiteNow } from "../../src/session/run-suite.js";
import { comparable } from "../support/model.js";

const session = openSuites(bundledSuites());
const none = { fusion: false, symmetry: false, clearing: false };
const oneByOne = Object.keys(none).map((reduction) => ({ ...none, [reduction]: true }));

test.each([
  "dma/detach-then-unmap/arm_smmu_v3",
  "probe/register-against-replay",
  "hotplug/unplug-sibling/intel_iommu",
  "ownership/smmuv3-virt/interface",
  "registration/two-walks/without-iommu",
  "default-domain/two-at-once",
])("%s", (name) => {
  const suite = session.suites.find((each) => each.name === name);
  if (suite === undefined) throw new Error("there is no such suite");
  const plain = runSuiteNow(session, suite);
  const [all, ...each] = [ALL_REDUCTIONS, ...oneByOne].map((reduce) => {
    const { comparisons, outcome } = runSuiteNow(session, suite, { reduce });
    expect(comparisons).toEqual(plain.comparisons);
    expect(comparable(outcome)).toMatchObject({
      findings: comparable(plain.outcome).findings,
      lockOrder: comparable(plain.outcome).lockOrder,
    });
    return outcome.states;
  });
  expect(all).toBeLessThan(plain.outcome.states / 2);
  expect(all).toBeLessThanOrEqual(Math.min(...each));
});
