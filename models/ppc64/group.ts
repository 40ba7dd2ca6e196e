/** Groups of drivers/iommu/iommu.c, and how PEs make theirs. */
import { abstraction, atomic, BUG_ON, data_race, kfree, kref_get, kref_init, kref_put, kzalloc, type Proc } from "iommu-mc";
import { type Device, type IommuDomain, type IommuGroup, ppc64, type TableGroup } from "./schema.js";

abstraction("the two kobjects of an iommu_group are one count; group_devices are the devices", "neither", ppc64);
abstraction("sysfs files and allocations of groups do not fail", "may miss a bug", ppc64);

/** powerpc's iommu.c, 6.1.176 line 999: the platform keeps the one reference. */
export function iommu_register_group(table_group: TableGroup): IommuGroup {
  const grp = kzalloc(ppc64, "iommu_group");
  kref_init(grp.devices_kobj);
  grp.iommu_data = table_group;
  table_group.group = grp;
  return grp;
}

/** 6.1.176 line 1117. */
export function* iommu_group_get(dev: Device): Proc<IommuGroup | null> {
  const group = dev.iommu_group;
  if (group === null) return null;
  yield;
  return iommu_group_ref_get(group);
}

export function iommu_group_ref_get(group: IommuGroup): IommuGroup {
  kref_get(group.devices_kobj);
  return group;
}

/** 6.1.176 line 1149, and iommu_group_release() (line 670) with powerpc's group_release(): the table group forgets it. */
export function iommu_group_put(group: IommuGroup): void {
  if (!kref_put(group.devices_kobj)) return;
  atomic("nobody else has a group whose last reference is gone");
  group.iommu_data!.group = null;
  const domains = [data_race(() => group.default_domain), data_race(() => group.blocking_domain)];
  for (const domain of domains) if (domain !== null) iommu_domain_free(domain);
  kfree(group);
}

/** 6.1.176 line 1940: calls `domain->ops->free` without a look. The change to v6.7's domains that stand in the kernel's data made it look (6.12.107). */
export function iommu_domain_free(domain: IommuDomain): void {
  if (domain.is_static) return;
  BUG_ON(true, "call of domain->ops->free, which is NULL");
}
