/**
 * Outcomes of suites that ran before, for suites whose code is the same. An outcome is found again if nothing it
 * depends on has changed: this tool; the suite, its variant, engine and limits; all that stands outside of
 * functions in the files of the session; and the bodies of the functions that were entered when the files were
 * loaded and when the suite ran. What it found is replayed on the code as it is now.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Outcome } from "../explore/outcome.js";
import type { Suite } from "../lang/suite.js";
import { hashOf, openCache, wholeToolFingerprint } from "../load/cache.js";
import type { Session } from "./open.js";

/** What was seen of a suite. */
export interface Remembered {
  readonly outcome: Outcome;
  readonly atomicReasons: readonly string[];
  /** Commits that were asked for: with others applied or not the run is the same. */
  readonly asked: readonly string[];
  /** The functions entered: by file, which of its functions. */
  readonly functions: Functions;
}

/** What makes two runs of a suite in a session the same run, if the code is. */
export interface RunDescription {
  readonly suite: Suite;
  /** Variant, engine and limits. */
  readonly options: object;
}

interface Entry extends Remembered {
  /** Hash of the bodies of its functions. */
  readonly bodies: string;
}

export type Functions = Readonly<Record<string, readonly number[]>>;

interface Stored {
  /** Newest first: to go back to an earlier text is to find its outcome again. */
  readonly entries: readonly Entry[];
  /** Of the entries: a file that somebody has changed is no cache. */
  readonly checksum: string;
}

/** Outcomes kept for a suite of one code outside of functions. */
const ENTRIES_KEPT = 8;
/** Files kept, one for each suite of one code outside of functions. */
const FILES_KEPT = 500;

/** Found by looking at a run as a whole, in words that name other places than the replay would know. */
const NOT_REPLAYED: readonly string[] = ["lockdep", "atomicity"];

export class VerdictCache {
  readonly #cache;
  readonly #tool = wholeToolFingerprint();
  #unwritten: (() => void)[] = [];

  /** The oldest files go when there are more than `most`. */
  constructor(
    readonly directory: string,
    readonly most = FILES_KEPT,
  ) {
    this.#cache = openCache(directory);
  }

  find(session: Session, description: RunDescription): Remembered | null {
    const { functions } = session.code.parts();
    const isSame = (entry: Entry) => bodiesOf(entry.functions, functions) === entry.bodies;
    return this.#entries(this.#keyOf(session, description)).find(isSame) ?? null;
  }

  /** Keeps what a run found out, if it came to its end and can be told again. It is found again once it is written. */
  keep(session: Session, description: RunDescription, { outcome, atomicReasons, asked, functions }: Remembered): void {
    const { end, findings, untraced } = outcome;
    if (end.kind === "limit" || untraced.length > 0 || findings.some(({ check }) => NOT_REPLAYED.includes(check))) return;
    this.#unwritten.push(() => {
      const bodies = bodiesOf(functions, session.code.parts().functions);
      const key = this.#keyOf(session, description);
      const others = this.#entries(key).filter((entry) => entry.bodies !== bodies);
      const entries: Entry[] = [{ functions, bodies, outcome, atomicReasons, asked }, ...others].slice(0, ENTRIES_KEPT);
      const stored: Stored = { entries, checksum: checksumOf(entries) };
      this.#cache.set(key, stored);
    });
  }

  /** Writes what was kept: when nobody is waiting for verdicts any more. */
  write(): void {
    if (this.#unwritten.length === 0) return;
    for (const write of this.#unwritten.splice(0)) write();
    this.#forgetOldest();
  }

  #entries(key: string): readonly Entry[] {
    const stored = this.#cache.get(key) as Partial<Stored> | undefined | null;
    const entries = stored?.entries;
    return Array.isArray(entries) && checksumOf(entries) === stored?.checksum ? entries : [];
  }

  #keyOf({ code, file }: Session, { suite, options }: RunDescription): string {
    const properties = suite.properties.map(({ code: each }) => each);
    const expected = Object.keys(suite.expected ?? {}).sort();
    return hashOf(this.#tool, file, code.parts().outside, JSON.stringify([suite.name, properties, expected, options]));
  }

  #forgetOldest(): void {
    try {
      mkdirSync(this.directory, { recursive: true });
      const files = readdirSync(this.directory).map((name) => join(this.directory, name));
      if (files.length <= this.most) return;
      const age = new Map(files.map((file) => [file, statSync(file).mtimeMs]));
      const oldestFirst = files.sort((one, other) => (age.get(one) as number) - (age.get(other) as number));
      for (const file of oldestFirst.slice(0, files.length - this.most)) rmSync(file, { force: true });
    } catch {
      // Another process may be clearing up too.
    }
  }
}

/** Of functions called `file#number`. */
export function byFile(names: ReadonlySet<string>): Functions {
  const numbers = new Map<string, number[]>();
  for (const name of names) {
    const at = name.lastIndexOf("#");
    const file = name.slice(0, at);
    const ofFile = numbers.get(file);
    if (ofFile === undefined) numbers.set(file, [Number(name.slice(at + 1))]);
    else ofFile.push(Number(name.slice(at + 1)));
  }
  return Object.fromEntries([...numbers].sort().map(([file, ofFile]) => [file, ofFile.sort((one, other) => one - other)]));
}

/** Hash of the bodies of functions, and of what they are called; a function that is gone has none. */
function bodiesOf(functions: Functions, bodies: ReadonlyMap<string, string>): string {
  const named = Object.entries(functions).flatMap(([file, numbers]) => numbers.map((number) => `${file}#${number}`));
  // One text: neither names nor hashes have a line break in them.
  return hashOf(named.map((name) => `${name} ${bodies.get(name) ?? ""}`).join("\n"));
}

function checksumOf(entries: readonly Entry[]): string {
  return hashOf(JSON.stringify(entries));
}
