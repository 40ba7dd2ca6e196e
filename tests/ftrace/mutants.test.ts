/** What the mutations of traces do. */
import { beforeAll, describe, expect, it } from "vitest";
import { readTrace } from "../../src/ftrace/read.js";
import type { TraceRecord } from "../../src/ftrace/record.js";
import { MUTATIONS, type MutationName, type MutationScope, mutant } from "./mutants.js";

const scope: MutationScope = {
  inScope: ({ kind }) => kind !== "mark",
  isWholeCall: () => false,
  underMutex: new Set(["__iommu_take_dma_ownership", "__iommu_release_dma_ownership"]),
};

/** A record of a trace in small: task A or B, and what it does to a group. */
function record(line: number, pid: number, kind: "call" | "return", event: string, fields: TraceRecord["fields"] = {}): TraceRecord {
  return { line, seconds: line / 10, cpu: 0, task: pid === 1 ? "A" : "B", pid, kind, event, caller: null, fields };
}

const small: readonly TraceRecord[] = [
  record(1, 1, "call", "__iommu_take_dma_ownership", { grp: "0xa", gid: 1 }),
  record(2, 1, "call", "__iommu_attach_device", { dev: "d0", grp: "0xa", dgid: 1 }),
  record(3, 2, "call", "iommu_group_claim_dma_owner", { grp: "0xb", gid: 2 }),
  record(4, 1, "return", "__iommu_attach_device", { ret: 0 }),
  record(5, 1, "return", "__iommu_take_dma_ownership", { ret: 0 }),
  record(6, 1, "return", "iommu_group_claim_dma_owner", { ret: 0 }),
  record(7, 2, "call", "__iommu_take_dma_ownership", { grp: "0xa", gid: 1 }),
  record(8, 2, "return", "__iommu_take_dma_ownership", { ret: -16 }),
];

function short({ pid, kind, event, fields }: TraceRecord): string {
  return `${pid} ${kind} ${event} ${fields.gid ?? fields.dgid ?? fields.ret}`;
}

/** All that a mutation makes of the small trace, by the first seeds. */
function all(name: MutationName): string[] {
  return [...new Set(Array.from({ length: 60 }, (_, seed) => mutant(small, name, seed, scope)?.what ?? "nothing"))].sort();
}

describe("a mutation", () => {
  it("swaps what a task does after one another", () => {
    expect(all("swap")).toContain("the call of __iommu_attach_device and the return of __iommu_attach_device of A change places");
    expect(all("swap").filter((what) => what.includes("of B"))).toHaveLength(2);
  });

  it("changes a result", () => {
    expect(all("result")).toContain("__iommu_take_dma_ownership returns 0 instead of -16");
    expect(all("result").filter((what) => what.includes("instead of 0"))).toHaveLength(9);
  });

  it("drops an attach with its return, and nothing of another task", () => {
    const dropped = mutant(small, "attach", 0, scope);
    expect([dropped?.what, dropped?.line]).toEqual(["the call of __iommu_attach_device of d0 is not there", 2]);
    expect(dropped?.records.map(short)).toEqual(small.filter(({ event }) => event !== "__iommu_attach_device").map(short));
  });

  it("changes a group", () => {
    expect(all("group")).toEqual([
      "the call of __iommu_attach_device is of group 2 instead of 1",
      "the call of __iommu_take_dma_ownership is of group 2 instead of 1",
      "the call of iommu_group_claim_dma_owner is of group 1 instead of 2",
    ]);
  });

  it("has a task go on while another holds the mutex", () => {
    const delayed = mutant(small, "mutex", 0, scope);
    expect(delayed?.records.map(short)).toEqual([
      "1 call __iommu_take_dma_ownership 1",
      "1 call __iommu_attach_device 1",
      "2 call iommu_group_claim_dma_owner 2",
      "1 return __iommu_attach_device 0",
      "2 call __iommu_take_dma_ownership 1",
      "1 return __iommu_take_dma_ownership 0",
      "1 return iommu_group_claim_dma_owner 0",
      "2 return __iommu_take_dma_ownership -16",
    ]);
  });

  it("finds nothing to change where there is nothing", () => {
    const none = { ...scope, inScope: () => false };
    for (const name of Object.keys(MUTATIONS) as MutationName[]) expect([name, mutant(small, name, 1, none)]).toEqual([name, null]);
  });
});

describe("mutants of a recording", () => {
  let recorded: readonly TraceRecord[] = [];
  beforeAll(async () => {
    const records: TraceRecord[] = [];
    for await (const each of readTrace("tests/ftrace/fixtures/7.2-intel.jsonl")) records.push(each);
    recorded = records;
  });

  it.each(["swap", "result", "group"] as const)("by %s are the same by the same seed, in order, and differ from it", (name) => {
    const before = JSON.stringify(recorded);
    for (let seed = 0; seed < 50; seed++) {
      const made = mutant(recorded, name, seed, scope);
      expect(made).toEqual(mutant(recorded, name, seed, scope));
      expect(made?.records.map(({ line, seconds }) => [line, seconds])).toEqual(recorded.map(({ line, seconds }) => [line, seconds]));
      const differing = made?.records.findIndex((each, place) => JSON.stringify(each) !== JSON.stringify(recorded[place]));
      expect([differing === -1, made?.line]).toEqual([false, recorded[differing as number]?.line]);
    }
    expect(JSON.stringify(recorded)).toBe(before);
  });
});
