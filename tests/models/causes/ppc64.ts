/** What turns the properties of POWER's TCE tables red. */
import type { Cause } from "./cause.js";

const ioda2 = "models/ppc64/ioda2.ts";
const table = "models/ppc64/table.ts";

const blockedForNothing: Cause["edits"] = [
  { find: "  const ret = yield* take_ownership(grp.iommu_data!, dev);\n", replace: "  const ret: Errno = 0;\n" },
];
const unmapForNothing: Cause["edits"] = [{ find: "  tbl.kernel_tces.delete(entry);\n", replace: "" }];

export const causes: readonly Cause[] = [
  { name: "the base, fixed by d2d00e15808c", red: "O10", suite: "ppc64/release-never-called", asked: ["O10"] },
  {
    name: "mutant: the attach of the blocking domain just returns 0",
    red: "O10",
    suite: "ppc64/lend/ioda2-6.12",
    asked: ["O10"],
    file: "models/ppc64/iommu-ops.ts",
    edits: blockedForNothing,
  },
  {
    name: "mutant: take_ownership of IODA2 leaves the bypass on",
    red: "O10-tables",
    suite: "ppc64/lend/ioda2-5.10",
    asked: ["O10-tables"],
    file: ioda2,
    edits: [
      {
        find: "  pnv_pci_ioda2_set_bypass(pe, false);\n  yield;\n  yield* pnv_pci_ioda2_unset_window(pe, 0);\n",
        replace: "  yield* pnv_pci_ioda2_unset_window(pe, 0);\n",
      },
    ],
  },
  {
    name: "mutant: an entry that is unmapped goes on translating",
    red: "O10-tables",
    suite: "ppc64/lend/pseries-5.10",
    asked: ["O10-tables"],
    file: table,
    edits: unmapForNothing,
  },
  {
    name: "mutant: release_ownership of pSeries leaves the entries there are",
    red: "O10-tables",
    suite: "ppc64/lend/pseries-6.6",
    asked: ["O10-tables"],
    file: "models/ppc64/pseries.ts",
    edits: [{ find: "    iommu_table_clear(tbl);\n    yield;\n", replace: "    yield;\n" }],
  },
  {
    name: "mutant: the attach of the blocking domain just returns 0",
    red: "O5-attach",
    suite: "ppc64/lend/ioda2-6.12",
    asked: ["O5-attach"],
    file: "models/ppc64/iommu-ops.ts",
    edits: blockedForNothing,
  },
  {
    name: "mutant: an entry that is unmapped goes on translating",
    red: "O5-attach",
    suite: "ppc64/lend/pseries-5.10",
    asked: ["O5-attach"],
    file: table,
    edits: unmapForNothing,
  },
  { name: "the base, fixed by db08e1d53034", red: "L2-tables", also: ["use-after-free"], suite: "ppc64/stale-table-base" },
  {
    name: "mutant: a window is taken away, and the hardware not told",
    red: "L2-tables",
    suite: "ppc64/lend/ioda2-6.12",
    asked: ["L2-tables"],
    file: ioda2,
    edits: [
      {
        find: "  if (num === 0) table_group.tve0 = null;\n  else setTve1(table_group, null, false);\n",
        replace: "  if (num !== 0) setTve1(table_group, null, false);\n",
      },
    ],
  },
  { name: "--revert a8ca9fc9134c", red: "T5-table", suite: "ppc64/attach-at-probe", revert: ["a8ca9fc9134c"] },
  { name: "the base, fixed by f431a8cde7f1 (a second device of a PE)", red: "T5-table", suite: "ppc64/second-function/pseries-6.8" },
  {
    name: "mutant: a window is set, and the hardware not told",
    red: "T5-table",
    suite: "ppc64/lend/ioda2-6.12",
    asked: ["T5-table"],
    file: ioda2,
    edits: [
      {
        find: "  if (num === 0) table_group.tve0 = tbl;\n  else setTve1(table_group, tbl, false);\n",
        replace: "  if (num !== 0) setTve1(table_group, tbl, false);\n",
      },
    ],
  },
  { name: "the base, fixed by 0846dd77c834", red: "L3-platform", suite: "ppc64/group-reference" },
  { name: "--revert a940904443e4", red: "V2-vfio", suite: "ppc64/vfio-with-iommu-ops", revert: ["a940904443e4"] },
  {
    name: "the base, fixed by f431a8cde7f1 (a pSeries PE of two devices)",
    red: "V2-claim",
    suite: "ppc64/functions/pseries-6.6",
    asked: ["V2-claim"],
  },
  { name: "the base, fixed by d2d00e15808c", red: "V2-host", suite: "ppc64/release-never-called", asked: ["V2-host"] },
  {
    name: "mutant: a device that is plugged in is not added to its group",
    red: "V2-group",
    suite: "ppc64/attach-at-probe",
    file: "models/ppc64/platform.ts",
    edits: [
      { find: "  if (hasGroup) yield* iommu_add_device(pe, dev);\n", replace: "  if (!hasGroup) yield* iommu_add_device(pe, dev);\n" },
    ],
  },
  { name: "a scenario without a VFIO user", red: "W1-tce", suite: "ppc64/user-against-host/ioda2-6.12", withoutThreads: ["qemu"] },
  { name: "a scenario without a driver of the host", red: "W2-tce", suite: "ppc64/user-against-host/ioda2-6.12", withoutThreads: ["udev"] },
];
