/** The command line that shows a finding again. */
import type { Variant } from "../step/machine.js";
import { formatPath } from "../trace/replay.js";

/** `iommu-mc replay vfio-close 0.0.1 --revert 0286300e6045`. `file` is where the suite was read from, unless it is bundled. */
export function replayCommand(suite: string, path: readonly number[], variant: Variant, file: string | null): string {
  return replayWords(suite, path, variant, file).map(quoted).join(" ");
}

/** Its words, not yet quoted for a shell. */
export function replayWords(suite: string, path: readonly number[], variant: Variant, file: string | null): string[] {
  const words = ["iommu-mc", "replay", suite, formatPath(path)];
  if (file !== null) words.push("--file", file);
  for (const sha of variant.revert ?? []) words.push("--revert", sha);
  for (const sha of variant.apply ?? []) words.push("--apply", sha);
  if (variant.faults !== undefined) words.push("--faults", String(variant.faults));
  if (variant.faultPolicy !== undefined) words.push("--fault-policy", variant.faultPolicy);
  return words;
}

/** A word as a shell wants it. */
export function quoted(word: string): string {
  return /^[\w./@:=,+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
