/** PEs of powernv's IODA2 of arch/powerpc/platforms/powernv/pci-ioda.c of 6.1.176, and with commits as before and after it. */
import { abstraction, applied, atomic, EIO, ENOMEM, type Errno, fault, type Proc, WARN_ON } from "iommu-mc";
import { type IommuTable, ppc64, type TableGroup, type WindowNumber } from "./schema.js";
import { iommu_table_alloc, iommu_tce_table_get, iommu_tce_table_put } from "./table.js";

abstraction("OPAL may fail to set a window; it does not fail to take one away, nor to switch the bypass", "may miss a bug", ppc64);
abstraction("an NPU's PE with its GPU is like one of IODA2, but for the address of its create_table()", "may miss a bug", ppc64);
abstraction("buses below a PE's bus are left out", "may miss a bug", ppc64);

export function table_of(table_group: TableGroup, num: WindowNumber): IommuTable | null {
  return num === 0 ? table_group.table0 : table_group.table1;
}

/** pci-ioda-tce.c, 6.1.176 line 410. */
function pnv_pci_link_table_and_group(num: WindowNumber, tbl: IommuTable, table_group: TableGroup): void {
  atomic("linking a table to a group");
  tbl.it_group_list.add(table_group);
  iommu_tce_table_get(tbl);
  if (num === 0) table_group.table0 = tbl;
  else table_group.table1 = tbl;
}

/** pci-ioda-tce.c, 6.1.176 line 370: whichever of the group's two places has the table. */
function pnv_pci_unlink_table_and_group(tbl: IommuTable | null, table_group: TableGroup): void {
  atomic("unlinking a table from a group");
  if (tbl === null) return;
  if (WARN_ON(!tbl.it_group_list.has(table_group), "the table is not linked to the group")) return;
  tbl.it_group_list.delete(table_group);
  if (table_group.table0 === tbl) table_group.table0 = null;
  else if (table_group.table1 === tbl) table_group.table1 = null;
  else if (WARN_ON(true, "the group does not have the table")) return;
  iommu_tce_table_put(tbl);
}

/** 6.1.176 line 1628. */
export function* pnv_pci_ioda2_set_window(table_group: TableGroup, num: WindowNumber, tbl: IommuTable): Proc<Errno> {
  if (fault("opal_pci_map_pe_dma_window")) return -EIO;
  if (num === 0) table_group.tve0 = tbl;
  else setTve1(table_group, tbl, false);
  yield;
  pnv_pci_link_table_and_group(num, tbl, table_group);
  return 0;
}

/** 6.1.176 line 1807. */
export function* pnv_pci_ioda2_unset_window(table_group: TableGroup, num: WindowNumber): Proc {
  if (num === 0) table_group.tve0 = null;
  else setTve1(table_group, null, false);
  yield;
  pnv_pci_unlink_table_and_group(table_of(table_group, num), table_group);
}

/** 6.1.176 line 1667. */
function pnv_pci_ioda2_set_bypass(table_group: TableGroup, enable: boolean): void {
  setTve1(table_group, null, enable);
  table_group.tce_bypass_enabled = enable;
}

/** The bypass is a window 1 that translates every address to itself. */
function setTve1(table_group: TableGroup, tbl: IommuTable | null, bypass: boolean): void {
  atomic("window 1 and the bypass are one entry of the TVT");
  table_group.tve1 = tbl;
  table_group.bypass = bypass;
}

/** 6.1.176 line 1695, with the table's memory, which a failure of the second gives back. */
export function pnv_pci_ioda2_create_table(table_group: TableGroup): IommuTable | Errno {
  if (fault("pnv_pci_ioda2_create_table")) return -ENOMEM;
  return iommu_table_alloc(table_group);
}

/** 6.1.176 line 1725. Before 4be518d83880 (v5.13; 5.10.223 line 1876) a window that cannot be set ends it; after, only the table is missing. */
export function* pnv_pci_ioda2_setup_default_config(pe: TableGroup): Proc<Errno> {
  const created = pnv_pci_ioda2_create_table(pe);
  if (typeof created === "number") return created;
  let tbl: IommuTable | null = created;
  tbl.has_map = true;
  yield;
  const rc = iommu_init_table_fails() ? -ENOMEM : yield* pnv_pci_ioda2_set_window(pe, 0, tbl);
  yield;
  if (rc) {
    iommu_tce_table_put(tbl);
    if (!applied("4be518d83880")) return rc;
    tbl = null;
  }
  pnv_pci_ioda2_set_bypass(pe, true);
  yield;
  if (pe.is_bus) return 0;
  for (const dev of pe.devices) dev.iommu_table_base = tbl;
  return 0;
}

/** Since 4be518d83880 (v5.13) it can: no memory for the bitmap was a panic before. */
function iommu_init_table_fails(): boolean {
  return applied("4be518d83880") && fault("iommu_init_table");
}

/** 6.1.176 line 1878. */
export function* pnv_ioda_setup_bus_dma(pe: TableGroup): Proc {
  for (const dev of pe.devices) {
    const tbl = pe.table0;
    yield;
    dev.iommu_table_base = tbl;
    yield;
  }
}

/**
 * 6.1.176 line 1891. Before db08e1d53034 (v4.11) the devices keep their pointer to the table. Since a940904443e4 (v6.4; 6.12.107
 * line 1540) it is called for each device of a group, and does nothing once window 0 is gone.
 */
export function* pnv_ioda2_take_ownership(pe: TableGroup): Proc<Errno> {
  const tbl = pe.table0;
  if (applied("a940904443e4") && tbl === null) return 0;
  yield;
  pnv_pci_ioda2_set_bypass(pe, false);
  yield;
  yield* pnv_pci_ioda2_unset_window(pe, 0);
  yield;
  if (applied("db08e1d53034")) yield* pnv_ioda_setup_bus_dma(pe);
  iommu_tce_table_put(tbl);
  return 0;
}

/** 6.1.176 line 1907; 6.12.107 line 1566. */
export function* pnv_ioda2_release_ownership(pe: TableGroup): Proc {
  if (applied("a940904443e4") && pe.table0 !== null) return;
  yield;
  yield* pnv_pci_ioda2_setup_default_config(pe);
  yield;
  if (applied("db08e1d53034") && pe.is_bus) yield* pnv_ioda_setup_bus_dma(pe);
}

/** Of pnv_pci_ioda2_release_pe_dma(), 6.1.176 line 2744: no DMA any more. */
export function* pnv_pci_ioda2_release_window(pe: TableGroup): Proc {
  yield* pnv_pci_ioda2_unset_window(pe, 0);
  yield;
  pnv_pci_ioda2_set_bypass(pe, false);
}
