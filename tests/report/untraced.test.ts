/** A violation without a trace, because the search for it was stopped, is told in every form: it is no less of one. */
import { describe, expect, it } from "vitest";
import { FORMATS, report } from "../../src/report/formats.js";
import { isWhole } from "../../src/report/verdict.js";
import { race, reported, resultOf, run, untraced } from "./runs.js";

/** Of traces alone, not of verdicts. */
const withoutVerdicts = ["itf"];

describe("a violation without a trace", () => {
  const result = resultOf(untraced(race()));
  const told = (format: (typeof FORMATS)[number]) => report(format, reported([result])).replace(/\s+/g, " ");

  it.each(FORMATS.filter((format) => !withoutVerdicts.includes(format)))("is told in %s", (format) => {
    expect(told(format)).toMatch(/D1.{0,300}violated|violated.{0,300}D1/i);
    if (format !== "json") expect(told(format)).toContain("the search for");
  });

  it("is an error or a failure for CI, but for one that was expected", () => {
    expect(told("github")).toMatch(/^::error title=D1 violated in small\/holds::/);
    expect(told("junit")).toContain('<failure message="violated; the search for its trace was stopped"');
    const expected = report("github", reported([resultOf(untraced(run("small/known")))]));
    expect(expected).toMatch(/^::notice title=P1 violated/);
  });

  it("leaves the run one of which nothing is recorded", () => {
    expect([isWhole(result), isWhole(resultOf(race()))]).toEqual([false, true]);
    expect(isWhole(resultOf(run("small/holds", { limits: { maxStates: 3 } })))).toBe(false);
    expect(isWhole({ kind: "not-run", suite: race().suite })).toBe(false);
  });
});
