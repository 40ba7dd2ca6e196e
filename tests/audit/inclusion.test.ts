/** Decides inclusion of what can be seen, against an enumeration of all short traces of random transition systems. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Labels } from "../../src/audit/automaton.js";
import { type Distinction, findDistinction } from "../../src/audit/inclusion.js";
import { type ObservedGraph, observedGraph } from "../../src/audit/observed-graph.js";
import { wholeRun } from "../../src/audit/whole-run.js";
import { finish } from "../../src/session/run-suite.js";
import { machine, tiny } from "../support/model.js";

const STATES = 4;
/** Longest traces that are enumerated. */
const LONGEST = 7;

interface Transition {
  readonly from: number;
  readonly to: number;
  /** "" is silent. */
  readonly label: "" | "a" | "b";
}

/** Each transition is a thread that waits for its turn. */
function graphOf(transitions: readonly Transition[], labels: Labels): ObservedGraph {
  const model = machine(
    tiny({
      structs: `box: { at: counter(${STATES - 1}) }`,
      procedures: `function* t(b, from, to, label) { for (;;) { yield idle(() => b.at === from); b.at = to; if (label !== "") observe(label); } }`,
      make: `const b = make("box", "b");`,
      threads: transitions.map(({ from, to, label }, number) => `thread("t${number}", t, b, ${from}, ${to}, "${label}")`).join(", "),
    }),
  );
  const run = wholeRun(model, {});
  finish(run.explore());
  return finish(observedGraph(run, () => true, labels));
}

/** What can be seen of the system, up to a length: what it does and, at the end of a trace, that it may end or goes on for ever. */
function tracesOf(transitions: readonly Transition[]): Set<string> {
  const traces = new Set<string>();
  const out = (state: number) => transitions.filter(({ from }) => from === state);
  const closure = (states: readonly number[]) => {
    const reached = new Set(states);
    for (const state of reached) for (const { label, to } of out(state)) if (label === "") reached.add(to);
    return [...reached];
  };
  const isOnSilentCycle = (state: number) => {
    const after = out(state).flatMap(({ label, to }) => (label === "" ? [to] : []));
    return closure(after).includes(state);
  };
  const follow = (states: readonly number[], trace: readonly string[]): void => {
    if (trace.length > LONGEST) return;
    traces.add(trace.join());
    if (states.some((state) => out(state).length === 0)) traces.add([...trace, "may end"].join());
    if (states.some(isOnSilentCycle)) traces.add([...trace, "goes on for ever without an event"].join());
    for (const label of ["a", "b"]) {
      const after = states.flatMap(out).flatMap((transition) => (transition.label === label ? [transition.to] : []));
      if (after.length > 0) follow(closure(after), [...trace, `${label}()`]);
    }
  };
  follow(closure([0]), []);
  return traces;
}

function decide(one: readonly Transition[], other: readonly Transition[]): Distinction | null {
  const labels = new Labels();
  return finish(findDistinction(graphOf(one, labels), graphOf(other, labels), labels, 1_000_000));
}

const system = fc.array(
  fc.record({
    from: fc.nat(STATES - 1),
    to: fc.nat(STATES - 1),
    label: fc.constantFrom("" as const, "a" as const, "b" as const),
  }),
  { minLength: 1, maxLength: 5 },
);

describe("inclusion of what can be seen", () => {
  it("agrees with an enumeration of all short traces", () => {
    let differing = 0;
    fc.assert(
      fc.property(system, system, (one, other) => {
        const theirs = tracesOf(other);
        const missing = [...tracesOf(one)].filter((trace) => !theirs.has(trace)).map((trace) => trace.split(",").length);
        const shortest = Math.min(...missing);
        const found = decide(one, other);
        if (found !== null) differing++;
        // A longer one than was enumerated is taken on trust.
        if (found === null) expect(missing).toEqual([]);
        else if (found.trace.length <= LONGEST) expect(found.trace.length).toBe(shortest);
        else expect(shortest).toBeGreaterThan(LONGEST);
      }),
      { numRuns: 150 },
    );
    expect(differing).toBeGreaterThan(25);
  });

  it("counts events, and not moves that nobody sees", () => {
    const one = [
      { from: 0, to: 1, label: "b" },
      { from: 0, to: 1, label: "" },
    ] as const;
    const other = [
      { from: 0, to: 0, label: "b" },
      { from: 0, to: 0, label: "" },
    ] as const;
    expect(decide(one, other)?.trace).toHaveLength(1);
  });

  it("finds every system included in itself", () => {
    fc.assert(
      fc.property(system, (one) => {
        expect(decide(one, one)).toBe(null);
      }),
      { numRuns: 100 },
    );
  });

  it("is not misled by a choice made too early", () => {
    const early: Transition[] = [
      { from: 0, to: 1, label: "a" },
      { from: 0, to: 2, label: "a" },
      { from: 1, to: 3, label: "a" },
      { from: 2, to: 3, label: "b" },
    ];
    const late: Transition[] = [
      { from: 0, to: 1, label: "a" },
      { from: 1, to: 3, label: "a" },
      { from: 1, to: 3, label: "b" },
    ];
    expect(decide(late, early)).toBe(null);
    expect(decide(early, late)).toBe(null);
  });

  it("tells what the other may show instead", () => {
    const one: Transition[] = [{ from: 0, to: 1, label: "a" }];
    const other: Transition[] = [{ from: 0, to: 1, label: "b" }];
    expect(decide(one, other)).toMatchObject({ trace: ["a()"], instead: ["b()"], otherPath: [] });
  });
});
