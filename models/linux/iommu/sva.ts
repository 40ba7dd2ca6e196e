/**
 * Devices that share a process's address space (SVA): drivers/iommu/iommu-sva-lib.c and arm-smmu-v3-sva.c of 6.1.176, and the
 * end of a process in kernel/fork.c and kernel/exit.c.
 */
import {
  abstraction,
  applied,
  atomic,
  ENOMEM,
  type Errno,
  fault,
  kfree,
  kref_get,
  kref_put,
  kzalloc,
  mutex_lock,
  mutex_unlock,
  observe,
  type Proc,
  WARN_ON,
} from "iommu-mc";
import { type ArmSmmuBond, type Ioasid, iommu_core, linux, type MmStruct } from "../schema.js";

abstraction("there is one device that shares address spaces, and one PASID; a process binds the device once", "may miss a bug");
abstraction("iommu_sva_lock is folded into sva_lock, under which alone SMMUv3's driver asks for a PASID", "neither");

/** arm-smmu-v3-sva.c line 391. Returns null with an error. */
export function* arm_smmu_sva_bind(mm: MmStruct): Proc<ArmSmmuBond | null> {
  yield* mutex_lock(iommu_core.sva_lock);
  const bond = fault("kzalloc(arm_smmu_bond)") ? null : kzalloc(linux, "arm_smmu_bond");
  let ret: Errno = -ENOMEM;
  if (bond !== null) {
    yield;
    ret = iommu_sva_alloc_pasid(mm);
  }
  yield;
  if (bond !== null && ret === 0) {
    bond.mm = mm;
    kref_get(mm.mm_count);
    yield;
    arm_smmu_write_ctx_desc(mm, mm);
  } else if (bond !== null) kfree(bond);
  mutex_unlock(iommu_core.sva_lock);
  return ret === 0 ? bond : null;
}

/** iommu-sva-lib.c line 25: the PASID is the address space's from then on. */
function iommu_sva_alloc_pasid(mm: MmStruct): Errno {
  atomic("iommu_sva_lock, and the lock of the allocator");
  const pasid = iommu_core.ioasid!;
  if (mm.pasid !== null) return 0;
  if (pasid.allocated) return -ENOMEM;
  pasid.allocated = true;
  mm.pasid = pasid;
  return 0;
}

/** arm-smmu-v3.c line 1067, for the PASID that the address space has; null clears it. Without a PASID that is number -1. */
function arm_smmu_write_ctx_desc(mm: MmStruct, cd: MmStruct | null): void {
  const pasid: Ioasid | null = mm.pasid;
  if (WARN_ON(pasid === null, "a PASID beyond what the SMMU has context descriptors for")) return;
  pasid!.cd = cd;
}

/** arm-smmu-v3-sva.c line 407, with arm_smmu_mmu_notifier_put() of line 318. */
export function* arm_smmu_sva_unbind(bond: ArmSmmuBond): Proc {
  const mm = bond.mm!;
  yield* mutex_lock(iommu_core.sva_lock);
  arm_smmu_write_ctx_desc(mm, null);
  yield;
  yield* mmdrop(mm);
  kfree(bond);
  mutex_unlock(iommu_core.sva_lock);
}

/**
 * kernel/fork.c: the address space goes, and arm_smmu_mm_release() leaves the context descriptor as it is, but that it translates
 * nothing any more. Before 2667ed10d9f0 (v5.18) its PASID went with it.
 */
export function* mmput(mm: MmStruct): Proc {
  if (!kref_put(mm.mm_users)) return;
  yield;
  if (!applied("2667ed10d9f0")) mm_pasid_drop(mm);
  yield;
  yield* mmdrop(mm);
}

/** kernel/fork.c: the structure goes, which every bond has a reference to. */
function* mmdrop(mm: MmStruct): Proc {
  if (!kref_put(mm.mm_count)) return;
  yield;
  if (applied("2667ed10d9f0")) mm_pasid_drop(mm);
  yield;
  kfree(mm);
}

/** include/linux/sched/mm.h: gives the PASID back, if it has one. */
function mm_pasid_drop(mm: MmStruct): void {
  atomic("the lock of the allocator");
  const pasid = mm.pasid;
  if (pasid === null) return;
  mm.pasid = null;
  pasid.allocated = false;
  observe("ioasid_free", pasid);
}
