/** Initcalls in the order of their levels, and what comes after them: what each scenario's thread does. */
import { applied, atomic, choose, EINVAL, type Errno, mutex_lock, mutex_unlock, observe, type Proc, until } from "iommu-mc";
import { iommu_group_get, iommu_group_put } from "./group.js";
import { release_ownership, take_ownership } from "./ioda2.js";
import {
  device_iommu_capable,
  iommu_device_unuse_default_domain,
  iommu_device_use_default_domain,
  iommu_group_claim_dma_owner,
  iommu_group_release_dma_owner,
} from "./iommu.js";
import { pci_device_add, pci_device_remove, pcibios_init, platform_device_add, pnv_pci_init_ioda_phb } from "./powernv.js";
import { type BusType, core, type Device, type IommuGroup, type IommuOps, type PciController } from "./schema.js";

/**
 * discover_phbs() is a core_initcall, or with the patch a postcore_initcall_sync; in between come PCI's bus and the class of IOMMUs
 * (postcore_initcall: pci_driver_init() and iommu_dev_init(), in the order of linking). pcibios_init() and iommu_subsys_init() are
 * subsys_initcalls, architectures first; since v6.4 pcibios_init() comes after it.
 */
export function* boot(pci_bus_type: BusType, ops: IommuOps): Proc {
  if (!applied("stub-late") && !applied("class-before-bus")) yield* discover_phbs(ops);
  yield;
  if (applied("class-before-bus")) {
    core.has_iommu_class = true;
    yield* discover_phbs(ops);
    yield;
  }
  atomic("nothing else runs at boot");
  pci_bus_type.is_registered = true;
  core.has_iommu_class = true;
  yield;
  if (applied("stub-late") && !applied("class-before-bus")) yield* discover_phbs(ops);
  yield;
  if (applied("notifier-first")) core.has_notifiers = true;
  yield* pcibios_init();
  yield;
  core.has_notifiers = true;
  yield;
  core.has_booted = true;
}

function* discover_phbs(ops: IommuOps): Proc {
  for (const phb of core.hose_list) yield* pnv_pci_init_ioda_phb(phb, ops);
}

/** A device that is not PCI's is there before everything, or comes after boot. */
export function* boot_with_platform_device(pci_bus_type: BusType, ops: IommuOps, dev: Device, isEarly: boolean): Proc {
  if (isEarly) yield* platform_device_add(dev);
  yield* boot(pci_bus_type, ops);
  if (!isEarly) yield* platform_device_add(dev);
  yield;
  for (const each of core.present) yield* open_and_close(each);
}

/** The machine boots, and a user opens each device, twice. */
export function* boot_and_open(pci_bus_type: BusType, ops: IommuOps): Proc {
  yield* boot(pci_bus_type, ops);
  for (const dev of core.present) {
    yield;
    yield* open_and_close(dev);
    yield;
    yield* open_and_close(dev);
  }
}

/** The machine boots; a driver comes and goes, which may forget an entry of the table; then a user opens the device. */
export function* boot_drive_and_open(pci_bus_type: BusType, ops: IommuOps, dev: Device): Proc {
  yield* boot(pci_bus_type, ops);
  yield;
  yield* drive(dev);
  yield;
  yield* open_and_close(dev);
}

/** The machine boots; a second device of the PE is plugged, unplugged and plugged again; a user opens it, and then the first. */
export function* boot_and_replug(pci_bus_type: BusType, ops: IommuOps, dev: Device): Proc {
  yield* boot(pci_bus_type, ops);
  for (const isLast of [false, true]) {
    yield;
    yield* pci_device_add(dev);
    yield;
    if (isLast) yield* open_and_close(dev);
    else yield* pci_device_remove(dev);
  }
  yield;
  for (const each of core.present) yield* open_and_close(each);
}

/** The machine boots; while a user has the first device of a PE a second one is plugged, which goes to a user after it and is unplugged. */
export function* boot_and_plug_owned(pci_bus_type: BusType, ops: IommuOps, dev: Device, plugged: Device): Proc {
  yield* boot(pci_bus_type, ops);
  yield;
  const ret = yield* vfio_open(dev);
  observe("vfio_open", dev, ret);
  yield;
  yield* pci_device_add(plugged);
  yield;
  if (!ret) yield* vfio_close(dev);
  yield;
  yield* open_and_close(plugged);
  yield;
  yield* pci_device_remove(plugged);
}

/** The machine boots; the device is opened by a user, if one comes, and unplugged with its PE. */
export function* boot_and_unplug(pci_bus_type: BusType, ops: IommuOps, dev: Device, isOpened: boolean): Proc {
  yield* boot(pci_bus_type, ops);
  yield;
  if (isOpened) yield* open_and_close(dev);
  yield;
  yield* pci_device_remove(dev);
}

/** The machine boots, and a PHB is registered after all others' devices are there. */
export function* boot_and_register_phb(pci_bus_type: BusType, ops: IommuOps, phb: PciController, dev: Device): Proc {
  yield* boot(pci_bus_type, ops);
  yield;
  yield* pnv_pci_init_ioda_phb(phb, ops);
  yield;
  yield* pci_device_add(dev);
  yield;
  yield* open_and_close(dev);
}

/** A device is plugged into a machine that has booted. */
export function* plug(dev: Device): Proc {
  yield until(() => core.has_booted);
  yield;
  yield* pci_device_add(dev);
}

/** A PHB is registered in one. */
export function* register_phb(phb: PciController, ops: IommuOps): Proc {
  yield until(() => core.has_booted);
  yield;
  yield* pnv_pci_init_ioda_phb(phb, ops);
}

/** A driver of the host: it maps a page, and is gone. One that forgets to unmap it leaves the entry. */
function* drive(dev: Device): Proc {
  yield* mutex_lock(dev.lock);
  const ret = yield* iommu_device_use_default_domain(dev);
  if (!ret) {
    dev.driver = "native";
    dev.pe!.kernel_tces = choose("entries left", [0, 1]);
    dev.driver = "none";
    yield* iommu_device_unuse_default_domain(dev);
  }
  mutex_unlock(dev.lock);
}

/** A device is bound to vfio-pci, and a process opens its group, and closes it. */
export function* open_and_close(dev: Device): Proc<Errno> {
  const ret = yield* vfio_open(dev);
  observe("vfio_open", dev, ret);
  yield;
  if (!ret) yield* vfio_close(dev);
  return ret;
}

/** The process closes the group, whose container gives the PE back, and the device is unbound. */
function* vfio_close(dev: Device): Proc {
  const group = dev.iommu_group!;
  release_ownership(group.iommu_data!);
  yield* iommu_group_release_dma_owner(group);
  yield* mutex_lock(dev.lock);
  dev.driver = "none";
  mutex_unlock(dev.lock);
}

/** vfio_register_group_dev() (vfio_main.c, line 584) and vfio_container_attach_group() (container.c, line 427), with tce_iommu_attach_group(). */
export function* vfio_open(dev: Device): Proc<Errno> {
  yield* mutex_lock(dev.lock);
  const ret = vfio_register_group_dev(dev);
  if (!ret) dev.driver = "vfio_pci";
  mutex_unlock(dev.lock);
  if (ret) return ret;
  const group = (yield* iommu_group_get(dev))!;
  const claimed = yield* iommu_group_claim_dma_owner(group);
  if (!claimed) tce_iommu_take_ownership(group);
  iommu_group_put(group);
  return claimed;
}

function vfio_register_group_dev(dev: Device): Errno {
  if (dev.iommu_group === null) return -EINVAL;
  return applied("e8ae0e140c05") && !device_iommu_capable(dev) ? -EINVAL : 0;
}

/** Of vfio_iommu_spapr_tce.c: the container takes ownership of the PE, whatever attach_dev() has done. */
function tce_iommu_take_ownership(group: IommuGroup): void {
  take_ownership(group.iommu_data!);
}
