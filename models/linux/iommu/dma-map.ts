/**
 * Streaming mappings of drivers/iommu/dma-iommu.c of 6.1.176, where the scenario has pages: IOVAs are allocated, pages mapped and
 * unmapped, and the IOTLB is flushed at once (strict) or for many at a time (lazy, IOMMU_DOMAIN_DMA_FQ).
 */
import { abstraction, atomic, idle, mutex_lock, mutex_unlock, type Proc, WARN_ON } from "iommu-mc";
import { flush_iotlb_all } from "../iommu-drivers/index.js";
import type { Iova } from "../iommu-drivers/iotlb.js";
import { iotlb_sync, put_pages_list } from "../iommu-drivers/page-table.js";
import { type Device, type IommuDmaCookie, type IovaFq, iommu_core, type Page } from "../schema.js";
import { iommu_get_dma_domain } from "./attach.js";
import { iommu_map_sg, iommu_unmap_fast } from "./map.js";

abstraction("an IOVA range is a single page or both that there are; the caches of the IOVA allocator are left out", "may miss a bug");

export type Cpu = 0 | 1;

/** Line 698, of dma_map_page(), and line 1186, of dma_map_sg() for two pages. Returns the first IOVA; null is DMA_MAPPING_ERROR. */
export function* __iommu_dma_map(dev: Device, first: Page, second: Page | null): Proc<Iova | null> {
  const domain = iommu_get_dma_domain(dev)!;
  yield;
  const cookie = domain.iova_cookie!;
  yield;
  const pages = second === null ? 1 : 2;
  const iova = alloc_iova_fast(cookie, pages);
  if (iova === null) return null;
  yield;
  const ret = yield* iommu_map_sg(domain, iova, first, second);
  if (!ret) return iova;
  yield;
  free_iova_fast(cookie, iova, pages);
  return null;
}

/** Line 675, on a CPU. Whether the flush is put off is asked once, before the page table is changed. */
export function* __iommu_dma_unmap(dev: Device, iova: Iova, pages: number, cpu: Cpu): Proc {
  const domain = iommu_get_dma_domain(dev)!;
  yield;
  const cookie = domain.iova_cookie!;
  yield;
  const queued = cookie.fq_domain !== null;
  yield;
  const freelist = iommu_unmap_fast(domain, iova, pages);
  yield;
  if (queued) {
    yield* queue_iova(cookie, iova, pages, freelist, cpu);
  } else {
    yield* iotlb_sync(domain, iova, pages, freelist);
    yield;
    free_iova_fast(cookie, iova, pages);
  }
}

function alloc_iova_fast(cookie: IommuDmaCookie, pages: number): Iova | null {
  atomic("the IOVA allocator has locks of its own");
  if (pages === 2) {
    if (cookie.iova0_used || cookie.iova1_used) return null;
    cookie.iova0_used = true;
    cookie.iova1_used = true;
    return 0;
  }
  const iova = cookie.iova0_used ? 1 : 0;
  if (cookie[`iova${iova}_used`]) return null;
  cookie[`iova${iova}_used`] = true;
  return iova;
}

function free_iova_fast(cookie: IommuDmaCookie, iova: Iova, pages: number): void {
  atomic("the IOVA allocator has locks of its own");
  WARN_ON(!cookie[`iova${iova}_used`], "an IOVA is freed that is not allocated");
  cookie[`iova${iova}_used`] = false;
  if (pages === 2) cookie.iova1_used = false;
}

/** Line 174. A full queue is flushed there and then; else the timer does. */
function* queue_iova(cookie: IommuDmaCookie, iova: Iova, pages: number, freelist: Page | null, cpu: Cpu): Proc {
  const fq = cookie[`fq${cpu}`]!;
  yield* mutex_lock(fq.lock);
  yield* fq_ring_free(cookie, fq);
  if (fq.is_queued) {
    yield* fq_flush_iotlb(cookie);
    yield;
    yield* fq_ring_free(cookie, fq);
  }
  yield;
  atomic("what the entry waits for is the difference of two counters, of which one is read here");
  fq.iova = iova;
  fq.pages = pages;
  fq.freelist = freelist;
  fq.is_queued = true;
  fq.flushes_to_wait_for = cookie.flushes_under_way + 1;
  mutex_unlock(fq.lock);
  yield;
  arm_timer(cookie);
}

/** mod_timer(), by whoever sets `fq_timer_on`. */
function arm_timer(cookie: IommuDmaCookie): void {
  atomic("atomic_xchg() decides who arms the timer");
  if (cookie.fq_timer_on) return;
  cookie.fq_timer_on = true;
  iommu_core.fq_timer = cookie;
}

/** Line 127: the entry is done with when a flush has finished that started after it was queued. */
function* fq_ring_free(cookie: IommuDmaCookie, fq: IovaFq): Proc {
  if (!fq.is_queued) return;
  yield;
  atomic("what the entry waits for is the difference of two counters, of which one is read here");
  const isFlushed = fq.flushes_to_wait_for === 0;
  if (!isFlushed) return;
  const { freelist, iova, pages } = fq;
  fq.is_queued = false;
  fq.freelist = null;
  put_pages_list(freelist);
  yield;
  free_iova_fast(cookie, iova as Iova, pages);
}

/** Line 148. That one more has finished is noted in the entries that wait for it. */
function* fq_flush_iotlb(cookie: IommuDmaCookie): Proc {
  atomic("fq_flush_start_cnt is an atomic counter");
  cookie.flushes_under_way++;
  yield;
  const domain = cookie.fq_domain!;
  yield;
  yield* flush_iotlb_all(domain);
  yield;
  atomic("fq_flush_finish_cnt is an atomic counter");
  cookie.flushes_under_way--;
  for (const fq of [cookie.fq0, cookie.fq1]) {
    if (fq !== null && fq.flushes_to_wait_for > 0) fq.flushes_to_wait_for--;
  }
}

/** Line 155, the timer of a flush queue, in the softirq of some CPU. */
export function* fq_flush_timeout(): Proc {
  for (;;) {
    yield idle(() => iommu_core.fq_timer !== null);
    atomic("the timer's wheel has a lock of its own");
    const cookie = iommu_core.fq_timer!;
    iommu_core.fq_timer = null;
    iommu_core.fq_timer_is_running = true;
    yield;
    cookie.fq_timer_on = false;
    yield;
    yield* fq_flush_iotlb(cookie);
    for (const fq of [cookie.fq0, cookie.fq1]) {
      if (fq === null) continue;
      yield* mutex_lock(fq.lock);
      yield* fq_ring_free(cookie, fq);
      mutex_unlock(fq.lock);
    }
    yield;
    iommu_core.fq_timer_is_running = false;
  }
}
