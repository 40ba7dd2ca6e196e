/**
 * Which variables are live at a point of a program: those whose value some path from there reads before it is
 * written again. Computed backwards over the control flow until nothing changes. Knows nothing of TypeScript.
 */

/** One step of a control-flow graph. `variables` and `successors` are numbers. */
export interface FlowNode {
  readonly kind: "read" | "write" | "pass";
  /** What is read or written; empty for "pass". */
  readonly variables: readonly number[];
  readonly successors: number[];
}

/** For each node, the variables that are live right after it, as a bit set. */
export function liveAfter(nodes: readonly FlowNode[]): readonly bigint[] {
  const before: bigint[] = nodes.map(() => 0n);
  const after: bigint[] = nodes.map(() => 0n);
  const masks = nodes.map((node) => node.variables.reduce((mask, variable) => mask | (1n << BigInt(variable)), 0n));
  // Nodes are numbered about in program order, so going backwards settles all but the loops in one pass.
  for (let changed = true; changed; ) {
    changed = false;
    for (let i = nodes.length - 1; i >= 0; i--) {
      const { kind, successors } = nodes[i] as FlowNode;
      const mask = masks[i] as bigint;
      let out = 0n;
      for (const successor of successors) out |= before[successor] as bigint;
      const into = kind === "read" ? out | mask : kind === "write" ? out & ~mask : out;
      after[i] = out;
      if (into !== before[i]) {
        before[i] = into;
        changed = true;
      }
    }
  }
  return after;
}

export function isIn(set: bigint, variable: number): boolean {
  return (set & (1n << BigInt(variable))) !== 0n;
}
