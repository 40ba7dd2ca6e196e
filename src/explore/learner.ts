/**
 * Turns native runs into rules: what a block does, and what a property says, learned once per path and
 * applied to packed states from then on.
 */
import { type Answer, evaluate, instancesOf, type PropertyInstance } from "../check/evaluate.js";
import { ModelError } from "../lang/errors.js";
import type { Property } from "../lang/property.js";
import type { Site } from "../lang/runtime.js";
import { bitsIn, type Move, move, numbersOf, Packing, type Place } from "../state/packing.js";
import type { Permutation } from "../state/permutation.js";
import type { Cells, CellView } from "../state/state.js";
import { type BlockRun, behavesAlike } from "../step/block.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import type { NativeBlock } from "../step/run.js";
import { type LiveCells, Outdated } from "./dead-fields.js";
import { Memory } from "./memory.js";
import {
  BLOCKED,
  CHOICE,
  CHOICE_CHILDREN,
  Contradiction,
  LEAF,
  LEAF_ASKED,
  LEAF_FLAGS,
  LEAF_HELD,
  READ,
  READ_BEFORE,
  READ_CHILDREN,
  Rules,
  type Test,
} from "./rules.js";
import type { Symmetry } from "./symmetry.js";

/** What a learned path of a block does besides its writes. */
export interface Leaf {
  readonly control: Control;
  /** Next control state; null for a fault. */
  readonly next: Control | null;
  readonly block: Pick<BlockRun, "reports" | "fault" | "acquisitions" | "observed" | "freed">;
  /** What it writes, by cell. */
  readonly writes: ReadonlyMap<number, number>;
}

/** Leaf flags, for the explorer to see at once whether a step needs more than its writes. */
export const FAULT = 1;
export const REPORTS = 2;
export const ACQUIRES = 4;
/** The step is taken at once where it is the only one of its thread: see fusion.ts. */
export const FUSED = 8;

/** A property instance with its learned tree. */
export interface LearnedInstance {
  /** Its position among those that are asked. */
  number: number;
  readonly instance: PropertyInstance;
  /** Of which image of a state it is asked; null: of the state itself. */
  readonly image: Image | null;
  /** Root of the tree; for `onReturn` one root per control state that has just returned. */
  root: number;
  readonly rootOfReturn: Map<Control, number>;
  /** The cells that it has read so far in any state. */
  readonly reads: Set<number>;
}

/** A permutation, and what undoes it. */
interface Image {
  readonly permutation: Permutation;
  readonly inverse: Permutation;
}

/** The instances whose answer a step can change: those of the state it leads to, of the step itself, and of its return. */
export interface Asked {
  readonly onState: readonly LearnedInstance[];
  readonly onStep: readonly LearnedInstance[];
  readonly onReturn: readonly LearnedInstance[];
  /** The same for the core: where in the rules, and for how many numbers there is room. */
  readonly list: number;
  readonly room: number;
}

/** Property leaves carry one of these. */
export const FALSE = 0;
export const TRUE = 1;
export const CLOSED = 2;

/** Bits for a thread's control state number, as long as little is known of it. */
const FIRST_CONTROL_BITS = 9;

/** Thrown when a thread has more control states than its bits can number: states have to be packed with more bits. */
export class TooManyControls extends Error {
  constructor(readonly thread: number) {
    super();
  }
}

/** Thrown when a cell is written that was taken never to change: states have to be packed with another idea of what does. */
export class ConstantWritten extends Error {}

/** Kinds of control states, as the core knows them. */
export const KINDS: Partial<Record<Control["kind"], number>> = { lock: 1, finished: 2, idle: 3, "idle-until": 4 };
/** Of a control state of another kind, if some step out of it is fused. */
export const FUSES = 5;

/** Places of loaded code at which fresh code has been compared with code that had just come there. */
const triedFreshly = new WeakSet<Site>();

/** Numbers of a row of the table of threads. */
export const THREAD_ROW = 9;

export class Learner {
  readonly memory = Memory.take();
  rules = new Rules(this.memory);
  packing: Packing;
  readonly leaves: Leaf[] = [];
  instances: readonly LearnedInstance[] = [];
  /** Those that are asked of states, of steps, and of returns. */
  onState: readonly LearnedInstance[] = [];
  onStep: readonly LearnedInstance[] = [];
  #onReturn: readonly LearnedInstance[] = [];
  /** Which states are images of each other, so that one of them is kept. */
  symmetry: Symmetry | null = null;
  /** What is live where, so that the rest is cleared; null if nothing is. */
  live: LiveCells | null = null;
  nativeSeconds = 0;
  /** Whether some step is fused with the one before it. */
  isFusing = false;
  /** Told of each answer of a property that is learned, if somebody wants to know. */
  onAnswer: ((learned: LearnedInstance, answer: Answer) => void) | null = null;
  /** Told of a cell that was about to be read where it was cleared: by the thread that stands there, or by a property. The run cannot go on. */
  onDeadRead: ((cell: number, by: Control | null) => void) | null = null;
  /** By thread, where its control state number is (word, shift, mask), where its control states are (address, how many), and where the number's upper bits are, if there are any (word, shift, mask, bits below). */
  readonly threadTable: Uint32Array;
  /** By thread and control state number, two numbers: the root slot of its rules, and what kind it is, with the mutex it waits for above. */
  readonly #controls: Uint32Array[];
  /** By leaf number: where the leaf is in the rules, and whom its step concerns as far as that has been worked out. */
  readonly #leafAt: number[] = [];
  readonly #asked: Asked[] = [];
  /** Every instance that was ever asked, by the image that it is asked of and its number among all. */
  readonly #everAsked = new Map<string, LearnedInstance>();
  /** Numbers of the leaves that write a cell. */
  readonly #writers = new Map<number, number[]>();
  readonly pathsOf = new Map<Control, number>();
  /** Cells that some path writes. */
  readonly written = new Set<number>();
  /** Paths learned of control states to which one way is known so far. */
  readonly #onlyWitness = new Map<Control, { words: Uint32Array; readonly choices: readonly number[] }[]>();

  constructor(
    readonly machine: Machine,
    controlBits = FIRST_CONTROL_BITS,
  ) {
    this.packing = new Packing(
      machine.layout,
      machine.threads.map(() => controlBits),
    );
    const { memory } = this;
    this.threadTable = memory.allocateWords(machine.threads.length * THREAD_ROW);
    this.#controls = machine.threads.map((_, thread) => this.#roomForControls(thread, 64));
    this.#placeControls();
    this.keepOneOf(null);
  }

  /** For a run that begins: of the states that are images of each other one is kept, and all that is asked of one is asked of its images. */
  keepOneOf(symmetry: Symmetry | null): void {
    this.symmetry = symmetry;
    const { machine, rules } = this;
    const instances = machine.properties.flatMap((property) => instancesOf(property, machine));
    const images = symmetry?.group.map((permutation): Image => ({ permutation, inverse: permutation.inverse })) ?? [];
    this.instances = [null, ...images].flatMap((image) => instances.map((instance, position) => this.#askedOf(instance, position, image)));
    for (const [number, learned] of this.instances.entries()) learned.number = number;
    const ofKind = (...kinds: Property["window"]["kind"][]) =>
      this.instances.filter(({ instance }) => kinds.includes(instance.property.window.kind));
    this.onState = ofKind("always", "atRest", "sometimes");
    this.onStep = ofKind("onStep");
    this.#onReturn = ofKind("onReturn");
    for (const leaf of this.#leafAt) rules.heap[leaf + LEAF_ASKED] = 0;
  }

  #askedOf(instance: PropertyInstance, position: number, image: Image | null): LearnedInstance {
    const key = `${position} ${image?.permutation.key}`;
    const known = this.#everAsked.get(key);
    if (known !== undefined) return known;
    const learned = { number: 0, instance, image, root: this.rules.newRoot(), rootOfReturn: new Map(), reads: new Set<number>() };
    this.#everAsked.set(key, learned);
    return learned;
  }

  /** Root slot of the rules of a control state. */
  rootOf(thread: number, number: number): number {
    let controls = this.#controls[thread] as Uint32Array;
    if (number * 2 >= controls.length) {
      const larger = this.#roomForControls(thread, Math.max(controls.length, number + 1));
      larger.set(controls);
      this.memory.releaseAll([controls]);
      this.#controls[thread] = larger;
      controls = larger;
    }
    if (controls[number * 2] === 0) {
      controls[number * 2] = this.rules.newRoot();
      const control = this.machine.registers[thread]?.controls[number] as Control;
      const mutex = control.kind === "lock" ? this.machine.layout.mutexCells.indexOf(control.mutexCell) : 0;
      controls[number * 2 + 1] = (KINDS[control.kind] ?? 0) | (mutex << 3);
    }
    return controls[number * 2] as number;
  }

  #placeControls(): void {
    const { controls, upperControls } = this.packing;
    for (const [thread, place] of controls.entries()) {
      const upper = upperControls[thread] ?? null;
      this.threadTable.set(numbersOf(place), thread * THREAD_ROW);
      this.threadTable.set(upper === null ? [0, 0, 0, 0] : [...numbersOf(upper), bitsIn(place)], thread * THREAD_ROW + 5);
    }
  }

  #roomForControls(thread: number, count: number): Uint32Array {
    const room = this.memory.allocateWords(count * 2);
    this.threadTable.set([room.byteOffset, count], thread * THREAD_ROW + 3);
    return room;
  }

  /**
   * Finds out what the thread does in the state with these choices, and grows its tree by that path. Returns
   * the block, for what has to be noted once per path.
   */
  learnBlock(thread: number, words: Uint32Array, choices: readonly number[]): { readonly control: Control; readonly block: BlockRun } {
    const started = performance.now();
    const { machine, rules } = this;
    const control = machine.control(this.packing.view(words), thread);
    const state = this.#shown(words, control);
    const block = machine.run(state, thread, { choices, parked: true });
    if (control.secondWitness !== null || !this.pathsOf.has(control)) this.#repeat(control, state, choices, block);
    if (control.secondWitness === null) this.#remember(control, words, choices);
    if (block.next) this.#catchUp(block.next);
    const tests = block.decisions.map((decision): Test => {
      if (decision.kind === "choice") return { kind: CHOICE, count: decision.labels.length, taken: decision.taken };
      const size = machine.layout.cells[decision.cell]?.size as number;
      return { kind: READ, place: this.packing.cells[decision.cell] as Place, size, code: decision.code };
    });
    if (block.next && block.next.number >= 2 ** (this.packing.controlBits[thread] as number)) throw new TooManyControls(thread);
    const last = tests.at(-1);
    // A choice among nothing has no child to hang a leaf on: the node itself says that the step is not possible.
    const isDeadEnd = last?.kind === CHOICE && last.count === 0;
    const slot = this.#grow(control, block, isDeadEnd ? tests.slice(0, -1) : tests);
    // The path was missing from the tree, or nobody would have asked.
    if (rules.heap[slot] !== 0) throw this.#nondeterministic(control, block.next);
    const node = block.outcome === "blocked" ? rules.newBlocked() : this.#newLeaf(control, block);
    rules.hang(slot, node);
    this.pathsOf.set(control, (this.pathsOf.get(control) ?? 0) + 1);
    this.nativeSeconds += (performance.now() - started) / 1000;
    return { control, block };
  }

  /** What the instance says of the state; learned if it is not known. `before` and `returned` where its window needs them. */
  ask(learned: LearnedInstance, words: Uint32Array, before: Uint32Array | null, returned: Control | null): number {
    const root = returned ? this.rootOfReturn(learned, returned) : learned.root;
    const { heap } = this.rules;
    let slot = root;
    for (;;) {
      const node = heap[slot] as number;
      if (node === 0) return this.#learnAnswer(learned, root, words, before, returned);
      const kind = heap[node] as number;
      if (kind === LEAF) return heap[node + 1] as number;
      const from = kind === READ ? words : (before as Uint32Array);
      slot =
        node + READ_CHILDREN + (((from[heap[node + 1] as number] as number) >>> (heap[node + 2] as number)) & (heap[node + 3] as number));
    }
  }

  /** Root slot of what the instance says when the thread has just returned to that control state. */
  rootOfReturn({ rootOfReturn }: LearnedInstance, returned: Control): number {
    const known = rootOfReturn.get(returned);
    if (known !== undefined) return known;
    const root = this.rules.newRoot();
    rootOfReturn.set(returned, root);
    return root;
  }

  /** The whole answer, natively, for a message. */
  explain({ instance, image }: LearnedInstance, words: Uint32Array, before: Uint32Array | null, returned: Control | null): Answer {
    const { machine } = this;
    const seen = (state: Uint32Array) => (image === null ? this.#shown(state, null) : imageOfCells(this.#shown(state, null), image));
    const answer = evaluate(instance, machine, {
      state: seen(words),
      ...(before ? { before: seen(before) } : {}),
      ...(returned ? { returned: image === null ? returned : imageOfReturn(returned, image) } : {}),
    });
    if (image === null) return answer;
    const { inverse } = image;
    const { length } = machine.layout.cells;
    return {
      ...answer,
      reads: answer.reads.map(({ cell: number, code }) => {
        const cell = number % length;
        return { cell: number - cell + (inverse.cells[cell] as number), code: inverse.code(cell, code) };
      }),
    };
  }

  #learnAnswer(learned: LearnedInstance, root: number, words: Uint32Array, before: Uint32Array | null, returned: Control | null): number {
    const started = performance.now();
    const { rules, machine } = this;
    const { length } = machine.layout.cells;
    const answer = this.explain(learned, words, before, returned);
    const tests = answer.reads.map(({ cell, code }): Test => {
      const size = machine.layout.cells[cell % length]?.size as number;
      const place = this.packing.cells[cell % length] as Place;
      return { kind: cell < length ? READ : READ_BEFORE, place, size, code };
    });
    this.onAnswer?.(learned, answer);
    for (const { cell } of answer.reads) {
      if (learned.reads.has(cell % length)) continue;
      learned.reads.add(cell % length);
      // Whom their steps concern has to be worked out again.
      for (const leaf of this.#writers.get(cell % length) ?? []) rules.heap[(this.#leafAt[leaf] as number) + LEAF_ASKED] = 0;
    }
    const verdict = answer.verdict === "true" ? TRUE : answer.verdict === "false" ? FALSE : CLOSED;
    let slot: number;
    try {
      slot = rules.grow(root, tests);
    } catch (error) {
      if (!(error instanceof Contradiction)) throw error;
      throw new ModelError(
        `property ${learned.instance.property.code} is nondeterministic: of the same state it said two things`,
        "A property's answer must follow from the state alone: look for data kept outside it.",
      );
    }
    if (rules.heap[slot] === 0) rules.hang(slot, rules.newLeaf(verdict, []));
    this.nativeSeconds += (performance.now() - started) / 1000;
    return verdict;
  }

  #newLeaf(control: Control, block: BlockRun): number {
    const number = this.leaves.length;
    const { reports, fault, acquisitions, observed, freed, next } = block;
    const writes = next ? block.writes : new Map<number, number>();
    for (const cell of writes.keys()) this.written.add(cell);
    const { changing } = this.packing;
    if (changing && [...writes.keys()].some((cell) => !changing.has(cell))) throw new ConstantWritten();
    for (const cell of writes.keys()) {
      const writers = this.#writers.get(cell);
      if (writers) writers.push(number);
      else this.#writers.set(cell, [number]);
    }
    this.leaves.push({ control, next, block: { reports, fault, acquisitions, observed, freed }, writes });
    const flags = (fault ? FAULT : 0) | (reports.length > 0 ? REPORTS : 0) | (acquisitions.length > 0 ? ACQUIRES : 0);
    return this.#placeLeaf(number, flags, [-1, -1]);
  }

  /** Puts a leaf into the rules. */
  #placeLeaf(number: number, flags: number, held: readonly number[]): number {
    const { control, next, writes } = this.leaves[number] as Leaf;
    const { packing } = this;
    const clear = new Uint32Array(packing.words);
    const set = new Uint32Array(packing.words);
    const store = ({ word, shift, mask }: Place, code: number) => {
      clear[word] = (clear[word] as number) | (mask << shift);
      set[word] = (set[word] as number) | (code << shift);
    };
    for (const [cell, code] of writes) store(packing.cells[cell] as Place, code);
    if (next) for (const { place, code } of packing.controlWrites(control.thread, next.number)) store(place, code);
    const payload: number[] = [];
    for (const [word, bits] of clear.entries()) if (bits !== 0) payload.push(word, ~bits, set[word] as number);
    const node = this.rules.newLeaf(number, [flags, control.thread, 0, ...held, payload.length / 3, ...payload]);
    this.#leafAt[number] = node;
    return node;
  }

  /** For a run that begins: has the steps with those leaves fused, and no others. What was held at an acquisition has to be looked at again. */
  fuse(fused: ReadonlySet<number>): void {
    const { heap } = this.rules;
    this.isFusing = fused.size > 0;
    for (const controls of this.#controls) {
      for (let at = 1; at < controls.length; at += 2) if (controls[at] === FUSES) controls[at] = 0;
    }
    for (const [number, { control }] of this.leaves.entries()) {
      const leaf = this.#leafAt[number] as number;
      heap.set([-1, -1], leaf + LEAF_HELD);
      const flags = leaf + LEAF_FLAGS;
      const isFused = fused.has(number);
      heap[flags] = ((heap[flags] as number) & ~FUSED) | (isFused ? FUSED : 0);
      if (isFused) (this.#controls[control.thread] as Uint32Array)[control.number * 2 + 1] = FUSES;
    }
  }

  /** Whether some step out of the control state is fused. */
  fusesAt(thread: number, number: number): boolean {
    return this.#controls[thread]?.[number * 2 + 1] === FUSES;
  }

  /** Whose answers the step with the leaf at that address can change. */
  askedOf(leafAt: number): Asked {
    const { rules } = this;
    const number = rules.heap[leafAt + 1] as number;
    const known = this.#asked[number];
    if (known !== undefined && rules.heap[leafAt + LEAF_ASKED] !== 0) return known;
    const { writes, next } = this.leaves[number] as Leaf;
    const cells = [...writes.keys()];
    const isAffected = ({ reads }: LearnedInstance) => cells.some((cell) => reads.has(cell));
    const onState = this.onState.filter(isAffected);
    const onStep = this.onStep.filter(isAffected);
    const onReturn = this.#onReturn.filter(({ instance: { property } }) => {
      return property.window.kind === "onReturn" && next?.returned?.procedure === property.window.procedure;
    });
    const entries = [
      ...[...onState, ...onStep].flatMap((instance) => [instance.number, instance.root]),
      ...onReturn.flatMap((instance) => [instance.number, this.rootOfReturn(instance, next as Control)]),
    ];
    const isRoomy = known !== undefined && known.room >= entries.length;
    const room = isRoomy ? known.room : entries.length;
    const list = isRoomy ? known.list : rules.allocate(3 + room);
    rules.heap.set([onState.length, onStep.length, onReturn.length, ...entries], list);
    rules.heap[leafAt + LEAF_ASKED] = list;
    const asked = { onState, onStep, onReturn, list, room };
    this.#asked[number] = asked;
    return asked;
  }

  /**
   * Packs states otherwise from now on; what has been learned stays. `moves` and `rest` make of a state that was packed
   * before one as it is packed now.
   */
  repack(packing: Packing, moves: readonly Move[], rest: Uint32Array): void {
    const { machine, memory, packing: old, rules: learned } = this;
    this.packing = packing;
    this.rules = new Rules(memory);
    this.#asked.length = 0;
    this.#placeControls();
    const cellAt = new Map(old.cells.map(({ word, shift }, cell) => [word * 32 + shift, cell]));
    /** Copies the tree in that slot of the old rules. */
    const copied = (slot: number, ofSteps: boolean): number => {
      const { heap } = learned;
      const node = heap[slot] as number;
      if (node === 0) return 0;
      const kind = heap[node] as number;
      if (kind === BLOCKED) return this.rules.newBlocked();
      if (kind === LEAF) {
        const number = heap[node + 1] as number;
        if (!ofSteps) return this.rules.newLeaf(number, []);
        return this.#placeLeaf(number, heap[node + LEAF_FLAGS] as number, [...heap.subarray(node + LEAF_HELD, node + LEAF_HELD + 2)]);
      }
      let copy: number;
      let children: number;
      let count: number;
      if (kind === CHOICE) {
        count = heap[node + 1] as number;
        copy = this.rules.newChoice(count);
        children = CHOICE_CHILDREN;
      } else {
        const cell = cellAt.get((heap[node + 1] as number) * 32 + (heap[node + 2] as number)) as number;
        count = machine.layout.cells[cell]?.size as number;
        copy = this.rules.newRead(kind, packing.cells[cell] as Place, count);
        children = READ_CHILDREN;
      }
      for (let child = 0; child < count; child++) this.rules.hang(copy + children + child, copied(node + children + child, ofSteps));
      return copy;
    };
    const moved = (root: number, ofSteps: boolean) => {
      const slot = this.rules.newRoot();
      this.rules.hang(slot, copied(root, ofSteps));
      return slot;
    };
    for (const controls of this.#controls) {
      for (let at = 0; at < controls.length; at += 2) if (controls[at] !== 0) controls[at] = moved(controls[at] as number, true);
    }
    for (const instance of this.#everAsked.values()) {
      instance.root = moved(instance.root, false);
      for (const [control, root] of instance.rootOfReturn) instance.rootOfReturn.set(control, moved(root, false));
    }
    learned.release();
    for (const paths of this.#onlyWitness.values()) {
      for (const path of paths) {
        const words = rest.slice();
        move(moves, path.words, words);
        path.words = words;
      }
    }
  }

  #grow(control: Control, { next }: BlockRun, tests: readonly Test[]): number {
    try {
      return this.rules.grow(this.rootOf(control.thread, control.number), tests);
    } catch (error) {
      if (error instanceof Contradiction) throw this.#nondeterministic(control, next);
      throw error;
    }
  }

  #remember(control: Control, words: Uint32Array, choices: readonly number[]): void {
    const paths = this.#onlyWitness.get(control);
    const path = { words: words.slice(), choices };
    if (paths) paths.push(path);
    else this.#onlyWitness.set(control, [path]);
  }

  /** Once a second way to a control state is known, what was learned with the first alone is repeated with the second. */
  #catchUp(control: Control): void {
    const paths = this.#onlyWitness.get(control);
    if (control.secondWitness === null || paths === undefined) return;
    this.#onlyWitness.delete(control);
    for (const { words, choices } of paths) {
      const state = this.packing.view(words);
      this.#repeat(control, state, choices, this.machine.run(state, control.thread, { choices, parked: true }));
    }
  }

  /**
   * Runs the path again, on code that has come there in another way if one is known: it must come out the same. At
   * each place of the code that is once done with fresh code, which has to be led there from the start.
   */
  #repeat(control: Control, state: CellView, choices: readonly number[], first: NativeBlock): void {
    const place = control.frames.at(-1)?.site;
    const parked = place === undefined || triedFreshly.has(place);
    if (place !== undefined) triedFreshly.add(place);
    const second = this.machine.run(state, control.thread, { choices, otherThan: first, parked });
    if (!behavesAlike(first, second)) throw this.#nondeterministic(control, first.next);
  }

  #nondeterministic(control: Control, next: Control | null): ModelError {
    // A thread that has not begun stands nowhere; where it gets to is near enough.
    const site = (control.frames.at(-1) ?? next?.frames.at(-1))?.site;
    const thread = this.machine.names.threads[control.thread];
    return new ModelError(
      `nondeterministic model code in ${site ? `${site.procedure}, ` : ""}thread ${thread}: from the same reads and choices it did two different things`,
      "A block's behaviour must follow from the state it reads and the choices it makes: look for data kept outside the state.",
      site?.location,
    );
  }

  /** The state as model code sees it, run by the thread that stands there, or a property. What has been cleared in it nobody may see. */
  #shown(words: Uint32Array, by: Control | null): CellView {
    const { live, machine } = this;
    const state = this.packing.view(words);
    if (live === null) return state;
    const controls = machine.threads.map((_, thread) => machine.control(state, thread));
    const cell = (number: number) => {
      if (!live.isDead(controls, number)) return state.cell(number);
      this.onDeadRead?.(number, by);
      throw new Outdated();
    };
    return { ...state, cell };
  }

  /** Number of the control state of a thread in a packed state. */
  controlNumber(words: Uint32Array, thread: number): number {
    return this.packing.control(words, thread);
  }
}

function imageOfCells(state: Cells, { permutation, inverse }: Image): Cells {
  return {
    cell: (number) => {
      const cell = inverse.cells[number] as number;
      return permutation.code(cell, state.cell(cell));
    },
  };
}

function imageOfReturn(control: Control, { permutation }: Image): Control {
  const { returned } = control;
  if (returned === null) return control;
  const parameters = returned.parameters.map((parameter) => permutation.local(parameter));
  return { ...control, returned: { ...returned, parameters, result: permutation.local(returned.result) } };
}
