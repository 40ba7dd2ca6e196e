import { describe, expect, it } from "vitest";
import { corpusText, type JsonCorpus } from "../../src/report/corpus.js";
import { plain } from "../../src/report/style.js";
import { iommuMc, small } from "./helpers.js";

const known = "tests/cli/fixtures/known.ts";

describe("corpus", () => {
  it("lists each bug, before its fix and with it, and those that no suite shows", async () => {
    const { code, stdout } = await iommuMc(["corpus", "--file", known]);
    expect(code).toBe(0);
    expect(stdout).toContain("  1  deposit-without-lock (2020)\n     aaaaaaaaaaaa bank: take the lock\n");
    expect(stdout).toMatch(/before {2}D1 violated, \d+ steps, 2 threads/);
    expect(stdout).toMatch(/after {3}D1 holds, \d+ states, depth \d+/);
    expect(stdout).toContain("  2  branch-left-open: needs branches\n");
    expect(stdout).toContain("1 bug rediscovered; 0 fixes leave something; 1 shown by no suite\n");
  });

  it.each(["1", "deposit-without-lock"])("shows bug %s in full", async (which) => {
    const { code, stdout } = await iommuMc(["corpus", which, "--file", known]);
    expect(code).toBe(0);
    expect(stdout).toContain("its fix led to 2 (branch-left-open)");
    expect(stdout).toContain("VIOLATED  D1  every deposit counts");
    expect(stdout).toContain(`--file ${known} --revert aaaaaaaaaaaa`);
    expect(stdout).toContain("HOLDS  D1: ");
  });

  it("prints the same as JSON", async () => {
    const { code, stdout } = await iommuMc(["corpus", "--file", known, "--json"]);
    const document = JSON.parse(stdout) as JsonCorpus;
    expect([code, document.command, document.exitCode]).toEqual([0, "corpus", 0]);
    expect(document.summary).toEqual({ rediscovered: 1, refutedFix: 0, left: 1, unfinished: 0 });
    expect(document.entries[0]).toMatchObject({
      id: 1,
      fix: [{ sha: "aaaaaaaaaaaa", subject: "bank: take the lock" }],
      chain: { from: null, to: [2] },
      suite: "small/holds",
      property: "D1",
      before: "violated",
      after: "holds",
      without: { revert: ["aaaaaaaaaaaa"], apply: [] },
      left: null,
      mistakes: [],
    });
    expect(document.entries[1]).toMatchObject({ id: 2, rows: [], leftOut: "needs branches" });
  });

  it("says first which bugs an interrupt left unfinished: they are not among those that no suite shows", () => {
    const bug = { id: 3, name: "vault-left-open", year: 2022, fix: [] };
    const text = corpusText(
      [{ bug, rediscoveries: [], refused: [], unfinished: 2 }],
      { bugs: [bug], commits: {} },
      { width: 90, style: plain },
    );
    expect(text).toMatch(/^unfinished: an interrupt or a limit came before all runs of 1 bug were through/);
    expect(text).toContain("  3  vault-left-open (2022)\n       2 suites not run to the end\n");
    expect(text).toMatch(/0 shown by no suite; 1 unfinished\n$/);
  });

  it("refuses to compare designs that differ by another commit, and says what does not come out", async () => {
    const { code, stdout } = await iommuMc(["corpus", "--file", "tests/cli/fixtures/mistaken.ts", "--json"]);
    const document = JSON.parse(stdout) as JsonCorpus;
    expect([code, document.summary.rediscovered]).toEqual([1, 0]);
    expect(document.entries[0]?.mistakes).toEqual([
      "the row of aaaaaaaaaaaa in small/holds: what it compares differs by +bbbbbbbbbbbb",
      "aaaaaaaaaaaa in small/holds: null-deref is not violated without it",
    ]);
  });

  it.each([
    [["corpus", "deposit-without-lok", "--file", known], "Did you mean deposit-without-lock?"],
    [["corpus", "--file", small], "the file tells of no known bugs"],
  ])("%j exits with 2", async (words, told) => {
    expect(await iommuMc(words)).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });
});
