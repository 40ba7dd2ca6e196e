/**
 * What is kept for a packed state: the state with what is dead in it cleared, or one of the images of that under swaps of things that are
 * interchangeable. The core finds it (`core/normal-form.ts`); this lays out for it what is live where, and what each swap does to a packed state.
 */
import { movesOf, numbersOf, numbersOfMove, type Place, put } from "../state/packing.js";
import type { Control } from "../step/control.js";
import type { Core } from "./core.js";
import type { LiveCells } from "./dead-fields.js";
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
  readonly #tables: Uint32Array[] = [];
  /** By swap and thread. */
  readonly #controls: ImagesOfControls[][];
  /** Of how many control states the images are there. */
  #known = 0;

  constructor(
    readonly learner: Learner,
    core: Core,
    /** Null if nothing is taken to be interchangeable. */
    readonly symmetry: Symmetry | null,
    /** Null if nothing is cleared. */
    live: LiveCells | null,
  ) {
    this.#core = core;
    const swaps = symmetry?.swaps ?? [];
    const rows = this.#allocate(swaps.length * SWAP);
    this.#controls = swaps.map((swap, number) => this.#layOut(swap, rows.subarray(number * SWAP, (number + 1) * SWAP)));
    core.swapTable.value = rows.byteOffset;
    core.swaps.value = swaps.length;
    core.imageBytes.value = Math.ceil(learner.packing.words / 2) * 8;
    if (live !== null) this.#layOutLive(live);
  }

  /** Lets the core know of images of control states that have come. Throws a `TooManyControls` if one does not fit. */
  follow(): void {
    const pairs = this.symmetry?.pairs ?? [];
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
    if (this.symmetry === null) return count;
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
    this.learner.memory.releaseAll([...this.#tables, ...ofControls]);
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
    const kept = this.#allocate(packing.changingWords).fill(0xffffffff);
    for (const { word, shift, mask } of [...packing.controls, ...packing.upperControls, ...changing.map(({ place }) => place)].filter(
      (place) => place !== null,
    )) {
      kept[word] = (kept[word] as number) & ~(mask << shift);
    }
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

  /** Lays out which bits are kept by threads that stand at the control states of which something is known. */
  #layOutLive(live: LiveCells): void {
    const { machine, packing } = this.learner;
    const { changingWords } = packing;
    const initial = packing.pack(machine.initial);
    const atFirst = this.#allocate(changingWords);
    atFirst.set(initial.subarray(0, changingWords));
    const clearable = [...packing.cells.entries()].filter(([cell, { word }]) => live.isClearable(cell) && word < changingWords);
    const rows = machine.registers.flatMap(({ controls }) => {
      const table = this.#allocate(controls.length * changingWords).fill(0xffffffff);
      for (const control of controls) {
        const row = table.subarray(control.number * changingWords, (control.number + 1) * changingWords);
        for (const [cell, place] of clearable) if (!live.isLive(control, cell)) put(row, place, 0);
      }
      return [table.byteOffset, controls.length];
    });
    this.#core.liveTable.value = this.#table(rows).byteOffset;
    this.#core.atFirst.value = atFirst.byteOffset;
  }

  /** Puts the numbers into the memory. */
  #table(numbers: readonly number[]): Uint32Array {
    const table = this.#allocate(numbers.length);
    table.set(numbers);
    return table;
  }

  /** Room that is given back in the end. */
  #allocate(words: number): Uint32Array {
    const room = this.learner.memory.allocateWords(words);
    this.#tables.push(room);
    return room;
  }
}
