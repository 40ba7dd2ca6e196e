/** drivers/vfio/vfio_iommu_spapr_tce.c of 6.1.176, and with commits as before and after it. */
import {
  abstraction,
  applied,
  atomic,
  BUG_ON,
  EBUSY,
  EFAULT,
  EINVAL,
  ENODEV,
  ENOMEM,
  EPERM,
  type Errno,
  fault,
  kfree,
  kzalloc,
  list_add,
  list_del,
  list_empty,
  list_first_entry,
  mutex_lock,
  mutex_unlock,
  type Proc,
} from "iommu-mc";
import {
  type IommuGroup,
  type IommuTable,
  ppc64,
  type TableGroup,
  type TceContainer,
  type TceIommuGroup,
  type WindowNumber,
} from "./schema.js";
import { iommu_release_ownership, iommu_take_ownership, iommu_tce_table_put, isMapped } from "./table.js";
import { create_table, release_ownership, set_window, take_ownership, unset_window } from "./table-group.js";

abstraction("a user's memory is one page, which stays registered; what is accounted to the process is left out", "may miss a bug", ppc64);
abstraction(
  "before v4.6 the default window was made at the attach; here a user asks for it, as since def_window_pending",
  "may miss a bug",
  ppc64,
);

const windows = [0, 1] as const;

/** `table_group->ops` without take_ownership and release_ownership: a group whose tables VFIO takes itself. */
function hasOwnershipOps(table_group: TableGroup): boolean {
  return table_group.ops !== "none";
}

/** Whether it is VFIO that takes ownership; else the attach of the blocking domain does. */
function takesOwnership(): boolean {
  return !applied("a940904443e4");
}

function table_in(container: TceContainer, num: WindowNumber): IommuTable | null {
  return num === 0 ? container.tables0 : container.tables1;
}

function put_table_in(container: TceContainer, num: WindowNumber, tbl: IommuTable | null): void {
  if (num === 0) container.tables0 = tbl;
  else container.tables1 = tbl;
}

/** 6.1.176 line 431: unmaps what the user has mapped and gives its pages back. */
function tce_iommu_clear(tbl: IommuTable): void {
  tbl.user_tces.clear();
}

/** 6.1.176 line 1240. */
export function* tce_iommu_attach_group(container: TceContainer, iommu_group: IommuGroup): Proc<Errno> {
  yield* mutex_lock(container.lock);
  const table_group = iommu_group.iommu_data;
  const ret = table_group === null ? -ENODEV : yield* attach_locked(container, iommu_group, table_group);
  mutex_unlock(container.lock);
  return ret;
}

function* attach_locked(container: TceContainer, iommu_group: IommuGroup, table_group: TableGroup): Proc<Errno> {
  const refused = refusal(container, table_group);
  if (refused) return refused;
  for (const tcegrp of container.group_list) {
    let error: Errno = 0;
    if (tcegrp.grp === iommu_group) error = -EBUSY;
    else if (create_table_of(tcegrp.grp!.iommu_data!) !== create_table_of(table_group)) error = -EPERM;
    if (!error) continue;
    // One variable is the cursor of this loop and the new entry: the error path takes it for the second.
    if (!applied("201908190151")) kfree(tcegrp);
    return error;
  }
  if (fault("kzalloc(tce_iommu_group)")) return -ENOMEM;
  const tcegrp = kzalloc(ppc64, "tce_iommu_group");
  const ret = yield* take_for(container, table_group);
  if (ret) kfree(tcegrp);
  else {
    tcegrp.grp = iommu_group;
    list_add(tcegrp, container.group_list);
  }
  return ret;
}

/** Which groups a container may have: since 9d67c9433509 (6.12.107 line 1236) it is a question of the number of windows. */
function refusal(container: TceContainer, table_group: TableGroup): Errno {
  const hasGroups = !list_empty(container.group_list);
  if (!applied("9d67c9433509")) return hasGroups && !hasOwnershipOps(table_group) ? -EBUSY : 0;
  if (container.v2 && !table_group.has_dynamic_windows) return -EINVAL;
  return !container.v2 && hasGroups ? -EBUSY : 0;
}

/** The address that groups of one container must have in common. */
function create_table_of(table_group: TableGroup): TableGroup["ops"] {
  return table_group.ops;
}

/** The middle of tce_iommu_attach_group: 6.1.176 line 1294. */
function* take_for(container: TceContainer, table_group: TableGroup): Proc<Errno> {
  const isDdw = applied("9d67c9433509") || hasOwnershipOps(table_group);
  if (!applied("9d67c9433509") && container.v2 !== isDdw) return -EPERM;
  if (!isDdw) return yield* tce_iommu_take_ownership(container, table_group);
  const ret = yield* tce_iommu_take_ownership_ddw(container, table_group);
  if (list_empty(container.group_list) && container.tables0 === null) container.def_window_pending = true;
  return ret;
}

/** 6.1.176 line 1160. */
function* tce_iommu_take_ownership(container: TceContainer, table_group: TableGroup): Proc<Errno> {
  const { table0, table1 } = table_group;
  if (isMapped(table0)) {
    const rc = yield* iommu_take_ownership(table0);
    if (rc) return rc;
  }
  if (isMapped(table1)) {
    const rc = yield* iommu_take_ownership(table1);
    if (rc) {
      yield* iommu_release_ownership(table0!);
      return rc;
    }
  }
  yield;
  container.tables0 = table0;
  container.tables1 = table1;
  table_group.is_taken = true;
  return 0;
}

/** 6.1.176 line 1141. */
function* tce_iommu_release_ownership(container: TceContainer, table_group: TableGroup): Proc {
  for (const num of windows) {
    const tbl = table_in(container, num);
    if (tbl === null) continue;
    tce_iommu_clear(tbl);
    yield;
    if (tbl.has_map) yield* iommu_release_ownership(tbl);
    put_table_in(container, num, null);
  }
  table_group.is_taken = false;
}

/** 6.1.176 line 1204; since 9d67c9433509 of every group, as tce_iommu_take_ownership, and since a940904443e4 (6.12.107 line 1210) without taking ownership. */
function* tce_iommu_take_ownership_ddw(container: TceContainer, table_group: TableGroup): Proc<Errno> {
  const dev = table_group.devices.at(0)!;
  if (takesOwnership()) {
    const ret = yield* take_ownership(table_group, dev);
    if (ret && applied("9d67c9433509")) return ret;
  }
  let ret: Errno = 0;
  for (const num of windows) {
    const tbl = table_in(container, num);
    if (tbl === null) continue;
    yield;
    ret = yield* set_window(table_group, num, tbl);
    if (ret) break;
  }
  if (!ret) return 0;
  for (const num of windows) {
    yield;
    yield* unset_window(table_group, num);
  }
  if (takesOwnership()) yield* release_ownership(table_group, dev);
  return ret;
}

/** 6.1.176 line 1187; since a940904443e4 without releasing ownership; since 4ba2fdff2eb1 (v6.11; 6.12.107 line 1190) the tables are cleared first. */
function* tce_iommu_release_ownership_ddw(container: TceContainer, table_group: TableGroup): Proc {
  for (const num of windows) {
    const tbl = table_in(container, num);
    if (tbl === null) continue;
    if (applied("4ba2fdff2eb1")) tce_iommu_clear(tbl);
    yield;
    yield* unset_window(table_group, num);
  }
  yield;
  if (takesOwnership()) yield* release_ownership(table_group, table_group.devices.at(0)!);
}

/** 6.1.176 line 1330. */
export function* tce_iommu_detach_group(container: TceContainer, iommu_group: IommuGroup): Proc {
  yield* mutex_lock(container.lock);
  const tcegrp = entryOf(container, iommu_group);
  if (tcegrp !== null) {
    list_del(tcegrp, container.group_list);
    kfree(tcegrp);
    const table_group = iommu_group.iommu_data;
    BUG_ON(table_group === null, "no table group");
    if (applied("9d67c9433509") || hasOwnershipOps(table_group!)) yield* tce_iommu_release_ownership_ddw(container, table_group!);
    else yield* tce_iommu_release_ownership(container, table_group!);
  }
  mutex_unlock(container.lock);
}

function entryOf(container: TceContainer, iommu_group: IommuGroup): TceIommuGroup | null {
  for (const tcegrp of container.group_list) if (tcegrp.grp === iommu_group) return tcegrp;
  return null;
}

/** 6.1.176 line 643, in a place that is free: each group gets the table, or none. */
export function* tce_iommu_create_window(container: TceContainer): Proc<Errno> {
  let num: WindowNumber = 0;
  if (container.tables0 !== null) {
    if (container.tables1 !== null) return -EBUSY;
    num = 1;
  }
  const tbl = create_table(list_first_entry(container.group_list).grp!.iommu_data!, num);
  if (typeof tbl === "number") return tbl;
  let ret: Errno = 0;
  for (const tcegrp of container.group_list) {
    yield;
    ret = yield* set_window(tcegrp.grp!.iommu_data!, num, tbl);
    if (ret) break;
  }
  if (!ret) {
    put_table_in(container, num, tbl);
    return 0;
  }
  for (const tcegrp of container.group_list) {
    yield;
    yield* unset_window(tcegrp.grp!.iommu_data!, num);
  }
  tce_iommu_free_table(tbl);
  return ret;
}

/** 6.1.176 line 708; since 4ba2fdff2eb1 (v6.11) the table is cleared first. */
export function* tce_iommu_remove_window(container: TceContainer, num: WindowNumber): Proc<Errno> {
  const tbl = table_in(container, num);
  if (tbl === null) return -EINVAL;
  if (applied("4ba2fdff2eb1")) tce_iommu_clear(tbl);
  for (const tcegrp of container.group_list) {
    yield;
    yield* unset_window(tcegrp.grp!.iommu_data!, num);
  }
  yield;
  tce_iommu_clear(tbl);
  tce_iommu_free_table(tbl);
  put_table_in(container, num, null);
  return 0;
}

/** 6.1.176 line 747. */
function* tce_iommu_create_default_window(container: TceContainer): Proc<Errno> {
  if (!container.def_window_pending) return 0;
  if (list_empty(container.group_list)) return -ENODEV;
  const ret = yield* tce_iommu_create_window(container);
  if (!ret) container.def_window_pending = false;
  return ret;
}

/** VFIO_IOMMU_MAP_DMA and tce_iommu_build() (6.1.176 lines 855 and 499): the user's page at the first entry of window 0. */
export function* tce_iommu_map(container: TceContainer): Proc<Errno> {
  yield* mutex_lock(container.lock);
  let ret = yield* tce_iommu_create_default_window(container);
  const tbl = container.tables0;
  if (!ret && tbl === null) ret = -EFAULT;
  if (!ret) {
    yield;
    for (const entry of tbl!.it_size) {
      tbl!.user_tces.add(entry);
      break;
    }
  }
  mutex_unlock(container.lock);
  return ret;
}

/** 6.1.176 line 634. */
function tce_iommu_free_table(tbl: IommuTable): void {
  iommu_tce_table_put(tbl);
}

/** 6.1.176 line 343: the last user of the container is gone; tables that VFIO made are left over from the detach. */
export function* tce_iommu_release(container: TceContainer): Proc {
  atomic("nobody else has a container that is released");
  yield* mutex_lock(container.lock);
  container.def_window_pending = false;
  for (const num of windows) {
    const tbl = table_in(container, num);
    if (tbl === null) continue;
    tce_iommu_clear(tbl);
    tce_iommu_free_table(tbl);
    put_table_in(container, num, null);
  }
  mutex_unlock(container.lock);
}
