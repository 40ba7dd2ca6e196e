/** Every property and every check has been seen red on the Linux model, by what is said to turn it red and nothing else. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { packageRoot } from "../../src/session/open.js";
import type { SuiteRun } from "../../src/session/run-suite.js";
import { type Cause, checkCauses, propertyCauses } from "./mutants.js";
import { asking, despite, having, openBundled, run, suiteOf, withoutThreads } from "./variant.js";

const bundled = openBundled();
const properties = [...new Map(bundled.suites.flatMap((suite) => suite.properties).map((one) => [one.code, one])).values()];

function runUnder({ file, edits, suite: name, asked, revert = [], apply = [], withoutThreads: absent = [], ...cause }: Cause): SuiteRun {
  const session = openBundled(file, edits);
  const suite = withoutThreads(suiteOf(session, name), absent);
  return run(session, despite(asked ? asking(suite, asked) : suite, cause.despite ?? []), { revert, apply });
}

function reddened({ red, also = [], despite: before = [] }: Cause): string[] {
  return [red, ...also, ...before].sort();
}

const title = ({ red, name }: Cause) => `${red}: ${name}`;
const kindOf = new Map(properties.map(({ code, window }) => [code, window.kind]));
const claims = propertyCauses.filter(({ red }) => kindOf.get(red) !== "sometimes");
const witnesses = propertyCauses.filter(({ red }) => kindOf.get(red) === "sometimes");

describe("properties", () => {
  /** What was not so, in any of the runs: `C1: every device is on the group's domain`. */
  const notSo = new Set<string>();

  it.each(claims.map((cause) => [title(cause), cause] as const))("%s", (_, cause) => {
    const result = runUnder(cause);
    expect(having(result, "violated")).toEqual(reddened(cause));
    for (const { check, message } of result.outcome.findings.filter(({ isProperty }) => isProperty)) {
      if (check !== cause.red) continue;
      for (const part of /^not so: (.*)$/s.exec(message)?.[1]?.split("; ") ?? []) notSo.add(`${check}: ${part}`);
    }
  });

  it.each(witnesses.map((cause) => [title(cause), cause] as const))("%s", (_, cause) => {
    const result = runUnder(cause);
    expect(having(result, "vacuous")).toContain(cause.red);
    expect(having(result, "violated")).toEqual([]);
  });

  it("have each of their conjuncts seen red", () => {
    const folder = join(packageRoot(), "properties");
    const conjuncts = readdirSync(folder)
      .flatMap((file) => [...readFileSync(join(folder, file), "utf8").matchAll(/^ {2}code: "([^"]+)",(.*?)^\}\);/gms)])
      .flatMap(([, code, body]) => [...(body as string).matchAll(/"([^"\n]+)":\s/g)].map(([, conjunct]) => `${code}: ${conjunct}`));
    expect(conjuncts.length).toBeGreaterThan(15);
    expect(conjuncts.filter((conjunct) => !notSo.has(conjunct))).toEqual([]);
  });

  it.each(properties.map(({ code, seenRedBy }) => ({ code, seenRedBy })))("$code says what turns it red", ({ code, seenRedBy }) => {
    const shown = propertyCauses.filter(({ red }) => red === code).map(({ name }) => name);
    expect(seenRedBy.split("; ").sort()).toEqual([...new Set(shown)].sort());
  });
});

describe("checks that are always on", () => {
  it.each(checkCauses.map((cause) => [title(cause), cause] as const))("%s", (_, cause) => {
    expect(having(runUnder(cause), "violated")).toEqual(reddened(cause));
  });
});

describe("an edit", () => {
  it("whose text is not there, or there twice, is refused", () => {
    expect(() => openBundled("models/linux/iommu/attach.ts", [{ find: "no such line", replace: "" }])).toThrow("0 times");
    expect(() => openBundled("models/linux/iommu/attach.ts", [{ find: "mutex_unlock(group.mutex);", replace: "" }])).toThrow(/\d+ times/);
  });
});
