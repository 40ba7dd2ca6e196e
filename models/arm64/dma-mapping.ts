/**
 * arch/arm64/mm/dma-mapping.c of v4.4: the DMA ops of a device, and the attach that waits for its IOMMU's driver. In v4.2 it has
 * none of this; what was posted in between is in as-posted.ts, and what was proposed instead stands here beside what was merged.
 */
import {
  abstraction,
  applied,
  data_race,
  type Errno,
  fault,
  kfree,
  kzalloc,
  list_add,
  list_del,
  mutex_lock,
  mutex_unlock,
  type Proc,
} from "iommu-mc";
import { __iommu_setup_dma_ops, attach_master } from "./as-posted.js";
import { get_fake_default, put_fake_default } from "./fake-default.js";
import {
  iommu_attach_device,
  iommu_detach_device,
  iommu_dma_init_domain,
  iommu_get_domain_for_dev,
  iommu_group_get,
  iommu_group_put,
} from "./iommu.js";
import { arm64, type BusType, type Device, dma_mapping, type IommuDmaNotifierData, type IommuDomain, type IommuOps } from "./schema.js";

abstraction(
  "v4.7 had dropped the fake default domains; here they stay with 16c11325cc44, since the commit that dropped them could not be identified",
  "may miss a bug",
  arm64,
);

/**
 * Called when the device is made, before it is on a bus. Without a group, which only its IOMMU's driver makes, the attach is
 * queued.
 */
export function* arch_setup_dma_ops(dev: Device, ops: IommuOps | null, coherent: boolean): Proc {
  const hasOps = dev.dma_ops !== "NULL";
  yield;
  if (!hasOps) dev.dma_ops = "swiotlb_dma_ops";
  yield;
  dev.dma_coherent = coherent;
  if (ops === null || applied("setup-in-add-device")) return;
  if (applied("attach-in-setup")) {
    yield;
    yield* do_iommu_attach(dev, ops);
  } else if (applied("posted-v5")) {
    yield;
    yield* __iommu_setup_dma_ops(dev, ops);
  } else if (applied("13b8629f6511")) {
    yield;
    yield* attach_or_queue(dev, ops);
  }
}

/** The rest of __iommu_setup_dma_ops() as merged. */
function* attach_or_queue(dev: Device, ops: IommuOps): Proc {
  const group = yield* iommu_group_get(dev);
  if (group === null) {
    yield* queue_iommu_attach(dev, ops);
    return;
  }
  yield;
  yield* do_iommu_attach(dev, ops);
  yield;
  iommu_group_put(group);
}

/** A domain that the core did not know of before it is found through the device's group only, so not if it has none. What waits in the queue stays there. */
export function* arch_teardown_dma_ops(dev: Device): Proc {
  const domain = yield* iommu_get_domain_for_dev(dev);
  yield;
  if (domain !== null) {
    yield* iommu_detach_device(domain, dev);
    yield;
    put_fake_default(domain);
  }
  yield;
  dev.dma_ops = "NULL";
}

/** Tells whether the device has the IOMMU's DMA ops now; else it keeps what it has. */
export function* do_iommu_attach(dev: Device, ops: IommuOps): Proc<boolean> {
  let domain = yield* iommu_get_domain_for_dev(dev);
  yield;
  if (domain === null) {
    domain = yield* attach_fake_default(dev, ops);
    if (domain === null) return false;
    yield;
  }
  const err = yield* iommu_dma_init_domain(domain);
  yield;
  if (!err) {
    dev.dma_ops = "iommu_dma_ops";
    return true;
  }
  yield* iommu_detach_device(domain, dev);
  yield;
  put_fake_default(domain);
  return false;
}

/** The middle of do_iommu_attach(). */
function* attach_fake_default(dev: Device, ops: IommuOps): Proc<IommuDomain | null> {
  const domain = get_fake_default(dev, ops);
  if (domain === null) return null;
  yield;
  const err: Errno = yield* iommu_attach_device(domain, dev);
  if (!err) return domain;
  yield;
  put_fake_default(domain);
  return null;
}

/** If there is no memory the device is not queued, and nobody is told. */
function* queue_iommu_attach(dev: Device, ops: IommuOps): Proc {
  if (fault("kzalloc(iommu_dma_notifier_data)")) return;
  const iommudata = kzalloc(arm64, "iommu_dma_notifier_data");
  iommudata.dev = dev;
  iommudata.ops = ops;
  yield* mutex_lock(dma_mapping.iommu_dma_notifier_lock);
  list_add(iommudata, dma_mapping.iommu_dma_masters);
  mutex_unlock(dma_mapping.iommu_dma_notifier_lock);
}

/**
 * A bus's notifier. At first any device that is added has everything that waits tried once more; since 16c11325cc44 (v4.7) a device
 * that is about to be bound is tried, and nothing else.
 */
export function* __iommu_attach_notifier(action: "BUS_NOTIFY_ADD_DEVICE" | "BUS_NOTIFY_BIND_DRIVER", dev: Device | null): Proc {
  const isLate = applied("16c11325cc44");
  if (action !== (isLate ? "BUS_NOTIFY_BIND_DRIVER" : "BUS_NOTIFY_ADD_DEVICE")) return;
  yield* mutex_lock(dma_mapping.iommu_dma_notifier_lock);
  for (const master of [...dma_mapping.iommu_dma_masters]) {
    yield;
    if (isLate && master.dev !== dev) continue;
    const isDone = applied("posted-v5") ? yield* attach_master(master) : yield* do_iommu_attach(master.dev!, master.ops!);
    if (isDone) forget(master);
  }
  mutex_unlock(dma_mapping.iommu_dma_notifier_lock);
}

function forget(master: IommuDmaNotifierData): void {
  list_del(master, dma_mapping.iommu_dma_masters);
  kfree(master);
}

/**
 * An arch_initcall. Since 722ec35f7fae (v4.5) it drains what was queued before there was a notifier; 16c11325cc44 (v4.7) needs that no
 * longer.
 */
export function* __iommu_dma_init(bus: BusType): Proc {
  if (applied("same-priority")) {
    bus.dma_ops_notifier_is_first = !data_race(() => bus.has_iommu_notifier);
    yield;
  }
  bus.has_dma_ops_notifier = true;
  yield;
  if (applied("722ec35f7fae") && !applied("16c11325cc44")) yield* __iommu_attach_notifier("BUS_NOTIFY_ADD_DEVICE", null);
}
