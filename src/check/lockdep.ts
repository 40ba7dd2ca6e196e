/** Lock order over the whole run: an edge a → b for every place where b is taken while a is held. A cycle is a possible deadlock. */
import { alg, Graph } from "@dagrejs/graphlib";
import { formatLocation, type Location } from "../lang/errors.js";
import type { Names } from "../state/names.js";
import type { Acquisition } from "../step/block.js";

/** A mutex that was taken while another was held, by the cells of both, with the first place where that was seen. */
export interface LockEdge {
  readonly held: number;
  readonly taken: number;
  readonly location: Location | null;
}

export class LockOrder {
  readonly graph = new Graph({ directed: true });
  readonly #known = new Set<number>();

  /** Adds the edge to what is taken. Returns a cycle of mutex cells that it closes, first element not repeated, or null. */
  add(held: number, acquisition: Pick<Acquisition, "cell" | "location">): readonly number[] | null {
    const { cell: taken } = acquisition;
    const key = held * 2 ** 26 + taken;
    if (this.#known.has(key)) return null;
    this.#known.add(key);
    this.graph.setEdge(String(held), String(taken), acquisition);
    return held === taken ? [held] : this.#cycleThrough(held, taken);
  }

  /** All orders seen, by the cells of the mutexes. */
  get edges(): LockEdge[] {
    return this.graph
      .edges()
      .map(({ v, w }) => ({ held: Number(v), taken: Number(w), location: (this.graph.edge(v, w) as Pick<LockEdge, "location">).location }))
      .sort((one, other) => one.held - other.held || one.taken - other.taken);
  }

  /** The cycle in words, with the place in the model where each order was first seen. */
  describe(cycle: readonly number[], names: Names): string {
    const orders = cycle.map((held, position) => {
      const taken = cycle[(position + 1) % cycle.length] as number;
      const { location } = this.graph.edge(String(held), String(taken)) as { location: Location | null };
      return `${names.cell(taken)} under ${names.cell(held)}${location ? ` (${formatLocation(location)})` : ""}`;
    });
    return `lock order cycle: ${orders.join(", ")}`;
  }

  /** The shortest way from `taken` back to `held`, if there is one. */
  #cycleThrough(held: number, taken: number): readonly number[] | null {
    const paths = alg.dijkstra(this.graph, String(taken));
    const cycle: number[] = [];
    let at = String(held);
    if (paths[at]?.distance === Number.POSITIVE_INFINITY) return null;
    while (at !== String(taken)) {
      cycle.unshift(Number(at));
      at = paths[at]?.predecessor as string;
    }
    cycle.unshift(taken);
    return cycle;
  }
}
