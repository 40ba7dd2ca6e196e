/** What the streams of this process can show. */
import pc from "picocolors";
import { type Look, NARROWEST, plain, type Style } from "../report/style.js";
import type { SuiteResult } from "../report/verdict.js";

const WIDTH_OF_A_PIPE = 100;
/** Longer lines are hard to read, whatever the terminal can show. */
const WIDEST = 180;

/** Width and colours for standard output. `COLUMNS` counts where there is no terminal to ask. */
export function lookOfStdout(): Look {
  const { isTTY, columns } = process.stdout;
  const asked = isTTY ? Math.min(columns, WIDEST) : Number(process.env.COLUMNS);
  return { width: Math.max(NARROWEST, asked || WIDTH_OF_A_PIPE), style: isTTY ? colours() : plain };
}

function colours(): Style {
  const noColor = process.env.NO_COLOR;
  if ((noColor !== undefined && noColor !== "") || process.env.TERM === "dumb") return plain;
  const paint = pc.createColors(true);
  return { bold: paint.bold, dim: paint.dim, good: paint.green, bad: paint.red, warn: paint.yellow };
}

/** A line of standard error that is written over again and again; nothing at all if that is no terminal. */
export class StatusLine {
  readonly #isOn = process.stderr.isTTY === true;

  get width(): number {
    return process.stderr.columns || 80;
  }

  show(text: string): void {
    if (this.#isOn) process.stderr.write(`\r\x1b[2K${text}`);
  }

  clear(): void {
    if (this.#isOn) process.stderr.write("\r\x1b[2K");
  }
}

/** Writes to standard output, and waits until it has gone out. */
export function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}

/** Tells on standard error what is wrong with models, whatever is printed of them besides. */
export function tellErrors(results: readonly SuiteResult<unknown>[]): void {
  for (const result of results) {
    if (result.kind === "error") process.stderr.write(`iommu-mc: ${result.suite.name}: ${result.error.describe()}\n`);
  }
}
