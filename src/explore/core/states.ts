/**
 * The visited set, without what it costs to keep states as they are: the values that each 32-bit word has had are
 * numbered in the order in which they came, and of a state these numbers are kept, side by side in as many bits as
 * they need. That is its *tuple*. Most words have few values, so that a tuple is a fraction of the state. A word that has had
 * very many is *plain* from then on: it stands in the tuple itself.
 *
 * How many bits a number has is fixed for a chunk of states. When a word has had more values than there are numbers,
 * the chunk that is being filled gets another layout, and those before stay as they are.
 *
 * ../store.ts lays out what is here, and makes room. One thread adds states and values; meanwhile others may look for some (blocks.ts).
 */

/** Number of 64-bit words of a state that are stored. */
export let words: u32 = 0;
/** A 64-bit odd number for each 32-bit word of a state; behind them what the sums for hashes begin with. */
export let hashKeys: usize = 0;
/** By word: its values by number (address), the numbers by value (address of a hash table, 32 - log2 of its size), how many, and how many there may be. */
export let dictionaries: usize = 0;
/** By word: where its number is in a tuple (byte, shift, mask), and whether it is plain there; of the chunk that is being filled. */
export let layout: usize = 0;
/** Bytes of a tuple, and 64-bit words that these begin in; of the same chunk. */
export let tupleBytes: u32 = 0;
export let lanes: u32 = 0;
/** By chunk: its address, its layout, and the bytes of its tuples. */
export let chunks: usize = 0;
/** The same of the states that are visited: other chunks only where most states are on disk (runs.ts). */
export let pages: usize = 0;

/** The hash table: addresses of its segments, its size in entries, and how many bits of an entry number a state. */
export let segments: usize = 0;
export let tableSize: u32 = 0;
export let numberBits: u32 = 0;

export let count: u32 = 0;
/** For how many states there is room in all. */
export let room: u32 = 0;
/** Room for a tuple, and for the hashes of a batch. */
export let scratch: usize = 0;
export let hashes: usize = 0;
/** The word that has had more values than there are numbers. */
export let overflown: u32 = 0;

/** The state is not known; or there is no number for what one of its words is. */
export const NEW: u32 = 0xffffffff;
export const OVERFLOW: u32 = 0xfffffffe;

const CHUNK_BITS: u32 = 14;
const SEGMENT_BITS: u32 = 12;
const HASHES: u32 = 512;

/** 2^32 divided by the golden ratio: the upper bits of a product with it are spread well (Knuth, The Art of Computer Programming 3, 6.4). */
const FIBONACCI: u32 = 0x9e3779b1;

/** In bytes. */
const DICTIONARY: usize = 20;
const COLUMN: usize = 16;
const CHUNK: usize = 12;

/** So that looking ahead is not optimised away. */
export let seenAhead: u32 = 0;

export function at(word: u32): usize {
  return (<usize>word) << 2;
}

/** The number of a state whose place (word, shift, mask) is at that address. */
export function valueAt(place: usize, state: usize): u32 {
  return (load<u32>(state + at(load<u32>(place))) >> load<u32>(place, 4)) & load<u32>(place, 8);
}

/** Puts a number into a state at the place (word, shift, mask) at that address, where its bits are 0. */
export function putNumberAt(place: usize, number: u32, state: usize): void {
  const into = state + at(load<u32>(place));
  store<u32>(into, load<u32>(into) | ((number & load<u32>(place, 8)) << load<u32>(place, 4)));
}

/** Puts into a state, where these bits are 0, what is in another: rows of the word they come from, mask, shift to the left, the word they go to. */
export function moveBits(from: usize, moves: usize, moveCount: u32, into: usize): void {
  const end = moves + ((<usize>moveCount) << 4);
  for (let row = moves; row < end; row += 16) {
    const bits = load<u32>(from + at(load<u32>(row))) & load<u32>(row, 4);
    const shift = load<i32>(row, 8);
    const place = into + at(load<u32>(row, 12));
    store<u32>(place, load<u32>(place) | (shift < 0 ? bits >> <u32>-shift : bits << (<u32>shift)));
  }
}

/** Copies so many 64-bit words; returns the address behind them. */
export function copyWords(from: usize, length: u32, into: usize): usize {
  const end = from + ((<usize>length) << 3);
  for (; from < end; from += 8) {
    store<u64>(into, load<u64>(from));
    into += 8;
  }
  return into;
}

function chunkOf(number: u32): usize {
  return chunks + <usize>(number >> CHUNK_BITS) * CHUNK;
}

function pageOf(number: u32): usize {
  return pages + <usize>(number >> CHUNK_BITS) * CHUNK;
}

function tupleIn(chunk: usize, number: u32): usize {
  return <usize>load<u32>(chunk) + <usize>(number & ((1 << CHUNK_BITS) - 1)) * <usize>load<u32>(chunk, 8);
}

/** The number that a word's value has in a tuple; `column` is its row of the tuple's layout. */
function numberIn(tuple: usize, column: usize): u32 {
  return <u32>(load<u64>(tuple + <usize>load<u32>(column)) >> <u64>load<u32>(column, 4)) & load<u32>(column, 8);
}

/** The value that a word has in a tuple. */
function valueIn(tuple: usize, column: usize, dictionary: usize): u32 {
  const number = numberIn(tuple, column);
  return isPlain(column) ? number : load<u32>(<usize>load<u32>(dictionary) + at(number));
}

function isPlain(column: usize): bool {
  return load<u32>(column, 12) !== 0;
}

/** The number that a word has in a tuple of any layout, as it would be in the one that is being filled. */
function numberAsIn(column: usize, tuple: usize, its: usize, dictionary: usize): u32 {
  return isPlain(column) ? valueIn(tuple, its, dictionary) : numberIn(tuple, its);
}

/** Puts the number into a tuple of the layout that is being filled, where there are other bits for that word or none. */
function putNumber(into: usize, column: usize, number: u32): void {
  const lane = into + <usize>load<u32>(column);
  const shift = <u64>load<u32>(column, 4);
  const mask = <u64>load<u32>(column, 8);
  store<u64>(lane, (load<u64>(lane) & ~(mask << shift)) | ((<u64>number) << shift));
}

/** What bits of the last lane belong to a tuple. */
function lastMask(): u64 {
  return ~(<u64>0) >> ((((<u64>lanes) << 3) - <u64>tupleBytes) << 3);
}

/** Puts the state of that number, which may be visited, into `state`. */
export function fetch(number: u32, state: usize): void {
  const chunk = pageOf(number);
  const from = tupleIn(chunk, number);
  let column = <usize>load<u32>(chunk, 4);
  let dictionary = dictionaries;
  const end = state + ((<usize>words) << 3);
  while (state < end) {
    store<u32>(state, valueIn(from, column, dictionary));
    state += 4;
    column += COLUMN;
    dictionary += DICTIONARY;
  }
}

/** The tuple of a state that may be visited, in the layout that is being filled, into `into`. */
export function fetchTuple(number: u32, into: usize): void {
  const page = pageOf(number);
  readTuple(tupleIn(page, number), <usize>load<u32>(page, 4), into);
}

/** The same of a state that is in the table. */
export function fetchKnown(number: u32, into: usize): void {
  const chunk = chunkOf(number);
  readTuple(tupleIn(chunk, number), <usize>load<u32>(chunk, 4), into);
}

/** Of a tuple of any layout the one of the layout that is being filled. */
export function readTuple(from: usize, its: usize, into: usize): void {
  if (its === layout) {
    const last = (<usize>(lanes - 1)) << 3;
    store<u64>(copyWords(from, lanes - 1, into), load<u64>(from + last) & lastMask());
    return;
  }
  translate(from, its, into);
}

function translate(from: usize, its: usize, into: usize): void {
  for (let lane: u32 = 0; lane < lanes; lane++) store<u64>(into + ((<usize>lane) << 3), 0);
  const end = layout + <usize>(words << 1) * COLUMN;
  let dictionary = dictionaries;
  for (let column = layout; column < end; column += COLUMN) {
    const number = numberAsIn(column, from, its, dictionary);
    if (number !== 0) putNumber(into, column, number);
    its += COLUMN;
    dictionary += DICTIONARY;
  }
}

/** The number of a word's value, which is not plain; NEW if it has none. */
function numberOf(dictionary: usize, value: u32): u32 {
  const values = <usize>load<u32>(dictionary);
  const table = <usize>load<u32>(dictionary, 4);
  const shift = load<u32>(dictionary, 8);
  const last = <u32>0xffffffff >> shift;
  let position = (value * FIBONACCI) >> shift;
  while (true) {
    const entry = atomic.load<u32>(table + at(position));
    if (entry === 0) return NEW;
    if (load<u32>(values + at(entry - 1)) === value) return entry - 1;
    position = (position + 1) & last;
  }
}

/** Gives a word's value that has no number the next; OVERFLOW if there is none. */
function addValue(dictionary: usize, value: u32): u32 {
  const number = load<u32>(dictionary, 12);
  if (number === load<u32>(dictionary, 16)) return OVERFLOW;
  store<u32>(<usize>load<u32>(dictionary) + at(number), value);
  enterValue(<usize>load<u32>(dictionary, 4), load<u32>(dictionary, 8), value, number);
  store<u32>(dictionary, number + 1, 12);
  return number;
}

/** Enters so many values into the hash table at that address. */
export function enterValues(values: usize, number: u32, table: usize, shift: u32): void {
  for (let value: u32 = 0; value < number; value++) enterValue(table, shift, load<u32>(values + at(value)), value);
}

function enterValue(table: usize, shift: u32, value: u32, number: u32): void {
  const last = <u32>0xffffffff >> shift;
  let position = (value * FIBONACCI) >> shift;
  while (load<u32>(table + at(position)) !== 0) position = (position + 1) & last;
  // Who sees the number sees the value.
  atomic.store<u32>(table + at(position), number + 1);
}

/** Makes the tuple of a state that differs in some words from one of which it is known. Whether each word has a number, or got one if it `adds`. */
export function encodeChanges(before: usize, tupleBefore: usize, state: usize, into: usize, adds: bool): bool {
  copyWords(tupleBefore, lanes, into);
  let column = layout;
  let dictionary = dictionaries;
  const end = state + ((<usize>words) << 3);
  while (state < end) {
    if (load<u64>(state) !== load<u64>(before)) {
      for (let half: u32 = 0; half < 2; half++) {
        const value = load<u32>(state + at(half));
        if (value === load<u32>(before + at(half))) continue;
        if (putValue(value, dictionary + <usize>half * DICTIONARY, column + <usize>half * COLUMN, into, adds) !== 0) return false;
      }
    }
    state += 8;
    before += 8;
    column += 2 * COLUMN;
    dictionary += 2 * DICTIONARY;
  }
  return true;
}

/** Makes the tuple of a state, and numbers for its words' values if it `adds`. 0 if that could be done; otherwise NEW or OVERFLOW. */
export function encode(state: usize, into: usize, adds: bool): u32 {
  for (let lane: u32 = 0; lane < lanes; lane++) store<u64>(into + ((<usize>lane) << 3), 0);
  for (let word: u32 = 0; word < words << 1; word++) {
    const value = load<u32>(state + at(word));
    const failed = putValue(value, dictionaries + <usize>word * DICTIONARY, layout + <usize>word * COLUMN, into, adds);
    if (failed === OVERFLOW) overflown = word;
    if (failed !== 0) return failed;
  }
  return 0;
}

/** Puts a word's value into a tuple; it gets a number if it has none and `adds`. 0 if that could be done; otherwise NEW or OVERFLOW. */
function putValue(value: u32, dictionary: usize, column: usize, into: usize, adds: bool): u32 {
  let number = value;
  if (!isPlain(column)) {
    number = numberOf(dictionary, value);
    if (number === NEW) {
      if (!adds) return NEW;
      number = addValue(dictionary, value);
      if (number === OVERFLOW) return OVERFLOW;
    }
  }
  putNumber(into, column, number);
  return 0;
}

/** Multilinear hashing (Lemire and Kaser, "Strongly universal string hashing is fast", 2014): what a step writes changes its sum by so much. */
export function hashOf(state: usize): u64 {
  const end = words << 1;
  let sum = load<u64>(hashKeys + ((<usize>end) << 3));
  for (let word: u32 = 0; word < end; word++) sum += <u64>load<u32>(state + at(word)) * load<u64>(hashKeys + ((<usize>word) << 3));
  return sum;
}

/** Of such a sum the upper bits are good; mixed once more (MurmurHash3's finish, Appleby, public domain) the lower are too. */
export function finish(sum: u64): u32 {
  let hash = (sum ^ (sum >> 33)) * 0xff51afd7ed558ccd;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53;
  return <u32>(hash >> 32);
}

/** Where a state of that hash would like to be: the upper bits say where, the lower are kept in the entry. */
function positionOf(hash: u32): u32 {
  return <u32>((<u64>hash * <u64>tableSize) >> 32);
}

function entryAt(position: u32): usize {
  return <usize>load<u32>(segments + at(position >> SEGMENT_BITS)) + at(position & ((1 << SEGMENT_BITS) - 1));
}

/** Touches the entry for a hash. */
export function touchEntry(hash: u32): void {
  seenAhead += entryFor(hash);
}

/** The same, and returns it. */
export function entryFor(hash: u32): u32 {
  return load<u32>(entryAt(positionOf(hash)));
}

/** Touches the state that an entry is likely to be of, if it may be that with the hash. */
export function touchTuple(entry: u32, hash: u32): void {
  if (entry === 0 || (entry ^ (hash << numberBits)) >> numberBits !== 0) return;
  const number = (entry & ((1 << numberBits) - 1)) - 1;
  seenAhead += load<u32>(tupleIn(chunkOf(number), number));
}

/** Address of the entry for what was not found. */
let vacant: usize = 0;

/** Number of the state with that tuple, of the layout that is being filled; or NEW, and `vacant` is where its entry would be. */
function findTuple(tuple: usize, hash: u32): u32 {
  const tag = hash << numberBits;
  let position = positionOf(hash);
  while (true) {
    const address = entryAt(position);
    const entry = atomic.load<u32>(address);
    if (entry === 0) {
      vacant = address;
      return NEW;
    }
    if ((entry ^ tag) >> numberBits === 0) {
      const number = (entry & ((1 << numberBits) - 1)) - 1;
      if (isTuple(number, tuple)) return number;
    }
    position++;
    if (position === tableSize) position = 0;
  }
}

function isTuple(number: u32, tuple: usize): bool {
  const chunk = chunkOf(number);
  return isSame(tupleIn(chunk, number), <usize>load<u32>(chunk, 4), tuple);
}

/** Whether a tuple of any layout is the other, which is of the one that is being filled. */
export function isSame(stored: usize, its: usize, tuple: usize): bool {
  if (its === layout) {
    const last = (<usize>(lanes - 1)) << 3;
    for (let lane: usize = 0; lane < last; lane += 8) if (load<u64>(stored + lane) !== load<u64>(tuple + lane)) return false;
    return ((load<u64>(stored + last) ^ load<u64>(tuple + last)) & lastMask()) === 0;
  }
  const end = layout + <usize>(words << 1) * COLUMN;
  let dictionary = dictionaries;
  for (let column = layout; column < end; column += COLUMN) {
    if (numberAsIn(column, stored, its, dictionary) !== numberIn(tuple, column)) return false;
    its += COLUMN;
    dictionary += DICTIONARY;
  }
  return true;
}

/** Whether a state with that tuple is known. */
export function isKnown(tuple: usize, hash: u32): bool {
  return findTuple(tuple, hash) !== NEW;
}

/** Number of the state with that tuple if it is known; otherwise it is added, for which there has to be room, and the result is NEW. */
export function insertTuple(tuple: usize, hash: u32): u32 {
  const known = findTuple(tuple, hash);
  if (known !== NEW) return known;
  append(tuple);
  // Who sees the entry sees the state.
  atomic.store<u32>(vacant, (hash << numberBits) | count);
  return NEW;
}

/** Gives that tuple the next number. */
export function append(tuple: usize): void {
  storeTuple(tupleIn(chunkOf(count), count), tuple);
  count++;
}

/** Puts a tuple of the layout that is being filled where it has no more bytes than it needs. */
export function storeTuple(into: usize, tuple: usize): void {
  const last = (<usize>(lanes - 1)) << 3;
  into = copyWords(tuple, lanes - 1, into);
  // Not a byte more: what is behind may be another's.
  let rest = load<u64>(tuple + last);
  let left = <usize>tupleBytes - last;
  if (left === 8) {
    store<u64>(into, rest);
    return;
  }
  if ((left & 4) !== 0) {
    store<u32>(into, <u32>rest);
    rest >>= 32;
    into += 4;
  }
  if ((left & 2) !== 0) {
    store<u16>(into, <u16>rest);
    rest >>= 16;
    into += 2;
  }
  if ((left & 1) !== 0) store<u8>(into, <u8>rest);
}

/** Number of the state if it is known; otherwise it is added, for which there has to be room, and the result is NEW; or OVERFLOW. */
export function insert(state: usize): u32 {
  const failed = encode(state, scratch, true);
  return failed === 0 ? insertTuple(scratch, finish(hashOf(state))) : failed;
}

/** Number of the state, or NEW if it is not known. */
export function find(state: usize): u32 {
  return encode(state, scratch, false) === 0 ? findTuple(scratch, finish(hashOf(state))) : NEW;
}

/** Makes of the tuples at that address, of another layout, some of the one that is being filled; in the same place if they are as long. */
export function translateAll(from: usize, its: usize, bytes: u32, number: u32, into: usize): void {
  for (let done: u32 = 0; done < number; done++) {
    translate(from, its, scratch);
    storeTuple(into, scratch);
    from += <usize>bytes;
    into += <usize>tupleBytes;
  }
}

/** Enters states into the table, from the one to the one before the other, of which none is in it. Several threads may do so at a time. */
export function rehash(from: u32, to: u32): void {
  for (let first = from; first < to; first += HASHES) {
    const end = min(HASHES, to - first);
    for (let state: u32 = 0; state < end; state++) {
      const hash = hashOfKnown(first + state);
      store<u32>(hashes + at(state), hash);
      touchEntry(hash);
    }
    for (let state: u32 = 0; state < end; state++) {
      const hash = load<u32>(hashes + at(state));
      enterState((hash << numberBits) | (first + state + 1), positionOf(hash));
    }
  }
}

function enterState(entry: u32, first: u32): void {
  let position = first;
  while (true) {
    const address = entryAt(position);
    if (load<u32>(address) === 0 && atomic.cmpxchg<u32>(address, 0, entry) === 0) return;
    position++;
    if (position === tableSize) position = 0;
  }
}

/** The hash of a state that is in the table. */
export function hashOfKnown(number: u32): u32 {
  return hashIn(chunkOf(number), number);
}

/** The hash of a state that may be visited. */
export function hashOfVisited(number: u32): u32 {
  return hashIn(pageOf(number), number);
}

function hashIn(chunk: usize, number: u32): u32 {
  const from = tupleIn(chunk, number);
  let column = <usize>load<u32>(chunk, 4);
  let dictionary = dictionaries;
  let key = hashKeys;
  const end = hashKeys + ((<usize>words) << 4);
  let sum = load<u64>(end);
  while (key < end) {
    sum += <u64>valueIn(from, column, dictionary) * load<u64>(key);
    key += 8;
    column += COLUMN;
    dictionary += DICTIONARY;
  }
  return finish(sum);
}

/**
 * Adds states that were packed otherwise, in so many 64-bit words each: bits of theirs go where `moves` says, and all
 * else is as in `rest`. Returns how many were added: fewer if a word has had more values than there are numbers.
 */
export function absorb(states: usize, stride: u32, number: u32, moves: usize, moveCount: u32, rest: usize, state: usize): u32 {
  for (let taken: u32 = 0; taken < number; taken++) {
    copyWords(rest, words, state);
    moveBits(states, moves, moveCount, state);
    if (insert(state) === OVERFLOW) return taken;
    states += (<usize>stride) << 3;
  }
  return number;
}
