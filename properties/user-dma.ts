/** What a process may have of a group, and what its drivers may: the same question to every way of keeping them apart. */
import { type Errno, property, windows } from "iommu-mc";
import { type Device, type DeviceDriver, type IommuGroup, linux, type VfioDevice, type VfioGroup } from "../models/linux/schema.js";
import { everyMember } from "./reach.js";

const { atRest, onReturn } = windows(linux);

export const O11 = property({
  code: "O11",
  sentence: "A process that opens a device is refused while a driver that uses the DMA API is at work in its group.",
  source: "vfio_dev_viable() until v5.19; -EPERM of iommu_group_claim_dma_owner() since",
  seenRedBy: "the base (VFIO before it owned anything)",
  window: onReturn<[VfioGroup, Device], VfioDevice | null>("vfio_group_ioctl_get_device_fd", ([, { iommu_group }], device) =>
    everyMember(iommu_group!, (dev) => !dev.queue_up) ? null : device === null,
  ),
});

export const O12 = property({
  code: "O12",
  sentence: "A driver that uses the DMA API is not bound in a group that a process has attached.",
  source: "-EBUSY of iommu_device_use_default_domain(); BUG_ON() of vfio_group_nb_verify() until v5.19",
  seenRedBy: "the base (VFIO before it owned anything)",
  window: onReturn<[DeviceDriver, Device], Errno>("device_driver_attach", ([drv, { iommu_group }], ret, state) => {
    if (drv.kind !== "native" || iommu_group === null) return null;
    return state.all("vfio_domain").some((domain) => domain.group_list.includes(iommu_group)) ? ret !== 0 : null;
  }),
});

export const V2Bind = property({
  code: "V2-bind",
  sentence:
    "Who binds a driver to a device ends with the two bound, and the device on a domain if it is in a group, or with an error and the device without a driver.",
  source: "really_probe() (whatever dma_configure has done is undone if the probe fails)",
  seenRedBy: "mutant: a device whose DMA cannot be configured keeps its driver; the base, fixed by dcf40ed3a20d",
  window: onReturn<[DeviceDriver, Device], Errno>("device_driver_attach", ([drv, dev], ret) => {
    const isIn = dev.iommu_group !== null;
    return {
      "it is bound if the answer is 0, and else not": ret === 0 ? dev.is_bound && dev.driver === drv : dev.driver === null,
      "it is on a domain if it is bound": ret !== 0 || !isIn || dev.hw !== null,
    };
  }),
});

export const O13 = property({
  code: "O13",
  sentence: "While a process has a device open, its group is on a domain of the process's container.",
  source: "VFIO's rule of 2021: a group is in a security context before a device of it is opened",
  seenRedBy: "mutant: the first device is opened before its group is taken",
  window: atRest("vfio_group", "group_lock", ({ container, container_users, iommu_group }) => {
    if (container_users <= 1) return null;
    return container!.iommu_data!.domain_list.some(
      ({ domain, group_list }) => group_list.includes(iommu_group!) && isOn(iommu_group!, domain),
    );
  }),
});

export const O14 = property({
  code: "O14",
  sentence: "A process that nobody else competes with is given a device in whose group no driver uses the DMA API.",
  source: "vfio_driver_allowed[] until v5.19; driver_managed_dma since",
  seenRedBy: "another scenario: a driver that does no DMA is not exempt",
  window: onReturn<[VfioGroup, Device], VfioDevice | null>("vfio_group_ioctl_get_device_fd", ([, { iommu_group }], device) =>
    everyMember(iommu_group!, (dev) => !dev.queue_up) ? device !== null : null,
  ),
});

export const O15 = property({
  code: "O15",
  sentence: "A driver is refused only while a process has a device of the group open, if nothing else is wrong and nobody else is at work.",
  source: "RFC of September 2021 for user DMA: a group of which no device is open is idle",
  seenRedBy: "the base (ownership is taken with the group)",
  window: onReturn<[DeviceDriver, Device], Errno>("device_driver_attach", ([, { iommu_group }], ret, state) => {
    if (ret === 0) return null;
    return state.all("vfio_group").some((group) => group.iommu_group === iommu_group && group.container_users > 1);
  }),
});

function isOn(group: IommuGroup, domain: IommuGroup["domain"]): boolean {
  return group.domain === domain && everyMember(group, (dev) => dev.hw === domain);
}
