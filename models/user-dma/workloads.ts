/** Who wants a device of a group: a process, and drivers. They tell what they were answered. */
import { idle, mutex_lock, mutex_unlock, observe, type Proc } from "iommu-mc";
import { __device_attach, device_bind_driver, device_driver_attach, device_driver_detach } from "../linux/driver-core/dd.js";
import { bind_and_unbind } from "../linux/machine/workloads.js";
import type { Device, DeviceDriver, IommuGroup, VfioContainer, VfioGroup } from "../linux/schema.js";
import { vfio_fops_open, vfio_fops_release, vfio_fops_unl_ioctl, vfio_ioctl_set_iommu } from "../linux/vfio/container.js";
import {
  vfio_device_fops_release,
  vfio_group_fops_open,
  vfio_group_fput,
  vfio_group_ioctl_get_device_fd,
  vfio_group_ioctl_set_container,
} from "../linux/vfio/vfio-main.js";

/**
 * A process that asks for a device in the order that VFIO wants, whatever it is answered, maps its memory, and goes away. It may
 * stop for a while, or for good, where it is ready to open the device, and where it has it.
 */
export function* ask_for_device(iommu_group: IommuGroup, dev: Device): Proc {
  const container = yield* vfio_fops_open();
  if (container === null) return;
  yield;
  const group = yield* vfio_group_fops_open(iommu_group);
  yield;
  if (group !== null) {
    yield* join(group, container);
    const mapped = yield* vfio_fops_unl_ioctl(container, "VFIO_IOMMU_MAP_DMA");
    observe("MAP_DMA", mapped);
    yield idle();
    const device = yield* vfio_group_ioctl_get_device_fd(group, dev);
    observe("GET_DEVICE_FD", device !== null);
    yield idle();
    if (device !== null) {
      yield* vfio_device_fops_release(device);
      observe("close device");
      yield;
    }
    yield* vfio_group_fput(group);
    yield;
  }
  yield* vfio_fops_release(container);
}

function* join(group: VfioGroup, container: VfioContainer): Proc {
  const joined = yield* vfio_group_ioctl_set_container(group, container);
  observe("SET_CONTAINER", joined);
  yield;
  const set = yield* vfio_ioctl_set_iommu(container);
  observe("SET_IOMMU", set);
  yield;
}

/** A driver is bound to `sibling` and unbound, if it can be: while a process has their group in a container, and while it has `dev` open. */
export function* bind_beside(iommu_group: IommuGroup, dev: Device, sibling: Device, drv: DeviceDriver): Proc {
  const container = yield* vfio_fops_open();
  if (container === null) return;
  yield;
  const group = (yield* vfio_group_fops_open(iommu_group))!;
  yield;
  yield* join(group, container);
  yield* bind_and_unbind(sibling, drv);
  yield;
  const device = yield* vfio_group_ioctl_get_device_fd(group, dev);
  yield;
  if (device === null) return;
  yield* bind_and_unbind(sibling, drv);
  yield;
  yield* vfio_device_fops_release(device);
}

/** A driver is bound, and unbound if it was. */
export function* bind_and_tell(dev: Device, drv: DeviceDriver): Proc {
  yield* bind(dev, drv);
  yield idle();
  yield* device_driver_detach(dev);
}

function* bind(dev: Device, drv: DeviceDriver): Proc {
  const ret = yield* device_driver_attach(drv, dev);
  yield;
  observe("bind", dev, ret);
}

/** A driver is looked for, as when the device was added, which may be put off; it is bound by its name, and unbound. */
export function* look_and_bind(dev: Device, drv: DeviceDriver): Proc {
  yield* __device_attach(dev);
  yield;
  yield* bind(dev, drv);
  yield;
  yield* device_driver_detach(dev);
}

/** One driver is bound to one device and then a process asks for another: `first` and `device` share a group. */
export function* bind_then_ask(first: Device, drv: DeviceDriver, iommu_group: IommuGroup, device: Device): Proc {
  yield* bind(first, drv);
  yield;
  yield* ask_for_device(iommu_group, device);
}

/** A device comes with a driver that its bus has chosen, and which is bound without a probe; it is unbound again. */
export function* bind_by_hand(dev: Device, drv: DeviceDriver): Proc {
  yield* mutex_lock(dev.lock);
  dev.driver = drv;
  const ret = yield* device_bind_driver(dev);
  if (ret) dev.driver = null;
  mutex_unlock(dev.lock);
  yield;
  yield* device_driver_detach(dev);
}
