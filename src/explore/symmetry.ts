/**
 * Things that are interchangeable: a state and its image under a permutation of them behave alike, so that one of the two is enough.
 * (Ip and Dill, Better verification through symmetry, 1996.) Nobody declares it. The start does not tell such things apart
 * (interchange.ts); and of each path of a block that is learned the image is run natively, in the images of the states in which it was, by
 * the thread that takes the place of its own. It has to do the image of what the path does: read the same, write the same, choose among the
 * same, report the same and come to the same place. So have the images of images. A swap of which that is not true is lost.
 *
 * Properties need not be alike: of each state all images are asked about (learner.ts), as are the orders of locks (judge.ts).
 */
import { formatLocation, ModelError } from "../lang/errors.js";
import { generatedBy, type Permutation } from "../state/permutation.js";
import { type CellView, readCell } from "../state/state.js";
import type { Decision, Report } from "../step/block.js";
import type { Control } from "../step/control.js";
import type { Machine } from "../step/machine.js";
import { MOST_IMAGES } from "./core.js";
import { imageKey, type Swap } from "./interchange.js";
import { type PathBlock, pathTaken, type TakenPath } from "./paths.js";

/** A control state and its image. */
interface ControlPair {
  /** Number of the swap. */
  readonly swap: number;
  readonly one: Control;
  readonly other: Control;
}

/** A swap that makes a difference to the model, and where. */
export interface LostSwap {
  readonly what: string;
  readonly because: string;
}

/** Blocks that were run where nobody knows whether a run comes there, by what they read and chose. */
interface PathApart extends TakenPath {
  readonly covered: ReadonlySet<number>;
}
type Apart = Map<string, PathApart>;

export class Symmetry {
  /** Control states and their images under the swaps, each way, in the order in which they became known. */
  readonly pairs: ControlPair[] = [];
  /** All that can be made of the swaps, one after the other. */
  readonly group: readonly Permutation[];
  /** Images of learned paths. */
  readonly images: TakenPath[] = [];
  /** Coverage points that only images of what was run have reached. */
  readonly covered = new Set<number>();
  readonly #imageOf: readonly Map<Control, Control>[];
  /** Cells that some path writes, and those of which it was taken that none does: by the swaps for which that matters. */
  readonly #written = new Set<number>();
  readonly #takenConstant = new Map<number, string>();
  readonly #known = new Set<string>();

  private constructor(
    readonly machine: Machine,
    readonly swaps: readonly Swap[],
    readonly apart: Apart,
  ) {
    this.group = generatedBy(permutationsOf(swaps), MOST_IMAGES - 1) as readonly Permutation[];
    const { initial, registers } = machine;
    this.#imageOf = swaps.map(() => new Map());
    for (const [number, { permutation }] of swaps.entries()) {
      for (const [thread, image] of permutation.threads.entries()) {
        this.#pair(number, registers[thread]?.start as Control, registers[image]?.start as Control);
        this.#pair(number, machine.control(initial, thread), machine.control(initial, image));
      }
    }
  }

  /** With as many of the swaps as do not make too many images of a state: to ask about all of them takes as many times as long. */
  static of(machine: Machine, swaps: readonly Swap[]): Symmetry {
    const few: Swap[] = [];
    for (const swap of swaps) if (generatedBy(permutationsOf([...few, swap]), MOST_IMAGES - 1) !== null) few.push(swap);
    return new Symmetry(machine, few, new Map());
  }

  /** The same without a swap, and nothing noted. */
  without({ what }: LostSwap): Symmetry {
    return new Symmetry(
      this.machine,
      this.swaps.filter((swap) => swap.what !== what),
      this.apart,
    );
  }

  /** A path was learned. The first swap of which its images show that it makes a difference, or null. */
  note(learned: TakenPath): LostSwap | null {
    const key = keyOfPath(learned.control, learned.block);
    if (this.#known.has(key)) return null;
    this.#known.add(key);
    const waiting = [learned];
    for (let path = waiting.pop(); path !== undefined; path = waiting.pop()) {
      const changes = path.block.next === null ? [] : [...path.block.writes.keys()];
      for (const cell of changes) this.#written.add(cell);
      const wrong = changes.map((cell) => this.#takenConstant.get(cell)).find((swap) => swap !== undefined);
      if (wrong !== undefined) return { what: wrong, because: `it depends on what changes, ${placeOf(this.machine, path.control)}` };
      for (const [number, { what }] of this.swaps.entries()) {
        const image = this.#runImage(number, path);
        if (typeof image === "string") return { what, because: `${image}, ${placeOf(this.machine, path.control)}` };
        if (path.block.next !== null && image.block.next !== null) this.#pair(number, path.block.next, image.block.next);
        const imagesKey = keyOfPath(image.control, image.block);
        if (this.#known.has(imagesKey)) continue;
        this.#known.add(imagesKey);
        this.images.push(image);
        for (const point of this.apart.get(imagesKey)?.covered ?? []) this.covered.add(point);
        waiting.push(image);
      }
    }
    return null;
  }

  #pair(swap: number, one: Control, other: Control): void {
    const images = this.#imageOf[swap] as Map<Control, Control>;
    if (images.has(one)) return;
    images.set(one, other).set(other, one);
    this.pairs.push({ swap, one, other }, { swap, one: other, other: one });
  }

  /** What is done in the image of the states in which the path is taken; in a few words how it differs, if it does. */
  #runImage(swap: number, path: TakenPath): TakenPath | string {
    const { permutation, what } = this.swaps[swap] as Swap;
    const control = this.#imageOf[swap]?.get(path.control);
    if (control === undefined) return "where it stands has no image";
    const { decisions } = path.block;
    const reads = new Map(
      [...readsOf(path.block)].map(([cell, code]) => [permutation.cells[cell] as number, permutation.code(cell, code)]),
    );
    const choices = choicesOf(decisions).map(({ taken }) => taken);
    try {
      for (let position = 0; ; position++) {
        const block = this.#runApart(control, reads, choices);
        const taken = imageOfChoice(permutation, choicesOf(decisions)[position], choicesOf(block.decisions)[position]);
        if (taken === null) {
          if (!this.#dependsOnTheSame(reads, readsOf(block), what)) return "it depends on other things";
          return differenceOf(permutation, path.block, block) ?? { control, block };
        }
        if (typeof taken === "string") return taken;
        choices[position] = taken;
      }
    } catch (error) {
      if (error instanceof ModelError) return "it fails";
      throw error;
    }
  }

  /**
   * Whether the block is run in the states in which it was expected to be, and no others. What it reads besides makes no difference as long
   * as it is what was there at the start, and nobody writes it: a search that ends at the first hit does not look at all there is.
   */
  #dependsOnTheSame(expected: ReadonlyMap<number, number>, read: ReadonlyMap<number, number>, swap: string): boolean {
    const { layout, initial } = this.machine;
    for (const [cell, code] of [...expected, ...read]) {
      if (expected.get(cell) === read.get(cell)) continue;
      if (expected.has(cell) && read.has(cell)) return false;
      if (this.#written.has(cell) || readCell(layout, initial, cell) !== code) return false;
      this.#takenConstant.set(cell, swap);
    }
    return true;
  }

  /** Runs the block in a state of which those cells are known; the others are as at the start. */
  #runApart(control: Control, reads: ReadonlyMap<number, number>, choices: readonly number[]): PathBlock {
    const { machine, apart } = this;
    const { layout, initial } = machine;
    const asked = keyOfInputs(control, reads, choices);
    const known = apart.get(asked);
    if (known !== undefined) return known.block;
    const state: CellView = {
      threads: initial.threads,
      cell: (cell) => reads.get(cell) ?? readCell(layout, initial, cell),
      whole: () => initial,
    };
    const run = machine.runApart(control, state, choices);
    const path = { ...pathTaken(control, run), covered: run.covered };
    apart.set(asked, path);
    apart.set(keyOfPath(control, path.block), path);
    return path.block;
  }
}

function permutationsOf(swaps: readonly Swap[]): Permutation[] {
  return swaps.map(({ permutation }) => permutation);
}

type Choice = Decision & { readonly kind: "choice" };

function choicesOf(decisions: readonly Decision[]): Choice[] {
  return decisions.filter((decision) => decision.kind === "choice");
}

/** What a path is known by: the same code with the same inputs does the same. */
function keyOfPath(control: Control, block: PathBlock): string {
  const taken = choicesOf(block.decisions).map((choice) => choice.taken);
  return keyOfInputs(control, readsOf(block), taken);
}

function keyOfInputs(control: Control, reads: ReadonlyMap<number, number>, choices: readonly number[]): string {
  const inOrder = [...reads].sort(([one], [other]) => one - other);
  return `${control.thread} ${control.number} ${inOrder.join(" ")} ${choices}`;
}

/** Which alternative is the image of the one that was taken; or how the alternatives differ; or null if there are no more choices. */
function imageOfChoice(permutation: Permutation, mine: Choice | undefined, its: Choice | undefined): number | string | null {
  if (mine === undefined && its === undefined) return null;
  const images = mine?.labels.map((label) => imageOfLabel(permutation, label)) ?? [];
  const labels = its?.labels ?? [];
  if (mine === undefined || its === undefined || images.length !== labels.length) return "it has other choices";
  if (images.every((image, position) => image === labels[position])) return mine.taken;
  const isSameSet = new Set(images).size === images.length && images.every((image) => labels.includes(image));
  return isSameSet ? labels.indexOf(images[mine.taken] as string) : "it has other choices";
}

/** Alternatives that are objects are called `&struct:slot`. */
function imageOfLabel({ layout: { schema }, slots }: Permutation, label: string): string {
  return label.replace(/&(\w+):(\d+)/g, (object, name: string, slot: string) => {
    const struct = schema.structs.find((each) => each.name === name);
    return struct === undefined ? object : `&${name}:${slots[struct.number]?.[Number(slot)]}`;
  });
}

/** In a few words how what was done differs from the image of what the other did, null if it does not. */
function differenceOf(permutation: Permutation, mine: PathBlock, its: PathBlock): string | null {
  const cell = (each: number) => permutation.cells[each] as number;
  if (mine.outcome !== its.outcome) return "only one of them can go on";
  const isImage = ([each, code]: readonly [number, number]) => its.writes.get(cell(each)) === permutation.code(each, code);
  if (mine.writes.size !== its.writes.size || ![...mine.writes].every(isImage)) return "it does something else";
  const [next, itsNext] = [mine.next, its.next];
  if (next !== null && imageKey(next, permutation) !== itsNext?.key) return "it goes on elsewhere";
  const reported = ({ reports, fault }: PathBlock) => [...reports, ...(fault === null ? [] : [fault])].map(keyOfReport).join();
  if (reported(mine) !== reported(its)) return "it is reported for something else";
  const [taken, itsTaken] = [mine, its].map(({ acquisitions }) => acquisitions.map((acquisition) => acquisition.cell)) as [
    number[],
    number[],
  ];
  if (taken.map(cell).join() !== itsTaken.join()) return "it takes other locks";
  return mine.atomicBecause === its.atomicBecause ? null : "it is coarser for another reason";
}

function readsOf({ decisions }: PathBlock): Map<number, number> {
  return new Map(decisions.flatMap((decision) => (decision.kind === "read" ? [[decision.cell, decision.code]] : [])));
}

/** What findings are told apart by. */
function keyOfReport({ check, message, location, exhausted }: Report): string {
  return JSON.stringify([check, location === null ? message : formatLocation(location), exhausted]);
}

function placeOf({ threads }: Machine, { thread, frames }: Control): string {
  const site = frames.at(-1)?.site;
  return site ? `${site.procedure} (${formatLocation(site.location)})` : `the start of ${threads[thread]?.name}`;
}
