import { join, relative } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonClaims } from "../../src/report/claims.js";
import { iommuMc, root, small, temporaryFolder } from "./helpers.js";

const claimed = "tests/cli/fixtures/claimed.ts";

async function json(words: readonly string[]): Promise<{ readonly code: number | null; readonly document: JsonClaims }> {
  const { code, stdout } = await iommuMc(["claims", ...words, "--json"]);
  return { code, document: JSON.parse(stdout) as JsonClaims };
}

describe("claims", () => {
  it("lists each with its verdict", async () => {
    const { code, stdout } = await iommuMc(["claims", "--file", claimed]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^K1 {4}holds {7}Every deposit counts \(\d+ states, \d+ steps\)\n/);
    expect(stdout).toMatch(/K2 {4}refuted .*\nK3a {3}equivalent .*\nK3b {3}equivalent .*\nK4 {4}differs /);
    expect(stdout).toContain("5 claims: 1 holds, 1 refuted, 2 equivalent, 1 differs; all as recorded\n");
  });

  it("shows what one rests on, with the trace", async () => {
    const { code, stdout } = await iommuMc(["claims", "K2", "--file", claimed]);
    expect(code).toBe(0);
    expect(stdout).toContain("see reports/findings/clerk.md");
    expect(stdout).toContain("1. all in small/known: violated, where the claim needs holds\n");
    expect(stdout).toContain("VIOLATED  P1  the last entry is alive");
    expect(stdout).toContain(`replay    iommu-mc replay small/known 0.1 --file ${claimed}`);
  });

  it("shows where two designs part, side by side", async () => {
    const { code, stdout } = await iommuMc(["claims", "K4", "--file", claimed]);
    expect(code).toBe(0);
    expect(stdout).toContain("1. shop/strict and shop/kind: differ, where the claim needs equivalent\n   shop-strict and shop-kind; ");
    expect(stdout).toMatch(/1 {2}knocked\(\) +knocked\(\)\n +2 {2}refused\(\) +served\(\)/);
  });

  it("shows all parts of a statement that was split", async () => {
    const { code, stdout } = await iommuMc(["claims", "K3", "--file", claimed]);
    expect(code).toBe(0);
    expect(stdout).toContain("part of a statement: closing the branch and taking the lock are two questions");
    expect(stdout).toContain("\nK3b   Taking the lock");
    expect(stdout).toContain("1. small/holds and small/unlocked, by deposited: equivalent");
  });

  it("says first what a limit left undecided, and does not take it for a change", async () => {
    const { code, stdout } = await iommuMc(["claims", "--file", claimed, "--max-states", "2"]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^unfinished: an interrupt or a limit came before \d claims could be decided/);
    expect(stdout).not.toContain("NOT AS RECORDED");
    expect(stdout).toMatch(/\d undecided; the others as recorded\n$/);
  });

  it("prints the same as JSON", async () => {
    const { code, document } = await json(["--file", claimed]);
    expect([code, document.command, document.exitCode]).toEqual([0, "claims", 0]);
    expect(document.summary).toEqual({ holds: 1, refuted: 1, equivalent: 2, differs: 1, undecided: 0, notAsRecorded: [] });
    const [first, second, , , last] = document.claims;
    expect(first).toMatchObject({ id: "K1", verdict: "holds", expected: "holds", split: null, finding: null });
    expect(first?.evidence).toMatchObject([
      { suite: "small/holds", check: "D1", is: "holds", found: "holds", asSaid: true, traceLength: null, path: null },
      { suite: "small/unlocked", check: "D1", is: "violated", found: "violated", asSaid: true, design: "bank-unlocked" },
    ]);
    expect(first?.bounds).toMatchObject([{ threads: ["ann", "bob"], faults: 0 }]);
    expect(second).toMatchObject({ verdict: "refuted", traceLength: 2, finding: "clerk.md" });
    expect(last?.evidence[0]).toMatchObject({
      audit: ["shop/strict", "shop/kind"],
      found: "differ",
      asSaid: false,
      designs: { a: "shop-strict", b: "shop-kind" },
      onlyA: { trace: ["knocked()", "refused()"] },
    });
  });

  it("ends with 1 if one comes out otherwise than recorded, or was never put to the test", async () => {
    const { code, stdout } = await iommuMc(["claims", "--file", "tests/cli/fixtures/misclaimed.ts"]);
    expect(code).toBe(1);
    expect(stdout).toContain("NOT AS RECORDED: refuted is what is known of it");
    expect(stdout).toMatch(/K2 {4}vacuous /);
    expect(stdout).toContain("2 claims: 1 holds, 1 undecided; 2 not as recorded");
  });

  it("ends with 3 if a limit came first", async () => {
    const { code, document } = await json(["--file", claimed, "--max-states", "2"]);
    expect(code).toBe(3);
    expect(document.claims.map(({ verdict }) => verdict)).toContain("unfinished");
  });

  const { folder, write } = temporaryFolder();
  const suitesFrom = `export { suites } from "${relative(folder, join(root, small))}";`;
  const claim = (id: string, evidence: string, verdict: string) =>
    `{ id: "${id}", system: "bank", says: "", evidence: [${evidence}], verdict: "${verdict}", reading: "" }`;
  const claiming = (...claims: readonly string[]) => write("wrong.ts", `${suitesFrom}\nexport const claims = [${claims.join(", ")}];\n`);
  const sound = `{ suite: "small/holds", check: "D1", is: "holds" }`;

  it.each([
    [[claim("X1", `{ suite: "small/hold", check: "D1", is: "holds" }`, "holds")], "claim X1, evidence 1: there is no suite small/hold"],
    [
      [claim("X1", `${sound}, { suite: "small/holds", check: "D9", is: "holds" }`, "holds")],
      "claim X1, evidence 2: small/holds does not check D9",
    ],
    [
      [claim("X1", `{ audit: ["small/holds", "small/known"], is: "differ" }`, "holds")],
      "claim X1, evidence 1: small/holds and small/known have scenarios of their own",
    ],
    [[claim("X1", "", "holds")], "claim X1 rests on nothing"],
    [[claim("X1", sound, "equivalent")], "claim X1 is equivalent without an audit"],
    [[claim("X1", sound, "holds"), claim("X1", sound, "holds")], "two claims are called X1"],
  ])("%j is an error that says where", async (claims, told) => {
    expect(await iommuMc(["claims", "--file", claiming(...claims)])).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });

  it.each([
    [["claims", "K9", "--file", claimed], "there is no claim K9"],
    [["claims", "--file", small], "the file makes no claims"],
  ])("%j exits with 2", async (words, told) => {
    expect(await iommuMc(words)).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });
});
