/**
 * TCE tables: arch/powerpc/kernel/iommu.c of 9b14a1ff8657, and of arch/powerpc/platforms/powernv/pci.c what 46d3e1e16294 has of
 * entries. Links between tables and groups are in pci-ioda.ts.
 */
import { abstraction, EBUSY, type Errno, kfree, kzalloc, type Proc } from "iommu-mc";
import { type IommuTable, ioda2, machine, type Page, type TableGroup, type TceMemory } from "./schema.js";

abstraction("the locks of a table's pools are left out: nobody allocates from a table while another one takes it", "may miss a bug", ioda2);
abstraction("page 0 of a window, which is reserved in its bitmap, is left out", "may miss a bug", ioda2);

/** iommu_init_table(): a kernel's table has a bitmap. Without memory for it the kernel panicked. */
export function iommu_init_table(tbl: IommuTable): void {
  tbl.it_map = kzalloc(ioda2, "bitmap");
}

/** iommu_free_table(): a bitmap with bits set is told of, and no more. */
export function iommu_free_table(tbl: IommuTable): void {
  kfree(tbl.it_map);
  kfree(tbl);
}

/** iommu_take_ownership(), without the bypass: sets the bitmap, so that nobody else allocates. */
export function iommu_take_ownership(tbl: IommuTable): Errno {
  if (tbl.it_map!.bit) return -EBUSY;
  tbl.it_map!.bit = true;
  return 0;
}

/** iommu_release_ownership(), without the bypass. */
export function iommu_release_ownership(tbl: IommuTable): void {
  tbl.it_map!.bit = false;
}

/** tbl->it_ops->exchange(), set() and clear(): writes the entry, has the PHBs of the table's groups forget it, and tells what it was. */
export function tce_xchg(tbl: IommuTable, page: Page | null): Page | null {
  const memory = tbl.it_base!;
  const old = memory.entry;
  memory.entry = page;
  if (old === null) return null;
  for (const pe of machine.pes) if (pe.tve0 === memory) pe.tce_cache.add(old);
  for (const pe of tbl.it_group_list) pe.tce_cache.clear();
  return old;
}

/** Changes a TVT entry. The PHB goes on remembering what it had, until it is told to forget. */
export function set_tve(pe: TableGroup, memory: TceMemory | null): void {
  const { tve0 } = pe;
  if (tve0 !== null && tve0.entry !== null) pe.tce_cache.add(tve0.entry);
  pe.tve0 = memory;
}

/** iommu_map_page() and iommu_alloc(): whether there was a place for the page. In a table that iommu_init_table() has not seen there are no pools. */
export function* iommu_map_page(tbl: IommuTable | null, page: Page): Proc<boolean> {
  if (tbl === null || tbl.it_map === null || tbl.it_map.bit) return false;
  tbl.it_map.bit = true;
  yield;
  tce_xchg(tbl, page);
  return true;
}

/** iommu_unmap_page() and iommu_free(). */
export function* iommu_unmap_page(tbl: IommuTable): Proc {
  tce_xchg(tbl, null);
  yield;
  tbl.it_map!.bit = false;
}
