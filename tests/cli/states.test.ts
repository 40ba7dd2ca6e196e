import { describe, expect, it } from "vitest";
import type { JsonStates } from "../../src/report/cardinality-text.js";
import { iommuMc, small, temporaryFolder } from "./helpers.js";

/** A wheel that turns for ever, or until its counter is at its end. */
function counter(also: string): string {
  return `import { choose, counter, design, scenario, schema, suite, thread, type Proc, type View } from "iommu-mc";
const s = schema({ wheel: { position: counter(3), turns: counter(7) } });
function* turn(wheel: View<typeof s, "wheel">): Proc {
  while (wheel.turns < 7) {
    yield;
    wheel.position = choose("to", [0, 1, 2]);
    ${also}
  }
}
const turning = scenario(s, "turning", { describes: "a wheel turns", setup: (make) => [thread("hand", turn, make("wheel", "w"))] });
export const only = suite({ name: "turning", design: design({ name: "wheels", version: "1", schema: s, commits: {}, includes: [] }), scenario: turning, properties: [] });
`;
}

describe("states", () => {
  const { write } = temporaryFolder();

  it("tells which parts of the state multiply it", async () => {
    const { code, stdout } = await iommuMc(["states", "small/holds", "--file", small]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^small\/holds · \d+ states\n/);
    expect(stdout).toMatch(/'s place +×\d\.\d\d, \d+ values, \d+ states without it\n/);
  });

  it("prints the same as JSON, which a later run is compared with", async () => {
    const { code, stdout } = await iommuMc(["states", "small/holds", "--file", small, "--json"]);
    const document = JSON.parse(stdout) as JsonStates;
    expect([code, document.command, document.suite, document.end, document.exitCode]).toEqual([0, "states", "small/holds", "complete", 0]);
    const [first] = document.dimensions ?? [];
    expect(first?.factor).toBeCloseTo(document.states / (first?.without as number));
    const fewer = { ...document, states: 3, dimensions: [{ ...first, values: 2, factor: 1 }] };
    const before = write("before.json", JSON.stringify(fewer));
    const compared = await iommuMc(["states", "small/holds", "--file", small, "--against", before]);
    expect(compared.stdout).toMatch(/^small\/holds · \d+ states, before 3\n/);
    expect(compared.stdout).toMatch(new RegExp(`${first?.name} +×1\\.00 with 2 values → ×\\d`));
    expect(compared.stdout).toContain("does not change → ×");
  });

  it("says that something counts and never goes back, which it did not before", async () => {
    const counting = write("counting.ts", counter("wheel.turns += 1;"));
    const still = write("still.ts", counter(""));
    const { stdout } = await iommuMc(["states", "turning", "--file", still, "--json"]);
    const before = write("still.json", stdout);
    const compared = await iommuMc(["states", "turning", "--file", counting, "--against", before]);
    expect(compared.stdout).toMatch(/^ {2}w\.turns +does not change → ×\d\.\d\d with 8 values, never goes back$/m);
  });

  it("says first that not all states were counted", async () => {
    const { code, stdout } = await iommuMc(["states", "small/holds", "--file", small, "--max-states", "3"]);
    expect(code).toBe(3);
    expect(stdout).toMatch(/^unfinished: stopped by a limit after \d+ states; only these are counted\n/);
  });

  it.each([
    [["states", "small/hold", "--file", small], "Did you mean small/holds?"],
    [["states", "small/holds", "--file", small, "--against", "nowhere.json"], "there is no file nowhere.json"],
    [["states", "small/holds", "--file", small, "--against", small], "is no JSON"],
    [["states", "small/holds", "--file", small, "--against", "package.json"], "is not of `iommu-mc states --json`"],
  ])("%j exits with 2", async (words, told) => {
    expect(await iommuMc(words)).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });
});
