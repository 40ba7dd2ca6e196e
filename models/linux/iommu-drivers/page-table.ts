/**
 * Page tables: `map_pages`, `unmap_pages`, `iotlb_sync` and `flush_iotlb_all` of the IOMMU drivers of 6.1.176. Only where the
 * scenario has an IOTLB.
 */
import { abstraction, applied, atomic, data_race, kfree, kzalloc, type Proc, WARN_ON } from "iommu-mc";
import { type IommuDomain, linux, type Page } from "../schema.js";
import { isIntel, knowsRequesterIds } from "./hardware.js";
import { flush_id, flush_range, go_stale, type Iova, idOf } from "./iotlb.js";

abstraction("a write to a page table and what it makes stale in the IOTLB are one step: the IOTLB has no time of its own", "neither");

/** `map_pages` of one page. The page of the page table comes with the first. */
export function map_page(domain: IommuDomain, iova: Iova, page: Page): void {
  atomic("nobody else touches the page table entries of an IOVA that is allocated");
  WARN_ON(domain[`pte${iova}`] !== null, "the page table entry is already set");
  domain[`pte${iova}`] = page;
  if (domain.table === null) domain.table = kzalloc(linux, "page");
}

/**
 * `unmap_pages`. Returns a page of the page table that is free as soon as it is flushed, or null. VT-d's driver unlinks one that
 * is in the range as a whole (intel/iommu.c line 1160, dma_pte_clear_level()); the SMMU's (io-pgtable-arm.c line 616)
 * keeps them until the domain is freed.
 */
export function unmap_pages(domain: IommuDomain, iova: Iova, pages: number): Page | null {
  atomic("nobody else touches the page table entries of an IOVA that is allocated");
  clear_pte(domain, iova);
  if (pages < 2) return null;
  clear_pte(domain, 1);
  const table = domain.table;
  if (!isIntel(domain.ops!.driver) || table === null) return null;
  domain.table = null;
  const id = idOf(domain);
  if (id !== null) id.stale_tables.add(table);
  return table;
}

function clear_pte(domain: IommuDomain, iova: Iova): void {
  const page = domain[`pte${iova}`];
  if (page === null) return;
  domain[`pte${iova}`] = null;
  const id = idOf(domain);
  if (id !== null && (isInUse(domain) || domain.is_unflushed)) go_stale(id, iova, page);
}

/** Whether an IOMMU has devices that are on the domain; AMD's driver flushes where it has, others in any case. */
function isInUse(domain: IommuDomain): boolean {
  return domain.ops!.driver !== "amd_iommu" || domain.dev_iommu > 0;
}

/** Since 3b1d9e2b2d68 (v6.10) VT-d's driver flushes a domain by the tags it has, and what has none is not flushed. */
function isFlushedByTags(domain: IommuDomain): boolean {
  return knowsRequesterIds(domain.ops!.driver) && applied("3b1d9e2b2d68");
}

/** cache.c of 6.12.107 line 437, of 7.2.13 line 428. */
function cache_tag_flush_range(domain: IommuDomain, iova: Iova, pages: number, walks: boolean): void {
  atomic("a domain's cache tags have a lock of their own, under which they are flushed");
  if (domain.cache_tags > 0) flush_range(idOf(domain)!, iova, pages, walks);
}

/**
 * `iotlb_sync`, for the range that was unmapped: intel/iommu.c line 4430, which flushes at every IOMMU that has the domain, and
 * frees the pages of the page table then; arm-smmu-v3.c line 2552; amd/iommu.c line 2409.
 */
export function* iotlb_sync(domain: IommuDomain, iova: Iova, pages: number, freelist: Page | null): Proc {
  if (isFlushedByTags(domain)) {
    cache_tag_flush_range(domain, iova, pages, freelist !== null);
    return put_pages_list(freelist);
  }
  if (isIntel(domain.ops!.driver)) {
    const info = data_race(() => domain.iommu_array);
    yield;
    if (info !== null) {
      atomic("a flush is one step, with the id it is for");
      flush_range(info.did!, iova, pages, freelist !== null);
      yield;
    }
    put_pages_list(freelist);
    return;
  }
  atomic("a flush is one step, with the id it is for");
  if (domain.asid !== null && isInUse(domain)) flush_range(domain.asid, iova, pages, false);
}

/** `flush_iotlb_all` of intel/iommu.c, line 1617. */
export function* intel_flush_iotlb_all(domain: IommuDomain): Proc {
  if (isFlushedByTags(domain)) {
    cache_tag_flush_range(domain, 0, 2, true);
    return;
  }
  const info = data_race(() => domain.iommu_array);
  if (info === null) return;
  yield;
  atomic("a flush is one step, with the id it is for");
  flush_id(info.did!);
}

/** `flush_iotlb_all` of arm-smmu-v3.c line 2544, arm-smmu.c line 1218, mtk_iommu.c line 738 and amd/iommu.c line 2398. */
export function* flush_asid(domain: IommuDomain): Proc {
  if (domain.asid === null) return;
  atomic("a flush is one step, with the id it is for");
  if (isInUse(domain)) flush_id(domain.asid);
}

/** put_pages_list(): the pages go back to the kernel. */
export function put_pages_list(freelist: Page | null): void {
  kfree(freelist);
}
