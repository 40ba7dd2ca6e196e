/** What a run has had on disk. */
import type { DiskUse } from "../explore/outcome.js";
import { rounded } from "./wrap.js";

export function diskText({ folder, bytes, failure }: DiskUse): string {
  if (failure !== null) return `no more states could go to disk: ${failure}`;
  return bytes === 0
    ? `nothing was put to disk: all states fit into the memory`
    : `up to ${rounded(bytes)} bytes of states were on disk, in ${folder}`;
}
