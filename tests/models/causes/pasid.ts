/** What turns the properties of PASIDs, resets and users of iommufd red. */
import type { Cause } from "./cause.js";

const pasid = "models/linux/iommu/pasid.ts";
const reset = "models/linux/iommu/reset.ts";

export const causes: readonly Cause[] = [
  {
    name: "--revert 5e9f822c9c68",
    red: "C14",
    suite: "pasid/fault-against-attach",
    revert: ["5e9f822c9c68"],
  },
  {
    name: "mutant: a device that is detached from a PASID is left out",
    red: "C14-rest",
    suite: "pasid/failing-attach",
    asked: ["C14-rest"],
    file: pasid,
    edits: [
      {
        find: 'const isRemoved = applied("fc3523b16d2b") && device.blocked;',
        replace: "const isRemoved = device === group.devices.at(0);",
      },
    ],
  },
  {
    name: "mutant: what was attached before an attach of a PASID failed is not undone",
    red: "C14-rest",
    suite: "pasid/failing-attach",
    asked: ["C14-rest"],
    file: pasid,
    edits: [{ find: "if (done === device) break;", replace: "if (done !== null) break;" }],
  },
  {
    name: "--revert 1615e8896a8f",
    red: "C16",
    suite: "reset/pasid-against-resets",
    revert: ["1615e8896a8f"],
  },
  {
    name: "mutant: a reset within another ends both",
    red: "C16",
    suite: "reset/nested",
    file: reset,
    edits: [{ find: "    if (gdev!.reset_depth > 0) return;\n", replace: "" }],
  },
  {
    name: "the base (Intel's driver leaves the old domain before it knows that the new one will do)",
    red: "C3-replace",
    suite: "iommufd/failing-replace/intel_iommu",
  },
  {
    name: "mutant: iommufd frees the new handle in place of the old",
    red: "L7",
    suite: "iommufd/failing-replace/intel_iommu",
    asked: ["L7"],
    file: "models/linux/iommufd/device.ts",
    edits: [{ find: "kfree(rc ? handle : old_handle!);", replace: "kfree(rc ? old_handle! : handle);" }],
  },
  {
    name: "mutant: the handle of a replacement does not say of which domain it is",
    red: "L7",
    suite: "iommufd/failing-replace/intel_iommu",
    asked: ["L7"],
    file: pasid,
    edits: [{ find: "  handle.domain = new_domain;\n", replace: "" }],
  },
  {
    name: "mutant: nobody asks whether a group has PASIDs, and a detach leaves its handle",
    red: "O7",
    suite: "iommufd/replace-against-reset",
    asked: ["O7"],
    file: pasid,
    edits: [
      {
        find: 'return applied("16603704559c") && (group.handle !== null || group.pasid_entry !== "empty");',
        replace: "return group.handle === undefined;",
      },
      { find: "  yield;\n  group.handle = null;\n  mutex_unlock", replace: "  yield;\n  mutex_unlock" },
    ],
  },
  {
    name: "--revert 2667ed10d9f0",
    red: "T2-pasid",
    suite: "sva/exit",
    revert: ["2667ed10d9f0"],
  },
];
