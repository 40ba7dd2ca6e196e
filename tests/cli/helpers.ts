/** Runs the command line as a user does. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

export const root = fileURLToPath(new URL("../..", import.meta.url));
export const bin = join(root, "bin/iommu-mc.js");
export const small = "tests/cli/fixtures/small.ts";
export const big = "tests/cli/fixtures/big.ts";

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the process, to send it signals. */
  readonly whileRunning?: (process: ReturnType<typeof spawn>) => void;
}

/** No colours, no width and no debugging of whoever runs the tests. */
function environment(extra: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const { COLUMNS, IOMMU_MC_DEBUG, NO_COLOR, FORCE_COLOR, ...rest } = process.env;
  return { ...rest, ...extra };
}

export function iommuMc(words: readonly string[], options: RunOptions = {}): Promise<Ended> {
  return start(process.execPath, [bin, ...words], options);
}

/** A shell command line in which $MC is the program. */
export function shell(line: string, options: RunOptions = {}): Promise<Ended> {
  return start("bash", ["-c", line], { ...options, env: { ...options.env, MC: bin } });
}

function start(command: string, words: readonly string[], { cwd = root, env = {}, whileRunning }: RunOptions): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd, env: environment(env), stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, stdout, stderr }));
    whileRunning?.(child);
  });
}

/** A folder that is gone after the tests of the file, and a function that writes files into it and returns their paths. */
export function temporaryFolder(): { readonly folder: string; readonly write: (name: string, content: string | Uint8Array) => string } {
  const folder = mkdtempSync(join(tmpdir(), "iommu-mc-test-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return {
    folder,
    write: (name, content) => {
      const path = join(folder, name);
      writeFileSync(path, content);
      return path;
    },
  };
}
