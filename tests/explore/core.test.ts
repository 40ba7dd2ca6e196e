/** The core is compiled for itself: what it has in common with its host is written down twice, and is the same. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import * as host from "../../src/explore/core.js";
import * as learner from "../../src/explore/learner.js";
import * as rules from "../../src/explore/rules.js";
import * as store from "../../src/explore/store.js";
import * as visitor from "../../src/explore/visitor.js";
import { packageRoot } from "../../src/session/open.js";

const text = readFileSync(join(packageRoot(), "src/explore/core/core.ts"), "utf8");
const inCore = new Map([...text.matchAll(/^const ([A-Z_]+): u32 = (\d+);$/gm)].map(([, name, value]) => [name as string, Number(value)]));
const { FAULT, REPORTS, KINDS, ...ofLearner } = learner;

/** What the host calls as the core does. */
const shared = Object.entries({ ...host, ...ofLearner, ...rules, ...store, ...visitor }).filter(([name]) => inCore.has(name));

test("enough of them are compared", () => {
  expect(shared.map(([name]) => name)).toEqual(
    expect.arrayContaining(["REMARKABLE", "MOST_SLOTS", "ACQUIRES", "TRUE", "READ", "LEAF_WRITES", "CHUNK_BITS", "SETTLED"]),
  );
});

test.each(shared)("%s", (name, value) => {
  expect(inCore.get(name)).toBe(value);
});

test("flags and kinds that are called otherwise", () => {
  expect(inCore.get("FAULT_OR_REPORTS")).toBe(FAULT | REPORTS);
  const named = ["lock", "finished", "idle", "idle-until"].map((kind) => inCore.get(kind.toUpperCase().replace("-", "_")));
  expect(named).toEqual([KINDS.lock, KINDS.finished, KINDS.idle, KINDS["idle-until"]]);
});
