/** What was asked of the first iommu_ops for powernv, July 2022 (models/ppc64-ops). */
import { type Errno, property, refcount_read, windows } from "iommu-mc";
import { type Device, type IommuDevice, type IommuGroup, ppc64Ops, type TableGroup } from "../models/ppc64-ops/schema.js";

const { atEnd, onReturn, sometimes } = windows(ppc64Ops);

/** What of the kernel a PE's DMA reaches. */
function kernelReached({ has_window, kernel_tces, bypass }: TableGroup): { readonly [conjunct: string]: boolean } {
  return {
    "no entry of the kernel translates": !(has_window && kernel_tces > 0),
    "the bypass is off": !bypass,
  };
}

export const O5Claim = property({
  code: "O5-claim",
  sentence: "When a group has been claimed, no device of it reaches memory of the kernel any more.",
  source: "review of the patch (nothing of the DMA API is left when attach_dev() returns); 0286300e6045",
  seenRedBy: "the patch as posted, whose attach_dev() just returns 0",
  window: onReturn<[IommuGroup], Errno>("iommu_group_claim_dma_owner", ([group], ret) =>
    ret === 0 ? kernelReached(group.iommu_data!) : null,
  ),
});

export const O5Open = property({
  code: "O5-open",
  sentence: "When a user has opened a device, its PE reaches no memory of the kernel any more.",
  source: "pnv_ioda2_take_ownership()",
  seenRedBy: "mutant: the container does not take ownership of its PE",
  window: onReturn<[Device], Errno>("vfio_open", ([dev], ret) => (ret === 0 ? kernelReached(dev.pe!) : null)),
});

export const V2Open = property({
  code: "V2-open",
  sentence: "A user can open a PCI device whose group is nobody's and whose PHB has a device_group().",
  source: "the patch (the capability check and the claim have disabled VFIO)",
  seenRedBy: "the kernel without the patch",
  window: onReturn<[Device], Errno>("vfio_open", ([dev], ret) => (dev.phb!.has_device_group ? ret === 0 : null)),
});

export const V2Known = property({
  code: "V2-known",
  sentence: "In the end every PCI device whose PHB has a device_group() is in the group of its PE, and known to its PHB's IOMMU.",
  source: "the patch (iommu_group_add_device() does not go together with probing)",
  seenRedBy: "the patch without its call of iommu_probe_device(); the patch with probing left to the core",
  window: atEnd("device", (dev) => {
    if (!dev.is_registered || dev.phb === null || !dev.phb.has_device_group) return null;
    return {
      "it is in the group of its PE": dev.iommu_group !== null && dev.iommu_group === dev.pe!.group,
      "the IOMMU knows it": dev.iommu !== null && dev.iommu.iommu_dev === dev.phb.iommu,
    };
  }),
});

export const V2Alone = property({
  code: "V2-alone",
  sentence: "In the end a device that is not PCI's, or whose PHB has no device_group(), has no group and no IOMMU.",
  source: "the patch (iommu_device_register() assigns the ops to all buses)",
  seenRedBy: "mutant: a device that is refused keeps its dev->iommu",
  window: atEnd("device", ({ phb, iommu_group, iommu }) =>
    phb === null || !phb.has_device_group ? iommu_group === null && iommu === null : null,
  ),
});

export const X6Registered = property({
  code: "X6-registered",
  sentence: "The IOMMU of every PHB is registered without an error.",
  source: "the patch (it has to come after bus_register(&pci_bus_type)); iommu_device_register()",
  seenRedBy: "the patch with discover_phbs() before PCI's bus",
  window: onReturn<[IommuDevice], Errno>("iommu_device_register", (_, ret) => ret === 0),
});

export const L3Group = property({
  code: "L3-group",
  sentence: "In the end a group has one reference of the platform and one for each of its devices.",
  source: "review of the patch (a reference for who calls device_group()); iommu_group_get_for_dev()",
  seenRedBy: "the patch as posted",
  window: atEnd("iommu_group", (group, state) => {
    const members = state.all("device").filter((dev) => dev.iommu_group === group).length;
    return refcount_read(group.devices_kobj) === members + (group.iommu_data!.group === group ? 1 : 0);
  }),
});

export const opsUserAtWork = property({
  code: "W1-ops",
  sentence: "Witness: a user has a device whose PE leads nowhere.",
  source: "the scenario",
  seenRedBy: "the kernel without the patch",
  window: sometimes("iommu_group", ({ is_owned, iommu_data }) => is_owned && iommu_data !== null && !iommu_data.has_window),
});
