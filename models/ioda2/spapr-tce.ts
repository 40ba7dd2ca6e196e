/** drivers/vfio/vfio_iommu_spapr_tce.c of 46d3e1e16294, as before and after it, and as posted in v8 and v9. */
import {
  abstraction,
  applied,
  EBUSY,
  EFAULT,
  ENOMEM,
  ENXIO,
  type Errno,
  kfree,
  kzalloc,
  list_add,
  list_del,
  list_empty,
  mutex_lock,
  mutex_unlock,
  observe,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import {
  copy_descriptor,
  pnv_ioda2_release_ownership,
  pnv_ioda2_table_free,
  pnv_ioda2_take_ownership,
  pnv_pci_ioda2_create_table,
  pnv_pci_ioda2_set_bypass,
  pnv_pci_ioda2_set_window,
  pnv_pci_ioda2_unset_window,
} from "./pci-ioda.js";
import { type IommuTable, ioda2, machine, type Page, type TableGroup, type TableGroupOps, type TceContainer } from "./schema.js";
import { iommu_release_ownership, iommu_take_ownership, tce_xchg } from "./table.js";

abstraction("a process's calls do not overlap, and its container is its own", "may miss a bug", ioda2);
abstraction(
  "VFIO_IOMMU_ENABLE and the accounting of locked pages are left out, but for whether a table may be had",
  "may miss a bug",
  ioda2,
);
abstraction("of the series to its end, a process asks for no windows, and a container is of its first version", "may miss a bug", ioda2);

/** `table_group->ops` with take_ownership and release_ownership. */
function group_ops(pe: TableGroup): TableGroupOps | null {
  return applied("4793d65d1ac0") ? pe.ops : null;
}

export function* tce_iommu_attach_group(container: TceContainer, pe: TableGroup): Proc<Errno> {
  yield* mutex_lock(container.lock);
  let ret = refusal(container, pe);
  if (!ret) ret = yield* take_for(container, pe);
  if (!ret) {
    if (applied("several-groups")) list_add(pe, container.group_list);
    else container.grp = pe;
  }
  mutex_unlock(container.lock);
  observe("VFIO_GROUP_SET_CONTAINER", pe, ret);
  return ret;
}

function refusal(container: TceContainer, pe: TableGroup): Errno {
  if (!applied("several-groups")) return container.grp === null ? 0 : -EBUSY;
  if (!list_empty(container.group_list) && group_ops(pe) === null) return -EBUSY;
  return container.group_list.includes(pe) ? -EBUSY : 0;
}

function* take_for(container: TceContainer, pe: TableGroup): Proc<Errno> {
  const ops = group_ops(pe);
  if (ops === null) return yield* tce_iommu_take_ownership(container, pe);
  if (!applied("v9-25") && !applied("46d3e1e16294")) {
    yield* take_ownership(pe);
    return 0;
  }
  if (WARN_ON(!ops.has_create_table || !ops.has_set_window, "ownership can be taken, and no table made or no window set")) return -EFAULT;
  yield* take_ownership(pe);
  yield;
  if (applied("v9-25")) return yield* default_window_posted(pe);
  return yield* default_window(container, pe);
}

function* take_ownership(pe: TableGroup): Proc {
  pe.is_taken = true;
  yield;
  yield* pnv_ioda2_take_ownership(pe);
}

function* release_ownership(pe: TableGroup): Proc {
  pe.is_taken = false;
  yield;
  yield* pnv_ioda2_release_ownership(pe);
}

/** What the attach does as posted: the descriptor is the PE's; in v8 it is a variable. An error is handed on as it is. */
function* default_window_posted(pe: TableGroup): Proc<Errno> {
  const tbl = applied("v8-25") ? kzalloc(ioda2, "iommu_table") : pe.table0!;
  const created = pnv_pci_ioda2_create_table(tbl, "users_tables");
  yield;
  const ret = typeof created === "number" ? created : yield* pnv_pci_ioda2_set_window(pe, tbl, "users_tables");
  if (applied("v8-25")) kfree(tbl);
  return ret;
}

/** The rest of tce_iommu_take_ownership_ddw(), which gives back what it has taken. */
function* default_window(container: TceContainer, pe: TableGroup): Proc<Errno> {
  const created = window_table(container);
  yield;
  if (typeof created === "number") {
    yield* release_ownership(pe);
    return created;
  }
  const ret = yield* pnv_pci_ioda2_set_window(pe, created, "users_tables");
  if (!ret) return 0;
  yield;
  // Since there may be several groups the table stays the container's, whatever becomes of this one.
  if (applied("several-groups")) yield* pnv_pci_ioda2_unset_window(pe);
  else pnv_ioda2_table_free(created);
  yield;
  yield* release_ownership(pe);
  return ret;
}

/** The table for a new group: that of the container, if it has one. */
function window_table(container: TceContainer): IommuTable | Errno {
  if (applied("several-groups") && container.table0 !== null) return container.table0;
  const created = tce_iommu_create_table();
  if (applied("several-groups") && typeof created !== "number") container.table0 = created;
  return created;
}

/** Its memory is counted as locked by the process. */
function tce_iommu_create_table(): IommuTable | Errno {
  if (machine.has_low_memlock) return -ENOMEM;
  return pnv_pci_ioda2_create_table(null, "users_tables");
}

/** The bitmap of a group without callbacks; the bypass goes with it as long as there are none at all. */
function* tce_iommu_take_ownership(container: TceContainer, pe: TableGroup): Proc<Errno> {
  const rc = iommu_take_ownership(pe.table0!);
  if (rc) return rc;
  pe.is_taken = true;
  yield;
  if (!applied("4793d65d1ac0") && pe.has_bypass) pnv_pci_ioda2_set_bypass(pe, false);
  if (applied("several-groups")) container.table0 = pe.table0;
  return 0;
}

function* tce_iommu_release_ownership(container: TceContainer, pe: TableGroup): Proc {
  yield* tce_iommu_clear(pe.table0!);
  yield;
  iommu_release_ownership(pe.table0!);
  pe.is_taken = false;
  if (applied("several-groups")) container.table0 = null;
  yield;
  if (!applied("4793d65d1ac0") && pe.has_bypass) pnv_pci_ioda2_set_bypass(pe, true);
}

export function* tce_iommu_detach_group(container: TceContainer, pe: TableGroup): Proc {
  yield* mutex_lock(container.lock);
  if (applied("several-groups")) list_del(pe, container.group_list);
  else container.grp = null;
  yield* detach_locked(container, pe);
  mutex_unlock(container.lock);
  observe("VFIO_GROUP_UNSET_CONTAINER", pe);
}

function* detach_locked(container: TceContainer, pe: TableGroup): Proc {
  const ops = group_ops(pe);
  if (ops === null) {
    yield* tce_iommu_release_ownership(container, pe);
    return;
  }
  if (applied("v9-25") || applied("46d3e1e16294")) {
    if (WARN_ON(!ops.has_unset_window, "there is no way to take the window away")) return;
    if (applied("v9-25")) yield* remove_table_posted(pe);
    else if (applied("several-groups")) yield* leave_table(container, pe);
    else yield* remove_table(pe);
    yield;
  } else {
    yield* tce_iommu_clear(pe.table0!);
    yield;
  }
  yield* release_ownership(pe);
}

/** As posted: the window's descriptor is cleared with it, and a copy on the stack is what the rest is done with. */
function* remove_table_posted(pe: TableGroup): Proc {
  if (pe.table0!.it_base === null) return;
  const tbl = applied("no-copy") ? pe.table0! : kzalloc(ioda2, "iommu_table");
  if (!applied("no-copy")) copy_descriptor(tbl, pe.table0!);
  yield;
  yield* pnv_pci_ioda2_unset_window(pe);
  yield;
  yield* tce_iommu_clear(tbl);
  yield;
  if (tbl.it_ops!.has_free) pnv_ioda2_table_free(tbl);
  if (!applied("no-copy")) kfree(tbl);
}

/** As merged. Since 4ba2fdff2eb1 (v6.11) the table is cleared first. */
function* remove_table(pe: TableGroup): Proc {
  const tbl = pe.table0;
  if (tbl === null) return;
  for (const step of detach_steps()) {
    yield;
    if (step === "unset") yield* pnv_pci_ioda2_unset_window(pe);
    else if (step === "clear") yield* tce_iommu_clear(tbl);
    else pnv_ioda2_table_free(tbl);
  }
}

/** What a detach does with a table, in its order. */
function detach_steps(): ("unset" | "clear" | "free")[] {
  const before: ("unset" | "clear")[] = applied("4ba2fdff2eb1") ? ["clear", "unset"] : ["unset", "clear"];
  const isFreedBefore = (step: string) => applied(`free-before-${step}`);
  return [...before.filter((step) => !isFreedBefore(step)), "free", ...before.filter(isFreedBefore)];
}

/** Since there may be several groups the table is the container's. */
function* leave_table(container: TceContainer, pe: TableGroup): Proc {
  yield* pnv_pci_ioda2_unset_window(pe);
  if (!applied("free-at-detach") || container.table0 === null) return;
  yield;
  yield* tce_iommu_clear(container.table0);
  pnv_ioda2_table_free(container.table0);
  container.table0 = null;
}

/** Takes every page out of the table and gives it back. */
function* tce_iommu_clear(tbl: IommuTable): Proc {
  if (tbl.it_base === null) return;
  const page = tce_xchg(tbl, null);
  yield;
  if (page !== null) tce_iommu_unuse_page(page);
}

function tce_iommu_unuse_page(page: Page): void {
  if (!WARN_ON(page.pins === 0, "a page is given back that nobody has taken")) page.pins--;
}

/** VFIO_IOMMU_MAP_DMA of the process's page, and tce_iommu_build(): an entry in use is replaced. */
export function* tce_iommu_map(container: TceContainer): Proc<Errno> {
  yield* mutex_lock(container.lock);
  const tbl = tce_iommu_find_table(container);
  const ret = tbl === null ? -ENXIO : yield* tce_iommu_build(tbl, container.guest!);
  mutex_unlock(container.lock);
  observe("VFIO_IOMMU_MAP_DMA", ret);
  return ret;
}

function tce_iommu_find_table(container: TceContainer): IommuTable | null {
  const tbl = applied("several-groups") ? container.table0 : container.grp!.table0;
  return tbl === null || tbl.it_base === null ? null : tbl;
}

function* tce_iommu_build(tbl: IommuTable, page: Page): Proc<Errno> {
  page.pins++;
  yield;
  const old = tce_xchg(tbl, page);
  yield;
  if (old !== null) tce_iommu_unuse_page(old);
  return 0;
}

/** The last file of the container is closed. */
export function* tce_iommu_release(container: TceContainer): Proc {
  yield* mutex_lock(container.lock);
  const tbl = container.table0;
  if (tbl !== null) {
    yield* tce_iommu_clear(tbl);
    yield;
    pnv_ioda2_table_free(tbl);
    container.table0 = null;
  }
  mutex_unlock(container.lock);
}
