/** A command run as a whole process: what it printed, how long it took, and how much memory at most. */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

export interface Ran {
  readonly stdout: string;
  /** Wall time, the start of the process included. */
  readonly seconds: number;
  /** Most memory that it had at once; 0 where /proc does not tell. */
  readonly peakBytes: number;
}

/** Milliseconds between two looks at the memory; the kernel keeps the peak itself, so only the last growth can be missed. */
const LOOK_EVERY = 20;

/** Throws an `Error` with what it said if it fails. */
export function run(command: string, words: readonly string[], folder: string): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    const child = spawn(command, words, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let [stdout, stderr, peakBytes] = ["", "", 0];
    const looking = setInterval(() => {
      peakBytes = Math.max(peakBytes, peakOf(child.pid));
    }, LOOK_EVERY);
    child.stdout.on("data", (text) => {
      stdout += text;
    });
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.on("error", reject);
    child.on("close", (code) => {
      clearInterval(looking);
      if (code === 0) resolve({ stdout, seconds: (performance.now() - began) / 1000, peakBytes });
      else reject(new Error(`${command} ${words.join(" ")} ended with ${code}:\n${stderr}${stdout}`));
    });
  });
}

function peakOf(process: number | undefined): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${process}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Whether the command is there to be run. */
export async function isThere(command: string): Promise<boolean> {
  return run("sh", ["-c", `command -v ${command}`], ".").then(
    () => true,
    () => false,
  );
}
