/** drivers/base/dd.c of 6.1.176: binding and unbinding, with the failure of each step. */
import { abstraction, EBUSY, EINVAL, ENOMEM, type Errno, fault, mutex_lock, mutex_unlock, observe, type Proc } from "iommu-mc";
import { native_probe, native_remove } from "./native.js";
import { pci_dma_cleanup, pci_dma_configure } from "./pci.js";
import type { Device, DeviceDriver } from "./schema.js";
import { vfio_pci_probe, vfio_pci_remove } from "./vfio.js";

abstraction(
  "device links, pm domains, bus notifiers, deferred probing and the test_remove loop of really_probe are left out",
  "may miss a bug",
);
abstraction("the lock of a parent bridge, which bind and unbind take for USB only, is left out", "neither");

/** device_driver_attach(): the way a write to the driver's `bind` file goes. */
export function* device_driver_attach(drv: DeviceDriver, dev: Device): Proc<Errno> {
  yield* mutex_lock(dev.lock);
  let ret: Errno = -EBUSY;
  if (dev.driver === null) ret = yield* really_probe(dev, drv);
  mutex_unlock(dev.lock);
  return ret;
}

/** device_driver_detach(), device_release_driver_internal(): the way a write to the `unbind` file goes. */
export function* device_driver_detach(dev: Device): Proc {
  yield* mutex_lock(dev.lock);
  if (dev.driver !== null) yield* __device_release_driver(dev);
  mutex_unlock(dev.lock);
}

/** 6.1.176 line 584. The caller holds the device's lock. Only a successful dma_configure is followed by a dma_cleanup. */
function* really_probe(dev: Device, drv: DeviceDriver): Proc<Errno> {
  dev.driver = drv;
  let ret: Errno = fault("pinctrl_bind_pins") ? -EINVAL : 0;
  if (!ret) ret = yield* pci_dma_configure(dev);
  if (ret) {
    device_unbind_cleanup(dev);
    return ret;
  }
  ret = fault("driver_sysfs_add") ? -ENOMEM : 0;
  if (!ret) {
    ret = yield* call_driver_probe(dev, drv);
    if (!ret) {
      ret = fault("device_add_groups") ? -ENOMEM : 0;
      if (!ret) {
        observe("driver_bound", dev, drv);
        return 0;
      }
      yield* device_remove(dev);
    }
  }
  yield;
  yield* pci_dma_cleanup(dev);
  yield;
  device_unbind_cleanup(dev);
  return ret;
}

/** 6.1.176 line 1246. The ownership count is dropped before the managed resources go. */
function* __device_release_driver(dev: Device): Proc {
  yield* device_remove(dev);
  yield;
  yield* pci_dma_cleanup(dev);
  yield;
  device_unbind_cleanup(dev);
  observe("driver_unbound", dev);
}

function* call_driver_probe(dev: Device, drv: DeviceDriver): Proc<Errno> {
  let ret: Errno = 0;
  if (drv.kind === "native") ret = yield* native_probe(dev);
  if (drv.kind === "vfio_pci") ret = yield* vfio_pci_probe(dev);
  return ret;
}

function* device_remove(dev: Device): Proc {
  const drv = dev.driver!;
  if (drv.kind === "native") yield* native_remove(dev);
  if (drv.kind === "vfio_pci") yield* vfio_pci_remove(dev);
}

/** 6.1.176 line 528: devres_release_all() and the rest. */
function device_unbind_cleanup(dev: Device): void {
  dev.devres_map = null;
  dev.driver = null;
}
