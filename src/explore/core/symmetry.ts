/**
 * Things that are interchangeable (../symmetry.ts): of a state and its images under swaps of such things, one is kept. Which one makes no
 * difference, so long as it is always the same of the same state: swaps are made as long as that makes it smaller. States are compared
 * by the control states of their threads, then by their cells, each in its order.
 *
 * ../normal-forms.ts lays out what is here.
 */
import { controlIn, putControl, threadRow, threads } from "./core";
import { at, fetch, moveBits, putNumberAt, valueAt, words } from "./states";

/**
 * How many swaps there are, and by swap: what of each word stays (address), what moves (address, how many), a row for each thread (address),
 * and what changes (address, how many).
 */
export let swaps: u32 = 0;
export let swapTable: usize = 0;
/** Room for as many states as a state has images, and one, and the bytes of one. */
export let images: usize = 0;
export let imageBytes: u32 = 0;

/** In bytes, a row of that table. */
const SWAP: usize = 24;
/**
 * In bytes, the row of a thread: which one takes its place, and by number of that one's control state the image (address, how many): one
 * more than its number, or 0 if it is not known.
 */
const SWAPPED_THREAD: usize = 12;
/** In bytes, a row of what changes: where the number is (word, shift, mask), where the one is that takes its place (the same), and its image by number (address); 0 if that is itself. */
const CHANGE: usize = 28;

/** Address of the smallest image of the state: its own, or one of the first two of `images`. */
export function smallestImage(state: usize): usize {
  let smallest = state;
  let swap: u32 = 0;
  for (let tried: u32 = 0; tried < swaps; tried++) {
    const row = swapTable + <usize>swap * SWAP;
    if (isImageSmaller(row, smallest)) {
      const into = smallest === images ? images + <usize>imageBytes : images;
      makeImage(row, smallest, into);
      smallest = into;
      // The same swap again would make it larger.
      tried = 0;
    }
    swap = swap + 1 === swaps ? 0 : swap + 1;
  }
  return smallest;
}

/** How many images the state of that number has, itself included: all that can be made of it by swaps. */
export function countImages(number: u32): u32 {
  let known: u32 = 1;
  fetch(number, images);
  for (let source: u32 = 0; source < known; source++) {
    for (let swap: u32 = 0; swap < swaps; swap++) {
      const image = imageNumber(known);
      makeImage(swapTable + <usize>swap * SWAP, imageNumber(source), image);
      if (!isAmong(known, image)) known++;
    }
  }
  return known;
}

function imageNumber(number: u32): usize {
  return images + <usize>number * <usize>imageBytes;
}

function isAmong(known: u32, image: usize): bool {
  for (let other: u32 = 0; other < known; other++) {
    const state = imageNumber(other);
    let word: usize = 0;
    while (word < (<usize>words) << 3 && load<u64>(state + word) === load<u64>(image + word)) word += 8;
    if (word === (<usize>words) << 3) return true;
  }
  return false;
}

function isImageSmaller(swap: usize, state: usize): bool {
  let row = <usize>load<u32>(swap, 12);
  let isSmaller = false;
  for (let thread: u32 = 0; thread < threads; thread++) {
    const image = imageOfControl(row, state);
    if (image === 0) return false;
    const own = controlIn(threadRow(thread), state) + 1;
    if (!isSmaller && image > own) return false;
    // Even so the images of the others have to be known.
    isSmaller = isSmaller || image < own;
    row += SWAPPED_THREAD;
  }
  if (isSmaller) return true;
  const end = endOfChanges(swap);
  for (let change = <usize>load<u32>(swap, 16); change < end; change += CHANGE) {
    const image = imageAt(change, state);
    const own = valueAt(change, state);
    if (image !== own) return image < own;
  }
  return false;
}

function endOfChanges(swap: usize): usize {
  return <usize>load<u32>(swap, 16) + <usize>load<u32>(swap, 20) * CHANGE;
}

/** One more than the number of the control state that the thread with the row has in the image; 0 if that is not known. */
function imageOfControl(row: usize, state: usize): u32 {
  const control = controlIn(threadRow(load<u32>(row)), state);
  return control < load<u32>(row, 8) ? load<u32>(<usize>load<u32>(row, 4) + at(control)) : 0;
}

/** What is there in the image. */
function imageAt(change: usize, state: usize): u32 {
  const value = valueAt(change + 12, state);
  const map = <usize>load<u32>(change, 24);
  return map === 0 ? value : load<u32>(map + at(value));
}

function makeImage(swap: usize, state: usize, into: usize): void {
  const kept = <usize>load<u32>(swap);
  for (let word: usize = 0; word < (<usize>words) << 3; word += 8) {
    store<u64>(into + word, load<u64>(state + word) & load<u64>(kept + word));
  }
  moveBits(state, <usize>load<u32>(swap, 4), load<u32>(swap, 8), into);
  let row = <usize>load<u32>(swap, 12);
  for (let thread: u32 = 0; thread < threads; thread++) {
    putControl(threadRow(thread), imageOfControl(row, state) - 1, into);
    row += SWAPPED_THREAD;
  }
  const end = endOfChanges(swap);
  for (let change = <usize>load<u32>(swap, 16); change < end; change += CHANGE) {
    if (load<u32>(change, 24) !== 0) putNumberAt(change, imageAt(change, state), into);
  }
}
