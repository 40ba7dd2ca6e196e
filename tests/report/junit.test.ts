import fc from "fast-check";
import { SaxesParser } from "saxes";
import { describe, expect, it } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { junitReport } from "../../src/report/junit.js";
import type { SuiteResult } from "../../src/report/verdict.js";
import type { SuiteRun } from "../../src/session/run-suite.js";
import { file, race, renamed, resultOf, run, session } from "./runs.js";

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** Throws if it is not well-formed. */
function parse(xml: string): Element {
  const parser = new SaxesParser();
  const top: Element = { name: "", attributes: {}, children: [], text: "" };
  const open = [top];
  parser.on("error", (error) => {
    throw error;
  });
  parser.on("opentag", ({ name, attributes }) => {
    const element: Element = { name, attributes, children: [], text: "" };
    open.at(-1)?.children.push(element);
    open.push(element);
  });
  parser.on("text", (text) => {
    (open.at(-1) as Element).text += text;
  });
  parser.on("closetag", () => {
    open.pop();
  });
  parser.write(xml).close();
  return top.children[0] as Element;
}

const junit = (...results: readonly SuiteResult[]) => parse(junitReport(results, file));
const suiteOf = (run: SuiteRun) => junit(resultOf(run)).children[0] as Element;
const caseOf = (run: SuiteRun, check: string) =>
  suiteOf(run).children.find(({ name, attributes }) => name === "testcase" && attributes.name?.split(" ")[0] === check) as Element;
const outcomeOf = (run: SuiteRun, check: string) => caseOf(run, check).children.map(({ name }) => name);

describe("JUnit", () => {
  it("has a test suite for each suite, with what its verdicts are about", () => {
    const held = suiteOf(run("small/holds"));
    expect(held.attributes).toMatchObject({ name: "small/holds", tests: "14", failures: "0", errors: "0", skipped: "0" });
    const [properties] = held.children;
    const told = Object.fromEntries((properties as Element).children.map(({ attributes }) => [attributes.name, attributes.value]));
    expect(told).toMatchObject({
      design: "bank-1 1.0 (test)",
      faults: "no faults (policy contract)",
      bounds: "2 threads (ann, bob), pools: entry 1",
    });
  });

  it("makes of a violation a failure with its trace, and skips what it left undecided", () => {
    const failure = caseOf(race(), "D1").children[0] as Element;
    expect(failure.name).toBe("failure");
    expect(failure.text).toContain("acc.balance = 1");
    expect(failure.text).toContain("replay    iommu-mc replay small/holds");
    expect(outcomeOf(race(), "stuck")).toEqual(["skipped"]);
  });

  it("lets an expected violation pass, and tells of it", () => {
    const known = run("small/known");
    expect(outcomeOf(known, "P1")).toEqual(["system-out"]);
    expect(caseOf(known, "P1").children[0]?.text).toContain("violated, as expected: the clerk's known weakness");
    expect(suiteOf(known).attributes).toMatchObject({ failures: "0", errors: "0" });
  });

  it("makes an error of what was not put to the test, not finished or not runnable", () => {
    expect(outcomeOf(run("small/vacuous"), "V1")).toEqual(["error"]);
    expect(outcomeOf(run("small/holds", { limits: { maxStates: 3 } }), "D1")).toEqual(["error"]);
    const suite = session.suites[0]!;
    const all = junit({ kind: "error", suite, error: new ModelError("no such thing", "Make it.") }, { kind: "not-run", suite });
    expect(all.attributes).toMatchObject({ tests: "2", errors: "1", skipped: "1" });
  });

  it("says of an expected violation that is gone that it is missed", () => {
    const gone = run("small/known", { variant: { faults: 0 } });
    const missed = { ...gone, comparisons: gone.comparisons.map((each) => (each.check === "P1" ? { ...each, asExpected: false } : each)) };
    expect(outcomeOf(missed, "P1")).toEqual(["failure"]);
  });

  it("is well-formed whatever things are called", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "binary", minLength: 1 }), { minLength: 2, maxLength: 2 }), (some) => {
        const odd = renamed(race(), (position) => `${some[position % 2]}<&"${position}`);
        expect(suiteOf(odd).children.length).toBeGreaterThan(10);
      }),
      { numRuns: 30, seed: 5 },
    );
  });
});
