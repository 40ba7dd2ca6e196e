/** What threads do: drivers of the host, users of VFIO, and who plugs and unplugs. */
import { abstraction, EBUSY, EIO, EPERM, type Errno, idle, mutex_lock, mutex_unlock, type Proc, until } from "iommu-mc";
import { iommu_device_unuse_default_domain, iommu_device_use_default_domain } from "./core.js";
import { boot, init_phb_dynamic, pcibios_bus_add_device, remove_device } from "./platform.js";
import { type Device, type IommuGroup, type PciController, platform, ppc64, type TceContainer } from "./schema.js";
import { tce_iommu_create_window, tce_iommu_map, tce_iommu_release, tce_iommu_remove_window } from "./spapr-tce.js";
import { iommu_map_page, iommu_unmap_page } from "./table.js";
import { isViable, vfio_container_attach_group, vfio_group_detach_container, vfio_register_group_dev } from "./vfio.js";

abstraction("a driver of the host has one page mapped at a time, under its device's lock", "may miss a bug", ppc64);
abstraction("the device of a user is not in use: its DMA is whatever the tables let through", "neither", ppc64);

/** really_probe() of a driver that uses the DMA API. Without a window to do DMA through it gives up. */
export function* bind_native(dev: Device): Proc<Errno> {
  yield* mutex_lock(dev.lock);
  const ret = dev.driver !== "none" || !dev.on_bus ? -EBUSY : yield* native_probe(dev);
  mutex_unlock(dev.lock);
  return ret;
}

function* native_probe(dev: Device): Proc<Errno> {
  const ret = yield* iommu_device_use_default_domain(dev);
  if (ret) return ret;
  yield;
  if (dma_set_mask(dev)) {
    dev.driver = "native";
    return 0;
  }
  yield* iommu_device_unuse_default_domain(dev);
  return -EIO;
}

/** dma_iommu_dma_supported() of powerpc, as d2d00e15808c tells of it: a mask of 64 bits needs the bypass, any other a table, which is looked into. */
function dma_set_mask(dev: Device): boolean {
  if (dev.can_dma_64 && dev.pe!.tce_bypass_enabled) return true;
  const tbl = dev.iommu_table_base;
  return tbl !== null && tbl.it_size.size > 0;
}

/** A packet is mapped, sent and unmapped; with 64-bit addresses and the bypass nothing has to be. */
export function* transmit(dev: Device): Proc {
  yield* mutex_lock(dev.lock);
  if (dev.driver === "native" && !(dev.can_dma_64 && dev.pe!.tce_bypass_enabled)) {
    const tbl = dev.iommu_table_base;
    const entry = yield* iommu_map_page(tbl);
    if (entry !== null) {
      dev.dma_table = tbl;
      dev.dma_entry = entry;
    }
  }
  mutex_unlock(dev.lock);
  yield;
  yield* mutex_lock(dev.lock);
  yield* unmap(dev);
  mutex_unlock(dev.lock);
}

function* unmap(dev: Device): Proc {
  if (dev.dma_entry === null) return;
  yield* iommu_unmap_page(dev.dma_table!, dev.dma_entry);
  dev.dma_table = null;
  dev.dma_entry = null;
}

export function* unbind_native(dev: Device): Proc {
  yield* mutex_lock(dev.lock);
  if (dev.driver === "native") {
    yield* unmap(dev);
    dev.driver = "none";
    yield* iommu_device_unuse_default_domain(dev);
  }
  mutex_unlock(dev.lock);
}

/** vfio-pci's probe. */
export function* bind_vfio(dev: Device): Proc<Errno> {
  yield* mutex_lock(dev.lock);
  const ret = dev.driver !== "none" || !dev.on_bus ? -EBUSY : yield* vfio_register_group_dev(dev);
  if (!ret) dev.driver = "vfio_pci";
  mutex_unlock(dev.lock);
  return ret;
}

export function* unbind_vfio(dev: Device): Proc {
  yield* mutex_lock(dev.lock);
  if (dev.driver === "vfio_pci") {
    dev.driver = "none";
    dev.is_vfio_device = false;
  }
  mutex_unlock(dev.lock);
}

/** A process opens the group of a device that is bound to VFIO, puts it into its container, maps its memory, and closes everything. */
export function* open_and_close(container: TceContainer, dev: Device): Proc {
  const group = dev.iommu_group;
  if (group === null) return;
  yield;
  const attached = yield* set_container(container, group);
  yield;
  if (!attached) {
    yield* tce_iommu_map(container);
    yield;
    yield* vfio_group_detach_container(container, group);
    yield;
  }
  yield* tce_iommu_release(container);
}

/** VFIO_GROUP_SET_CONTAINER, which before v5.19 asks whether the group is viable. */
function* set_container(container: TceContainer, group: IommuGroup): Proc<Errno> {
  if (!(yield* isViable(group))) return -EPERM;
  yield;
  return yield* vfio_container_attach_group(container, group);
}

/** The machine boots; a device, and its sibling if there is one, go from their drivers of the host to a user and come back to them. */
export function* lend(container: TceContainer, dev: Device, sibling: Device | null): Proc {
  yield* boot();
  yield;
  yield* drive(dev);
  yield;
  const ret = yield* bind_vfio(dev);
  if (sibling !== null) yield* bind_vfio(sibling);
  yield;
  if (!ret) {
    yield* open_and_close(container, dev);
    yield;
    yield* unbind_vfio(dev);
    if (sibling !== null) yield* unbind_vfio(sibling);
    yield;
  }
  yield* drive(dev);
  if (sibling !== null) yield* drive(sibling);
}

/** A driver of the host, from bind to unbind. */
function* drive(dev: Device): Proc {
  const ret = yield* bind_native(dev);
  yield;
  if (!ret) yield* transmit(dev);
  yield;
  yield* unbind_native(dev);
}

/** The machine boots; the device goes to a user and comes back; then it is unplugged. */
export function* lend_and_unplug(container: TceContainer, dev: Device): Proc {
  yield* boot();
  yield;
  const ret = yield* bind_vfio(dev);
  yield;
  if (!ret) yield* open_and_close(container, dev);
  yield;
  yield* unbind_vfio(dev);
  yield;
  yield* remove_device(dev);
}

/** The machine boots; while a user has a device another one of the same PE is plugged in; then the first comes back. */
export function* lend_and_plug(container: TceContainer, dev: Device, plugged: Device): Proc {
  yield* boot();
  yield;
  const ret = yield* bind_vfio(dev);
  yield;
  const group = dev.iommu_group;
  if (ret || group === null) return;
  yield;
  const attached = yield* set_container(container, group);
  yield;
  if (!attached) {
    yield* tce_iommu_map(container);
    yield;
    yield* pcibios_bus_add_device(plugged);
    yield;
    yield* vfio_group_detach_container(container, group);
    yield;
  }
  yield* tce_iommu_release(container);
  yield;
  yield* unbind_vfio(dev);
  yield;
  yield* drive(dev);
  yield* drive(plugged);
}

/** The machine boots, and a device is unplugged. */
export function* boot_and_unplug(dev: Device): Proc {
  yield* boot();
  yield;
  yield* remove_device(dev);
}

/** The machine boots, and a driver is bound and at work. */
export function* boot_and_drive(dev: Device): Proc {
  yield* boot();
  yield;
  yield* drive(dev);
}

/** A device is plugged into a machine that has booted, and its driver is bound. */
export function* plug(dev: Device): Proc {
  yield until(() => platform.has_booted);
  yield* pcibios_bus_add_device(dev);
  yield;
  yield* drive(dev);
}

/** A PHB with a device is plugged in. */
export function* boot_and_plug_phb(phb: PciController, dev: Device): Proc {
  yield* boot();
  yield;
  yield* init_phb_dynamic(phb, dev);
  yield;
  yield* drive(dev);
}

/** The machine boots; a process has groups of two PEs in one container. */
export function* lend_two(container: TceContainer, dev: Device, other: Device): Proc {
  yield* boot();
  yield;
  for (const each of [dev, other]) {
    yield* bind_vfio(each);
    yield;
  }
  const group = dev.iommu_group;
  const otherGroup = other.iommu_group;
  if (group === null || otherGroup === null) return;
  yield;
  const first = yield* set_container(container, group);
  yield;
  if (!first) yield* tce_iommu_map(container);
  yield;
  const second = yield* set_container(container, otherGroup);
  yield;
  if (!first) {
    yield* tce_iommu_map(container);
    yield;
    yield* vfio_group_detach_container(container, group);
    yield;
  }
  if (!second) yield* vfio_group_detach_container(container, otherGroup);
  yield;
  yield* tce_iommu_release(container);
  for (const each of [dev, other]) {
    yield* unbind_vfio(each);
    yield;
    yield* drive(each);
  }
}

/** A user with its device, as it pleases, in a machine that has booted: it may stop anywhere it rests, with everything open. */
export function* user(container: TceContainer, dev: Device): Proc {
  yield until(() => platform.has_booted);
  const bound = yield* bind_vfio(dev);
  if (bound) return;
  yield;
  const group = dev.iommu_group!;
  yield idle();
  const attached = yield* set_container(container, group);
  if (attached) return;
  yield idle();
  yield* tce_iommu_map(container);
  yield idle();
  yield* second_window(container);
  yield idle();
  yield* vfio_group_detach_container(container, group);
  yield;
  yield* tce_iommu_release(container);
}

/** VFIO_IOMMU_SPAPR_TCE_CREATE and _REMOVE, with the container's lock held. */
function* second_window(container: TceContainer): Proc {
  yield* mutex_lock(container.lock);
  const ret = yield* tce_iommu_create_window(container);
  mutex_unlock(container.lock);
  if (ret) return;
  yield idle();
  yield* mutex_lock(container.lock);
  yield* tce_iommu_remove_window(container, 1);
  mutex_unlock(container.lock);
}

/** Drivers of the host, again and again, in a machine that has booted. */
export function* host(dev: Device): Proc {
  yield until(() => platform.has_booted);
  for (;;) {
    yield idle();
    yield* drive(dev);
  }
}
