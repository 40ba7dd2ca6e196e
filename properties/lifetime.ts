/** References on groups. */
import { property, refcount_read, windows } from "iommu-mc";
import { linux } from "../models/linux/schema.js";

const { always } = windows(linux);

export const L3 = property({
  code: "L3",
  sentence: "A group has at least one reference for each of its devices and one for its VFIO group.",
  source: "iommu_group_alloc() (devices_kobj holds the group), iommu_group_add_device(), vfio_group_alloc()",
  seenRedBy: "mutant: a second iommu_group_put() in iommu_device_use_default_domain()",
  window: always("iommu_group", (group, state) => {
    const devices = state.all("device").filter((dev) => dev.iommu_group === group).length;
    const vfioGroups = state.all("vfio_group").filter((vfioGroup) => vfioGroup.iommu_group === group).length;
    return refcount_read(group.devices_kobj) >= devices + vfioGroups;
  }),
});

export const R1 = property({
  code: "R1",
  sentence:
    "Group references balance: while no device of the group is being bound or unbound, there is none beyond those of the devices and the VFIO group.",
  source: "iommu_group_get() and iommu_group_put() pair on every path of use, unuse and vfio_group_find_or_alloc()",
  seenRedBy:
    "mutant: iommu_group_put() left out of the -EBUSY path of iommu_device_use_default_domain(); the base (two devices bound to vfio-pci at once)",
  window: always("iommu_group", (group, state) => {
    const devices = state.all("device").filter((dev) => dev.iommu_group === group);
    if (devices.some((dev) => !dev.lock.isFree)) return null;
    const vfioGroups = state.all("vfio_group").filter((vfioGroup) => vfioGroup.iommu_group === group).length;
    return refcount_read(group.devices_kobj) === devices.length + vfioGroups;
  }),
});

export const L3Id = property({
  code: "L3-id",
  sentence: "No two groups in sysfs have the same id, after which their directories are called.",
  source: "ida_alloc() and kobject_init_and_add() in iommu_group_alloc()",
  seenRedBy: "--revert bf75eb44e11b (the groups that are left)",
  window: always("iommu_group", (group, state) => {
    if (!group.in_sysfs) return null;
    return state.all("iommu_group").every((other) => other === group || !other.in_sysfs || other.id !== group.id);
  }),
});
