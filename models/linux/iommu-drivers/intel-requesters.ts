/**
 * drivers/iommu/intel/iommu.c of 6.1.176, 6.12.107 and 7.2.13, with the driver's list of a domain's devices and its translation
 * structures, which intel.ts leaves out. For scenarios that say which requester ids devices have.
 */
import { applied, atomic, ENODEV, ENOMEM, type Errno, fault, kfree, kzalloc, type Proc, WARN_ON } from "iommu-mc";
import { INIT_LIST_HEAD, list_add, list_del, list_empty } from "../lib/list-head.js";
import { type DevIommuPriv, type Device, type DomainType, type IommuDevice, type IommuDomain, type IommuOps, linux } from "../schema.js";
import type { Driver } from "./driver.js";
import { alloc_domain, alloc_priv, dev_iommu_priv_get, free_priv, privOf, registeredScope } from "./hardware.js";
import { device_def_domain_type, domain_attach_iommu, domain_detach_iommu } from "./intel.js";
import {
  device_setup_pass_through,
  domain_context_clear,
  domain_context_mapped,
  domain_context_mapping,
  intel_pasid_setup_entry,
  intel_pasid_setup_sm_context,
  intel_pasid_tear_down_entry,
  intel_pasid_teardown_sm_context,
  load_into_iotlb,
  sm_supported,
} from "./intel-context.js";
import { intel_flush_iotlb_all, put_pages_list } from "./page-table.js";

/** 6.1.176 line 4210. The static blocking domain, since 35a99c54dd60 (v6.2), is that which devices are released on. */
function requesters_domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type === "BLOCKED") return applied("35a99c54dd60") ? ops.release_domain : null;
  if (type === "IDENTITY") return ops.si_domain;
  if (fault("domain_alloc")) return null;
  const domain = alloc_domain(ops);
  domain.devices = kzalloc(linux, "list_head");
  INIT_LIST_HEAD(domain.devices);
  return domain;
}

/**
 * 6.1.176 line 4246 with domain_exit() of line 1890, 6.12.107 line 3640. The page table goes even if a device is still on the
 * domain's list, and the domain stays; 7.2.13 line 3020 keeps both.
 */
function requesters_domain_free(domain: IommuDomain): void {
  if (domain === domain.ops!.si_domain || domain === domain.ops!.release_domain) return;
  put_pages_list(domain.table);
  domain.has_no_pgd = true;
  if (WARN_ON(!list_empty(domain.devices!), "a domain is freed with a device on its list")) return;
  kfree(domain.devices);
  kfree(domain);
}

/** 6.1.176 line 4537, 6.12.107 line 3913, 7.2.13 line 3253. */
function* intel_iommu_probe_device(_ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const iommu = registeredScope(dev, true);
  if (iommu === null) return -ENODEV;
  yield;
  if (fault("probe_device")) return -ENOMEM;
  const info = yield* alloc_priv(dev);
  yield;
  atomic("nobody else has what a driver knows of a device that is being probed");
  info.link = kzalloc(linux, "list_head");
  if (sm_supported(dev)) {
    info.pasid_table = kzalloc(linux, "pasid_table");
    if (applied("301f1a80487f")) yield* intel_pasid_setup_sm_context(dev);
  }
  return iommu;
}

/**
 * 6.1.176 line 4601, 6.12.107 line 4018, 7.2.13 line 3379. Since 81e921fd3216 (v6.9) the core has put the device on the blocking
 * domain before. Until b67483b3c44e (v6.10) its DMA ops are the driver's to take away.
 */
function* intel_iommu_release_device(dev: Device): Proc {
  const info = (yield* dev_iommu_priv_get(dev))!;
  yield;
  if (!applied("81e921fd3216")) {
    yield* dmar_remove_one_dev_info(dev, info);
    yield;
  }
  if (sm_supported(dev) && applied("301f1a80487f")) {
    yield* intel_pasid_teardown_sm_context(dev);
    yield;
  }
  kfree(info.pasid_table);
  yield;
  kfree(info.link);
  yield;
  yield* free_priv(dev, info);
  if (applied("b67483b3c44e")) return;
  yield;
  dev.has_iommu_dma_ops = false;
}

/** 6.1.176 line 4134: the tables, the list and the domain's id each have a lock of their own. */
function* dmar_remove_one_dev_info(dev: Device, info: DevIommuPriv): Proc {
  atomic("context and PASID entries are cleared under the IOMMU's lock");
  if (sm_supported(dev)) yield* intel_pasid_tear_down_entry(dev);
  yield* domain_context_clear(info);
  yield;
  atomic("a device is taken off its domain's list under the domain's lock");
  const domain = info.domain!;
  unlink_from(domain, info);
  yield;
  atomic("a domain gives its id back under the IOMMU's lock");
  give_back_id(domain);
  info.domain = null;
}

function unlink_from(domain: IommuDomain, info: DevIommuPriv): void {
  WARN_ON(domain.ops === null, "the domain the device is on was never initialised");
  list_del(info.link!);
}

function give_back_id(domain: IommuDomain): void {
  if (domain.iommu_array !== null && domain.iommu_array.refcnt === 1) load_into_iotlb(domain);
  domain_detach_iommu(domain);
}

/**
 * 6.1.176 line 4163, 6.12.107 line 3411, 7.2.13 line 2744. Since 2031c469f816 (v6.12) the device itself says whether there is anything to
 * block, since the static identity domain has no list. Since 1f2557e08a61 (v6.13, which 6.12.107 has) the domain has lost its cache tag before.
 */
function* device_block_translation(dev: Device): Proc {
  const info = privOf(dev);
  if (applied("2031c469f816") && !info.domain_attached) return;
  const domain = info.domain;
  if (domain !== null && applied("1f2557e08a61")) {
    cache_tag_unassign_domain(domain);
    yield;
    atomic("context and PASID entries are cleared under the IOMMU's lock");
  }
  if (sm_supported(dev)) yield* intel_pasid_tear_down_entry(dev);
  else yield* domain_context_clear(info);
  info.domain_attached = false;
  if (domain === null) return;
  unlink_from(domain, info);
  if (!applied("1f2557e08a61")) cache_tag_unassign_domain(domain);
  give_back_id(domain);
  info.domain = null;
}

/** cache.c of 6.12.107 line 214, of 7.2.13 line 222: nothing is flushed of what was cached without it. */
function cache_tag_assign_domain(domain: IommuDomain): void {
  if (!applied("3b1d9e2b2d68")) return;
  atomic("a domain's cache tags have a lock of their own");
  domain.cache_tags++;
}

/** cache.c of 6.12.107 line 238, of 7.2.13 line 246. */
function cache_tag_unassign_domain(domain: IommuDomain): void {
  if (!applied("3b1d9e2b2d68")) return;
  atomic("a domain's cache tags have a lock of their own");
  domain.cache_tags--;
}

/** Who is asked to attach depends on the domain's own operations. */
function* attach(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (domain.type === "BLOCKED") return yield* blocking_domain_attach_dev(domain, dev);
  if (domain.type === "IDENTITY" && applied("2031c469f816")) return yield* identity_domain_attach_dev(domain, dev);
  return yield* intel_iommu_attach_device(domain, dev);
}

/** 6.12.107 line 3468, 7.2.13 line 2779. */
function* blocking_domain_attach_dev(_domain: IommuDomain, dev: Device): Proc<Errno> {
  yield* device_block_translation(dev);
  return 0;
}

/** 6.12.107 line 4617, 7.2.13 line 3855. */
function* identity_domain_attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  yield* device_block_translation(dev);
  let ret: Errno = 0;
  if (sm_supported(dev)) ret = intel_pasid_setup_entry(domain, dev);
  else yield* device_setup_pass_through(domain, dev);
  if (!ret) privOf(dev).domain_attached = true;
  return ret;
}

/**
 * 6.1.176 line 4296, 6.12.107 line 3693, 7.2.13 line 3147. Before b1cf1563f3b7 (v6.2) a device counted as attached only if the tables had
 * entries for all of its requester ids.
 */
function* intel_iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  const info = privOf(dev);
  const isMapped = applied("b1cf1563f3b7") || domain_context_mapped(dev);
  if (applied("2031c469f816") || (isMapped && info.domain !== null)) yield* device_block_translation(dev);
  return yield* dmar_domain_attach_device(domain, dev);
}

/**
 * 6.1.176 line 2504, where it is called domain_add_dev_info(); 6.12.107 line 1986, 7.2.13 line 1325. Since 041be2717b19 (v6.10) the domain has
 * its cache tag when the tables have been set up.
 */
function* dmar_domain_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  const info = privOf(dev);
  if (fault("domain_attach_iommu", !domain.attached_before.has(dev))) return -ENOMEM;
  const failed = domain_attach_iommu(domain);
  if (failed) return failed;
  if (!applied("041be2717b19")) cache_tag_assign_domain(domain);
  info.domain = domain;
  if (applied("2031c469f816")) info.domain_attached = true;
  list_add(info.link!, domain.devices!);
  const ret = sm_supported(dev) ? intel_pasid_setup_entry(domain, dev) : 0;
  if (ret) {
    yield* device_block_translation(dev);
    return ret;
  }
  if (!sm_supported(dev) || !applied("301f1a80487f")) yield* domain_context_mapping(domain, dev);
  domain.attached_before.add(dev);
  if (!applied("041be2717b19")) return 0;
  yield;
  cache_tag_assign_domain(domain);
  return 0;
}

/** 6.1.176 line 4808. Of legacy and of scalable mode. */
export const intel_requesters_ops: Driver = {
  domain_alloc: requesters_domain_alloc,
  probe_device: intel_iommu_probe_device,
  release_device: intel_iommu_release_device,
  def_domain_type: device_def_domain_type,
  attach_dev_calls: attach,
  flush_iotlb_all: intel_flush_iotlb_all,
  free: requesters_domain_free,
};
