/**
 * arch/arm64/mm/dma-mapping.c as it was posted for the fifth time (July 2015): the domain is made when the DMA ops are set up, and
 * only the attach waits. Read in what the thread quotes, and for the rest in a tree that has the version before, in which a
 * domain has another name. What becomes of a device that has a domain already is in neither.
 */
import { abstraction, fault, kzalloc, list_add, mutex_lock, mutex_unlock, type Proc } from "iommu-mc";
import { get_fake_default, put_fake_default } from "./fake-default.js";
import { iommu_attach_device, iommu_dma_init_domain, iommu_get_domain_for_dev } from "./iommu.js";
import { arm64, type Device, dma_mapping, type IommuDmaNotifierData, type IommuOps } from "./schema.js";

abstraction("of the series as posted in July 2015 the thread quotes a part, and the rest follows the version before it", "neither", arm64);

/** A device that is in a group which has a domain gets its DMA ops at once. Without a domain, or memory, it keeps what it has. */
export function* __iommu_setup_dma_ops(dev: Device, ops: IommuOps): Proc {
  const existing = yield* iommu_get_domain_for_dev(dev);
  yield;
  const domain = existing ?? get_fake_default(dev, ops);
  if (domain === null) return;
  yield;
  const err = yield* iommu_dma_init_domain(domain);
  yield;
  if (!err && existing !== null) dev.dma_ops = "iommu_dma_ops";
  if (existing !== null) return;
  if (err || fault("kzalloc(iommu_dma_notifier_data)")) {
    put_fake_default(domain);
    return;
  }
  const iommudata = kzalloc(arm64, "iommu_dma_notifier_data");
  iommudata.dev = dev;
  iommudata.dma_domain = domain;
  yield* mutex_lock(dma_mapping.iommu_dma_notifier_lock);
  list_add(iommudata, dma_mapping.iommu_dma_masters);
  mutex_unlock(dma_mapping.iommu_dma_notifier_lock);
}

/** What its notifier does for an entry. If it fails the entry stays, and is tried again when another device comes. */
export function* attach_master(master: IommuDmaNotifierData): Proc<boolean> {
  const dev = master.dev!;
  const err = yield* iommu_attach_device(master.dma_domain!, dev);
  if (err) return false;
  yield;
  dev.dma_ops = "iommu_dma_ops";
  return true;
}
