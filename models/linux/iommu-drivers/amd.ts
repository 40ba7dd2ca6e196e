/** drivers/iommu/amd/iommu.c of 6.1.176. Has `detach_dev`; finds a device's IOMMU by the IVRS table. */
import { abstraction, applied, atomic, data_race, EINVAL, ENODEV, ENOMEM, type Errno, fault, kfree, kzalloc, type Proc } from "iommu-mc";
import {
  type DevIommuPriv,
  type Device,
  type DomainType,
  type IommuDevice,
  type IommuDomain,
  type IommuOps,
  iommu_core,
  linux,
} from "../schema.js";
import type { Driver } from "./driver.js";
import { alloc_domain, dev_iommu_priv_get, privOf, put_on_domain, registeredScope, take_off_domain } from "./hardware.js";
import { all_go_stale, allocate_id, flush_id, free_id } from "./iotlb.js";
import { flush_asid, put_pages_list } from "./page-table.js";

abstraction("AMD's alias entries in the device table, which are copies of the device's own, are not modelled", "may miss a bug");
abstraction("memory encryption, which keeps AMD's driver from asking for an identity domain as SNP does, is not modelled", "neither");

/** Line 2121, with protection_domain_alloc(): any type it is not asked about is a domain with an empty page table and an id, BLOCKED too. */
function amd_iommu_domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (ops.snp_en && type === "IDENTITY") return null;
  if (fault("domain_alloc")) return null;
  const domain = alloc_domain(ops);
  if (!iommu_core.has_iotlb) return domain;
  const id = allocate_id(domain);
  if (typeof id === "number") {
    kfree(domain);
    return null;
  }
  domain.asid = id;
  return domain;
}

/** Line 2143. cleanup_domain() of line 1987 takes devices off that are still on it. */
function amd_iommu_domain_free(domain: IommuDomain): void {
  atomic("taking the last devices off a domain that is freed is one step");
  for (const bus of iommu_core.buses) {
    for (const dev of bus.klist_devices) {
      const dev_data = dev.dev_data;
      if (dev_data !== null && dev_data.domain === domain) do_detach(dev, dev_data);
    }
  }
  const id = domain.asid;
  if (id !== null && domain.is_unflushed) all_go_stale(domain, id);
  put_pages_list(domain.table);
  if (id !== null) free_id(id);
  kfree(domain);
}

/** Line 1874. A device that cannot be initialised is given up for good. */
function* amd_iommu_probe_device(_ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const iommu = registeredScope(dev, applied("cbc040081fdf"));
  if (iommu === null) return -ENODEV;
  yield;
  if ((yield* dev_iommu_priv_get(dev)) !== null) return iommu;
  yield;
  const dev_data = find_dev_data(dev);
  if (dev_data === null) {
    iommu_ignore_device(dev);
    return -ENOMEM;
  }
  const param = dev.iommu!;
  yield;
  param.priv = dev_data;
  return iommu;
}

/** Line 282: what was kept from an earlier device with this id, or new. */
function find_dev_data(dev: Device): DevIommuPriv | null {
  atomic("AMD's data of a device is looked up and kept under the probe lock");
  if (dev.dev_data !== null) return dev.dev_data;
  if (fault("probe_device")) return null;
  const dev_data = kzalloc(linux, "dev_iommu_priv");
  dev_data.dev = dev;
  dev_data.attach_deferred = iommu_core.is_kdump_kernel;
  dev.dev_data = dev_data;
  return dev_data;
}

/**
 * Line 411: the IOMMU forgets the device, and an entry of zeroes in the device table lets its DMA through untranslated. There
 * is no domain for that; one stands here for it.
 */
function iommu_ignore_device(dev: Device): void {
  atomic("the device table entry and the lookup table are written under the probe lock");
  const untranslated = alloc_domain(dev.scope!.ops!);
  untranslated.type = "IDENTITY";
  dev.scope = null;
  data_race(() => {
    dev.hw = untranslated;
  });
}

/** Line 1917, with amd_iommu_uninit_device() of line 428: the data is kept for a device that comes back. DMA ops stay as they are. */
function* amd_iommu_release_device(dev: Device): Proc {
  if (dev.scope === null) return;
  yield;
  const dev_data = yield* dev_iommu_priv_get(dev);
  if (dev_data === null) return;
  yield;
  atomic("taking one device off its domain is one step");
  if (dev_data.domain !== null) do_detach(dev, dev_data);
  const param = dev.iommu!;
  yield;
  param.priv = null;
}

/** Line 2390. */
function amd_iommu_is_attach_deferred(dev: Device): boolean {
  return privOf(dev).attach_deferred;
}

/** Line 2421: for devices that can use the second level of translation themselves, unless SNP forbids it. */
function amd_iommu_def_domain_type(ops: IommuOps, dev: Device): DomainType | null {
  if (dev.iommu!.priv === null) return null;
  return dev.needs_identity && !ops.snp_en ? "IDENTITY" : null;
}

/**
 * Line 2188. The attach is no longer deferred, whatever becomes of it. The device is taken off its old domain before
 * attach_device() of line 1758 can fail, which it does if ATS, PRI and PASID cannot be switched on.
 */
function amd_iommu_attach_device(domain: IommuDomain, dev: Device): Errno {
  if (dev.scope === null) return -EINVAL;
  const dev_data = privOf(dev);
  dev_data.attach_deferred = false;
  if (dev_data.domain !== null) do_detach(dev, dev_data);
  if (fault("attach_dev", !domain.attached_before.has(dev))) return -EINVAL;
  do_attach(domain, dev, dev_data);
  return 0;
}

/** Line 1656, with the flush that attach_device() makes for what a crashed kernel has left. */
function do_attach(domain: IommuDomain, dev: Device, dev_data: DevIommuPriv): void {
  put_on_domain(domain, dev, dev_data);
  if (domain.asid === null) return;
  domain.dev_iommu++;
  domain.is_unflushed = false;
  flush_id(domain.asid);
}

/**
 * Line 1683. What the device may have cached stays cached, unless it is flushed while there still is a device for which a flush
 * is sent: 9825bd94e3a2 (v5.0).
 */
function do_detach(dev: Device, dev_data: DevIommuPriv): void {
  const domain = dev_data.domain!;
  take_off_domain(dev, dev_data);
  if (domain.asid === null) return;
  if (applied("9825bd94e3a2")) flush_id(domain.asid);
  else domain.is_unflushed = true;
  domain.dev_iommu--;
}

/** Line 2163: whatever the device is on, and nothing if it is on nothing. */
function amd_iommu_detach_device(dev: Device): void {
  const dev_data = privOf(dev);
  if (dev.scope !== null && dev_data.domain !== null) do_detach(dev, dev_data);
}

/** Line 2451. */
export const amd_iommu_ops: Driver = {
  domain_alloc: amd_iommu_domain_alloc,
  probe_device: amd_iommu_probe_device,
  release_device: amd_iommu_release_device,
  is_attach_deferred: amd_iommu_is_attach_deferred,
  def_domain_type: amd_iommu_def_domain_type,
  attach_dev: amd_iommu_attach_device,
  detach_dev: amd_iommu_detach_device,
  flush_iotlb_all: flush_asid,
  free: amd_iommu_domain_free,
};
