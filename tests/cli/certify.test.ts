import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonCertification } from "../../src/report/certification.js";
import type { JsonFailure } from "../../src/report/json.js";
import { big, iommuMc, small, temporaryFolder } from "./helpers.js";

const { folder, write } = temporaryFolder();
const many = "tests/cli/fixtures/many.ts";

describe("certify", () => {
  it("has a suite verified, and keeps what shows it", async () => {
    const out = join(folder, "holds.cert");
    const { code, stdout } = await iommuMc(["certify", "small/holds", "--file", small, "--out", out]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^CERTIFIED {4}small\/holds · 15 states, \d+ steps · 1 property and 13 always-on checks hold\n/);
    expect(stdout).toContain("the set holds the initial state, no step leads out of it");
    expect(readFileSync(out, "utf8")).toMatch(/^iommu-mc certificate 1\n\{.*"suite":"small\/holds"/);
    expect(stdout).toMatch(/- the certificate is .*holds\.cert, SHA-256\s+[0-9a-f]{64}; to verify it\s+again\n/);
    expect(stdout).toMatch(/\n +iommu-mc certify --verify .*holds\.cert --file tests\/cli\/fixtures\/small\.ts\n$/);
  });

  it("takes what is violated, and says whether that was expected", async () => {
    const known = await iommuMc(["certify", "small/known", "--file", small]);
    expect(known.code).toBe(0);
    expect(known.stdout).toContain("- P1 violated, as expected: the clerk's known weakness");
    const raced = await iommuMc(["certify", "small/holds", "--file", small, "--revert", "aaaaaaaaaaaa"]);
    expect(raced.code).toBe(1);
    expect(raced.stdout).toMatch(/^CERTIFIED .*\n(.*\n)* +- D1 violated\n/);
    const vacuous = await iommuMc(["certify", "small/vacuous", "--file", small]);
    expect([vacuous.code, vacuous.stdout]).toEqual([1, expect.stringContaining("V1 vacuous: nothing was ever put to the test")]);
  });

  it("verifies what was kept, of a changed design too and from another folder", async () => {
    const out = join(folder, "raced.cert");
    const words = ["certify", "small/holds", "--file", small, "--revert", "aaaaaaaaaaaa", "--faults", "1", "--out", out, "--json"];
    const first = JSON.parse((await iommuMc(words)).stdout) as JsonCertification;
    expect(first).toMatchObject({
      command: "certify",
      verdict: "accepted",
      file: out,
      revert: ["aaaaaaaaaaaa"],
      refusal: null,
      exitCode: 1,
    });
    expect(first.bounds.faults).toBe(1);
    expect(first.checks).toContainEqual({ check: "D1", kind: "property", verdict: "violated", reason: null, asExpected: false });
    const again = await iommuMc(["certify", "--verify", out, "--file", join(process.cwd(), small), "--json"], { cwd: folder });
    expect(JSON.parse(again.stdout)).toEqual(first);
    expect(again.code).toBe(1);
  });

  it("refuses what was changed since, and what is of something else", async () => {
    const out = join(folder, "holds.cert");
    await iommuMc(["certify", "small/holds", "--file", small, "--out", out]);
    const bytes = readFileSync(out);
    const cut = write("cut.cert", bytes.subarray(0, bytes.length - 3));
    expect(await iommuMc(["certify", "--verify", cut, "--file", small])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${cut}:3:1: the certificate is damaged`),
    });
    const elsewhere = await iommuMc(["certify", "--verify", out, "--file", big, "--json"]);
    expect(elsewhere.code).toBe(2);
    expect((JSON.parse(elsewhere.stdout) as JsonFailure).error).toEqual({
      kind: "model",
      message: "the certificate is of small/holds, and there is no such suite",
      hint: "It was made of small.ts: name that by --file.",
      location: { file: out, line: 2, column: 1 },
    });
    const edited = write("small.ts", readFileSync(small, "utf8").replace("before + 1", "before + 2"));
    expect(await iommuMc(["certify", "--verify", out, "--file", edited])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining(`${out}:2:1: the certificate was made of model files with the digest`),
    });
  });

  it("refuses what the explorer says of a model that hides something from it", async () => {
    const { code, stdout } = await iommuMc(["certify", "hidden", "--file", "tests/cli/fixtures/hidden.ts"]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^REFUSED {6}hidden · a step out of state \d+ leads to a state that is not in the set/);
    expect(stdout).toMatch(/\n +the step of left:\n +b\.n = \d → \d\n +b\.flag = false → true\n/);
    expect(stdout).toContain("the explorer and the second checker do not agree");
  });

  it("writes nothing when a limit comes first", async () => {
    const out = join(folder, "none.cert");
    const { code, stdout } = await iommuMc(["certify", "big/wheels", "--file", big, "--max-states", "1000", "--out", out]);
    expect([code, existsSync(out)]).toEqual([3, false]);
    expect(stdout).toMatch(/^UNFINISHED {3}big\/wheels\n +stopped by the limit on states \(--max-states\) before all states were known/);
  });

  it("ends when it is interrupted, and what is written stays", async () => {
    const out = join(folder, "many.cert");
    const isWritten = () => (statSync(out, { throwIfNoEntry: false })?.size ?? 0) > 0;
    const { code, stdout } = await iommuMc(["certify", "big/few-wheels", "--file", many, "--out", out], {
      whileRunning: (child) => {
        const waiting = setInterval(() => {
          if (!isWritten()) return;
          clearInterval(waiting);
          child.kill("SIGINT");
        }, 20);
      },
    });
    expect([code, stdout]).toEqual([
      3,
      expect.stringMatching(/^UNFINISHED {3}big\/few-wheels\n +stopped by an interrupt \(Ctrl-C\) before all of 32,768\s+states/),
    ]);
    expect(await iommuMc(["certify", "--verify", out, "--file", many, "--timeout", "0.2"])).toMatchObject({
      code: 3,
      stdout: expect.stringContaining("stopped by the time limit (--timeout)"),
    });
  });

  it.each([
    [["certify"], "no suite is named"],
    [["certify", "small/hold", "--file", small], "Did you mean small/holds?"],
    [["certify", "small/holds", "--file", small, "--verify", small], "is named, and a certificate"],
    [["certify", "--verify", "nowhere.cert"], "there is no file nowhere.cert"],
    [["certify", "--verify", small], "small.ts:1:1: this is no certificate of iommu-mc"],
    [["certify", "--verify", small, "--revert", "aaaaaaaaaaaa"], "cannot be used with option '--revert"],
  ])("%j exits with 2", async (words, told) => {
    expect(await iommuMc(words)).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });
});
