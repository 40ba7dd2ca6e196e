/**
 * Of a packed state and its images under swaps of things that are interchangeable, one is kept. The core finds it (`core/symmetry.ts`); this
 * lays out for it what each swap does to a packed state.
 */
import { movesOf, numbersOf, numbersOfMove, type Place } from "../state/packing.js";
import type { Control } from "../step/control.js";
import type { Core } from "./core.js";
import type { Swap } from "./interchange.js";
import { type Learner, TooManyControls } from "./learner.js";
import type { Symmetry } from "./symmetry.js";

/** In numbers, rows of the tables of core/symmetry.ts: of swaps, of a swap's threads, and of what changes. */
export const SWAP = 6;
export const SWAPPED_THREAD = 3;
export const CHANGE = 7;
/** Where the images are in the row of a thread, and for how many there is room at first. */
const IMAGES = 1;
const FIRST_CONTROLS = 64;

/** Most states of which the images are counted. */
export const MOST_COUNTED = 100_000;

/** By number of a thread's control state, what is its image's, and one more. */
interface ImagesOfControls {
  images: Uint32Array;
  /** The row that says where they are: of the thread that the images are of. */
  readonly row: Uint32Array;
}

export class NormalForms {
  readonly #core: Core;
  readonly #symmetry: Symmetry;
  readonly #rows: Uint32Array;
  readonly #tables: Uint32Array[] = [];
  /** By swap and thread. */
  readonly #controls: ImagesOfControls[][];
  /** Of how many control states the images are there. */
  #known = 0;

  constructor(
    readonly learner: Learner,
    core: Core,
    symmetry: Symmetry,
  ) {
    this.#core = core;
    this.#symmetry = symmetry;
    this.#rows = this.learner.memory.allocateWords(symmetry.swaps.length * SWAP);
    this.#controls = symmetry.swaps.map((swap, number) => this.#layOut(swap, this.#rows.subarray(number * SWAP, (number + 1) * SWAP)));
    core.swapTable.value = this.#rows.byteOffset;
    core.swaps.value = symmetry.swaps.length;
    core.imageBytes.value = Math.ceil(learner.packing.words / 2) * 8;
  }

  /** Lets the core know of images of control states that have come. Throws a `TooManyControls` if one does not fit. */
  follow(): void {
    const { pairs } = this.#symmetry;
    for (; this.#known < pairs.length; this.#known++) {
      const { swap, one, other } = pairs[this.#known] as Symmetry["pairs"][number];
      this.#note(swap, one, other);
    }
  }

  /** The image of a state in the memory that is kept for it: the state itself, or what is overwritten by the next. */
  of(state: Uint32Array): Uint32Array {
    this.follow();
    const { byteOffset, length } = state;
    const address = this.#core.normalForm(byteOffset);
    return address === byteOffset ? state : this.learner.memory.words(address, length);
  }

  /** For how many states those stand that are kept, of which there are so many. Of very many some are looked at. */
  standFor(count: number): number {
    const stride = Math.ceil(count / MOST_COUNTED);
    let images = 0;
    let counted = 0;
    for (let number = 0; number < count; number += stride) {
      images += this.#core.countImages(number);
      counted++;
    }
    return Math.round((images / counted) * count);
  }

  release(): void {
    const ofControls = this.#controls.flatMap((threads) => threads.map(({ images }) => images));
    this.learner.memory.releaseAll([this.#rows, ...this.#tables, ...ofControls]);
  }

  #note(swap: number, control: Control, image: Control): void {
    if (image.number >= 2 ** (this.learner.packing.controlBits[image.thread] as number)) throw new TooManyControls(image.thread);
    const known = this.#controls[swap]?.[control.thread] as ImagesOfControls;
    if (control.number >= known.images.length) {
      known.images = this.learner.memory.enlarge(known.images, Math.max(known.images.length * 2, control.number + 1));
      known.row.set([known.images.byteOffset, known.images.length], IMAGES);
    }
    known.images[control.number] = image.number + 1;
  }

  /** Fills in the row of a swap. */
  #layOut({ permutation }: Swap, row: Uint32Array): ImagesOfControls[] {
    const { packing } = this.learner;
    const changing = permutation.cells.flatMap((image, cell) => {
      const place = packing.cells[cell] as Place;
      const codes = permutation.codesOf(cell);
      const isChanged = (image !== cell || codes !== null) && place.word < packing.changingWords;
      return isChanged ? [{ place, from: packing.cells[image] as Place, codes }] : [];
    });
    const kept = this.learner.memory.allocateWords(packing.changingWords).fill(0xffffffff);
    for (const { word, shift, mask } of [...packing.controls, ...packing.upperControls, ...changing.map(({ place }) => place)].filter(
      (place) => place !== null,
    )) {
      kept[word] = (kept[word] as number) & ~(mask << shift);
    }
    this.#tables.push(kept);
    const moves = movesOf(changing.filter(({ codes }) => codes === null).map(({ place, from }) => [from, place]));
    const threads = this.#table(permutation.threads.flatMap((image) => [image, 0, 0]));
    const controls: ImagesOfControls[] = [];
    for (const [thread, image] of permutation.threads.entries()) {
      const images = this.learner.memory.allocateWords(FIRST_CONTROLS);
      const rowOfThread = threads.subarray(thread * SWAPPED_THREAD, (thread + 1) * SWAPPED_THREAD);
      rowOfThread.set([images.byteOffset, images.length], IMAGES);
      // What the thread has in the image is made of what the other one has.
      controls[image] = { row: rowOfThread, images };
    }
    const maps = new Map<readonly number[], number>();
    const mapOf = (codes: readonly number[]) => {
      const known = maps.get(codes) ?? this.#table(codes).byteOffset;
      maps.set(codes, known);
      return known;
    };
    const changes = changing.flatMap(({ place, from, codes }) => [
      ...numbersOf(place),
      ...numbersOf(from),
      codes === null ? 0 : mapOf(codes),
    ]);
    row.set([
      kept.byteOffset,
      this.#table(moves.flatMap(numbersOfMove)).byteOffset,
      moves.length,
      threads.byteOffset,
      this.#table(changes).byteOffset,
      changing.length,
    ]);
    return controls;
  }

  /** Puts the numbers into the memory. */
  #table(numbers: readonly number[]): Uint32Array {
    const table = this.learner.memory.allocateWords(numbers.length);
    table.set(numbers);
    this.#tables.push(table);
    return table;
  }
}
