/** Functions in C source as the kernel writes it: a definition begins in the first column, and its last brace stands there. */
import { createHash } from "node:crypto";

export interface CFunction {
  readonly name: string;
  /** Line of the definition's first word, from 1. */
  readonly line: number;
  /** Its last line, and that of the function before it, 0 if there is none: what stands between says what it does. */
  readonly end: number;
  readonly after: number;
  /** Of what the compiler sees: neither comments nor white space count. */
  readonly hash: string;
}

/** Words with brackets that stand before or after a function's own. */
const ATTRIBUTES = /^(__attribute__|__printf|__scanf|__must_hold|__acquires|__releases|__cond_acquires|__guarded_by|__section|__alias)$/;

/** The functions that the text defines. */
export function functionsOf(text: string): CFunction[] {
  const lines = withoutComments(text).split("\n");
  const found: CFunction[] = [];
  for (let first = 0; first < lines.length; first++) {
    const last = endOfHead(lines, first);
    if (last === null) continue;
    const name = nameIn(lines.slice(first, last + 1).join("\n"));
    if (name === null) continue;
    let end = last;
    if (!/\}\s*$/.test(lines[last] as string) || (lines[last] as string).trim() === "{") {
      while (end < lines.length && !(lines[end] as string).startsWith("}")) end++;
    }
    const after = found.at(-1)?.end ?? 0;
    found.push({ name, line: first + 1, end: end + 1, after, hash: fingerprintOf(lines.slice(first, end + 1).join("\n")) });
    first = end;
  }
  return found;
}

/** The line on which the body begins of a definition that begins on this line; null if none does. */
function endOfHead(lines: readonly string[], first: number): number | null {
  if (!/^[A-Za-z_]/.test(lines[first] as string)) return null;
  for (let line = first; line < lines.length; line++) {
    const text = (lines[line] as string).trimEnd();
    if (line > first && (text === "" || text.startsWith("#") || text.startsWith("}"))) return null;
    if (text.includes("{"))
      return lines
        .slice(first, line + 1)
        .join(" ")
        .includes("(") && !/=\s*\{/.test(text)
        ? line
        : null;
    if (text.endsWith(";")) return null;
  }
  return null;
}

/** The first word with brackets, attributes left out. */
function nameIn(head: string): string | null {
  for (const [, word] of head.matchAll(/(\w+)\s*\(/g)) if (!ATTRIBUTES.test(word as string)) return word as string;
  return null;
}

/** With comments blanked out; lines stay what they are. */
function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g, (part) =>
    part.startsWith("/") ? part.replace(/[^\n]/g, " ") : part,
  );
}

function fingerprintOf(text: string): string {
  const words = text.match(/\w+|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\S/g) ?? [];
  return createHash("sha256").update(words.join(" ")).digest("hex").slice(0, 12);
}
