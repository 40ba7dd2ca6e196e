/** DMA ownership: who may use a group's devices, the kernel's DMA API or a user process. Written for v5.19 to v6.1. */
import { type Errno, property, refcount_read, windows } from "iommu-mc";
import { type Device, type IommuGroup, linux, type VfioDevice, type VfioGroup } from "../models/linux/schema.js";
import { everyMember, hasNativeDriver, reach } from "./reach.js";

const { always, atEnd, atRest, onReturn, onStep, sometimes } = windows(linux);

export const O1 = property({
  code: "O1",
  sentence:
    "A driver is allowed to use the DMA API only while nobody owns the group, and only on the default domain if others use it already.",
  source: "iommu_device_use_default_domain()",
  seenRedBy:
    "mutant: iommu_device_use_default_domain() refuses only a group without an owner; mutant: iommu_device_use_default_domain() does not look at the domain",
  // No invariant: once counted, a driver may put the group on a domain of its own. It is asked where the count rises.
  window: onStep("iommu_group", (group, before) => {
    const users = before(() => group.owner_cnt);
    const isClaim = group.owner !== null && (users === 0 || before(() => group.owner) !== group.owner);
    if (group.owner_cnt <= users || isClaim) return null;
    return {
      "nobody owns the group": group.owner === null,
      "the group is on its default domain if another driver uses it": users === 0 || isOnDefaultDomain(group),
    };
  }),
});

export const O2 = property({
  code: "O2",
  sentence:
    "While a user owns a group, no driver that uses the DMA API is at work in it, and the group is on its blocking domain or a user's.",
  source: "0286300e6045 (once owned, never the default domain nor none); iommu_device_use_default_domain()",
  seenRedBy: "mutant: a driver is told to stop after its count is given back; --revert 0286300e6045 (driver without detach_dev)",
  window: atRest("iommu_group", "mutex", (group) => {
    if (group.owner === null) return null;
    return {
      "no driver that uses the DMA API is at work": everyMember(group, (dev) => !dev.queue_up),
      "the group is on the blocking domain or a user's": group.domain !== null && group.domain !== group.default_domain,
    };
  }),
});

export const O2User = property({
  code: "O2-user",
  sentence: "While a process has a group attached through VFIO, no driver that uses the DMA API is at work on a device of it.",
  source: "vfio_dev_viable() (a group is viable for a user if no driver but VFIO's and harmless ones has a device of it); 70693f470848",
  seenRedBy: "the base (VFIO before it owned anything)",
  window: always("iommu_group", (group, state) => {
    if (!state.all("vfio_domain").some((domain) => domain.group_list.includes(group))) return null;
    return state.all("device").every((dev) => dev.iommu_group !== group || !dev.queue_up);
  }),
});

export const O2Open = property({
  code: "O2-open",
  sentence: "A device that a process gets from VFIO is in a group that is in a container, and stays there.",
  source: "VFIO_GROUP_GET_DEVICE_FD (only of a group in a container with an IOMMU); -EBUSY of VFIO_GROUP_UNSET_CONTAINER; e0e29bdb594a",
  seenRedBy: "the base (VFIO before a group had a lock)",
  window: onReturn<[VfioGroup, Device], VfioDevice | null>("vfio_group_ioctl_get_device_fd", ([group], device) => {
    if (device === null) return null;
    return group.container !== null && group.container_users > 1;
  }),
});

export const V4 = property({
  code: "V4",
  sentence: "In the end, when nobody has it open any more, a group is in no container.",
  source: "vfio_group_fops_release() (whatever is open last takes the group out of its container)",
  seenRedBy: "the base (VFIO before a group had a lock)",
  window: atEnd("vfio_group", (group) => {
    const isOpen = refcount_read(group.file) > 0 || group.opened_file;
    return isOpen ? null : group.container === null;
  }),
});

export const O3 = property({
  code: "O3",
  sentence: "The ownership count is the number of bound drivers that use the DMA API, or one for an owner.",
  source: "WARN_ON in iommu_device_unuse_default_domain(); f429378a9bf8 (one dma_cleanup for each successful dma_configure)",
  seenRedBy: "mutant: dma_cleanup() left out of the error path of really_probe()",
  window: always("iommu_group", (group, state) => {
    // While a device is being bound or unbound its count may or may not be taken.
    if (!group.mutex.isFree) return null;
    const devices = state.all("device").filter((dev) => dev.iommu_group === group);
    if (devices.some((dev) => !dev.lock.isFree)) return null;
    const users = devices.filter(hasNativeDriver).length;
    return group.owner_cnt === (group.owner === null ? users : 1);
  }),
});

export const O5 = property({
  code: "O5",
  sentence: "When a claim has succeeded, no device of the group can reach memory of the kernel, now or through what a driver maps later.",
  source: "0286300e6045 (claiming isolates every device)",
  seenRedBy: "--revert 0286300e6045 (driver without detach_dev); mutant: POWER's driver leaves a table group its window when it is taken",
  window: onReturn<[IommuGroup, VfioGroup], Errno>("iommu_group_claim_dma_owner", ([group], ret, state) => {
    if (ret !== 0) return null;
    const devices = state.all("device");
    return {
      "no kernel mapping is in reach": everyMember(group, (dev) => !reach(dev, devices).kernel),
      "no device is on the default domain": group.default_domain === null || everyMember(group, (dev) => dev.hw !== group.default_domain),
    };
  }),
});

export const K1 = property({
  code: "K1",
  sentence: "No kernel mapping survives a user attach: while a user owns a group, its devices cannot reach memory of the kernel.",
  source: "0286300e6045; the purpose of DMA ownership (1ea2a07a532b)",
  seenRedBy: "mutant: detach returns an owned group to its default domain; --revert 0286300e6045 (driver without detach_dev)",
  window: atRest("iommu_group", "mutex", (group, state) => {
    if (group.owner === null) return null;
    const devices = state.all("device");
    return everyMember(group, (dev) => !reach(dev, devices).kernel);
  }),
});

export const O6 = property({
  code: "O6",
  sentence: "A group has one owner at a time: ownership passes from one to another only through nobody.",
  source: "-EPERM of iommu_group_claim_dma_owner()",
  seenRedBy: "mutant: the tests of owner_cnt and domain in iommu_group_claim_dma_owner() removed",
  window: onStep("iommu_group", (group, before) => {
    const was = before(() => group.owner);
    if (was === group.owner) return null;
    return was === null || group.owner === null;
  }),
});

export const O7 = property({
  code: "O7",
  sentence: "Ownership is released only by who has it, and then nothing of it is left, nor any domain attached to a PASID.",
  source: "WARN_ON in iommu_group_release_dma_owner(); since 16603704559c of PASIDs too",
  seenRedBy:
    "mutant: owner_cnt = 0 left out of iommu_group_release_dma_owner(); mutant: iommu_device_use_default_domain() refuses only a group without an owner; mutant: nobody asks whether a group has PASIDs, and a detach leaves its handle",
  window: onStep("iommu_group", (group, before) => {
    if (before(() => group.owner) === null || group.owner !== null) return null;
    return {
      "it was counted once": before(() => group.owner_cnt) <= 1,
      "the count is zero": group.owner_cnt === 0,
      "no PASID is attached": group.pasid_entry === "empty" && group.handle === null,
    };
  }),
});

export const userAtWork = property({
  code: "W1",
  sentence: "Witness: a user has memory mapped for a group it owns.",
  source: "the scenario",
  seenRedBy: "a scenario without a VFIO user",
  window: sometimes("iommu_group", (group) => {
    if (group.owner === null || group.domain === null) return false;
    return group.domain.user_map;
  }),
});

export const driverAtWork = property({
  code: "W2",
  sentence: "Witness: a driver has a packet mapped.",
  source: "the scenario",
  seenRedBy: "a scenario without traffic",
  window: sometimes("device", (dev) => dev.dma_map !== null),
});

/** From v6.0 on an identity domain counts as the default domain if that is one too. */
function isOnDefaultDomain({ domain, default_domain }: IommuGroup): boolean {
  if (domain === default_domain) return true;
  return domain !== null && default_domain !== null && domain.type === "IDENTITY" && default_domain.type === "IDENTITY";
}
