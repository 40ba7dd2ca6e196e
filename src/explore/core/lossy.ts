/**
 * The visited set of a run that keeps no states but those that it has still to visit: what it knows of the others is a
 * *fingerprint*, so that it takes a state for known that is not when the fingerprints of both agree. Such a state is omitted. How many
 * are to be expected is added up as states are found; a decision page (0022) says how, and what that is worth.
 *
 * - Hash compaction keeps some bits of the fingerprint in a hash table (Wolper and Leroy, "Reliable hashing without collision
 *   detection", 1993), where it is compared with those that it meets only (Stern and Dill, "A new scheme for memory-efficient
 *   probabilistic verification", 1996).
 * - Bitstate hashing sets some bits of an array, whose places follow from the fingerprint (Holzmann, "An analysis of bitstate hashing",
 *   1998) by enhanced double hashing (Dillinger and Manolios, "Bloom filters in probabilistic verification", 2004).
 *
 * ../lossy-table.ts lays out what is here.
 */
import { append, count, encode, finish, hashOf, NEW, OVERFLOW, scratch, words } from "./states";

/** What is kept: the states themselves, bits of fingerprints, or bits at their places. */
export let keeps: u32 = 0;
export const STATES: u32 = 0;
const FINGERPRINTS: u32 = 1;

/** The table: its address, and its size in entries, or in bytes of an array of bits. */
export let table: usize = 0;
export let tableRoom: u32 = 0;
/** Tables of entries that came before it, to which nothing is added any more: rows of the same, and how many. */
export let olderTables: usize = 0;
export let olderCount: u32 = 0;
/** Two 64-bit numbers to begin with, and two for each 32-bit word of a state. */
export let fingerprintKeys: usize = 0;
/** By slot of a batch, its fingerprint. */
export let slotFingerprints: usize = 0;
/** Of a fingerprint, what is kept; and 1 / (1 - p) for the probability p that another one agrees in it. */
export let keptMask: u64 = 0;
export let perComparison: f64 = 1;
/** How many bits of the array are set. */
export let bitsSet: f64 = 0;
/** How many states are expected to have been omitted. */
export let omitted: f64 = 0;
/** Of states that were found lately, by number: the state that led there, and the step. */
export let origins: usize = 0;

/** As in ../lossy-table.ts. */
const ENTRY_BYTES: u32 = 5;
const ENTRY: u64 = 0xffffffffff;
const BITS_PER_STATE: u32 = 5;
const ORIGINS: u32 = 32768;

/**
 * Of both sums the upper half: each of a pair of different states has the same with a probability of 2^-32 (Lemire and Kaser, "Strongly
 * universal string hashing is fast", 2014), and independently of the other, and of the hash that says where to look.
 */
function fingerprintOf(state: usize): u64 {
  let key = fingerprintKeys;
  let upper = load<u64>(key);
  let lower = load<u64>(key, 8);
  const end = state + ((<usize>words) << 3);
  while (state < end) {
    key += 16;
    const word = <u64>load<u32>(state);
    upper += word * load<u64>(key);
    lower += word * load<u64>(key, 8);
    state += 4;
  }
  return (upper & 0xffffffff00000000) | (lower >> 32);
}

/** Touches what the insertion of the state in that slot will. */
export function lookAheadLossily(slot: u32, state: usize, hash: u32): void {
  const fingerprint = fingerprintOf(state);
  store<u64>(slotFingerprints + ((<usize>slot) << 3), fingerprint);
  if (keeps === FINGERPRINTS) {
    touched += load<u8>(entryFor(hash, table, tableRoom));
    return;
  }
  let place = fingerprint;
  let stride = strideOf(fingerprint, hash);
  for (let bit: u32 = 0; bit < BITS_PER_STATE; bit++) {
    touched += load<u8>(byteOf(place));
    place += stride;
    stride += bit;
  }
}

/** So that looking ahead is not optimised away. */
export let touched: u32 = 0;

/** NEW if the state in that slot, to which that step of the source leads, was not taken for known; then it has been added. */
export function insertSlotLossily(slot: u32, tuple: usize, hash: u32, source: u32, step: u32): u32 {
  return insertFingerprint(load<u64>(slotFingerprints + ((<usize>slot) << 3)), tuple, hash, source, step);
}

/** The same of any state; OVERFLOW if there is no number for what one of its words is. */
export function insertLossily(state: usize, source: u32, step: u32): u32 {
  if (encode(state, scratch, true) === OVERFLOW) return OVERFLOW;
  return insertFingerprint(fingerprintOf(state), scratch, finish(hashOf(state)), source, step);
}

function insertFingerprint(fingerprint: u64, tuple: usize, hash: u32, source: u32, step: u32): u32 {
  if (!(keeps === FINGERPRINTS ? addFingerprint(fingerprint, hash) : addBits(fingerprint, hash))) return 0;
  const origin = origins + ((<usize>(count & (ORIGINS - 1))) << 3);
  store<u32>(origin, source);
  store<u32>(origin, step, 4);
  append(tuple);
  return NEW;
}

function entryFor(hash: u32, from: usize, room: u32): usize {
  return from + <usize>(((<u64>hash * <u64>room) >> 32) * <u64>ENTRY_BYTES);
}

/** The empty entry that the last search came to. */
let vacant: usize = 0;
/** That all comparisons since found no agreement had the inverse of this probability. */
let weight: f64 = 1;

/** Whether what is kept of the fingerprint was in none of the entries that it was compared with. */
function addFingerprint(fingerprint: u64, hash: u32): bool {
  // An empty entry is 0.
  const kept = max(<u64>1, fingerprint & keptMask);
  weight = 1;
  if (isIn(table, tableRoom, kept, hash)) return false;
  const entry = vacant;
  const end = olderTables + ((<usize>olderCount) << 3);
  for (let row = olderTables; row < end; row += 8) if (isIn(load<u32>(row), load<u32>(row, 4), kept, hash)) return false;
  store<u32>(entry, <u32>kept);
  store<u8>(entry, <u8>(kept >> 32), 4);
  omitted += weight - 1;
  return true;
}

function isIn(from: usize, room: u32, kept: u64, hash: u32): bool {
  const end = from + <usize>room * <usize>ENTRY_BYTES;
  let address = entryFor(hash, from, room);
  while (true) {
    const entry = load<u64>(address) & ENTRY;
    if (entry === 0) {
      vacant = address;
      return false;
    }
    if (entry === kept) return true;
    weight *= perComparison;
    address += ENTRY_BYTES;
    if (address === end) address = from;
  }
}

/** Whether not all of the bits were set. */
function addBits(fingerprint: u64, hash: u32): bool {
  const share = bitsSet / (<f64>tableRoom * 8);
  let place = fingerprint;
  let stride = strideOf(fingerprint, hash);
  let isNew = false;
  let agreement: f64 = 1;
  for (let bit: u32 = 0; bit < BITS_PER_STATE; bit++) {
    const address = byteOf(place);
    const mask = (<u32>1) << (<u32>(place & 7));
    const byte = <u32>load<u8>(address);
    if ((byte & mask) === 0) {
      store<u8>(address, <u8>(byte | mask));
      bitsSet++;
      isNew = true;
    }
    agreement *= share;
    place += stride;
    stride += bit;
  }
  if (isNew) omitted += agreement / (1 - agreement);
  return isNew;
}

/** The upper half of a place says in which byte it is, and the lowest bits which bit. */
function byteOf(place: u64): usize {
  return table + <usize>(((place >> 32) * <u64>tableRoom) >> 32);
}

/** From one place to the next: a number that has nothing to do with the first place. */
function strideOf(fingerprint: u64, hash: u32): u64 {
  const mixed = (fingerprint ^ ((<u64>hash) << 32) ^ (fingerprint >> 29)) * 0x9e3779b97f4a7c15;
  return (mixed ^ (mixed >> 32)) * 0xbf58476d1ce4e5b9;
}
