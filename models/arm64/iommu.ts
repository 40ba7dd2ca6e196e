/**
 * Groups and domains in drivers/iommu/iommu.c of v4.2 to v4.9. It was read in a copy of v4.9 (which already has reserved regions,
 * left out here) and in a description of v4.4; lines are not given for that reason. Of v4.2 it was not at hand what differs, see
 * iommu_group_get_for_dev().
 */
import {
  abstraction,
  applied,
  atomic,
  data_race,
  EBUSY,
  EEXIST,
  EINVAL,
  ENOMEM,
  type Errno,
  fault,
  kfree,
  kref_get,
  kref_init,
  kref_put,
  kzalloc,
  list_add_tail,
  list_del,
  mutex_lock,
  mutex_unlock,
  observe,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { attach_dev, detach_dev, domain_alloc, domain_free } from "./iommu-driver.js";
import { arm64, type BusType, type Device, type DomainType, type GroupDevice, type IommuDomain, type IommuGroup } from "./schema.js";

abstraction(
  "the two kobjects of an iommu_group, of which devices_kobj holds the other, are one count; ids are not modelled",
  "neither",
  arm64,
);
abstraction("nobody listens to the notifier chain of a group: VFIO, which does, is not in this model", "may miss a bug", arm64);
abstraction("ranges that a device's firmware uses (direct mappings) are left out", "may miss a bug", arm64);
abstraction(
  "allocating a group and its entries, or a notifier, does not fail, nor does a sysfs link but where there is one already",
  "may miss a bug",
  arm64,
);

/**
 * Nothing is locked between finding the group, giving it a default domain and putting the device into it. Until v4.4
 * (device-group) it knew PCI devices only, as the thread of August 2015 says; since then it asks the ops of the bus.
 */
export function* iommu_group_get_for_dev(dev: Device): Proc<IommuGroup | Errno> {
  const existing = yield* iommu_group_get(dev);
  if (existing !== null) return existing;
  if (!applied("device-group") && dev.bus!.kind !== "pci") return -EINVAL;
  yield;
  if (applied("device-group")) {
    if (dev.bus!.iommu_ops === null) return -EINVAL;
    yield;
  }
  const group = yield* device_group(dev);
  yield;
  const default_domain = group.default_domain;
  yield;
  if (default_domain === null) {
    const domain = __iommu_domain_alloc(dev.bus!, "DMA");
    yield;
    group.default_domain = domain;
    yield;
    const current = group.domain;
    yield;
    if (current === null) group.domain = domain;
    yield;
  }
  const ret = yield* iommu_group_add_device(group, dev);
  if (!ret) return group;
  yield;
  iommu_group_put(group);
  return ret;
}

/** pci_device_group() where there is a device with the same requester id, else generic_device_group(). */
export function* device_group(dev: Device): Proc<IommuGroup> {
  const existing = dev.alias === null ? null : yield* iommu_group_get(dev.alias);
  return existing ?? iommu_group_alloc();
}

/** The caller has the one reference. */
export function iommu_group_alloc(): IommuGroup {
  const group = kzalloc(arm64, "iommu_group");
  kref_init(group.devices_kobj);
  return group;
}

export function* iommu_group_get(dev: Device): Proc<IommuGroup | null> {
  const group = dev.iommu_group;
  if (group === null) return null;
  yield;
  kref_get(group.devices_kobj);
  return group;
}

export function iommu_group_put(group: IommuGroup): void {
  if (!kref_put(group.devices_kobj)) return;
  atomic("nobody else has a group whose last reference is gone");
  if (group.default_domain !== null) domain_free(group.default_domain);
  kfree(group);
}

/**
 * The device's link (refused if it has one), the group's, a reference and the pointer come before the list and the attach. What
 * becomes of the attach was ignored until 797a8b4d768c (v4.11), whose way back forgot the link from the group; 7d4e6ccd1fb0 (v5.0)
 * removes it.
 */
export function* iommu_group_add_device(group: IommuGroup, dev: Device): Proc<Errno> {
  atomic("sysfs_create_link() looks for the name and adds it");
  if (dev.has_group_link) return -EEXIST;
  const device = kzalloc(arm64, "group_device");
  device.dev = dev;
  dev.has_group_link = true;
  yield;
  group.device_links.add(dev);
  yield;
  kref_get(group.devices_kobj);
  yield;
  dev.iommu_group = group;
  observe("add_device_to_group", group, dev);

  let ret: Errno = 0;
  yield* mutex_lock(group.mutex);
  list_add_tail(device, group.devices);
  if (group.domain !== null) ret = yield* attach_dev(group.domain, dev);
  mutex_unlock(group.mutex);
  if (!ret || !applied("797a8b4d768c")) return 0;
  yield* undo_add_device(group, device);
  return ret;
}

/** The end of iommu_group_add_device() that 797a8b4d768c added. */
function* undo_add_device(group: IommuGroup, device: GroupDevice): Proc {
  const dev = device.dev!;
  yield* mutex_lock(group.mutex);
  list_del(device, group.devices);
  mutex_unlock(group.mutex);
  yield;
  dev.iommu_group = null;
  yield;
  iommu_group_put(group);
  yield;
  if (applied("7d4e6ccd1fb0")) group.device_links.delete(dev);
  yield;
  dev.has_group_link = false;
  kfree(device);
}

/** Who calls it has taken the device off its domain. */
export function* iommu_group_remove_device(dev: Device): Proc {
  const group = dev.iommu_group!;
  yield* mutex_lock(group.mutex);
  const device = entryOf(group, dev);
  if (device !== null) list_del(device, group.devices);
  mutex_unlock(group.mutex);
  if (device === null) return;
  yield;
  group.device_links.delete(dev);
  yield;
  dev.has_group_link = false;
  kfree(device);
  yield;
  dev.iommu_group = null;
  observe("remove_device_from_group", group, dev);
  yield;
  iommu_group_put(group);
}

function entryOf(group: IommuGroup, dev: Device): GroupDevice | null {
  for (const device of group.devices) if (device.dev === dev) return device;
  return null;
}

/** Of a bus that has no ops there is none. */
export function __iommu_domain_alloc(bus: BusType, type: DomainType): IommuDomain | null {
  const ops = bus.iommu_ops;
  if (ops === null) return null;
  const domain = domain_alloc(ops, type);
  if (domain === null) return null;
  domain.ops = ops;
  return domain;
}

export function iommu_domain_free(domain: IommuDomain): void {
  domain_free(domain);
}

/** A device without a group goes straight to the driver of the domain. */
export function* iommu_attach_device(domain: IommuDomain, dev: Device): Proc<Errno> {
  const group = yield* iommu_group_get(dev);
  if (group === null) return yield* attach_dev(domain, dev);
  yield* mutex_lock(group.mutex);
  const ret = group.devices.length === 1 ? yield* __iommu_attach_group(domain, group) : -EINVAL;
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
  return ret;
}

/** What is done when it fails stays. */
function* __iommu_attach_group(domain: IommuDomain, group: IommuGroup): Proc<Errno> {
  const default_domain = group.default_domain;
  yield;
  if (default_domain !== null && group.domain !== default_domain) return -EBUSY;
  for (const device of group.devices) {
    yield;
    const ret = yield* attach_dev(domain, device.dev!);
    if (ret) return ret;
  }
  group.domain = domain;
  return 0;
}

export function* iommu_detach_device(domain: IommuDomain, dev: Device): Proc {
  const group = yield* iommu_group_get(dev);
  if (group === null) {
    yield* detach_dev(domain, dev);
    return;
  }
  yield* mutex_lock(group.mutex);
  if (!WARN_ON(group.devices.length !== 1, "a device of a larger group is detached alone")) yield* __iommu_detach_group(domain, group);
  mutex_unlock(group.mutex);
  yield;
  iommu_group_put(group);
}

/** Back to the default domain; to nothing where there is none. */
function* __iommu_detach_group(domain: IommuDomain, group: IommuGroup): Proc {
  const default_domain = group.default_domain;
  yield;
  if (default_domain === null) {
    for (const device of group.devices) {
      yield;
      yield* detach_dev(domain, device.dev!);
    }
    group.domain = null;
    return;
  }
  if (group.domain === default_domain) return;
  let ret: Errno = 0;
  for (const device of group.devices) {
    yield;
    ret = yield* attach_dev(default_domain, device.dev!);
    if (ret) break;
  }
  if (!WARN_ON(ret !== 0, "the default domain cannot be attached again")) group.domain = default_domain;
}

/** A device without a group is on no domain that this knows of. */
export function* iommu_get_domain_for_dev(dev: Device): Proc<IommuDomain | null> {
  const group = yield* iommu_group_get(dev);
  if (group === null) return null;
  yield;
  const domain = data_race(() => group.domain);
  yield;
  iommu_group_put(group);
  return domain;
}

/** drivers/iommu/dma-iommu.c: makes the domain's allocator of IOVAs. */
export function* iommu_dma_init_domain(domain: IommuDomain): Proc<Errno> {
  if (fault("iommu_dma_init_domain")) return -ENOMEM;
  domain.has_iovas = true;
  return 0;
}
