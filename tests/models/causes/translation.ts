/** What turns the properties of translation red. */
import type { Cause } from "./cause.js";

const dmaMap = "models/linux/iommu/dma-map.ts";

export const causes: readonly Cause[] = [
  { name: "--revert aec0e86172a7", red: "T2-context", suite: "drivers/vtd-kdump", revert: ["aec0e86172a7"] },
  {
    name: "--revert bd421264ed30",
    red: "C15",
    suite: "deferred-attach/two-maps",
    revert: ["bd421264ed30"],
    asked: ["C15"],
  },
  {
    name: "the base, fixed by 5d5388b0e190",
    red: "C15",
    also: ["C1", "warn-on"],
    suite: "deferred-attach/two-maps",
  },
  {
    name: "the base (a device that comes alone)",
    red: "C15-untouched",
    suite: "deferred-attach/hotplug",
  },
  {
    name: "mutant: a strict unmap does not wait for the flush",
    red: "T1",
    suite: "dma/strict/intel_iommu",
    asked: ["T1"],
    file: dmaMap,
    edits: [{ find: "    yield* iotlb_sync(domain, iova, pages, freelist);\n", replace: "" }],
  },
  {
    name: "mutant: VFIO's unmap does not flush",
    red: "T1",
    suite: "dma/detach-then-unmap/intel_iommu",
    asked: ["T1"],
    file: "models/linux/iommu/map.ts",
    edits: [{ find: "  yield* iotlb_sync(domain, iova, pages, freelist);\n", replace: "" }],
  },
  {
    name: "mutant: a flush counts that had started before the entry was queued",
    red: "T1",
    suite: "dma/lazy/intel_iommu",
    asked: ["T1"],
    file: dmaMap,
    edits: [{ find: "cookie.flushes_under_way + 1", replace: "cookie.flushes_under_way" }],
  },
  {
    name: "mutant: VT-d's driver frees a page of the page table before the flush",
    red: "T1",
    suite: "dma/strict-sg/intel_iommu",
    asked: ["T1"],
    file: "models/linux/iommu-drivers/page-table.ts",
    edits: [
      {
        find: '    if (info !== null) {\n      atomic("a flush is one step, with the id it is for");\n      flush_range(',
        replace:
          '    put_pages_list(freelist);\n    yield;\n    if (info !== null) {\n      atomic("a flush is one step, with the id it is for");\n      flush_range(',
      },
      { find: "    put_pages_list(freelist);\n    return;\n", replace: "    return;\n" },
    ],
  },
  {
    name: "mutant: VT-d's driver does not flush when a device leaves its domain",
    red: "T2",
    suite: "dma/detach-then-unmap/intel_iommu",
    asked: ["T2"],
    file: "models/linux/iommu-drivers/intel.ts",
    edits: [{ find: "  flush_id(id);\n", replace: "" }],
  },
  {
    name: "mutant: the SMMU's driver frees an ASID without a flush",
    red: "T2",
    suite: "dma/detach-then-unmap/arm_smmu_v3",
    asked: ["T2"],
    withoutThreads: ["driver"],
    file: "models/linux/iommu-drivers/arm-smmu-v3.ts",
    edits: [{ find: "    flush_id(asid);\n", replace: "" }],
  },
  {
    name: "mutant: an untrusted device gets what the administrator wants",
    red: "T3-queue",
    suite: "dma/untrusted/intel_iommu",
    asked: ["T3-queue"],
    file: "models/linux/iommu/default-domain.ts",
    edits: [{ find: 'return dev.untrusted && applied("28b41e2c6aeb") ? "DMA" : needed;', replace: "return needed;" }],
  },
  {
    name: "mutant: a mapping of two pages leaves the first when the second fails",
    red: "T6",
    suite: "dma/strict-sg/intel_iommu",
    asked: ["T6"],
    file: "models/linux/iommu/map.ts",
    edits: [{ find: "    yield* iommu_unmap(domain, iova, 1);\n", replace: "" }],
  },
  {
    name: "mutant: a mapping of two pages maps one",
    red: "T6",
    suite: "dma/strict-sg/intel_iommu",
    asked: ["T6"],
    file: "models/linux/iommu/map.ts",
    edits: [{ find: "  const failed = yield* __iommu_map(domain, 1, second);\n", replace: "  const failed = 0;\n" }],
  },
  { name: "--revert ac9a5d522bb8", red: "X3", suite: "dma/two-in-a-group", revert: ["ac9a5d522bb8"] },
  { name: "a scenario that maps nothing", red: "W3", suite: "dma/made-lazy/intel_iommu", withoutThreads: ["cpu0"] },
  {
    name: "the base (5.10.223, whose deferred attach refuses groups of several devices)",
    red: "V5",
    suite: "deferred/two-in-a-group/amd_iommu/linux-5.10",
  },
];
