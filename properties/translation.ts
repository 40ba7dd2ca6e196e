/** What devices' DMA is translated with, from a crashed kernel's tables to the last flush. */
import { type Errno, isFreed, property, windows } from "iommu-mc";
import { type Device, type DomainId, type IommuDomain, iommu_core, linux, type Page } from "../models/linux/schema.js";
import { idOf, isAttachDeferred } from "./reach.js";

const { always, atRest, onReturn, onStep, sometimes } = windows(linux);

export const C15 = property({
  code: "C15",
  sentence: "In a kdump kernel nothing is mapped for a device before it is attached, and what is mapped stays in its reach.",
  source: "bd421264ed30; 5d5388b0e190",
  seenRedBy: "--revert bd421264ed30; the base, fixed by 5d5388b0e190",
  window: atRest("device", "iommu_group.mutex", (dev) => {
    const mapping = dev.dma_map ?? dev.devres_map;
    if (!iommu_core.is_kdump_kernel || mapping === null) return null;
    return {
      "its attach is not deferred any more": !isAttachDeferred(dev),
      "it is on the domain of its mapping, unless its group is not": dev.iommu_group!.domain !== mapping || dev.hw === mapping,
    };
  }),
});

export const V5 = property({
  code: "V5",
  sentence:
    "A driver whose device dma-iommu serves can map, unless a call fails: also for the first time, when the attach was deferred until then.",
  source: "3ab657291638 (iommu_attach_device() is not made for this); iommu_dma_map_page()",
  seenRedBy: "the base (5.10.223, whose deferred attach refuses groups of several devices)",
  window: onReturn<[Device], IommuDomain | null>("dma_map_page", ([dev], domain) => (dev.has_iommu_dma_ops ? domain !== null : null)),
});

export const C15Untouched = property({
  code: "C15-untouched",
  sentence: "A device stays on the crashed kernel's tables until its driver's first map, or until its group gets another domain.",
  source: "iommu_is_attach_deferred() in __iommu_group_dma_attach() and iommu_group_add_device(); bd421264ed30",
  seenRedBy: "the base (a device that comes alone)",
  window: onStep("device", (dev, before) => {
    if (!before(() => isAttachDeferred(dev)) || isAttachDeferred(dev)) return null;
    return dev.driver !== null || dev.iommu_group === null || dev.hw !== dev.iommu_group.default_domain;
  }),
});

export const T1 = property({
  code: "T1",
  sentence:
    "What was unmapped is out of reach: at once where unmapping is strict, and everywhere before its IOVA or a page of the page table is used for something else.",
  source: "iommu_unmap() flushes before it returns; fq_ring_free(), queue_iova() (an IOVA is free after a flush); 9825bd94e3a2",
  seenRedBy:
    "mutant: a strict unmap does not wait for the flush; mutant: VFIO's unmap does not flush; mutant: a flush counts that had started before the entry was queued; mutant: VT-d's driver frees a page of the page table before the flush",
  window: always("iommu_domain", (domain) => {
    const id = idOf(domain);
    if (id === null) return null;
    const cookie = domain.iova_cookie;
    const isLazy = cookie !== null && cookie.fq_domain !== null;
    const isFree0 = cookie !== null && !cookie.iova0_used;
    const isFree1 = cookie !== null && !cookie.iova1_used;
    return {
      "no page that was given back is in reach, unless unmapping is lazy":
        isLazy || (id.stale0.every((page) => page.for_dma) && id.stale1.every((page) => page.for_dma)),
      "no old translation of an IOVA that is free, or mapped anew, is cached":
        ((domain.pte0 === null && !isFree0) || isEmpty(id.stale0)) && ((domain.pte1 === null && !isFree1) || isEmpty(id.stale1)),
      "no freed page of a page table is walked": id.stale_tables.every((page) => !isFreed(page)),
    };
  }),
});

export const T2 = property({
  code: "T2",
  sentence: "A domain id is given out without any translation of the domain that had it before.",
  source: "domain_context_clear_one(); free_io_pgtable_ops() in arm_smmu_domain_free(); 9825bd94e3a2, aec0e86172a7",
  seenRedBy:
    "mutant: VT-d's driver does not flush when a device leaves its domain; mutant: the SMMU's driver frees an ASID without a flush",
  window: onStep("domain_id", (id, before) => {
    if (id.owner === null || before(() => id.owner) === id.owner) return null;
    return isEmpty(id.stale0) && isEmpty(id.stale1) && isEmpty(id.stale_tables);
  }),
});

export const T2Context = property({
  code: "T2-context",
  sentence: "A device that is no longer on the tables of a crashed kernel is translated by nothing that is cached of them.",
  source: "aec0e86172a7; domain_context_mapping_one()",
  seenRedBy: "--revert aec0e86172a7",
  window: always("device", (dev) => (dev.cached_context === null ? null : dev.hw === dev.cached_context)),
});

export const T3Queue = property({
  code: "T3-queue",
  sentence: "Nothing that was mapped for an untrusted device is unmapped lazily.",
  source: "82c3cefb9f16; iommu_get_def_domain_type()",
  seenRedBy: "mutant: an untrusted device gets what the administrator wants",
  window: always("device", (dev) => {
    if (!dev.untrusted || dev.iommu_group === null || dev.iommu_group.default_domain === null) return null;
    const { type, iova_cookie } = dev.iommu_group.default_domain;
    return type !== "DMA_FQ" && (iova_cookie === null || iova_cookie.fq_domain === null);
  }),
});

export const T6 = property({
  code: "T6",
  sentence: "Mapping is all or nothing: when it fails, nothing of the range is mapped.",
  source: "__iommu_map() and __iommu_map_sg() (undo mappings already done)",
  seenRedBy: "mutant: a mapping of two pages leaves the first when the second fails; mutant: a mapping of two pages maps one",
  window: onReturn<[IommuDomain, number, Page, Page | null], Errno>("iommu_map_sg", ([domain, iova, first, second], ret) => {
    const mapped = iova === 0 ? domain.pte0 : domain.pte1;
    return {
      "nothing is left when it fails": ret === 0 || (mapped === null && (second === null || domain.pte1 === null)),
      "all of it is there when it succeeds": ret !== 0 || (mapped === first && (second === null || domain.pte1 === second)),
    };
  }),
});

export const X3 = property({
  code: "X3",
  sentence: "A domain's IOVA allocator is initialised once.",
  source: "ac9a5d522bb8; cookie->mutex in iommu_dma_init_domain()",
  seenRedBy: "--revert ac9a5d522bb8",
  window: always("iommu_dma_cookie", (cookie) => cookie.initialisations <= 1),
});

export const staleTranslation = property({
  code: "W3",
  sentence: "Witness: a translation is cached that the page table has no more.",
  source: "the scenario",
  seenRedBy: "a scenario that maps nothing",
  window: sometimes("domain_id", (id) => !isEmpty(id.stale0)),
});

function isEmpty(pages: DomainId["stale0"]): boolean {
  return pages.every(() => false);
}
