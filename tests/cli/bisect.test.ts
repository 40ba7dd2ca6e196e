import { describe, expect, it } from "vitest";
import type { JsonBisect } from "../../src/report/bisect.js";
import { bisectWay, setAfter, type Tested, wayBetween } from "../../src/session/bisect.js";
import { iommuMc } from "./helpers.js";

const patches = "tests/cli/fixtures/patches.ts";
const [split, own, settle, tidy] = ["cccccccccccc", "dddddddddddd", "eeeeeeeeeeee", "ffffffffffff"] as const;

describe("bisect", () => {
  it("finds the commit that was put in", async () => {
    const words = ["bisect", `shop-1+${own}`, `shop-1+${settle}+${tidy}+${split}`, "--suite", "shop/pay", "--file", patches];
    const { code, stdout } = await iommuMc([...words, "--property", "P1", "--json"]);
    const document = JSON.parse(stdout) as JsonBisect;
    expect([code, document.exitCode]).toEqual([0, 0]);
    expect(document.way).toMatchObject([
      { sha: own, change: "reverted" },
      { sha: split, change: "applied" },
      { sha: settle, change: "applied" },
      { sha: tidy, change: "applied" },
    ]);
    expect(document.first).toEqual({ sha: split, change: "applied", subject: "shop: split paying" });
    expect(document.introduced).toMatchObject([{ check: "P1", steps: 1 }]);
    // What does not ask for the others is run once with `split` and once without.
    expect(document.checks).toBe(2);
    const text = await iommuMc(words);
    expect(text.stdout).toContain(`${split} is the first bad commit\n  shop: split paying\n  VIOLATED  P1, 1 step\n`);
    const [replayed] = /replay \S+ .*/.exec(text.stdout) as RegExpExecArray;
    expect((await iommuMc(replayed.split(" "))).code).toBe(1);
  });

  it("finds the one that was taken out", async () => {
    const { code, stdout } = await iommuMc([
      ...["bisect", `shop-1+${settle}+${split}+${own}`, `shop-1+${split}`],
      ...["--suite", "shop/settle", "--property", "P2", "--file", patches],
    ]);
    expect([code, stdout]).toEqual([0, expect.stringContaining(`${settle} is the first bad commit: taking it out`)]);
  });

  it.each([
    [["shop-1", `shop-1+${settle}`, "--suite", "shop/settle", "--property", "P2"], 1, "shop-1 is not good: there is nothing to find"],
    [["shop-1", `shop-1+${own}`, "--suite", "shop/pay"], 1, `shop-1+${own} is not bad: there is nothing to find`],
    [["shop-1", `shop-1+${split}`, "--suite", "shop/pay", "--max-states", "1"], 3, "unfinished"],
  ])("%j exits with %i", async (words, code, told) => {
    expect(await iommuMc(["bisect", ...words, "--file", patches])).toMatchObject({ code, stdout: expect.stringContaining(told) });
  });

  it.each([
    [["shop-2", "shop-1", "--suite", "shop/pay"], "there is no design shop-2"],
    [["shop-1", `shop-1+${tidy}`, "--suite", "shop/pay"], `needs ${settle}`],
    [["shop-1", "shop-1+abcdef12", "--suite", "shop/pay"], "knows no commit abcdef12"],
    [["shop-1", `shop-1-${split}`, "--suite", "shop/pay"], "does not include it"],
    [["shop-1", `shop-1+${split}`, "--suite", "shop/pay", "--property", "P9"], "there is no property P9"],
    [["shop-1", "shop-1"], "required option '--suite <name>' not specified"],
  ])("%j exits with 2", async (words, told) => {
    expect(await iommuMc(["bisect", ...words, "--file", patches])).toMatchObject({ code: 2, stderr: expect.stringContaining(told) });
  });
});

describe("the way between two sets of commits", () => {
  const commits = Object.fromEntries(["a", "b", "c", "d"].map((sha) => [sha, { subject: sha, since: "v1" }]));
  const design = { commits } as unknown as Parameters<typeof wayBetween>[0];

  it("takes out newest first, and puts in oldest first", () => {
    const from = new Set(["a", "b"]);
    const way = wayBetween(design, from, new Set(["c", "d"]));
    expect(way.map(({ sha, change }) => `${change} ${sha}`)).toEqual(["reverted b", "reverted a", "applied c", "applied d"]);
    expect([0, 2, 3].map((place) => [...setAfter(from, way, place)].join(""))).toEqual(["ab", "", "c"]);
  });

  it.each(Array.from({ length: 9 }, (_, place) => place + 1))("is halved until the first bad place, %i of 9, is found", async (wanted) => {
    const asked: number[] = [];
    const test = async (place: number): Promise<Tested> => {
      asked.push(place);
      return place >= wanted ? "bad" : "good";
    };
    expect(await bisectWay(9, test)).toEqual([wanted - 1, wanted]);
    expect(asked.length).toBeLessThan(5);
    expect(new Set(asked).size).toBe(asked.length);
  });

  it("leaves open what cannot be tested", async () => {
    const test = async (place: number): Promise<Tested> => (place === 4 || place === 5 ? "skip" : place >= 5 ? "bad" : "good");
    expect(await bisectWay(9, test)).toEqual([3, 6]);
  });
});
