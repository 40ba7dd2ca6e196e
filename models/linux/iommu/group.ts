/** Groups of drivers/iommu/iommu.c of 6.1.176: their references, their members, and which group a device belongs to. */
import {
  abstraction,
  applied,
  atomic,
  data_race,
  ENODEV,
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
  list_empty,
  mutex_lock,
  mutex_unlock,
  observe,
  operations,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { dev_iommu_priv_get } from "../iommu-drivers/hardware.js";
import { domain_free, driverOf, is_attach_deferred } from "../iommu-drivers/index.js";
import { mtk_iommu_get_frst_data } from "../iommu-drivers/mtk.js";
import { type Device, type GroupDevice, type GroupId, type IommuGroup, type IommuOps, iommu_core, linux } from "../schema.js";
import { __iommu_attach_device } from "./attach.js";
import { iommu_put_dma_cookie } from "./dma-cookie.js";
import { blocking_notifier_call_chain } from "./group-notifier.js";

abstraction("the two kobjects of an iommu_group, of which devices_kobj holds the other, are one count", "neither");
abstraction("sysfs links of groups do not fail", "may miss a bug");
abstraction(
  "where ids of groups are not modelled, making a group fails before anything is made, or not at all; where they are, there are three",
  "may miss a bug",
);

/** 5.10.223 line 571, 6.1.176 line 706. The caller has the one reference. */
export function* iommu_group_alloc(): Proc<IommuGroup | Errno> {
  if (fault("kzalloc(iommu_group)")) return -ENOMEM;
  const group = kzalloc(linux, "iommu_group");
  if (list_empty(iommu_core.group_ids)) {
    kref_init(group.devices_kobj);
    return group;
  }
  yield;
  const id = ida_alloc();
  if (id === null) {
    kfree(group);
    return -ENOMEM;
  }
  group.id = id;
  yield;
  return yield* publish_group(group, id);
}

/**
 * The rest of it, where kobjects and files are made. A kobject is initialised, and has its name, also where adding it fails:
 * before 7cc31613734c (v5.7) the error path freed the group alone. That fix lets the group's release free the id, which the
 * error path had freed already; bf75eb44e11b (v6.1) leaves it to the release. Once the kobject is there `devices_kobj` is the
 * only reference; before 4daa861174d5 (v6.3) a file that cannot be made left it behind.
 */
function* publish_group(group: IommuGroup, id: GroupId): Proc<IommuGroup | Errno> {
  atomic("nobody else has a group that is being made");
  group.name = kzalloc(linux, "kobject_name");
  kref_init(group.devices_kobj);
  if (fault("kobject_init_and_add")) {
    if (!applied("bf75eb44e11b")) ida_free(id);
    if (applied("7cc31613734c")) {
      yield;
      iommu_group_put(group);
    } else kfree(group);
    return -ENOMEM;
  }
  group.in_sysfs = true;
  yield;
  if (fault("kobject_create_and_add")) {
    iommu_group_put(group);
    return -ENOMEM;
  }
  yield;
  if (fault("iommu_group_create_file")) {
    if (applied("4daa861174d5")) iommu_group_put(group);
    return -ENOMEM;
  }
  return group;
}

/** lib/idr.c: the lowest id that is free; null if there is no memory. */
function ida_alloc(): GroupId | null {
  atomic("an ida has a lock of its own");
  if (fault("ida_alloc")) return null;
  for (const id of iommu_core.group_ids) {
    if (id.allocated) continue;
    id.allocated = true;
    return id;
  }
  return null;
}

/** lib/idr.c: warns of an id that is free. */
function ida_free(id: GroupId): void {
  atomic("an ida has a lock of its own");
  WARN_ON(!id.allocated, "ida_free called for an id which is not allocated");
  id.allocated = false;
}

/** 6.1.176 line 1117. Between reading the pointer and taking the reference nothing keeps the group alive but what the caller has. */
export function* iommu_group_get(dev: Device): Proc<IommuGroup | null> {
  const group = dev.iommu_group;
  if (group === null) return null;
  yield;
  kref_get(group.devices_kobj);
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

/** 5.10.223 line 537, 6.1.176 line 670: the last reference is gone, so nobody holds or wants the mutex. */
function iommu_group_release(group: IommuGroup): void {
  atomic("nobody else has a group whose last reference is gone");
  if (group.id !== null) ida_free(group.id);
  const default_domain = data_race(() => group.default_domain);
  const blocking_domain = data_race(() => group.blocking_domain);
  for (const domain of [default_domain, blocking_domain]) {
    if (domain === null) continue;
    iommu_put_dma_cookie(domain);
    domain_free(domain);
  }
  kfree(group.name);
  kfree(group);
}

/** iommu_group_alloc_device() of v6.6 (6.12.107 line 1120): the entry of a group's list, which is not on it yet; null without memory. */
export function alloc_group_device(group: IommuGroup, dev: Device): GroupDevice | null {
  if (fault("kzalloc(group_device)")) return null;
  const device = kzalloc(linux, "group_device");
  device.dev = dev;
  observe("add_device_to_group", group, dev);
  return device;
}

/**
 * 5.10.223 line 797, 6.1.176 line 947. The group takes a reference for the device. Before 797a8b4d768c (v4.11) nobody looked at what became of the attach;
 * since 0046a4337eae (v6.5) it is left to who probes the device. Until a5f1bd1afacd (v5.19) who listened to the group was told.
 */
export function* iommu_group_add_device(group: IommuGroup, dev: Device): Proc<Errno> {
  if (fault("kzalloc(group_device)")) return -ENOMEM;
  const device = kzalloc(linux, "group_device");
  device.dev = dev;
  kref_get(group.devices_kobj);
  yield;
  dev.iommu_group = group;

  let ret: Errno = 0;
  yield* mutex_lock(group.mutex);
  list_add_tail(device, group.devices);
  if (group.domain !== null && !applied("0046a4337eae") && !is_attach_deferred(dev)) ret = yield* __iommu_attach_device(group.domain, dev);
  mutex_unlock(group.mutex);
  if (!ret || !applied("797a8b4d768c")) {
    observe("add_device_to_group", group, dev);
    yield* blocking_notifier_call_chain(group, "IOMMU_GROUP_NOTIFY_ADD_DEVICE", dev);
    return 0;
  }

  yield* mutex_lock(group.mutex);
  list_del(device, group.devices);
  mutex_unlock(group.mutex);
  yield;
  dev.iommu_group = null;
  yield;
  iommu_group_put(group);
  kfree(device);
  return ret;
}

/** 5.10.223 line 882, 6.1.176 line 1033. */
export function* iommu_group_remove_device(dev: Device): Proc {
  const group = dev.iommu_group;
  if (group === null) return;
  yield* mutex_lock(group.mutex);
  const device = list_del_device(group, dev);
  mutex_unlock(group.mutex);
  if (device === null) return;
  yield;
  yield* iommu_group_forget_device(group, device);
}

/** The end of it, which v6.4 calls __iommu_group_release_device(). */
export function* iommu_group_forget_device(group: IommuGroup, device: GroupDevice): Proc {
  const dev = device.dev!;
  kfree(device);
  dev.iommu_group = null;
  observe("remove_device_from_group", group, dev);
  yield;
  iommu_group_put(group);
}

/** Takes the first entry of the device off the group's list, whose mutex the caller holds; null if it is not there. */
export function list_del_device(group: IommuGroup, dev: Device): GroupDevice | null {
  for (const device of group.devices) {
    if (device.dev === dev) {
      list_del(device, group.devices);
      return device;
    }
  }
  return null;
}

/** 5.10.223 line 1535, 6.1.176 line 1635: finds or makes the group of a device, puts the device into it, and returns it with a reference. */
export function* iommu_group_get_for_dev(dev: Device): Proc<IommuGroup | Errno> {
  const existing = yield* iommu_group_get(dev);
  if (existing !== null) return existing;
  yield;
  const group = yield* device_group(dev);
  if (typeof group === "number") return group;
  yield;
  const ret = yield* iommu_group_add_device(group, dev);
  if (!ret) return group;
  yield;
  iommu_group_put(group);
  return ret;
}

/** `ops->device_group`. */
export function* device_group(dev: Device): Proc<IommuGroup | Errno> {
  return yield* grouping[driverOf(dev)].device_group(dev);
}

/**
 * 6.1.176: intel/iommu.c line 4677, amd/iommu.c line 1932, arm-smmu-v3.c line 2757, arm-smmu.c line 1461, virtio-iommu.c line 1023. Other groups of
 * devices that are not on PCI, and masters that share a stream id, are left out.
 */
function* device_group_by_bus(dev: Device): Proc<IommuGroup | Errno> {
  if (dev.bus!.kind === "pci") return yield* pci_device_group(dev);
  return yield* generic_device_group(dev);
}

/** 7.2.13, mtk_iommu.c line 974: a device of a new IOMMU has a group of its own here. */
function* mtk_iommu_device_group(dev: Device): Proc<IommuGroup | Errno> {
  yield* mtk_iommu_get_frst_data(dev);
  yield;
  return yield* iommu_group_alloc();
}

/** 6.1.176, omap-iommu.c line 1721: the group of the device's IOMMU, instead of which each device has its own here. */
function* omap_iommu_device_group(dev: Device): Proc<IommuGroup | Errno> {
  const arch_data = yield* dev_iommu_priv_get(dev);
  if (arch_data === null) return -ENODEV;
  yield;
  return yield* iommu_group_alloc();
}

/**
 * 6.12.107 line 1247, 7.2.13 line 1250, with pSeries_pci_device_group() (6.12.107 line 2555, 7.2.13 line 2554). A table group has its group before there are
 * devices in it, and keeps it.
 */
function* spapr_tce_iommu_device_group(dev: Device): Proc<IommuGroup | Errno> {
  const { group } = dev.table_group!;
  if (group === null) return -ENODEV;
  yield;
  return iommu_group_ref_get(group);
}

/** 6.1.176 line 1491. */
function* generic_device_group(_dev: Device): Proc<IommuGroup | Errno> {
  return yield* iommu_group_alloc();
}

const grouping: Readonly<Record<IommuOps["driver"], { readonly device_group: (dev: Device) => Proc<IommuGroup | Errno> }>> = operations(
  linux,
  {
    intel_iommu: { device_group: device_group_by_bus },
    intel_legacy: { device_group: device_group_by_bus },
    intel_scalable: { device_group: device_group_by_bus },
    amd_iommu: { device_group: device_group_by_bus },
    virtio_iommu: { device_group: device_group_by_bus },
    arm_smmu_v3: { device_group: device_group_by_bus },
    arm_smmu: { device_group: device_group_by_bus },
    mtk_iommu: { device_group: mtk_iommu_device_group },
    s390_iommu: { device_group: generic_device_group },
    omap_iommu: { device_group: omap_iommu_device_group },
    mtk_iommu_v1: { device_group: generic_device_group },
    spapr_tce: { device_group: spapr_tce_iommu_device_group },
  },
);

/**
 * 6.1.176 line 1501: the group of a bridge above that does not isolate the device, of an alias or of a function of the same
 * slot that is not isolated from it; else a new one.
 */
function* pci_device_group(dev: Device): Proc<IommuGroup | Errno> {
  for (let bridge = dev.upstream; bridge !== null; bridge = bridge.upstream) {
    const group = yield* iommu_group_get(bridge);
    if (group !== null) return group;
    yield;
  }
  for (const alias of dev.aliases) {
    const group = yield* iommu_group_get(alias);
    if (group !== null) return group;
    yield;
  }
  return yield* iommu_group_alloc();
}
