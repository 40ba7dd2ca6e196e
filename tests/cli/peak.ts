/** How much memory a process that is tested takes. */
import type { spawn } from "node:child_process";
import { readFileSync } from "node:fs";

/** Most memory that the process has had, in bytes; 0 if nobody says. */
export function peakOf(process: number | undefined): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${process}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Looks at a process while it runs, and keeps what it has had. */
export function watchingPeak() {
  return {
    peak: 0,
    watch(child: ReturnType<typeof spawn>) {
      const looking = setInterval(() => {
        this.peak = Math.max(this.peak, peakOf(child.pid));
      }, 10);
      child.on("close", () => clearInterval(looking));
    },
  };
}
