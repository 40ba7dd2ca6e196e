/**
 * drivers/iommu/iommu.c of v5.17: which table is asked, and what is done with the answer. `applied()` is where the designs
 * part.
 */
import { applied, EBUSY, EINVAL, ENODEV, ENOMEM, type Errno, fault, mutex_lock, mutex_unlock, type Proc, WARN_ON } from "iommu-mc";
import {
  apply_resv_region,
  attach_dev,
  aux_attach_dev,
  detach_dev,
  domain_alloc,
  domain_free,
  enable_nesting,
  flush_iotlb_all,
  has,
  iotlb_sync,
  iotlb_sync_map,
  iova_to_phys,
  is_attach_deferred,
  map,
  set_dev_pasid,
  set_pgtable_quirks,
  unmap,
} from "./dispatch.js";
import { type Access, type BusType, type Device, type DomainType, driver_module, type IommuDomain, type OpsTable } from "./schema.js";

/** 5.10.223 line 1900. */
export function* __iommu_domain_alloc(bus: BusType, type: DomainType, dev: Device | null): Proc<IommuDomain | null> {
  const domain = yield* domain_alloc(bus.iommu_ops!, type, applied("alloc-from-device") ? dev : null);
  if (domain === null) return null;
  if (!isSplit()) domain.ops = bus.iommu_ops;
  domain.type = type;
  if (applied("9a630a4b41a2") && domain.ops === null) domain.ops = driver_module.domain_ops;
  return domain;
}

/** Whether a domain has a table of its own. */
function isSplit(): boolean {
  return applied("ops-as-posted") || applied("9a630a4b41a2") || applied("ops-at-attach") || applied("alloc-from-device");
}

/** 5.10.223 line 1926. */
export function* iommu_domain_free(domain: IommuDomain): Proc {
  yield* domain_free(domain.ops!, domain);
}

/** 5.10.223 line 780: once through the domain, now through the device; dd8a25c557e1 (v6.3) asks once, when the device is probed. */
function* iommu_is_attach_deferred(domain: IommuDomain, dev: Device): Proc<boolean> {
  if (applied("dd8a25c557e1")) return dev.attach_deferred;
  const ops = applied("3f6634d997db") ? dev.bus!.iommu_ops! : domain.ops!;
  if (!has(ops, "is_attach_deferred")) return false;
  return yield* is_attach_deferred(ops, applied("41bb23e70b50") ? null : domain, dev);
}

/** 5.10.223 line 1932. With ops that come with the attach, that op is the device's. */
function* __iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  const ops = applied("ops-at-attach") ? dev.bus!.iommu_ops! : domain.ops!;
  if (!has(ops, "attach_dev")) return -ENODEV;
  if (applied("cleared-at-attempt")) dev.attach_deferred = false;
  const ret = yield* attach_dev(ops, domain, dev);
  if (ret) return ret;
  if (!applied("never-cleared")) dev.attach_deferred = false;
  return 0;
}

/** 5.10.223 line 2184. */
function* __iommu_detach_device(domain: IommuDomain, dev: Device): Proc {
  if (yield* iommu_is_attach_deferred(domain, dev)) return;
  if (has(domain.ops!, "detach_dev")) yield* detach_dev(domain.ops!, domain, dev);
}

/** Its driver's probe_device() finds out whether a crashed kernel has left the IOMMU translating. */
function* __iommu_probe_device(dev: Device): Proc {
  dev.defer_attach = driver_module.is_kdump;
  const ops = dev.bus!.iommu_ops!;
  if (applied("dd8a25c557e1") && has(ops, "is_attach_deferred")) dev.attach_deferred = yield* is_attach_deferred(ops, null, dev);
}

/** 5.10.223 line 1512. */
function* iommu_alloc_default_domain(dev: Device): Proc {
  const type = dev.needs_identity ? "IDENTITY" : "DMA";
  let domain = yield* __iommu_domain_alloc(dev.bus!, type, dev);
  if (domain === null && type === "IDENTITY") domain = yield* __iommu_domain_alloc(dev.bus!, "DMA", dev);
  dev.default_domain = domain;
  dev.group_domain = domain;
}

/** 5.10.223 line 1749: what the firmware needs is mapped first, and the devices are attached then. */
export function* bus_iommu_probe(bus: BusType): Proc {
  for (const dev of bus.devices) {
    if (!dev.on_bus) continue;
    yield* __iommu_probe_device(dev);
    yield* iommu_alloc_default_domain(dev);
    const domain = dev.default_domain;
    if (domain === null) continue;
    yield* iommu_create_device_direct_mappings(domain, dev);
    if (!(yield* iommu_is_attach_deferred(domain, dev))) yield* __iommu_attach_device(domain, dev);
  }
}

/** 5.10.223 line 250: here the device is attached first, deferred or not. */
export function* iommu_probe_device(dev: Device): Proc<Errno> {
  dev.on_bus = true;
  yield* __iommu_probe_device(dev);
  yield* iommu_alloc_default_domain(dev);
  const domain = dev.default_domain;
  if (domain === null) return 0;
  const ret = yield* __iommu_attach_device(domain, dev);
  if (ret) return ret;
  yield* iommu_create_device_direct_mappings(domain, dev);
  return 0;
}

/** 5.10.223 line 725. */
function* iommu_create_device_direct_mappings(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (!isDmaDomain(domain)) return 0;
  if (dev.has_resv_region) {
    if (has(domain.ops!, "apply_resv_region")) yield* iommu_apply_resv_region(dev, domain);
    if (!(yield* iommu_iova_to_phys(domain))) {
      const ret = yield* iommu_map(domain, "read_write");
      if (ret) return ret;
    }
  }
  yield* iommu_flush_iotlb_all(domain);
  return 0;
}

/** Who is not told of the domain takes the one that the driver has the device on. */
function* iommu_apply_resv_region(dev: Device, domain: IommuDomain): Proc {
  yield* apply_resv_region(
    domain.ops!,
    applied("apply-without-device") ? null : dev,
    applied("apply-without-domain") ? dev.domain : domain,
  );
}

/** 5.10.223 include/linux/iommu.h line 520. */
export function* iommu_flush_iotlb_all(domain: IommuDomain): Proc {
  if (has(domain.ops!, "flush_iotlb_all")) yield* flush_iotlb_all(domain.ops!, domain);
}

function isDmaDomain(domain: IommuDomain): boolean {
  return domain.type === "DMA" || domain.type === "DMA_FQ";
}

/** __IOMMU_DOMAIN_PAGING. */
function isPaging(domain: IommuDomain): boolean {
  return domain.type === "UNMANAGED" || isDmaDomain(domain);
}

/** 5.10.223 line 1946, for a group of one device. */
export function* iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  yield* mutex_lock(dev.group_mutex);
  let ret: Errno = -EBUSY;
  if (dev.default_domain === null || dev.group_domain === dev.default_domain) {
    ret = yield* __iommu_attach_device(domain, dev);
    if (!ret) dev.group_domain = domain;
  }
  mutex_unlock(dev.group_mutex);
  return ret;
}

/** 5.10.223 line 2197: back to the default domain, or to nothing. */
export function* iommu_detach_device(domain: IommuDomain, dev: Device): Proc {
  yield* mutex_lock(dev.group_mutex);
  if (dev.default_domain === null) {
    yield* __iommu_detach_device(domain, dev);
    dev.group_domain = null;
  } else {
    const ret = yield* __iommu_attach_device(dev.default_domain, dev);
    if (!WARN_ON(ret !== 0, "the default domain cannot be attached again")) dev.group_domain = dev.default_domain;
  }
  mutex_unlock(dev.group_mutex);
}

/** 6.1.176 line 2187, which v5.17 has in this form: 5.10.223 asks whether there is the op. */
export function* iommu_iova_to_phys(domain: IommuDomain): Proc<boolean> {
  if (domain.type === "IDENTITY") return true;
  return yield* iova_to_phys(domain.ops!, domain);
}

/** 5.10.223 line 2442: the table is looked up once. */
export function* iommu_map(domain: IommuDomain, access: Access): Proc<Errno> {
  const ops = domain.ops!;
  if (!applied("type-tests-only") && !has(ops, "map")) return -ENODEV;
  if (!applied("null-tests-only") && !isPaging(domain)) return -EINVAL;
  const ret = yield* map(ops, domain, access);
  if (ret) return ret;
  domain.wanted = true;
  domain.mapped_by = ops;
  if (has(ops, "iotlb_sync_map")) yield* iotlb_sync_map(ops, domain);
  return 0;
}

/** 5.10.223 line 2457, without the sync. */
function* __iommu_unmap(domain: IommuDomain): Proc<boolean> {
  const ops: OpsTable = domain.ops!;
  if (!applied("type-tests-only") && !has(ops, "unmap")) return false;
  if (!applied("null-tests-only") && !isPaging(domain)) return false;
  domain.wanted = false;
  domain.mapped_by = null;
  return yield* unmap(ops, domain);
}

/** 5.10.223 line 2511. A sync of nothing is left out: drivers leave it out themselves. */
export function* iommu_unmap(domain: IommuDomain): Proc<boolean> {
  const wasMapped = yield* __iommu_unmap(domain);
  if (wasMapped && has(domain.ops!, "iotlb_sync")) yield* iotlb_sync(domain.ops!, domain);
  return wasMapped;
}

/** 6.1.176 line 2574. */
export function* iommu_enable_nesting(domain: IommuDomain): Proc<Errno> {
  if (domain.type !== "UNMANAGED" || !has(domain.ops!, "enable_nesting")) return -EINVAL;
  return yield* enable_nesting(domain.ops!, domain);
}

/** 6.1.176 line 2584. */
export function* iommu_set_pgtable_quirks(domain: IommuDomain): Proc<Errno> {
  if (domain.type !== "UNMANAGED" || !has(domain.ops!, "set_pgtable_quirks")) return -EINVAL;
  return yield* set_pgtable_quirks(domain.ops!, domain);
}

/** 5.10.223 line 2935. */
export function* iommu_aux_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (!has(domain.ops!, "aux_attach_dev")) return -ENODEV;
  return yield* aux_attach_dev(domain.ops!, domain, dev);
}

/** drivers/iommu/iommu-sva.c of v6.2. Where one op serves all attaches, it serves this. */
export function* iommu_sva_bind_device(dev: Device): Proc<IommuDomain | null> {
  const domain = yield* __iommu_domain_alloc(dev.bus!, "SVA", dev);
  if (domain === null) return null;
  if (applied("one-attach")) yield* attach_dev(domain.ops!, domain, dev);
  else yield* set_dev_pasid(domain.ops!, domain, dev);
  return domain;
}

export function* iommu_sva_unbind_device(dev: Device, domain: IommuDomain): Proc {
  dev.pasid_domain = null;
  yield* iommu_domain_free(domain);
}

/**
 * 6.1.176 line 2882: a write of DMA-FQ to the type file turns the default domain into one with a flush queue, in place. Where the
 * type is the table's it needs the table of that kind.
 */
export function* iommu_change_dev_def_domain(dev: Device): Proc<Errno> {
  yield* mutex_lock(dev.group_mutex);
  const ret = dev.default_domain === null ? -EINVAL : to_flush_queue(dev.default_domain);
  mutex_unlock(dev.group_mutex);
  return ret;
}

function to_flush_queue(domain: IommuDomain): Errno {
  if (domain.type !== "DMA") return -EINVAL;
  if (applied("type-of-ops") && driver_module.fq_ops === null) return -EINVAL;
  if (fault("iommu_dma_init_fq")) return -ENOMEM;
  if (applied("type-of-ops")) domain.ops = driver_module.fq_ops;
  domain.has_fq = true;
  domain.type = "DMA_FQ";
  return 0;
}

/** drivers/iommu/dma-iommu.c. iommu_dma_deferred_attach() (5.10.223 line 360) attached for a whole group; v5.17 attaches the one device. */
export function* iommu_dma_map_page(dev: Device): Proc<Errno> {
  const domain = dev.default_domain!;
  if (driver_module.is_kdump && (yield* iommu_is_attach_deferred(domain, dev))) {
    const ret = yield* __iommu_attach_device(domain, dev);
    if (ret) return ret;
  }
  const ret = yield* iommu_map(domain, "read_write");
  if (!ret) dev.dma_mapped = true;
  return ret;
}

/** A flush queue flushes later, without asking whether there is an op; here at once. */
export function* iommu_dma_unmap_page(dev: Device): Proc {
  const domain = dev.default_domain!;
  dev.dma_mapped = false;
  if (!domain.has_fq) {
    yield* iommu_unmap(domain);
    return;
  }
  yield* __iommu_unmap(domain);
  yield* flush_iotlb_all(domain.ops!, domain);
}
