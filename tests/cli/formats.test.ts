import { describe, expect, it } from "vitest";
import { iommuMc, small } from "./helpers.js";

const check = (...words: readonly string[]) => iommuMc(["check", small, "--suite", "small/known", ...words]);

describe("check --format", () => {
  it.each([
    ["text", /^as expected {2}small\/known/],
    ["json", /^\{\n {2}"tool": "iommu-mc"/],
    ["markdown", /^# small\/known\n/],
    ["mail", /^iommu-mc \S+: what was checked\n/],
    ["itf", /^\{"#meta":\{"format":"ITF"/],
    ["sarif", /^\{\n {2}"\$schema": "https:/],
    ["junit", /^<\?xml version="1\.0"/],
    ["github", /^::notice file=tests\/cli\/fixtures\/small\.ts,line=\d+/],
  ])("%s prints that and nothing else", async (format, beginning) => {
    const { code, stdout, stderr } = await check("--format", format);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(beginning);
  });

  it("json is what --json is, and not both can be given", async () => {
    const timeless = (text: string) => text.replace(/"(seconds|transitionsPerSecond|nativeShare)": [\d.e-]+/g, "");
    expect(timeless((await check("--format", "json")).stdout)).toBe(timeless((await check("--json")).stdout));
    const both = await check("--json", "--format", "mail");
    expect(both.code).toBe(2);
    expect(both.stderr).toContain("cannot be used with");
    const wrong = await iommuMc(["check", "--suite", "nowhere", "--format", "json"]);
    expect([wrong.code, JSON.parse(wrong.stdout).error.kind]).toEqual([2, "usage"]);
  });

  it("names the formats there are when given another", async () => {
    const { code, stderr } = await check("--format", "pdf");
    expect(code).toBe(2);
    expect(stderr).toContain("Allowed choices are text, json, markdown, mail, itf, junit, sarif, github");
  });

  it("has the exit code of the run", async () => {
    for (const format of ["mail", "junit", "github"]) {
      expect((await iommuMc(["check", small, "--suite", "small/null", "--format", format])).code).toBe(1);
    }
  });

  it("mail shows the traces that --traces asks for", async () => {
    const { stdout } = await check("--format", "mail", "--traces", "all");
    expect(stdout).toContain("P1 violated in small/known");
    for (const line of stdout.split("\n")) expect(line.length).toBeLessThanOrEqual(72);
  });
});

describe("replay --format", () => {
  const replay = (path: string, ...words: readonly string[]) => iommuMc(["replay", "small/known", path, "--file", small, ...words]);

  it.each([
    ["text", /^small\/known · bank-1/],
    ["json", /^\{\n {2}"tool": "iommu-mc"/],
    ["markdown", /^# small\/known\n[\s\S]*```mermaid\nsequenceDiagram/],
    ["mail", /^iommu-mc \S+: P1 violated in small\/known\n[\s\S]*trace {5}2 steps, 1 thread \(joe\); /],
    ["itf", /"status": "violation"/],
  ])("%s shows that path", async (format, what) => {
    const { code, stdout, stderr } = await replay("0.1", "--format", format);
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toMatch(what);
  });

  it.each(["text", "markdown", "mail"])("%s says of a path to nothing that it is one", async (format) => {
    for (const path of ["0", "-"])
      expect((await replay(path, "--format", format)).stdout.replace(/\s+/g, " ")).toContain("nothing is violated in the last step");
  });

  it("itf of one path is a document of its own", async () => {
    const trace = JSON.parse((await replay("0", "--format", "itf")).stdout);
    expect([trace["#meta"].status, trace.states.length]).toEqual(["ok", 2]);
  });
});
