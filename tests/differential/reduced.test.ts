/** Bundled suites come out the same with steps fused: some of each kind, neither small nor large. */
import { expect, test } from "vitest";
import { bundledSuites, openSuites } from "../../src/session/open.js";
import { runSuiteNow, type SuiteRun } from "../../src/session/run-suite.js";
import { comparable } from "../support/model.js";

const session = openSuites(bundledSuites());

test.each([
  "dma/detach-then-unmap/arm_smmu_v3",
  "probe/register-against-replay",
  "hotplug/unplug-sibling/intel_iommu",
  "ownership/smmuv3-virt/interface",
])("%s", (name) => {
  const suite = session.suites.find((each) => each.name === name);
  if (suite === undefined) throw new Error("there is no such suite");
  const [plain, reduced] = [false, true].map((reduce) => runSuiteNow(session, suite, { reduce })) as [SuiteRun, SuiteRun];
  expect(reduced.comparisons).toEqual(plain.comparisons);

  expect(comparable(reduced.outcome)).toMatchObject({
    findings: comparable(plain.outcome).findings,
    lockOrder: comparable(plain.outcome).lockOrder,
  });
  expect(reduced.outcome.states).toBeLessThan(plain.outcome.states / 2);
});
