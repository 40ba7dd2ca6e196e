import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { type RunSuiteOptions, runSuiteNow, type SuiteRun } from "../../src/session/run-suite.js";
import { VerdictCache } from "../../src/session/verdict-cache.js";
import { models } from "../random/grow.js";
import { load, tiny } from "../support/model.js";

let folder: string;
let cache: VerdictCache;
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "iommu-mc-cache-test-")), "verdicts");
  cache = new VerdictCache(folder);
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true, force: true }));

function run(text: string, options: RunSuiteOptions = {}): SuiteRun {
  const { session, suite } = load(text);
  return runSuiteNow(session, suite, { cache, ...options });
}

/** Two threads, of which one calls a helper; a third procedure is never called. */
const text = tiny({
  procedures: `
function step(n) { return n + 1; }
function* t(b) { yield; b.n = step(b.n); }
function* unused(b) { yield; b.n = 0; }
function* u(b) { yield; b.m = 1; }`,
  structs: "box: { n: counter(3), m: counter(1) }",
  make: `const b = make("box", "b");`,
  threads: `thread("t", t, b), thread("u", u, b)`,
  more: `properties: [claim("P", windows(s).always("box", (b) => b.n < 3))]`,
});

function facts({ outcome, comparisons, exitCode, traces }: SuiteRun) {
  const { statistics, ...rest } = outcome;
  return {
    ...rest,
    comparisons,
    exitCode,
    traces: traces.map(({ trace }) => trace.steps.map(({ thread, location }) => [thread, location])),
  };
}

describe("an outcome is found again", () => {
  test("when nothing has changed", () => {
    const first = run(text);
    const second = run(text);
    expect([first.isCached, second.isCached]).toEqual([false, true]);
    expect(facts(second)).toEqual(facts(first));
  });

  test("when a function has changed that the run did not enter, and not when it did", () => {
    run(text);
    expect(run(text.replace("b.n = 0", "b.n = 2")).isCached).toBe(true);
    expect(run(text.replace("b.m = 1", "b.m = 0")).isCached).toBe(false);
    expect(run(text.replace("n + 1", "n + 2")).isCached).toBe(false);
  });

  test("when a change is taken back", () => {
    run(text);
    expect(run(text.replace("n + 1", "n + 3"))).toMatchObject({ isCached: false, exitCode: 1 });
    expect(run(text)).toMatchObject({ isCached: true, exitCode: 0 });
    expect(run(text.replace("n + 1", "n + 3"))).toMatchObject({ isCached: true, exitCode: 1 });
  });

  test("not with another property, scenario, schema, engine, limit or variant", () => {
    run(text);
    expect(run(text.replace("b.n < 3", "b.n < 1"))).toMatchObject({ isCached: false, exitCode: 1 });
    expect(run(text.replace(', thread("u", u, b)', "")).isCached).toBe(false);
    expect(run(text.replace("m: counter(1)", "m: counter(2)")).isCached).toBe(false);
    expect(run(text, { engine: "reference" }).isCached).toBe(false);
    expect(run(text, { limits: { maxStates: 2 } })).toMatchObject({ isCached: false, exitCode: 3 });
    expect(run(text, { variant: { faults: 1 } }).isCached).toBe(false);
    expect(run(text).isCached).toBe(true);
  });

  test("not when the run was stopped by a limit", () => {
    run(text, { limits: { maxStates: 2 } });
    expect(run(text, { limits: { maxStates: 2 } }).isCached).toBe(false);
  });

  test("with findings told of the places where they are now", () => {
    const wrong = text.replace("b.n = step(b.n);", "WARN_ON(b.n === 0); b.n = step(b.n);");
    const places = ({ traces }: SuiteRun) => traces.map(({ finding }) => finding.location?.line);
    const first = run(wrong);
    expect(first.exitCode).toBe(1);
    expect(run(wrong)).toMatchObject({ isCached: true, exitCode: 1 });
    const moved = run(wrong.replace("function step", "\n\nfunction step"));
    expect(places(moved)).toEqual(places(first).map((line) => (line as number) + 2));
    expect(moved.isCached).toBe(false);
  });
});

describe("the folder", () => {
  test("may hold anything", () => {
    run(text);
    const [file] = readdirSync(folder).map((name) => join(folder, name));
    const kept = readFileSync(file as string, "utf8");
    for (const broken of ["", "{", "null", "[]", '{"entries":[{}]}', kept.replace('"holds"', '"violated"')]) {
      writeFileSync(file as string, broken);
      expect([broken.slice(0, 20), run(text).isCached]).toEqual([broken.slice(0, 20), false]);
    }
    expect(run(text).isCached).toBe(true);
  });

  test("does not grow without end", () => {
    const small = new VerdictCache(folder, 3);
    for (let most = 1; most <= 6; most++) run(text.replace("counter(3)", `counter(${most + 3})`), { cache: small });
    expect(readdirSync(folder)).toHaveLength(3);
    expect(existsSync(folder)).toBe(true);
  });
});

test("whatever is changed in a model, what the cache says is what a run says", () => {
  let hits = 0;
  let misses = 0;
  fc.assert(
    fc.property(models, fc.array(fc.tuple(fc.nat(), fc.nat({ max: 2 })), { minLength: 1, maxLength: 3 }), (model, edits) => {
      const limits = { maxStates: 1000 };
      const edited = edits.reduce((before, [place, digit]) => withDigit(before, place, digit), model);
      if (attempt(() => run(model, { limits })) === null) return;
      const [cached, fresh] = [true, false].map((isCached) =>
        attempt(() => {
          const { session, suite } = load(edited);
          return runSuiteNow(session, suite, isCached ? { cache, limits } : { limits });
        }),
      );
      if (!cached || !fresh) {
        expect([cached, fresh]).toEqual([null, null]);
        return;
      }
      expect(facts(cached)).toEqual(facts(fresh));
      if (cached.isCached) hits++;
      else misses++;
    }),
    { numRuns: 60 },
  );
  expect(hits).toBeGreaterThan(3);
  expect(misses).toBeGreaterThan(3);
});

/** The text with one of its digits replaced. */
function withDigit(text: string, place: number, digit: number): string {
  const places = [...text.matchAll(/(?<=[ (=+] ?)[0-2](?=[ );])/g)].map(({ index }) => index);
  const at = places[place % places.length];
  return at === undefined ? text : text.slice(0, at) + digit + text.slice(at + 1);
}

/** The result, or null for a model that is refused. */
function attempt<T>(work: () => T): T | null {
  try {
    return work();
  } catch (error) {
    if (error instanceof ModelError) return null;
    throw error;
  }
}
