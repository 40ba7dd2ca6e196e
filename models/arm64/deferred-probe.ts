/** The deferred probing of drivers/base/dd.c of v4.2, here for devices that wait for their IOMMU only. */
import { abstraction, atomic, list_add_tail, list_del, list_empty, list_first_entry, mutex_lock, mutex_unlock, type Proc } from "iommu-mc";
import { arm64, type Device, driver_core } from "./schema.js";

abstraction("deferred probes are tried again from the beginning, not only after late_initcall", "may cry wolf", arm64);

/** The end of really_probe() for -EPROBE_DEFER: if something has been bound or registered in between, all is tried again. */
export function* defer_probe(dev: Device, local_trigger_count: number): Proc {
  yield* mutex_lock(driver_core.deferred_probe_mutex);
  if (!isDeferred(dev)) list_add_tail(dev, driver_core.deferred_probe_pending_list);
  mutex_unlock(driver_core.deferred_probe_mutex);
  yield;
  const isOutdated = local_trigger_count !== driver_core.deferred_trigger_count;
  yield;
  if (isOutdated) yield* driver_deferred_probe_trigger();
}

/** Called when a driver has been bound to a device; here to an IOMMU. */
export function* driver_deferred_probe_trigger(): Proc {
  yield* mutex_lock(driver_core.deferred_probe_mutex);
  atomic("atomic_inc()");
  driver_core.deferred_trigger_count++;
  for (const dev of [...driver_core.deferred_probe_pending_list]) {
    list_del(dev, driver_core.deferred_probe_pending_list);
    list_add_tail(dev, driver_core.deferred_probe_active_list);
  }
  mutex_unlock(driver_core.deferred_probe_mutex);
}

/** One round of deferred_probe_work_func(): the next device that is to be tried again, or null if there is none. */
export function* next_deferred_probe(): Proc<Device | null> {
  yield* mutex_lock(driver_core.deferred_probe_mutex);
  let dev: Device | null = null;
  if (!list_empty(driver_core.deferred_probe_active_list)) {
    dev = list_first_entry(driver_core.deferred_probe_active_list);
    list_del(dev, driver_core.deferred_probe_active_list);
  }
  mutex_unlock(driver_core.deferred_probe_mutex);
  return dev;
}

function isDeferred(dev: Device): boolean {
  return driver_core.deferred_probe_pending_list.includes(dev) || driver_core.deferred_probe_active_list.includes(dev);
}
