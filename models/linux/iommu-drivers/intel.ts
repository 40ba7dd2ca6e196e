/** drivers/iommu/intel/iommu.c of 6.1.176. Has `detach_dev`; finds a device's IOMMU by the DMAR table. */
import {
  abstraction,
  applied,
  atomic,
  data_race,
  EBUSY,
  ENODEV,
  ENOMEM,
  EPERM,
  type Errno,
  fault,
  kfree,
  kzalloc,
  list_add_tail,
  list_del,
  type Proc,
  WARN_ON,
} from "iommu-mc";
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
import {
  alloc_domain,
  alloc_priv,
  dev_iommu_priv_get,
  free_priv,
  privOf,
  put_on_domain,
  registeredScope,
  take_off_domain,
} from "./hardware.js";
import { all_go_stale, allocate_id, flush_id, free_id, idOf } from "./iotlb.js";
import { intel_flush_iotlb_all, put_pages_list } from "./page-table.js";

abstraction(
  "before 586081d3f6b1 (v5.18) what Intel's driver knows of a device was made when that was attached; here it is made when the device is probed and freed when it is released, so that to attach a released device is a NULL dereference, and not a device that stays on the domain",
  "may cry wolf",
);

/** Line 4210. There is one identity domain for all. */
function intel_iommu_domain_alloc(ops: IommuOps, type: DomainType): IommuDomain | null {
  if (type === "BLOCKED") return null;
  if (type === "IDENTITY") return ops.si_domain;
  if (fault("domain_alloc")) return null;
  return alloc_domain(ops);
}

/** Line 4537. Before 586081d3f6b1 (v5.18) there was nothing to be allocated until the device was attached, and a deferred attach was noted here. */
function* intel_iommu_probe_device(_ops: IommuOps, dev: Device): Proc<IommuDevice | Errno> {
  const iommu = registeredScope(dev, applied("c919739ce472"));
  if (iommu === null) return -ENODEV;
  yield;
  if (fault("probe_device", applied("586081d3f6b1"))) return -ENOMEM;
  yield* alloc_priv(dev, iommu_core.is_kdump_kernel && !applied("586081d3f6b1"));
  return iommu;
}

/**
 * Line 4601, with dmar_remove_one_dev_info() of line 4134, which since 586081d3f6b1 (v5.18) takes for granted that the device is on a domain. Since 81e921fd3216
 * (v6.9) the core has blocked the device before, where the scenario has that domain; where it has none, that is done here. The DMA ops
 * are the core's since b67483b3c44e (v6.10). Until 458b7c8e0dde (v5.3) the device stayed on its domain, and what the driver knows of
 * it on the domain's list.
 */
function* intel_iommu_release_device(dev: Device): Proc {
  const info = (yield* dev_iommu_priv_get(dev))!;
  yield;
  if (!applied("458b7c8e0dde")) {
    yield* keep_info(dev, info);
    return;
  }
  atomic("taking one device off its domain is one step");
  if (!applied("586081d3f6b1")) leave_if_on_domain(dev, info);
  else if (!applied("81e921fd3216")) leave_domain(dev, info);
  else if (info.domain !== null && dev.iommu!.iommu_dev!.ops!.release_domain === null) leave_domain(dev, info);
  yield;
  yield* free_priv(dev, info);
  if (applied("b67483b3c44e")) return;
  yield;
  dev.has_iommu_dma_ops = false;
}

/** What is left behind where nothing is detached: who looks for the device's requester id in the driver's list finds it. */
function* keep_info(dev: Device, info: DevIommuPriv): Proc {
  const param = dev.iommu!;
  yield;
  param.priv = null;
  yield;
  dev.dev_data = info;
  yield;
  dev.has_iommu_dma_ops = false;
}

/**
 * Line 4771: tables of a crashed kernel are in use, and none of this kernel's domains is attached. Before 586081d3f6b1 (v5.18) none was
 * ever attached (attach_deferred() of 5.10.223).
 */
function intel_iommu_is_attach_deferred(dev: Device): boolean {
  if (!applied("586081d3f6b1")) return privOf(dev).attach_deferred;
  return iommu_core.is_kdump_kernel && privOf(dev).domain === null;
}

/** Line 2648: sound and graphics on the platforms, or with the options, that `iommu_identity_mapping` is about; whom to trust is the core's since 28b41e2c6aeb (v5.11). */
export function device_def_domain_type(_ops: IommuOps, dev: Device): DomainType | null {
  if (dev.untrusted && !applied("28b41e2c6aeb")) return "DMA";
  return dev.needs_identity ? "IDENTITY" : null;
}

/**
 * Line 4296. A device locked by an RMRR is refused before anything is done to it. Any other is blocked first
 * (`device_block_translation`), so that a failure leaves it without any translation.
 */
function intel_iommu_attach_device(domain: IommuDomain, dev: Device): Errno {
  if (domain.type === "BLOCKED") return blocking_domain_attach_dev(domain, dev);
  return leave_old_domain(domain, dev) || domain_add_dev_info(domain, dev);
}

/** 6.12.107 line 3468: the static blocking domain has no list of devices. Clearing a context entry flushes it, copied or not. */
function blocking_domain_attach_dev(blocking_domain: IommuDomain, dev: Device): Errno {
  const info = privOf(dev);
  if (info.domain !== null) leave_domain(dev, info);
  dev.cached_context = null;
  data_race(() => {
    dev.hw = blocking_domain;
  });
  return 0;
}

/** The same where nobody holds the group's mutex: whoever else attaches the device comes between. */
function* intel_iommu_attach_device_unlocked(domain: IommuDomain, dev: Device): Proc<Errno> {
  atomic("blocking a device's translation is one step");
  const ret = leave_old_domain(domain, dev);
  if (ret) return ret;
  yield;
  atomic("putting a device on a domain is one step");
  return domain_add_dev_info(domain, dev);
}

function leave_old_domain(domain: IommuDomain, dev: Device): Errno {
  if (dev.rmrr_locked && domain.type === "UNMANAGED") return -EPERM;
  const info = privOf(dev);
  if (!applied("c5d27545fb2f")) leave_if_on_domain(dev, info);
  else if (info.domain !== null) leave_domain(dev, info);
  return 0;
}

/**
 * Line 2504. Puts the device on the domain's list, whether or not it is on one. Who had the requester id before, and was left
 * behind on another domain, is a reason to refuse in dmar_insert_one_dev_info() (5.10.223 line 2751). That looked for the device itself
 * too, by its requester id, until c5d27545fb2f (v5.18).
 */
function domain_add_dev_info(domain: IommuDomain, dev: Device): Errno {
  const info = privOf(dev);
  if (!applied("c5d27545fb2f")) {
    const found = data_race(() => dev.hw);
    if (found !== null && found.type !== "COPIED") return found === domain ? 0 : -EBUSY;
  }
  const stale = dev.dev_data;
  if (stale !== null && stale.domain !== null && stale.domain !== domain) return -EBUSY;
  if (fault("attach_dev", !domain.attached_before.has(dev))) return -ENOMEM;
  const ret = domain_attach_iommu(domain);
  if (ret) return ret;
  WARN_ON(info.domain !== null, "list_add() of what is on a list already");
  put_on_domain(domain, dev, info);
  if (!applied("586081d3f6b1")) info.attach_deferred = false;
  domain_context_mapping_one(dev);
  return 0;
}

/** Line 1954: since aec0e86172a7 (v4.10) a context entry that was copied from a crashed kernel is flushed when it is written over. */
function domain_context_mapping_one(dev: Device): void {
  if (applied("aec0e86172a7")) dev.cached_context = null;
}

/** Line 4322, with dmar_remove_one_dev_info(): whatever the device is on, not what the caller names. */
function intel_iommu_detach_device(dev: Device): void {
  const info = privOf(dev);
  if (applied("586081d3f6b1")) leave_domain(dev, info);
  else leave_if_on_domain(dev, info);
}

/** dmar_remove_one_dev_info() of 5.10.223 line 5175. What is known of a device goes with the domain when that is freed. */
function leave_if_on_domain(dev: Device, info: DevIommuPriv): void {
  const isListed = info.domain !== null && data_race(() => dev.hw) === info.domain;
  if (isListed) leave_domain(dev, info);
  else info.domain = null;
}

/** What is common to lines 4134 and 4163. The context entry is cleared and the domain's translations are flushed before the domain may lose its id. */
function leave_domain(dev: Device, info: DevIommuPriv): void {
  const domain = info.domain!;
  take_off_domain(dev, info);
  domain_context_clear_one(domain);
  domain_detach_iommu(domain);
}

/** Line 2342: what the device may have cached is flushed with all else that has the domain's id. */
function domain_context_clear_one(domain: IommuDomain): void {
  const id = idOf(domain);
  if (id === null) return;
  all_go_stale(domain, id);
  flush_id(id);
}

/** Line 1809: an id for the domain at the IOMMU of the first of its devices. */
export function domain_attach_iommu(domain: IommuDomain): Errno {
  if (!iommu_core.has_iotlb) return 0;
  if (domain.iommu_array === null) {
    const id = allocate_id(domain);
    if (typeof id === "number") return id;
    domain.iommu_array = kzalloc(linux, "iommu_domain_info");
    domain.iommu_array.did = id;
  }
  domain.iommu_array.refcnt++;
  return 0;
}

/** Line 1859: the last device takes the id with it. */
export function domain_detach_iommu(domain: IommuDomain): void {
  const info = domain.iommu_array;
  if (info === null) return;
  info.refcnt--;
  if (info.refcnt > 0) return;
  free_id(info.did!);
  domain.iommu_array = null;
  kfree(info);
}

/**
 * Line 4246, with domain_exit() of line 1890: the page table is freed without a flush, which the last device's leaving was. A
 * structure that is kept, with a warning, because a device is still on the domain, counts as freed.
 */
function intel_iommu_domain_free(domain: IommuDomain): void {
  if (domain === domain.ops!.si_domain) return;
  if (!applied("c5d27545fb2f")) domain_remove_dev_info(domain);
  put_pages_list(domain.table);
  kfree(domain);
}

/**
 * 7.2.13 line 3633; 6.12.107 line 4355. A PASID that the device has no entry for is refused with a warning
 * (intel_pasid_get_entry()). What it leaves is a domain, or nothing if the PASID is blocked.
 */
function intel_iommu_set_dev_pasid(domain: IommuDomain, dev: Device, old: IommuDomain | null): Errno {
  if (WARN_ON(dev.max_pasids <= 1, "a PASID beyond what the device's PASID table has room for")) return -ENODEV;
  if (fault("set_dev_pasid")) return -ENOMEM;
  const dev_pasid = kzalloc(linux, "dev_pasid_info");
  dev_pasid.dev = dev;
  list_add_tail(dev_pasid, domain.dev_pasids);
  data_race(() => {
    dev.hw_pasid = domain;
  });
  if (old !== null) domain_remove_dev_pasid(old, dev);
  return 0;
}

/** 7.2.13 line 3547. What stands for a blocking domain (BLOCKED in the C, here at times empty) has no such list. */
function domain_remove_dev_pasid(domain: IommuDomain, dev: Device): void {
  if (domain.type === "BLOCKED" || domain === dev.iommu_group!.blocking_domain) return;
  for (const dev_pasid of domain.dev_pasids) {
    if (dev_pasid.dev === dev) {
      list_del(dev_pasid, domain.dev_pasids);
      kfree(dev_pasid);
      return;
    }
  }
  WARN_ON(true, "a PASID is taken off a domain that it is not on");
}

/** 7.2.13 line 3583, as blocking_domain_set_dev_pasid(); 6.12.107 line 4321 is an operation of its own. */
function intel_iommu_remove_dev_pasid(domain: IommuDomain, dev: Device): void {
  data_race(() => {
    dev.hw_pasid = null;
  });
  domain_remove_dev_pasid(domain, dev);
}

/** 5.10.223 line 2600, of domain_exit(): takes off the domain what is still on it. */
function domain_remove_dev_info(domain: IommuDomain): void {
  atomic("taking the last devices off a domain that is freed is one step");
  for (const bus of iommu_core.buses) {
    for (const dev of bus.klist_devices) {
      const info = dev.dev_data;
      if (info !== null && info.domain === domain) leave_domain(dev, info);
      data_race(() => {
        if (dev.hw === domain) dev.hw = null;
      });
    }
  }
}

/** Line 4808. */
export const intel_iommu_ops: Driver = {
  domain_alloc: intel_iommu_domain_alloc,
  probe_device: intel_iommu_probe_device,
  release_device: intel_iommu_release_device,
  is_attach_deferred: intel_iommu_is_attach_deferred,
  def_domain_type: device_def_domain_type,
  attach_dev: intel_iommu_attach_device,
  attach_dev_unlocked: intel_iommu_attach_device_unlocked,
  detach_dev: intel_iommu_detach_device,
  set_dev_pasid: intel_iommu_set_dev_pasid,
  remove_dev_pasid: intel_iommu_remove_dev_pasid,
  flush_iotlb_all: intel_flush_iotlb_all,
  free: intel_iommu_domain_free,
};
