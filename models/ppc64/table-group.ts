/** Dispatch of `table_group->ops`. */
import { atomic, type Errno, type Proc } from "iommu-mc";
import {
  pnv_ioda2_release_ownership,
  pnv_ioda2_take_ownership,
  pnv_pci_ioda2_create_table,
  pnv_pci_ioda2_set_window,
  pnv_pci_ioda2_unset_window,
} from "./ioda2.js";
import {
  spapr_tce_create_table,
  spapr_tce_release_ownership,
  spapr_tce_set_window,
  spapr_tce_take_ownership,
  spapr_tce_unset_window,
} from "./pseries.js";
import type { Device, IommuTable, TableGroup, WindowNumber } from "./schema.js";

/** `dev` is the device whose attach asks for it, since f431a8cde7f1 (v6.11). */
export function* take_ownership(table_group: TableGroup, dev: Device): Proc<Errno> {
  const isPseries = table_group.ops === "spapr_tce";
  yield;
  const ret = isPseries ? yield* spapr_tce_take_ownership(table_group, dev) : yield* pnv_ioda2_take_ownership(table_group);
  if (!ret) table_group.is_taken = true;
  return ret;
}

export function* release_ownership(table_group: TableGroup, dev: Device): Proc {
  table_group.is_taken = false;
  const isPseries = table_group.ops === "spapr_tce";
  yield;
  if (isPseries) yield* spapr_tce_release_ownership(table_group, dev);
  else yield* pnv_ioda2_release_ownership(table_group);
}

/** The table, or an error; its one reference is the caller's. */
export function create_table(table_group: TableGroup, num: WindowNumber): IommuTable | Errno {
  atomic("a table is made, and seen by nobody");
  const created = table_group.ops === "spapr_tce" ? spapr_tce_create_table(table_group, num) : pnv_pci_ioda2_create_table(table_group);
  if (typeof created !== "number") created.is_users = true;
  return created;
}

export function* set_window(table_group: TableGroup, num: WindowNumber, tbl: IommuTable): Proc<Errno> {
  if (table_group.ops === "spapr_tce") return yield* spapr_tce_set_window(table_group, num, tbl);
  return yield* pnv_pci_ioda2_set_window(table_group, num, tbl);
}

export function* unset_window(table_group: TableGroup, num: WindowNumber): Proc {
  if (table_group.ops === "spapr_tce") yield* spapr_tce_unset_window(table_group, num);
  else yield* pnv_pci_ioda2_unset_window(table_group, num);
}
