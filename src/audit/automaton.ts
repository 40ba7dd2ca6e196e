/**
 * What can be seen of a design, as moments and moves between them, and the least that shows the same: moments that nobody can ever
 * tell apart are one.
 */

/** The label of a move that nobody sees. */
export const SILENT = 0;

/** Texts of labels by number, shared by what is compared. */
export class Labels {
  readonly #texts: string[] = [""];
  readonly #numbers = new Map<string, number>();

  numberOf(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#texts.push(text) - 1;
      this.#numbers.set(text, number);
    }
    return number;
  }

  textOf(number: number): string {
    return this.#texts[number] as string;
  }
}

/** The moment after which nothing comes, and the one at which everything begins. */
export const OVER = 0;
export const START = 1;

/** Moments and moves, to be made in any order. */
export class Moves {
  #moments = 2;
  readonly #from: number[] = [];
  readonly #label: number[] = [];
  readonly #to: number[] = [];
  readonly #ordinal: number[] = [];

  get moments(): number {
    return this.#moments;
  }

  newMoment(): number {
    return this.#moments++;
  }

  /** `ordinal` is that of the step that the move begins; -1 if it begins none. */
  add(from: number, label: number, to: number, ordinal: number): void {
    this.#from.push(from);
    this.#label.push(label);
    this.#to.push(to);
    this.#ordinal.push(ordinal);
  }

  automaton(): Automaton {
    const { begin, order } = sortedBy(this.#from, this.#moments);
    const sorted = (values: readonly number[]) => order.map((move) => values[move] as number);
    return { moments: this.#moments, begin, label: sorted(this.#label), to: sorted(this.#to), ordinal: sorted(this.#ordinal) };
  }
}

/** The moves out of moment `m` are those from `begin[m]` up to `begin[m + 1]`. */
export interface Automaton {
  readonly moments: number;
  readonly begin: Int32Array;
  readonly label: Int32Array;
  readonly to: Int32Array;
  readonly ordinal: Int32Array;
}

/** What comes of moments between which an observer cannot tell. */
export interface Minimal {
  /** Number of the class in which everything begins. */
  readonly start: number;
  /** By class. */
  readonly moves: readonly (readonly { readonly label: number; readonly to: number }[])[];
}

/** Moments that lead to each other by silent moves; those that others lead to have lower numbers. */
export interface Components {
  readonly count: number;
  readonly of: Int32Array;
  /** By component: whether a silent move stays in it. */
  readonly cycles: Uint8Array;
}

/** Tarjan's strongly connected components of the silent moves, without recursion. */
export function silentComponents({ moments, begin, label, to }: Automaton): Components {
  const of = new Int32Array(moments).fill(-1);
  const index = new Int32Array(moments);
  const low = new Int32Array(moments);
  const next = begin.slice(0, moments);
  const stack: number[] = [];
  const cycles: number[] = [];
  let indices = 0;
  let count = 0;
  const begun: number[] = [];
  const enter = (moment: number) => {
    index[moment] = low[moment] = ++indices;
    stack.push(moment);
    begun.push(moment);
  };
  for (let root = 0; root < moments; root++) {
    if (index[root] === 0) enter(root);
    while (begun.length > 0) {
      const moment = begun.at(-1) as number;
      const move = next[moment] as number;
      if (move < (begin[moment + 1] as number)) {
        next[moment] = move + 1;
        const target = to[move] as number;
        if (label[move] !== SILENT) continue;
        if (index[target] === 0) enter(target);
        else if (of[target] === -1) low[moment] = Math.min(low[moment] as number, index[target] as number);
        continue;
      }
      begun.pop();
      const before = begun.at(-1);
      if (before !== undefined) low[before] = Math.min(low[before] as number, low[moment] as number);
      if (low[moment] !== index[moment]) continue;
      const members = stack.splice(stack.lastIndexOf(moment));
      for (const member of members) of[member] = count;
      const isLoop = to
        .subarray(begin[moment], begin[moment + 1])
        .some((target, at) => target === moment && label[(begin[moment] as number) + at] === SILENT);
      cycles.push(members.length > 1 || isLoop ? 1 : 0);
      count++;
    }
  }
  return { count, of, cycles: Uint8Array.from(cycles) };
}

/**
 * One class for all moments that are branching bisimilar: what can be seen from one of them, and which choices are left then, is so
 * from the others. Hence the same traces lead out of the classes as out of the moments. By refinement: moments stay together as
 * long as their moves lead, by the same labels, to the same classes (Blom and Orzan). Yields the number of classes after each round.
 */
export function* minimised(automaton: Automaton, components: Components): Generator<number, Minimal, "interrupt" | undefined> {
  const { count } = components;
  const { begin, label, to } = betweenComponents(automaton, components);
  const classOf = new Int32Array(count);
  const signatureOf = new Int32Array(count).fill(-1);
  const signatures = new Signatures(count);
  const hasMoved = new Uint8Array(count).fill(1);
  let classes = 1;
  const isInert = (component: number, move: number) => label[move] === SILENT && classOf[to[move] as number] === classOf[component];

  const signatureNow = (component: number): number => {
    const seen = new Set<number>();
    for (let move = begin[component] as number; move < (begin[component + 1] as number); move++) {
      const target = to[move] as number;
      if (isInert(component, move)) for (const each of signatures.elements(signatureOf[target] as number)) seen.add(each);
      else seen.add(signatures.element(label[move] as number, classOf[target] as number));
    }
    return signatures.numberOf(seen);
  };

  for (;;) {
    const hasChanged = new Uint8Array(count);
    const isStale = (component: number): boolean => {
      if (hasMoved[component] === 1) return true;
      for (let move = begin[component] as number; move < (begin[component + 1] as number); move++) {
        const target = to[move] as number;
        if (hasMoved[target] === 1 || (hasChanged[target] === 1 && isInert(component, move))) return true;
      }
      return false;
    };
    for (let component = 0; component < count; component++) {
      if (!isStale(component)) continue;
      const signature = signatureNow(component);
      if (signature === signatureOf[component]) continue;
      signatureOf[component] = signature;
      hasChanged[component] = 1;
    }
    // The first signature that is met in a class keeps its number.
    const kept = new Int32Array(classes).fill(-1);
    const split = new Map<number, number>();
    const before = classes;
    hasMoved.fill(0);
    for (let component = 0; component < count; component++) {
      const own = classOf[component] as number;
      const signature = signatureOf[component] as number;
      if (kept[own] === -1) kept[own] = signature;
      if (kept[own] === signature) continue;
      const key = own * 2 ** 30 + signature;
      const number = split.get(key) ?? classes++;
      split.set(key, number);
      classOf[component] = number;
      hasMoved[component] = 1;
    }
    if (classes === before) break;
    if ((yield classes) === "interrupt") throw new GivenUp("an interrupt (Ctrl-C)");
  }
  const moves: Minimal["moves"][number][] = [];
  for (let component = 0; component < count; component++) {
    moves[classOf[component] as number] ??= signatures
      .elements(signatureOf[component] as number)
      .map((element) => signatures.move(element));
  }
  return { start: classOf[components.of[START] as number] as number, moves };
}

/** Thrown when a comparison is given up, with the reason. */
export class GivenUp extends Error {}

/** Sets of moves, each a label and a class that it leads to, by number. */
class Signatures {
  readonly #numbers = new Map<string, number>();
  readonly #elements: (readonly number[])[] = [];

  /** There are at most so many classes. */
  constructor(readonly classes: number) {}

  element(label: number, to: number): number {
    return label * this.classes + to;
  }

  move(element: number): { readonly label: number; readonly to: number } {
    return { label: Math.floor(element / this.classes), to: element % this.classes };
  }

  numberOf(elements: ReadonlySet<number>): number {
    const sorted = [...elements].sort((one, other) => one - other);
    const key = sorted.join();
    let number = this.#numbers.get(key);
    if (number === undefined) {
      number = this.#elements.push(sorted) - 1;
      this.#numbers.set(key, number);
    }
    return number;
  }

  elements(number: number): readonly number[] {
    return this.#elements[number] as readonly number[];
  }
}

/** The moves from component to component; those that stay in one silently left out. */
function betweenComponents({ moments, begin, label, to }: Automaton, { of, count }: Components): Pick<Automaton, "begin" | "label" | "to"> {
  const moves = { from: [] as number[], label: [] as number[], to: [] as number[] };
  for (let moment = 0; moment < moments; moment++) {
    for (let move = begin[moment] as number; move < (begin[moment + 1] as number); move++) {
      const from = of[moment] as number;
      const target = of[to[move] as number] as number;
      if (label[move] === SILENT && from === target) continue;
      moves.from.push(from);
      moves.label.push(label[move] as number);
      moves.to.push(target);
    }
  }
  const sorted = sortedBy(moves.from, count);
  const inOrder = (values: readonly number[]) => sorted.order.map((move) => values[move] as number);
  return { begin: sorted.begin, label: inOrder(moves.label), to: inOrder(moves.to) };
}

/** The positions of the values, which are below `limit`, in their order: those of value `v` from `begin[v]` up to `begin[v + 1]`. */
function sortedBy(values: readonly number[], limit: number): { readonly begin: Int32Array; readonly order: Int32Array } {
  const begin = new Int32Array(limit + 1);
  for (const value of values) begin[value + 1] = (begin[value + 1] as number) + 1;
  for (let value = 0; value < limit; value++) begin[value + 1] = (begin[value + 1] as number) + (begin[value] as number);
  const next = begin.slice(0, limit);
  const order = new Int32Array(values.length);
  for (const [position, value] of values.entries()) {
    const at = next[value] as number;
    order[at] = position;
    next[value] = at + 1;
  }
  return { begin, order };
}
