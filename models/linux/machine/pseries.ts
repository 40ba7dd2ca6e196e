/** How devices come to a pSeries: arch/powerpc/kernel/iommu.c and platforms/pseries/iommu.c of 6.12.107; 7.2.13 does the same. */
import { abstraction, EBUSY, type Errno, mutex_lock, mutex_unlock, type Proc } from "iommu-mc";
import { bus_add_device, device_del } from "../driver-core/core.js";
import { __device_attach } from "../driver-core/dd.js";
import { iommu_group_alloc } from "../iommu/group.js";
import { iommu_bus_notifier, iommu_device_register, iommu_probe_device } from "../iommu/probe.js";
import type { Device, IommuDevice, IommuOps, IommuTableGroup } from "../schema.js";

abstraction("a pSeries' PHB has one PE, whose table does not fail to be made", "may miss a bug");

/** The machine boots with two devices behind a PHB, whose IOMMU comes before there is a device: spapr_tce_setup_phb_iommus_initcall(), pcibios_init(). */
export function* boot_phb(iommu: IommuDevice, ops: IommuOps, table_group: IommuTableGroup, one: Device, other: Device): Proc {
  yield* iommu_device_register(iommu, ops);
  yield;
  yield* pci_device_add(one);
  yield;
  yield* pci_device_add(other);
  yield;
  yield* iommu_register_group(table_group);
  yield;
  yield* pci_bus_add_device(one);
  yield;
  yield* pci_bus_add_device(other);
}

/** dlpar_pci_add_bus(): a device is plugged into a PE that is there. */
export function* plug_into_pe(dev: Device): Proc {
  yield* pci_device_add(dev);
  yield;
  yield* pci_bus_add_device(dev);
}

/** A device is pulled out of its PE, and another one plugged in. */
export function* unplug_and_plug(gone: Device, come: Device): Proc {
  yield* device_del(gone);
  yield;
  yield* plug_into_pe(come);
}

/** device_add() of a device that drivers are to be kept from for now. The IOMMU core is told of it, and finds no group where its PE has none yet. */
function* pci_device_add(dev: Device): Proc {
  yield* bus_add_device(dev);
  yield;
  yield* iommu_bus_notifier("BUS_NOTIFY_ADD_DEVICE", dev);
}

/** The platform is asked first, and then a driver is looked for. */
function* pci_bus_add_device(dev: Device): Proc {
  yield* iommu_add_device(dev);
  yield* mutex_lock(dev.lock);
  dev.ready_to_probe = true;
  mutex_unlock(dev.lock);
  yield;
  yield* __device_attach(dev);
}

/** 6.12.107 line 1122, 7.2.13 line 1124, which pci_dma_dev_setup_pSeriesLP() calls. A device that has come to a PE with a group has been probed. */
function* iommu_add_device(dev: Device): Proc<Errno> {
  const isMapped = dev.iommu_group !== null;
  yield;
  return isMapped ? -EBUSY : yield* iommu_probe_device(dev);
}

/** 6.12.107 line 1018, 7.2.13 line 1020, which pci_dma_bus_setup_pSeriesLP() calls. The table group keeps the reference. */
function* iommu_register_group(table_group: IommuTableGroup): Proc {
  const grp = yield* iommu_group_alloc();
  if (typeof grp === "number") return;
  yield;
  table_group.group = grp;
}
