/**
 * What is kept for a state: the state with what is dead in it cleared (../dead-fields.ts), and of the images of that the smallest one
 * (symmetry.ts). ../normal-forms.ts lays out what is here.
 */
import { controlIn, threadRow, threads } from "./core";
import { words } from "./states";
import { images, smallestImage, swaps } from "./symmetry";

/**
 * By thread, a row for each of the control states of which it is known what is live there (address, how many): the bits that are kept, in
 * 64-bit words. 0 if nothing is ever cleared.
 */
export let liveTable: usize = 0;
/** What is put in the place of what is dead: what was there at the start. */
export let atFirst: usize = 0;

/** Address of what is kept for the state: its own, or one that the next call overwrites. */
export function normalForm(state: usize): usize {
  const cleared = liveTable === 0 ? state : clear(state, images);
  return swaps === 0 ? cleared : smallestImage(cleared);
}

/** Address of the state without what is dead in it: its own, or `into`. */
function clear(state: usize, into: usize): usize {
  const bytes = (<usize>words) << 3;
  for (let word: usize = 0; word < bytes; word += 8) store<u64>(into + word, 0);
  for (let thread: u32 = 0; thread < threads; thread++) {
    const known = liveTable + ((<usize>thread) << 3);
    const control = controlIn(threadRow(thread), state);
    if (control >= load<u32>(known, 4)) return state;
    const live = <usize>load<u32>(known) + <usize>control * bytes;
    for (let word: usize = 0; word < bytes; word += 8) store<u64>(into + word, load<u64>(into + word) | load<u64>(live + word));
  }
  let changed: u64 = 0;
  for (let word: usize = 0; word < bytes; word += 8) {
    const own = load<u64>(state + word);
    const changes = (own ^ load<u64>(atFirst + word)) & ~load<u64>(into + word);
    changed |= changes;
    store<u64>(into + word, own ^ changes);
  }
  return changed === 0 ? state : into;
}
