/** drivers/iommu/iommu.c of 6.1.176: domains, groups, ownership. */
import {
  abstraction,
  applied,
  data_race,
  EBUSY,
  EINVAL,
  EPERM,
  type Errno,
  kfree,
  kref_get,
  kref_put,
  list_first_entry,
  mutex_lock,
  mutex_unlock,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { attach_dev, detach_dev, domain_alloc, domain_free } from "./drivers.js";
import type { BusType, Device, DomainType, IommuDomain, IommuGroup, VfioGroup } from "./schema.js";

abstraction(
  "changes of the default domain's type through sysfs, deferred attach, PASIDs and fault handlers are left out",
  "may miss a bug",
);
abstraction("the two kobjects of an iommu_group, of which devices_kobj holds the other, are one count", "neither");

/** 6.1.176 line 1117. Reads `dev->iommu_group` without a lock; it does not change while the device exists. */
export function iommu_group_get(dev: Device): IommuGroup | null {
  const group = dev.iommu_group;
  if (group !== null) kref_get(group.devices_kobj);
  return group;
}

/** 6.1.176 line 1135. */
export function iommu_group_ref_get(group: IommuGroup): IommuGroup {
  kref_get(group.devices_kobj);
  return group;
}

/** 6.1.176 line 1149. */
export function iommu_group_put(group: IommuGroup): void {
  if (kref_put(group.devices_kobj)) iommu_group_release(group);
}

/** 6.1.176 line 670: the last reference is gone, so nobody holds or wants the mutex. */
function iommu_group_release(group: IommuGroup): void {
  const blocking_domain = data_race(() => group.blocking_domain);
  if (group.default_domain !== null) iommu_domain_free(group.default_domain);
  if (blocking_domain !== null) iommu_domain_free(blocking_domain);
  kfree(group);
}

/** 6.1.176 line 1904. */
function __iommu_domain_alloc(bus: BusType, type: DomainType): IommuDomain | null {
  const ops = bus.iommu_ops;
  if (ops === null) return null;
  const domain = domain_alloc(ops, type);
  if (domain !== null) domain.type = type;
  return domain;
}

/** 6.1.176 line 1934: a domain for a user of the IOMMU API, empty. */
export function iommu_domain_alloc(bus: BusType): IommuDomain | null {
  return __iommu_domain_alloc(bus, "UNMANAGED");
}

/** 6.1.176 line 1940. */
export function iommu_domain_free(domain: IommuDomain): void {
  domain_free(domain);
}

/** 6.1.176 line 1951: the domain the core wants the group on when no user domain is attached. */
function* __iommu_group_set_core_domain(group: IommuGroup): Proc {
  const new_domain = group.owner !== null ? group.blocking_domain : group.default_domain;
  if (applied("dcf40ed3a20d")) {
    yield* __iommu_group_set_domain_nofail(group, new_domain);
  } else {
    const ret = yield* __iommu_group_set_domain(group, new_domain);
    WARN_ON(ret !== 0, "the driver refused the domain the core wants the group on");
  }
}

/** 6.1.176 line 1965. */
function* __iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  return yield* attach_dev(domain, dev);
}

/** 6.1.176 line 2015; before 0286300e6045 a driver without `detach_dev` was silently not told. */
function* __iommu_detach_device(domain: IommuDomain, dev: Device): Proc {
  if (!applied("0286300e6045") && !domain.ops!.detach_dev) return;
  yield* detach_dev(domain, dev);
}

/**
 * 6.1.176 line 2088. Each device is a step of its own. Since 2cc73c5712f9 a failure puts every device back on the
 * old domain; before, those attached so far stayed on the new one. That fix is written in terms of what
 * 0286300e6045 introduced, and is not applied without it.
 */
function* __iommu_attach_group(domain: IommuDomain, group: IommuGroup): Proc<Errno> {
  if (group.domain !== null && group.domain !== group.default_domain && group.domain !== group.blocking_domain) return -EBUSY;
  let ret: Errno = 0;
  for (const dev of group.devices) {
    ret = yield* __iommu_attach_device(domain, dev);
    if (ret) break;
    yield;
  }
  if (ret === 0) {
    group.domain = domain;
  } else if (applied("2cc73c5712f9") && applied("0286300e6045")) {
    const old_domain = group.domain;
    group.domain = null;
    const failed = yield* __iommu_group_set_domain(group, old_domain);
    WARN_ON(failed !== 0, "the driver refused the domain the group came from");
  }
  return ret;
}

/** 6.1.176 line 2119. */
export function* iommu_attach_group(domain: IommuDomain, group: IommuGroup): Proc<Errno> {
  yield* mutex_lock(group.mutex);
  const ret = yield* __iommu_attach_group(domain, group);
  mutex_unlock(group.mutex);
  return ret;
}

/** 6.1.176 line 2140. Without dcf40ed3a20d an error leaves the devices before the failing one on the new domain. */
function* __iommu_group_set_domain(group: IommuGroup, new_domain: IommuDomain | null): Proc<Errno> {
  if (applied("dcf40ed3a20d")) return yield* __iommu_group_set_domain_internal(group, new_domain, false);
  if (group.domain === new_domain) return 0;
  if (new_domain === null) {
    if (WARN_ON(!group.domain!.ops!.detach_dev, "a group without a default domain needs detach_dev")) return -EINVAL;
    for (const dev of group.devices) {
      yield* __iommu_detach_device(group.domain!, dev);
      yield;
    }
    group.domain = null;
    return 0;
  }
  for (const dev of group.devices) {
    const ret = yield* __iommu_attach_device(new_domain, dev);
    if (ret) return ret;
    yield;
  }
  group.domain = new_domain;
  return 0;
}

/**
 * v6.5, put onto 6.1: the branch for a NULL domain keeps `detach_dev`, which v6.5 has replaced by
 * `set_platform_dma_ops`. `must_succeed` is the flag IOMMU_SET_DOMAIN_MUST_SUCCEED.
 */
function* __iommu_group_set_domain_internal(group: IommuGroup, new_domain: IommuDomain | null, must_succeed: boolean): Proc<Errno> {
  if (group.domain === new_domain) return 0;
  if (new_domain === null) {
    if (WARN_ON(!group.domain!.ops!.detach_dev, "a group without a default domain needs detach_dev")) return -EINVAL;
    for (const dev of group.devices) {
      yield* __iommu_detach_device(group.domain!, dev);
      yield;
    }
    group.domain = null;
    return 0;
  }
  let result: Errno = 0;
  for (const dev of group.devices) {
    const ret = yield* __iommu_device_set_domain(group, dev, new_domain, must_succeed);
    if (ret) {
      result = ret;
      if (!must_succeed) {
        yield* revert_up_to(group, new_domain, dev);
        return ret;
      }
    }
    yield;
  }
  group.domain = new_domain;
  return result;
}

/** The error path of `__iommu_group_set_domain_internal`: every device up to the failing one goes back. */
function* revert_up_to(group: IommuGroup, new_domain: IommuDomain, last_gdev: Device): Proc {
  for (const dev of group.devices) {
    yield;
    if (group.domain !== null) {
      const ret = yield* __iommu_device_set_domain(group, dev, group.domain, true);
      WARN_ON(ret !== 0, "a device could not be put back on the domain it came from");
    } else if (new_domain.ops!.detach_dev) {
      yield* __iommu_detach_device(new_domain, dev);
    }
    if (dev === last_gdev) break;
  }
}

/** v6.5: one device; a failing one is put on the blocking domain if it must leave the old one. */
function* __iommu_device_set_domain(group: IommuGroup, dev: Device, new_domain: IommuDomain, must_succeed: boolean): Proc<Errno> {
  const ret = yield* __iommu_attach_device(new_domain, dev);
  if (ret && must_succeed && group.blocking_domain !== null && group.blocking_domain !== new_domain) {
    yield* __iommu_attach_device(group.blocking_domain, dev);
  }
  return ret;
}

/** v6.5. */
function* __iommu_group_set_domain_nofail(group: IommuGroup, new_domain: IommuDomain | null): Proc {
  const ret = yield* __iommu_group_set_domain_internal(group, new_domain, true);
  WARN_ON(ret !== 0, "the driver refused a domain that must not be refused");
}

/** 6.1.176 line 2179; `domain` has been ignored since 0286300e6045. */
export function* iommu_detach_group(domain: IommuDomain, group: IommuGroup): Proc {
  yield* mutex_lock(group.mutex);
  if (applied("0286300e6045")) yield* __iommu_group_set_core_domain(group);
  else yield* __iommu_detach_group(domain, group);
  mutex_unlock(group.mutex);
}

/** v5.19-rc, before 0286300e6045: an owned group is left without a domain, whether or not the driver was told. */
function* __iommu_detach_group(domain: IommuDomain, group: IommuGroup): Proc {
  if (group.default_domain === null || group.owner !== null) {
    for (const dev of group.devices) {
      yield* __iommu_detach_device(domain, dev);
      yield;
    }
    group.domain = null;
    return;
  }
  if (group.domain === group.default_domain) return;
  for (const dev of group.devices) {
    const ret = yield* __iommu_attach_device(group.default_domain, dev);
    if (WARN_ON(ret !== 0, "the default domain could not be attached")) return;
    yield;
  }
  group.domain = group.default_domain;
}

/** 6.1.176 line 3100: identity equals identity. */
function iommu_is_default_domain(group: IommuGroup): boolean {
  if (group.domain === group.default_domain) return true;
  return (
    group.default_domain !== null && group.default_domain.type === "IDENTITY" && group.domain !== null && group.domain.type === "IDENTITY"
  );
}

/** 6.1.176 line 3126: a driver that uses the DMA API is about to be bound. */
export function* iommu_device_use_default_domain(dev: Device): Proc<Errno> {
  const group = iommu_group_get(dev);
  if (group === null) return 0;
  let ret: Errno = 0;
  yield* mutex_lock(group.mutex);
  if (group.owner_cnt > 0 && (group.owner !== null || !iommu_is_default_domain(group))) ret = -EBUSY;
  else group.owner_cnt++;
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
  return ret;
}

/** 6.1.176 line 3159. */
export function* iommu_device_unuse_default_domain(dev: Device): Proc {
  const group = iommu_group_get(dev);
  if (group === null) return;
  yield* mutex_lock(group.mutex);
  if (!WARN_ON(group.owner_cnt === 0, "unuse of a default domain nobody uses")) group.owner_cnt--;
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
}

/** 6.1.176 line 3174. Takes the first device without asking whether there is one. */
function __iommu_group_alloc_blocking_domain(group: IommuGroup): Errno {
  const dev = list_first_entry(group.devices);
  if (group.blocking_domain !== null) return 0;
  group.blocking_domain = __iommu_domain_alloc(dev.bus!, "BLOCKED");
  if (group.blocking_domain === null) {
    group.blocking_domain = __iommu_domain_alloc(dev.bus!, "UNMANAGED");
    if (group.blocking_domain === null) return -EINVAL;
  }
  return 0;
}

/** 6.1.176 line 3206. VFIO calls it when a group is put into a container; the owner is the vfio_group. */
export function* iommu_group_claim_dma_owner(group: IommuGroup, owner: VfioGroup): Proc<Errno> {
  let ret: Errno = 0;
  yield* mutex_lock(group.mutex);
  if (group.owner_cnt > 0) {
    ret = -EPERM;
  } else if (group.domain !== null && group.domain !== group.default_domain) {
    ret = -EBUSY;
  } else if (applied("0286300e6045")) {
    ret = __iommu_group_alloc_blocking_domain(group);
    if (!ret) ret = yield* __iommu_group_set_domain(group, group.blocking_domain);
    if (!ret) {
      group.owner = owner;
      group.owner_cnt++;
    }
  } else {
    group.owner = owner;
    if (group.domain !== null) yield* __iommu_detach_group(group.domain, group);
    group.owner_cnt++;
  }
  mutex_unlock(group.mutex);
  return ret;
}

/** 6.1.176 line 3244. */
export function* iommu_group_release_dma_owner(group: IommuGroup): Proc {
  yield* mutex_lock(group.mutex);
  if (!WARN_ON(group.owner_cnt === 0 || group.owner === null, "release of a group nobody owns")) {
    group.owner_cnt = 0;
    if (!applied("0286300e6045")) {
      if (!WARN_ON(group.domain !== null, "release of a group that is still on a domain") && group.default_domain !== null) {
        yield* __iommu_attach_group(group.default_domain, group);
      }
      group.owner = null;
    } else {
      group.owner = null;
      if (applied("dcf40ed3a20d")) {
        yield* __iommu_group_set_domain_nofail(group, group.default_domain);
      } else {
        const ret = yield* __iommu_group_set_domain(group, group.default_domain);
        WARN_ON(ret !== 0, "the driver refused the default domain");
      }
    }
  }
  mutex_unlock(group.mutex);
}

/** 6.1.176 line 2066. */
export function iommu_get_dma_domain(dev: Device): IommuDomain | null {
  return dev.iommu_group!.default_domain;
}
