import { spawn } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { JsonCheck, JsonFailure } from "../../src/report/json.js";
import { bin, iommuMc, root, small, temporaryFolder } from "./helpers.js";

const { folder, write } = temporaryFolder();
const text = readFileSync(join(root, small), "utf8");

/** A `check --watch` in progress. */
class Watch {
  readonly #child;
  #stdout = "";
  #stderr = "";
  #seen = 0;
  readonly ended: Promise<number | null>;

  constructor(...words: string[]) {
    this.#child = spawn(process.execPath, [bin, "check", ...words, "--watch"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    this.#child.stdout.on("data", (chunk) => {
      this.#stdout += chunk;
    });
    this.#child.stderr.on("data", (chunk) => {
      this.#stderr += chunk;
    });
    this.ended = new Promise((resolve) => this.#child.on("close", resolve));
    running.push(this);
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** What has been printed since the last call, up to and with the end that is waited for. */
  async until(end: RegExp): Promise<string> {
    for (const begun = performance.now(); ; ) {
      if (performance.now() - begun > 60_000) throw new Error(`still no ${end} after ${this.#stdout}${this.#stderr}`);
      const found = end.exec(this.#stdout.slice(this.#seen));
      if (found) {
        const from = this.#seen;
        this.#seen += found.index + found[0].length;
        return this.#stdout.slice(from, this.#seen);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  interrupt(): void {
    this.#child.kill("SIGINT");
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}

const running: Watch[] = [];
afterEach(() => {
  for (const watch of running.splice(0)) watch.kill();
});

const whole = /watching \d+ files?; Ctrl-C ends\n/;

describe("check --watch", () => {
  it("checks again what a saved file concerns, and takes the rest from the cache", async () => {
    write("small.ts", text);
    rmSync(join(folder, "node_modules"), { recursive: true, force: true });
    const watch = new Watch("small.ts", "--suite", "*");
    const first = await watch.until(whole);
    expect(first).toMatch(/^held +small\/holds .*/m);
    expect(first).toContain("assumptions of the model");
    expect(first).toContain("types  no errors");
    write("small.ts", text.replace("account.balance = before + 1", "account.balance = before + 2"));
    const second = await watch.until(whole);
    expect(second).toMatch(/^changed {2}small\.ts$/m);
    expect(second).toMatch(/^VIOLATED +small\/holds/m);
    expect(second).toMatch(/^VIOLATED {2}D1 {2}every deposit counts$/m);
    // Neither the auditor nor the clerk deposits anything.
    expect(second).toMatch(/^2 suites unchanged, from the cache$/m);
    expect(second).not.toMatch(/^\S.* small\/null ·/m);
    write("small.ts", text);
    expect(await watch.until(whole)).toMatch(/^4 suites unchanged, from the cache$/m);
    watch.interrupt();
    expect(await watch.ended).toBe(1);
  });

  it("tells what is wrong with a file, and goes on", async () => {
    write("good.ts", text);
    const watch = new Watch("good.ts", "--suite", "small/holds");
    await watch.until(whole);
    write("good.ts", text.replace("account.balance = before + 1", "account.balance = = before"));
    await watch.until(whole);
    expect(watch.stderr).toMatch(/good\.ts:43:21: Expression expected/);
    write("good.ts", text.replace("account.balance = before + 1", "account.balance = before + acount.balance"));
    expect(await watch.until(whole)).toMatch(/types {2}wrong/);
    expect(watch.stderr).toMatch(/good\.ts:43:30: Cannot find name 'acount'/);
    write("good.ts", text);
    expect(await watch.until(whole)).toContain("1 suite: as expected");
    watch.interrupt();
    expect(await watch.ended).toBe(0);
  });

  it("waits for a file that is imported and not there yet", async () => {
    rmSync(join(folder, "later.ts"), { force: true });
    write("importing.ts", `export { suites } from "./later.js";\n`);
    const watch = new Watch("importing.ts", "--suite", "small/holds");
    await watch.until(whole);
    expect(watch.stderr).toMatch(/importing\.ts:1:24: there is no file \.\/later\.js/);
    write("later.ts", text);
    expect(await watch.until(whole)).toContain("1 suite: as expected");
  });

  it("begins anew when something is saved while it checks", async () => {
    const big = readFileSync(join(root, "tests/cli/fixtures/big.ts"), "utf8");
    write("big.ts", big);
    const watch = new Watch("big.ts");
    await new Promise((resolve) => setTimeout(resolve, 2500));
    write("big.ts", big.replace('"wheels", 6', '"wheels", 1'));
    expect(await watch.until(whole)).toMatch(/changed {2}big\.ts\n\nheld +big\/wheels/);
    watch.interrupt();
    expect(await watch.ended).toBe(0);
  });

  it("prints a line of JSON for each check with --json", async () => {
    write("lines.ts", text);
    const watch = new Watch("lines.ts", "--suite", "small/holds", "--json");
    const [first] = (JSON.parse(await watch.until(/^.*\n/)) as JsonCheck).suites;
    expect(first).toMatchObject({ suite: "small/holds", verdict: "held" });
    write("lines.ts", "export const x = (;\n");
    expect((JSON.parse(await watch.until(/^.*\n/)) as JsonFailure).error.location?.line).toBe(1);
    write("lines.ts", text);
    const [again] = (JSON.parse(await watch.until(/^.*\n/)) as JsonCheck).suites;
    expect(again).toMatchObject({ suite: "small/holds", fromCache: true });
  });

  it("does not begin with what no edit can mend", async () => {
    expect(await new Watch("nowhere.ts").ended).toBe(2);
    expect(await new Watch(join(root, small), "--suite", "small/hols").ended).toBe(2);
    expect(await new Watch(join(root, small), "--format", "mail").ended).toBe(2);
  });
});

describe("check --cache", () => {
  it("says which verdicts are from an earlier run", async () => {
    write("cached.ts", text);
    const words = ["check", "cached.ts", "--suite", "small/holds", "--cache"];
    const first = await iommuMc(words, { cwd: folder });
    expect([first.code, first.stdout.includes("from the cache")]).toEqual([0, false]);
    const second = await iommuMc(words, { cwd: folder });
    expect(second.stdout).toMatch(/^held +small\/holds · 15 states, .*unchanged, from the cache$/m);
    const { suites } = JSON.parse((await iommuMc([...words, "--json"], { cwd: folder })).stdout) as JsonCheck;
    expect(suites[0]).toMatchObject({ fromCache: true, verdict: "held", states: 15 });
    const without = await iommuMc(words.slice(0, -1), { cwd: folder });
    expect(without.stdout).not.toContain("from the cache");
  });
});
