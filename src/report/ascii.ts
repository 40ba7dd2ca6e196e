/** Plain ASCII lines of a hard width: for mails, commit messages and whatever else passes through many hands. */
import { quoted } from "./command.js";
import { GLUE, wrap } from "./wrap.js";

const replacements: Readonly<Record<string, string>> = {
  "→": "->",
  "←": "<-",
  "⇒": "=>",
  "–": "-",
  "—": "-",
  "−": "-",
  "·": "-",
  "│": "|",
  "…": "...",
  "×": "x",
  "≤": "<=",
  "≥": ">=",
  "≠": "!=",
  "‘": "'",
  "’": "'",
  "“": '"',
  "”": '"',
  [GLUE]: " ",
};

/** The text in printable ASCII: accents are dropped, what has no counterpart becomes `<U+1F600>`. Facts that a dot separates are separated by a semicolon. */
export function asciiOf(text: string): string {
  return [...text.replaceAll(" · ", "; ").normalize("NFC")].map(asciiCharacter).join("");
}

function asciiCharacter(character: string): string {
  if (/^[ -~]$/.test(character)) return character;
  if (/^\s$/.test(character)) return " ";
  const replaced = replacements[character] ?? character.normalize("NFKD").replace(/[^ -~]/gu, "");
  return replaced === "" ? `<U+${(character.codePointAt(0) as number).toString(16).toUpperCase().padStart(4, "0")}>` : replaced;
}

/**
 * ASCII lines, none longer than `width`, which is more than `hang` + 1. Lines after the first begin with `hang` spaces. A
 * word that is longer than a line is broken, with a backslash where it is.
 */
export function asciiLines(text: string, width: number, hang = 0): string[] {
  const indent = " ".repeat(hang);
  return wrap(glued(asciiOf(text)), width, hang).flatMap((line) => {
    const pieces: string[] = [];
    let rest = line.replaceAll(GLUE, " ");
    while (rest.length > width) {
      // Not before what would look like a quotation.
      const end = rest[width - 1] === ">" ? width - 2 : width - 1;
      pieces.push(`${rest.slice(0, end)}\\`);
      rest = indent + rest.slice(end);
    }
    return [...pieces, rest].map((piece) => piece.trimEnd());
  });
}

/** What stands before the first word stays before it, and no line begins with what a mail reader takes for a quotation. */
function glued(text: string): string {
  return text
    .replace(/^ +| {2,}/g, (spaces) => GLUE.repeat(spaces.length))
    .replace(/ (?=[->|])/g, GLUE)
    .replace(/([<=-]>) /g, `$1${GLUE}`);
}

/** A command of a shell, its words not yet quoted, on lines that may be pasted as they stand. */
export function asciiCommand(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const atoms = /^[ -~]*$/.test(word) && quoted(word).length <= width - 2 ? [quoted(word)] : [...word].map(shellCharacter);
    const room = width - 2 - line.length - 1;
    if (line !== "" && (atoms[0]?.length === undefined || atoms.join("").length > room)) {
      lines.push(`${line} \\`);
      line = "";
    } else if (line !== "") line += " ";
    for (const atom of atoms) {
      if (line.length + atom.length > width - 2) {
        lines.push(`${line}\\`);
        line = "";
      }
      line += atom;
    }
  }
  return [...lines, line];
}

/** A character as it stands outside quotes, in the notation of bash for what is not ASCII. */
function shellCharacter(character: string): string {
  if (/^[\w./@:=,+-]$/.test(character)) return character;
  if (/^[ -~]$/.test(character)) return `\\${character}`;
  return `$'\\U${(character.codePointAt(0) as number).toString(16).padStart(8, "0")}'`;
}
