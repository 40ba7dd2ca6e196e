/** What the switches of Linux 6.1 change, suite by suite, and what they leave alone. */
import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import type { SuiteRun } from "../../src/session/run-suite.js";
import type { Variant } from "../../src/step/machine.js";
import { having, openBundled, run, suiteOf } from "./variant.js";

const session = openBundled();

/** Suites of ownership that take less than a second. */
const small = session.suites.filter(
  ({ name }) => /^(vfio|partial-attach|ownership)/.test(name) && !/group\d|two-groups|interface/.test(name),
);

/** An attach of its one device may fail too, which then takes other steps; nobody asks there where that leaves the device. */
const countsOnly = "vfio-container/mediated";

const runs = new Map<string, readonly SuiteRun[]>();

function underAll(variant: Variant): readonly SuiteRun[] {
  const key = JSON.stringify(variant);
  const known = runs.get(key) ?? small.map((suite) => run(session, suite, variant));
  runs.set(key, known);
  return known;
}

/** Verdicts, and for runs to the end the counts. */
function comparable({ outcome: { end, states, transitions, depth, results } }: SuiteRun) {
  return { end, results, counts: end.kind === "complete" ? [states, transitions, depth] : [] };
}

/** What is violated in each suite that the variant changes in any way, its counts included. */
function changedBy(variant: Variant): Record<string, string[]> {
  const base = underAll({});
  return Object.fromEntries(
    underAll(variant).flatMap((changed, position) =>
      JSON.stringify(comparable(changed)) === JSON.stringify(comparable(base[position] as SuiteRun))
        ? []
        : [[changed.suite.name, having(changed, "violated")]],
    ),
  );
}

/** What a suite's run says of a property that is violated: of which object, and which conjunct fails. */
function findingOf(name: string, variant: Variant, code: string): string[] {
  const { outcome } = run(session, suiteOf(session, name), variant);
  return outcome.findings.filter(({ check }) => check === code).map(({ subject, message }) => `${subject ?? "call"} ${message}`);
}

it("what looks like a sha has twelve digits of one, or of its patch's Message-Id where none is known", () => {
  const designs = new Set(session.suites.map(({ design }) => design));
  for (const [name, { messageId }] of [...designs].flatMap(({ commits }) => Object.entries(commits))) {
    if (/^[0-9a-f]{7,}$/.test(name)) expect([name, name.length]).toEqual([name, 12]);
    if (messageId !== undefined) expect(messageId.slice(0, 12)).toBe(name);
  }
});

it("as the design has them, the suites are as expected", () => {
  expect(small.length).toBeGreaterThan(14);
  for (const { suite, exitCode } of underAll({})) expect([suite.name, exitCode]).toEqual([suite.name, 0]);
});

describe("--revert 0286300e6045", () => {
  const variant = { revert: ["0286300e6045"] };

  it("leaves the device on the user's domain after a detach, and on freed memory after a close", () => {
    expect(findingOf("vfio-detach/arm_smmu_v3", variant, "C4-detach")).toEqual([
      "call not so: the group is on the blocking domain if owned, else on its default domain; no device is on the user's domain",
    ]);
    expect(findingOf("vfio-close/arm_smmu_v3", variant, "L2")).toEqual(["0000:00:06.0 not so: the hardware's domain is alive"]);
  });

  it("takes the device off the user's domain under a driver with detach_dev, but leaves the group without a domain", () => {
    expect(findingOf("vfio-detach/intel_iommu", variant, "C4-detach")).toEqual([
      "call not so: the group is on the blocking domain if owned, else on its default domain",
    ]);
    expect(having(run(session, suiteOf(session, "vfio-close/intel_iommu"), variant), "violated")).toEqual([]);
  });

  it("leaves a claimed group without a domain, and under the driver without detach_dev its devices in reach of the kernel", () => {
    const ofDriver = (iommu: "intel-q35" | "smmuv3-virt") =>
      having(run(session, suiteOf(session, `ownership/${iommu}/passthrough`), variant), "violated");
    expect(ofDriver("intel-q35")).toEqual(["C1", "O2"]);
    expect(ofDriver("smmuv3-virt")).toEqual(["C1", "K1", "O2", "O5"]);
    expect(findingOf("ownership/smmuv3-virt/passthrough", variant, "O2")).toEqual([
      "group12 not so: the group is on the blocking domain or a user's",
    ]);
  });

  it("is not seen where nothing is claimed, nor where only freed domains are asked of under detach_dev", () => {
    expect(small.map(({ name }) => name).filter((name) => !(name in changedBy(variant)))).toEqual([
      "vfio-close/intel_iommu",
      "vfio-close/amd_iommu",
      "vfio-group/two-binds",
      "vfio-group/failing-bind",
    ]);
  });
});

describe("--revert 2cc73c5712f9", () => {
  const variant = { revert: ["2cc73c5712f9"] };

  it("leaves devices on a domain that could not be attached to all of them", () => {
    expect(changedBy(variant)).toEqual({
      "vfio-group/failing-open": ["C1"],
      [countsOnly]: [],
      "partial-attach/fault/intel_iommu": ["C1", "C3", "C3-attach"],
      "partial-attach/fault/arm_smmu_v3": ["C1", "C3", "C3-attach"],
      "partial-attach/fault/amd_iommu": ["C1", "C3", "C3-attach"],
      "partial-attach/fault/virtio_iommu": ["C1", "C3", "C3-attach"],
      "ownership/intel-q35/one-failure": ["C1", "C3", "C3-attach"],
      "ownership/smmuv3-virt/one-failure": ["C1", "C3", "C3-attach"],
    });
    expect(findingOf("partial-attach/fault/arm_smmu_v3", variant, "C3-attach")).toEqual([
      "call not so: every device is on the group's domain",
    ]);
  });
});

describe("--apply dcf40ed3a20d", () => {
  const variant = { apply: ["dcf40ed3a20d"] };

  it("turns what it fixes green, wherever it is red, and nothing else red", () => {
    const red = small.filter(({ expected }) => expected?.C3 || expected?.C1).map(({ name }) => name);
    expect(red.length).toBe(8);
    const left = (name: string) => (name === "ownership/smmuv3-virt/one-failure" ? ["use-after-free"] : []);
    expect(changedBy(variant)).toEqual(Object.fromEntries([...red, countsOnly].map((name) => [name, left(name)])));
  });
});

describe("switches that contradict the design", () => {
  const first = small[0]!;

  it.each([
    ["a commit that is not there cannot be reverted", { revert: ["dcf40ed3a20d"] }, "linux-6.1 does not include it"],
    ["one that is there cannot be applied", { apply: ["0286300e6045"] }, "linux-6.1 includes it already"],
    ["one cannot be applied without what it needs", { revert: ["0286300e6045"], apply: ["dcf40ed3a20d"] }, "needs 0286300e6045"],
    ["one that nobody knows is neither", { revert: ["123456789abc"] }, "knows no commit 123456789abc"],
  ])("%s", (_, variant, message) => {
    expect(() => run(session, first, variant)).toThrow(ModelError);
    expect(() => run(session, first, variant)).toThrow(message);
  });
});
