/** The part of drivers/iommu/iommu.c of v4.2 to v4.9 that knows buses: an IOMMU's driver comes, and is told of the devices. */
import { applied, EBUSY, ENODEV, type Errno, operations, type Proc, WARN_ON } from "iommu-mc";
import { driver_deferred_probe_trigger } from "./deferred-probe.js";
import { do_iommu_attach } from "./dma-mapping.js";
import {
  device_group,
  iommu_group_add_device,
  iommu_group_alloc,
  iommu_group_get_for_dev,
  iommu_group_put,
  iommu_group_remove_device,
} from "./iommu.js";
import { detach_dev, isMaster } from "./iommu-driver.js";
import { arm64, type BusType, type Device, type IommuOps } from "./schema.js";

/** The probe of an IOMMU by its driver. That it is bound has the devices probed again that wait for it (v4.12). */
export function* probe_iommu(bus: BusType, ops: IommuOps): Proc {
  if (applied("09515ef5ddad")) {
    ops.is_registered = true;
    yield;
  }
  yield* bus_set_iommu(bus, ops);
  if (!applied("09515ef5ddad")) return;
  yield;
  yield* driver_deferred_probe_trigger();
}

/** The ops stand before the walk, so that what the walk calls finds them. */
export function* bus_set_iommu(bus: BusType, ops: IommuOps): Proc<Errno> {
  if (bus.iommu_ops !== null) return -EBUSY;
  yield;
  bus.iommu_ops = ops;
  yield;
  const err = yield* iommu_bus_init(bus, ops);
  yield;
  if (err) bus.iommu_ops = null;
  return err;
}

/** From the notifier's registration on devices that are added go to the driver too, whatever the walk does. */
function* iommu_bus_init(bus: BusType, ops: IommuOps): Proc<Errno> {
  bus.has_iommu_notifier = true;
  yield;
  let err: Errno = 0;
  for (const dev of bus.klist_devices) {
    yield;
    const isOnBus = dev.on_bus;
    yield;
    if (isOnBus) err = yield* add_iommu_group(dev, ops);
    if (err) break;
    yield;
  }
  if (!err) return 0;
  yield;
  for (const dev of bus.klist_devices) {
    yield;
    yield* remove_iommu_group(dev);
    yield;
  }
  yield;
  bus.has_iommu_notifier = false;
  return err;
}

/** A device that no IOMMU translates stops nobody. */
function* add_iommu_group(dev: Device, ops: IommuOps): Proc<Errno> {
  WARN_ON(dev.iommu_group !== null, "a device that is in a group is added");
  yield;
  const ret = yield* add_device(ops, dev);
  return ret === -ENODEV ? 0 : ret;
}

function* remove_iommu_group(dev: Device): Proc {
  const group = dev.iommu_group;
  yield;
  if (group !== null) yield* remove_device(dev);
}

/** `ops->add_device`. */
export function* add_device(ops: IommuOps, dev: Device): Proc<Errno> {
  return yield* iommu_driver.add_device(dev, ops);
}

/** `ops->remove_device`. */
function* remove_device(dev: Device): Proc {
  yield* iommu_driver.remove_device(dev);
}

/**
 * A device that is behind another kind of IOMMU, or none, is not the driver's concern. With "setup-in-add-device" it sets the DMA ops up
 * too, as amd_iommu_add_device() does on x86 and ipmmu_add_device() does on arm.
 */
function* add_master(dev: Device, ops: IommuOps): Proc<Errno> {
  if (!isMaster(ops, dev)) return -ENODEV;
  const isOfCore = applied("device-group") || dev.bus!.kind === "pci";
  const ret = isOfCore ? yield* add_to_group_of_core(dev) : yield* add_to_own_group(ops, dev);
  if (ret || !applied("setup-in-add-device")) return ret;
  yield;
  yield* do_iommu_attach(dev, ops);
  return 0;
}

/** arm_smmu_add_pci_device() of v4.2, and since v4.4 what drivers do for every device. */
function* add_to_group_of_core(dev: Device): Proc<Errno> {
  const group = yield* iommu_group_get_for_dev(dev);
  if (typeof group === "number") return group;
  yield;
  iommu_group_put(group);
  return 0;
}

/** arm_smmu_add_platform_device() of v4.2, exynos_iommu_add_device() and rk_iommu_add_device(): a group for every device, unless the driver knows better. */
function* add_to_own_group(ops: IommuOps, dev: Device): Proc<Errno> {
  const group = ops.finds_groups ? yield* device_group(dev) : iommu_group_alloc();
  yield;
  const ret = yield* iommu_group_add_device(group, dev);
  yield;
  iommu_group_put(group);
  return ret;
}

/** Takes the device off what it is on, which the core does not. */
function* remove_master(dev: Device): Proc {
  const domain = dev.hw;
  if (domain !== null) yield* detach_dev(domain, dev);
  yield;
  yield* iommu_group_remove_device(dev);
}

const { iommu_driver } = operations(arm64, { iommu_driver: { add_device: add_master, remove_device: remove_master } });

/** Of all events only these two are more than news for the group's notifier chain. What add_device() returns is lost. */
export function* iommu_bus_notifier(action: "BUS_NOTIFY_ADD_DEVICE" | "BUS_NOTIFY_REMOVED_DEVICE", dev: Device): Proc {
  const ops = dev.bus!.iommu_ops!;
  yield;
  if (action === "BUS_NOTIFY_ADD_DEVICE") yield* add_device(ops, dev);
  else yield* remove_iommu_group(dev);
}
