/**
 * The device's own driver: one that leaks nothing. It allocates a managed coherent buffer in probe, opens a queue,
 * maps and unmaps packets while the queue is up, and stops the queue in remove. The buffer lives until devres is
 * released, which is after the ownership count was dropped.
 */
import { abstraction, atomic, ENODEV, EPROBE_DEFER, type Errno, fault, idle, mutex_lock, mutex_unlock, observe, type Proc } from "iommu-mc";
import { dma_map_page, dmam_alloc_coherent } from "../iommu/dma-iommu.js";
import { __iommu_dma_map, __iommu_dma_unmap, type Cpu } from "../iommu/dma-map.js";
import type { Device, Page } from "../schema.js";

abstraction("a driver has one managed buffer and at most one packet mapped at a time", "may miss a bug");

export function* native_probe(dev: Device): Proc<Errno> {
  dev.devres_map = yield* dmam_alloc_coherent(dev);
  if (fault("probe")) return -ENODEV;
  if (dev.driver!.defers && fault("a supplier is missing")) return -EPROBE_DEFER;
  yield* mutex_lock(dev.queue_lock);
  dev.queue_up = true;
  mutex_unlock(dev.queue_lock);
  observe("probe", dev);
  return 0;
}

export function* native_remove(dev: Device): Proc {
  if (!dev.driver!.stops_by_devres) yield* stop(dev);
  observe("remove", dev);
}

/** What a driver that stops its device by a managed resource has left to do when these are released, however its probe ended. */
export function* native_devres_release(dev: Device): Proc {
  if (!dev.driver!.stops_by_devres) return;
  yield* stop(dev);
  observe("devres_release_all", dev);
}

function* stop(dev: Device): Proc {
  yield* mutex_lock(dev.queue_lock);
  dev.queue_up = false;
  dev.dma_map = null;
  mutex_unlock(dev.queue_lock);
}

/** The network stack hands down packets: each is mapped, and unmapped when the device has sent it. */
export function* transmit(dev: Device): Proc {
  for (;;) {
    yield idle();
    yield* start_xmit(dev);
    yield;
    yield* clean_tx_irq(dev);
  }
}

/** A queue of the driver, on one CPU: a page is mapped, or two together, the device uses it, and it is given back when it is unmapped. */
export function* stream(dev: Device, first: Page, second: Page | null, cpu: Cpu): Proc {
  for (;;) {
    yield idle();
    yield* send(dev, first, second, cpu);
  }
}

/** One transfer: who has the pages, and when the kernel has them back. */
export function* send(dev: Device, first: Page, second: Page | null, cpu: Cpu): Proc {
  hand_over(first, second, true);
  yield;
  const iova = yield* __iommu_dma_map(dev, first, second);
  yield;
  if (iova !== null) {
    yield* __iommu_dma_unmap(dev, iova, second === null ? 1 : 2, cpu);
    yield;
  }
  hand_over(first, second, false);
}

function hand_over(first: Page, second: Page | null, for_dma: boolean): void {
  atomic("a page is its owner's alone");
  first.for_dma = for_dma;
  if (second !== null) second.for_dma = for_dma;
}

/** Another CPU fills the receive ring, which has no lock in common with the transmit queue. What it maps it unmaps at once. */
export function* refill_rx(dev: Device): Proc {
  yield idle();
  yield* dma_map_page(dev);
}

function* start_xmit(dev: Device): Proc {
  yield* mutex_lock(dev.queue_lock);
  if (dev.queue_up) dev.dma_map = yield* dma_map_page(dev);
  mutex_unlock(dev.queue_lock);
}

function* clean_tx_irq(dev: Device): Proc {
  yield* mutex_lock(dev.queue_lock);
  dev.dma_map = null;
  mutex_unlock(dev.queue_lock);
}
