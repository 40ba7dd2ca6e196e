/** Files that hold states for the time of a run: they have no name, so that they are gone with it, however it ends. */
import { closeSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { ModelError } from "../lang/errors.js";

/** Thrown when the folder has no room for more, or fails. */
export class DiskFailed extends ModelError {
  constructor(folder: string, error: unknown) {
    super(`${folder}: ${(error as Error).message}`, "Give --disk a folder with more room.");
  }
}

/** A folder for such files. */
export class ScratchFolder {
  /** Bytes of all files that there are, and the most that there have been. */
  bytes = 0;
  mostBytes = 0;
  #made = 0;

  /** Throws a ModelError if it cannot be written. */
  constructor(readonly path: string) {
    new ScratchFile(this).close();
  }

  nextName(): string {
    return join(this.path, `iommu-mc-${process.pid}-${this.#made++}`);
  }
}

/** Numbers of files that are made at the same time by several threads of a process differ by luck only: another is tried then. */
const MOST_TRIES = 1000;

export class ScratchFile {
  readonly #descriptor: number;
  bytes = 0;

  constructor(readonly folder: ScratchFolder) {
    this.#descriptor = openUnnamed(folder);
  }

  append(bytes: Uint8Array): void {
    try {
      for (let written = 0; written < bytes.length; ) {
        written += writeSync(this.#descriptor, bytes, written, bytes.length - written, this.bytes + written);
      }
    } catch (error) {
      throw new DiskFailed(this.folder.path, error);
    }
    const { folder } = this;
    this.bytes += bytes.length;
    folder.bytes += bytes.length;
    folder.mostBytes = Math.max(folder.mostBytes, folder.bytes);
  }

  /** Fills `into` with what there is from that byte on. */
  read(from: number, into: Uint8Array): void {
    try {
      for (let read = 0, more = 1; read < into.length; read += more) {
        more = readSync(this.#descriptor, into, read, into.length - read, from + read);
        if (more === 0) throw new Error("what was written is not there");
      }
    } catch (error) {
      throw new DiskFailed(this.folder.path, error);
    }
  }

  close(): void {
    this.folder.bytes -= this.bytes;
    this.bytes = 0;
    closeSync(this.#descriptor);
  }
}

function openUnnamed(folder: ScratchFolder): number {
  for (let tries = 0; ; tries++) {
    const name = folder.nextName();
    try {
      const descriptor = openSync(name, "wx+", 0o600);
      rmSync(name);
      return descriptor;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === "EEXIST" && tries < MOST_TRIES) continue;
      throw new ModelError(`no file can be made in ${folder.path}: ${message}`, "Give --disk a folder that is there and can be written.");
    }
  }
}
