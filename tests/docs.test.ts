/** What the documents show is what happens. */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../src/session/open.js";
import { blocksOf, read } from "./support/document.js";

const root = packageRoot();
const documents = [
  "README.md",
  "ARCHITECTURE.md",
  "docs/tutorial.md",
  "docs/language.md",
  "docs/properties.md",
  "docs/pitfalls.md",
  "docs/warts.md",
  "docs/claims.md",
  "docs/json.md",
  "docs/certify.md",
  "docs/forecast.md",
  "docs/record.md",
  "docs/decisions/README.md",
];

/** The contents of a document's fenced blocks of a language. */
function blocks(file: string, language: string): string[] {
  return blocksOf(file)
    .filter((block) => block.language === language)
    .map(({ text }) => text);
}

function run(command: string): { status: number | null; stdout: string } {
  const words = (command.match(/'[^']*'|\S+/g) ?? []).map((word) => word.replace(/^'|'$/g, ""));
  const { status, stdout } = spawnSync(process.execPath, ["bin/iommu-mc.js", ...words], {
    cwd: root,
    encoding: "utf8",
    env: { ...process.env, COLUMNS: "100" },
  });
  return { status, stdout };
}

/** The tutorial's are followed in order, and compared with what they print, by a test of their own. */
const withCommands = documents.filter((file) => file !== "docs/tutorial.md");

const commands = withCommands.flatMap((file) =>
  blocks(file, "console").flatMap((block) =>
    block
      .split("\n")
      .filter((line) => line.startsWith("$ npx iommu-mc"))
      .map((line) => {
        const [command, comment = ""] = line.slice("$ npx iommu-mc ".length).split("   # ");
        return { file, command: command as string, exit: Number(/exit (\d)/.exec(comment)?.[1] ?? 0) };
      }),
  ),
);

describe("documents", () => {
  it("show commands at all", () => expect(commands.length).toBeGreaterThan(4));

  it.each(commands)("$file: $command ends with $exit", ({ command, exit }) => expect(run(command).status).toBe(exit));

  it("README's trace is one that the tool prints", () => {
    const shown = blocks("README.md", "text")[0] as string;
    const path = /replay\s+iommu-mc replay (.*)$/m.exec(shown)?.[1] as string;
    // Line numbers of the model move with every edit; which lines of the trace there are does not.
    const withoutNumbers = (line: string) => line.trimEnd().replace(/\.ts:\d+$/, ".ts");
    const suite = path.split(" ")[0] as string;
    const printed = run(`check linux-6.1 --suite ${suite} --traces all`).stdout.split("\n").map(withoutNumbers);
    for (const line of shown.trimEnd().split("\n").map(withoutNumbers)) if (line.trim() !== "…") expect(printed).toContain(line);
  });

  it("README's mail is one that the tool prints", () => {
    const command = commands.find(({ command }) => command.includes("--format mail"))?.command as string;
    const printed = run(command)
      .stdout.split("\n")
      .map((line) => line.replace(/ +\S+\.ts:\d+$/, ""));
    const shown = (blocks("README.md", "text")[1] as string).trimEnd().split("\n");
    for (const line of shown) if (line.trim() !== "…") expect(printed).toContain(line.replace(/ +\S+\.ts:\d+$/, ""));
  });

  it("README's procedure is that of docs/example.ts", () => {
    const procedure = blocks("README.md", "ts")[0] as string;
    expect(read("docs/example.ts")).toContain(procedure);
  });

  it("docs/example.ts finds what the README says it finds", () => {
    const { status, stdout } = run("check docs/example.ts");
    expect(status).toBe(1);
    expect(stdout).toContain("together violated");
    expect(stdout).toContain("d0.domain = blocking0, d1.domain = default0");
  });

  it.each(documents)("%s links to files that exist", (file) => {
    for (const [, target] of read(file).matchAll(/\]\((?!https?:)([^)#]+)/g)) {
      expect([target, existsSync(resolve(root, dirname(file), target as string))]).toEqual([target, true]);
    }
  });
});
