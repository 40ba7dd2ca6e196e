/** The core is compiled for itself: what it has in common with its host is written down twice, and is the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as host from "../../src/explore/core.js";
import * as learner from "../../src/explore/learner.js";
import * as lossyTable from "../../src/explore/lossy-table.js";
import * as normalForms from "../../src/explore/normal-forms.js";
import * as outOfCore from "../../src/explore/out-of-core.js";
import * as rules from "../../src/explore/rules.js";
import * as sortedRuns from "../../src/explore/sorted-runs.js";
import * as store from "../../src/explore/store.js";
import * as team from "../../src/explore/team.js";
import * as tuples from "../../src/explore/tuples.js";
import * as visitor from "../../src/explore/visitor.js";
import { packageRoot } from "../../src/session/open.js";
import * as layout from "../../src/state/layout.js";

const text = ["core.ts", "states.ts", "blocks.ts", "lossy.ts", "symmetry.ts", "runs.ts"]
  .map((file) => readFileSync(join(packageRoot(), "src/explore/core", file), "utf8"))
  .join("\n");
const constants = text.matchAll(/^(?:export )?const ([A-Z_]+): (?:u32|usize) = (\w+);$/gm);
const inCore = new Map([...constants].map(([, name, value]) => [name as string, Number(value)]));
const { FAULT, REPORTS, KINDS, THREAD_ROW, ...ofLearner } = learner;
const { DICTIONARY, COLUMN, CHUNK_ROW, ...ofTuples } = tuples;

/** What the host calls as the core does. */
const shared = Object.entries({
  ...host,
  ...layout,
  ...lossyTable,
  ...ofLearner,
  ...ofTuples,
  ...outOfCore,
  ...rules,
  ...sortedRuns,
  ...store,
  ...visitor,
}).filter(([name]) => inCore.has(name));

test("enough of them are compared", () => {
  expect(shared.map(([name]) => name)).toEqual(
    expect.arrayContaining([
      "DONE",
      "REMARKABLE",
      "MOST_SLOTS",
      "ACQUIRES",
      "TRUE",
      "READ",
      "LEAF_WRITES",
      "FREED",
      "CHUNK_BITS",
      "OVERFLOW",
      "SETTLED",
      "ENTRY_BYTES",
      "BITS_PER_STATE",
      "HASH_BYTES",
      "LISTED_BYTES",
      "ORIGINS",
    ]),
  );
});

test.each(shared)("%s", (name, value) => {
  expect(inCore.get(name)).toBe(value);
});

test("rows of which the core counts the bytes", () => {
  const { SWAP, SWAPPED_THREAD, CHANGE } = normalForms;
  const rows = { DICTIONARY, COLUMN, CHUNK: CHUNK_ROW, REST: team.REST, THREAD_ROW, SWAP, SWAPPED_THREAD, CHANGE };
  for (const [name, words] of Object.entries(rows)) expect([name, inCore.get(name)]).toEqual([name, words * 4]);
  expect(inCore.get("HASHES")).toBe(host.MOST_SLOTS);
});

test("flags and kinds that are called otherwise", () => {
  expect(inCore.get("FAULT_OR_REPORTS")).toBe(FAULT | REPORTS);
  expect(inCore.get("FINGERPRINTS")).toBe(lossyTable.KEEPS.hash);
  const named = ["lock", "finished", "idle", "idle-until"].map((kind) => inCore.get(kind.toUpperCase().replace("-", "_")));
  expect(named).toEqual([KINDS.lock, KINDS.finished, KINDS.idle, KINDS["idle-until"]]);
});
