import { describe, expect, it } from "vitest";
import type { JsonCheck, JsonFailure } from "../../src/report/json.js";
import { iommuMc, small, temporaryFolder } from "./helpers.js";

const { write } = temporaryFolder();
const check = (...words: readonly string[]) => iommuMc(["check", small, ...words]);

describe("check --against", () => {
  it("is content with a run that says the same, whichever form it was kept in", async () => {
    const earlier = await check("--suite", "small/*", "--json");
    const json = write("earlier.json", earlier.stdout);
    const ledger = write("ledger.json", "{}");
    await iommuMc(["ledger", "--update", "--file", small, "--ledger", ledger]);
    for (const path of [json, ledger]) {
      const { code, stdout } = await check("--suite", "small/holds", "--against", path);
      expect(code).toBe(0);
      expect(stdout).toContain(`against ${path}\n`);
      expect(stdout.replace(/\s+/g, " ")).toContain("1 suite the same · 3 of the ledger not run");
    }
  });

  it("ends with 1 if a verdict differs, although the run is as expected, and with 0 if only figures do", async () => {
    const earlier = JSON.parse((await check("--suite", "small/holds", "--json")).stdout);
    const [suite] = earlier.suites;
    const verdicts = write(
      "verdicts.json",
      JSON.stringify({ ...earlier, suites: [{ ...suite, checks: [{ check: "D1", verdict: "violated" }] }] }),
    );
    const changed = await check("--suite", "small/holds", "--against", verdicts);
    expect(changed.code).toBe(1);
    expect(changed.stdout).toContain("D1 violated → holds");
    const figures = write("figures.json", JSON.stringify({ ...earlier, suites: [{ ...suite, states: 1 }] }));
    const same = await check("--suite", "small/holds", "--against", figures);
    expect(same.code).toBe(0);
    expect(same.stdout).toContain("states 1 → 15 (+1,400%)");
  });

  it("is in the document, and on standard error of forms that have no place for it", async () => {
    const earlier = write("one.json", (await check("--suite", "small/holds", "--json")).stdout);
    const words = ["--suite", "small/holds", "--revert", "aaaaaaaaaaaa", "--against", earlier];
    const { against, exitCode } = JSON.parse((await check(...words, "--json")).stdout) as JsonCheck;
    expect([exitCode, against?.verdictsDiffer, against?.changed[0]?.verdicts]).toEqual([
      1,
      true,
      [{ check: "D1", before: "holds", after: "violated" }],
    ]);
    const { stdout, stderr } = await check(...words, "--format", "junit");
    expect(stdout).not.toContain("against");
    expect(stderr).toContain("D1 holds → violated");
  });

  it.each([
    ["no JSON", '{\n  "a": 1,\n  oops\n}\n', ":3:", "this is no JSON"],
    ["cut off", '{"a":', ":1:6", "this is no JSON"],
    ["a comment", "{\n}\n// mine\n", ":", "this is no JSON"],
    ["no ledger", '{\n  "a": {\n    "design": "d",\n    "states": "many"\n  }\n}\n', ":4:15", "suite a: states is a whole number"],
    ["a list", "[]", ":1:1", "a ledger is an object"],
    ["another command's", '{"tool": "iommu-mc",\n "command": "list"}', ":2:13", "only check's can be compared with"],
  ])("says where a file is wrong that is %s", async (name, text, place, what) => {
    const path = write(`${name.replace(/\W/g, "-")}.json`, text);
    const { code, stdout, stderr } = await check("--against", path);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`${path}${place}`);
    expect(stderr).toContain(what);
    expect(stderr).toContain("ledger --update");
    expect(stderr).not.toContain("at Object");
  });

  it("says that a file is missing", async () => {
    const { code, stdout } = await check("--against", "nowhere.json", "--json");
    expect(code).toBe(2);
    expect((JSON.parse(stdout) as JsonFailure).error).toMatchObject({ kind: "usage", message: "there is no ledger nowhere.json" });
  });
});
