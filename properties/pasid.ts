/** PASIDs and their attach handles, and devices that are being reset. */
import { isFreed, property, windows } from "iommu-mc";
import { type Device, type IommuAttachHandle, type IommuGroup, linux } from "../models/linux/schema.js";
import { everyMember } from "./reach.js";

const { always, atRest, onStep } = windows(linux);

export const C14 = property({
  code: "C14",
  sentence: "When page faults can find a domain by its PASID, every device of the group that has PASIDs is attached to it.",
  source: "iommu_attach_device_pasid(), where a domain may not be visible before the attach can fail no more (5e9f822c9c68)",
  seenRedBy: "--revert 5e9f822c9c68",
  window: onStep("iommu_group", (group, before) => {
    if (group.pasid_entry !== "present" || before(() => group.pasid_entry) === "present") return null;
    return everyMember(group, (dev) => !hasPasid(dev) || dev.hw_pasid === group.pasid_domain);
  }),
});

export const C14Rest = property({
  code: "C14-rest",
  sentence:
    "With the group's mutex free, the PASID of every device that is not being reset is on the domain that the group has for it, or is blocked if it has none.",
  source: "iommu_attach_device_pasid(), iommu_detach_device_pasid(); WARN_ON in iommu_remove_dev_pasid()",
  seenRedBy:
    "mutant: a device that is detached from a PASID is left out; mutant: what was attached before an attach of a PASID failed is not undone",
  window: atRest("iommu_group", "mutex", (group) =>
    everyMember(group, (dev) => !hasPasid(dev) || dev.resets > 0 || dev.hw_pasid === group.pasid_domain),
  ),
});

export const C16 = property({
  code: "C16",
  sentence: "While a device is being reset it is on its group's blocking domain, and its PASID is blocked.",
  source: "c279e83953d9, pci_dev_reset_iommu_prepare() (PCIe r6.0, 10.3.1)",
  seenRedBy: "--revert 1615e8896a8f; mutant: a reset within another ends both",
  window: atRest("iommu_group", "mutex", (group) => ({
    "it is on the blocking domain": everyMember(group, (dev) => dev.resets === 0 || dev.hw === group.blocking_domain),
    "its PASID is blocked": everyMember(group, (dev) => dev.resets === 0 || dev.hw_pasid === null),
  })),
});

export const T2Pasid = property({
  code: "T2-pasid",
  sentence: "A PASID is free only when no device has an address space by it, and it is that of the process whose PASID it is.",
  source: "2667ed10d9f0 (the PASID stays until device drivers had a chance to clear it out of the hardware)",
  seenRedBy: "--revert 2667ed10d9f0",
  window: always("ioasid", (pasid) => {
    if (pasid.cd === null) return null;
    return { "it is not free": pasid.allocated, "it is that of the address space": !isFreed(pasid.cd) && pasid.cd.pasid === pasid };
  }),
});

export const L7 = property({
  code: "L7",
  sentence: "A handle that page faults can find is alive, and is that of the domain that is attached.",
  source: "iommu_attach_handle_get() (a handle lives from the attach of its domain to the detach)",
  seenRedBy:
    "mutant: iommufd frees the new handle in place of the old; mutant: the handle of a replacement does not say of which domain it is",
  window: always("iommu_group", (group) => ({
    "the handle is alive": isAlive(group.handle) && isAlive(group.pasid_handle),
    "it is that of the domain that is attached": isOfDomain(group),
  })),
});

function hasPasid(dev: Device): boolean {
  return dev.max_pasids > 1;
}

function isAlive(handle: IommuAttachHandle | null): boolean {
  return handle === null || !isFreed(handle);
}

/** Who holds the mutex may be about to change both. */
function isOfDomain({ mutex, handle, domain }: IommuGroup): boolean {
  return !mutex.isFree || handle === null || isFreed(handle) || handle.domain === domain;
}
