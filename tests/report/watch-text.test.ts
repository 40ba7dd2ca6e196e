import { describe, expect, it } from "vitest";
import { plain } from "../../src/report/style.js";
import { changedText, checkedText, resultText, soFarText } from "../../src/report/watch-text.js";
import { race, resultOf, run } from "./runs.js";

const look = { width: 100, style: plain, traces: "shortest" as const, file: "small.ts" };

describe("what `check --watch` prints", () => {
  it("says what has been saved", () => {
    expect(changedText(["a.ts", "b.ts"], look)).toBe("changed  a.ts and b.ts\n");
  });

  it("has a row for a suite that ran, and none for one that did not have to", () => {
    const held = run("small/holds");
    expect(resultText(resultOf(held), look)).toMatch(/^held +small\/holds/);
    expect(resultText(resultOf({ ...held, isCached: true }), look)).toBe("");
  });

  it("says how the others came out while large ones are at work", () => {
    expect(soFarText([resultOf(run("small/holds"))], 3, look)).toBe("\nso far  1 suite: as expected; 2 large suites still at work\n\n");
    expect(soFarText([resultOf(race())], 2, look)).toContain("1 not as expected (small/holds); 1 large suite still at work");
  });

  it("says at the end what came from the cache, and shows what is violated", () => {
    const text = checkedText([resultOf(race()), resultOf({ ...run("small/holds"), isCached: true })], null, look);
    expect(text).toMatch(/^1 suite unchanged, from the cache\n2 suites: 1 not as expected/);
    expect(text).toContain("VIOLATED  D1");
  });
});
