/** The default domain of a group in drivers/iommu/iommu.c of 6.1.176: its type, its direct mappings, and changing it through sysfs. */
import {
  abstraction,
  applied,
  data_race,
  EBUSY,
  EINVAL,
  ENOMEM,
  EPERM,
  type Errno,
  fault,
  list_empty,
  list_first_entry,
  list_is_singular,
  mutex_lock,
  mutex_unlock,
  type Proc,
} from "iommu-mc";
import { def_domain_type } from "../iommu-drivers/index.js";
import { type BusType, type Device, type DomainType, type IommuGroup, iommu_core } from "../schema.js";
import { __iommu_attach_device, __iommu_domain_alloc, __iommu_group_set_domain, iommu_domain_free } from "./attach.js";
import { iommu_dma_init_fq } from "./dma-cookie.js";
import { probe_finalize } from "./dma-iommu.js";
import { iommu_is_dma_domain } from "./domain-type.js";
import { iommu_group_ref_get } from "./group.js";

abstraction("where IOVAs are not modelled, bringing up a flush queue for a domain (iommu_dma_init_fq) does not fail", "may miss a bug");

/** 6.1.176 line 1578: what the device needs; null if anything will do. */
function iommu_get_def_domain_type(dev: Device): DomainType | null {
  const needed = def_domain_type(dev);
  return dev.untrusted ? "DMA" : needed;
}

/** 6.1.176 line 1591: sets the group's default domain; the domain too, where there was none. */
function* iommu_group_alloc_default_domain(bus: BusType, group: IommuGroup, type: DomainType): Proc<Errno> {
  let dom = __iommu_domain_alloc(bus, type);
  if (dom === null && type !== "DMA") dom = __iommu_domain_alloc(bus, "DMA");
  if (dom === null) return -ENOMEM;
  yield;
  group.default_domain = dom;
  yield;
  if (group.domain === null) group.domain = dom;
  return 0;
}

/**
 * 6.1.176 line 1614: for a device that comes alone; nobody asks the other devices of the group. Before 79659190ee97 it took
 * a reference of its own on the group, which nobody gave back.
 */
export function* iommu_alloc_default_domain(group: IommuGroup, dev: Device): Proc<Errno> {
  if (!applied("79659190ee97")) iommu_group_ref_get(group);
  if (group.default_domain !== null) return 0;
  const type = iommu_get_def_domain_type(dev) ?? iommu_core.def_domain_type;
  return yield* iommu_group_alloc_default_domain(dev.bus!, group, type);
}

/** 6.1.176 line 1739: asks every device of the group; two that differ get what the kernel's policy says. */
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

/** 6.1.176 line 1805. Walks the members without the group's mutex, since what it calls takes that. */
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

/** 6.1.176 line 862: ranges that the device's firmware uses are translated one to one. */
export function iommu_create_device_direct_mappings(group: IommuGroup, dev: Device): Errno {
  const domain = group.default_domain;
  if (domain === null || !iommu_is_dma_domain(domain) || !dev.resv_direct) return 0;
  if (domain.direct_map.has(dev)) return 0;
  if (fault("iommu_map(direct)")) return -ENOMEM;
  domain.direct_map.add(dev);
  return 0;
}

/**
 * 6.1.176 line 3013, a write to /sys/kernel/iommu_groups/N/type; "auto" is null. Takes the device's lock before the group's, as the
 * driver core does; since 49a22aae7d9c (v6.4) the group's alone.
 */
export function* iommu_group_store_type(group: IommuGroup, req_type: DomainType | null): Proc<Errno> {
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
 * ownership count says whether a driver is bound. The old domain is freed before the DMA ops are set up anew.
 */
function* store_type_locked(group: IommuGroup, req_type: DomainType | null): Proc<Errno> {
  const prev_dom = group.default_domain!;
  if (req_type === "DMA_FQ" && prev_dom.type === "DMA") {
    prev_dom.type = "DMA_FQ";
    mutex_unlock(group.mutex);
    return 0;
  }
  if (list_empty(group.devices) || group.owner_cnt > 0) {
    mutex_unlock(group.mutex);
    return -EPERM;
  }
  const dev = list_first_entry(group.devices).dev!;
  yield;
  const ret = yield* change_under_group_mutex(group, dev, req_type);
  if (ret === SWITCHED) iommu_domain_free(prev_dom);
  mutex_unlock(group.mutex);
  if (ret < 0) return ret;
  yield;
  yield* __iommu_group_dma_finalize(group);
  return 0;
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
  ret = iommu_create_device_direct_mappings(group, dev);
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
