/** The default domain of a group in drivers/iommu/iommu.c, from 5.10.223 to 7.2.13: its type, its direct mappings, and changing it through sysfs. */
import {
  abstraction,
  applied,
  data_race,
  EBUSY,
  EINVAL,
  EIO,
  ENODEV,
  ENOMEM,
  EPERM,
  type Errno,
  fault,
  list_empty,
  list_first_entry,
  list_is_singular,
  lockdep_assert_held,
  mutex_lock,
  mutex_unlock,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { def_domain_type, iommu_flush_iotlb_all, opsOf } from "../iommu-drivers/index.js";
import { type BusType, type Device, type DomainType, type IommuDomain, type IommuGroup, iommu_core } from "../schema.js";
import {
  __iommu_attach_device,
  __iommu_domain_alloc,
  __iommu_group_domain_alloc,
  __iommu_group_set_domain,
  __iommu_group_set_domain_internal,
  iommu_domain_free,
} from "./attach.js";
import { iommu_dma_init_fq } from "./dma-cookie.js";
import { iommu_setup_dma_ops, probe_finalize } from "./dma-iommu.js";
import { iommu_is_dma_domain } from "./domain-type.js";
import { iommu_group_ref_get } from "./group.js";

abstraction("where IOVAs are not modelled, bringing up a flush queue for a domain (iommu_dma_init_fq) does not fail", "may miss a bug");

/**
 * 5.10.223 line 1470, 6.1.176 line 1578: what the device needs; null if anything will do. Before 28b41e2c6aeb (v5.11) it was for the IOMMU's driver to ask
 * whether the device is to be trusted, of which Intel's did.
 */
function iommu_get_def_domain_type(dev: Device): DomainType | null {
  const needed = def_domain_type(dev);
  return dev.untrusted && applied("28b41e2c6aeb") ? "DMA" : needed;
}

/** 5.10.223 line 1481, 6.1.176 line 1591: sets the group's default domain; the domain too, where there was none. Before 211ff31b3d33 (v5.15) without the mutex, at times. */
function* iommu_group_alloc_default_domain(bus: BusType, group: IommuGroup, type: DomainType): Proc<Errno> {
  let dom = __iommu_domain_alloc(bus.iommu_ops, type);
  if (dom === null && type !== "DMA") dom = __iommu_domain_alloc(bus.iommu_ops, "DMA");
  if (dom === null) return -ENOMEM;
  yield;
  group.default_domain = dom;
  yield;
  const hadDomain = group.domain !== null;
  if (!applied("211ff31b3d33")) yield;
  if (!hadDomain) group.domain = dom;
  return 0;
}

/**
 * 5.10.223 line 1512, 6.1.176 line 1614: for a device that comes alone; nobody asks the other devices of the group. Before 79659190ee97 it took
 * a reference of its own on the group, which nobody gave back.
 */
export function* iommu_alloc_default_domain(group: IommuGroup, dev: Device): Proc<Errno> {
  if (!applied("79659190ee97")) iommu_group_ref_get(group);
  if (group.default_domain !== null) return 0;
  const type = iommu_get_def_domain_type(dev) ?? iommu_core.def_domain_type;
  return yield* iommu_group_alloc_default_domain(dev.bus!, group, type);
}

/** 5.10.223 line 1683, 6.1.176 line 1739: asks every device of the group; two that differ get what the kernel's policy says. */
export function* probe_alloc_default_domain(bus: BusType, group: IommuGroup): Proc {
  if (group.default_domain !== null) return;
  let needed: DomainType | null = null;
  let isConflict = false;
  for (const device of group.devices) {
    const type = iommu_get_def_domain_type(device.dev!);
    if (type === null) continue;
    if (needed === null) needed = type;
    else if (needed !== type) isConflict = true;
  }
  const type = needed === null || isConflict ? iommu_core.def_domain_type : needed;
  yield* iommu_group_alloc_default_domain(bus, group, type);
}

/** 6.1.176 line 1787. Walks the members without the group's mutex, since what it calls takes that. */
export function* __iommu_group_dma_finalize(group: IommuGroup): Proc {
  for (let position = 0; ; position++) {
    const device = data_race(() => group.devices.at(position));
    if (device === null) return;
    yield;
    const dev = device.dev!;
    yield;
    yield* probe_finalize(dev);
    yield;
  }
}

/**
 * 5.10.223 line 725, 6.1.176 line 862, 6.12.107 line 1091: ranges that the device's firmware uses are translated one to one. What it ends with is a
 * flush, of DMA domains only; a48ce36e2786 (v6.6), which looks at the ranges under every type of domain to learn which device may
 * not be blocked, flushed every type too, until 6e6c6d6bc6c9 (v6.6).
 */
export function* iommu_create_device_direct_mappings(domain: IommuDomain | null, dev: Device): Proc<Errno> {
  if (domain === null) return 0;
  const isDma = iommu_is_dma_domain(domain);
  if (!applied("a48ce36e2786") && !isDma) return 0;
  if (dev.resv_direct) {
    if (applied("a48ce36e2786")) dev.iommu!.require_direct = true;
    if (isDma && !domain.direct_map.has(dev)) {
      if (fault("iommu_map(direct)")) return -ENOMEM;
      domain.direct_map.add(dev);
    }
  }
  if (isDma || !applied("6e6c6d6bc6c9")) yield* iommu_flush_iotlb_all(domain);
  return 0;
}

/**
 * 6.1.176 line 3013, a write to /sys/kernel/iommu_groups/N/type; "auto" is null. Takes the device's lock before the group's, as the
 * driver core does; since 49a22aae7d9c (v6.4) the group's alone. Before 08a27c1c3ecf (v5.11) the file could only be read.
 */
export function* iommu_group_store_type(group: IommuGroup, req_type: DomainType | null): Proc<Errno> {
  if (!applied("08a27c1c3ecf")) return -EIO;
  if (data_race(() => group.default_domain) === null) return -EINVAL;
  yield* mutex_lock(group.mutex);
  if (applied("49a22aae7d9c")) return yield* store_type_locked(group, req_type);
  if (!list_is_singular(group.devices)) {
    mutex_unlock(group.mutex);
    return -EINVAL;
  }
  const dev = list_first_entry(group.devices).dev!;
  mutex_unlock(group.mutex);

  let ret: Errno = -EBUSY;
  yield* mutex_lock(dev.lock);
  const isInUse = dev.is_bound && !(req_type === "DMA_FQ" && (yield* isStrict(group)));
  if (!isInUse) ret = yield* iommu_change_dev_def_domain(group, dev, req_type);
  mutex_unlock(dev.lock);
  return ret;
}

function* isStrict(group: IommuGroup): Proc<boolean> {
  const default_domain = data_race(() => group.default_domain)!;
  yield;
  return default_domain.type === "DMA";
}

/**
 * The rest of iommu_group_store_type() since 49a22aae7d9c, with 33793748de8f, which lets it lock: not the driver core but the
 * ownership count says whether a driver is bound. The old domain is freed before the DMA ops are set up anew. 6.12.107 line 3047,
 * 7.2.13 line 3253: since d99be00f42ea (v6.5) a group may have several devices, and since b67483b3c44e (v6.10) their DMA ops are
 * set up under the mutex.
 */
function* store_type_locked(group: IommuGroup, req_type: DomainType | null): Proc<Errno> {
  const prev_dom = group.default_domain!;
  if (req_type === "DMA_FQ" && prev_dom.type === "DMA") {
    const failed = prev_dom.iova_cookie === null ? 0 : iommu_dma_init_fq(prev_dom, prev_dom.iova_cookie);
    if (!failed) prev_dom.type = "DMA_FQ";
    mutex_unlock(group.mutex);
    return failed;
  }
  if (list_empty(group.devices) || group.owner_cnt > 0) {
    mutex_unlock(group.mutex);
    return -EPERM;
  }
  yield;
  const ret = applied("d99be00f42ea") ? yield* iommu_setup_default_domain(group, req_type) : yield* change_and_free(group, req_type);
  if (!ret && applied("b67483b3c44e")) yield* setup_dma_ops_of_members(group);
  mutex_unlock(group.mutex);
  if (ret < 0) return ret;
  yield;
  if (!applied("b67483b3c44e")) yield* __iommu_group_dma_finalize(group);
  return 0;
}

function* change_and_free(group: IommuGroup, req_type: DomainType | null): Proc<Errno> {
  const prev_dom = group.default_domain!;
  const ret = yield* change_under_group_mutex(group, list_first_entry(group.devices).dev!, req_type);
  if (ret === SWITCHED) iommu_domain_free(prev_dom);
  return ret;
}

/** Since b67483b3c44e, by who holds the group's mutex. */
export function* setup_dma_ops_of_members(group: IommuGroup): Proc {
  for (const device of group.devices) {
    yield;
    yield* iommu_setup_dma_ops(device.dev!);
  }
}

/** 6.1.176 line 2882. Tests neither the ownership count nor the owner, only that the group is on its default domain. */
function* iommu_change_dev_def_domain(group: IommuGroup, prev_dev: Device, req_type: DomainType | null): Proc<Errno> {
  yield* mutex_lock(group.mutex);
  const prev_dom = group.default_domain;
  const ret = yield* change_under_group_mutex(group, prev_dev, req_type);
  mutex_unlock(group.mutex);
  if (ret !== SWITCHED) return ret;
  yield;
  // probe_finalize() of some drivers comes back and takes the group's mutex.
  yield* probe_finalize(prev_dev);
  yield;
  iommu_domain_free(prev_dom!);
  return 0;
}

/** The group is on a new default domain, and the old one is to be freed. */
const SWITCHED = 1;

/** Since 4c8ad9da0566 (v6.5) a failure puts the device back. */
function* switch_device(group: IommuGroup, dev: Device): Proc<Errno> {
  if (applied("4c8ad9da0566")) return yield* __iommu_group_set_domain(group, group.default_domain);
  return yield* __iommu_attach_device(group.default_domain!, dev);
}

/** The critical section: an error, 0 if nothing has to be done, or SWITCHED. A failure puts the pointers back, but not the hardware. */
function* change_under_group_mutex(group: IommuGroup, prev_dev: Device, req_type: DomainType | null): Proc<Errno> {
  if (group.default_domain !== group.domain) return -EBUSY;
  if (!list_is_singular(group.devices)) return -EINVAL;
  const dev = list_first_entry(group.devices).dev!;
  if (prev_dev !== dev) return -EBUSY;
  const prev_dom = group.default_domain;
  if (prev_dom === null) return -EINVAL;

  const dev_def_dom = iommu_get_def_domain_type(dev);
  if (req_type !== null && dev_def_dom !== null && req_type !== dev_def_dom) return -EINVAL;
  const type = req_type ?? dev_def_dom ?? iommu_core.def_domain_type;
  const prev_type = prev_dom.type;
  if (prev_type === type) return 0;
  if (type === "DMA_FQ" && prev_type === "DMA") {
    if (prev_dom.iova_cookie !== null && iommu_dma_init_fq(prev_dom, prev_dom.iova_cookie)) return -ENOMEM;
    prev_dom.type = "DMA_FQ";
    return 0;
  }

  let ret = yield* iommu_group_alloc_default_domain(dev.bus!, group, type);
  yield;
  if (ret) return ret;
  ret = yield* iommu_create_device_direct_mappings(group.default_domain, dev);
  if (!ret) ret = yield* switch_device(group, dev);
  if (!ret) {
    group.domain = group.default_domain;
    return SWITCHED;
  }
  yield;
  // Who reads the default domain without the mutex is a driver that is bound, and here none is.
  iommu_domain_free(group.default_domain!);
  group.default_domain = prev_dom;
  group.domain = prev_dom;
  return ret;
}

/**
 * 6.12.107 line 2950, 7.2.13 line 3148; since d99be00f42ea (v6.5): gives the group its default domain, or another one, and puts it
 * on that. `target_type` null leaves the type to drivers and policy. Whoever reads the default domain without the mutex is a driver that
 * is bound, and here none is.
 */
export function* iommu_setup_default_domain(group: IommuGroup, target_type: DomainType | null): Proc<Errno> {
  lockdep_assert_held(group.mutex);
  const old_dom = group.default_domain;
  const req_type = iommu_get_default_domain_type(group, target_type);
  if (typeof req_type === "number") return req_type;
  const dom = alloc_default_domain(group, req_type);
  if (dom === null) return old_dom === null && !applied("98ac73f99bc4") ? 0 : -ENODEV;
  if (dom === old_dom) return 0;
  const direct_failed = yield* map_members(dom, group);
  yield;
  group.default_domain = dom;
  yield;
  const isFirst = group.domain === null;
  let ret = isFirst ? yield* __iommu_group_set_domain_internal(group, dom, true) : yield* __iommu_group_set_domain(group, dom);
  if (isFirst && WARN_ON(ret !== 0, "a group could not be attached to its first domain")) return ret;
  if (!ret && direct_failed && applied("1000dccd5d13")) ret = yield* map_members(dom, group);
  yield;
  return yield* settle_default_domain(group, dom, old_dom, ret);
}

/**
 * The end of it: the old domain is freed, or after an error the new one. 1000dccd5d13 put the group back on the old domain also when
 * nothing had failed, and freed the new one, which the group kept as its default domain; 911476ef3c58 (v6.5) does so after an
 * error only, and puts the pointer back.
 */
function* settle_default_domain(group: IommuGroup, dom: IommuDomain, old_dom: IommuDomain | null, ret: Errno): Proc<Errno> {
  if (old_dom === null) return ret;
  const isLost = applied("1000dccd5d13") && !applied("911476ef3c58");
  if (group.domain === dom && (ret || isLost)) {
    yield* __iommu_group_set_domain_internal(group, old_dom, true);
    iommu_domain_free(dom);
    if (!isLost) group.default_domain = old_dom;
  } else if (ret) {
    iommu_domain_free(dom);
    group.default_domain = old_dom;
  } else iommu_domain_free(old_dom);
  return ret;
}

/** Direct mappings of all devices of the group, the last error of which counts; where mapping before the attach failed it is tried again. */
function* map_members(dom: IommuDomain, group: IommuGroup): Proc<Errno> {
  let failed: Errno = 0;
  for (const device of group.devices) {
    yield;
    const ret = yield* iommu_create_device_direct_mappings(dom, device.dev!);
    if (ret) failed = ret;
  }
  return failed;
}

/**
 * iommu_group_alloc_default_domain() since fcbb0a4d738c, which prepares d99be00f42ea; 6.12.107 line 1605, 7.2.13 line 1758. A type that
 * was asked for is not replaced by another; the one the group has is kept. A driver that has a domain for this has no other.
 */
function alloc_default_domain(group: IommuGroup, req_type: DomainType | null): IommuDomain | null {
  const { default_domain } = opsOf(list_first_entry(group.devices).dev!);
  if (default_domain !== null) return default_domain;
  if (req_type !== null) return alloc_unless_it_has(group, req_type);
  const policy = iommu_core.def_domain_type;
  const dom = alloc_unless_it_has(group, policy);
  return dom === null && policy !== "DMA" ? alloc_unless_it_has(group, "DMA") : dom;
}

function alloc_unless_it_has(group: IommuGroup, type: DomainType): IommuDomain | null {
  const { default_domain } = group;
  if (default_domain !== null && default_domain.type === type) return default_domain;
  return __iommu_group_domain_alloc(group, type);
}

/**
 * 6.12.107 line 1726, 7.2.13 line 1879: the type that the group's devices need, of which `target_type` may be none other; null for the
 * kernel's policy. Since 59ddce4418da (v6.7) drivers that contradict each other are overruled, and whoever is not trusted gets DMA
 * or nothing; before, what a device needed that came after another was forgotten with the other's need.
 */
function iommu_get_default_domain_type(group: IommuGroup, target_type: DomainType | null): DomainType | null | Errno {
  if (!applied("59ddce4418da")) return type_of_all_alike(group, target_type);
  let driver_type: DomainType | null = null;
  let isUntrusted = false;
  for (const device of group.devices) {
    const dev = device.dev!;
    const type = def_domain_type(dev);
    if (type !== null && (driver_type === null || type === "IDENTITY")) driver_type = type;
    if (dev.untrusted) isUntrusted = true;
  }
  if (isUntrusted) {
    if (driver_type !== null && driver_type !== "DMA") return -EINVAL;
    driver_type = "DMA";
  }
  if (target_type === null) return driver_type;
  return driver_type !== null && target_type !== driver_type ? -EINVAL : target_type;
}

/** The same from 8b4eb75ee50e, which prepares d99be00f42ea, until v6.7. */
function type_of_all_alike(group: IommuGroup, target_type: DomainType | null): DomainType | null | Errno {
  let best_type = target_type;
  for (const device of group.devices) {
    const type = iommu_get_def_domain_type(device.dev!);
    if (best_type !== null && type !== null && best_type !== type) return target_type === null ? null : -EINVAL;
    best_type ??= type;
  }
  return best_type;
}
