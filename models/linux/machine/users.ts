/** Who uses what came after 6.1: drivers that use PASIDs, and resets of PCI devices. */
import { abstraction, atomic, data_race, idle, kfree, kzalloc, mutex_lock, mutex_unlock, type Proc } from "iommu-mc";
import {
  iommu_attach_group,
  iommu_detach_group,
  iommu_domain_alloc,
  iommu_domain_free,
  iommu_get_domain_for_dev,
} from "../iommu/attach.js";
import { iommu_unmap } from "../iommu/map.js";
import { iommu_attach_device_pasid, iommu_attach_handle_get, iommu_detach_device_pasid } from "../iommu/pasid.js";
import { pci_dev_reset_iommu_done, pci_dev_reset_iommu_prepare } from "../iommu/reset.js";
import { arm_smmu_sva_bind, arm_smmu_sva_unbind, mmput } from "../iommu/sva.js";
import { map_page } from "../iommu-drivers/page-table.js";
import {
  iommufd_device_attach,
  iommufd_device_bind,
  iommufd_device_detach,
  iommufd_device_replace,
  iommufd_device_unbind,
} from "../iommufd/device.js";
import { type Id, iommufd_get_object, iommufd_hwpt_alloc, iommufd_object_remove, iommufd_put_object } from "../iommufd/object.js";
import { type BusType, type Device, type IommuAttachHandle, type IommufdCtx, linux, type MmStruct, type Page } from "../schema.js";

abstraction("what a reset does to a device is nothing but that it takes a while", "may miss a bug");

/** pci_reset_function(): somebody writes to the `reset` file of the device, whose lock is held meanwhile. */
export function* reset_function(dev: Device): Proc {
  yield* mutex_lock(dev.lock);
  yield* pcie_flr(dev);
  mutex_unlock(dev.lock);
}

/** The same, again and again. */
export function* reset_again(dev: Device): Proc {
  for (;;) {
    yield idle();
    yield* reset_function(dev);
  }
}

/** drivers/pci/pci.c of 7.2.13 line 4382: one reset. */
export function* pcie_flr(dev: Device): Proc {
  const ret = yield* pci_dev_reset_iommu_prepare(dev);
  yield;
  if (ret) return;
  yield* pci_dev_reset_iommu_done(dev);
}

/** cxl_reset_bus_function(): a reset that prepares the device, and then calls another that does so too. */
export function* cxl_reset_bus_function(dev: Device): Proc {
  yield* mutex_lock(dev.lock);
  const ret = yield* pci_dev_reset_iommu_prepare(dev);
  yield;
  if (ret === 0) {
    yield* pcie_flr(dev);
    yield;
    yield* pci_dev_reset_iommu_done(dev);
  }
  mutex_unlock(dev.lock);
}

/** A driver gives its device a domain for a PASID, and takes it off. */
export function* use_pasid(dev: Device): Proc {
  const domain = iommu_domain_alloc(dev.bus!);
  if (domain === null) return;
  yield;
  const handle = kzalloc(linux, "iommu_attach_handle");
  const ret = yield* iommu_attach_device_pasid(domain, dev, handle);
  yield idle();
  if (ret === 0) yield* iommu_detach_device_pasid(domain, dev);
  yield;
  kfree(handle);
  iommu_domain_free(domain);
}

/** The same, but it stays attached if it can be: what iommufd_hwpt_attach_device() does for a PASID, which frees its handle if it fails. */
export function* attach_pasid(dev: Device): Proc {
  const domain = iommu_domain_alloc(dev.bus!);
  if (domain === null) return;
  yield;
  const handle = kzalloc(linux, "iommu_attach_handle");
  const ret = yield* iommu_attach_device_pasid(domain, dev, handle);
  if (ret === 0) return;
  yield;
  kfree(handle);
  iommu_domain_free(domain);
}

/** idxd: a driver attaches the domain that its device is on already to a PASID too, for DMA of the kernel with it. Until it is unbound. */
export function* attach_default_to_pasid(dev: Device): Proc {
  const domain = yield* iommu_get_domain_for_dev(dev);
  yield;
  const handle = kzalloc(linux, "iommu_attach_handle");
  const ret = yield* iommu_attach_device_pasid(domain!, dev, handle);
  yield idle();
  if (ret === 0) yield* iommu_detach_device_pasid(domain!, dev);
  yield;
  kfree(handle);
}

/** A driver of several devices makes a domain for one of them, attaches it to both, and takes it off. */
export function* share_domain(dev: Device, other: Device): Proc {
  const domain = iommu_domain_alloc(dev.bus!);
  if (domain === null) return;
  for (const each of [dev, other]) {
    yield;
    yield* iommu_attach_group(domain, each.iommu_group!);
  }
  for (const each of [dev, other]) {
    yield;
    yield* iommu_detach_group(domain, each.iommu_group!);
  }
  yield;
  iommu_domain_free(domain);
}

/**
 * The device asks for a page with its PASID. The fault is queued with the handle that it is found by, which the driver waits for
 * when it takes the PASID off (iopf_queue_flush_dev()); who handles it reads the handle later.
 */
export function* fault_and_handle(dev: Device): Proc {
  yield idle(() => data_race(() => dev.hw_pasid !== null));
  const handle = find_attach_handle(dev);
  if (handle === null) return;
  yield;
  handle_fault(handle);
}

function find_attach_handle(dev: Device): IommuAttachHandle | null {
  atomic("a device that is told that the PASID is blocked asks for nothing more");
  return data_race(() => dev.hw_pasid) === null ? null : iommu_attach_handle_get(dev.iommu_group!, "PASID");
}

function handle_fault(handle: IommuAttachHandle): boolean {
  return handle.domain !== null;
}

/** A process that makes two page tables, gives the device the one and then the other, and goes away. */
export function* iommufd_user(ictx: IommufdCtx, dev: Device): Proc {
  const first = yield* iommufd_hwpt_alloc(ictx, 0, dev.bus!);
  yield;
  const second = yield* iommufd_hwpt_alloc(ictx, 1, dev.bus!);
  yield;
  const idev = yield* iommufd_device_bind(ictx, dev);
  yield;
  if (idev !== null) {
    const attached = yield* iommufd_device_attach(idev, 0);
    yield;
    if (attached === 0) {
      yield* iommufd_device_replace(idev, 1);
      yield;
      yield* iommufd_device_detach(idev);
      yield;
    }
    yield* iommufd_device_unbind(idev);
    yield;
  }
  if (first === 0) yield* iommufd_object_remove(ictx, 0);
  yield;
  if (second === 0) yield* iommufd_object_remove(ictx, 1);
}

/** A process that gives the device one of its page tables, and takes it back. */
export function* iommufd_attach_once(ictx: IommufdCtx, dev: Device, id: Id): Proc {
  const idev = yield* iommufd_device_bind(ictx, dev);
  yield;
  if (idev === null) return;
  const attached = yield* iommufd_device_attach(idev, id);
  yield;
  if (attached === 0) {
    yield* iommufd_device_detach(idev);
    yield;
  }
  yield* iommufd_device_unbind(idev);
}

/** A process that makes a page table, maps a page in it, gives it to the device, and takes it back; it keeps the page table. */
export function* iommufd_user_of_page(ictx: IommufdCtx, dev: Device, page: Page): Proc {
  const made = yield* iommufd_hwpt_alloc(ictx, 0, dev.bus!);
  yield;
  if (made !== 0) return;
  page.for_dma = true;
  map_page(ictx.hwpt0!.domain!, 0, page);
  yield;
  yield* iommufd_attach_once(ictx, dev, 0);
}

/** Another thread of it unmaps the page, which is the kernel's again when the ioctl returns. */
export function* iommufd_unmap(ictx: IommufdCtx, page: Page): Proc {
  yield idle(() => page.for_dma);
  yield* iommu_unmap(ictx.hwpt0!.domain!, 0, 1);
  yield;
  page.for_dma = false;
}

/** A thread of a process makes a page table, and another of its ioctls names it. */
export function* use_page_table(ictx: IommufdCtx, bus: BusType): Proc {
  yield* iommufd_hwpt_alloc(ictx, 0, bus);
  yield;
  const hwpt = iommufd_get_object(ictx, 0);
  yield;
  if (hwpt !== null) yield* iommufd_put_object(hwpt);
}

/** Another thread destroys it. */
export function* destroy_page_table(ictx: IommufdCtx): Proc {
  yield idle(() => ictx.hwpt0 !== null);
  yield* iommufd_object_remove(ictx, 0);
}

/** A process that lets a device share its memory, and exits: its memory goes first (exit_mm()), and then its files (exit_files()), of which one is the device's. */
export function* sva_user(mm: MmStruct): Proc {
  const bond = yield* arm_smmu_sva_bind(mm);
  yield;
  yield* mmput(mm);
  yield;
  if (bond !== null) yield* arm_smmu_sva_unbind(bond);
}
