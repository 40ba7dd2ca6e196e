/** Bundled suites that are forgotten come out the same, but for what cannot be said of them then. */
import { expect, test } from "vitest";
import { LOSSY_MODES } from "../../src/explore/lossy-table.js";
import { bundledSuites, openSuites } from "../../src/session/open.js";
import { runSuiteNow } from "../../src/session/run-suite.js";
import { comparable } from "../support/model.js";

const session = openSuites(bundledSuites());

test.each(
  LOSSY_MODES.flatMap((mode) =>
    ["dma/detach-then-unmap/arm_smmu_v3", "ownership/smmuv3-virt/interface", "ownership/smmuv3-virt/group12"].map(
      (name) => [name, mode] as const,
    ),
  ),
)("%s: %s", (name, mode) => {
  const suite = session.suites.find((each) => each.name === name);
  if (suite === undefined) throw new Error("there is no such suite");
  const plain = runSuiteNow(session, suite);
  const { outcome, comparisons, exitCode } = runSuiteNow(session, suite, { lossy: { mode, tableBytes: 2 ** 24, lossyAfter: 2000 } });
  const { states, transitions, depth, lockOrder, findings, faultedSteps } = comparable(plain.outcome);
  expect(comparable(outcome)).toMatchObject({ states, transitions, depth, lockOrder, findings, faultedSteps });
  const witnesses = suite.properties.filter(({ window }) => window.kind === "sometimes").map(({ code }) => code);
  expect(comparisons.filter(({ verdict }) => verdict === "holds").map(({ check }) => check)).toEqual(witnesses);
  expect(exitCode).toBe(3);
});
