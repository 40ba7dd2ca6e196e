/** What a model is made of, as graphs: the calls among its functions, the order of its locks, the objects of a scenario. */
import { alg, Graph } from "@dagrejs/graphlib";
import type { Location } from "../lang/errors.js";
import type { Suite } from "../lang/suite.js";
import type { CallGraph } from "../session/open.js";
import type { SuiteRun } from "../session/run-suite.js";
import { LIVE } from "../state/layout.js";
import { readCell } from "../state/state.js";
import type { Machine } from "../step/machine.js";

/** What nodes, edges and groups of nodes are labelled with: attributes of DOT. */
export type Attributes = Readonly<Record<string, string>>;

/** A directed graph with nodes in groups; its own label is what it shows. */
export type DrawnGraph = Graph;

/** The label of a graph, a node or an edge; one that was never given is empty. */
export function attributesOf(label: unknown): Attributes {
  return (label ?? {}) as Attributes;
}

function drawn(title: string): DrawnGraph {
  const graph = new Graph({ directed: true, multigraph: true, compound: true });
  graph.setGraph({ label: title } satisfies Attributes);
  return graph;
}

/** Puts a node into a group, which is made at its first. */
function group(graph: DrawnGraph, node: string, name: string, title: string): void {
  const id = `group ${name}`;
  if (!graph.hasNode(id)) graph.setNode(id, { label: title } satisfies Attributes);
  graph.setParent(node, id);
}

/** `iommu.ts:284`. */
const place = (location: Location) => `${location.file.replace(/^.*[\\/]/, "")}:${location.line}`;

/** The procedures of the model files, as boxes, with the functions they call; what only makes suites is left out. */
export function proceduresGraph({ functions, calls }: CallGraph): DrawnGraph {
  const graph = drawn("calls of model procedures; boxes can be preempted");
  const used = new Set(functions.flatMap(({ id, isProcedure }) => (isProcedure ? [id] : [])));
  // A set is walked to what is added on the way.
  for (const id of used) for (const { caller, callee } of calls) if (caller === id) used.add(callee);
  for (const { id, name, isProcedure, location } of functions) {
    if (!used.has(id)) continue;
    graph.setNode(id, { label: name, shape: isProcedure ? "box" : "ellipse", tooltip: place(location) } satisfies Attributes);
    group(graph, id, location.file, location.file);
  }
  for (const { caller, callee, location } of calls) {
    if (used.has(caller)) graph.setEdge(caller, callee, { tooltip: place(location) } satisfies Attributes);
  }
  return graph;
}

/** Mutexes, and which was taken while which was held; what lies on a cycle is red. */
export function lockOrderGraph({ machine, outcome, suite }: SuiteRun): DrawnGraph {
  const { names, layout } = machine;
  const isComplete = outcome.end.kind === "complete";
  const graph = drawn(
    `lock order of ${suite.name}${isComplete ? "" : ", as far as the run came"}: an arrow leads to what was taken while the other was held`,
  );
  for (const { held, taken, location } of outcome.lockOrder) {
    for (const cell of [held, taken]) graph.setNode(String(cell), { label: names.cell(cell), shape: "box" } satisfies Attributes);
    graph.setEdge(String(held), String(taken), (location === null ? {} : { label: place(location) }) satisfies Attributes);
  }
  const cycles = alg.findCycles(graph);
  const cycleOf = new Map(cycles.flatMap((cycle, number) => cycle.map((node) => [node, number] as const)));
  for (const { v, w } of graph.edges()) {
    const isOnCycle = cycleOf.has(v) && cycleOf.get(v) === cycleOf.get(w);
    if (isOnCycle) graph.setEdge(v, w, { ...attributesOf(graph.edge(v, w)), color: "red" } satisfies Attributes);
  }
  // Mutexes of one field together, once the algorithm that knows nothing of groups is done.
  for (const node of graph.nodes()) {
    const cell = layout.cells[Number(node)];
    if (cell?.kind === "field")
      group(graph, node, `${cell.field.struct.name}.${cell.field.name}`, `${cell.field.struct.name}.${cell.field.name}`);
  }
  return graph;
}

/** The objects that exist before the first step, with their fields, and the pointers, lists and sets that lead from one to another. */
export function topologyGraph(machine: Machine, suite: Suite): DrawnGraph {
  const graph = drawn(`objects of ${suite.name} before the first step: ${suite.scenario.setting ?? suite.scenario.describes}`);
  const { layout, names, initial } = machine;
  const read = (cell: number) => readCell(layout, initial, cell);
  for (const struct of layout.schema.structs) {
    for (let slot = 0; slot < layout.slots(struct); slot++) {
      const liveness = layout.livenessCell(struct, slot);
      if (liveness >= 0 && read(liveness) !== LIVE) continue;
      const id = `${struct.name} ${slot}`;
      const told: string[] = [];
      for (const field of struct.fields) {
        const first = layout.fieldCell(field, slot);
        const { spec } = field;
        const codes = Array.from({ length: layout.width(field) }, (_, offset) => read(first + offset));
        const point = (to: string, target: number) =>
          graph.setEdge(id, `${to} ${target}`, { label: field.name } satisfies Attributes, field.name);
        if (spec.kind === "ref") for (const code of codes) code > 0 && point(spec.to, code - 1);
        else if (spec.kind === "list") for (const code of codes) code > 0 && point(spec.of, code - 1);
        else if (spec.kind === "set") for (const [member, code] of codes.entries()) code > 0 && point(spec.of, member);
        // What is zero says nothing.
        else if (spec.kind !== "mutex" && (codes[0] ?? 0) > 0) told.push(`${field.name} = ${names.code(first, codes[0] as number)}`);
      }
      graph.setNode(id, { label: [names.object(struct, slot), struct.name, ...told].join("\n"), shape: "box" } satisfies Attributes);
    }
  }
  return graph;
}
