/** What turns the properties of the ownership rework of 2015 red. */
import type { Cause } from "./cause.js";

const bitmapInUse = "4793d65d1ac0 (a bitmap in use)";
const attachFails = "v9-25 (the attach fails)";
const releaseFails = "46d3e1e16294 (release_ownership fails)";
const withoutUnset = "46d3e1e16294 without unset_window";
const keepsWindow = "OPAL leaves the window";

const keptWindow = "ioda2/opal-keeps-window/46d3e1e16294";
const lacking = "ioda2/without-unset_window/46d3e1e16294";

export const causes: readonly Cause[] = [
  { name: bitmapInUse, red: "O5-ioda2", suite: "ioda2/forgotten-buffer/4793d65d1ac0", asked: ["O5-ioda2"] },
  { name: "OPAL leaves the bypass on", red: "O5-ioda2", suite: "ioda2/opal-keeps-bypass/46d3e1e16294", asked: ["O5-ioda2"] },
  { name: withoutUnset, red: "O5-nobody", suite: lacking, asked: ["O5-nobody"], despite: ["warn-on"] },
  {
    name: "mutant: a PE whose window cannot be set has its bypass all the same",
    red: "O5-nobody",
    suite: "ioda2/release-fails/46d3e1e16294",
    asked: ["O5-nobody"],
    file: "models/ioda2/pci-ioda.ts",
    edits: [{ find: "    pnv_ioda2_table_free(tbl);\n    return;\n", replace: "    pnv_ioda2_table_free(tbl);\n" }],
  },
  { name: attachFails, red: "O10-ioda2", suite: "ioda2/attach-fails/v9-25", asked: ["O10-ioda2"] },
  { name: withoutUnset, red: "O10-ioda2", suite: lacking, asked: ["O10-ioda2"], also: ["warn-on"] },
  { name: keepsWindow, red: "O10-removed", suite: keptWindow, asked: ["O10-removed"], despite: ["use-after-free"] },
  { name: withoutUnset, red: "O10-refused", suite: lacking, asked: ["O10-refused"] },
  { name: "free-before-unset", red: "L2-ioda2", suite: "ioda2/lend/clear-free-unset", asked: ["L2-ioda2"] },
  { name: keepsWindow, red: "L2-ioda2", suite: keptWindow, asked: ["L2-ioda2"] },
  { name: "free-at-detach", red: "L2-ioda2", suite: "ioda2/two-groups/free-at-detach", asked: ["L2-ioda2"] },
  { name: keepsWindow, red: "L3-put", suite: keptWindow, asked: ["L3-put"], despite: ["use-after-free"] },
  { name: "no-copy", red: "L3-back", suite: "ioda2/lend/no-copy", asked: ["L3-back"], despite: ["leak"] },
  { name: withoutUnset, red: "L3-back", suite: lacking, asked: ["L3-back"], despite: ["warn-on"] },
  { name: attachFails, red: "T5-window", suite: "ioda2/attach-fails/v9-25", asked: ["T5-window"] },
  { name: releaseFails, red: "T5-window", suite: "ioda2/release-fails/46d3e1e16294", asked: ["T5-window"] },
  {
    name: "46d3e1e16294 (drivers that set no DMA mask)",
    red: "T5-base",
    suite: "ioda2/bus/46d3e1e16294",
    asked: ["T5-base"],
  },
  { name: releaseFails, red: "V2-ioda2", suite: "ioda2/release-fails/46d3e1e16294", asked: ["V2-ioda2"], despite: ["null-deref"] },
  {
    name: "46d3e1e16294 (little memory may be locked)",
    red: "V2-lent",
    suite: "ioda2/low-memlock/46d3e1e16294",
    asked: ["V2-lent"],
  },
  { name: "4.1 (a bitmap in use)", red: "V2-lent", suite: "ioda2/forgotten-buffer/4.1", asked: ["V2-lent"] },
  {
    name: "a scenario in which no process may lock enough memory",
    red: "W1-ioda2",
    suite: "ioda2/low-memlock/4793d65d1ac0",
    asked: ["W1-ioda2"],
    apply: ["46d3e1e16294"],
  },
  {
    name: "a scenario without a driver of the host",
    red: "W2-ioda2",
    suite: "ioda2/lend/46d3e1e16294",
    asked: ["W2-ioda2"],
    file: "models/ioda2/workloads.ts",
    edits: [{ find: "  dev.is_mapped = is_mapped;\n", replace: "" }],
  },
];
