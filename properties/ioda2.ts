/** What is claimed of powernv's ownership rework of 2015 (models/ioda2). */
import { type Errno, isFreed, property, type StateView, windows } from "iommu-mc";
import { type Device, type IommuTable, ioda2, type Page, type TableGroup, type TceContainer } from "../models/ioda2/schema.js";

const { always, atEnd, onReturn, onStep, sometimes } = windows(ioda2);

type State = StateView<typeof ioda2>;

/** Whether a process has the PE in its container. */
function isInContainer(pe: TableGroup, state: State): boolean {
  return state.all("tce_container").some(({ grp, group_list }) => grp === pe || group_list.includes(pe));
}

/** Nobody is about to change who has the PE. */
function isSettled(state: State): boolean {
  return state.all("tce_container").every(({ lock }) => lock.isFree);
}

/** Pages that DMA of a PE arrives at through tables, or through what its PHB remembers of them. */
function reached({ tve0, tce_cache }: TableGroup): Page[] {
  const entry = tve0 === null || isFreed(tve0) ? null : tve0.entry;
  return entry === null ? [...tce_cache] : [entry, ...tce_cache];
}

export const O5Ioda2 = property({
  code: "O5-ioda2",
  sentence: "While a process has a PE, its devices reach nothing but what the process has mapped.",
  source: "tce_iommu_attach_group() (the bypass is disabled, or the user could reach all memory); vfio: powerpc/spapr: Rework ownership",
  seenRedBy: "4793d65d1ac0 (a bitmap in use); OPAL leaves the bypass on",
  window: always("iommu_table_group", (pe, state) => {
    if (!isSettled(state) || !isInContainer(pe, state)) return null;
    return { "the bypass is off": !pe.bypass, "no page of the kernel is in reach": reached(pe).every(({ is_users }) => is_users) };
  }),
});

export const O5Nobody = property({
  code: "O5-nobody",
  sentence: "What the devices of a PE reach while no process has it is the kernel's, and without a window nothing.",
  source: "pnv_ioda2_release_ownership() (returns before the bypass is on)",
  seenRedBy: "46d3e1e16294 without unset_window; mutant: a PE whose window cannot be set has its bypass all the same",
  window: always("iommu_table_group", (pe, state) => {
    if (!isSettled(state) || isInContainer(pe, state)) return null;
    return {
      "no page of a process is in reach": reached(pe).every(({ is_users }) => !is_users),
      "without a window there is no bypass": pe.tve0 !== null || !pe.bypass,
    };
  }),
});

export const O10Ioda2 = property({
  code: "O10-ioda2",
  sentence: "Ownership of a PE is taken exactly as long as a process has it in its container.",
  source: "tce_iommu_attach_group(), tce_iommu_detach_group()",
  seenRedBy: "v9-25 (the attach fails); 46d3e1e16294 without unset_window",
  window: always("iommu_table_group", (pe, state) => (isSettled(state) ? pe.is_taken === isInContainer(pe, state) : null)),
});

export const O10Removed = property({
  code: "O10-removed",
  sentence: "When ownership of a PE is given back no table of a process is in its window.",
  source: "vfio: powerpc/spapr: Rework ownership (VFIO removes all the tables that it created before it returns the ownership)",
  seenRedBy: "OPAL leaves the window",
  window: onStep("iommu_table_group", (pe, before) => {
    if (!before(() => pe.is_taken) || pe.is_taken) return null;
    return pe.tve0 === null || (!isFreed(pe.tve0) && !pe.tve0.is_users);
  }),
});

export const O10Refused = property({
  code: "O10-refused",
  sentence: "A PE whose callbacks are not all there is lent to nobody.",
  source: "tce_iommu_take_ownership_ddw() (create_table, set_window); tce_iommu_release_ownership_ddw() (unset_window)",
  seenRedBy: "46d3e1e16294 without unset_window",
  window: onReturn<[TceContainer, TableGroup], Errno>("tce_iommu_attach_group", ([, { ops }], ret) => {
    if (ops === null || (ops.has_create_table && ops.has_set_window && ops.has_unset_window)) return null;
    return ret !== 0;
  }),
});

export const L2Ioda2 = property({
  code: "L2-ioda2",
  sentence: "The memory of a TCE table is not freed while it is in a window.",
  source: "pnv_pci_ioda2_unset_window(), pnv_ioda2_table_free()",
  seenRedBy: "free-before-unset; OPAL leaves the window; free-at-detach",
  window: always("iommu_table_group", ({ tve0 }) => (tve0 === null ? null : !isFreed(tve0))),
});

export const L3Put = property({
  code: "L3-put",
  sentence: "No page of a process is given back while hardware reaches it.",
  source: "tce_iommu_clear(); 4ba2fdff2eb1",
  seenRedBy: "OPAL leaves the window",
  window: always("page", (page, state) => {
    if (!page.is_users || page.pins > 0) return null;
    return state.all("iommu_table_group").every((pe) => !reached(pe).includes(page));
  }),
});

export const L3Back = property({
  code: "L3-back",
  sentence: "In the end no page of a process is kept.",
  source: "tce_iommu_clear(); vfio: powerpc/spapr: Rework ownership (a descriptor on the stack)",
  seenRedBy: "no-copy; 46d3e1e16294 without unset_window",
  window: atEnd("page", ({ is_users, pins }) => (is_users ? pins === 0 : null)),
});

/** The table of a PE is one of the kernel's, and in its window. */
function isDefault(tbl: IommuTable | null, { tve0 }: TableGroup): boolean {
  return tbl !== null && !isFreed(tbl) && tbl.it_map !== null && tbl.it_base !== null && tbl.it_base === tve0;
}

export const T5Window = property({
  code: "T5-window",
  sentence: "A PE that no process has has a table of the kernel's in its window, and the bypass is on if it has one.",
  source: "pnv_pci_ioda2_setup_default_config(); pnv_ioda2_release_ownership()",
  seenRedBy: "v9-25 (the attach fails); 46d3e1e16294 (release_ownership fails)",
  window: always("iommu_table_group", (pe, state) => {
    if (!isSettled(state) || isInContainer(pe, state)) return null;
    return { "the window has a table of the kernel's": isDefault(pe.table0, pe), "the bypass is on": pe.bypass === pe.has_bypass };
  }),
});

export const T5Base = property({
  code: "T5-base",
  sentence: "While a driver of the host is bound, its device's pointer leads to the table of the PE.",
  source: "db08e1d53034; set_iommu_table_base()",
  seenRedBy: "46d3e1e16294 (drivers that set no DMA mask)",
  window: always("device", ({ driver, iommu_table_base, pe }) => {
    if (driver !== "native" || iommu_table_base === null) return null;
    return !isFreed(iommu_table_base) && iommu_table_base === pe!.table0;
  }),
});

export const V2Ioda2 = property({
  code: "V2-ioda2",
  sentence: "A driver of the host that is bound can map its buffer.",
  source: "vfio: powerpc/spapr: Rework ownership (the platform code has its default window again)",
  seenRedBy: "46d3e1e16294 (release_ownership fails)",
  window: onReturn<[Device], boolean>("dma_map_page", (_, is_mapped) => is_mapped),
});

export const V2Lent = property({
  code: "V2-lent",
  sentence: "A process that asks for a PE that nobody has is given it.",
  source: "vfio: powerpc/spapr: Rework ownership (no change that user space can see)",
  seenRedBy: "46d3e1e16294 (little memory may be locked); 4.1 (a bitmap in use)",
  window: onReturn<[TceContainer, TableGroup], Errno>("tce_iommu_attach_group", (_, ret) => ret === 0),
});

export const ioda2UserAtWork = property({
  code: "W1-ioda2",
  sentence: "Witness: a process has its page mapped.",
  source: "the scenario",
  seenRedBy: "a scenario in which no process may lock enough memory",
  window: sometimes("page", ({ is_users, pins }) => is_users && pins > 0),
});

export const ioda2HostAtWork = property({
  code: "W2-ioda2",
  sentence: "Witness: a driver of the host has its buffer mapped.",
  source: "the scenario",
  seenRedBy: "a scenario without a driver of the host",
  window: sometimes("device", ({ is_mapped }) => is_mapped),
});
