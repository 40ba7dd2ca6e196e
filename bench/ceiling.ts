/** How fast the engine's table can be: a bare loop that inserts random states of a size, and does nothing else. */
import { mkdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { type Core, MOST_SLOTS, newCore } from "../src/explore/core.js";
import { Memory } from "../src/explore/memory.js";
import { Store } from "../src/explore/store.js";
import { run } from "./command.js";

/** Inserts of so many states of so many 32-bit words a second, the growth of the table included. */
export async function ceiling(states: number, words: number, folder: string): Promise<number> {
  mkdirSync(folder, { recursive: true });
  const wasm = join(folder, "ceiling.wasm");
  const config = resolve("src/explore/core/asconfig.json");
  await run(resolve("node_modules/.bin/asc"), [resolve("bench/ceiling/core.ts"), "--config", config, "--outFile", wasm], ".");
  const memory = new Memory();
  const core = newCore(memory, { normalise: () => {}, judgeRest: () => {} }, new WebAssembly.Module(readFileSync(wasm)));
  const store = new Store(memory, words, undefined, core);
  const { insertRandom } = core as Core & { insertRandom(number: number, state: number): void };
  const state = memory.allocate(words * 4 + 4);
  const began = performance.now();
  while (store.count < states) {
    store.makeRoom();
    insertRandom(Math.min(MOST_SLOTS, states - store.count), state);
  }
  return (1000 * states) / (performance.now() - began);
}
