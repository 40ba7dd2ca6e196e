/**
 * The IOTLB, and the ids by which its entries are told apart. What a page table says may be cached at any time, so only what it
 * does not say any more is kept here: a translation is stale from when it is taken out of the page table, or its domain loses
 * the id, until a flush covers it. Where scenarios have no ids, nothing is cached.
 */
import { abstraction, ENOSPC, type Errno } from "iommu-mc";
import { type DomainId, type IommuDomain, iommu_core, type Page } from "../schema.js";

abstraction("a translation counts as cached as soon as the hardware may have cached it, and until it must have dropped it", "neither");
abstraction("what IOMMUs cache of context entries and stream table entries is flushed in the step that changes them", "may miss a bug");
abstraction("flushes are complete when they return; device TLBs (ATS) and caching mode are left out", "may miss a bug");

export type Iova = 0 | 1;

/** The first id that is free, for a domain; an error if there is none. */
export function allocate_id(domain: IommuDomain): DomainId | Errno {
  for (const id of iommu_core.domain_ids) {
    if (id.allocated) continue;
    id.allocated = true;
    id.owner = domain;
    return id;
  }
  return -ENOSPC;
}

export function free_id(id: DomainId): void {
  id.allocated = false;
  id.owner = null;
}

/** The id under which the hardware caches this domain's translations; null if it caches none. */
export function idOf(domain: IommuDomain): DomainId | null {
  return domain.iommu_array === null ? domain.asid : domain.iommu_array.did;
}

/** The translation is not in the page table any more, but may be cached. */
export function go_stale(id: DomainId, iova: Iova, page: Page): void {
  id[`stale${iova}`].add(page);
}

/** The same of all that a domain translates: its page table, or its id, goes away. */
export function all_go_stale(domain: IommuDomain, id: DomainId): void {
  if (domain.pte0 !== null) id.stale0.add(domain.pte0);
  if (domain.pte1 !== null) id.stale1.add(domain.pte1);
  if (domain.table !== null) id.stale_tables.add(domain.table);
}

/** Invalidates what is cached of some IOVAs, and, if the walks too, of the page tables on the way. */
export function flush_range(id: DomainId, iova: Iova, pages: number, walks: boolean): void {
  if (iova === 0) id.stale0.clear();
  if (iova + pages > 1) id.stale1.clear();
  if (walks) id.stale_tables.clear();
}

/** Invalidates everything that has the id. */
export function flush_id(id: DomainId): void {
  id.stale0.clear();
  id.stale1.clear();
  id.stale_tables.clear();
}
