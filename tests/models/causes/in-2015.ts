/** What turns the properties of the kernel of 2015 red. */
import type { Cause } from "./cause.js";

const neverDrained = "linux-4.4 (a device that was queued before there was a notifier)";

export const causes: readonly Cause[] = [
  {
    name: "mutant: arm64's notifier is told of a device before the IOMMU core's",
    red: "V2-arm64",
    suite: "arm64/early-iommu",
    asked: ["V2-arm64"],
    file: "models/arm64/driver-core.ts",
    edits: [
      {
        find: '  if (hasIommu && action === "BUS_NOTIFY_ADD_DEVICE") yield* iommu_bus_notifier(action, dev);\n  yield;\n  const hasDmaOps = bus.has_dma_ops_notifier;\n  yield;\n  if (hasDmaOps) yield* __iommu_attach_notifier(action, dev);\n',
        replace:
          '  const hasDmaOps = bus.has_dma_ops_notifier;\n  yield;\n  if (hasDmaOps) yield* __iommu_attach_notifier(action, dev);\n  yield;\n  if (hasIommu && action === "BUS_NOTIFY_ADD_DEVICE") yield* iommu_bus_notifier(action, dev);\n',
      },
    ],
  },
  { name: neverDrained, red: "T5-arm64", suite: "arm64/early-device", asked: ["T5-arm64"] },
  { name: neverDrained, red: "V2-arm64", suite: "arm64/early-device", asked: ["V2-arm64"] },
  {
    name: "linux-4.4 (a coherent device is detached from a mapping of its driver's)",
    red: "T5-coherence",
    suite: "arm/own-mapping/coherent",
  },
  { name: "linux-4.4 (the attach of a device that is added fails)", red: "C1-2015", suite: "default-attach/failing" },
  {
    name: "linux-4.7 (a device comes while its bus is walked), without the WARN_ON that comes first",
    red: "X2-2015",
    suite: "arm64/in-any-order",
    asked: ["X2-2015"],
    file: "models/arm64/iommu.ts",
    edits: [{ find: '  WARN_ON(dev.iommu_group !== null, "a device that is in a group is added");\n  yield;\n', replace: "" }],
  },
  {
    name: "mutant: the error path of iommu_group_add_device() leaves the pointer",
    red: "C3-2015",
    suite: "default-attach/undone",
    asked: ["C3-2015"],
    file: "models/arm64/iommu.ts",
    edits: [
      {
        find: "  dev.iommu_group = null;\n  yield;\n  iommu_group_put(group);\n  yield;\n",
        replace: "  iommu_group_put(group);\n  yield;\n",
      },
    ],
  },
  {
    name: "linux-4.4 with 797a8b4d768c (the attach of a device that is added fails)",
    red: "L3-2015",
    suite: "default-attach/undone",
  },
  {
    name: "mutant: do_iommu_attach() asks the bus for a domain",
    red: "C5-2015",
    suite: "arm64/two-kinds",
    asked: ["C5-2015"],
    file: "models/arm64/dma-mapping.ts",
    edits: [
      {
        find: '  const domain = domain_alloc(ops, "DMA");\n  if (domain === null) return null;\n  domain.ops = ops;\n',
        replace:
          '  const domain = domain_alloc(dev.bus!.iommu_ops ?? ops, "DMA");\n  if (domain === null) return null;\n  domain.ops = dev.bus!.iommu_ops;\n',
      },
    ],
  },
];
