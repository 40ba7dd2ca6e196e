/** Domains of drivers/iommu/iommu.c, from 5.10.223 to 7.2.13: allocating, attaching and detaching them, one device or a whole group. */
import {
  abstraction,
  applied,
  atomic,
  data_race,
  EBUSY,
  EINVAL,
  ENODEV,
  type Errno,
  list_first_entry,
  list_is_singular,
  lockdep_assert_held,
  mutex_lock,
  mutex_unlock,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import {
  attach_dev,
  attach_dev_unlocked,
  detach_dev,
  domain_alloc,
  domain_free,
  is_attach_deferred,
  opsOf,
} from "../iommu-drivers/index.js";
import {
  type BusType,
  type Device,
  type DomainType,
  type GroupDevice,
  type IommuDomain,
  type IommuGroup,
  type IommuOps,
  iommu_core,
} from "../schema.js";
import { iommu_get_dma_cookie, iommu_put_dma_cookie } from "./dma-cookie.js";
import { iommu_group_get, iommu_group_put } from "./group.js";

abstraction("fault handlers and nesting are left out", "may miss a bug");

/**
 * 6.1.176 line 1904, 6.12.107 line 1940; null without ops. The domain belongs to the driver since a9c362db3920 (v6.8), but one that the
 * driver has for all, which Intel's identity domain is since 2031c469f816 (v6.12).
 */
export function __iommu_domain_alloc(ops: IommuOps | null, type: DomainType): IommuDomain | null {
  if (ops === null) return null;
  if (type === "BLOCKED" && ops.blocked_domain !== null) return ops.blocked_domain;
  const domain = domain_alloc(ops, type);
  if (domain === null) return null;
  domain.type = type;
  if (applied("a9c362db3920") && !isStatic(domain)) domain.owner = ops;
  if (iommu_get_dma_cookie(domain)) {
    iommu_domain_free(domain);
    return null;
  }
  return domain;
}

function isStatic(domain: IommuDomain): boolean {
  const { si_domain, release_domain } = domain.ops!;
  return domain === release_domain || (applied("2031c469f816") && domain === si_domain);
}

/** 6.12.107 line 1992: of the driver of the group's first device; before b4c0497169d5 (v6.8) of that of the bus, which then is the same. */
export function __iommu_group_domain_alloc(group: IommuGroup, type: DomainType): IommuDomain | null {
  const dev = list_first_entry(group.devices).dev!;
  return __iommu_domain_alloc(applied("b4c0497169d5") ? opsOf(dev) : dev.bus!.iommu_ops, type);
}

/**
 * 6.1.176 line 1934, 6.12.107 line 2020: a domain for a user of the IOMMU API, empty. Since b4c0497169d5 (v6.8) it is of the driver that
 * the bus's devices have, who may not have two.
 */
export function iommu_domain_alloc(bus: BusType): IommuDomain | null {
  return __iommu_domain_alloc(applied("b4c0497169d5") ? ops_on(bus) : bus.iommu_ops, "UNMANAGED");
}

function ops_on(bus: BusType): IommuOps | null {
  atomic("the drivers of the IOMMUs behind the devices of a bus are looked at in one step");
  let ops: IommuOps | null = null;
  for (const dev of bus.klist_devices) {
    if (dev.iommu === null || dev.iommu.iommu_dev === null) continue;
    if (WARN_ON(ops !== null && ops !== opsOf(dev), "the devices of a bus have IOMMUs of two drivers")) return null;
    ops = opsOf(dev);
  }
  return ops;
}

/** 6.1.176 line 1940. */
export function iommu_domain_free(domain: IommuDomain): void {
  iommu_put_dma_cookie(domain);
  domain_free(domain);
}

/** 6.1.176 line 1951: the domain the core wants the group on when no user domain is attached. */
export function* __iommu_group_set_core_domain(group: IommuGroup): Proc {
  const new_domain = group.owner !== null ? group.blocking_domain : group.default_domain;
  if (applied("dcf40ed3a20d")) {
    yield* __iommu_group_set_domain_nofail(group, new_domain);
  } else {
    const ret = yield* __iommu_group_set_domain(group, new_domain);
    WARN_ON(ret !== 0, "the driver refused the domain the core wants the group on");
  }
}

/**
 * 6.1.176 line 1965. Before bd421264ed30 the test for a deferred attach stood here, so that iommu_deferred_attach() did
 * nothing at all. An attach that succeeds is no longer deferred, which since dd8a25c557e1 the core itself remembers.
 */
export function* __iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (!applied("bd421264ed30") && is_attach_deferred(dev)) return 0;
  const ret = yield* attach_dev(domain, dev);
  if (!ret) forget_deferral(dev);
  return ret;
}

function forget_deferral(dev: Device): void {
  if (applied("dd8a25c557e1") && iommu_core.is_kdump_kernel) dev.iommu!.attach_deferred = false;
}

/** The same for who does not hold the group's mutex. */
function* __iommu_attach_device_unlocked(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (!applied("bd421264ed30") && is_attach_deferred(dev)) return 0;
  const ret = yield* attach_dev_unlocked(domain, dev);
  if (!ret) forget_deferral(dev);
  return ret;
}

/** 6.1.176 line 1979: for a group of one device. */
export function* iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  const group = yield* iommu_group_get(dev);
  if (group === null) return -ENODEV;
  let ret: Errno = -EINVAL;
  yield* mutex_lock(group.mutex);
  if (list_is_singular(group.devices)) ret = yield* __iommu_attach_group(domain, group);
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
  return ret;
}

/**
 * 6.1.176 line 2007, at the first map of a device whose attach was deferred. 5d5388b0e190 (v7.0) takes the group's mutex for
 * the attach, but does not ask again: a driver is expected to make its first map alone. In dma-iommu.c of 5.10.223 (line 360), before
 * 3ab657291638 (v5.12), it was an attach like any user's, which a group of several devices is refused.
 */
export function* iommu_deferred_attach(dev: Device, domain: IommuDomain): Proc<Errno> {
  if (!is_attach_deferred(dev)) return 0;
  yield;
  if (!applied("3ab657291638")) return yield* iommu_attach_device(domain, dev);
  if (!applied("5d5388b0e190")) return yield* __iommu_attach_device_unlocked(domain, dev);
  const group = dev.iommu_group!;
  yield* mutex_lock(group.mutex);
  let ret: Errno = -EBUSY;
  if (!isDeviceInReset(group, dev)) ret = yield* __iommu_attach_device(domain, dev);
  mutex_unlock(group.mutex);
  return ret;
}

/** Since c279e83953d9 (v7.0): a first map waits for the end of the reset, by failing. Since b296ca1fb43a only of a reset of its own device. */
function isDeviceInReset(group: IommuGroup, dev: Device): boolean {
  if (!applied("c279e83953d9")) return false;
  return applied("b296ca1fb43a") ? __dev_to_gdev(group, dev)!.blocked : isInReset(group);
}

/** 7.2.13 line 2475: a device of the group is being reset, so that nobody may ask for another domain who can be refused. */
export function isInReset(group: IommuGroup): boolean {
  if (!applied("c279e83953d9")) return false;
  return applied("b296ca1fb43a") ? group.recovery_cnt > 0 : group.resetting_domain !== null;
}

/** 7.2.13 line 93: the device's entry of the group's list, whose mutex the caller holds; null if it is not there. */
export function __dev_to_gdev(group: IommuGroup, dev: Device): GroupDevice | null {
  for (const device of group.devices) if (device.dev === dev) return device;
  return null;
}

/** 5.10.223 line 2184, 6.1.176 line 2015; before 0286300e6045 a driver without `detach_dev` was silently not told. */
function* __iommu_detach_device(domain: IommuDomain, dev: Device): Proc {
  if (!applied("dd8a25c557e1") && is_attach_deferred(dev)) return;
  if (!applied("0286300e6045") && !domain.ops!.detach_dev) return;
  yield* detach_dev(domain, dev);
}

/** 5.10.223 line 2197, 6.1.176 line 2024: for a group of one device, and since 0286300e6045 (v5.19) only with the domain that is attached. */
export function* iommu_detach_device(domain: IommuDomain, dev: Device): Proc {
  const group = yield* iommu_group_get(dev);
  if (group === null) return;
  yield* mutex_lock(group.mutex);
  const isWrong =
    WARN_ON(applied("0286300e6045") && domain !== group.domain, "iommu_detach_device() with a domain that is not attached") ||
    WARN_ON(!list_is_singular(group.devices), "iommu_detach_device() for a group of several devices");
  if (!isWrong && applied("0286300e6045")) yield* __iommu_group_set_core_domain(group);
  else if (!isWrong) yield* __iommu_detach_group(domain, group);
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
}

/** 6.1.176 line 2045. Reads `group->domain` without the lock. */
export function* iommu_get_domain_for_dev(dev: Device): Proc<IommuDomain | null> {
  const group = yield* iommu_group_get(dev);
  if (group === null) return null;
  yield;
  const domain = data_race(() => group.domain);
  yield;
  iommu_group_put(group);
  return domain;
}

/** Whether somebody else has a domain of his own there, which of a group without a default domain nobody asked before 1ea2a07a532b. */
function isInUse({ domain, default_domain, blocking_domain }: IommuGroup): boolean {
  if (!applied("1ea2a07a532b")) return default_domain !== null && domain !== default_domain;
  return domain !== null && domain !== default_domain && domain !== blocking_domain;
}

/**
 * 5.10.223 line 2262, 6.1.176 line 2088. Each device is a step of its own. Since 2cc73c5712f9 a failure puts every device back on the
 * old domain; before, those attached so far stayed on the new one. That fix is written in terms of what
 * 0286300e6045 introduced, and is not applied without it. Since ecd60dc5d22b (v6.5) it is a change of domain like others.
 */
export function* __iommu_attach_group(domain: IommuDomain, group: IommuGroup): Proc<Errno> {
  if (isInUse(group)) return -EBUSY;
  if (!(yield* domain_iommu_ops_compatible(domain, list_first_entry(group.devices).dev!))) return -EINVAL;
  if (applied("ecd60dc5d22b")) return yield* __iommu_group_set_domain(group, domain);
  let ret: Errno = 0;
  for (const device of group.devices) {
    ret = yield* __iommu_attach_device(domain, device.dev!);
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

/**
 * 7.2.13 line 2342: only the driver's own domains may be attached, which nobody asked before a9c362db3920 (v6.8); domains that the driver
 * has for all count as its own since 6f7340120a0a (v6.16).
 */
export function* domain_iommu_ops_compatible(domain: IommuDomain, dev: Device): Proc<boolean> {
  if (!applied("a9c362db3920")) return true;
  atomic("what drivers have for all their devices, and whose a domain is, does not change");
  const ops = opsOf(dev);
  return domain.owner === ops || (applied("6f7340120a0a") && domain === ops.si_domain);
}

/** 6.1.176 line 2119. */
export function* iommu_attach_group(domain: IommuDomain, group: IommuGroup): Proc<Errno> {
  yield* mutex_lock(group.mutex);
  const ret = yield* __iommu_attach_group(domain, group);
  mutex_unlock(group.mutex);
  return ret;
}

/** 6.1.176 line 2140. Without dcf40ed3a20d an error leaves the devices before the failing one on the new domain. */
export function* __iommu_group_set_domain(group: IommuGroup, new_domain: IommuDomain | null): Proc<Errno> {
  if (applied("dcf40ed3a20d")) return yield* __iommu_group_set_domain_internal(group, new_domain, false);
  if (group.domain === new_domain) return 0;
  if (new_domain === null) return yield* leave_without_domain(group);
  for (const device of group.devices) {
    const ret = yield* __iommu_attach_device(new_domain, device.dev!);
    if (ret) return ret;
    yield;
  }
  group.domain = new_domain;
  return 0;
}

/**
 * What becomes of a group without a default domain that leaves another. A driver that has default domains has had no `detach_dev` since
 * 1b932ceddd19 (v6.3), and it is a warning to ask for it; since 24b1d476167d (v6.7) no group may be left without a domain.
 */
function* leave_without_domain(group: IommuGroup): Proc<Errno> {
  if (applied("24b1d476167d")) {
    WARN_ON(true, "a group is to be left without a domain");
    return -EINVAL;
  }
  const old_domain = group.domain!;
  if (applied("1b932ceddd19")) {
    WARN_ON(!old_domain.ops!.no_default_domains, "a driver with default domains is to leave a group without one");
  } else {
    if (WARN_ON(!old_domain.ops!.detach_dev, "a group without a default domain needs detach_dev")) return -EINVAL;
    for (const device of group.devices) {
      yield* __iommu_detach_device(old_domain, device.dev!);
      yield;
    }
  }
  group.domain = null;
  return 0;
}

/**
 * 6.12.107 line 2305, 7.2.13 line 2457; since v6.5. `must_succeed` is the flag IOMMU_SET_DOMAIN_MUST_SUCCEED: the group ends on the
 * new domain whatever the driver says. Otherwise an error puts every device back that was touched.
 */
export function* __iommu_group_set_domain_internal(group: IommuGroup, new_domain: IommuDomain | null, must_succeed: boolean): Proc<Errno> {
  lockdep_assert_held(group.mutex);
  if (group.domain === new_domain) return 0;
  if (new_domain === null) return yield* leave_without_domain(group);
  if (isInReset(group) && !(must_succeed && applied("5474e6e17a26"))) return -EBUSY;
  let result: Errno = 0;
  for (const device of group.devices) {
    // The end of its reset puts it on what the group is on then.
    if (applied("5474e6e17a26") && device.blocked) continue;
    const ret = yield* __iommu_device_set_domain(group, device.dev!, new_domain, must_succeed);
    if (ret) {
      result = ret;
      if (!must_succeed) {
        yield* revert_up_to(group, new_domain, device);
        return ret;
      }
    }
    yield;
  }
  group.domain = new_domain;
  return result;
}

/**
 * The error path of `__iommu_group_set_domain_internal`: every device up to the failing one goes back; since 2b33598e666d (v6.19)
 * the failing one itself is believed to be where it was. A group without a domain is being probed, and its devices are released next.
 */
function* revert_up_to(group: IommuGroup, new_domain: IommuDomain, last_gdev: GroupDevice): Proc {
  for (const device of group.devices) {
    if (device === last_gdev && applied("2b33598e666d")) break;
    yield;
    if (group.domain !== null) {
      const ret = yield* __iommu_device_set_domain(group, device.dev!, group.domain, true);
      WARN_ON(ret !== 0, "a device could not be put back on the domain it came from");
    } else if (!applied("1b932ceddd19") && new_domain.ops!.detach_dev) {
      yield* __iommu_detach_device(new_domain, device.dev!);
    }
    if (device === last_gdev) break;
  }
}

/**
 * 6.12.107 line 2246, 7.2.13 line 2396; since v6.5: one device. A failing one is put on the blocking domain if it must leave the
 * old one. Since d257344c6619 a device whose attach is deferred stays as it is for as long as only the default domain is asked
 * for; since a48ce36e2786 (v6.6) one whose firmware does DMA is not blocked.
 */
export function* __iommu_device_set_domain(group: IommuGroup, dev: Device, new_domain: IommuDomain, must_succeed: boolean): Proc<Errno> {
  if (refuses_blocking(group, dev, new_domain)) return -EINVAL;
  if (applied("d257344c6619") && is_attach_deferred(dev)) {
    if (new_domain === group.default_domain) return 0;
    forget_deferral(dev);
  }
  const ret = yield* __iommu_attach_device(new_domain, dev);
  if (ret && must_succeed && group.blocking_domain !== null && group.blocking_domain !== new_domain) {
    yield* __iommu_attach_device(group.blocking_domain, dev);
  }
  return ret;
}

function refuses_blocking(group: IommuGroup, dev: Device, new_domain: IommuDomain): boolean {
  if (!applied("a48ce36e2786") || !dev.resv_direct) return false;
  atomic("dev->iommu of a member of a group stays while the group's mutex is held");
  return dev.iommu!.require_direct && (new_domain.type === "BLOCKED" || new_domain === group.blocking_domain);
}

/** v6.5. */
export function* __iommu_group_set_domain_nofail(group: IommuGroup, new_domain: IommuDomain | null): Proc {
  const ret = yield* __iommu_group_set_domain_internal(group, new_domain, true);
  WARN_ON(ret !== 0, "the driver refused a domain that must not be refused");
}

/** 5.10.223 line 2323, 6.1.176 line 2179; `domain` has been ignored since 0286300e6045. */
export function* iommu_detach_group(domain: IommuDomain, group: IommuGroup): Proc {
  yield* mutex_lock(group.mutex);
  if (applied("0286300e6045")) yield* __iommu_group_set_core_domain(group);
  else yield* __iommu_detach_group(domain, group);
  mutex_unlock(group.mutex);
}

/** 5.10.223 line 2299, until 0286300e6045 (v5.19): back to the default domain, if there is one. In v5.19-rc an owned group is left without a domain, whether or not the driver was told. */
export function* __iommu_detach_group(domain: IommuDomain, group: IommuGroup): Proc {
  if (group.default_domain === null || group.owner !== null) {
    for (const device of group.devices) {
      yield* __iommu_detach_device(domain, device.dev!);
      yield;
    }
    group.domain = null;
    return;
  }
  if (group.domain === group.default_domain) return;
  for (const device of group.devices) {
    const ret = yield* __iommu_attach_device(group.default_domain, device.dev!);
    if (WARN_ON(ret !== 0, "the default domain could not be attached")) return;
    yield;
  }
  group.domain = group.default_domain;
}

/** 6.1.176 line 2066: without any lock. */
export function iommu_get_dma_domain(dev: Device): IommuDomain | null {
  atomic("loading dev->iommu_group->default_domain is one step");
  const group = dev.iommu_group!;
  return data_race(() => group.default_domain);
}
