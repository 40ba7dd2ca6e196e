/** What happens to IOMMUs and devices: each a thread of its own, so that it happens at any time. */
import { abstraction, applied, atomic, choose, data_race, idle, type Proc, until } from "iommu-mc";
import { device_add, device_del } from "../driver-core/core.js";
import { __device_attach, device_driver_attach, driver_deferred_probe_trigger, driver_register } from "../driver-core/dd.js";
import { set_bus_ops } from "../iommu/bus-set-iommu.js";
import { iommu_group_store_type } from "../iommu/default-domain.js";
import { iommu_group_put, iommu_group_ref_get } from "../iommu/group.js";
import { iommu_device_register, iommu_device_unregister } from "../iommu/probe.js";
import {
  type BusType,
  type Device,
  type DeviceDriver,
  type DomainType,
  driver_core,
  type IommuDevice,
  type IommuGroup,
  type IommuOps,
} from "../schema.js";

/**
 * The probe of an IOMMU's own driver: registers the IOMMU, and is bound only then, so that deferred devices are tried again. Before
 * 57365a04c921 (v6.1) it sets the buses' ops itself, and an IOMMU that fails there stays listed.
 */
export function* register_iommu(iommu: IommuDevice, ops: IommuOps): Proc {
  let ret = yield* iommu_device_register(iommu, ops);
  if (!applied("57365a04c921")) {
    yield;
    ret = yield* set_bus_ops(ops);
  }
  yield;
  if (ret) return;
  iommu.is_bound = true;
  yield* driver_deferred_probe_trigger();
}

/**
 * mtk_iommu.c of 7.2.13 line 1306, the probe of MediaTek's driver: before 38e8844005e6 (v6.15) it made the list of IOMMUs that share a
 * page table after it had registered.
 */
export function* mtk_iommu_probe(iommu: IommuDevice, ops: IommuOps): Proc {
  if (applied("38e8844005e6")) {
    iommu.hw_list = iommu;
    yield;
  }
  yield* register_iommu(iommu, ops);
  if (applied("38e8844005e6")) return;
  yield;
  iommu.hw_list = iommu;
}

/** Two IOMMUs of one driver register, one after the other, as that of all units of a machine does. */
export function* register_both(one: IommuDevice, other: IommuDevice, ops: IommuOps): Proc {
  yield* register_iommu(one, ops);
  yield;
  yield* register_iommu(other, ops);
}

/** The removal of an IOMMU's own driver, which releases all its devices. */
export function* unregister_iommu(iommu: IommuDevice): Proc {
  yield* iommu_device_unregister(iommu);
}

/** An IOMMU registers, and only then a driver is bound. */
export function* register_and_bind(iommu: IommuDevice, ops: IommuOps, dev: Device, drv: DeviceDriver): Proc {
  yield* register_iommu(iommu, ops);
  yield;
  yield* bind_once(dev, drv);
}

/** The device is plugged in. */
export function* plug(dev: Device): Proc {
  yield* device_add(dev);
}

/** Two devices are plugged in one after the other. */
export function* plug_both(one: Device, other: Device): Proc {
  yield* device_add(one);
  yield;
  yield* device_add(other);
}

/** The device is pulled out. */
export function* unplug(dev: Device): Proc {
  yield* device_del(dev);
}

/** The device is pulled out as soon as it is attached to a domain. */
export function* unplug_attached(dev: Device): Proc {
  yield until(() => data_race(() => dev.hw !== null));
  yield* device_del(dev);
}

/** The device is pulled out when somebody owns its group. */
export function* unplug_owned(dev: Device, group: IommuGroup): Proc {
  yield until(() => data_race(() => group.owner !== null));
  yield* device_del(dev);
}

/** The device is pulled out at a time when a user has its group on a domain of its own, if there is one. */
export function* unplug_while_attached(dev: Device, group: IommuGroup): Proc {
  yield idle(() => data_race(() => group.domain !== group.default_domain && group.domain !== group.blocking_domain));
  atomic("what a group is on is compared in one step");
  yield* device_del(dev);
}

/** The device is plugged in and pulled out again. */
export function* plug_and_unplug(dev: Device): Proc {
  yield* device_add(dev);
  yield;
  yield* device_del(dev);
}

/** The device is pulled out, and the bus is scanned: what is found then is another device to the kernel. */
export function* unplug_and_scan(dev: Device, found: Device): Proc {
  yield* device_del(dev);
  yield;
  yield* pci_scan_function(found);
}

/**
 * pci_scan_slot() of drivers/pci/probe.c: that a function is one of several is noted after it has been added, so that nobody looks for
 * the others of its slot while it is.
 */
function* pci_scan_function(dev: Device): Proc {
  const others = [...dev.aliases];
  dev.aliases.clear();
  yield;
  yield* device_add(dev);
  yield;
  for (const other of others) dev.aliases.add(other);
}

/** A driver is looked for once, as asynchronous probing does. It may be deferred. */
export function* attach_driver(dev: Device): Proc {
  yield* __device_attach(dev);
}

/** A driver is looked for, and then the device is pulled out. */
export function* bind_and_unplug(dev: Device, drv: DeviceDriver): Proc {
  yield* device_driver_attach(drv, dev);
  yield;
  yield* device_del(dev);
}

/** A driver is bound once, by a write to its `bind` file. */
export function* bind_once(dev: Device, drv: DeviceDriver): Proc {
  yield* device_driver_attach(drv, dev);
}

/** The module of a driver is loaded: it is tried on every device of the bus. */
export function* load_driver(drv: DeviceDriver, bus: BusType): Proc {
  yield* driver_register(drv, bus);
}

/** dd.c line 300, deferred_probe_timeout_work_func(): nobody waits any longer for drivers that have not come. */
export function* deferred_probe_timeout(): Proc {
  driver_core.deferred_probe_timeout_expired = true;
  yield;
  yield* driver_deferred_probe_trigger();
}

/** Drivers of two devices are bound one after the other, in either order. */
export function* bind_in_order(one: Device, other: Device): Proc {
  const [first, second] = choose("first", ["one", "other"]) === "one" ? [one, other] : [other, one];
  yield;
  yield* __device_attach(first);
  yield;
  yield* __device_attach(second);
}

abstraction(
  "who writes to a file of a group has a reference on it: in the C the group's release waits for the write (kernfs drains), and could wait for one that waits for it",
  "may miss a bug",
);

/** The administrator writes once to the `type` file of the device's group, if it is there. */
export function* write_type_once(dev: Device, type: DomainType): Proc {
  const group = hold_group(dev);
  if (group === null) return;
  yield;
  yield* iommu_group_store_type(group, type);
  yield;
  iommu_group_put(group);
}

/** Takes a reference on the device's group for who has found it while it was there. */
export function hold_group(dev: Device): IommuGroup | null {
  atomic("sysfs finds a group and keeps it in one step");
  return dev.iommu_group === null ? null : iommu_group_ref_get(dev.iommu_group);
}

/** The administrator writes to the group's `type` file, again and again. */
export function* write_type(group: IommuGroup, types: "identity or DMA" | "DMA-FQ or auto"): Proc {
  for (;;) {
    yield idle();
    const type: DomainType | null =
      types === "identity or DMA" ? choose("type", ["IDENTITY", "DMA"] as const) : choose("type", ["DMA_FQ", null] as const);
    yield* iommu_group_store_type(group, type);
  }
}

/** The same as soon as the device has a group. */
export function* write_type_of_new(dev: Device, type: DomainType): Proc {
  yield idle(() => dev.iommu_group !== null);
  yield* write_type_once(dev, type);
}

/** Two writes, to an identity domain and back. */
export function* write_both_types(dev: Device): Proc {
  yield* write_type_once(dev, "IDENTITY");
  yield;
  yield* write_type_once(dev, "DMA");
}
