/** Documents as tests see them: fenced blocks, and the models that they make. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ModelError } from "../../src/lang/errors.js";
import * as language from "../../src/lang/index.js";
import { reportText } from "../../src/report/text.js";
import type { SuiteResult } from "../../src/report/verdict.js";
import { openSuites, packageRoot } from "../../src/session/open.js";
import { runSuiteNow } from "../../src/session/run-suite.js";

export interface Block {
  readonly language: string;
  readonly text: string;
  /** The heading it stands under. */
  readonly heading: string;
}

export function read(file: string): string {
  return readFileSync(join(packageRoot(), file), "utf8");
}

/** The fenced blocks of a document, in order. */
export function blocksOf(file: string): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  for (const match of read(file).matchAll(/^#+ ([^\n]*)$|^```(\w*)\n(.*?)^```$/gms)) {
    if (match[1] !== undefined) heading = match[1];
    else blocks.push({ language: match[2] as string, text: match[3] as string, heading });
  }
  return blocks;
}

/** A model of a document, and what is said to come of it. */
export interface Snippet {
  readonly heading: string;
  readonly code: string;
  readonly outcome: string;
}

/** Which lines of its page every snippet begins and ends with, unless it has its own. */
export interface Frame {
  readonly schema: string;
  readonly suite: string;
}

/** The frame that docs/language.md shows in its first two blocks. */
export function frame(): Frame {
  const [schema, suite] = blocksOf("docs/language.md").filter((block) => block.language === "ts");
  return { schema: (schema as Block).text, suite: (suite as Block).text };
}

/** `ts` blocks up to a `text` block are one model, and that block is its outcome. Throws if a block belongs to none. */
export function snippetsOf(blocks: readonly Block[]): Snippet[] {
  const snippets: Snippet[] = [];
  let open: Block[] = [];
  for (const block of blocks) {
    if (open[0] && open[0].heading !== block.heading) throw new Error(`a snippet under "${open[0].heading}" has no outcome`);
    if (block.language === "ts") open.push(block);
    if (block.language !== "text") continue;
    if (open.length === 0) throw new Error(`an outcome under "${block.heading}" has no snippet`);
    snippets.push({ heading: block.heading, code: open.map(({ text }) => text).join("\n"), outcome: block.text });
    open = [];
  }
  if (open[0]) throw new Error(`a snippet under "${open[0].heading}" has no outcome`);
  return snippets;
}

/** Everything that src/lang/index.ts exports, by name. */
export function exportsOfLanguage(): { readonly values: string[]; readonly types: string[] } {
  const types = [...read("src/lang/index.ts").matchAll(/\btype (\w+)/g)].map((match) => match[1] as string);
  return { values: Object.keys(language), types: [...types, "Errno"] };
}

/** The file that a snippet stands for. */
export function fileOf({ code }: Snippet, { schema, suite }: Frame): string {
  const withSchema = /\bschema\(\{/.test(code) ? code : `${schema}\n${code}`;
  const whole = /\bsuite\(\{/.test(withSchema) ? withSchema : `${withSchema}\n${suite}`;
  const { values, types } = exportsOfLanguage();
  const isUsed = (name: string) => new RegExp(`(?<![.\\w"])${name}\\b`).test(whole);
  const names = [...values.filter(isUsed), ...types.filter(isUsed).map((name) => `type ${name}`)];
  return `import { ${names.join(", ")} } from "iommu-mc";\n${whole}`;
}

/** Checks a file of suites as \`iommu-mc check --traces all\` does, and returns what that prints. */
export function checked(file: string): string {
  try {
    const session = openSuites(file);
    const results = session.suites.map((suite): SuiteResult => {
      try {
        return { kind: "run", run: runSuiteNow(session, suite) };
      } catch (error) {
        if (error instanceof ModelError) return { kind: "error", suite, error };
        throw error;
      }
    });
    const same = (text: string) => text;
    const style = { bold: same, dim: same, good: same, bad: same, warn: same };
    const errors = results.map((result) => (result.kind === "error" ? `${result.error.describe()}\n` : ""));
    return errors.join("") + reportText(results, session.abstractions, { width: 100, style, traces: "all", file });
  } catch (error) {
    if (error instanceof ModelError) return error.describe();
    throw error;
  }
}

/** Checks text as a file of its own. */
export function checkedText(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "iommu-mc-snippet-"));
  try {
    const file = join(folder, "snippet.ts");
    writeFileSync(file, text);
    return checked(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Without what differs from run to run, or from file to file. */
export function normalised(text: string): string[] {
  return text.split("\n").map((line) =>
    line
      .replace(/, \d+(\.\d+)? s\b/, "")
      .replace(/\S*\.ts:\d+(:\d+)?(: )?/, "")
      .trimEnd(),
  );
}

/**
 * The first line shown that is not printed, in order; null if all are. A line of … stands for any number of lines, and one that
 * ends with … for what begins so.
 */
export function missing(shown: string, printed: string): string | null {
  const lines = normalised(printed);
  let from = 0;
  for (const line of normalised(shown)) {
    if (line === "" || line.trim() === "…") continue;
    const fits = (candidate: string) => (line.endsWith("…") ? candidate.startsWith(line.slice(0, -1).trimEnd()) : candidate === line);
    const at = lines.findIndex((candidate, position) => position >= from && fits(candidate));
    if (at < 0) return line;
    from = at + 1;
  }
  return null;
}
