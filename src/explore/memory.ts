/** The memory that the engine shares with its core: regions are handed out, given back, and handed out again. */

import { ModelError } from "../lang/errors.js";

const PAGE = 2 ** 16;
/** What the core can address: 4 GB. */
const MOST_PAGES = 2 ** 16;
export const MOST_BYTES = MOST_PAGES * PAGE;

/** Bytes that a run may have used if its memory is kept for the next: more are given back to the machine. */
const MOST_KEPT = 2 ** 26;

interface Region {
  readonly address: number;
  readonly bytes: number;
}

/** Nothing is at address 0. */
const FIRST = 16;

/** Memories of runs that are over. */
const kept: Memory[] = [];

export class Memory {
  readonly shared = reserved();
  /** Everything from here on has never been used. */
  #end = FIRST;
  /** In the order of their addresses. */
  #spare: Region[] = [];
  /** Whether other threads know it, which may look at it a little longer than the run takes: it is not kept. */
  isKnownElsewhere = false;
  /** What other runs have used of it, which the machine has found pages for. */
  used = 0;
  /** Nothing is handed out beyond: a run that may not take so much ends before it does. */
  most = Number.POSITIVE_INFINITY;

  /** That of a run that is over, or a new one: to reserve addresses, and to have the machine find pages, takes longer than to clear some. */
  static take(): Memory {
    return kept.pop() ?? new Memory();
  }

  /** For the next run, unless it has used more than that. Nobody may use it any more. */
  giveBack(most = MOST_KEPT): void {
    if (this.#end > most || this.isKnownElsewhere) return;
    this.bytes(0, this.#end).fill(0);
    this.used = Math.max(this.used, this.#end);
    this.#end = FIRST;
    this.#spare = [];
    this.most = Number.POSITIVE_INFINITY;
    kept.push(this);
  }

  /** Address of so many bytes, all 0 unless that does not matter. Throws a `RangeError` if there is no room, or fewer bytes would be left for others. */
  allocate(bytes: number, isBlank = true, left = 0): number {
    const size = rounded(bytes);
    const fitting = this.#spare.findIndex((region) => region.bytes >= size);
    if (fitting >= 0) {
      const region = this.#spare[fitting] as Region;
      const rest = region.bytes > size ? [{ address: region.address + size, bytes: region.bytes - size }] : [];
      this.#spare.splice(fitting, 1, ...rest);
      if (isBlank) this.bytes(region.address, size).fill(0);
      return region.address;
    }
    const address = this.#end;
    if (address + size > this.most - left) throw new RangeError(`no room for ${size} more bytes: the run may not take as many`);
    const missing = address + size - this.shared.buffer.byteLength;
    if (missing > 0) {
      try {
        this.shared.grow(Math.ceil(missing / PAGE));
      } catch {
        throw new RangeError(`no room for ${size} more bytes: the engine has 4 GB`);
      }
    }
    this.#end += size;
    return address;
  }

  release(address: number, bytes: number): void {
    const spare = this.#spare;
    const behind = spare.findIndex((region) => region.address > address);
    const place = behind < 0 ? spare.length : behind;
    spare.splice(place, 0, { address, bytes: rounded(bytes) });
    // What lies side by side is one region, in which larger ones fit.
    this.#join(place);
    this.#join(place - 1);
  }

  /** Makes one of a spare region and the one behind it, if nothing is in use between them. */
  #join(place: number): void {
    const [region, next] = this.#spare.slice(Math.max(0, place), place + 2);
    if (region === undefined || next === undefined || region.address + region.bytes !== next.address) return;
    this.#spare.splice(place, 2, { address: region.address, bytes: region.bytes + next.bytes });
  }

  /** The same for so many 32-bit words. */
  allocateWords(length: number, isBlank = true): Uint32Array {
    return this.words(this.allocate(length * 4, isBlank), length);
  }

  /** Those words with room for more behind them, so many in all, which are 0 unless that does not matter. What they were in is given back. Throws a `RangeError`, and has changed nothing, if there is no room. */
  enlarge(words: Uint32Array, length: number, isBlank = true): Uint32Array {
    const larger = this.allocateWords(length, isBlank);
    larger.set(words);
    this.releaseAll([words]);
    return larger;
  }

  /** Gives back what is in these. */
  releaseAll(rooms: Iterable<Pick<ArrayBufferView, "byteOffset" | "byteLength">>): void {
    for (const { byteOffset, byteLength } of rooms) this.release(byteOffset, byteLength);
  }

  /** What is there. It stays what is there however much else is allocated. */
  bytes(address: number, length: number): Uint8Array {
    return new Uint8Array(this.shared.buffer, address, length);
  }

  /** The same, in 32-bit words. */
  words(address: number, length: number): Uint32Array {
    return new Uint32Array(this.shared.buffer, address, length);
  }
}

/** Takes room among the addresses only: what is never used takes no memory. */
function reserved(): WebAssembly.Memory {
  try {
    return new WebAssembly.Memory({ initial: 1, maximum: MOST_PAGES, shared: true });
  } catch {
    throw new ModelError("the engine cannot reserve 4 GB of addresses", "Raise the limit on virtual memory (`ulimit -v unlimited`).");
  }
}

function rounded(bytes: number): number {
  return Math.ceil(bytes / 16) * 16;
}
