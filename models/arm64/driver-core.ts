/**
 * drivers/of and drivers/base of v4.2 to v4.4: a device is made, added to its bus and bound; the notifiers of its bus are told.
 * Since 09515ef5ddad (v4.12) its DMA ops are set up when it is bound, which waits for its IOMMU.
 */
import {
  abstraction,
  applied,
  data_race,
  ENOMEM,
  EPROBE_DEFER,
  type Errno,
  idle,
  kfree,
  list_add_tail,
  list_empty,
  mutex_lock,
  mutex_unlock,
  observe,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { arm_arch_setup_dma_ops } from "./arm-dma-mapping.js";
import { defer_probe, next_deferred_probe } from "./deferred-probe.js";
import { __iommu_attach_notifier, arch_setup_dma_ops, arch_teardown_dma_ops } from "./dma-mapping.js";
import { iommu_get_domain_for_dev } from "./iommu.js";
import { add_device, iommu_bus_notifier } from "./iommu-bus.js";
import { arm64, type BusType, type Device, driver_core, type IommuOps } from "./schema.js";

abstraction("one driver matches every device, its probe does not fail, and nothing defers it but a missing IOMMU", "may miss a bug", arm64);
abstraction(
  "drivers/of and device_add() of v4.4 were not at hand: they follow a description; of_iommu_configure() and really_probe() were read in v4.2",
  "neither",
  arm64,
);

/** of_platform_device_create_pdata(), and pci_device_add() for a device on the PCI bus. */
export function* create_device(dev: Device): Proc {
  if (!applied("09515ef5ddad")) {
    yield* of_dma_configure(dev);
    yield;
  }
  const ret = yield* device_add(dev);
  if (!ret) return;
  yield;
  yield* arch_teardown_dma_ops(dev);
  yield;
  kfree(dev);
}

function* of_dma_configure(dev: Device): Proc<Errno> {
  const ops = applied("09515ef5ddad") ? yield* of_iommu_configure_late(dev) : of_iommu_configure(dev);
  if (typeof ops === "number") return ops;
  const coherent = dev.dma_coherent;
  yield;
  if (applied("arch-arm")) yield* arm_arch_setup_dma_ops(dev, ops, coherent);
  else yield* arch_setup_dma_ops(dev, ops, coherent);
  return 0;
}

/** Until v4.10 it knows nothing of PCI devices. Drivers have told their ops when the device tree was unpacked, long before they are there. */
function of_iommu_configure(dev: Device): IommuOps | null {
  return dev.bus!.kind === "pci" && !applied("of-pci") ? null : dev.iommus;
}

/** Of v4.12: waits for the IOMMU, and has its driver add a device that the walk of the bus has not come to. If that fails there is no IOMMU. */
function* of_iommu_configure_late(dev: Device): Proc<IommuOps | null | Errno> {
  const ops = of_iommu_configure(dev);
  if (ops === null) return null;
  if (!ops.is_registered) return -EPROBE_DEFER;
  yield;
  const hasGroup = dev.iommu_group !== null;
  yield;
  const err: Errno = hasGroup ? 0 : yield* add_device(ops, dev);
  yield;
  return err ? null : ops;
}

/** Fails before anybody is told of the device, or not at all. */
function* device_add(dev: Device): Proc<Errno> {
  if (dev.cannot_be_added) return -ENOMEM;
  dev.on_bus = true;
  yield;
  list_add_tail(dev, dev.bus!.klist_devices);
  observe("bus_add_device", dev);
  yield;
  yield* notify("BUS_NOTIFY_ADD_DEVICE", dev);
  yield;
  yield* __device_attach(dev);
  return 0;
}

/**
 * blocking_notifier_call_chain(): that of the IOMMU core comes first, since that of arm64 has a priority of -100, or has nothing to
 * say of this event. With "same-priority" the first to be registered is the first to be told.
 */
function* notify(action: Action, dev: Device): Proc {
  const bus = dev.bus!;
  if (applied("same-priority") && bus.dma_ops_notifier_is_first) {
    yield;
    yield* __iommu_attach_notifier(action, dev);
    yield;
    if (bus.has_iommu_notifier && action === "BUS_NOTIFY_ADD_DEVICE") yield* iommu_bus_notifier(action, dev);
    return;
  }
  const hasIommu = bus.has_iommu_notifier;
  yield;
  if (hasIommu && action === "BUS_NOTIFY_ADD_DEVICE") yield* iommu_bus_notifier(action, dev);
  yield;
  const hasDmaOps = bus.has_dma_ops_notifier;
  yield;
  if (hasDmaOps) yield* __iommu_attach_notifier(action, dev);
}

type Action = "BUS_NOTIFY_ADD_DEVICE" | "BUS_NOTIFY_BIND_DRIVER";

function* __device_attach(dev: Device): Proc {
  if (!driver_core.has_driver) return;
  yield* mutex_lock(dev.lock);
  if (!dev.is_bound) yield* really_probe(dev);
  mutex_unlock(dev.lock);
}

/** The notifiers are told in driver_sysfs_add(), before the driver's own probe. */
function* really_probe(dev: Device): Proc {
  yield;
  if (applied("09515ef5ddad")) {
    const local_trigger_count = driver_core.deferred_trigger_count;
    yield;
    const ret = yield* of_dma_configure(dev);
    if (ret) {
      yield;
      yield* defer_probe(dev, local_trigger_count);
      return;
    }
    yield;
  }
  yield* notify("BUS_NOTIFY_BIND_DRIVER", dev);
  yield;
  yield* dma_map_page(dev);
  yield;
  dev.is_bound = true;
  observe("probe", dev);
}

/** What the driver's probe does: an IOVA is allocated in the domain that drivers/iommu/dma-iommu.c finds by the device's group, or in arm's mapping. */
function* dma_map_page(dev: Device): Proc {
  const { dma_ops } = dev;
  observe("dma_map_page", dev, dma_ops);
  if (dma_ops !== "iommu_dma_ops") return;
  yield;
  const domain = (yield* iommu_get_domain_for_dev(dev))!;
  yield;
  WARN_ON(!domain.has_iovas, "a page is mapped in a domain that has no IOVAs");
}

/** Tries what was deferred again, one device after the other. */
export function* deferred_probe_work_func(): Proc {
  for (;;) {
    yield idle(() => !data_race(() => list_empty(driver_core.deferred_probe_active_list)));
    const dev = yield* next_deferred_probe();
    yield;
    if (dev !== null) yield* __device_attach(dev);
  }
}

/** driver_register(), with driver_attach(). */
export function* driver_register(bus: BusType): Proc {
  driver_core.has_driver = true;
  yield;
  for (const dev of bus.klist_devices) {
    yield;
    const isOnBus = dev.on_bus;
    yield;
    if (isOnBus) {
      yield* mutex_lock(dev.lock);
      if (!dev.is_bound) yield* really_probe(dev);
      mutex_unlock(dev.lock);
    }
    yield;
  }
}

/** device_del() of a device that has no driver. */
export function* device_del(dev: Device): Proc {
  dev.on_bus = false;
  observe("bus_remove_device", dev);
  yield;
  const hasIommu = data_race(() => dev.bus!.has_iommu_notifier);
  yield;
  if (hasIommu) yield* iommu_bus_notifier("BUS_NOTIFY_REMOVED_DEVICE", dev);
}
