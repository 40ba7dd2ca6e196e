/** What turns the properties of tables of callbacks red. */
import type { Cause } from "./cause.js";

const changedOps = "ops-at-attach (a second device changes the ops under a mapping)";

export const causes: readonly Cause[] = [
  {
    name: "ops-merged with sva-domains (the domain of a process is freed as one with a page table)",
    red: "D1",
    suite: "ops-split/sva/default-table",
    asked: ["D1"],
  },
  { name: changedOps, red: "D2", suite: "ops-split/two-endpoints/at-attach", asked: ["D2"] },
  { name: changedOps, red: "D3", suite: "ops-split/two-endpoints/at-attach", asked: ["D3"] },
  {
    name: "ops-merged (an identity domain has the one table that there is)",
    red: "D4",
    suite: "ops-split/identity/intel_iommu/default-table",
    asked: ["D4"],
  },
  {
    name: "ops-by-kind (DMA-FQ is written to the type file)",
    red: "D5",
    suite: "ops-split/type-file/intel_iommu/type-of-domain",
    asked: ["D5"],
  },
  {
    name: "ops-5.10 (the walk of a bus maps what the firmware needs before it attaches)",
    red: "D6",
    suite: "ops-split/resv/walk/5.10",
    asked: ["D6"],
  },
  { name: "ops-5.17 (a process sets VFIO_TYPE1_NESTING_IOMMU)", red: "D7", suite: "ops-split/nesting/intel_iommu/real", asked: ["D7"] },
  {
    name: "ops-5.17 (AMD's driver forgets that an attach was deferred when it fails)",
    red: "D8",
    suite: "ops-split/deferred/amd_iommu/through-domain",
    asked: ["D8"],
  },
  {
    name: "ops-merged with one-attach (attach_dev without a case for the kind)",
    red: "D9",
    suite: "ops-split/sva/one-attach",
    asked: ["D9"],
  },
  {
    name: "ops-at-attach (there is none before the first attach)",
    red: "D10",
    suite: "ops-split/before-attach/at-attach",
    asked: ["D10"],
  },
  {
    name: "mutant: attach_dev refuses a device of the other kind",
    red: "W-both-on",
    suite: "ops-split/two-endpoints/at-attach",
    asked: ["W-both-on"],
    file: "models/ops-split/drivers/virtio.ts",
    edits: [{ find: 'applied("alloc-from-device") && domain.ops !== ops', replace: "domain.ops !== null && domain.ops !== ops" }],
  },
];
