import { describe, expect, it } from "vitest";
import { certifyProgressText, progressText } from "../../src/report/progress.js";
import { plain } from "../../src/report/style.js";
import { suiteLines } from "../../src/report/suite-text.js";
import { reportText } from "../../src/report/text.js";
import { traceLines } from "../../src/report/trace-text.js";
import { exitCodeOf, verdictOf, worst } from "../../src/report/verdict.js";
import { counted, duration, enumerate, grouped, hanging, joined, rounded, wrap, wrapCall } from "../../src/report/wrap.js";
import type { SuiteRun } from "../../src/session/run-suite.js";
import { race, run, session } from "./runs.js";

const suiteNamed = (name: string) => session.suites.find((suite) => suite.name === name)!;
const look = { width: 110, style: plain };

describe("text", () => {
  it("is broken at spaces, and never inside a word", () => {
    expect(wrap("one two three", 8)).toEqual(["one two", "three"]);
    expect(wrap("one two three", 8, 2)).toEqual(["one two", "  three"]);
    expect(wrap("a-very-long-word b", 8)).toEqual(["a-very-long-word", "b"]);
    expect(wrap("", 8)).toEqual([""]);
  });

  it("keeps an arrow with what it leads to, and a brace with its call", () => {
    expect(wrap("count 0 → 1", 9)).toEqual(["count 0", "→ 1"]);
    expect(wrap("call(a, b) {", 10)).toEqual(["call(a,", "b) {"]);
  });

  it("breaks a call after its bracket only if it must", () => {
    expect(wrapCall("call(argument, b) {", 20, 4)).toEqual(["call(argument, b) {"]);
    expect(wrapCall("long_name(argument, b) {", 14, 2)).toEqual(
      ["long_name(", "  argument, b)", "  {"].slice(0, 1).concat(["  argument,", "  b) {"]),
    );
  });

  it("hangs under its head, facts together where they fit", () => {
    expect(hanging("head  ", "one two three four five six", 26)).toEqual(["head  one two three four", "      five six"]);
    expect(joined("x ", ["one", "two", "a longer fact"], 24)).toEqual(["x one · two", "  a longer fact"]);
  });

  it("writes numbers as people do", () => {
    expect([grouped(1), grouped(1204), grouped(10340352)]).toEqual(["1", "1,204", "10,340,352"]);
    expect([counted(1, "step"), counted(0, "step"), counted(2, "property", "properties")]).toEqual(["1 step", "0 steps", "2 properties"]);
    expect([rounded(999), rounded(12_345), rounded(1_234_567), rounded(98_765_432)]).toEqual(["999", "12 k", "1.2 M", "99 M"]);
    expect([duration(0.04), duration(0.31), duration(12.4), duration(125)]).toEqual(["0.04 s", "0.3 s", "12 s", "2 min 5 s"]);
    expect([enumerate([]), enumerate(["a"]), enumerate(["a", "b", "c"])]).toEqual(["", "a", "a, b and c"]);
  });

  it("progress fits its line", () => {
    const progress = { states: 1e6, transitions: 5e6, depth: 40, frontier: 8e4, seconds: 4, memoryBytes: 2e8, tracing: null };
    for (const width of [20, 60, 80, 200]) {
      expect(progressText("ownership/intel-q35/group16", "3/11", progress, width).length).toBeLessThan(width);
    }
    expect(progressText("s", "1/1", progress, 200)).toBe(
      "1/1 s · 1.0 M states, 1.3 M transitions/s, frontier 80 k, depth 40, 200 MB, 4.0 s",
    );
    const verifying = { doing: "verifying", done: 2500, of: 10_000, seconds: 30 } as const;
    expect(certifyProgressText("s", "1/1", verifying, 200)).toBe("1/1 s · verifying: 2,500 of 10 k states, 30 s, some 1 min 30 s left");
    expect(certifyProgressText("s", "1/1", { doing: "exploring", progress }, 200)).toBe(progressText("s", "1/1", progress, 200));
  });
});

describe("verdicts", () => {
  it("in one word", () => {
    expect(verdictOf(run("small/holds"))).toBe("held");
    expect(verdictOf(run("small/vacuous"))).toBe("vacuous");
    expect(verdictOf(run("small/null"))).toBe("violated");
    expect(verdictOf(run("small/known"))).toBe("violated");
    expect(verdictOf(run("small/holds", { limits: { maxStates: 3 } }))).toBe("unfinished");
  });

  it("a limit is no verdict, even where a violation is expected", () => {
    const known = run("small/known", { limits: { maxDepth: 2 } });
    expect([verdictOf(known), known.exitCode]).toEqual(["unfinished", 3]);
  });

  it("of several the worst counts: a model at fault, a violation, something unfinished", () => {
    expect([worst([]), worst([0, 3]), worst([3, 1, 0]), worst([1, 2, 3])]).toEqual([0, 3, 1, 2]);
    expect(exitCodeOf({ kind: "not-run", suite: suiteNamed("small/holds") })).toBe(3);
  });

  it("an expected violation that is gone is not as expected, unless the design was changed", () => {
    const gone = run("small/known", { variant: { faults: 0 } });
    expect(gone.exitCode).toBe(0);
    expect(suiteLines({ kind: "run", run: gone }, look).join("\n")).toContain("P1 held with this change");
    const unmet: SuiteRun = {
      ...gone,
      variant: {},
      exitCode: 1,
      comparisons: gone.comparisons.map((comparison) => (comparison.check === "P1" ? { ...comparison, asExpected: false } : comparison)),
    };
    expect(suiteLines({ kind: "run", run: unmet }, look).join("\n")).toContain("P1 held, but expected to be violated: the clerk");
  });
});

describe("the report", () => {
  const options = { ...look, traces: "shortest", file: null } as const;

  it("tells limits first, then verdicts, assumptions, statistics", () => {
    const limited = run("small/holds", { limits: { maxStates: 3 } });
    const text = reportText([{ kind: "run", run: limited }], session.abstractions, options);
    const order = ["unfinished: small/holds", "UNFINISHED", "1 suite: 1 unfinished", "assumptions of the model", "statistics"];
    const places = order.map((part) => text.indexOf(part));
    expect(places.every((place) => place >= 0)).toBe(true);
    expect([...places].sort((one, other) => one - other)).toEqual(places);
  });

  it.each([40, 47, 50, 60, 63, 64, 80])("fits %i columns, but for the command that is to be copied", (width) => {
    const runs = [race(), run("small/known"), run("small/null"), run("small/vacuous")];
    const results = runs.map((each) => ({ kind: "run" as const, run: each }));
    const lines = reportText(results, session.abstractions, {
      ...options,
      traces: "all",
      file: "tests/cli/fixtures/small.ts",
      width,
    }).split("\n");
    expect(lines.length).toBeGreaterThan(60);
    for (const line of lines) if (!line.includes("iommu-mc replay")) expect(line.length, line).toBeLessThanOrEqual(width);
    expect(lines.join(" ")).toContain("small.ts:");
  });

  it("warns of the widest block", () => {
    const wide = run("small/holds");
    const widest = [{ thread: "ann", at: "deposit (x.ts:1)", paths: 2001 }];
    const outcome = { ...wide.outcome, statistics: { ...wide.outcome.statistics, widest } };
    const text = reportText([{ kind: "run", run: { ...wide, outcome } }], [], { ...options, width: 200 });
    expect(text).toContain("the block of ann at deposit (x.ts:1) has 2,001 paths");
    expect(reportText([{ kind: "run", run: wide }], [], options)).not.toContain("warning");
  });

  it("prints one trace for all that it shows", () => {
    const nobody = run("small/null");
    const [found] = nobody.traces;
    const twice = { ...nobody, traces: [found!, { ...found!, finding: { ...found!.finding, check: "warn-on", message: "look out" } }] };
    const text = reportText([{ kind: "run", run: twice }], [], options);
    expect(text.match(/^VIOLATED {2}(null-deref|warn-on)/gm)).toHaveLength(2);
    expect(text.match(/^replay/gm)).toHaveLength(1);
  });
});

describe("a trace", () => {
  const raced = race();
  const { trace } = raced.traces[0]!;

  it("has a lane for each thread, calls nested, changes and places beside", () => {
    const lines = traceLines(raced.machine, trace, look);
    expect(lines[0]).toMatch(/^ {5}ann +bob +│ changes$/);
    const bob = lines[0]!.indexOf("bob");
    const firstOf = (text: string) => lines.filter((line) => line.includes(text)).map((line) => line.indexOf(text));
    expect(firstOf("customer(acc) {").sort((one, other) => one - other)).toEqual([5, bob]);
    expect(lines.filter((line) => /acc\.balance 0 → 1 {2,}small\.ts:\d+$/.test(line)).length).toBe(1);
    expect(lines.every((line) => [...line].length <= 110)).toBe(true);
  });

  it("tells of a store that changes nothing: in a race it is the one that is lost", () => {
    expect(traceLines(raced.machine, trace, look).filter((line) => line.includes("acc.balance = 1 again"))).toHaveLength(1);
  });

  it("puts changes below in a narrow terminal", () => {
    const lines = traceLines(raced.machine, trace, { ...look, width: 60 });
    expect(lines.some((line) => /^ +~ acc\.balance 0 → 1$/.test(line))).toBe(true);
    expect(lines.every((line) => [...line].length <= 60)).toBe(true);
  });

  it("falls back to one column, with names, when there are too many threads", () => {
    const names = Array.from({ length: 12 }, (_, number) => `a_long_thread_name_${number}`);
    const machine = Object.create(raced.machine, {
      names: { value: Object.assign(Object.create(raced.machine.names), { threads: names }) },
      threads: { value: names.map((name) => ({ ...raced.machine.threads[0]!, name })) },
      control: { value: (state: never, thread: number) => raced.machine.control(state, Math.min(thread, 1)) },
    });
    const steps = names.map((_, thread) => ({ ...trace.steps[0]!, thread }));
    const states = [...names.map(() => trace.states[0]!), trace.states[1]!];
    const lines = traceLines(machine, { steps, states }, { ...look, width: 70 });
    expect(lines[0]).toMatch(/^ {2}1 {2}a_long_thread_name_0: customer/);
  });

  it("tells the locks held when they change", () => {
    const held = run("small/holds", { limits: { maxStates: 3 } });
    expect(held.traces).toEqual([]);
    const known = run("small/known");
    const text = traceLines(known.machine, known.traces[0]!.trace, look).join("\n");
    expect(text).toContain("kzalloc() = entry0");
    expect(text).toContain("entry0 allocated");
    expect(text).toContain("kfree(entry0)");
  });
});
