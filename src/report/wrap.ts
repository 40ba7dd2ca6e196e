/** Text in lines of a given width, and numbers as people write them. */

/** Between the facts of a line. */
const SEPARATOR = " · ";

/** A space where no line is broken: `→ 1` and `{` do not begin a line of their own. */
export const GLUE = "\u00a0";

/** Characters a text takes up in a terminal. All that reports use are one column wide. */
export function widthOf(text: string): number {
  return [...text].length;
}

/**
 * Breaks a text at spaces into lines of at most `width` characters. Lines after the first begin with `hang`
 * spaces. A word that is longer than a line keeps its line to itself, unbroken, so that it can be copied.
 */
export function wrap(text: string, width: number, hang = 0): string[] {
  return wrapWords(text.replace(/ \{$/, `${GLUE}{`).replaceAll("→ ", `→${GLUE}`), width, hang).map((line) => line.replaceAll(GLUE, " "));
}

function wrapWords(text: string, width: number, hang: number): string[] {
  const lines: string[] = [];
  const indent = " ".repeat(hang);
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    const isEmpty = line.trim() === "";
    if (isEmpty || widthOf(longer) <= width) {
      line = isEmpty && lines.length > 0 ? indent + word : longer;
    } else {
      lines.push(line);
      line = indent + word;
    }
  }
  lines.push(line);
  return lines;
}

/** Wrapped text with something before it: the first line begins with `head`, the others are indented as far. */
export function hanging(head: string, text: string, width: number): string[] {
  const indent = widthOf(head);
  return wrap(text, Math.max(20, width - indent)).map((line, number) => (number === 0 ? head : " ".repeat(indent)) + line);
}

/** Like `wrap`, but also breaks after an opening bracket: a call's name and first argument may be longer than a line. */
export function wrapCall(text: string, width: number, hang: number): string[] {
  const GAP = "\u200b";
  const lines = wrap(text, width, hang);
  if (lines.every((line) => widthOf(line) <= width)) return lines;
  return wrap(text.replace("(", `(${GAP} `), width, hang).map((line) => line.replace(`${GAP} `, "").replace(GAP, ""));
}

/** Facts joined by dots: as many to a line as fit, a fact broken only if it is longer than a line. */
export function joined(head: string, facts: readonly string[], width: number): string[] {
  const indent = widthOf(head);
  const room = Math.max(20, width - indent);
  const lines: string[] = [];
  for (const fact of facts) {
    const last = lines.at(-1);
    const longer = last === undefined ? fact : last + SEPARATOR + fact;
    if (last !== undefined && widthOf(longer) <= room) lines[lines.length - 1] = longer;
    else lines.push(...wrap(fact, room));
  }
  return lines.map((line, number) => (number === 0 ? head : " ".repeat(indent)) + line);
}

export function padEnd(text: string, width: number): string {
  return text + " ".repeat(Math.max(0, width - widthOf(text)));
}

/** `1,204`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** `1 step`, `2 steps`, `1,204 states`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${grouped(count)} ${count === 1 ? singular : plural}`;
}

/** `0.03 s`, `12 s`, `2 min 5 s`. */
export function duration(seconds: number): string {
  if (seconds < 0.1) return `${seconds.toFixed(2)} s`;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

/** `1.2 M`, `850 k`, `12`. */
export function rounded(count: number): string {
  if (count >= 10_000_000) return `${Math.round(count / 1_000_000)} M`;
  if (count >= 999_500) return `${(count / 1_000_000).toFixed(1)} M`;
  if (count >= 10_000) return `${Math.round(count / 1_000)} k`;
  return grouped(Math.round(count));
}

/** `a`, `a and b`, `a, b and c`. */
export function enumerate(items: readonly string[]): string {
  return items.length < 2 ? (items[0] ?? "") : `${items.slice(0, -1).join(", ")} and ${items.at(-1)}`;
}
