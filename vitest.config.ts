import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { alias: { "iommu-mc": fileURLToPath(new URL("./src/lang/index.ts", import.meta.url)) } },
  test: { include: ["tests/**/*.test.ts"], testTimeout: 120_000, maxWorkers: Math.max(2, availableParallelism() - 1) },
});
