/** What turns the properties of requester ids red. */
import type { Cause } from "./cause.js";

const ofBoth: readonly Cause[] = ["T2-requester", "L2-requester"].flatMap((red, position, both) => [
  {
    name: "the base (a released sibling has cleared the entry of the bridge's id)",
    red,
    also: ["C1", "leak", "warn-on", both[1 - position]!],
    suite: "requesters/unplug-all-but-one/linux-6.1/intel_legacy",
  },
  {
    name: "linux-6.12 (the context cache is flushed of another id)",
    red,
    also: ["K1", "T1", "T2", both[1 - position]!],
    suite: "requesters/lent/linux-6.12/intel_legacy",
  },
]);

export const causes: readonly Cause[] = [
  ...ofBoth,
  {
    name: "mutant: VT-d's driver clears a context entry without flushing it",
    red: "T2-requester",
    suite: "requesters/lent/linux-7.2/intel_legacy",
    file: "models/linux/iommu-drivers/intel-context.ts",
    edits: [{ find: "  sid.cached.clear();\n", replace: "" }],
  },
];
