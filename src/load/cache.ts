/** A directory of JSON values under hashed keys. A cache that cannot be read or written is only slower. */
import { createHash, randomUUID } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { typescriptVersion } from "./typescript.js";

export interface Cache {
  /** Undefined if there is no readable entry. */
  get(key: string): unknown;
  set(key: string, value: unknown): void;
}

export function hashOf(...parts: readonly string[]): string {
  const hash = createHash("sha256");
  // With its length in front, no part can be mistaken for a piece of another.
  for (const part of parts) hash.update(`${part.length}:`).update(part);
  return hash.digest("hex");
}

/** Changes whenever this tool's own compiling code, or the compiler under it, does. */
export function toolFingerprint(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  const own = readdirSync(here)
    .filter((name) => /\.[jt]s$/.test(name))
    .sort()
    .map((name) => readFileSync(join(here, name), "utf8"));
  return hashOf(typescriptVersion(), ...own);
}

let wholeTool: string | undefined;

/** Changes whenever anything of this tool does, or of what it is built on. */
export function wholeToolFingerprint(): string {
  wholeTool ??= hashOfTool();
  return wholeTool;
}

function hashOfTool(): string {
  const code = join(dirname(fileURLToPath(import.meta.url)), "..");
  const files = readdirSync(code, { recursive: true, encoding: "utf8" })
    .filter((name) => /(?<!\.d)\.([jt]s|wasm)$/.test(name) && !name.startsWith("dev"))
    .sort();
  const described = readFileSync(join(code, "..", "package.json"), "utf8");
  return hashOf(typescriptVersion(), described, ...files.flatMap((name) => [name, readFileSync(join(code, name), "utf8")]));
}

export function defaultCacheDir(root: string): string {
  const modules = join(root, "node_modules");
  if (existsSync(modules)) return join(modules, ".cache", "iommu-mc");
  return join(tmpdir(), `iommu-mc-cache-${userInfo().uid}`);
}

export function openCache(directory: string | false): Cache {
  if (directory === false) return { get: () => undefined, set: () => {} };
  const fileOf = (key: string) => join(directory, `${key}.json`);
  return {
    get: (key) => {
      try {
        return JSON.parse(readFileSync(fileOf(key), "utf8"));
      } catch {
        return undefined;
      }
    },
    set: (key, value) => {
      try {
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        // Another process may be reading: the file appears whole or not at all.
        const draft = join(directory, `${randomUUID()}.tmp`);
        writeFileSync(draft, JSON.stringify(value));
        renameSync(draft, fileOf(key));
      } catch {
        // Only slower.
      }
    },
  };
}
