/**
 * Whether everything that can be seen of one design can be seen of the other. The other is followed in all moments it
 * can be in after what has been seen, so that "no" is never an artefact of a choice made too early.
 */
import type { Move, ObservedGraph } from "./observed-graph.js";

/** Something that can be seen of the first design and not of the second. */
export interface Distinction {
  /** What is seen; all but the last of it can be seen of the second design too. */
  readonly trace: readonly string[];
  /** Ordinals of the first design's steps. */
  readonly path: readonly number[];
  /** Ordinals of steps of the second design that lead to all but the last event. */
  readonly otherPath: readonly number[];
  /** What the second design may show instead of the last event. */
  readonly instead: readonly string[];
}

interface Node {
  readonly moment: number;
  /** Number of the set of moments that the other may be in. */
  readonly others: number;
  readonly parent: Node | null;
  readonly move: Move | null;
}

/** Thrown when the search is given up, with the reason. */
export class GivenUp extends Error {}

/** The shortest distinction in events, and of those one with the fewest steps; null if there is none. Throws GivenUp. Yields the number of pairs looked at. */
export function* findDistinction(
  one: ObservedGraph,
  other: ObservedGraph,
  most: number,
): Generator<number, Distinction | null, "interrupt" | undefined> {
  const sets = new Sets(other);
  const seen = new Set<string>();
  let moves = 0;
  const isNew = ({ moment, others }: Node) => {
    const { size } = seen;
    return seen.add(`${moment} ${others}`).size > size;
  };
  const begin: Node = { moment: one.start, others: sets.closed([other.start]), parent: null, move: null };
  // Nodes after the same number of events; those that one more event leads to, some of which moves that nobody sees may lead to earlier.
  let level: Node[] = [begin];
  seen.add(`${begin.moment} ${begin.others}`);
  while (level.length > 0) {
    const next: Node[] = [];
    for (const node of level) {
      for (const move of one.movesOf(node.moment)) {
        const others = move.label === null ? node.others : sets.after(node.others, move.label);
        if (others === null) return distinction({ ...node, parent: node, move }, node, sets, other);
        if (move.to < 0) continue;
        const reached: Node = { moment: move.to, others, parent: node, move };
        if (move.label !== null) next.push(reached);
        else if (isNew(reached)) level.push(reached);
        if (seen.size > most) throw new GivenUp(`more than ${most} pairs to compare`);
        if ((++moves & 1023) === 0 && (yield seen.size) === "interrupt") throw new GivenUp("an interrupt (Ctrl-C)");
      }
    }
    level = next.filter(isNew);
  }
  return null;
}

function distinction(last: Node, before: Node, sets: Sets, other: ObservedGraph): Distinction {
  const moves: Move[] = [];
  for (let node: Node | null = last; node !== null; node = node === last ? before : node.parent) if (node.move) moves.unshift(node.move);
  const trace = moves.flatMap(({ label }) => (label === null ? [] : [label]));
  const path = moves.flatMap(({ ordinal }) => (ordinal < 0 ? [] : [ordinal]));
  return { trace, path, otherPath: pathTo(other, trace.slice(0, -1)), instead: sets.labels(before.others) };
}

/** The fewest steps that show these events. */
function pathTo(graph: ObservedGraph, trace: readonly string[]): readonly number[] {
  interface Place {
    readonly moment: number;
    readonly shown: number;
    readonly path: readonly number[];
  }
  const queue: Place[] = [{ moment: graph.start, shown: 0, path: [] }];
  const seen = new Set([`${graph.start} 0`]);
  for (const place of queue) {
    if (place.shown === trace.length) return place.path;
    for (const { label, to, ordinal } of graph.movesOf(place.moment)) {
      if (to < 0 || (label !== null && label !== trace[place.shown])) continue;
      const shown = place.shown + (label === null ? 0 : 1);
      const key = `${to} ${shown}`;
      if (seen.has(key)) continue;
      seen.add(key);
      queue.push({ moment: to, shown, path: ordinal < 0 ? place.path : [...place.path, ordinal] });
    }
  }
  throw new Error("what a set of moments was reached by leads to none of them");
}

/** Sets of moments, closed under moves that nobody sees. */
class Sets {
  readonly #members: (readonly number[])[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #after = new Map<string, number | null>();

  constructor(readonly graph: ObservedGraph) {}

  closed(moments: readonly number[]): number {
    const reached = new Set(moments);
    for (const moment of reached) {
      for (const { label, to } of this.graph.movesOf(moment)) if (label === null && to >= 0) reached.add(to);
    }
    const members = [...reached].sort((one, other) => one - other);
    const key = members.join();
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#members.push(members) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  /** Where the moments of the set may be after the event; null if none of them shows it. */
  after(set: number, label: string): number | null {
    const key = `${set} ${label}`;
    let number = this.#after.get(key);
    if (number === undefined) {
      const moves = this.#movesOf(set).filter((move) => move.label === label);
      number = moves.length === 0 ? null : this.closed(moves.flatMap(({ to }) => (to < 0 ? [] : [to])));
      this.#after.set(key, number);
    }
    return number;
  }

  /** The events that some moment of the set shows next. */
  labels(set: number): readonly string[] {
    return [...new Set(this.#movesOf(set).flatMap(({ label }) => (label === null ? [] : [label])))].sort();
  }

  #movesOf(set: number): Move[] {
    return (this.#members[set] as readonly number[]).flatMap((moment) => this.graph.movesOf(moment));
  }
}
