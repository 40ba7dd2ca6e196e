/**
 * The inner loop of the fast engine, in AssemblyScript: `npm run build` compiles it to dist/explore/core.wasm. It
 * knows packed states, learned rules and the visited set (states.ts), all of them in one memory that it shares with
 * its host (../core.ts, which lays the memory out), and nothing else. States of which something has to be said or learned
 * are handed back to the host.
 *
 * Several states are expanded at once, and what their steps lead to is looked up together: the processor then
 * waits for all these places of the memory at the same time, and not for one after the other.
 */
import { insertSlotLossily, keeps, lookAheadLossily, STATES } from "./lossy";
import { normalForm } from "./normal-form";
import {
  at,
  copyWords,
  count,
  encodeChanges,
  entryFor,
  fetch,
  fetchTuple,
  finish,
  hashKeys,
  hashOf,
  insertTuple,
  lanes,
  NEW,
  putNumberAt,
  room,
  touchTuple,
  valueAt,
  words,
} from "./states";

export * from "./lossy";
export * from "./normal-form";
export * from "./states";
export * from "./symmetry";

/** Where things are; addresses in bytes, set by the host. */
export let rules: usize = 0;
/** Number of 64-bit words that a buffer for a state has: behind those that are stored stands what never changes. */
export let allWords: u32 = 0;
/** By thread: where its control state number is in a state (word, shift, mask), its control states (address, how many), and where the number's upper bits are (word, shift, mask, bits below). */
export let threads: u32 = 0;
export let threadTable: usize = 0;
/** By mutex: where its holder is in a state (word, shift, mask). */
export let mutexes: u32 = 0;
export let mutexTable: usize = 0;
/** By property instance: one byte of flags. */
export let instances: usize = 0;
/** Whether something is asked in the ends of the scenario. */
export let asksForEnds: bool = false;
/** Whether some step is fused with the one before it. */
export let fuses: bool = false;
/** Bits of freed slots; states with one of them set have to be normalised. */
export let freedBits: usize = 0;
/** By slot that can be freed: where its liveness is (word, shift, mask), and the pointers that can be to it (address, how many); each is a place, and the value that is to this slot. */
export let freedSlots: u32 = 0;
export let freedSlotTable: usize = 0;
/** By thread the address of its sets of slots, one for each of its control states: those that a local refers to. In 32-bit words of a set. */
export let localsTable: usize = 0;
export let localsWords: u32 = 0;
/** A batch: states, what their steps lead to, and what is known of each. */
export let sources: usize = 0;
export let sourceTuple: usize = 0;
export let slots: usize = 0;
export let slotTuples: usize = 0;
export let slotLeaves: usize = 0;
/** By slot: the hash, and the entry in its place. */
export let slotHashes: usize = 0;
export let sourceSteps: usize = 0;
export let sourceMoves: usize = 0;
export let choiceStack: usize = 0;

/** What became of a visit. */
export let transitions: f64 = 0;
/** Step at which the host has to go on, and whether the state it leads to is new (1), known (0) or not looked at (-1). */
export let step: u32 = 0;
export let isNew: i32 = -1;

/** Reasons to return from `visit`. */
export const DONE: u32 = 0;
export const REMARKABLE: u32 = 1;
export const FULL: u32 = 2;
export let reason: u32 = 0;

/** Room of a batch. */
export const MOST_SOURCES: u32 = 32;
export const MOST_SLOTS: u32 = 512;
const MOST_CHOICES: u32 = 256;
/** Set in the leaf of a slot whose state has no tuple, since there is no number for what one of its words is. */
export const WHOLE: u32 = 0x80000000;
/** Most steps that are fused with one before them. */
const MOST_FUSED: u32 = 256;

/** In bytes, a row of the table of threads. */
const THREAD_ROW: usize = 36;

/** Kinds of nodes, as in ../rules.ts. */
const READ: u32 = 1;
const CHOICE: u32 = 3;
const LEAF: u32 = 4;

/** What there is in a leaf of a step, as in ../rules.ts: in 32-bit words from its start. */
const LEAF_FLAGS: u32 = 2;
const LEAF_THREAD: u32 = 3;
const LEAF_ASKED: u32 = 4;
const LEAF_HELD: u32 = 5;
const LEAF_WRITES: u32 = 7;

/** Flags of leaves, as in ../learner.ts. */
const FAULT_OR_REPORTS: u32 = 3;
const ACQUIRES: u32 = 4;
const FUSED: u32 = 8;

/** Flags of property instances, and their answers. */
const SETTLED: u32 = 1;
const OPENED: u32 = 2;
const WITNESS: u32 = 4;
const FALSE: u32 = 0;
const TRUE: u32 = 1;
const UNKNOWN: u32 = 3;

/** What the liveness of a freed slot is, as in ../../state/layout.ts; that of a free one is 0. */
const FREED: u32 = 2;

/** Kinds of control states. */
const LOCK: u32 = 1;
const FINISHED: u32 = 2;
const IDLE: u32 = 3;
const IDLE_UNTIL: u32 = 4;
const FUSES: u32 = 5;

/** Judges a state that is an end of the scenario, or in which somebody is stuck; `moves` has a bit for each thread that can move. */
declare function judgeRest(number: u32, moves: u32, upperMoves: u32): void;

/** How many states are expanded at once: fewer after one that was remarkable. */
let width: u32 = 1;
/**
 * Visits the states from one to the one before the other, in their order. Returns the first that was not wholly
 * visited; `reason` says why.
 */
export function visit(from: u32, to: u32, most: u32): u32 {
  let number = from;
  while (number < to) {
    if (count + MOST_SLOTS > room) return stop(number, FULL);
    const expanded = expandBatch(number, min(to - number, width), true);
    if (expanded === 0) return stopAt(number, 0, -1);
    lookAhead(load<u32>(sourceSteps + ((<usize>expanded) << 2)));
    for (let source: u32 = 0; source < expanded; source++) {
      if (!insertSteps(source, number + source)) return stopAt(number + source, step, isNew);
      if (!isUnremarkableRest(source)) {
        const moves = load<u64>(sourceMoves + ((<usize>source) << 3));
        judgeRest(number + source, <u32>moves, <u32>(moves >> 32));
      }
      addSteps(stepsOf(source));
      if (count > most) return stop(number + source + 1, FULL);
    }
    number += expanded;
    width = min(width << 1, MOST_SOURCES);
  }
  return stop(number, DONE);
}

/** States are visited up to that number, for that reason. */
export function stop(number: u32, why: u32): u32 {
  reason = why;
  return number;
}

/** Up to that number, since there is something at a step of it; see `step` and `isNew`. */
export function stopAt(number: u32, itsStep: u32, isItNew: i32): u32 {
  step = itsStep;
  isNew = isItNew;
  width = 1;
  return stop(number, REMARKABLE);
}

export function addSteps(steps: u32): void {
  transitions += f64(steps);
}

export function stepsOf(source: u32): u32 {
  const at = sourceSteps + ((<usize>source) << 2);
  return load<u32>(at, 4) - load<u32>(at);
}

/**
 * Expands up to so many states from that number on; returns how many, fewer if one needs the host. Words' values that
 * have no number get one if it `adds`.
 */
export function expandBatch(number: u32, most: u32, adds: bool): u32 {
  let used: u32 = 0;
  store<u32>(sourceSteps, 0);
  for (let source: u32 = 0; source < most; source++) {
    const state = sourceAt(source);
    fetch(number + source, state);
    const end = expand(state, used, source);
    if (end === NEW) return source;
    const hash = hashOf(state);
    fetchTuple(number + source, sourceTuple);
    for (let slot = used; slot < end; slot++) {
      const leaf = load<u32>(slotLeaves + at(slot));
      const into = slotAt(slot);
      const sum = apply(leaf, state, into, hash);
      const last = fuses ? fuse(into, sum) : sum;
      // Properties are asked of the state that the step leads to; what is looked up may be one that stands for it.
      const normal = normalForm(into);
      store<u32>(slotHashes + ((<usize>slot) << 3), finish(normal === into ? last : hashOf(normal)));
      if (encodeChanges(state, sourceTuple, normal, tupleOf(slot), adds)) continue;
      if (adds) return source;
      store<u32>(slotLeaves + at(slot), leaf | WHOLE);
    }
    used = end;
    store<u32>(sourceSteps + ((<usize>source) << 2), used, 4);
  }
  return most;
}

export function tupleOf(slot: u32): usize {
  return slotTuples + ((<usize>slot * <usize>lanes) << 3);
}

export function threadRow(thread: u32): usize {
  return threadTable + <usize>thread * THREAD_ROW;
}

/** The number of the control state of the thread with that row. */
export function controlIn(row: usize, state: usize): u32 {
  const lower = valueAt(row, state);
  return load<u32>(row, 28) === 0 ? lower : lower | (valueAt(row + 20, state) << load<u32>(row, 32));
}

/** Puts the number of a control state where the thread with that row has none. */
export function putControl(row: usize, number: u32, state: usize): void {
  putNumberAt(row, number, state);
  if (load<u32>(row, 28) !== 0) putNumberAt(row + 20, number >> load<u32>(row, 32), state);
}

/**
 * Collects the leaves of the state's steps in `slotLeaves`, from that slot on; returns the slot behind the last, or
 * NEW if the state needs the host: a rule is missing, a step ends in a fault, or there are too many.
 */
function expand(state: usize, first: u32, source: u32): u32 {
  let slot = first;
  let moves: u64 = 0;
  for (let thread: u32 = 0; thread < threads; thread++) {
    const row = threadRow(thread);
    const control = controlIn(row, state);
    if (control >= load<u32>(row, 16)) return NEW;
    let next = load<u32>(<usize>load<u32>(row, 12) + ((<usize>control) << 3));
    if (next === 0) return NEW;
    let choices: u32 = 0;
    const before = slot;
    while (true) {
      const node = load<u32>(rules + at(next));
      if (node === 0) return NEW;
      const address = rules + at(node);
      const kind = load<u32>(address);
      if (kind === READ) {
        next = node + 4 + valueAt(address + 4, state);
        continue;
      }
      if (kind === CHOICE) {
        if (choices === MOST_CHOICES) return NEW;
        const top = choiceStack + ((<usize>choices) << 3);
        store<u32>(top, node);
        store<u32>(top, 0, 4);
        choices++;
        next = node + 2;
        continue;
      }
      if (kind === LEAF) {
        if (slot === MOST_SLOTS) return NEW;
        if ((load<u32>(address + at(LEAF_FLAGS)) & FAULT_OR_REPORTS) !== 0) return NEW;
        store<u32>(slotLeaves + at(slot), node);
        slot++;
      }
      // Back to the last choice that has an alternative left.
      next = 0;
      while (choices > 0) {
        const top = choiceStack + ((<usize>(choices - 1)) << 3);
        const choice = load<u32>(top);
        const taken = load<u32>(top, 4) + 1;
        if (taken < load<u32>(rules + at(choice), 4)) {
          store<u32>(top, taken, 4);
          next = choice + 2 + taken;
          break;
        }
        choices--;
      }
      if (next === 0) break;
    }
    if (slot !== before) moves |= (<u64>1) << thread;
  }
  store<u64>(sourceMoves + ((<usize>source) << 3), moves);
  return slot;
}

/** Puts into `into` the state that the step leads to, and returns the sum for its hash. */
function apply(leaf: u32, state: usize, into: usize, sum: u64): u64 {
  copyWords(state, words, into);
  let write = rules + at(leaf + LEAF_WRITES);
  const end = write + 4 + <usize>load<u32>(write) * 12;
  write += 4;
  while (write < end) {
    const word = load<u32>(write);
    const place = into + at(word);
    const old = load<u32>(place);
    const value = (old & load<u32>(write, 4)) | load<u32>(write, 8);
    store<u32>(place, value);
    sum += (<u64>value - <u64>old) * load<u64>(hashKeys + ((<usize>word) << 3));
    write += 12;
  }
  return hasFreedSlot(into) ? freeSlots(into, sum) : sum;
}

function hasFreedSlot(state: usize): bool {
  let freed: u64 = 0;
  for (let word: usize = 0; word < (<usize>words) << 3; word += 8) freed |= load<u64>(state + word) & load<u64>(freedBits + word);
  return freed !== 0;
}

/** Makes freed slots of the state at the address free again if nothing refers to them. */
export function normalise(state: usize): void {
  if (hasFreedSlot(state)) freeSlots(state, 0);
}

/** The same; returns the sum for its hash, which was `sum`. */
function freeSlots(state: usize, sum: u64): u64 {
  for (let slot: u32 = 0; slot < freedSlots; slot++) {
    const row = freedSlotTable + <usize>slot * 20;
    if (valueAt(row, state) !== FREED || isPointedTo(row, state) || isInLocal(slot, state)) continue;
    const word = load<u32>(row);
    const place = state + at(word);
    const bits = FREED << load<u32>(row, 4);
    store<u32>(place, load<u32>(place) - bits);
    sum -= <u64>bits * load<u64>(hashKeys + ((<usize>word) << 3));
  }
  return sum;
}

function isPointedTo(row: usize, state: usize): bool {
  let pointer = <usize>load<u32>(row, 12);
  const end = pointer + ((<usize>load<u32>(row, 16)) << 4);
  for (; pointer < end; pointer += 16) if (valueAt(pointer, state) === load<u32>(pointer, 12)) return true;
  return false;
}

function isInLocal(slot: u32, state: usize): bool {
  for (let thread: u32 = 0; thread < threads; thread++) {
    const control = controlIn(threadRow(thread), state);
    const sets = <usize>load<u32>(localsTable + at(thread));
    if (((load<u32>(sets + at(control * localsWords + (slot >> 5))) >> (slot & 31)) & 1) !== 0) return true;
  }
  return false;
}

/** Goes on from the state by steps that are fused with the one before; returns the sum for its hash. */
function fuse(state: usize, sum: u64): u64 {
  for (let length: u32 = 0; length < MOST_FUSED; length++) {
    const leaf = fusedLeaf(state);
    if (leaf === 0) break;
    sum = apply(leaf, state, state, sum);
  }
  return sum;
}

/** The leaf of a step out of the state that is fused with the one before; 0 if there is none. */
function fusedLeaf(state: usize): u32 {
  for (let thread: u32 = 0; thread < threads; thread++) {
    const row = threadRow(thread);
    const control = controlIn(row, state);
    if (control >= load<u32>(row, 16)) continue;
    const known = <usize>load<u32>(row, 12) + ((<usize>control) << 3);
    if (load<u32>(known, 4) !== FUSES) continue;
    let node = load<u32>(rules + at(load<u32>(known)));
    while (load<u32>(rules + at(node)) === READ) {
      node = load<u32>(rules + at(node + 4 + valueAt(rules + at(node + 1), state)));
    }
    if (load<u32>(rules + at(node)) === LEAF && (load<u32>(rules + at(node + LEAF_FLAGS)) & FUSED) !== 0) return node;
  }
  return 0;
}

/** Touches all that the insertion of the batch will. */
export function lookAhead(end: u32): void {
  if (keeps !== STATES) {
    for (let slot: u32 = 0; slot < end; slot++) lookAheadLossily(slot, slotAt(slot), load<u32>(slotHashes + ((<usize>slot) << 3)));
    return;
  }
  for (let slot: u32 = 0; slot < end; slot++) {
    const row = slotHashes + ((<usize>slot) << 3);
    store<u32>(row, entryFor(load<u32>(row)), 4);
  }
  for (let slot: u32 = 0; slot < end; slot++) {
    const row = slotHashes + ((<usize>slot) << 3);
    touchTuple(load<u32>(row, 4), load<u32>(row));
  }
}

/** Inserts what the steps of a state of the batch lead to, as long as nothing has to be said. */
function insertSteps(source: u32, number: u32): bool {
  const state = sourceAt(source);
  const first = load<u32>(sourceSteps + ((<usize>source) << 2));
  const end = load<u32>(sourceSteps + ((<usize>source) << 2), 4);
  for (let slot = first; slot < end; slot++) {
    const leaf = rules + at(load<u32>(slotLeaves + at(slot)));
    const next = slotAt(slot);
    const hash = load<u32>(slotHashes + ((<usize>slot) << 3));
    const known = keeps === STATES ? insertTuple(tupleOf(slot), hash) : insertSlotLossily(slot, tupleOf(slot), hash, number, slot - first);
    if (!isStepUnremarkable(leaf, state, next) || (known === NEW && !isStateUnremarkable(leaf, next))) {
      step = slot - first;
      isNew = known === NEW ? 1 : 0;
      return false;
    }
  }
  return true;
}

export function sourceAt(source: u32): usize {
  return sources + <usize>source * ((<usize>allWords) << 3);
}

export function slotAt(slot: u32): usize {
  return slots + <usize>slot * ((<usize>allWords) << 3);
}

/** Whether what is to be said of a step is known, and nothing that is to be noted. */
export function isStepUnremarkable(leaf: usize, state: usize, next: usize): bool {
  const list = load<u32>(leaf + at(LEAF_ASKED));
  if (list === 0) return false;
  const row = rules + at(list);
  const steps = row + 12 + ((<usize>load<u32>(row)) << 3);
  const end = steps + ((<usize>(load<u32>(row, 4) + load<u32>(row, 8))) << 3);
  for (let asked = steps; asked < end; asked += 8) if (!isUnremarkable(asked, next, state)) return false;
  return (load<u32>(leaf + at(LEAF_FLAGS)) & ACQUIRES) === 0 || holdsAsBefore(leaf, state);
}

/** The same of the state that it leads to, which is new; who is asked about the step is known. */
export function isStateUnremarkable(leaf: usize, next: usize): bool {
  const row = rules + at(load<u32>(leaf + at(LEAF_ASKED)));
  const entry = row + 12;
  const steps = entry + ((<usize>load<u32>(row)) << 3);
  const returns = steps + ((<usize>load<u32>(row, 4)) << 3);
  for (let asked = entry; asked < steps; asked += 8) if (!isUnremarkable(asked, next, next)) return false;
  // What a step property reads of a step that changes nothing has to be known.
  for (let asked = steps; asked < returns; asked += 8) {
    if ((load<u8>(instances + load<u32>(asked)) & SETTLED) === 0 && answer(load<u32>(asked, 4), next, next) === UNKNOWN) return false;
  }
  return true;
}

function isUnremarkable(asked: usize, state: usize, before: usize): bool {
  const flags = <u32>load<u8>(instances + load<u32>(asked));
  if ((flags & SETTLED) !== 0) return true;
  const said = answer(load<u32>(asked, 4), state, before);
  if (said === TRUE) return (flags & OPENED) !== 0;
  if (said === FALSE) return (flags & WITNESS) !== 0;
  return said !== UNKNOWN;
}

/** What the tree at that root says. */
function answer(root: u32, state: usize, before: usize): u32 {
  let next = root;
  while (true) {
    const node = load<u32>(rules + at(next));
    if (node === 0) return UNKNOWN;
    const address = rules + at(node);
    const kind = load<u32>(address);
    if (kind === LEAF) return load<u32>(address, 4);
    const from = kind === READ ? state : before;
    next = node + 4 + valueAt(address + 4, from);
  }
}

/** Whether the thread holds what it held when this step was last looked at for the order of locks. */
function holdsAsBefore(leaf: usize, state: usize): bool {
  const holder = load<u32>(leaf + at(LEAF_THREAD)) + 1;
  let held: u64 = 0;
  for (let mutex: u32 = 0; mutex < mutexes; mutex++) {
    if (holderOf(mutex, state) === holder) held |= (<u64>1) << mutex;
  }
  return held === load<u64>(leaf + at(LEAF_HELD));
}

function holderOf(mutex: u32, state: usize): u32 {
  const row = mutexTable + <usize>mutex * 12;
  return valueAt(row, state);
}

/** What the thread's control state is: its kind, and the mutex that it waits for above. */
function controlOf(thread: u32, state: usize): u32 {
  const row = threadRow(thread);
  const control = controlIn(row, state);
  return load<u32>(<usize>load<u32>(row, 12) + ((<usize>control) << 3), 4);
}

/** Whether the state is no end of the scenario, and nobody is stuck in it. */
export function isUnremarkableRest(source: u32): bool {
  const state = sourceAt(source);
  const moves = load<u64>(sourceMoves + ((<usize>source) << 3));
  if (moves === 0) return false;
  let rests = asksForEnds;
  for (let thread: u32 = 0; thread < threads; thread++) {
    const control = controlOf(thread, state);
    const kind = control & 7;
    const canMove = ((moves >> thread) & 1) !== 0;
    if (rests) rests = kind === FINISHED || kind === IDLE || (kind === IDLE_UNTIL && !canMove);
    if (canMove || kind !== LOCK) continue;
    // Whoever holds it, or is waited for by who holds it, can move.
    let waiting = control;
    let holder = holderOf(waiting >> 3, state);
    for (let length: u32 = 0; holder !== 0; length++) {
      if (length === threads) return false;
      if (((moves >> (holder - 1)) & 1) !== 0) break;
      waiting = controlOf(holder - 1, state);
      if ((waiting & 7) === FINISHED) return false;
      if ((waiting & 7) !== LOCK) break;
      holder = holderOf(waiting >> 3, state);
    }
  }
  return !rests;
}
