/** Bundled suites of every system are certified, and not without any one of their states. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Suite } from "../../src/lang/suite.js";
import { bundledSuites, openSuites, packageRoot } from "../../src/session/open.js";
import { checksOfSuite } from "../../src/session/run-suite.js";
import { made, refusalOf, verified, withoutState } from "./made.js";

const chosen = [
  "partial-attach/rmrr",
  "default-domain/type-against-unplug",
  "core/type-against-unplug/linux-7.2",
  "deferred/map-against-own-domain/intel_iommu/linux-5.10",
  "arm64/failing-walk",
  "ioda2/attach-fails/v9-25",
  "ops-split/format/before-attach/bare",
  "ppc64/one-failure/ioda2-6.12",
  "user-dma/unread/sketch",
];

/** What the ledger has of a suite. */
interface Recorded {
  readonly states: number;
  readonly transitions: number;
  readonly others: Readonly<Record<string, string>>;
}

const ledger = JSON.parse(readFileSync(join(packageRoot(), "reports/ledger.json"), "utf8")) as Readonly<Record<string, Recorded>>;
const session = openSuites(bundledSuites());

describe.each(chosen)("%s", (name) => {
  const suite = session.suites.find((each) => each.name === name) as Suite;
  const { bytes, certification } = made({ session, suite });

  test("is accepted, with what the ledger says of it", () => {
    const { states, transitions, others } = ledger[name] as Recorded;
    expect(refusalOf(certification)).toBeNull();
    expect(certification.verification).toMatchObject({ states, steps: transitions, unreached: 0 });
    const claimed = certification.comparisons.filter(({ verdict }) => verdict !== "holds").map(({ check, verdict }) => [check, verdict]);
    expect(Object.fromEntries(claimed)).toEqual(others);
    expect(certification.comparisons.map(({ check }) => check).sort()).toEqual(checksOfSuite(suite).sort());
  });

  test("is refused without a state, first, last or in between", () => {
    const last = (certification.verification?.states as number) - 1;
    for (const number of [0, 1, last >> 1, last]) {
      expect(refusalOf(verified({ session, suite }, withoutState(bytes, number)))).toMatch(/is not in the set$/);
    }
  });
});
