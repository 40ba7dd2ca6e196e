import { describe, expect, it } from "vitest";
import { report } from "../../src/report/formats.js";
import {
  compareLedgers,
  type Ledger,
  type LedgerEntry,
  type LedgerProblem,
  ledgerFrom,
  ledgerOf,
  ledgerText,
} from "../../src/report/ledger.js";
import { reported, resultOf, run } from "./runs.js";

const entry: LedgerEntry = {
  design: "d 1",
  states: 10,
  transitions: 12,
  depth: 4,
  holds: 14,
  others: { C1: "violated" },
  findings: [{ check: "C1", path: "0.1" }],
};

describe("ledgers", () => {
  it("that say the same have no differences, whatever their order", () => {
    expect(compareLedgers({ a: entry, b: entry }, { b: { ...entry }, a: entry })).toEqual([]);
  });

  it("differ by suites, counts, verdicts and paths", () => {
    const now: Ledger = {
      a: { ...entry, states: 11, holds: 13, others: { C2: "vacuous" }, findings: [{ check: "C1", path: "1.0" }] },
      c: entry,
    };
    expect(compareLedgers({ a: entry, b: entry }, now)).toEqual([
      "a: states 10 → 11",
      "a: holds 14 → 13",
      "a: C1 violated → holds",
      "a: C2 holds → vacuous",
      "a: no longer found: C1 at 0.1",
      "a: newly found: C1 at 1.0",
      "b: in the ledger, but there is no such suite",
      "c: not in the ledger",
    ]);
  });

  it("are read back as written, and of what is none it is said what is wrong where", () => {
    expect(ledgerFrom(JSON.parse(ledgerText({ a: entry })))).toEqual({ a: entry });
    const at = (value: unknown) => (ledgerFrom(value) as LedgerProblem).at;
    expect(at([1])).toEqual([]);
    expect(at({ a: 1 })).toEqual(["a"]);
    expect(at({ a: entry, b: { ...entry, depth: -1 } })).toEqual(["b", "depth"]);
    expect(at({ a: { ...entry, others: { C1: "broken" } } })).toEqual(["a", "others", "C1"]);
    expect(at({ a: { ...entry, findings: [{ check: "C1", path: "up" }] } })).toEqual(["a", "findings"]);
    expect(at({ tool: "iommu-mc", command: "list" })).toEqual(["command"]);
  });

  it("may be what check --json printed", () => {
    const known = run("small/known");
    const document = JSON.parse(report("json", reported([resultOf(known)])));
    expect(ledgerFrom(document)).toEqual(ledgerOf([known]));
    expect(problem(ledgerFrom({ ...document, suites: [{ ...document.suites[0], states: "many" }] }))).toBe(
      "suite small/known: states is a whole number, 0 or more",
    );
  });
});

const problem = (ledger: ReturnType<typeof ledgerFrom>) => (ledger as LedgerProblem).problem;
