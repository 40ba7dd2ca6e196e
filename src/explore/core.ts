/** The inner loop of the fast engine, compiled (core/core.ts), as its host sees it. */
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Memory } from "./memory.js";
import { packageRoot } from "./package-root.js";

type Global = { value: number };

/** What `core/core.ts`, `core/states.ts`, `core/normal-form.ts`, `core/symmetry.ts`, `core/blocks.ts` and `core/runs.ts` export; addresses and numbers are set by whoever lays out what is there. */
export interface Core {
  readonly rules: Global;
  readonly words: Global;
  readonly allWords: Global;
  readonly threads: Global;
  readonly threadTable: Global;
  readonly mutexes: Global;
  readonly mutexTable: Global;
  readonly instances: Global;
  readonly asksForEnds: Global;
  readonly fuses: Global;
  readonly freedBits: Global;
  readonly freedSlots: Global;
  readonly freedSlotTable: Global;
  readonly localsTable: Global;
  readonly localsWords: Global;
  readonly hashKeys: Global;
  readonly dictionaries: Global;
  readonly layout: Global;
  readonly tupleBytes: Global;
  readonly lanes: Global;
  readonly chunks: Global;
  readonly pages: Global;
  readonly segments: Global;
  readonly tableSize: Global;
  readonly numberBits: Global;
  readonly scratch: Global;
  readonly overflown: Global;
  readonly count: Global;
  readonly room: Global;
  readonly hashes: Global;
  readonly keeps: Global;
  readonly table: Global;
  readonly tableRoom: Global;
  readonly olderTables: Global;
  readonly olderCount: Global;
  readonly fingerprintKeys: Global;
  readonly slotFingerprints: Global;
  readonly keptMask: { value: bigint };
  readonly perComparison: Global;
  readonly bitsSet: Global;
  readonly omitted: Global;
  readonly origins: Global;
  readonly liveTable: Global;
  readonly atFirst: Global;
  readonly swaps: Global;
  readonly swapTable: Global;
  readonly imageBytes: Global;
  readonly images: Global;
  readonly sources: Global;
  readonly sourceTuple: Global;
  readonly listed: Global;
  readonly stale: Global;
  readonly staleFrom: Global;
  readonly collected: Global;
  readonly oneAt: Global;
  readonly otherAt: Global;
  readonly slots: Global;
  readonly slotTuples: Global;
  readonly slotLeaves: Global;
  readonly slotHashes: Global;
  readonly sourceSteps: Global;
  readonly sourceMoves: Global;
  readonly choiceStack: Global;
  readonly transitions: Global;
  readonly step: Global;
  readonly isNew: Global;
  readonly reason: Global;
  readonly rests: Global;
  readonly restCount: Global;
  readonly uncommitted: Global;
  readonly recent: Global;
  visit(from: number, to: number, most: number): number;
  expandBlock(from: number, to: number, buffer: number, bufferEnd: number): number;
  commit(from: number, sources: number, buffer: number, most: number): number;
  normalise(state: number): void;
  normalForm(state: number): number;
  countImages(number: number): number;
  insert(state: number): number;
  insertLossily(state: number, source: number, step: number): number;
  find(state: number): number;
  fetch(number: number, state: number): void;
  rehash(from: number, to: number): void;
  enterValues(values: number, number: number, table: number, shift: number): void;
  translateAll(from: number, layout: number, bytes: number, number: number, into: number): void;
  listStates(from: number, to: number): number;
  markStale(first: number, end: number, beyond: number, block: number, blockEnd: number, its: number, bytes: number): number;
  writeRecords(first: number, number: number, into: number): void;
  mergeRecords(
    one: number,
    oneEnd: number,
    oneLayout: number,
    oneBytes: number,
    other: number,
    otherEnd: number,
    otherLayout: number,
    otherBytes: number,
    into: number,
    most: number,
  ): number;
  collect(from: number, to: number, into: number, most: number): number;
  admit(from: number, to: number): void;
  absorb(states: number, stride: number, number: number, moves: number, moveCount: number, rest: number, state: number): number;
}

/** Room of a batch; as in core/core.ts. */
export const MOST_SOURCES = 32;
export const MOST_SLOTS = 512;
export const MOST_CHOICES = 256;
export const MOST_RECENT = 4096;

/** Most images that a state may have, itself included. */
export const MOST_IMAGES = 24;

/** Most steps that are fused with one before them; as in core/core.ts. */
export const MOST_FUSED = 256;

/** Reasons for `visit` and `commit` to return: all is done, or there is something for the host to look at. */
export const DONE = 0;
export const REMARKABLE = 1;

/** What each core has for itself: where it works on a batch of states. */
export const OWN = [
  "sources",
  "sourceTuple",
  "slots",
  "slotTuples",
  "slotLeaves",
  "slotHashes",
  "sourceSteps",
  "sourceMoves",
  "choiceStack",
  "hashes",
  "images",
  "recent",
] as const satisfies readonly (keyof Core)[];

/** What the cores of several threads have to have in common, when they expand states together. */
export const COMMON = [
  "rules",
  "words",
  "allWords",
  "threads",
  "threadTable",
  "mutexes",
  "mutexTable",
  "instances",
  "asksForEnds",
  "fuses",
  "freedBits",
  "freedSlots",
  "freedSlotTable",
  "localsTable",
  "localsWords",
  "liveTable",
  "atFirst",
  "swaps",
  "swapTable",
  "imageBytes",
  "hashKeys",
  "dictionaries",
  "layout",
  "tupleBytes",
  "lanes",
  "chunks",
  "pages",
  "segments",
  "tableSize",
  "numberBits",
] as const satisfies readonly (keyof Core)[];

let bundled: WebAssembly.Module | null = null;

/** What `npm run build` compiles. */
export function bundledModule(): WebAssembly.Module {
  bundled ??= new WebAssembly.Module(readFileSync(resolve(packageRoot(), "dist/explore/core.wasm")));
  return bundled;
}

/** What the core asks its host to do. */
export interface Host {
  /** Judges a state that is an end of the scenario, or in which somebody is stuck; with a bit for each thread that can move. */
  judgeRest(number: number, moves: number, upperMoves: number): void;
}

/** A core of its own over the memory; `compiled` may be a module with more in it than the bundled one. */
export function newCore(memory: Pick<Memory, "shared">, host: Host, compiled = bundledModule()): Core {
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory: memory.shared }, core: { ...host } });
  return exports as unknown as Core;
}
