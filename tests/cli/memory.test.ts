import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import type { JsonCheck } from "../../src/report/json.js";
import { big, iommuMc } from "./helpers.js";

/** Most memory that the process has had, in bytes. */
function peakOf(process: number | undefined): number {
  try {
    return 1024 * Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${process}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

it.runIf(peakOf(process.pid) > 0)("--memory is kept to within a tenth", async () => {
  const megabytes = 170;
  let peak = 0;
  const { code, stdout } = await iommuMc(["check", "--file", big, "--suite", "big/wheels", "--memory", String(megabytes), "--json"], {
    whileRunning: (child) => {
      const looking = setInterval(() => {
        peak = Math.max(peak, peakOf(child.pid));
      }, 10);
      child.on("close", () => clearInterval(looking));
    },
  });
  expect(code).toBe(3);
  expect((JSON.parse(stdout) as JsonCheck).suites[0]?.end).toEqual({ limit: "memory" });
  expect(peak / (megabytes * 1_000_000)).toBeGreaterThan(0.6);
  expect(peak / (megabytes * 1_000_000)).toBeLessThan(1.1);
});
