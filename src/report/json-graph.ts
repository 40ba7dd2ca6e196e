/** What `graph --json` prints. */
import type { ExitCode } from "../session/run-suite.js";
import { attributesOf, type DrawnGraph } from "./graphs.js";
import type { JsonHeader } from "./json.js";

export interface JsonGraph extends JsonHeader {
  readonly graph: "procedures" | "lock-order" | "topology";
  /** Null for `procedures`, which are of all loaded model files. */
  readonly suite: string | null;
  readonly title: string;
  readonly nodes: readonly {
    readonly id: string;
    /** A function, a mutex, or an object with its struct and its fields, each on a line. */
    readonly label: string;
    /** The file of a function, the field of a mutex; null for an object. */
    readonly group: string | null;
  }[];
  readonly edges: readonly {
    /** Ids of nodes. */
    readonly from: string;
    readonly to: string;
    /** The field that points, or the place where it was seen first. */
    readonly label: string;
    /** Whether it is part of a cycle; of a lock order only. */
    readonly isOnCycle: boolean;
  }[];
  /** 3 if a limit ended the run that shows the lock order. */
  readonly exitCode: ExitCode;
}

export function jsonGraph(graph: DrawnGraph): Pick<JsonGraph, "title" | "nodes" | "edges"> {
  const groupOf = (id: string) => {
    const parent = graph.parent(id);
    return parent === undefined ? null : (attributesOf(graph.node(parent)).label ?? null);
  };
  return {
    title: attributesOf(graph.graph()).label ?? "",
    nodes: graph
      .nodes()
      .filter((id) => graph.children(id).length === 0)
      .map((id) => ({ id, label: attributesOf(graph.node(id)).label ?? id, group: groupOf(id) })),
    edges: graph.edges().map((edge) => {
      const { label, tooltip, color } = attributesOf(graph.edge(edge));
      return { from: edge.v, to: edge.w, label: label ?? tooltip ?? "", isOnCycle: color !== undefined };
    }),
  };
}
