/** Groups of drivers/iommu/iommu.c of 6.1.176. */
import {
  applied,
  atomic,
  BUG_ON,
  data_race,
  EEXIST,
  type Errno,
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
} from "iommu-mc";
import { attach_dev } from "./iommu-ops.js";
import { type Device, type IommuGroup, ppc64Ops, type TableGroup } from "./schema.js";

/** powerpc's iommu.c, 6.1.176 line 999: the platform keeps the one reference. */
export function iommu_register_group(table_group: TableGroup): void {
  const grp = kzalloc(ppc64Ops, "iommu_group");
  kref_init(grp.devices_kobj);
  grp.iommu_data = table_group;
  table_group.group = grp;
}

/** Line 1117. */
export function* iommu_group_get(dev: Device): Proc<IommuGroup | null> {
  const group = dev.iommu_group;
  if (group === null) return null;
  yield;
  kref_get(group.devices_kobj);
  return group;
}

/** Line 1149, and iommu_group_release() (line 670) with powerpc's group_release(). The blocking domain's ops have no free(), and nobody looks. */
export function iommu_group_put(group: IommuGroup): void {
  if (!kref_put(group.devices_kobj)) return;
  group.iommu_data!.group = null;
  BUG_ON(data_race(() => group.blocking_domain) !== null, "call of domain->ops->free, which is NULL");
  kfree(group);
}

/** Line 930: the link comes first, and of two who add a device it stops the second. */
export function* iommu_group_add_device(group: IommuGroup, dev: Device): Proc<Errno> {
  yield;
  atomic("sysfs_create_link()");
  if (dev.has_group_link) return -EEXIST;
  dev.has_group_link = true;
  yield;
  kref_get(group.devices_kobj);
  yield;
  dev.iommu_group = group;
  yield* mutex_lock(group.mutex);
  list_add_tail(dev, group.devices);
  const domain = group.domain;
  const ret = domain === null || iommu_is_attach_deferred(dev) ? 0 : attach_dev(domain, dev);
  if (ret) list_del(dev, group.devices);
  mutex_unlock(group.mutex);
  if (!ret) {
    observe("Adding to iommu group", dev);
    return 0;
  }
  dev.has_group_link = false;
  dev.iommu_group = null;
  iommu_group_put(group);
  return ret;
}

/** Line 999. */
export function* iommu_group_remove_device(dev: Device): Proc {
  const group = dev.iommu_group;
  if (group === null) return;
  observe("Removing from iommu group", dev);
  yield* mutex_lock(group.mutex);
  list_del(dev, group.devices);
  mutex_unlock(group.mutex);
  dev.has_group_link = false;
  dev.iommu_group = null;
  iommu_group_put(group);
}

/** Line 862: a driver that has no such op defers nothing. */
export function iommu_is_attach_deferred(dev: Device): boolean {
  const ops = dev.iommu!.iommu_dev!.ops!;
  return ops.has_is_attach_deferred && spapr_tce_iommu_is_attach_deferred();
}

/** Of the patch, or one that would defer. */
function spapr_tce_iommu_is_attach_deferred(): boolean {
  return applied("defers-attach");
}
