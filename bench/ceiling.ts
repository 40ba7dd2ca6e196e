/** How fast the engine's table can be: a bare loop that inserts random states of a size, and does nothing else. */
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Core, MOST_SLOTS, newCore } from "../src/explore/core.js";
import { Memory } from "../src/explore/memory.js";
import { Store } from "../src/explore/store.js";
import { run } from "./command.js";

/** Words of a state, and values that each of them has had: its tuple is 8 bytes. */
const WORDS = 4;
const VALUES = 1 << 16;

/** Inserts of so many tuples of 8 bytes a second, the growth of the table included. */
export async function ceiling(states: number, folder: string): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const wasm = join(folder, "ceiling.wasm");
  const config = resolve("src/explore/core/asconfig.json");
  await run(resolve("node_modules/.bin/asc"), [resolve("bench/ceiling/core.ts"), "--config", config, "--outFile", wasm], ".");
  const memory = new Memory();
  const core = newCore(memory, { judgeRest: () => {} }, new WebAssembly.Module(readFileSync(wasm)));
  const store = new Store(memory, WORDS, { core });
  for (let value = 0; value < VALUES; value++) store.insert(new Uint32Array(WORDS).fill(value));
  const { insertRandom } = core as Core & { insertRandom(number: number, state: number, tuple: number): void };
  const [state, tuple] = [memory.allocate(WORDS * 4), memory.allocate(8)];
  const began = performance.now();
  const before = store.count;
  while (store.count < before + states) {
    store.makeRoom();
    insertRandom(Math.min(MOST_SLOTS, before + states - store.count), state, tuple);
  }
  return (1000 * states) / (performance.now() - began);
}
