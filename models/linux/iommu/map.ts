/** Mapping and unmapping in drivers/iommu/iommu.c of 6.1.176, where the scenario has pages. A page is mapped at a time, or two at once. */
import { EINVAL, ENOMEM, type Errno, fault, type Proc } from "iommu-mc";
import type { Iova } from "../iommu-drivers/iotlb.js";
import { iotlb_sync, map_page, unmap_pages } from "../iommu-drivers/page-table.js";
import type { IommuDomain, Page } from "../schema.js";

/** include/linux/iommu.h: `type & __IOMMU_DOMAIN_PAGING`. */
function isPaging(domain: IommuDomain): boolean {
  return domain.type !== "IDENTITY" && domain.type !== "BLOCKED";
}

/** Line 2279. What it has mapped when it fails it unmaps, which of one page is nothing. */
export function* __iommu_map(domain: IommuDomain, iova: Iova, page: Page): Proc<Errno> {
  if (!isPaging(domain)) return -EINVAL;
  if (fault("iommu_map")) return -ENOMEM;
  map_page(domain, iova, page);
  return 0;
}

/** Line 2456: all pages or none, from IOVA `iova` on. */
export function* iommu_map_sg(domain: IommuDomain, iova: Iova, first: Page, second: Page | null): Proc<Errno> {
  const ret = yield* __iommu_map(domain, iova, first);
  if (ret || second === null) return ret;
  yield;
  const failed = yield* __iommu_map(domain, 1, second);
  if (failed) {
    yield;
    yield* iommu_unmap(domain, iova, 1);
  }
  return failed;
}

/** Line 2448, with __iommu_unmap(): returns pages of the page table that may be freed after a flush, or null. */
export function iommu_unmap_fast(domain: IommuDomain, iova: Iova, pages: number): Page | null {
  return isPaging(domain) ? unmap_pages(domain, iova, pages) : null;
}

/** Line 2434: unmaps and flushes. */
export function* iommu_unmap(domain: IommuDomain, iova: Iova, pages: number): Proc {
  const freelist = iommu_unmap_fast(domain, iova, pages);
  yield;
  yield* iotlb_sync(domain, iova, pages, freelist);
}
