/** drivers/base/core.c and bus.c of 6.1.176: a device comes and goes. */
import { abstraction, data_race, list_add_tail, mutex_lock, mutex_unlock, observe, type Proc } from "iommu-mc";
import { iommu_bus_notifier } from "../iommu/probe.js";
import type { Device } from "../schema.js";
import { __device_attach, device_driver_detach, driver_deferred_probe_del } from "./dd.js";

abstraction("device_add() does not fail, and parents, classes and links between devices are left out", "may miss a bug");

abstraction(
  "before a2225b6e834a (v7.0), which 6.1.176 has, it was so on PCI only that no driver is bound to a device that is still being added",
  "may miss a bug",
);

/**
 * core.c line 3578. Walks of the bus see the device before the IOMMU core is told of it; a driver can be bound only after,
 * which `ready_to_probe` makes sure of.
 */
export function* device_add(dev: Device): Proc {
  yield* bus_add_device(dev);
  yield;
  yield* iommu_bus_notifier("BUS_NOTIFY_ADD_DEVICE", dev);
  yield* mutex_lock(dev.lock);
  dev.ready_to_probe = true;
  mutex_unlock(dev.lock);
  yield;
  yield* __device_attach(dev);
}

/** bus.c line 442. */
export function* bus_add_device(dev: Device): Proc {
  dev.on_bus = true;
  yield;
  list_add_tail(dev, dev.bus!.klist_devices);
  observe("bus_add_device", dev);
}

/** core.c line 3855. The IOMMU core is told when all is over, and without the device's lock. */
export function* device_del(dev: Device): Proc {
  yield* mutex_lock(dev.lock);
  dev.dead = true;
  mutex_unlock(dev.lock);
  yield;
  yield* bus_remove_device(dev);
  yield;
  yield* driver_deferred_probe_del(dev);
  yield;
  data_race(() => {
    dev.devres_map = null;
  });
  yield;
  yield* iommu_bus_notifier("BUS_NOTIFY_REMOVED_DEVICE", dev);
}

/** bus.c line 508: walks of the bus that have come to the device already go on with it. */
function* bus_remove_device(dev: Device): Proc {
  dev.on_bus = false;
  observe("bus_remove_device", dev);
  yield;
  yield* device_driver_detach(dev);
}
