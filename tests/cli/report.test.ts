import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonFailure, JsonReport } from "../../src/report/json.js";
import { big, iommuMc, small, temporaryFolder } from "./helpers.js";

const { folder, write } = temporaryFolder();

describe("report", () => {
  it("writes a page for each suite, finds them up to date, and stale after an edit", async () => {
    const out = join(folder, "pages");
    const run = (...words: readonly string[]) => iommuMc(["report", small, "--out", out, ...words]);
    const first = await run();
    expect([first.code, first.stderr]).toEqual([1, ""]);
    expect(first.stdout).toContain("  written  small/known.md\n");
    expect(first.stdout).toContain("not as expected: small/vacuous, small/null\n");
    const known = join(out, "small/known.md");
    const text = readFileSync(known, "utf8");
    expect(text).not.toContain(folder);
    expect(text).not.toMatch(/\d s\b/);
    expect((await run("--check")).stdout).toContain("5 pages, all as they were");

    writeFileSync(known, `${text}more\n`);
    writeFileSync(join(out, "small/gone.md"), text);
    writeFileSync(join(out, "README.md"), "mine\n");
    const stale = await run("--check", "--json");
    const document = JSON.parse(stale.stdout) as JsonReport;
    expect(document).toMatchObject({
      command: "report",
      out,
      stale: ["small/known.md"],
      surplus: ["small/gone.md"],
      written: false,
      exitCode: 1,
    });
    expect(readFileSync(known, "utf8")).toBe(`${text}more\n`);

    const again = await run();
    expect(again.stdout).toContain("  written  small/known.md\n  removed  small/gone.md\n");
    expect(readFileSync(known, "utf8")).toBe(text);
    expect(existsSync(join(out, "small/gone.md"))).toBe(false);
    expect(readFileSync(join(out, "README.md"), "utf8")).toBe("mine\n");
  });

  it("ends with 0 where all is as expected, and with 1 if only the pages are not", async () => {
    const good = "tests/cli/fixtures/good.ts";
    const out = join(folder, "good");
    expect((await iommuMc(["report", good, "--out", out, "--check"])).code).toBe(1);
    expect((await iommuMc(["report", good, "--out", out])).code).toBe(0);
    expect((await iommuMc(["report", good, "--out", out, "--check"])).code).toBe(0);
  });

  it("writes over nothing that is somebody else's", async () => {
    write("index.md", "mine\n");
    const { code, stderr } = await iommuMc(["report", "tests/cli/fixtures/good.ts", "--out", folder]);
    expect(code).toBe(2);
    expect(stderr).toContain("is a page of somebody else's");
    expect(readFileSync(join(folder, "index.md"), "utf8")).toBe("mine\n");
  });

  it("wants a folder for what is not bundled", async () => {
    const { code, stdout } = await iommuMc(["report", big, "--json"]);
    expect([code, (JSON.parse(stdout) as JsonFailure).error.message]).toEqual([2, "no folder for the pages"]);
  });
});
