/** Objects of an iommufd that the user numbers and destroys: drivers/iommu/iommufd/main.c and iommufd_private.h of 7.2.13. */
import {
  abstraction,
  applied,
  atomic,
  EBUSY,
  ENOENT,
  ENOMEM,
  type Errno,
  fault,
  kfree,
  kref_get,
  kref_init,
  kref_put,
  kzalloc,
  type Proc,
  refcount_read,
  until,
} from "iommu-mc";
import { iommu_domain_alloc, iommu_domain_free } from "../iommu/attach.js";
import { type BusType, type IommufdCtx, type IommufdHwPagetable, linux } from "../schema.js";

abstraction(
  "of the objects of an iommufd there are page tables made by the user, two at most; who waits for one does so for ever, not for a minute",
  "may miss a bug",
);

/** The number that the user has for an object. */
export type Id = 0 | 1;

/** xa_load() of `ictx->objects`. */
function lookup(ictx: IommufdCtx, id: Id): IommufdHwPagetable | null {
  return id === 0 ? ictx.hwpt0 : ictx.hwpt1;
}

function store(ictx: IommufdCtx, id: Id, hwpt: IommufdHwPagetable | null): void {
  if (id === 0) ictx.hwpt0 = hwpt;
  else ictx.hwpt1 = hwpt;
}

/** IOMMU_HWPT_ALLOC: hw_pagetable.c of 7.2.13 line 334. The object can be found when nothing can fail any more. */
export function* iommufd_hwpt_alloc(ictx: IommufdCtx, id: Id, bus: BusType): Proc<Errno> {
  if (fault("iommufd_object_alloc")) return -ENOMEM;
  const hwpt = kzalloc(linux, "iommufd_hw_pagetable");
  kref_init(hwpt.users);
  kref_init(hwpt.wait_cnt);
  yield;
  const domain = iommu_domain_alloc(bus);
  if (domain === null) {
    kfree(hwpt);
    return -ENOMEM;
  }
  hwpt.domain = domain;
  yield;
  store(ictx, id, hwpt);
  return 0;
}

/** 7.2.13 line 166, with iommufd_lock_obj(). Null: there is none, or it is being destroyed. */
export function iommufd_get_object(ictx: IommufdCtx, id: Id): IommufdHwPagetable | null {
  atomic("xa_lock of ictx->objects");
  const obj = lookup(ictx, id);
  if (obj === null || refcount_read(obj.users) === 0) return null;
  kref_get(obj.users);
  if (applied("6f9c4d8c468c")) kref_get(obj.wait_cnt);
  else obj.destroy_rwsem++;
  return obj;
}

/**
 * iommufd_private.h of 7.2.13 line 187. Before 6f9c4d8c468c (v6.7) the second step was up_read() of a semaphore in the object, as
 * the syzbot report of it has it: who destroys the object does not take that semaphore.
 */
export function* iommufd_put_object(obj: IommufdHwPagetable): Proc {
  kref_put(obj.users);
  yield;
  if (applied("6f9c4d8c468c")) kref_put(obj.wait_cnt);
  else obj.destroy_rwsem--;
}

/** IOMMU_DESTROY: 7.2.13 line 226, without REMOVE_WAIT. Since 6f9c4d8c468c it waits for who has the object for a moment. */
export function* iommufd_object_remove(ictx: IommufdCtx, id: Id): Proc<Errno> {
  const obj = take_out(ictx, id);
  if (typeof obj === "number") return obj;
  yield;
  if (applied("6f9c4d8c468c")) {
    if (!kref_put(obj.wait_cnt)) yield until(() => refcount_read(obj.wait_cnt) === 0);
    yield;
  }
  iommu_domain_free(obj.domain!);
  yield;
  kfree(obj);
  return 0;
}

/** Under xa_lock: the last user is the number itself. */
function take_out(ictx: IommufdCtx, id: Id): IommufdHwPagetable | Errno {
  atomic("xa_lock of ictx->objects: the number is taken away from the last user");
  const obj = lookup(ictx, id);
  if (obj === null) return -ENOENT;
  if (refcount_read(obj.users) !== 1) return -EBUSY;
  kref_put(obj.users);
  store(ictx, id, null);
  return obj;
}
