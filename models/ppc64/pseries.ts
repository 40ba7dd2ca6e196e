/**
 * pSeries: one window per PE with a table that platform code makes. Until v6.4 VFIO takes the bitmap itself; then
 * spapr_tce_table_group_ops lends the table ("borrowing"); since f431a8cde7f1 (v6.11) windows are removed and made anew.
 */
import { abstraction, applied, atomic, EPERM, type Errno, fault, type Proc } from "iommu-mc";
import { type Device, type IommuTable, ppc64, type TableGroup, type WindowNumber } from "./schema.js";
import {
  iommu_release_ownership,
  iommu_table_alloc,
  iommu_table_clear,
  iommu_take_ownership,
  iommu_tce_table_get,
  iommu_tce_table_put,
  isMapped,
} from "./table.js";

abstraction(
  "pSeries has no window beside the default one: no dynamic windows of the kernel's own, no direct mapping",
  "may miss a bug",
  ppc64,
);
abstraction(
  "dma_win_init_mutex is left out: group->mutex or the container's lock is held over what it guards here",
  "may miss a bug",
  ppc64,
);

/** The default window of a new PE, or one that is restored: iommu_init_table() and the firmware's window together. */
export function setup_default_window(table_group: TableGroup): IommuTable {
  atomic("a window and its table are made together");
  const tbl = iommu_table_alloc(table_group);
  tbl.has_map = true;
  table_group.table0 = tbl;
  table_group.tve0 = tbl;
  return tbl;
}

/** 9d67c9433509: both tables in turn, and all or none. f431a8cde7f1 (6.12.107 line 2339): the window goes, unless it is gone already. */
export function* spapr_tce_take_ownership(table_group: TableGroup, dev: Device): Proc<Errno> {
  if (applied("f431a8cde7f1")) {
    const tbl = table_group.table0;
    if (tbl === null) return 0;
    yield;
    remove_window(table_group);
    yield;
    iommu_tce_table_put(tbl);
    yield;
    dev.iommu_table_base = null;
    return 0;
  }
  const { table0, table1 } = table_group;
  if (isMapped(table0)) {
    const rc = yield* iommu_take_ownership(table0);
    if (rc) return rc;
  }
  if (!isMapped(table1)) return 0;
  const rc = yield* iommu_take_ownership(table1);
  if (rc) yield* iommu_release_ownership(table0!);
  return rc;
}

function remove_window(table_group: TableGroup): void {
  atomic("firmware removes a window");
  table_group.tve0 = null;
  table_group.table0 = null;
}

/** 9d67c9433509. f431a8cde7f1 (6.12.107 line 2391): the default window is made anew, unless it is there. */
export function* spapr_tce_release_ownership(table_group: TableGroup, dev: Device): Proc {
  if (applied("f431a8cde7f1")) {
    if (table_group.table0 !== null) return;
    yield;
    if (fault("restore_default_dma_window")) return;
    const tbl = setup_default_window(table_group);
    yield;
    dev.iommu_table_base = tbl;
    return;
  }
  for (const num of [0, 1]) {
    const tbl = num === 0 ? table_group.table0 : table_group.table1;
    if (tbl === null) continue;
    iommu_table_clear(tbl);
    yield;
    if (tbl.has_map) yield* iommu_release_ownership(tbl);
  }
}

/** 9d67c9433509: the one table there is, which the caller shares. Since f431a8cde7f1 (6.12.107 line 2058) a new one in the default window. EINVAL for other sizes is left out. */
export function spapr_tce_create_table(table_group: TableGroup, num: WindowNumber): IommuTable | Errno {
  if (num > 0) return -EPERM;
  if (applied("f431a8cde7f1")) return iommu_tce_table_get(setup_default_window(table_group));
  return iommu_tce_table_get(table_group.table0!);
}

/** 9d67c9433509; 6.12.107 line 2269. */
export function* spapr_tce_set_window(table_group: TableGroup, num: WindowNumber, tbl: IommuTable): Proc<Errno> {
  yield;
  return tbl === (num === 0 ? table_group.table0 : table_group.table1) ? 0 : -EPERM;
}

/** 9d67c9433509: nothing. Since f431a8cde7f1 (6.12.107 line 2275) the window is removed. */
export function* spapr_tce_unset_window(table_group: TableGroup, num: WindowNumber): Proc {
  if (!applied("f431a8cde7f1")) return;
  yield;
  const tbl = num === 0 ? table_group.table0 : table_group.table1;
  if (tbl === null) return;
  yield;
  remove_window(table_group);
  iommu_tce_table_put(tbl);
}
