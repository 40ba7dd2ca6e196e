/** `table_group->ops`, by the kind of table group. */
import { atomic, type Errno, operations, type Proc } from "iommu-mc";
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
import { type Device, type IommuTable, ppc64, type TableGroup, type WindowNumber } from "./schema.js";

/** struct iommu_table_group_ops of arch/powerpc/include/asm/iommu.h. */
interface TableGroupOps {
  readonly take_ownership: (table_group: TableGroup, dev: Device) => Proc<Errno>;
  readonly release_ownership: (table_group: TableGroup, dev: Device) => Proc;
  readonly create_table: (table_group: TableGroup, num: WindowNumber) => IommuTable | Errno;
  readonly set_window: (table_group: TableGroup, num: WindowNumber, tbl: IommuTable) => Proc<Errno>;
  readonly unset_window: (table_group: TableGroup, num: WindowNumber) => Proc;
}

const pnv_pci_ioda2_ops: TableGroupOps = {
  take_ownership: pnv_ioda2_take_ownership,
  release_ownership: pnv_ioda2_release_ownership,
  create_table: pnv_pci_ioda2_create_table,
  set_window: pnv_pci_ioda2_set_window,
  unset_window: pnv_pci_ioda2_unset_window,
};

const spapr_tce_table_group_ops: TableGroupOps = {
  take_ownership: spapr_tce_take_ownership,
  release_ownership: spapr_tce_release_ownership,
  create_table: spapr_tce_create_table,
  set_window: spapr_tce_set_window,
  unset_window: spapr_tce_unset_window,
};

const tables: Readonly<Record<TableGroup["ops"], Partial<TableGroupOps>>> = operations(ppc64, {
  none: {},
  ioda2: pnv_pci_ioda2_ops,
  npu_peers: pnv_pci_ioda2_ops,
  spapr_tce: spapr_tce_table_group_ops,
});

/** `dev` is the device whose attach asks for it, since f431a8cde7f1 (v6.11). */
export function* take_ownership(table_group: TableGroup, dev: Device): Proc<Errno> {
  const { ops } = table_group;
  yield;
  const ret = yield* tables[ops].take_ownership!(table_group, dev);
  if (!ret) table_group.is_taken = true;
  return ret;
}

export function* release_ownership(table_group: TableGroup, dev: Device): Proc {
  table_group.is_taken = false;
  const { ops } = table_group;
  yield;
  yield* tables[ops].release_ownership!(table_group, dev);
}

/** The table, or an error; its one reference is the caller's. */
export function create_table(table_group: TableGroup, num: WindowNumber): IommuTable | Errno {
  atomic("a table is made, and seen by nobody");
  const created = tables[table_group.ops].create_table!(table_group, num);
  if (typeof created !== "number") created.is_users = true;
  return created;
}

export function* set_window(table_group: TableGroup, num: WindowNumber, tbl: IommuTable): Proc<Errno> {
  return yield* tables[table_group.ops].set_window!(table_group, num, tbl);
}

export function* unset_window(table_group: TableGroup, num: WindowNumber): Proc {
  yield* tables[table_group.ops].unset_window!(table_group, num);
}
