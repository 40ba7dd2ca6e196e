/** The two engines agree on every bundled suite: on the small ones to the end, on the others as far as the plain engine gets in a moment. */
import { describe, expect, it } from "vitest";
import ledger from "../../reports/ledger.json" with { type: "json" };
import { bundledSuites, openSuites } from "../../src/session/open.js";
import { runSuiteNow } from "../../src/session/run-suite.js";

/** States that the plain engine explores in about a second. */
const SMALL = 400;
const DEPTH = 10;

const session = openSuites(bundledSuites());

describe.each(session.suites.map((suite) => ({ suite, name: suite.name })))("$name", ({ suite, name }) => {
  const { states } = ledger[name as keyof typeof ledger];
  const limits = states <= SMALL ? {} : { maxDepth: DEPTH };

  it("comes out the same on both engines", () => {
    const [fast, reference] = (["fast", "reference"] as const).map((engine) => {
      const { outcome, comparisons } = runSuiteNow(session, suite, { engine, limits });
      const findings = outcome.findings.map(({ check, location, depth }) => `${check} ${location?.line ?? ""} ${depth}`).sort();
      return { ...outcome, comparisons, findings, engine: null, statistics: null };
    });
    expect(fast).toEqual(reference);
    expect(fast?.transitions).toBeGreaterThan(0);
  });
});
