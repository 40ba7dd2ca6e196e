/** TCE tables of arch/powerpc/kernel/iommu.c of 6.1.176: references, the bitmap of entries in use, and the DMA API's maps. */
import {
  abstraction,
  atomic,
  EBUSY,
  type Errno,
  kfree,
  kref_get,
  kref_init,
  kref_put,
  kzalloc,
  mutex_lock,
  mutex_unlock,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { type IommuTable, ppc64, type TableGroup, type Tce } from "./schema.js";

abstraction("the locks of a table's pools are one, and an allocation tries all pools at once", "may miss a bug", ppc64);
abstraction("tables are counted in every design: before e5afdf9dd515 (v4.12) who gave one up freed it", "may miss a bug", ppc64);

/** pnv_pci_table_alloc(), iommu_pseries_alloc_table(). */
export function iommu_table_alloc(table_group: TableGroup): IommuTable {
  const tbl = kzalloc(ppc64, "iommu_table");
  kref_init(tbl.it_kref);
  for (const entry of table_group.window) tbl.it_size.add(entry);
  return tbl;
}

/** 6.1.176 line 828. */
export function iommu_tce_table_get(tbl: IommuTable): IommuTable {
  kref_get(tbl.it_kref);
  return tbl;
}

/** 6.1.176 line 837. */
export function iommu_tce_table_put(tbl: IommuTable | null): void {
  if (WARN_ON(tbl === null, "iommu_tce_table_put(NULL)")) return;
  if (kref_put(tbl!.it_kref)) kfree(tbl);
}

/** 6.1.176 line 644: in a kernel that is not a kdump kernel. */
export function iommu_table_clear(tbl: IommuTable): void {
  atomic("clearing a table's entries, one by one in the C");
  tbl.kernel_tces.clear();
  tbl.user_tces.clear();
}

/** Whether there is a table, and the kernel allocates from it. */
export function isMapped(tbl: IommuTable | null): tbl is IommuTable {
  if (tbl === null) return false;
  return tbl.has_map;
}

/** 6.1.176 line 1103: sets all bits, so that nobody else allocates. */
export function* iommu_take_ownership(tbl: IommuTable): Proc<Errno> {
  yield* mutex_lock(tbl.pool_lock);
  const isInUse = tbl.it_map.size > 0;
  if (!isInUse) for (const entry of tbl.it_size) tbl.it_map.add(entry);
  mutex_unlock(tbl.pool_lock);
  return isInUse ? -EBUSY : 0;
}

/** 6.1.176 line 1137. */
export function* iommu_release_ownership(tbl: IommuTable): Proc {
  yield* mutex_lock(tbl.pool_lock);
  tbl.it_map.clear();
  mutex_unlock(tbl.pool_lock);
}

/** 6.1.176 line 851 (iommu_map_page) and 344 (iommu_alloc): the entry, or null where the C has DMA_MAPPING_ERROR. */
export function* iommu_map_page(tbl: IommuTable | null): Proc<Tce | null> {
  if (tbl === null) return null;
  yield* mutex_lock(tbl.pool_lock);
  const entry = freeEntry(tbl);
  if (entry !== null) tbl.it_map.add(entry);
  mutex_unlock(tbl.pool_lock);
  if (entry === null) return null;
  yield;
  tbl.kernel_tces.add(entry);
  return entry;
}

function freeEntry(tbl: IommuTable): Tce | null {
  for (const entry of tbl.it_size) if (!tbl.it_map.has(entry)) return entry;
  return null;
}

/** 6.1.176 line 890 (iommu_unmap_page) and 434 (__iommu_free). */
export function* iommu_unmap_page(tbl: IommuTable, entry: Tce): Proc {
  tbl.kernel_tces.delete(entry);
  yield* mutex_lock(tbl.pool_lock);
  tbl.it_map.delete(entry);
  mutex_unlock(tbl.pool_lock);
}
