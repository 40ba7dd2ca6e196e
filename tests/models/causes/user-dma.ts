/** What turns the properties of user DMA red. */
import type { Cause } from "./cause.js";

const unowned = "the base (VFIO before it owned anything)";

export const causes: readonly Cause[] = [
  { name: unowned, red: "O11", despite: ["bug-on"], suite: "user-dma/siblings/before", asked: ["O11"] },
  { name: unowned, red: "O12", despite: ["bug-on"], suite: "user-dma/siblings/before", asked: ["O12"] },
  {
    name: "mutant: the first device is opened before its group is taken",
    red: "O13",
    suite: "user-dma/siblings/at-open",
    asked: ["O13"],
    file: "models/linux/vfio/container.ts",
    edits: [
      {
        find: "    const ret = yield* vfio_group_take(group);\n    if (ret) return ret;\n  }\n  kref_get(group.file);\n  group.container_users++;\n  return 0;\n",
        replace:
          "    kref_get(group.file);\n    group.container_users++;\n    mutex_unlock(group.group_lock);\n    yield;\n    yield* mutex_lock(group.group_lock);\n    return yield* vfio_group_take(group);\n  }\n  kref_get(group.file);\n  group.container_users++;\n  return 0;\n",
      },
    ],
  },
  { name: "the base, fixed by dcf40ed3a20d", red: "V2-bind", suite: "user-dma/failing/merged", asked: ["V2-bind"] },
  {
    name: "mutant: a device whose DMA cannot be configured keeps its driver",
    red: "V2-bind",
    suite: "user-dma/siblings/merged",
    asked: ["V2-bind"],
    file: "models/linux/driver-core/dd.ts",
    edits: [
      {
        find: "  if (ret) {\n    yield;\n    yield* device_unbind_cleanup(dev);\n    return ret;\n  }\n",
        replace: "  if (ret) return ret;\n",
      },
    ],
  },
  { name: "another scenario: a driver that does no DMA is not exempt", red: "O14", suite: "user-dma/exempt/no-stub/merged" },
  { name: "the base (ownership is taken with the group)", red: "O15", suite: "user-dma/idle-group/merged" },
];

export const lockCauses: readonly Cause[] = [
  {
    name: "iommu_group_claim_dma_owner() looks at the drivers of the group under their devices' locks",
    red: "lockdep",
    suite: "user-dma/siblings/merged",
    file: "models/linux/iommu/ownership.ts",
    edits: [
      {
        find: "  const ret = group.owner_cnt > 0 ? -EPERM : yield* __iommu_take_dma_ownership(group, owner);\n",
        replace:
          "  for (const { dev } of group.devices) {\n    yield* mutex_lock(dev!.lock);\n    mutex_unlock(dev!.lock);\n  }\n  const ret = group.owner_cnt > 0 ? -EPERM : yield* __iommu_take_dma_ownership(group, owner);\n",
      },
    ],
  },
];
