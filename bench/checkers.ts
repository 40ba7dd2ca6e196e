/** The checkers that are timed: each is given a model in one size, from its source to its verdict. */
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import { run } from "./command.js";
import type { Timed } from "./sizes.js";

/** One run of a checker. */
export interface Measured {
  readonly states: number;
  readonly transitions: number;
  /** How far the checker's own account of them may be from how many there are. */
  readonly roundedBy: number;
  /** From the model's source to the verdict: compilation and start-up included. */
  readonly seconds: number;
  /** Of these, what was spent exploring. */
  readonly exploring: number;
  /** Most memory of the exploring process. */
  readonly peakBytes: number;
  /** What a state takes in the checker's own account, without its table; null if it does not say. */
  readonly vectorBytes: number | null;
}

export type Checker = (timed: Timed, folder: string) => Promise<Measured>;

const here = resolve("bench");

/** iommu-mc as its users run it, on so many threads, the compile cache left as it is. */
export const ours =
  (threads: number): Checker =>
  async ({ model, makes, constants }, folder) => {
    const file = join(folder, `${model}-suite.ts`);
    const from = JSON.stringify(relative(folder, join(here, "models", `${model}.js`)));
    writeFileSync(file, `import { ${makes} } from ${from};\nexport const timed = ${makes}(${Object.values(constants).join(", ")});\n`);
    const words = [resolve("bin/iommu-mc.js"), "check", "--file", file, "--jobs", String(threads), "--json"];
    const { stdout, seconds, peakBytes } = await run("node", words, ".");
    const { suites } = JSON.parse(stdout) as { suites: [{ states: number; transitions: number; statistics: Statistics }] };
    const [{ states, transitions, statistics }] = suites;
    return { states, transitions, roundedBy: 0, seconds, exploring: statistics.seconds, peakBytes, vectorBytes: statistics.bytesPerState };
  };

interface Statistics {
  readonly seconds: number;
  readonly bytesPerState: number;
}

/** Number after the words, which may be grouped by blanks only. */
function told(text: string, pattern: RegExp): number {
  const [, number] = pattern.exec(text) ?? [];
  if (number === undefined) throw new Error(`nothing in this says ${pattern}:\n${text}`);
  return Number(number);
}

/** So many bits of hash have room for the states of a size at once; to clear a larger table would only cost time. */
const HASH_BITS = { small: 18, medium: 22, large: 26 };

/** SPIN with all states stored in full and no reduction. */
export const spin: Checker = async ({ model, size, constants }, folder) => {
  const defines = Object.entries(constants).map(([name, value]) => `-D${name}=${value}`);
  const made = await run("spin", [...defines, "-a", join(here, "peers", `${model}.pml`)], folder);
  const options = ["-O2", "-DSAFETY", "-DNOREDUCE", "-DMEMLIM=20000"];
  const compiled = await run("gcc", [...options, "-o", "pan", "pan.c"], folder);
  const { stdout, seconds, peakBytes } = await run("./pan", ["-n", `-w${HASH_BITS[size]}`, "-m20000000"], folder);
  if (told(stdout, /errors: (\d+)/) !== 0) throw new Error(`${model}.pml is violated:\n${stdout}`);
  // The initial state is counted as one.
  const transitions = told(stdout, /([\d.]+(?:e\+\d+)?) transitions \(/) - 1;
  return {
    states: told(stdout, /([\d.]+(?:e\+\d+)?) states, stored/),
    transitions,
    // It prints eight digits.
    roundedBy: transitions < 1e8 ? 0 : 10 ** (Math.floor(Math.log10(transitions)) - 7),
    seconds: made.seconds + compiled.seconds + seconds,
    exploring: seconds,
    peakBytes,
    vectorBytes: told(stdout, /State-vector (\d+) byte/),
  };
};

/** Rumur on one thread. */
export const rumur: Checker = async ({ model, constants }, folder) => {
  writeFileSync(join(folder, "model.m"), withConstants(readFileSync(join(here, "peers", `${model}.m`), "utf8"), constants));
  const made = await run("rumur", ["model.m", "--output", "model.c", "--threads", "1"], folder);
  const compiled = await run("gcc", ["-O3", "-march=native", "-mcx16", "-o", "model", "model.c", "-lpthread", "-latomic"], folder);
  const { stdout, seconds, peakBytes } = await run("./model", [], folder);
  const [, states, transitions] = /(\d+) states, (\d+) rules fired in/.exec(stdout.slice(stdout.lastIndexOf("No error found"))) ?? [];
  if (states === undefined) throw new Error(`${model}.m is violated:\n${stdout.slice(-2000)}`);
  return {
    states: Number(states),
    transitions: Number(transitions),
    roundedBy: 0,
    seconds: made.seconds + compiled.seconds + seconds,
    exploring: seconds,
    peakBytes,
    vectorBytes: null,
  };
};

function withConstants(text: string, constants: Timed["constants"]): string {
  return Object.entries(constants).reduce((changed, [name, value]) => {
    const declared = new RegExp(`^  ${name}: \\d+;$`, "m");
    if (!declared.test(changed)) throw new Error(`the Murphi model declares no constant ${name}`);
    return changed.replace(declared, `  ${name}: ${value};`);
  }, text);
}
