import { totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";
import type { Limits, Progress } from "./outcome.js";

/** Share of the JavaScript heap's own limit beyond which a run ends, so that it ends in words and not in a crash. */
const HEAP_SHARE = 0.9;
/** Share of the machine's memory beyond which a run ends where no limit is given: rather in words than by the kernel's hand. */
export const MACHINE_SHARE = 0.8;

/** Bytes that the process may take. */
export function mostMemory({ memoryBytes }: Limits): number {
  return memoryBytes ?? totalmem() * MACHINE_SHARE;
}

/** Which of the limits the run is beyond, if any. */
export function overLimit(limits: Limits, { seconds, memoryBytes }: Pick<Progress, "seconds" | "memoryBytes">): "time" | "memory" | null {
  if (seconds > (limits.timeoutSeconds ?? Number.POSITIVE_INFINITY)) return "time";
  if (memoryBytes > mostMemory(limits)) return "memory";
  const { used_heap_size, heap_size_limit } = getHeapStatistics();
  return used_heap_size > heap_size_limit * HEAP_SHARE ? "memory" : null;
}
