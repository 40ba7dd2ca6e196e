/** arch/powerpc/platforms/powernv/pci-ioda.c of 46d3e1e16294, of 4793d65d1ac0 before it, and as posted in v9. */
import { abstraction, applied, EIO, ENOMEM, type Errno, fault, kfree, kzalloc, observe, type Proc, WARN_ON } from "iommu-mc";
import { type Asker, type IommuTable, ioda2, machine, pnv_ioda2_iommu_ops, type TableGroup } from "./schema.js";
import { iommu_free_table, iommu_init_table, iommu_release_ownership, iommu_take_ownership, set_tve } from "./table.js";

abstraction(
  "as posted, unset_window() clears all of the PE's descriptor but it_ops, set_window() stores what it is given there, and create_table() leaves it_ops as it is: the text of those patches was not to be had, the commit message and the list of changes say or imply it",
  "may cry wolf",
  ioda2,
);
abstraction("OPAL does what it is asked, but where a suite says that it may refuse", "may miss a bug", ioda2);

/** pnv_pci_ioda2_table_alloc_pages(), with its descriptor unless the caller has one. */
export function pnv_pci_ioda2_create_table(descriptor: IommuTable | null, asker: Asker): IommuTable | Errno {
  if (machine.short_of === asker && fault("pnv_pci_ioda2_create_table")) return -ENOMEM;
  const tbl = descriptor ?? kzalloc(ioda2, "iommu_table");
  if (descriptor === null) tbl.it_ops = pnv_ioda2_iommu_ops;
  const memory = kzalloc(ioda2, "tce_memory");
  memory.is_users = asker === "users_tables";
  tbl.it_base = memory;
  observe("Created TCE table");
  return tbl;
}

/** pnv_ioda2_table_free(); as posted pnv_pci_free_table(), which leaves the descriptor to who has it. */
export function pnv_ioda2_table_free(tbl: IommuTable | null): void {
  kfree(tbl!.it_base);
  if (applied("embedded")) {
    kfree(tbl!.it_map);
    clear_descriptor(tbl!);
  } else iommu_free_table(tbl!);
}

function clear_descriptor(tbl: IommuTable): void {
  tbl.it_base = null;
  tbl.it_map = null;
  tbl.it_group_list.clear();
}

/** An assignment of one struct iommu_table to another. */
export function copy_descriptor(to: IommuTable, from: IommuTable): void {
  to.it_base = from.it_base;
  to.it_map = from.it_map;
  to.it_ops = from.it_ops;
  to.it_group_list.clear();
  for (const pe of from.it_group_list) to.it_group_list.add(pe);
}

export function* pnv_pci_ioda2_set_window(pe: TableGroup, tbl: IommuTable, asker: Asker): Proc<Errno> {
  if (machine.short_of === asker && fault("opal_pci_map_pe_dma_window")) return -EIO;
  set_tve(pe, tbl.it_base);
  yield;
  if (applied("embedded")) {
    if (tbl !== pe.table0) copy_descriptor(pe.table0!, tbl);
    pe.table0!.it_group_list.add(pe);
  } else pnv_pci_link_table_and_group(tbl, pe);
  yield;
  pe.tce_cache.clear();
  return 0;
}

/** If OPAL refuses, that is told of, and no more. */
export function* pnv_pci_ioda2_unset_window(pe: TableGroup): Proc {
  if (!(machine.opal_keeps_windows && fault("opal_pci_map_pe_dma_window"))) {
    set_tve(pe, null);
    yield;
    pe.tce_cache.clear();
  }
  yield;
  if (applied("embedded")) clear_descriptor(pe.table0!);
  else pnv_pci_unlink_table_and_group(pe.table0, pe);
}

function pnv_pci_link_table_and_group(tbl: IommuTable, pe: TableGroup): void {
  tbl.it_group_list.add(pe);
  pe.table0 = tbl;
}

function pnv_pci_unlink_table_and_group(tbl: IommuTable | null, pe: TableGroup): void {
  if (tbl === null) return;
  if (WARN_ON(!tbl.it_group_list.has(pe), "the table is not linked to the group")) return;
  tbl.it_group_list.delete(pe);
  pe.table0 = null;
}

/** If OPAL refuses, that is told of, and no more. */
export function pnv_pci_ioda2_set_bypass(pe: TableGroup, enable: boolean): void {
  if (!enable && machine.opal_keeps_bypass && fault("opal_pci_map_pe_dma_window_real")) return;
  pe.bypass = enable;
  pe.tce_bypass_enabled = enable;
}

function pnv_ioda_setup_bus_dma(pe: TableGroup): void {
  for (const dev of pe.devices) dev.iommu_table_base = pe.table0;
}

/** Before the rework it is the bitmap that is taken; that this may fail, nobody asks. */
export function* pnv_ioda2_take_ownership(pe: TableGroup): Proc {
  if (!applied("v9-25") && !applied("46d3e1e16294")) {
    iommu_take_ownership(pe.table0!);
    yield;
    pnv_pci_ioda2_set_bypass(pe, false);
    return;
  }
  const tbl = pe.table0;
  pnv_pci_ioda2_set_bypass(pe, false);
  yield;
  yield* pnv_pci_ioda2_unset_window(pe);
  yield;
  if (applied("db08e1d53034")) pnv_ioda_setup_bus_dma(pe);
  pnv_ioda2_table_free(tbl);
}

export function* pnv_ioda2_release_ownership(pe: TableGroup): Proc {
  if (!applied("v9-25") && !applied("46d3e1e16294")) {
    iommu_release_ownership(pe.table0!);
    yield;
    pnv_pci_ioda2_set_bypass(pe, true);
    return;
  }
  yield* pnv_pci_ioda2_setup_default_config(pe);
  if (applied("db08e1d53034") && pe.is_bus) pnv_ioda_setup_bus_dma(pe);
}

/** What release_ownership does as posted, and a function of its own as merged. */
function* pnv_pci_ioda2_setup_default_config(pe: TableGroup): Proc {
  const tbl = pnv_pci_ioda2_create_table(applied("embedded") ? pe.table0 : null, "kernels_tables");
  if (typeof tbl === "number") return;
  iommu_init_table(tbl);
  yield;
  const rc = yield* pnv_pci_ioda2_set_window(pe, tbl, "kernels_tables");
  yield;
  if (rc) {
    pnv_ioda2_table_free(tbl);
    return;
  }
  pnv_pci_ioda2_set_bypass(pe, true);
  yield;
  if (!applied("embedded") && !pe.is_bus) for (const dev of pe.devices) dev.iommu_table_base = tbl;
}
