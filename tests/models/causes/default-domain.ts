/** What turns the properties of default domains red. */
import type { Cause } from "./cause.js";

const model = "models/linux/iommu/default-domain.ts";

export const causes: readonly Cause[] = [
  { name: "--revert bf8d2dd2ed08", red: "C12-list", suite: "drivers/s390-lists", revert: ["bf8d2dd2ed08"] },
  {
    name: "the base (DMA-FQ is written to the type file under virtio-iommu)",
    red: "C6",
    suite: "default-domain/type-refused/virtio_iommu-DMA_FQ-from-DMA",
  },
  {
    name: "--revert 6e6c6d6bc6c9",
    red: "C6-flush",
    suite: "group-domains/range-under-identity/intel_iommu",
    revert: ["6e6c6d6bc6c9"],
  },
  { name: "--revert 6f7340120a0a", red: "C5-own", suite: "group-domains/static-domain-of-pasid", revert: ["6f7340120a0a"] },
  {
    name: "linux-7.2 (the type is written while a driver is unbound)",
    red: "L2-mapping",
    also: ["O9"],
    suite: "core/type-against-own-domain/linux-7.2",
  },
  {
    name: "mutant: a driver frees its buffer when it stops, and leaves its packet mapped",
    red: "L2-mapping",
    also: ["O9"],
    suite: "core/type-against-traffic",
    file: "models/linux/machine/native.ts",
    edits: [
      {
        find: "  dev.queue_up = false;\n  dev.dma_map = null;\n",
        replace: "  dev.queue_up = false;\n  dev.devres_map = null;\n",
      },
    ],
  },
  { name: "the base (a device joins a group that has its default domain)", red: "C7", suite: "default-domain/joins/graphics-DMA" },
  {
    name: "the base (identity is written where SNP forbids it)",
    red: "C7-type",
    suite: "default-domain/type-refused/amd_iommu-IDENTITY-from-DMA_FQ",
  },
  { name: "the base (the walk of one IOMMU attaches a device of another, and fails)", red: "C8", suite: "default-domain/foreign-device" },
  {
    name: "mutant: iommu_group_store_type() does not ask whether the device is bound",
    red: "O9",
    suite: "default-domain/type-against-bind/intel_iommu",
    asked: ["O9"],
    file: model,
    edits: [
      {
        find: 'const isInUse = dev.is_bound && !(req_type === "DMA_FQ" && (yield* isStrict(group)));',
        replace: "const isInUse = false;",
      },
    ],
  },
  {
    name: "mutant: iommu_change_dev_def_domain() does not ask what the group is on",
    red: "O9",
    suite: "default-domain/type-against-claim",
    asked: ["O9"],
    file: model,
    edits: [{ find: "  if (group.default_domain !== group.domain) return -EBUSY;\n", replace: "" }],
  },
  { name: "the base (two devices of a group need different types)", red: "T3", suite: "default-domain/conflict/DMA_FQ" },
  { name: "the base (two devices of a group need different types)", red: "T3", suite: "default-domain/conflict/IDENTITY" },
  {
    name: "mutant: iommu_alloc_default_domain() does not ask whether there is a default domain",
    red: "X3-default",
    suite: "default-domain/type-against-plug",
    asked: ["X3-default"],
    file: model,
    edits: [{ find: "  if (group.default_domain !== null) return 0;\n", replace: "" }],
  },
  { name: "the base (an attach under virtio-iommu is refused)", red: "C12-count", suite: "default-domain/type-failing/virtio_iommu" },
];
