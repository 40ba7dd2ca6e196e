/**
 * What is done with states that are on disk (../out-of-core.ts): those that were found are compared with *runs* of known ones, which
 * are sorted by their hashes. A record of a run is a hash (32 bits) and a tuple.
 */
import {
  fetchKnown,
  fetchTuple,
  hashOfKnown,
  hashOfVisited,
  insertTuple,
  isSame,
  readTuple,
  scratch,
  storeTuple,
  tupleBytes,
} from "./states";

/** States of the table, of which something is asked in the order of their hashes: of each the hash, and below it the number. */
export let listed: usize = 0;
/** A bit for each state of the table from that number on, which is set when it has turned out to be on disk. */
export let stale: usize = 0;
export let staleFrom: u32 = 0;

/** In bytes. */
const LISTED_BYTES: usize = 8;
const HASH_BYTES: usize = 4;

/** Fewer than that are sorted one by one. */
const FEW: usize = 16 * LISTED_BYTES;

/** Lists the states from the one to the one before the other that are not stale, by their hashes. Returns how many. */
export function listStates(from: u32, to: u32): u32 {
  let into = listed;
  for (let number = from; number < to; number++) {
    if (number >= staleFrom && isStale(number)) continue;
    store<u64>(into, ((<u64>hashOfKnown(number)) << 32) | <u64>number);
    into += LISTED_BYTES;
  }
  sort(listed, into);
  return <u32>((into - listed) / LISTED_BYTES);
}

function isStale(number: u32): bool {
  const bit = number - staleFrom;
  return ((<u32>load<u8>(stale + <usize>(bit >> 3)) >> (bit & 7)) & 1) !== 0;
}

/** Quicksort (Hoare 1961); hashes are as good as random, so that the one in the middle divides them well. The host would copy what is shared to sort it, and there is no room for that. */
function sort(from: usize, end: usize): void {
  while (end - from > FEW) {
    const middle = load<u64>(from + (((end - from) / LISTED_BYTES) >> 1) * LISTED_BYTES);
    let low = from;
    let high = end - LISTED_BYTES;
    while (low <= high) {
      while (load<u64>(low) < middle) low += LISTED_BYTES;
      while (load<u64>(high) > middle) high -= LISTED_BYTES;
      if (low > high) break;
      const moved = load<u64>(low);
      store<u64>(low, load<u64>(high));
      store<u64>(high, moved);
      low += LISTED_BYTES;
      high -= LISTED_BYTES;
    }
    if (high + LISTED_BYTES - from < end - low) {
      sort(from, high + LISTED_BYTES);
      from = low;
    } else {
      sort(low, end);
      end = high + LISTED_BYTES;
    }
  }
  for (let next = from + LISTED_BYTES; next < end; next += LISTED_BYTES) {
    const moved = load<u64>(next);
    let place = next;
    for (; place > from && load<u64>(place - LISTED_BYTES) > moved; place -= LISTED_BYTES)
      store<u64>(place, load<u64>(place - LISTED_BYTES));
    store<u64>(place, moved);
  }
}

/**
 * Marks those of the listed states, from the one to the one before the other, that are among the records of a block; the next block
 * begins with the hash `beyond`. Returns the first that may be in the next block.
 */
export function markStale(first: u32, end: u32, beyond: u32, block: usize, blockEnd: usize, its: usize, bytes: u32): u32 {
  const stride = HASH_BYTES + <usize>bytes;
  let record = block;
  let next = first;
  for (let position = first; position < end; position++) {
    const row = listed + <usize>position * LISTED_BYTES;
    const hash = load<u32>(row, 4);
    if (hash > beyond) break;
    while (record < blockEnd && load<u32>(record) < hash) record += stride;
    for (let same = record; same < blockEnd && load<u32>(same) === hash; same += stride) {
      const number = load<u32>(row);
      fetchKnown(number, scratch);
      if (!isSame(same + HASH_BYTES, its, scratch)) continue;
      const bit = number - staleFrom;
      const place = stale + <usize>(bit >> 3);
      store<u8>(place, <u8>(<u32>load<u8>(place) | ((<u32>1) << (bit & 7))));
      break;
    }
    if (hash < beyond) next = position + 1;
  }
  return next;
}

/** Writes the records of so many listed states. */
export function writeRecords(first: u32, number: u32, into: usize): void {
  for (let position = first; position < first + number; position++) {
    const row = listed + <usize>position * LISTED_BYTES;
    store<u32>(into, load<u32>(row, 4));
    fetchKnown(load<u32>(row), scratch);
    storeTuple(into + HASH_BYTES, scratch);
    into += HASH_BYTES + <usize>tupleBytes;
  }
}

/** How far `mergeRecords` came in the one and in the other. */
export let oneAt: usize = 0;
export let otherAt: usize = 0;

/**
 * Merges records of two runs, whose tuples have those layouts and bytes, into so many of the layout that is being filled, until one of those that had any
 * has none left. Returns how many were written.
 */
export function mergeRecords(
  one: usize,
  oneEnd: usize,
  oneLayout: usize,
  oneBytes: u32,
  other: usize,
  otherEnd: usize,
  otherLayout: usize,
  otherBytes: u32,
  into: usize,
  most: u32,
): u32 {
  const hasOne = one < oneEnd;
  const hasOther = other < otherEnd;
  let written: u32 = 0;
  while (written < most && !(hasOne && one === oneEnd) && !(hasOther && other === otherEnd)) {
    if (!hasOther || (hasOne && load<u32>(one) <= load<u32>(other))) {
      copyRecord(one, oneLayout, into);
      one += HASH_BYTES + <usize>oneBytes;
    } else {
      copyRecord(other, otherLayout, into);
      other += HASH_BYTES + <usize>otherBytes;
    }
    into += HASH_BYTES + <usize>tupleBytes;
    written++;
  }
  oneAt = one;
  otherAt = other;
  return written;
}

function copyRecord(from: usize, its: usize, into: usize): void {
  store<u32>(into, load<u32>(from));
  readTuple(from + HASH_BYTES, its, scratch);
  storeTuple(into + HASH_BYTES, scratch);
}

/** How many `collect` has put there. */
export let collected: u32 = 0;

/** Puts up to so many tuples of states that are not stale side by side, from the one to the one before the other. Returns the first that was not looked at. */
export function collect(from: u32, to: u32, into: usize, most: u32): u32 {
  collected = 0;
  let number = from;
  for (; number < to && collected < most; number++) {
    if (number >= staleFrom && isStale(number)) continue;
    fetchKnown(number, scratch);
    storeTuple(into, scratch);
    into += <usize>tupleBytes;
    collected++;
  }
  return number;
}

/** Enters states that may be visited into the table, which has room for them and none of them. */
export function admit(from: u32, to: u32): void {
  for (let number = from; number < to; number++) {
    fetchTuple(number, scratch);
    insertTuple(scratch, hashOfVisited(number));
  }
}
