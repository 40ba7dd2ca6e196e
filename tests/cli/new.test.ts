import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { JsonCheck, JsonNew } from "../../src/report/json.js";
import { iommuMc, root, shell, temporaryFolder } from "./helpers.js";

const { folder, write } = temporaryFolder();
const made = join(folder, "rfc-v3");
const here = (file: string) => join(made, file);

describe("new", () => {
  beforeAll(async () => {
    const { code, stdout } = await iommuMc(["new", "rfc-v3"], { cwd: folder });
    expect([code, stdout]).toEqual([0, expect.stringContaining("iommu-mc check rfc-v3/suite.ts")]);
  });

  it("is green right after it was made, and red without the commit it adds", async () => {
    const green = await iommuMc(["check", "rfc-v3/suite.ts", "--json"], { cwd: folder });
    const { suites } = JSON.parse(green.stdout) as JsonCheck;
    expect([green.code, green.stderr]).toEqual([0, ""]);
    expect(suites).toMatchObject([{ suite: "rfc-v3/claim", design: "rfc-v3", verdict: "held", end: "complete" }]);
    const red = await iommuMc(["check", "suite.ts", "--revert", "dcf40ed3a20d"], { cwd: made });
    expect(red.code).toBe(1);
    expect(red.stdout).toMatch(/^VIOLATED {2}MY1 {2}A claim that fails/m);
    const replay = /^replay +iommu-mc (.*)$/m.exec(red.stdout)?.[1] as string;
    expect((await shell(`"$MC" ${replay}`, { cwd: made })).code).toBe(1);
  });

  it("checks the copy of the kernel, not the bundled one", async () => {
    const commits = readFileSync(here("models/linux/commits.ts"), "utf8");
    const [, sha] = /^ *"?(dcf40ed3a20d)/m.exec(commits) as RegExpExecArray;
    writeFileSync(here("models/linux/commits.ts"), commits.replaceAll(sha as string, "dcf40ed3a20e"));
    const ended = await iommuMc(["check", "suite.ts"], { cwd: made });
    writeFileSync(here("models/linux/commits.ts"), commits);
    expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining("dcf40ed3a20d")]);
  });

  it("has a README whose commands end as it says", async () => {
    const readme = readFileSync(here("README.md"), "utf8");
    const commands = [...readme.matchAll(/^\$ iommu-mc (.*?)(?: +# exit (\d))?$/gm)];
    expect(commands).toHaveLength(3);
    for (const [, command, exit = "0"] of commands) {
      expect([command, (await shell(`"$MC" ${command}`, { cwd: made })).code]).toEqual([command, Number(exit)]);
    }
    for (const [, file] of readme.matchAll(/^\| `([^`]+)`/gm)) expect([file, existsSync(here(file as string))]).toEqual([file, true]);
    expect(readme).toMatch(/^# rfc-v3$/m);
  });

  it("suits an editor", async () => {
    const ended = await shell(`"${root}/node_modules/.bin/tsc" -p .`, { cwd: made });
    expect([ended.code, ended.stdout]).toEqual([0, ""]);
  });

  it("takes a name, and tells what it wrote", async () => {
    const ended = await iommuMc(["new", "elsewhere", "--name", "mine", "--json"], { cwd: folder });
    const { name, files, exitCode } = JSON.parse(ended.stdout) as JsonNew;
    expect([name, exitCode]).toEqual(["mine", 0]);
    for (const file of ["suite.ts", "README.md", "tsconfig.json", "models/linux/schema.ts", "properties/index.ts"])
      expect(files).toContain(file);
    expect(readFileSync(join(folder, "elsewhere/suite.ts"), "utf8")).toContain('name: "mine"');
  });

  it("writes over nothing", async () => {
    const before = readFileSync(here("suite.ts"), "utf8");
    expect(await iommuMc(["new", "rfc-v3"], { cwd: folder })).toMatchObject({ code: 2, stderr: expect.stringContaining("is not empty") });
    write("file", "mine");
    expect(await iommuMc(["new", "file"], { cwd: folder })).toMatchObject({ code: 2, stderr: expect.stringContaining("is a file") });
    expect(await iommuMc(["new", "with space"], { cwd: folder })).toMatchObject({ code: 2, stderr: expect.stringContaining("--name") });
    expect(existsSync(join(folder, "with space"))).toBe(false);
    expect([readFileSync(here("suite.ts"), "utf8"), readFileSync(join(folder, "file"), "utf8")]).toEqual([before, "mine"]);
  });
});
