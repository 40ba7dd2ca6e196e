/** The probes that were installed, as `kprobe_events` lists them: `p:kp/iommu_attach_group iommu_attach_group grp=$arg2:x64`. */
import { functionName } from "./record.js";

export interface Probe {
  readonly kind: "call" | "return";
  /** As `event` of a record that it made. */
  readonly function: string;
  /** Group of its event: `kprobes` for those of the kernel's command line. */
  readonly group: string;
  /** What it records, besides that it was passed. */
  readonly fields: readonly string[];
}

/** The probes of the text; a line that is none, such as a uprobe's, is passed over. */
export function readProbes(text: string): Probe[] {
  return text.split("\n").flatMap((line) => {
    const [head = "", place = "", ...fields] = line.trim().split(/\s+/);
    const [, type, group] = /^([pr])\d*:(\w+)\//.exec(head) ?? [];
    if (group === undefined) return [];
    const probed = functionName(place.replace(/^\w+:/, ""));
    return [
      { kind: type === "p" ? "call" : "return", function: probed, group, fields: fields.map((field) => field.split("=")[0] as string) },
    ];
  });
}
