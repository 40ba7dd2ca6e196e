/**
 * Follows a document as its reader would, in an empty folder beside the tool's: `console` blocks are commands (after `$ `)
 * and what they print; a `ts` block that begins with `// name.ts` is a file, a `diff` block is applied.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { packageRoot } from "../../src/session/open.js";
import type { Block } from "./document.js";

export interface Command {
  readonly command: string;
  /** 0 unless the document says `# exit N` behind the command. */
  readonly exit: number;
  readonly shown: string;
}

/** The commands of a `console` block. */
export function commandsOf({ text }: Block): Command[] {
  return text
    .split(/^\$ /m)
    .slice(1)
    .map((part) => {
      const [line, ...shown] = part.split("\n");
      const [command, comment = ""] = (line as string).split("   # ");
      return { command: command as string, exit: Number(/exit (\d)/.exec(comment)?.[1] ?? 0), shown: shown.join("\n").trimEnd() };
    });
}

/** A reader's folder. The tool is in `../iommu-mc`. */
export class Reader {
  readonly #parent = mkdtempSync(join(tmpdir(), "iommu-mc-reader-"));
  readonly folder = join(this.#parent, "my-design");

  constructor() {
    symlinkSync(packageRoot(), join(this.#parent, "iommu-mc"));
    mkdirSync(this.folder);
  }

  /** Types the command into a shell. */
  run(command: string): { readonly status: number | null; readonly stdout: string; readonly stderr: string } {
    // What is installed is the package under test, which is built already.
    const npm = { npm_config_ignore_scripts: "true", npm_config_offline: "true", npm_config_audit: "false", npm_config_fund: "false" };
    return this.#spawn(["bash", "-c", command], { COLUMNS: "100", ...npm });
  }

  create(text: string): void {
    const name = /^\/\/ (\S+\.ts)\n/.exec(text)?.[1];
    if (name === undefined) throw new Error(`a file without a name: ${text.slice(0, 40)}`);
    writeFileSync(join(this.folder, name), text);
  }

  patch(text: string): void {
    const file = join(this.#parent, "change.diff");
    writeFileSync(file, text);
    const { status, stderr } = this.#spawn(["git", "apply", file]);
    if (status !== 0) throw new Error(`the change does not apply: ${stderr}`);
  }

  leave(): void {
    rmSync(this.#parent, { recursive: true, force: true });
  }

  #spawn([program, ...words]: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { NO_COLOR, FORCE_COLOR, ...rest } = process.env;
    return spawnSync(program as string, words, { cwd: this.folder, encoding: "utf8", env: { ...rest, ...env } });
  }
}

/** Lines to compare: times and speeds are not, nor how the paragraph that has them is filled, nor lines of the bundled models. */
function comparable(text: string): string[] {
  if (text.trim() === "") return [];
  return text
    .replace(/^\s*…$/gm, "\n…\n")
    .trimEnd()
    .split(/\n\n+/)
    .flatMap((paragraph) => {
      const lines = paragraph.split("\n").map((line) => line.replace(/(?<!\bclaim)\.ts:\d+/, ".ts").trimEnd());
      if (!/\d s\b/.test(paragraph)) return [...lines, ""];
      const filled = lines.join(" ").replace(/\s+/g, " ");
      return [filled.replace(/[\d.,]+( [kM])? transitions\/s|\(\d+% of the time\)|\d+(\.\d+)? s\b/g, "N"), ""];
    })
    .slice(0, -1);
}

/** What is shown and not printed, in words; null if all is as shown. A line of … stands for any number of lines. */
export function difference(shown: string, printed: string): string | null {
  const lines = comparable(printed);
  const parts: string[][] = [[]];
  for (const line of comparable(shown)) {
    if (line.trim() === "…") parts.push([]);
    else (parts.at(-1) as string[]).push(line);
  }
  let from = 0;
  for (const [number, part] of parts.entries()) {
    // An empty line beside … is part of what is left out.
    const wanted = part.filter((line, position) => line !== "" || (position > 0 && position < part.length - 1));
    const isLast = number === parts.length - 1;
    const isHere = (at: number) => wanted.every((line, position) => lines[at + position] === line);
    const last = lines.length - wanted.length;
    // The first part is where the output begins, the last where it ends, others where they are found.
    let at = isLast && number > 0 ? Math.max(from, last) : from;
    while (number > 0 && at < last && !isHere(at)) at++;
    if (!isHere(at)) return `shown, but not printed:\n${wanted.join("\n")}\n--- printed:\n${lines.slice(from).join("\n")}`;
    from = at + wanted.length;
  }
  return parts.length === 1 && from < lines.length ? `printed, but not shown:\n${lines.slice(from).join("\n")}` : null;
}
