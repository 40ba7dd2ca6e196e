/** Waits for files to be saved, by looking at them: whoever saves, and however, and also those that are not there yet. */
import { statSync } from "node:fs";

/** Milliseconds between two looks. An editor may write more than once: a save is told at the first look that sees no further one. */
const LOOK_EVERY = 50;
/** A file's time may be this many milliseconds behind the clock. */
const CLOCK_SLACK = 10;

export class Watcher {
  /** When each file was last saved, as far as is known. */
  readonly #times = new Map<string, number>();
  readonly #changed = new Set<string>();
  readonly #timer = setInterval(() => this.#look(), LOOK_EVERY);
  #onChange: () => void = () => {};

  /** How many files are watched. */
  get size(): number {
    return this.#times.size;
  }

  /** Watches these files too, which have been read after that time. Those saved since then count as changed. */
  add(files: readonly string[], readAfter: number): void {
    for (const file of files) {
      if (this.#times.has(file)) continue;
      const time = savedAt(file);
      this.#times.set(file, time > readAfter - CLOCK_SLACK ? Number.NaN : time);
    }
  }

  /** Calls back when something has been saved that has not been taken. */
  whenSaved(onChange: () => void): void {
    this.#onChange = onChange;
  }

  /** The files saved since the last call. */
  take(): string[] {
    const taken = [...this.#changed].sort();
    this.#changed.clear();
    return taken;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    let isQuiet = true;
    for (const [file, before] of this.#times) {
      const time = savedAt(file);
      if (time === before) continue;
      isQuiet = false;
      this.#times.set(file, time);
      this.#changed.add(file);
    }
    if (isQuiet && this.#changed.size > 0) this.#onChange();
  }
}

/** When the file was last saved, in milliseconds of the clock; 0 if it is not there. */
function savedAt(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}
