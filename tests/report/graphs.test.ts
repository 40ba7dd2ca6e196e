import { read } from "@dagrejs/graphlib-dot";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dotText } from "../../src/report/dot.js";
import { type DrawnGraph, lockOrderGraph, proceduresGraph, topologyGraph } from "../../src/report/graphs.js";
import { jsonGraph } from "../../src/report/json-graph.js";
import { engines, explore, load, machine, tiny } from "../support/model.js";
import { race, renamed, run, session } from "./runs.js";

/** What a reader of DOT sees: labels of nodes by id, and edges. */
function parsed(graph: DrawnGraph) {
  const seen = read(dotText(graph));
  const edges = seen.edges().map((edge) => ({ from: edge.v, to: edge.w, ...(seen.edge(edge) as { label?: string; color?: string }) }));
  const nodes = new Map(
    seen
      .nodes()
      .filter((id) => seen.children(id).length === 0)
      .map((id) => [id, (seen.node(id) as { label: string }).label]),
  );
  return { nodes, edges };
}

const twoLocks = (second: string) =>
  tiny({
    structs: "box: { a: mutex(), b: mutex() }",
    make: `const d = make("box", "d");`,
    threads: `thread("t", t, d), thread("u", u, d)`,
    procedures: `function* t(d) { yield* mutex_lock(d.a); yield* mutex_lock(d.b); mutex_unlock(d.b); mutex_unlock(d.a); }
function* u(d) { ${second} }`,
    more: "expected: { lockdep: { verdict: 'violated', reason: 'the point' }, stuck: { verdict: 'violated', reason: 'the point' } }",
  });
const rightOrder = twoLocks("yield* mutex_lock(d.b); mutex_unlock(d.b);");
const wrongOrder = twoLocks("yield* mutex_lock(d.b); yield* mutex_lock(d.a); mutex_unlock(d.a); mutex_unlock(d.b);");

describe.each(engines)("lock order by %s", (engine) => {
  it("has an edge from what is held to what is taken", () => {
    const { edges, nodes } = parsed(lockOrderGraph(explore(rightOrder, engine)));
    expect([...nodes.values()]).toEqual(["d.a", "d.b"]);
    expect(edges.map(({ from, to, label, color }) => [nodes.get(from), nodes.get(to), label, color])).toEqual([
      ["d.a", "d.b", "inline-model.ts:2", undefined],
    ]);
  });

  it("shows a cycle in red", () => {
    const ran = explore(wrongOrder, engine);
    const { edges } = parsed(lockOrderGraph(ran));
    expect(edges.map(({ color }) => color)).toEqual(["red", "red"]);
    expect(jsonGraph(lockOrderGraph(ran)).edges.every(({ isOnCycle }) => isOnCycle)).toBe(true);
  });
});

describe("graphs", () => {
  it("of procedures leave out what only makes suites", () => {
    const { nodes, edges } = parsed(proceduresGraph(session.calls()));
    expect([...nodes.values()].sort()).toEqual(["auditor", "clerk", "customer", "deposit"]);
    expect(edges.map(({ from, to }) => [nodes.get(from), nodes.get(to)])).toEqual([["customer", "deposit"]]);
  });

  it("of a topology have the objects there are at the beginning, and what points where", () => {
    const text = tiny({
      structs: "box: { next: ref('box'), all: list('box', 2), some: setOf('box'), n: counter(3), lock: mutex() }, obj: { v: counter(1) }",
      make: `const d = make("box", "d"); const e = make("box", "e", { n: 2 }); d.next = e; list_add_tail(e, d.all); d.some.add(d);`,
      threads: `thread("t", t, d)`,
      procedures: "function* t(d) { yield; kzalloc(s, 'obj'); }",
      more: "pools: { obj: 1 }",
    });
    const { nodes, edges } = parsed(topologyGraph(machine(text), load(text).suite));
    expect([...nodes.values()]).toEqual(["d\\nbox", "e\\nbox\\nn = 2"]);
    expect(edges.map(({ from, to, label }) => `${from} ${label} ${to}`).sort()).toEqual([
      "box 0 all box 1",
      "box 0 next box 1",
      "box 0 some box 0",
    ]);
  });

  it("say when they are of a run that was not complete", () => {
    expect(jsonGraph(lockOrderGraph(run("small/holds"))).title).not.toContain("as far as");
    expect(jsonGraph(lockOrderGraph(race())).title).toContain("as far as the run came");
  });

  it("are DOT whatever things are called", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (name) => {
        const odd = renamed(race(), (position) => `${name}"\\\n${position}`);
        expect(parsed(topologyGraph(odd.machine, odd.suite)).nodes.size).toBe(1);
      }),
      { numRuns: 50, seed: 21 },
    );
  });
});
