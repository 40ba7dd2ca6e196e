/**
 * The device's own driver: one that leaks nothing. It allocates a managed coherent buffer in probe, opens a queue,
 * maps and unmaps packets while the queue is up, and stops the queue in remove. The buffer lives until devres is
 * released, which is after the ownership count was dropped.
 */
import { abstraction, ENODEV, type Errno, fault, idle, mutex_lock, mutex_unlock, observe, type Proc } from "iommu-mc";
import { dma_map_page, dmam_alloc_coherent } from "../iommu/dma-iommu.js";
import type { Device } from "../schema.js";

abstraction("a driver has one managed buffer and at most one packet mapped at a time", "may miss a bug");

export function* native_probe(dev: Device): Proc<Errno> {
  dev.devres_map = yield* dmam_alloc_coherent(dev);
  if (fault("probe")) return -ENODEV;
  yield* mutex_lock(dev.queue_lock);
  dev.queue_up = true;
  mutex_unlock(dev.queue_lock);
  observe("probe", dev);
  return 0;
}

export function* native_remove(dev: Device): Proc {
  yield* mutex_lock(dev.queue_lock);
  dev.queue_up = false;
  dev.dma_map = null;
  mutex_unlock(dev.queue_lock);
  observe("remove", dev);
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
