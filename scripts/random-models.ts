/**
 * Compares the engines on many random models:
 * npm run random-models -- --models 10000 [--seed N]
 * Exit code 0 if they agree on all of them, 1 if not; the smallest model found is printed with the seed.
 */
import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import fc from "fast-check";
import { ALL_REDUCTIONS } from "../src/explore/reduced.js";
import { compareEngines, compareReduced } from "../tests/random/agreement.js";
import { grow, tapes } from "../tests/random/grow.js";

const { values } = parseArgs({ options: { models: { type: "string", default: "10000" }, seed: { type: "string" } } });
const wanted = Number(values.models);
const seed = values.seed === undefined ? randomInt(2 ** 31) : Number(values.seed);
if (!Number.isSafeInteger(wanted) || wanted < 1 || !Number.isSafeInteger(seed)) {
  console.error("usage: npm run random-models -- --models 10000 [--seed N]");
  process.exit(2);
}
console.log(`seed ${seed}: ${wanted} models`);

const kinds = { compared: 0, "too large": 0, refused: 0 };
const seen = new Map<string, number>();
let states = 0;
let plainStates = 0;
let reducedStates = 0;
let tried = 0;
const started = performance.now();
const details = fc.check(
  fc.property(tapes, (tape) => {
    const compared = compareEngines(grow(tape));
    // Of the same tape, threads that may be interchangeable.
    for (const text of [grow(tape), grow(tape, true)]) {
      const reduced = compareReduced(text, ALL_REDUCTIONS);
      plainStates += reduced?.plain ?? 0;
      reducedStates += reduced?.reduced ?? 0;
    }
    kinds[compared.kind]++;
    states += compared.states;
    for (const what of compared.seen) seen.set(what, (seen.get(what) ?? 0) + 1);
    if (++tried % 500 === 0) console.log(`${tried} models, ${Math.round((performance.now() - started) / 1000)} s`);
  }),
  { numRuns: wanted, seed },
);
console.log(`${kinds.compared} compared (${states} states), ${kinds["too large"]} too large, ${kinds.refused} refused by both`);
console.log(`${reducedStates} states in reduced runs, ${plainStates} in others`);
for (const [what, count] of [...seen].sort()) if (!/ holds$/.test(what)) console.log(`  ${what}: ${count}`);
if (details.failed) {
  console.log(`the engines disagree on ${details.counterexample?.[0]}`);
  console.log(`seed ${details.seed}, path ${details.counterexamplePath}`);
  console.log(String(details.errorInstance));
  process.exitCode = 1;
}
