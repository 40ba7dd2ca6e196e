/** The same claims of the kernel of 2015, which is a model of its own. */
import { type Errno, isFreed, property, refcount_read, windows } from "iommu-mc";
import { arm64, type Device, type IommuDomain, type IommuGroup } from "../models/arm64/schema.js";

const { always, atEnd, atRest, onReturn } = windows(arm64);

export const T5Arm64 = property({
  code: "T5-arm64",
  sentence: "A driver's DMA ops are those of the IOMMU exactly if that translates its device, and map in the domain it translates with.",
  source: "13b8629f6511; 16c11325cc44",
  seenRedBy: "linux-4.4 (a device that was queued before there was a notifier)",
  window: atRest("device", "lock", (dev) => {
    if (isFreed(dev) || !dev.is_bound) return null;
    const isTranslated = dev.hw !== null;
    return hasOpsOfIommu(dev) === isTranslated && (!isTranslated || isMappedIn(dev, dev.hw!));
  }),
});

export const T5Coherence = property({
  code: "T5-coherence",
  sentence: "A device that no IOMMU translates has the DMA ops of its coherence.",
  source: "arm_get_dma_map_ops(); 1874619a7df4",
  seenRedBy: "linux-4.4 (a coherent device is detached from a mapping of its driver's)",
  window: atEnd("device", (dev) => {
    if (dev.hw !== null) return null;
    // A device without ops of its own has arm's default ones.
    const isForCoherent = dev.dma_ops === "arm_coherent_dma_ops";
    return isForCoherent === dev.dma_coherent;
  }),
});

export const V2Arm64 = property({
  code: "V2-arm64",
  sentence: "In the end a device with a driver is bound, and translated through the DMA ops if the driver of its IOMMU can do that.",
  source: "13b8629f6511; 722ec35f7fae",
  seenRedBy:
    "linux-4.4 (a device that was queued before there was a notifier); linux-4.2 with posted-v5 and same-priority (arm64's notifier is told of a device before the IOMMU core's)",
  window: atEnd("device", (dev) => {
    if (!dev.is_bound || dev.iommus === null || !dev.iommus.has_dma_domains || dev.bus!.iommu_ops !== dev.iommus) return null;
    return hasOpsOfIommu(dev);
  }),
});

export const C1Then = property({
  code: "C1-2015",
  sentence: "In the end every device on a group's list is on the domain the group says it is on.",
  source: "e39cb8a3aa98; 797a8b4d768c",
  seenRedBy: "linux-4.4 (the attach of a device that is added fails)",
  // While a device is being added it is on the list before and after its attach, the latter also if that fails.
  window: atEnd("iommu_group", (group) => {
    return group.domain === null ? null : group.devices.every((entry) => entry.dev!.hw === group.domain);
  }),
});

export const X2Then = property({
  code: "X2-2015",
  sentence: "A device is on the list of one group at most, and once.",
  source: "WARN_ON in add_iommu_group(); the link that iommu_group_add_device() makes first",
  seenRedBy: "mutant: a device's link to its group is made although it has one",
  window: always("device", (dev, state) => state.all("group_device").filter((entry) => entry.dev === dev).length <= 1),
});

export const C3Then = property({
  code: "C3-2015",
  sentence: "A device whose addition to a group fails is in no group.",
  source: "797a8b4d768c",
  seenRedBy: "mutant: the error path of iommu_group_add_device() leaves the pointer",
  window: onReturn<[IommuGroup, Device], Errno>("iommu_group_add_device", ([, dev], ret) => ret === 0 || dev.iommu_group === null),
});

export const L3Then = property({
  code: "L3-2015",
  sentence: "In the end a group has a link to exactly those devices that are in it.",
  source: "7d4e6ccd1fb0; iommu_group_remove_device()",
  seenRedBy: "linux-4.4 with 797a8b4d768c (the attach of a device that is added fails)",
  window: atEnd("iommu_group", (group, state) =>
    state.all("device").every((dev) => group.device_links.has(dev) === (dev.iommu_group === group)),
  ),
});

export const R1Then = property({
  code: "R1-2015",
  sentence: "In the end a group has one reference for each device that is in it: whoever looked it up has given it back.",
  source: "iommu_group_get() and iommu_group_put() of add_device(), iommu_attach_device() and iommu_get_domain_for_dev()",
  seenRedBy: "mutant: iommu_get_domain_for_dev() keeps the reference on the group",
  window: atEnd("iommu_group", (group, state) => {
    return refcount_read(group.devices_kobj) === state.all("device").filter((dev) => dev.iommu_group === group).length;
  }),
});

export const C5Then = property({
  code: "C5-2015",
  sentence: "A driver is asked to attach only its own domains to its own devices.",
  source: "do_iommu_attach() (asks the device's own IOMMU for a domain, not the bus)",
  seenRedBy: "linux-4.2 with posted-v5 and domain-of-bus (two kinds of IOMMUs)",
  window: onReturn<[IommuDomain, Device], Errno>("attach_dev", ([domain, dev]) => domain.ops === dev.iommus),
});

/** Those of arm64, or of arm. */
function hasOpsOfIommu({ dma_ops }: Device): boolean {
  return dma_ops === "iommu_dma_ops" || dma_ops === "iommu_ops" || dma_ops === "iommu_coherent_ops";
}

/** arm's DMA ops map in the device's mapping, arm64's in what its group is on. */
function isMappedIn(dev: Device, domain: IommuDomain): boolean {
  if (dev.mapping !== null) return dev.mapping.domain === domain && domain.has_iovas;
  const group = dev.iommu_group;
  return group !== null && group.domain === domain && domain.has_iovas;
}
