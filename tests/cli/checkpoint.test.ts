import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { JsonCheck } from "../../src/report/json.js";
import { iommuMc, type RunOptions, temporaryFolder } from "./helpers.js";

const large = "tests/cli/fixtures/large.ts";
const { folder } = temporaryFolder();

/** Of 4 wheels of 32 places, each turned by one or two. */
const WHEELS = { states: 32 ** 4, transitions: 8 * 32 ** 4, depth: 4 * 16 };

/** Runs a suite of a million states that is kept every 60 ms. */
function check(kept: string, options: RunOptions = {}, ...words: string[]) {
  return iommuMc(["check", "--file", large, "--suite", "big/four", "--json", "--checkpoint", kept, "--every", "0.001", ...words], options);
}

/** Sends the signal once there is a checkpoint after so many milliseconds. */
function killed(kept: string, signal: "SIGKILL" | "SIGTERM", after: number): RunOptions {
  return {
    whileRunning: (child) => {
      const waiting = setInterval(() => {
        if (!existsSync(join(kept, "big%2Ffour", "checkpoint.json"))) return;
        clearInterval(waiting);
        setTimeout(() => child.kill(signal), after);
      }, 5);
      child.on("close", () => clearInterval(waiting));
    },
  };
}

describe("a run that is kept", () => {
  it("goes on where it was killed, and counts the same in the end", async () => {
    const kept = join(folder, "killed");
    for (const after of [0, 90, 170]) {
      const { code, stdout } = await check(kept, killed(kept, "SIGKILL", after));
      if (code !== null) expect((JSON.parse(stdout) as JsonCheck).suites[0]).toMatchObject(WHEELS);
    }
    const ended = await check(kept);
    expect((JSON.parse(ended.stdout) as JsonCheck).suites[0]).toMatchObject({ ...WHEELS, end: "complete" });
    expect(readdirSync(kept)).toEqual([]);
  });

  it("is written when it is asked to end, says so by its exit code, and goes on", async () => {
    const kept = join(folder, "ended");
    const first = await check(kept, killed(kept, "SIGTERM", 50));
    expect(first.code).toBe(3);
    const snapshot = readFileSync(join(kept, "big%2Ffour", "checkpoint.json"), "utf8");
    const second = await check(kept);
    expect(second.stderr).toMatch(/^iommu-mc: big\/four: goes on from [\d,]+ states$/m);
    expect(snapshot).not.toBe("");
    expect((JSON.parse(second.stdout) as JsonCheck).suites[0]).toMatchObject(WHEELS);
  });

  it("goes on with larger limits", async () => {
    const kept = join(folder, "limited");
    const { code } = await check(kept, {}, "--max-states", "200000");
    expect(code).toBe(3);
    const ended = await check(kept);
    expect((JSON.parse(ended.stdout) as JsonCheck).suites[0]).toMatchObject(WHEELS);
  });

  it("has to have a folder of its own", async () => {
    const { code, stderr } = await iommuMc([
      "check",
      "--file",
      large,
      "--suite",
      "big/four",
      "--checkpoint",
      join(process.cwd(), "package.json"),
    ]);
    expect(code).toBe(2);
    expect(stderr).toContain("Give --checkpoint a folder that can be written.");
    expect(stderr).not.toContain("    at ");
    expect(await iommuMc(["check", "--checkpoint", folder, "--watch"])).toMatchObject({ code: 2 });
  });
});
