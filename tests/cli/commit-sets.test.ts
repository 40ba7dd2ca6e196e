import { describe, expect, it } from "vitest";
import type { JsonBackports, JsonSeries } from "../../src/report/commit-sets.js";
import { iommuMc } from "./helpers.js";

const patches = "tests/cli/fixtures/patches.ts";
const [split, own, settle, tidy] = ["cccccccccccc", "dddddddddddd", "eeeeeeeeeeee", "ffffffffffff"] as const;

describe("series", () => {
  it("says which patch breaks what held before it, which mends what, and the fewest that break something", async () => {
    const { code, stdout } = await iommuMc(["series", patches, settle, split, own, "--json"]);
    const document = JSON.parse(stdout) as JsonSeries;
    expect([code, document.exitCode, document.unfinished]).toEqual([1, 1, false]);
    const broken = (apply: string[]) => ({
      suite: "shop/pay",
      check: "P1",
      steps: 1,
      path: "0",
      before: [],
      variant: { revert: [], apply },
    });
    expect(document.prefixes).toMatchObject([
      { sha: settle, introduced: [], mended: [{ suite: "shop/settle", check: "P2" }] },
      { sha: split, introduced: [broken([settle, split])], mended: [] },
      { sha: own, introduced: [], mended: [{ suite: "shop/pay", check: "P1" }] },
    ]);
    expect(document.smallest).toEqual({ commits: [split], introduced: [broken([split])] });
  });

  it("says so in words, with the command that shows it", async () => {
    const { code, stdout } = await iommuMc(["series", "shop-1", split, own, "--file", patches]);
    expect(code).toBe(1);
    expect(stdout).toContain(`  1  ${split} shop: split paying\n     VIOLATED  P1 in shop/pay, 1 step\n`);
    const [replayed] = /replay \S+ .*/.exec(stdout) as RegExpExecArray;
    expect(replayed).toBe(`replay shop/pay 0 --file ${patches} --apply ${split}`);
    expect((await iommuMc(replayed.split(" "))).code).toBe(1);
    expect(stdout).toContain(`  2  ${own} shop: pay one's own half only\n     keeps what held\n     mends P1 in shop/pay\n`);
  });

  it("is content with a series in the right order, and not with one that needs a later patch", async () => {
    expect((await iommuMc(["series", patches, own, split, settle, tidy])).code).toBe(0);
    const wrong = await iommuMc(["series", patches, tidy, settle]);
    expect(wrong.code).toBe(1);
    expect(wrong.stdout).toContain(`makes no sense: ${tidy} needs ${settle}`);
  });

  it.each([
    [[patches, "1234567"], "knows no commit 1234567"],
    [[patches, split, split], `${split} is named twice`],
    [[patches, split, "--apply", split], `has ${split} already`],
    [["tests/cli/fixtures/patches.tsx", split], "there is no file"],
    [["shop-2", split, "--file", patches], "there is no design shop-2"],
    [[patches], "missing required argument 'commit'"],
  ])("%j exits with 2", async (words, told) => {
    expect(await iommuMc(["series", ...words])).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });

  it("that hits a limit exits with 3", async () => {
    const { code, stdout } = await iommuMc(["series", patches, settle, "--max-states", "1"]);
    expect([code, stdout]).toEqual([3, expect.stringContaining("unfinished")]);
  });
});

describe("backports", () => {
  it("says which sets are safe, which fix needs which, and shares what a suite did not ask about", async () => {
    const { code, stdout } = await iommuMc(["backports", patches, "--to", split, own, tidy, "--json"]);
    const document = JSON.parse(stdout) as JsonBackports;
    expect(code).toBe(1);
    expect(document.fixes).toMatchObject([
      { sha: split, needs: [{ sha: own, because: "found", without: [split] }], smallest: [split, own], besideAll: null },
      { sha: own, needs: [], smallest: [own], minimal: [[own]] },
      { sha: tidy, needs: null, smallest: null, minimal: [] },
    ]);
    const safe = document.subsets.filter((subset) => subset.safe).map(({ commits }) => commits);
    expect(safe).toEqual([[], [own], [split, own]]);
    expect(document.subsets.find(({ commits }) => String(commits) === String([split]))?.introduced).toMatchObject([{ check: "P1" }]);
    expect(document.subsets.find(({ commits }) => String(commits) === String([tidy]))?.lacking).toEqual({ sha: tidy, needs: settle });
    // Paying asks for `own` only where `split` is there, and settling for neither.
    expect(document.effort).toEqual({ sets: 4, suites: 3, asked: 8, checks: 4, states: 8, statesAsked: 16 });
  });

  it("says so in words", async () => {
    const { code, stdout } = await iommuMc(["backports", "shop-1", "--file", patches, "--to", split, own, settle]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      `     needs ${own}, without which something breaks\n     smallest set: ${split} ${own}\n     without ${own}: VIOLATED  P1 in shop/pay, 1 step\n`,
    );
    expect(stdout).toContain("safe: 5 of 7 sets\n");
    expect(stdout).toContain("7 runs of 14 states for 8 sets of commits × 3 suites; without sharing 24 of 48\n");
  });

  it("lets a fix bring what it needs, and asks a suite without the fixes that it is declared with", async () => {
    const { code, stdout } = await iommuMc(["backports", patches, "--carry", "--to", tidy, "--json"]);
    const { fixes, subsets } = JSON.parse(stdout) as JsonBackports;
    expect([code, fixes]).toMatchObject([0, [{ sha: tidy, carries: [settle], smallest: [tidy] }]]);
    expect(subsets.map(({ safe }) => safe)).toEqual([true, true]);
  });

  it("takes a base with its changes, and says what all fixes together break", async () => {
    const { code, stdout } = await iommuMc(["backports", "shop-1", "--file", patches, "--to", split, settle, "--json"]);
    const { fixes, mended, left, apply, revert } = JSON.parse(stdout) as JsonBackports;
    expect(mended).toEqual([
      { suite: "shop/settle", check: "P2", by: [[settle]] },
      { suite: "shop/settle-mended", check: "P2", by: [[settle]] },
    ]);
    expect([code, apply, revert]).toEqual([1, [], []]);
    expect(left).toMatchObject([{ suite: "shop/pay", check: "P1" }]);
    expect(fixes).toMatchObject([
      { sha: split, smallest: null, besideAll: { needs: [], smallest: [split] } },
      { sha: settle, smallest: [settle], besideAll: { smallest: [settle] } },
    ]);
    const changed = await iommuMc(["backports", `shop-1+${own}`, "--file", patches, "--to", split]);
    expect([changed.code, changed.stdout]).toEqual([0, expect.stringContaining("safe by itself")]);
  });

  it("asks suites of other designs of the model", async () => {
    const { stdout } = await iommuMc([
      "backports",
      "ppc64-6.6",
      "--suite",
      "ppc64/plug-phb",
      "--of",
      "ppc64-*",
      "--to",
      "a5c57fd2e9bd",
      "--json",
    ]);
    const { subsets, unfit, suites } = JSON.parse(stdout) as JsonBackports;
    expect([suites, unfit, subsets.map(({ safe }) => safe)]).toEqual([["ppc64/plug-phb"], [], [true, true]]);
    const none = await iommuMc(["backports", "ppc64-6.6", "--of", "linux-*", "--to", "a5c57fd2e9bd"]);
    expect(none).toMatchObject({ code: 2, stderr: expect.stringContaining("there is no design of its model linux-*") });
  });

  it("says that nothing is safe if nobody can be asked", async () => {
    const words = [
      "backports",
      "linux-6.1-01657bc14a39-a2e7e59a9426",
      "--suite",
      "probe/no-default-domains",
      "--to",
      "01657bc14a39",
      "6eb4da8cf545",
    ];
    const { code, stdout } = await iommuMc(words);
    expect([code, stdout]).toEqual([1, expect.stringContaining("is in no safe set\n     by itself: not known: no suite can be asked\n")]);
    expect(stdout).toContain("not asked, for their models have too little room for the base: probe/no-default-domains\n");
  });

  it("wants fixes", async () => {
    expect(await iommuMc(["backports", patches])).toMatchObject({ code: 2, stderr: expect.stringContaining("--to COMMIT...") });
  });
});
