/** What a run did not exercise, and what is not told because it goes without saying. */
import { describe, expect, test } from "vitest";
import type { NotExercised } from "../../src/lang/suite.js";
import { type Coverage, coverageOf } from "../../src/report/coverage.js";
import { coverageLines } from "../../src/report/coverage-text.js";
import { plain } from "../../src/report/style.js";
import { runSuiteNow } from "../../src/session/run-suite.js";
import { type Engine, engines, load, MODEL_FILE, tiny } from "../support/model.js";

function coverage(text: string, engine: Engine = "fast", notExercised: readonly NotExercised[] = []): Coverage {
  const { session, suite } = load(text, { coverage: true });
  return coverageOf({ points: session.points, notExercised }, [runSuiteNow(session, suite, { engine })]);
}

const box = (procedures: string, more = "") =>
  tiny({
    procedures,
    structs: "box: { n: counter(3), flag: flag(), all: list('box', 2) }",
    make: `const b = make("box", "b");`,
    threads: `thread("t", t, b)`,
    more,
  });

describe.each(engines)("%s", (engine) => {
  const gaps = (procedures: string, more = "") => coverage(box(procedures, more), engine).gaps.map(({ line, what }) => `${line} ${what}`);

  test("branches of if and ?:, in procedures and in what they call", () => {
    const text =
      "function* t(b) { yield; if (b.n === 0) b.n = 1; else { b.n = 2; }\nb.n = big(b) ? 3 : 2; }\nfunction big(b) { if (b.n > 1) return true; return false; }";
    expect(gaps(text)).toEqual(["2 b.n === 0 is never false", "3 big(b) is never true", "4 b.n > 1 is never true"]);
    expect(gaps("function* t(b) { yield; const x = choose('x', [0, 1]); if (x) b.n = 1; }")).toEqual([]);
  });

  test("a branch that only a property, a setup or a function nobody calls would take stays untaken", () => {
    const text =
      "function* t(b) { yield; b.n = pick(b); }\nfunction pick(b) { if (b.flag) return 2; return 1; }\nfunction unused(b) { return b.flag ? 1 : 2; }";
    expect(gaps(text, `properties: [claim("P", windows(s).always("box", (b) => pick({ flag: true }) === 2))]`)).toEqual([
      "3 b.flag is never true",
    ]);
  });

  test("a step that turns out not to be possible exercises nothing", () => {
    expect(gaps("function* t(b) { yield; if (choose('x', [0, 1])) { b.n = 1; assume(false); } else b.n = 2; yield idle(); }")).toEqual([
      "2 choose('x', [0, 1]) is never true",
      "2 choose('x') never takes 1",
    ]);
    expect(
      gaps(
        "function* t(b) { yield until(() => (b.flag ? true : false)); }",
        "expected: { stuck: { verdict: 'violated', reason: 'a test' } }",
      ),
    ).toEqual(["2 b.flag is never asked"]);
  });

  test("procedures, loops, cases and failures; what is inside of a gap goes without saying", () => {
    const text = `function* t(b) { yield; for (const other of b.all) { yield; if (other.flag) b.n = 1; }
switch (b.n) { case 0: b.flag = true; break; case 1: b.flag = fault("never mind"); break; default: b.flag = false; }
if (fault("kzalloc")) { b.n = 2; yield* gone(b); } }
function* gone(b) { yield; if (b.flag) b.n = 3; }`;
    const all = ["2 the loop over b.all is never run", "3 case 1 never comes", "3 the default case never comes"];
    expect(gaps(text)).toEqual([...all, `4 fault("kzalloc") is never injected`, "5 never entered"]);
    expect(gaps(text, "faults: 1")).toEqual(all.concat("5 b.flag is never false"));
  });

  test("alternatives that a run did not come to", () => {
    const text = box("function* t(b) { yield; b.n = choose('n', [1, 2]); yield; b.n = choose('m', [0, 3]); }");
    expect(coverage(text, engine).gaps).toEqual([]);
    const { session, suite } = load(text, { coverage: true });
    const cut = coverageOf({ points: session.points, notExercised: [] }, [
      runSuiteNow(session, suite, { engine, limits: { maxDepth: 1 } }),
    ]);
    expect(cut.gaps.map(({ what }) => what)).toEqual(["choose('m') never takes 0", "choose('m') never takes 3"]);
  });

  test("a warning that never fires is no gap, one that does not hold what it guards back is", () => {
    expect(gaps("function* t(b) { yield; if (WARN_ON(b.n > 1)) return; if (!WARN_ON(b.flag)) b.n = 1; }")).toEqual([]);
    expect(
      gaps("function* t(b) { yield; if (WARN_ON(true)) b.n = 1; }", "expected: { 'warn-on': { verdict: 'violated', reason: 'a test' } }"),
    ).toEqual(["2 WARN_ON(true) is never false"]);
  });
});

test("coverage changes nothing of what a run says", () => {
  const text = box(
    "function* t(b) { yield; for (const x of [1, 2]) { yield; if (fault('f') ? b.flag : b.n < x) b.n = choose('n', [0, x]); } }\nfunction* u() {}",
    "faults: 1",
  );
  const [plainly, covered] = [false, true].map((coverage) => {
    const { session, suite } = load(text, { coverage });
    const { states, transitions, depth, findings } = runSuiteNow(session, suite).outcome;
    return { states, transitions, depth, findings };
  });
  expect(covered).toEqual(plainly);
});

describe("merged and explained", () => {
  const text = box(
    "function* t(b) { yield; if (applied('aaaaaaaaaaaa')) b.n = 1; if (b.flag) b.n = 2; if (fault('late')) b.n = 3; }",
    `commits: { aaaaaaaaaaaa: { subject: "a", since: "v1" } }, properties: [claim("W", windows(s).sometimes("box", (b) => b.flag))]`,
  );

  test("commits apart, witnesses, reasons, and entries that say nothing", () => {
    const reasons: NotExercised[] = [
      { file: MODEL_FILE, procedure: "t", what: "late", reason: "no faults here" },
      { file: MODEL_FILE, procedure: "gone", reason: "was there once" },
    ];
    const found = coverage(text, "fast", reasons);
    expect(found).toMatchObject({ witnesses: ["W"], stale: [reasons[1]], points: 8, exercised: 4 });
    expect(coverageLines(found, { width: 200, style: plain })).toEqual([
      "what this run did not exercise",
      "  4 of 8 places of the model were exercised",
      `  ${MODEL_FILE}`,
      "    - t: 2 b.flag is never true",
      "    - t: 2 fault('late') is never injected (no faults here)",
      "  commits that were neither reverted nor applied",
      `    - ${MODEL_FILE}:2 applied('aaaaaaaaaaaa') is never true`,
      "  witnesses never seen: W",
      `  the list of reasons has ${MODEL_FILE}: gone, which is exercised or not there`,
      "  1 gap without a reason",
    ]);
  });

  test("what one suite leaves another may exercise", () => {
    const { session, suite } = load(text, { coverage: true });
    const runs = [{}, { revert: [], apply: ["aaaaaaaaaaaa"], faults: 1 }].map((variant) => runSuiteNow(session, suite, { variant }));
    const both = coverageOf({ points: session.points, notExercised: [] }, runs);
    expect(both.gaps.map(({ what }) => what)).toEqual(["b.flag is never true"]);
    expect(both.suites.map(({ exercised }) => exercised)).toEqual([4, 7].map(() => expect.any(Number)));
    expect(both.exercised).toBe(7);
  });

  test("without being asked for there is nothing", () => {
    const { session } = load(text);
    expect(session.points).toEqual([]);
  });
});
