/**
 * A folder in which a run of a suite is kept, so that it can go on after it was interrupted or killed. States are
 * only ever added to it, in files of their own; `checkpoint.json` says which of them count, and is replaced as a
 * whole once they are on the disk. At every moment it is that of some point of the run.
 */
import { createHash } from "node:crypto";
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import type { Keeper, KeptStates, Snapshot } from "../explore/checkpoint.js";
import { BLOCK_STATES } from "../explore/store.js";
import { ModelError } from "../lang/errors.js";
import { hashOf } from "../load/cache.js";
import type { Places } from "../state/packing.js";

/** How the runs of a command are kept. */
export interface Checkpointing {
  /** Each suite has a folder of its own in it. */
  readonly directory: string;
  /** Seconds between two times that something is written. */
  readonly every: number;
  /** Tells the user something that is no result. */
  readonly tell: (text: string) => void;
}

/** States of a file, in their order. */
interface Segment {
  readonly file: string;
  readonly states: number;
  readonly places: Places;
  readonly sha256: string;
}

interface Written {
  /** What has to be the same for the run to go on. */
  readonly run: string;
  readonly segments: readonly Segment[];
  readonly snapshot: Snapshot;
}

const CHECKPOINT = "checkpoint.json";
const LOCK = "lock";

export class CheckpointFolder implements Keeper {
  readonly every: number;
  readonly left: Keeper["left"];
  readonly #folder: string;
  readonly #tell: (text: string) => void;
  #segments: readonly Segment[] = [];

  /**
   * Opens the folder of a suite, which is then nobody else's until it is closed. `run` tells runs apart. Throws a
   * ModelError if it is in use, damaged, of another run, or cannot be written.
   */
  constructor(
    suite: string,
    readonly run: string,
    { directory, every, tell }: Checkpointing,
  ) {
    this.every = every;
    this.#folder = join(directory, encodeURIComponent(suite));
    this.#tell = (text) => tell(`${suite}: ${text}`);
    try {
      mkdirSync(this.#folder, { recursive: true });
    } catch (error) {
      throw new ModelError(
        `${this.#folder} cannot be made: ${(error as Error).message}`,
        "Give --checkpoint a folder that can be written.",
      );
    }
    this.#lock();
    try {
      this.left = this.#read();
    } catch (error) {
      this.close();
      throw error;
    }
    if (this.left !== null) this.#tell(`goes on from ${this.left.snapshot.states.toLocaleString("en")} states`);
  }

  keep(snapshot: Snapshot, places: Places, statesFrom: (first: number) => Iterable<Uint32Array>): void {
    const first = this.#segments.reduce((sum, { states }) => sum + states, 0);
    const file = `states-${this.#segments.length + 1}`;
    try {
      const sha256 = this.#write(file, statesFrom(first));
      const { cells, controls, upperControls, changingWords } = places;
      const segment = { file, states: snapshot.states - first, places: { cells, controls, upperControls, changingWords }, sha256 };
      const segments = segment.states === 0 ? this.#segments : [...this.#segments, segment];
      const written = JSON.stringify({ run: this.run, segments, snapshot } satisfies Written);
      this.#write(`${CHECKPOINT}.new`, [Buffer.from(JSON.stringify({ sha256: hashOf(written), written }))]);
      renameSync(join(this.#folder, `${CHECKPOINT}.new`), join(this.#folder, CHECKPOINT));
      this.#sync();
      this.#segments = segments;
    } catch (error) {
      for (const left of [file, `${CHECKPOINT}.new`]) rmSync(join(this.#folder, left), { force: true });
      this.#tell(`no checkpoint was written, and the one before still counts: ${(error as Error).message}`);
    }
  }

  /** The run is through: nothing of it has to be kept. */
  remove(): void {
    const isOurs = (file: string) => file.startsWith(CHECKPOINT) || /^states-\d+$/.test(file);
    // First what says that the others count.
    for (const file of readdirSync(this.#folder).filter(isOurs).sort()) rmSync(join(this.#folder, file), { force: true });
    this.close();
    try {
      rmdirSync(this.#folder);
    } catch {
      // Somebody else has put something there.
    }
  }

  /** Lets others use it. */
  close(): void {
    rmSync(join(this.#folder, LOCK), { force: true });
  }

  #lock(): void {
    const path = join(this.#folder, LOCK);
    const mine = `${process.pid} ${startOf(process.pid)}`;
    for (;;) {
      try {
        writeFileSync(path, mine, { flag: "wx" });
        return;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code !== "EEXIST")
          throw new ModelError(`${path} cannot be written: ${message}`, "Give --checkpoint a folder that can be written.");
      }
      const holder = existsSync(path) ? readFileSync(path, "utf8") : "";
      const [pid = "", start = ""] = holder.split(" ");
      if (holder === mine || (pid !== "" && start === startOf(Number(pid))))
        throw new ModelError(`${this.#folder} is in use by process ${pid}`, "Wait for it to end, or give --checkpoint another folder.");
      // Whoever had it was killed.
      rmSync(path, { force: true });
    }
  }

  #read(): Keeper["left"] {
    const path = join(this.#folder, CHECKPOINT);
    if (!existsSync(path)) return null;
    const { run, segments, snapshot } = this.#parsed(path);
    if (run !== this.run)
      throw new ModelError(
        `${path} is of another run: the models, the suite, the commits or the tool are not the same`,
        "Check as it was checked then; or give --checkpoint another folder, or delete this one, to begin anew.",
      );
    this.#segments = segments;
    return { snapshot, states: this.#states() };
  }

  #parsed(path: string): Written {
    try {
      const { sha256, written } = JSON.parse(readFileSync(path, "utf8")) as { sha256: string; written: string };
      if (sha256 === hashOf(written)) return JSON.parse(written) as Written;
    } catch {
      // What cannot be parsed is as damaged as what has another hash.
    }
    throw this.#damaged(path);
  }

  *#states(): Generator<KeptStates> {
    for (const segment of this.#segments) yield { places: segment.places, blocks: this.#blocksOf(segment) };
  }

  *#blocksOf({ file, states, places, sha256 }: Segment): Generator<Uint32Array> {
    const path = join(this.#folder, file);
    if (!existsSync(path)) throw this.#damaged(path);
    const hash = createHash("sha256");
    const stateBytes = 4 * 2 * Math.ceil(places.changingWords / 2);
    const block = Buffer.alloc(BLOCK_STATES * stateBytes);
    const descriptor = openSync(path, "r");
    try {
      for (let left = states; left > 0; left -= BLOCK_STATES) {
        const bytes = Math.min(left, BLOCK_STATES) * stateBytes;
        let read = 0;
        for (let more = -1; read < bytes && more !== 0; read += more) more = readSync(descriptor, block, read, bytes - read, null);
        if (read < bytes) throw this.#damaged(path);
        hash.update(block.subarray(0, bytes));
        yield new Uint32Array(block.buffer, block.byteOffset, bytes / 4);
      }
    } finally {
      closeSync(descriptor);
    }
    if (hash.digest("hex") !== sha256) throw this.#damaged(path);
  }

  #damaged(path: string): ModelError {
    return new ModelError(`${path} is damaged`, `Delete ${this.#folder} to begin this suite anew.`);
  }

  /** Writes a file, and waits for it to be on the disk. Returns its hash. */
  #write(file: string, parts: Iterable<Uint8Array | Uint32Array>): string {
    const hash = createHash("sha256");
    const descriptor = openSync(join(this.#folder, file), "w");
    try {
      for (const part of parts) {
        const bytes = Buffer.copyBytesFrom(part);
        hash.update(bytes);
        for (let written = 0; written < bytes.length; ) written += writeSync(descriptor, bytes, written);
      }
      fsyncSync(descriptor);
    } finally {
      closeSync(descriptor);
    }
    return hash.digest("hex");
  }

  /** Waits for the names of the files to be on the disk. */
  #sync(): void {
    const descriptor = openSync(this.#folder, "r");
    fsyncSync(descriptor);
    closeSync(descriptor);
  }
}

/** When the process was started, in ticks: another may have its number after it. Empty if there is none of that number, or nobody says. */
function startOf(pid: number): string {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8");
    return fields.slice(fields.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return existsSync("/proc/self/stat") ? "" : isThere(pid);
  }
}

/** Where there is no /proc. */
function isThere(pid: number): string {
  try {
    process.kill(pid, 0);
    return "there";
  } catch {
    return "";
  }
}
