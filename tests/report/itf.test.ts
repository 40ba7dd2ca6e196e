import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { ModelError } from "../../src/lang/errors.js";
import { type ItfTrace, itfReport, itfTrace } from "../../src/report/itf.js";
import { byPath } from "../../src/report/shown.js";
import { runSuiteNow, type SuiteRun } from "../../src/session/run-suite.js";
import { grow } from "../random/grow.js";
import { load } from "../support/model.js";
import { race, resultOf, run } from "./runs.js";

/** A value as the format's description (ADR 15 of Apalache) defines them; throws at any other. */
function expectValue(value: unknown): void {
  if (typeof value === "boolean" || typeof value === "string") return;
  if (Array.isArray(value)) {
    value.forEach(expectValue);
    return;
  }
  if (typeof value !== "object" || value === null) throw new Error(`no value: ${JSON.stringify(value)}`);
  const keys = Object.keys(value);
  const special = keys.filter((key) => key.startsWith("#"));
  if (special.length === 0) {
    Object.values(value).forEach(expectValue);
    return;
  }
  expect(keys).toHaveLength(1);
  const content = (value as Record<string, unknown>)[special[0] as string];
  if (special[0] === "#bigint") expect(content).toMatch(/^-?(0|[1-9]\d*)$/);
  else if (special[0] === "#set") (content as unknown[]).forEach(expectValue);
  else {
    expect(special[0]).toBe("#map");
    const pairs = content as [string, unknown][];
    for (const pair of pairs) expect(pair).toHaveLength(2);
    expect(new Set(pairs.map(([key]) => key)).size).toBe(pairs.length);
    pairs.flat().forEach(expectValue);
  }
}

/** A whole trace. */
function expectItf(trace: ItfTrace): void {
  expect(trace["#meta"].format).toBe("ITF");
  expect(new Set(trace.vars).size).toBe(trace.vars.length);
  for (const [index, state] of trace.states.entries()) {
    const { "#meta": meta, ...variables } = state;
    expect(meta).toEqual({ index });
    expect(Object.keys(variables).sort()).toEqual([...trace.vars].sort());
    Object.values(variables).forEach(expectValue);
  }
}

const traces = (run: SuiteRun) => byPath(run.traces).map((shown) => itfTrace(run, shown));
const mapped = (value: unknown) => Object.fromEntries((value as { "#map": [string, Record<string, unknown>][] })["#map"]);

describe("ITF", () => {
  it("has the state before and after every step, and who took it", () => {
    const [trace] = traces(race()) as [ItfTrace];
    expectItf(trace);
    const { steps } = race().traces[0]!.trace;
    expect(trace.states).toHaveLength(steps.length + 1);
    expect(trace.vars).toEqual(["account", "entry", "freed", "faults", "threads", "step"]);
    const last = trace.states.at(-1)!;
    expect(mapped(last.account).acc).toEqual({ lock: "free", balance: { "#bigint": "1" }, last: "NULL", is_open: false });
    expect(mapped(last.threads)).toMatchObject({ ann: { waits: "finished", stack: [] }, bob: { waits: "finished" } });
    expect(trace.states.slice(1).map(({ step }) => (step as { thread: string }).thread)).toEqual(
      steps.map(({ thread }) => ["ann", "bob"][thread]),
    );
    expect(trace["#meta"]).toMatchObject({ source: "small/holds", checks: "D1", design: "bank-1 1.0 (test) without aaaaaaaaaaaa" });
  });

  it("shows where a thread stands, with its locals", () => {
    const [trace] = traces(race()) as [ItfTrace];
    const stacks = trace.states.flatMap(({ threads }) =>
      Object.values(mapped(threads)).map(({ stack }) => stack as { procedure: string; locals: unknown }[]),
    );
    const inside = stacks.find((stack) => stack.some(({ procedure }) => procedure === "deposit"))!;
    expect(inside.map(({ procedure }) => procedure)).toEqual(["customer", "deposit"]);
    expect(mapped(inside[1]?.locals)).toMatchObject({ before: "0" });
  });

  it("tells what is freed, and has a last state for a step that ends in a fault", () => {
    const [known] = traces(run("small/known")) as [ItfTrace];
    expectItf(known);
    expect(known.states.map(({ freed }) => freed)).toEqual([{ "#set": [] }, { "#set": [] }, { "#set": ["entry0"] }]);
    const [fault] = traces(run("small/null")) as [ItfTrace];
    expectItf(fault);
    expect(fault.states.at(-1)?.step).toMatchObject({ thread: "eve", fault: expect.stringContaining("null-deref: ") });
  });

  it("is a document a line", () => {
    const lines = itfReport([resultOf(run("small/known")), resultOf(run("small/holds")), resultOf(run("small/null"))])
      .trimEnd()
      .split("\n");
    expect(lines.map((line) => (JSON.parse(line) as ItfTrace)["#meta"].source)).toEqual(["small/known", "small/null"]);
  });

  test("of random models is valid", () => {
    let count = 0;
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { maxLength: 120 }), (tape) => {
        const { session, suite } = load(grow(tape));
        try {
          for (const trace of traces(runSuiteNow(session, suite, { limits: { maxStates: 300 } }))) {
            count++;
            expectItf(trace);
          }
        } catch (error) {
          // The model itself is refused.
          if (!(error instanceof ModelError)) throw error;
        }
      }),
      { numRuns: 40, seed: 17 },
    );
    expect(count).toBeGreaterThan(20);
  });
});
