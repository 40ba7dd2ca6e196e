/** What turns the properties of the kernel of 2015 red. */
import type { Cause } from "./cause.js";

const neverDrained = "linux-4.4 (a device that was queued before there was a notifier)";
const samePriority = "linux-4.2 with posted-v5 and same-priority (arm64's notifier is told of a device before the IOMMU core's)";
const everyGroup = "linux-4.4 (device_group() is asked for every device)";

export const causes: readonly Cause[] = [
  { name: samePriority, red: "V2-arm64", suite: "arm64-posted/same-priority", asked: ["V2-arm64"] },
  { name: neverDrained, red: "T5-arm64", suite: "arm64/early-device", asked: ["T5-arm64"] },
  { name: neverDrained, red: "V2-arm64", suite: "arm64/early-device", asked: ["V2-arm64"] },
  {
    name: "linux-4.4 (a coherent device is detached from a mapping of its driver's)",
    red: "T5-coherence",
    suite: "arm/own-mapping/coherent",
  },
  { name: "linux-4.4 (the attach of a device that is added fails)", red: "C1-2015", suite: "default-attach/failing" },
  {
    name: "mutant: a device's link to its group is made although it has one",
    red: "X2-2015",
    despite: ["warn-on"],
    suite: "arm64/in-any-order",
    asked: ["X2-2015"],
    file: "models/arm64/iommu.ts",
    edits: [{ find: "  if (dev.has_group_link) return -EEXIST;\n", replace: "" }],
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
    name: "mutant: iommu_get_domain_for_dev() keeps the reference on the group",
    red: "R1-2015",
    suite: "arm64/early-iommu",
    asked: ["R1-2015"],
    file: "models/arm64/iommu.ts",
    edits: [
      {
        find: "  const domain = data_race(() => group.domain);\n  yield;\n  iommu_group_put(group);\n  return domain;\n",
        replace: "  const domain = data_race(() => group.domain);\n  yield;\n  return domain;\n",
      },
    ],
  },
  {
    name: "linux-4.2 with posted-v5 and domain-of-bus (two kinds of IOMMUs)",
    red: "C5-2015",
    suite: "arm64-two-kinds/of-bus",
    asked: ["C5-2015"],
  },
  {
    name: "09515ef5ddad (it is set up when its driver is bound)",
    red: "V2-early",
    suite: "arm64-deferred/any-order",
    asked: ["V2-early"],
  },
  { name: "exynos-iommu (attaches the device)", red: "V2-refused", suite: "arm64-in-setup/exynos_sysmmu", asked: ["V2-refused"] },
  { name: "rockchip-iommu (does nothing, and returns 0)", red: "V2-refused", suite: "arm64-in-setup/rk_iommu", asked: ["V2-refused"] },
  {
    name: "09515ef5ddad (the driver of its IOMMU never comes)",
    red: "V2-bound",
    suite: "arm64-deferred/without-iommu",
    asked: ["V2-bound"],
  },
  { name: "linux-4.2 with posted-v5 (a device is made)", red: "V2-queue", suite: "arm64-posted/any-order", asked: ["V2-queue"] },
  {
    name: "setup-in-add-device (the driver of the IOMMU comes last)",
    red: "T5-bound",
    suite: "arm64-in-add-device/any-order",
    asked: ["T5-bound"],
  },
  {
    name: "linux-4.4 (a device comes when another one's driver is bound)",
    red: "T5-bound",
    suite: "arm64/changed-under-driver",
    asked: ["T5-bound"],
  },
  {
    name: "09515ef5ddad and of-pci (it is set up when its driver is bound)",
    red: "T5-pci",
    suite: "arm64-buses/deferred-of-pci",
    asked: ["T5-pci"],
  },
  {
    name: "mutant: a driver without DMA domains makes some",
    red: "T5-none",
    suite: "arm64-without-dma-domains/posted",
    asked: ["T5-none"],
    file: "models/arm64/iommu-driver.ts",
    edits: [{ find: '  if (type === "DMA" && !ops.has_dma_domains) return null;\n', replace: "" }],
  },
  { name: everyGroup, red: "C5-platform", suite: "arm64-buses/merged", asked: ["C5-platform"] },
  { name: everyGroup, red: "C5-fallback", suite: "arm64-buses/merged", asked: ["C5-fallback"] },
  { name: "linux-4.2 (an IOMMU comes to a domain that unmaps)", red: "T1-arm64", suite: "arm-spanning/4.2" },
  {
    name: "linux-4.2 with rk-list-first (an IOMMU leaves a domain that unmaps)",
    red: "T1-arm64",
    suite: "arm-spanning/list-first",
  },
  {
    name: "mutant: no driver makes DMA domains",
    red: "W1-pci",
    suite: "arm64-buses/posted",
    asked: ["W1-pci"],
    file: "models/arm64/iommu-driver.ts",
    edits: [{ find: " && !ops.has_dma_domains) return null;", replace: ") return null;" }],
  },
];
