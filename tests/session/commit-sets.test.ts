/** What is shared between sets of commits is what each of them comes to by itself. */
import { describe, expect, it } from "vitest";
import type { Suite } from "../../src/lang/suite.js";
import { CommitSets, subsetsOf } from "../../src/session/commit-sets.js";
import { bundledSuites, openSuites } from "../../src/session/open.js";
import { checksBeside, runSuiteNow } from "../../src/session/run-suite.js";
import { lackingIn, variantTo } from "../../src/step/machine.js";
import { suiteOf } from "../models/variant.js";

const bundled = openSuites(bundledSuites(), { typecheck: false });
const patches = openSuites("tests/cli/fixtures/patches.ts");

const cases = [
  ["shop/pay", patches, ["cccccccccccc", "dddddddddddd", "eeeeeeeeeeee"]],
  ["shop/settle", patches, ["cccccccccccc", "eeeeeeeeeeee", "ffffffffffff"]],
  ["partial-attach/rmrr", bundled, ["2cc73c5712f9", "dcf40ed3a20d", "dba9ca9d41f5", "6eb4da8cf545"]],
  ["vfio-close/arm_smmu_v3", bundled, ["0286300e6045", "dcf40ed3a20d", "79659190ee97", "3dd59a7dcb97"]],
] as const;

describe("sets of commits", () => {
  it.each(cases)("that %s cannot tell apart have one verdict", (name, session, shas) => {
    const suite: Suite = suiteOf(session, name);
    const sets = new CommitSets();
    let shared = 0;
    for (const chosen of subsetsOf(shas)) {
      const applied = new Set([...suite.design.includes.filter((sha) => !(shas as readonly string[]).includes(sha)), ...chosen]);
      if (lackingIn(suite.design, applied) !== null) continue;
      const options = { variant: variantTo(suite.design, applied), goOnAfter: checksBeside(null, suite) };
      const run = runSuiteNow(session, suite, options);
      const known = sets.find(suite, applied);
      if (known === null) sets.keep(run);
      else {
        shared++;
        expect(known.verdicts).toEqual(new Map(run.outcome.results.map(({ check, verdict }) => [check, verdict])));
        expect(known.states).toBe(run.outcome.states);
      }
    }
    expect(shared).toBeGreaterThan(0);
    expect(sets.runs).toBeGreaterThan(1);
  });

  it("are chosen from in every way, the smaller first", () => {
    expect(subsetsOf(["a", "b", "c"]).map((set) => set.join(""))).toEqual(["", "a", "b", "c", "ab", "ac", "bc", "abc"]);
  });
});
