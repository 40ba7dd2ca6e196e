/** drivers/of and drivers/base of v4.4: a device is made, added to its bus and bound; the notifiers of its bus are told. */
import {
  abstraction,
  data_race,
  ENOMEM,
  type Errno,
  kfree,
  list_add_tail,
  mutex_lock,
  mutex_unlock,
  observe,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { __iommu_attach_notifier, arch_setup_dma_ops, arch_teardown_dma_ops } from "./dma-mapping.js";
import { iommu_bus_notifier, iommu_get_domain_for_dev } from "./iommu.js";
import { arm64, type BusType, type Device, driver_core, type IommuOps } from "./schema.js";

abstraction(
  "one driver matches every device, its probe does not fail, and nothing defers it: v4.4 defers nobody for an IOMMU",
  "may miss a bug",
  arm64,
);
abstraction(
  "drivers/of and drivers/base of v4.4 were not at hand: device_add(), really_probe() and of_dma_configure() follow a description of them",
  "neither",
  arm64,
);

/** of_platform_device_create_pdata(), and pci_device_add() for a device on the PCI bus. */
export function* create_device(dev: Device): Proc {
  yield* of_dma_configure(dev);
  yield;
  const ret = yield* device_add(dev);
  if (!ret) return;
  yield;
  yield* arch_teardown_dma_ops(dev);
  yield;
  kfree(dev);
}

function* of_dma_configure(dev: Device): Proc {
  yield* arch_setup_dma_ops(dev, of_iommu_configure(dev), dev.dma_coherent);
}

/** Of PCI devices it knows nothing yet. Drivers have told their ops when the device tree was unpacked, long before they are there. */
function of_iommu_configure(dev: Device): IommuOps | null {
  return dev.bus!.kind === "pci" ? null : dev.iommus;
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

/** blocking_notifier_call_chain(): that of the IOMMU core comes first, since that of arm64 has a priority of -100, or has nothing to say of this event. */
function* notify(action: "BUS_NOTIFY_ADD_DEVICE" | "BUS_NOTIFY_BIND_DRIVER", dev: Device): Proc {
  const bus = dev.bus!;
  const hasIommu = bus.has_iommu_notifier;
  yield;
  if (hasIommu && action === "BUS_NOTIFY_ADD_DEVICE") yield* iommu_bus_notifier(action, dev);
  yield;
  const hasDmaOps = bus.has_dma_ops_notifier;
  yield;
  if (hasDmaOps) yield* __iommu_attach_notifier(action, dev);
}

function* __device_attach(dev: Device): Proc {
  if (!driver_core.has_driver) return;
  yield* mutex_lock(dev.lock);
  if (!dev.is_bound) yield* really_probe(dev);
  mutex_unlock(dev.lock);
}

/** The notifiers are told in driver_sysfs_add(), before the driver's own probe. */
function* really_probe(dev: Device): Proc {
  yield;
  yield* notify("BUS_NOTIFY_BIND_DRIVER", dev);
  yield;
  yield* dma_map_page(dev);
  yield;
  dev.is_bound = true;
  observe("probe", dev);
}

/** What the driver's probe does: drivers/iommu/dma-iommu.c allocates an IOVA in the domain that the device's group is on. */
function* dma_map_page(dev: Device): Proc {
  if (dev.dma_ops !== "iommu_dma_ops") return;
  yield;
  const domain = (yield* iommu_get_domain_for_dev(dev))!;
  yield;
  WARN_ON(!domain.has_iovas, "a page is mapped in a domain that has no IOVAs");
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
