/** What is claimed of POWER's TCE tables and their ownership (models/ppc64). */
import { type Errno, isFreed, property, refcount_read, type StateView, windows } from "iommu-mc";
import { type Device, type IommuGroup, type IommuTable, ppc64, type TableGroup, type TceContainer } from "../models/ppc64/schema.js";

const { always, atEnd, atRest, onReturn, sometimes } = windows(ppc64);

/** Whether a container has the group of a table group. */
function isInContainer({ group }: TableGroup, state: StateView<typeof ppc64>): boolean {
  return group !== null && state.all("tce_container").some(({ group_list }) => group_list.some(({ grp }) => grp === group));
}

/** Nobody is about to change who has the group. */
function isSettled({ group }: TableGroup, state: StateView<typeof ppc64>): boolean {
  return (group === null || group.mutex.isFree) && state.all("tce_container").every(({ lock }) => lock.isFree);
}

/** Tables that DMA of a PE goes through. */
function reached({ tve0, tve1 }: TableGroup): IommuTable[] {
  return [tve0, tve1].filter((tbl) => tbl !== null);
}

export const O10 = property({
  code: "O10",
  sentence: "A table group is taken by a user exactly as long as its group has one.",
  source: "pnv_ioda2_take_ownership(), iommu_take_ownership(); d2d00e15808c (released when the platform's domain is attached again)",
  seenRedBy: "the base, fixed by d2d00e15808c; mutant: the attach of the blocking domain just returns 0",
  window: always("iommu_table_group", (table_group, state) => {
    if (table_group.group === null || !isSettled(table_group, state)) return null;
    const isHad = isInContainer(table_group, state);
    return {
      "it is taken only while its group is owned": !table_group.is_taken || isHad || table_group.group.owner !== null,
      "who has the group in a container has taken it": !isHad || table_group.is_taken,
    };
  }),
});

export const O10Tables = property({
  code: "O10-tables",
  sentence: "What a PE's DMA goes through is its user's while there is one, and the kernel's while there is none.",
  source: "pnv_ioda2_take_ownership() (bypass off, window and table removed); tce_iommu_release_ownership()",
  seenRedBy:
    "mutant: take_ownership of IODA2 leaves the bypass on; mutant: an entry that is unmapped goes on translating; mutant: release_ownership of pSeries leaves the entries there are",
  window: always("iommu_table_group", (table_group, state) => {
    if (table_group.group === null || !isSettled(table_group, state)) return null;
    const isHad = isInContainer(table_group, state);
    const isKernels = !isHad && table_group.group.owner === null;
    const tables = reached(table_group);
    return {
      "no page of the kernel is in a user's reach": !isHad || tables.every(({ kernel_tces }) => kernel_tces.size === 0),
      "the bypass is off for a user": !isHad || !table_group.bypass,
      "no page of a user is left in reach": !isKernels || tables.every(({ user_tces }) => user_tces.size === 0),
    };
  }),
});

export const O5Attach = property({
  code: "O5-attach",
  sentence: "When a group is in a user's container, no device of it reaches memory of the kernel any more.",
  source: "0286300e6045; the review of the first iommu_ops for powerpc (nothing of the DMA API is left when attach_dev returns)",
  seenRedBy: "mutant: the attach of the blocking domain just returns 0; mutant: an entry that is unmapped goes on translating",
  window: onReturn<[TceContainer, IommuGroup], Errno>("vfio_container_attach_group", ([, group], ret) => {
    if (ret !== 0) return null;
    const table_group = group.iommu_data!;
    return {
      "no page of the kernel is in reach": reached(table_group).every(({ kernel_tces }) => kernel_tces.size === 0),
      "the bypass is off": !table_group.bypass,
    };
  }),
});

export const L2Tables = property({
  code: "L2-tables",
  sentence: "A TCE table lives as long as DMA goes through it, or a device's pointer leads to it.",
  source: "db08e1d53034; iommu_tce_table_get()",
  seenRedBy: "the base, fixed by db08e1d53034; mutant: a window is taken away, and the hardware not told",
  window: always("device", (dev, state) => {
    if (!dev.on_bus || dev.pe === null) return null;
    // While ownership changes hands nobody uses the pointer.
    const isUsed = isSettled(dev.pe, state) && dev.iommu_table_base !== null;
    return {
      "the device's table lives": !isUsed || !isFreed(dev.iommu_table_base!),
      "the tables its DMA goes through live": reached(dev.pe).every((tbl) => !isFreed(tbl)),
    };
  }),
});

export const T5Table = property({
  code: "T5-table",
  sentence: "A driver of the host has the table of its PE's window, which no user takes and nobody clears while it is bound.",
  source: "a8ca9fc9134c; pnv_pci_ioda_dma_dev_setup(), pci_dma_dev_setup_pSeriesLP() (set_iommu_table_base)",
  seenRedBy:
    "--revert a8ca9fc9134c; the base, fixed by f431a8cde7f1 (a second device of a PE); mutant: a window is set, and the hardware not told",
  window: atRest("device", "lock", (dev) => {
    if (dev.driver !== "native" || (dev.can_dma_64 && dev.pe!.tce_bypass_enabled)) return null;
    const tbl = dev.iommu_table_base;
    if (tbl === null || isFreed(tbl)) return false;
    return {
      "it is the table of the window": dev.pe!.tve0 === tbl,
      "no user has taken it": !dev.pe!.is_taken,
      "what is mapped stays mapped": dev.dma_entry === null || tbl.kernel_tces.has(dev.dma_entry),
    };
  }),
});

export const L3Platform = property({
  code: "L3-platform",
  sentence: "In the end a group has one reference of the platform and one for each of its devices.",
  source: "iommu_register_group(), spapr_tce_iommu_device_group(); BUG_ON in iommu_pseries_free_group()",
  seenRedBy: "the base, fixed by 0846dd77c834",
  window: atEnd("iommu_group", (group, state) => {
    const devices = state.all("device").filter((dev) => dev.iommu_group === group).length;
    const platforms = state
      .all("iommu_table_group")
      .filter((table_group) => table_group.group === group && table_group.device_count > 0).length;
    return refcount_read(group.devices_kobj) === devices + platforms;
  }),
});

export const V2Vfio = property({
  code: "V2-vfio",
  sentence: "VFIO takes a device that is in a group.",
  source: "e8ae0e140c05 refuses what says nothing of coherency; a940904443e4",
  seenRedBy: "--revert a940904443e4",
  window: onReturn<[Device], Errno>("vfio_register_group_dev", ([dev], ret) => (dev.iommu_group === null ? null : ret === 0)),
});

export const V2Claim = property({
  code: "V2-claim",
  sentence: "A group that nobody uses can be put into a container that has none.",
  source: "a940904443e4; f431a8cde7f1 (devices with several functions)",
  seenRedBy: "the base, fixed by f431a8cde7f1 (a pSeries PE of two devices)",
  window: onReturn<[TceContainer, IommuGroup], Errno>("vfio_container_attach_group", ([container, group], ret) => {
    if (group.owner_cnt > 0 && ret !== 0) return null;
    if (ret !== 0 && container.group_list.length > 0) return null;
    return ret === 0;
  }),
});

export const V2Host = property({
  code: "V2-host",
  sentence: "A driver of the host is bound to a device that no user has.",
  source: "d2d00e15808c (a driver that comes after VFIO finds its window again)",
  seenRedBy: "the base, fixed by d2d00e15808c",
  window: onReturn<[Device], Errno>("bind_native", ([dev], ret) => {
    if (ret !== 0 && (!dev.on_bus || dev.driver !== "none" || (dev.iommu_group !== null && dev.iommu_group.owner !== null))) return null;
    return ret === 0;
  }),
});

export const V2Group = property({
  code: "V2-group",
  sentence: "In the end every device that is plugged in is in the group of its PE.",
  source: "a5c57fd2e9bd; iommu_add_device()",
  seenRedBy: "mutant: a device that is plugged in is not added to its group",
  window: atEnd("device", (dev) => (dev.on_bus ? dev.iommu_group !== null && dev.iommu_group === dev.pe!.group : null)),
});

export const tceUserAtWork = property({
  code: "W1-tce",
  sentence: "Witness: a user has memory mapped in a TCE table.",
  source: "the scenario",
  seenRedBy: "a scenario without a VFIO user",
  window: sometimes("iommu_table", ({ user_tces }) => user_tces.size > 0),
});

export const tceDriverAtWork = property({
  code: "W2-tce",
  sentence: "Witness: a driver of the host has a packet mapped in a TCE table.",
  source: "the scenario",
  seenRedBy: "a scenario without a driver of the host",
  window: sometimes("iommu_table", ({ kernel_tces }) => kernel_tces.size > 0),
});
