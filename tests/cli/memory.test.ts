import { expect, it } from "vitest";
import type { JsonCheck } from "../../src/report/json.js";
import { big, iommuMc } from "./helpers.js";
import { peakOf, watchingPeak } from "./peak.js";

it.runIf(peakOf(process.pid) > 0)("--memory is kept to within a tenth", async () => {
  const megabytes = 170;
  const watching = watchingPeak();
  const { code, stdout } = await iommuMc(["check", "--file", big, "--suite", "big/wheels", "--memory", String(megabytes), "--json"], {
    whileRunning: (child) => watching.watch(child),
  });
  expect(code).toBe(3);
  expect((JSON.parse(stdout) as JsonCheck).suites[0]?.end).toEqual({ limit: "memory" });
  expect(watching.peak / (megabytes * 1_000_000)).toBeGreaterThan(0.6);
  expect(watching.peak / (megabytes * 1_000_000)).toBeLessThan(1.1);
});
