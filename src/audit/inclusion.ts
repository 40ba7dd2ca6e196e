/**
 * Whether everything that can be seen of one design can be seen of the other. The other is followed in all moments it
 * can be in after what has been seen, so that "no" is never an artefact of a choice made too early.
 */
import { type Automaton, GivenUp, type Labels, type Minimal, SILENT, START } from "./automaton.js";
import { inWords } from "./naming.js";
import type { ObservedGraph } from "./observed-graph.js";

/** Something that can be seen of the first design and not of the second. */
export interface Distinction {
  /** What is seen; all but the last of it can be seen of the second design too. */
  readonly trace: readonly string[];
  /** Ordinals of the first design's steps; the fewest that show it. */
  readonly path: readonly number[];
  /** Ordinals of steps of the second design that lead to all but the last event. */
  readonly otherPath: readonly number[];
  /** What the second design may show instead of the last event. */
  readonly instead: readonly string[];
}

/** A trace of labels that the first shows, and what the second may show instead of the last. */
interface Difference {
  readonly trace: readonly number[];
  readonly instead: readonly number[];
}

interface Node {
  readonly place: number;
  /** Number of the set of places that the other may be in. */
  readonly others: number;
  readonly parent: Node | null;
  /** The label that led here. */
  readonly label: number;
}

/** The shortest distinction in events; null if there is none. Throws GivenUp. Yields the number of pairs looked at. */
export function* findDistinction(
  one: ObservedGraph,
  other: ObservedGraph,
  labels: Labels,
  most: number,
): Generator<number, Distinction | null, "interrupt" | undefined> {
  const difference = yield* findDifference(one.minimal, other.minimal, most);
  if (difference === null) return null;
  const trace = difference.trace.map((label) => labels.textOf(label));
  const common = trace.slice(0, -1);
  const instead = difference.instead.map((label) => inWords([...common, labels.textOf(label)]).at(-1) as string);
  return {
    trace: inWords(trace),
    path: pathTo(one.automaton, difference.trace),
    otherPath: pathTo(other.automaton, difference.trace.slice(0, -1)),
    instead: instead.sort(),
  };
}

function* findDifference(one: Minimal, other: Minimal, most: number): Generator<number, Difference | null, "interrupt" | undefined> {
  const sets = new Sets(other);
  const seen = new Set<number>();
  let moves = 0;
  const isNew = ({ place, others }: Node) => {
    const { size } = seen;
    return seen.add(others * one.moves.length + place).size > size;
  };
  const begin: Node = { place: one.start, others: sets.closed([other.start]), parent: null, label: SILENT };
  isNew(begin);
  // Nodes after the same number of events; those that one more event leads to, some of which moves that nobody sees may lead to earlier.
  let level: Node[] = [begin];
  while (level.length > 0) {
    const next: Node[] = [];
    for (const node of level) {
      for (const { label, to } of movesOf(one, node.place)) {
        const others = label === SILENT ? node.others : sets.after(node.others, label);
        if (others === null) return { trace: traceTo({ ...node, parent: node, label }), instead: sets.labels(node.others) };
        const reached: Node = { place: to, others, parent: node, label };
        if (label !== SILENT) next.push(reached);
        else if (isNew(reached)) level.push(reached);
        if (seen.size > most) throw new GivenUp(`more than ${most} pairs to compare`);
        if ((++moves & 1023) === 0 && (yield seen.size) === "interrupt") throw new GivenUp("an interrupt (Ctrl-C)");
      }
    }
    level = next.filter(isNew);
  }
  return null;
}

function traceTo(last: Node): number[] {
  const trace: number[] = [];
  for (let node: Node | null = last; node !== null; node = node.parent) if (node.label !== SILENT) trace.unshift(node.label);
  return trace;
}

function movesOf({ moves }: Minimal, place: number): Minimal["moves"][number] {
  return moves[place] as Minimal["moves"][number];
}

/** The fewest steps that show these events. */
function pathTo({ moments, begin, label, to, ordinal }: Automaton, trace: readonly number[]): readonly number[] {
  interface Place {
    readonly moment: number;
    readonly shown: number;
    readonly ordinal: number;
    readonly parent: Place | null;
  }
  const first: Place = { moment: START, shown: 0, ordinal: -1, parent: null };
  // A step may show several events: what goes on with it costs no step.
  let nearest: Place[] = [first];
  const seen = new Set([START]);
  while (nearest.length > 0) {
    const next: Place[] = [];
    for (const place of nearest) {
      if (place.shown === trace.length) return ordinalsTo(place);
      for (let move = begin[place.moment] as number; move < (begin[place.moment + 1] as number); move++) {
        const isSilent = label[move] === SILENT;
        if (!isSilent && label[move] !== trace[place.shown]) continue;
        const reached: Place = {
          moment: to[move] as number,
          shown: place.shown + (isSilent ? 0 : 1),
          ordinal: ordinal[move] as number,
          parent: place,
        };
        const key = reached.shown * moments + reached.moment;
        if (seen.has(key)) continue;
        seen.add(key);
        (reached.ordinal < 0 ? nearest : next).push(reached);
      }
    }
    nearest = next;
  }
  throw new Error("what classes of moments were reached by leads to none of their moments");

  function ordinalsTo(last: Place): number[] {
    const ordinals: number[] = [];
    for (let place: Place | null = last; place !== null; place = place.parent) if (place.ordinal >= 0) ordinals.unshift(place.ordinal);
    return ordinals;
  }
}

/** Sets of places, closed under moves that nobody sees. */
class Sets {
  readonly #members: (readonly number[])[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #after = new Map<string, number | null>();

  constructor(readonly graph: Minimal) {}

  closed(places: readonly number[]): number {
    const reached = new Set(places);
    for (const place of reached) {
      for (const { label, to } of movesOf(this.graph, place)) if (label === SILENT) reached.add(to);
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

  /** Where the places of the set may lead by the event; null if none of them shows it. */
  after(set: number, label: number): number | null {
    const key = `${set} ${label}`;
    let number = this.#after.get(key);
    if (number === undefined) {
      const moves = this.#movesOf(set).filter((move) => move.label === label);
      number = moves.length === 0 ? null : this.closed(moves.map(({ to }) => to));
      this.#after.set(key, number);
    }
    return number;
  }

  /** The events that some place of the set shows next. */
  labels(set: number): readonly number[] {
    return [...new Set(this.#movesOf(set).flatMap(({ label }) => (label === SILENT ? [] : [label])))];
  }

  #movesOf(set: number): Minimal["moves"][number] {
    return (this.#members[set] as readonly number[]).flatMap((place) => movesOf(this.graph, place));
  }
}
