/** Would an audit notice? Some of the mutants of reports/audits, and how they are made. */
import { describe, expect, it } from "vitest";
import { judgeMutants, shownMutants } from "./mutants.js";
import { mutate, sample } from "./mutate.js";

describe("mutants of a file", () => {
  const text = `import { EBUSY, type Proc } from "iommu-mc";
function* claim(group): Proc {
  if (group.owner_cnt > 0) return -EBUSY;
  yield;
  group.owner_cnt++;
  return 0;
}
`;
  const { text: switched, mutants, commits } = mutate(text, "file.ts");

  it("drop a statement, negate a condition, exchange a constant", () => {
    expect(mutants.map(({ line, procedure, what }) => `${line} ${procedure}: ${what}`)).toEqual([
      "3 claim: `group.owner_cnt > 0` negated",
      "3 claim: `1` for `0` in `if (group.owner_cnt > 0) return -EBUSY;`",
      "3 claim: `-ENODEV` for `-EBUSY` in `if (group.owner_cnt > 0) return -EBUSY;`",
      "5 claim: without `group.owner_cnt++;`",
      "6 claim: `1` for `0` in `return 0;`",
    ]);
    expect(Object.keys(commits)).toEqual(mutants.map(({ sha }) => sha));
  });

  it("are switches, each in its place", () => {
    expect(switched).toBe(`import { applied, ENODEV, EBUSY, type Proc } from "iommu-mc";
function* claim(group): Proc {
  if ((applied("badc0de00000") ? !(group.owner_cnt > (applied("badc0de00001") ? 1 : 0)) : (group.owner_cnt > (applied("badc0de00001") ? 1 : 0)))) return (applied("badc0de00002") ? -ENODEV : -EBUSY);
  yield;
  { if (!applied("badc0de00003")) group.owner_cnt++; }
  return (applied("badc0de00004") ? 1 : 0);
}
`);
  });

  it("are sampled by seed", () => {
    const some = sample(mutants, 3, 7);
    expect(new Set(some).size).toBe(3);
    expect(sample(mutants.toReversed(), 3, 7)).toEqual(some);
    expect(sample(mutants, 3, 7)).toEqual(some);
    expect(sample(mutants, 99, 7).length).toBe(mutants.length);
  });
});

describe("an audit of the Linux model", () => {
  it("tells most mutants from the original", () => {
    const [, shown] = shownMutants;
    const judged = judgeMutants(shown!);
    expect(judged.length).toBe(15);
    const kinds = judged.map(({ verdict }) => verdict.kind);
    expect(kinds).not.toContain("refused");
    expect(kinds.filter((kind) => kind === "differs").length).toBeGreaterThan(7);
  });
});
