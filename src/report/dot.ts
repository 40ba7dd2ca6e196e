/** Graphs in the DOT language of Graphviz. */
import { type Attributes, attributesOf, type DrawnGraph } from "./graphs.js";

/** Nodes with children become clusters. Ends with a line break. */
export function dotText(graph: DrawnGraph): string {
  const lines = ["digraph {", ...attributeLines(attributesOf(graph.graph()), "  "), "  rankdir=LR;"];
  const node = (id: string, indent: string): string[] => {
    const children = graph.children(id);
    if (children.length === 0) return [`${indent}${quoted(id)}${attributeList(attributesOf(graph.node(id)))};`];
    return [
      `${indent}subgraph ${quoted(`cluster ${id}`)} {`,
      ...attributeLines(attributesOf(graph.node(id)), `${indent}  `),
      ...children.flatMap((child) => node(child, `${indent}  `)),
      `${indent}}`,
    ];
  };
  lines.push(...graph.children().flatMap((id) => node(id, "  ")));
  for (const edge of graph.edges()) lines.push(`  ${quoted(edge.v)} -> ${quoted(edge.w)}${attributeList(attributesOf(graph.edge(edge)))};`);
  return `${[...lines, "}"].join("\n")}\n`;
}

function attributeLines(attributes: Attributes, indent: string): string[] {
  return Object.entries(attributes).map(([name, value]) => `${indent}${name}=${quoted(value)};`);
}

function attributeList(attributes: Attributes): string {
  const told = Object.entries(attributes).map(([name, value]) => `${name}=${quoted(value)}`);
  return told.length === 0 ? "" : ` [${told.join(", ")}]`;
}

/** In DOT a backslash begins an escape, so that one is written as two. */
function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n").replaceAll("\r", "")}"`;
}
