/**
 * How several threads explore together. Each *expands* blocks of states by a core of its own: it writes down what their
 * steps lead to that is not known yet, and changes nothing else. One of them alone *commits* the blocks, in their
 * order: it adds what is still not known. So states get the numbers that they would get from one thread, and what is
 * remarkable is met as that one would meet it.
 *
 * In a block's buffer there is of each state: how many steps it has, its marks and how many candidates (32 bits each), and which
 * threads can move (64 bits); then its candidates. Of each of these: the hash, the step and marks (32 bits each), and the tuple,
 * or the state itself if it has none.
 */
import {
  addSteps,
  DONE,
  expandBatch,
  FULL,
  isStateUnremarkable,
  isStepUnremarkable,
  isUnremarkableRest,
  lookAhead,
  MOST_SLOTS,
  MOST_SOURCES,
  rules,
  slotAt,
  slotHashes,
  slotLeaves,
  sourceAt,
  sourceMoves,
  sourceSteps,
  stepsOf,
  stop,
  stopAt,
  tupleOf,
  WHOLE,
} from "./core";
import { normalForm } from "./normal-form";
import { at, copyWords, count, encode, insertTuple, isKnown, lanes, NEW, room, scratch, touchEntry, words } from "./states";

/** The states that were committed in which somebody is stuck, or that are ends of the scenario: number, and which threads can move (32 bits, and 32 above). */
export let rests: usize = 0;
export let restCount: u32 = 0;

/** Where in the buffer is what comes behind the states that were committed last, and behind one that the host has to visit. */
export let uncommitted: usize = 0;

/** Candidates that were written down of the block, by the lower bits of their hashes: address, or 0. One takes the place of another. */
export let recent: usize = 0;
const MOST_RECENT: u32 = 4096;

/** In bytes: what is written of a state and of a candidate before the tuple, and of a rest. */
const SOURCE: usize = 16;
const CANDIDATE: usize = 8;
const REST: usize = 12;

/** Marks of a state: the host has to visit it; it is one for `rests`. */
const NEEDS_HOST: u32 = 0x80000000;
const RESTS: u32 = 0x40000000;
/** Marks of a candidate: there is something to be said of the step; of the state, if it is new; the state has no tuple. */
const REMARKABLE_STEP: u32 = 0x80000000;
const REMARKABLE_STATE: u32 = 0x40000000;
const HAS_NO_TUPLE: u32 = 0x20000000;
const UNMARKED: u32 = 0x1fffffff;

/**
 * Expands states from the one to the one before the other, and writes down what is found. Returns how many: fewer if the buffer
 * is full, or the last of them is remarkable. The buffer has room for one state at least.
 */
export function expandBlock(from: u32, to: u32, buffer: usize, bufferEnd: usize): u32 {
  let number = from;
  let out = buffer;
  for (let place: usize = 0; place < (<usize>MOST_RECENT) << 2; place += 8) store<u64>(recent + place, 0);
  while (number < to) {
    const expanded = expandBatch(number, min(to - number, MOST_SOURCES), false);
    if (expanded === 0) {
      if (out + SOURCE > bufferEnd) return number - from;
      store<u32>(out, 0);
      store<u32>(out, NEEDS_HOST, 4);
      return number - from + 1;
    }
    lookAhead(load<u32>(sourceSteps + ((<usize>expanded) << 2)));
    for (let source: u32 = 0; source < expanded; source++) {
      const most = SOURCE + <usize>stepsOf(source) * (CANDIDATE + ((<usize>max(lanes, words)) << 3));
      if (out + most > bufferEnd) return number - from + source;
      out = writeSource(source, out);
      if (isCutShort) return number - from + source + 1;
    }
    number += expanded;
  }
  return number - from;
}

/** Whether the state that was written last has a remarkable step; those behind it were not looked at. */
let isCutShort: bool = false;

/** Writes down a state of the batch; returns the address behind. */
function writeSource(source: u32, header: usize): usize {
  const state = sourceAt(source);
  const first = load<u32>(sourceSteps + ((<usize>source) << 2));
  const end = first + stepsOf(source);
  let out = header + SOURCE;
  let candidates: u32 = 0;
  isCutShort = false;
  for (let slot = first; slot < end && !isCutShort; slot++) {
    const its = load<u32>(slotLeaves + ((<usize>slot) << 2));
    const leaf = rules + ((<usize>(its & ~WHOLE)) << 2);
    const hash = load<u32>(slotHashes + ((<usize>slot) << 3));
    const hasTuple = (its & WHOLE) === 0;
    const next = slotAt(slot);
    isCutShort = !isStepUnremarkable(leaf, state, next);
    if (!isCutShort && hasTuple) {
      const tuple = tupleOf(slot);
      // Whoever commits this one has committed that one.
      if (isRecent(tuple, hash) || isKnown(tuple, hash)) continue;
      store<u32>(recent + at(hash & (MOST_RECENT - 1)), <u32>out);
    }
    let marks = slot - first;
    if (isCutShort) marks |= REMARKABLE_STEP;
    else if (!isStateUnremarkable(leaf, next)) marks |= REMARKABLE_STATE;
    if (!hasTuple) marks |= HAS_NO_TUPLE;
    store<u32>(out, hash);
    store<u32>(out, marks, 4);
    out = copyWords(hasTuple ? tupleOf(slot) : normalForm(next), hasTuple ? lanes : words, out + CANDIDATE);
    candidates++;
  }
  store<u32>(header, end - first);
  store<u32>(header, candidates | (isUnremarkableRest(source) ? 0 : RESTS), 4);
  store<u64>(header, load<u64>(sourceMoves + ((<usize>source) << 3)), 8);
  return out;
}

/** Whether a candidate with that tuple has been written down of the block, and is known where. */
function isRecent(tuple: usize, hash: u32): bool {
  const candidate = <usize>load<u32>(recent + at(hash & (MOST_RECENT - 1)));
  if (candidate === 0 || load<u32>(candidate) !== hash) return false;
  let lane: usize = 0;
  while (lane < (<usize>lanes) << 3 && load<u64>(candidate + CANDIDATE + lane) === load<u64>(tuple + lane)) lane += 8;
  return lane === (<usize>lanes) << 3;
}

/**
 * Commits so many states, from that number on, that somebody has expanded, until there are more than `most`. Returns the first that
 * was not wholly visited; `reason` says why.
 */
export function commit(from: u32, sources: u32, buffer: usize, most: u32): u32 {
  touchEntries(sources, buffer);
  uncommitted = buffer;
  const end = from + sources;
  for (let number = from; number < end; number++) {
    if (count + MOST_SLOTS > room) return stop(number, FULL);
    const header = uncommitted;
    const marks = load<u32>(header, 4);
    let candidate = header + SOURCE;
    for (let left = marks & UNMARKED; left > 0; left--) {
      const its = load<u32>(candidate, 4);
      let tuple = candidate + CANDIDATE;
      if ((its & HAS_NO_TUPLE) !== 0) {
        if (encode(tuple, scratch, true) !== 0) return leave(number, candidate, left, -1);
        tuple = scratch;
      }
      const isNew = insertTuple(tuple, load<u32>(candidate)) === NEW;
      if ((its & REMARKABLE_STEP) !== 0 || (isNew && (its & REMARKABLE_STATE) !== 0)) return leave(number, candidate, left, isNew ? 1 : 0);
      candidate = behindCandidate(candidate);
    }
    uncommitted = candidate;
    if ((marks & NEEDS_HOST) !== 0) return stopAt(number, 0, -1);
    if ((marks & RESTS) !== 0) {
      const rest = rests + <usize>restCount * REST;
      store<u32>(rest, number);
      store<u64>(rest, load<u64>(header, 8), 4);
      restCount++;
    }
    addSteps(load<u32>(header));
    if (count > most) return stop(number + 1, FULL);
  }
  return stop(end, DONE);
}

/** The state is left to the host, from the step of the candidate there on; so many of its candidates are left. */
function leave(number: u32, candidate: usize, left: u32, isItNew: i32): u32 {
  uncommitted = candidate;
  for (; left > 0; left--) uncommitted = behindCandidate(uncommitted);
  return stopAt(number, load<u32>(candidate, 4) & UNMARKED, isItNew);
}

function behindCandidate(candidate: usize): usize {
  const hasTuple = (load<u32>(candidate, 4) & HAS_NO_TUPLE) === 0;
  return candidate + CANDIDATE + ((<usize>(hasTuple ? lanes : words)) << 3);
}

/** Has the processor fetch all entries that the commit will look at together. */
function touchEntries(sources: u32, buffer: usize): void {
  let written = buffer;
  for (; sources > 0; sources--) {
    let left = load<u32>(written, 4) & UNMARKED;
    written += SOURCE;
    for (; left > 0; left--) {
      touchEntry(load<u32>(written));
      written = behindCandidate(written);
    }
  }
}
