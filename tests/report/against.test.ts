import { describe, expect, it } from "vitest";
import { compareWith } from "../../src/report/against.js";
import { againstLines } from "../../src/report/against-text.js";
import type { Ledger, LedgerEntry } from "../../src/report/ledger.js";
import { plain } from "../../src/report/style.js";

const entry: LedgerEntry = {
  design: "d 1",
  states: 1000,
  transitions: 1200,
  depth: 40,
  holds: 14,
  others: { C1: "violated" },
  findings: [{ check: "C1", path: "0.1" }],
};
const before: Ledger = { a: entry, b: entry, c: entry, d: entry, "a/suite/that/is/gone": entry };
const now: Ledger = {
  a: { ...entry, others: { C2: "violated" }, findings: [{ check: "C2", path: "1" }], states: 2000 },
  b: { ...entry, transitions: 1201, findings: [{ check: "C1", path: "0.1.0" }] },
  c: entry,
  e: entry,
};
const known = new Set(["a", "b", "c", "d", "e"]);
const compared = compareWith("old.json", before, now, known);
const text = (width: number) => againstLines(compared, { width, style: plain }).join("\n");

describe("a comparison with an earlier run", () => {
  it("tells verdicts that changed from figures that did", () => {
    expect(compared).toMatchObject({ verdictsDiffer: true, same: ["c"], added: ["e"], gone: ["a/suite/that/is/gone"], notRun: ["d"] });
    expect(compared.changed.map(({ suite }) => suite)).toEqual(["a", "b"]);
    expect(compared.changed[0]?.verdicts).toEqual([
      { check: "C1", before: "violated", after: "holds" },
      { check: "C2", before: "holds", after: "violated" },
    ]);
    expect(compareWith("old.json", before, { b: now.b! }, known).verdictsDiffer).toBe(false);
    expect(compareWith("old.json", before, { c: entry }, known).changed).toEqual([]);
  });

  it("does not take for a verdict what a limit left undecided", () => {
    const stopped = { c: { ...entry, others: { C1: "unfinished", C3: "unfinished" }, findings: [] } };
    const { verdictsDiffer, changed } = compareWith("old.json", before, stopped, known);
    expect([verdictsDiffer, changed[0]?.verdicts, changed[0]?.undecided]).toEqual([false, [], ["C1", "C3"]]);
    expect(compareWith("old.json", stopped, before, known).verdictsDiffer).toBe(false);
  });

  it("is a compact table", () => {
    expect(text(100).split("\n")).toEqual([
      "against old.json",
      "  a  C1 violated → holds · C2 holds → violated",
      "     states 1,000 → 2,000 (+100%)",
      "  b  transitions 1,200 → 1,201 · C1 after 2 → 3 steps",
      "  1 suite with other verdicts · 1 suite with the same verdicts and other figures · 1 suite the same",
      "  new: e · gone: a/suite/that/is/gone · 1 of the ledger not run",
    ]);
  });

  it("is one on a narrow terminal too", () => {
    for (const line of text(40).split("\n")) expect(line.length, line).toBeLessThanOrEqual(40);
  });

  it("says so when there is nothing to compare", () => {
    const nothing = againstLines(compareWith("old.json", {}, {}, known), { width: 80, style: plain });
    expect(nothing).toEqual(["against old.json", "  nothing to compare"]);
  });
});
