import { describe, expect, it } from "vitest";
import { compareLedgers, type Ledger, type LedgerEntry, ledgerText, readLedger } from "../../src/report/ledger.js";

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

  it("are read back as written, and nothing else is taken for one", () => {
    expect(readLedger(ledgerText({ a: entry }))).toEqual({ a: entry });
    for (const text of ["", "[1]", '{"a": 1}', '{"a": {}}']) expect(readLedger(text)).toBeNull();
  });
});
