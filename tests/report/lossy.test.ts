/** In every form in which verdicts are told, a run that may have omitted states says how likely that is, and never that anything holds. */
import { describe, expect, it } from "vitest";
import { LOSSY_MODES } from "../../src/explore/lossy-table.js";
import { FORMATS, report } from "../../src/report/formats.js";
import { isWhole } from "../../src/report/verdict.js";
import { reported, resultOf, run } from "./runs.js";

/** Of traces alone, not of verdicts. */
const withoutVerdicts = ["itf"];
/** Beside verdicts these have what was expected. */
const withExpected = ["json", "markdown"];

describe.each(LOSSY_MODES)("--lossy %s", (mode) => {
  const lossy = { mode, lossyAfter: 1, tableBytes: 2 ** 16 };
  const result = resultOf(run("small/holds", { lossy }));
  const told = (format: (typeof FORMATS)[number], what = result) =>
    report(format, reported([what]))
      .replaceAll("small/holds", "the suite")
      .replace(/\s+/g, " ");

  it.each(FORMATS.filter((format) => !withoutVerdicts.includes(format)))("is told in %s", (format) => {
    expect(told(format)).toMatch(format === "json" ? /"probabilityOfAnyOmission": [1-9]/ : /The probability that any was is at most [1-9]/);
    if (!withExpected.includes(format)) expect(told(format)).not.toMatch(/\b(held|holds?)\b/i);
    if (format === "json") expect(told(format)).not.toMatch(/"verdict": "(held|holds|vacuous)"/);
    if (format === "markdown") expect(told(format)).not.toMatch(/Held|every reachable state/);
  });

  it("says of an expected violation that was not seen no more than that", () => {
    const missed = resultOf(run("small/known", { lossy, variant: { faults: 0 } }));
    expect(told("text", missed)).toContain("P1 not seen to be violated, but expected to be: ");
  });

  it("is a run of which nothing is recorded", () => expect(isWhole(result)).toBe(false));
});
