/** drivers/iommu/arm/arm-smmu/arm-smmu.c and arm-smmu-v3.c of 6.1.176, which v5.17 has in the same form. */
import { applied, EINVAL, ENODEV, ENOMEM, EPERM, type Errno, fault, mutex_lock, mutex_unlock, type Proc } from "iommu-mc";
import { type Access, type Device, type DomainType, driver_module, type IommuDomain } from "../schema.js";
import {
  alloc_paging_domain,
  alloc_sva_domain,
  clear_page,
  container_of,
  free_domain,
  put_on_domain,
  readable,
  take_off_domain,
} from "./domain.js";

/** 6.1.176 line 854. The page table comes with the first device: what is known here is only the kind. */
export function* arm_smmu_domain_alloc(type: DomainType): Proc<IommuDomain | null> {
  return alloc_paging_domain(type);
}

/**
 * With arm_smmu_sva_domain_alloc(), whose domain of a process is a bare struct iommu_domain, as v6.2 had it; 6.12.107 has the driver's structure
 * for it too (arm-smmu-v3-sva.c line 387).
 */
export function* arm_smmu_v3_domain_alloc(type: DomainType): Proc<IommuDomain | null> {
  if (type === "SVA") return alloc_sva_domain("sva_domain");
  return alloc_paging_domain(type);
}

/** 6.1.176 line 878. */
export function* arm_smmu_domain_free(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  free_domain(domain);
}

/** 6.1.176 line 1113. The SMMU before SMMUv3 completes the domain first; what it is on before stays until its stream's entry is written over. */
export function* arm_smmu_attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  const ret = yield* arm_smmu_complete(domain, dev);
  if (ret) return ret;
  if (dev.domain !== null) dev.domain.devices.delete(dev);
  put_on_domain(domain, dev);
  return 0;
}

/** That of arm-smmu-v3.c takes the device off its old domain before anything that can fail. */
export function* arm_smmu_v3_attach_dev(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (applied("attach-by-kind") && domain.type === "SVA") return yield* arm_smmu_sva_set_dev_pasid(domain, dev);
  if (dev.domain !== null) take_off_domain(dev);
  const ret = yield* arm_smmu_complete(domain, dev);
  if (ret) return ret;
  put_on_domain(domain, dev);
  return 0;
}

/** arm-smmu-v3-sva.c, 6.12.107 line 334. */
export function* arm_smmu_sva_set_dev_pasid(domain: IommuDomain, dev: Device): Proc<Errno> {
  container_of(domain, "sva_domain");
  dev.pasid_domain = domain;
  return 0;
}

/** arm-smmu-v3-sva.c, 6.12.107 line 358. */
export function* arm_smmu_sva_domain_free(domain: IommuDomain): Proc {
  container_of(domain, "sva_domain");
  free_domain(domain);
}

/** The part under `init_mutex`: a domain is one SMMU's, that of its first device. */
function* arm_smmu_complete(domain: IommuDomain, dev: Device): Proc<Errno> {
  container_of(domain, "paging_domain");
  yield* mutex_lock(domain.init_mutex);
  let ret: Errno = 0;
  if (domain.iommu === null) ret = yield* arm_smmu_domain_finalise(domain, dev);
  else if (domain.iommu !== dev.iommu) ret = -EINVAL;
  mutex_unlock(domain.init_mutex);
  return ret;
}

/** 6.1.176 line 2211. Chooses the format. With `ops-by-format` the domain's table becomes that of the format, when there is a page table. */
function* arm_smmu_domain_finalise(domain: IommuDomain, dev: Device): Proc<Errno> {
  if (domain.type !== "IDENTITY") {
    if (applied("format-ops-first")) yield* swap_ops(domain);
    if (fault("alloc_io_pgtable_ops")) return -ENOMEM;
    domain.pgtbl_ops = domain.nesting ? driver_module.stage2 : driver_module.stage1;
    yield;
    if (applied("ops-by-format") && !applied("format-ops-first")) yield* swap_ops(domain);
  }
  domain.iommu = dev.iommu;
  return 0;
}

function* swap_ops(domain: IommuDomain): Proc {
  domain.ops = domain.nesting ? driver_module.stage2_ops : driver_module.stage1_ops;
  yield;
}

/** By the indirection through `pgtbl_ops`. */
export function* arm_smmu_map(domain: IommuDomain, access: Access): Proc<Errno> {
  container_of(domain, "paging_domain");
  yield;
  const pgtbl_ops = domain.pgtbl_ops;
  if (pgtbl_ops === null) return -ENODEV;
  yield;
  domain.pte = pgtbl_ops.format === "stage1" ? readable(access) : access;
  return 0;
}

export function* arm_smmu_unmap(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  yield;
  if (domain.pgtbl_ops === null) return false;
  yield;
  return clear_page(domain);
}

/** Permissions of stage 1 cannot say that a page is not to be read. Ops of a format take the page table for granted. */
export function* arm_smmu_map_stage1(domain: IommuDomain, access: Access): Proc<Errno> {
  yield;
  walk(domain, "stage1");
  yield;
  domain.pte = readable(access);
  return 0;
}

export function* arm_smmu_map_stage2(domain: IommuDomain, access: Access): Proc<Errno> {
  yield;
  walk(domain, "stage2");
  yield;
  domain.pte = access;
  return 0;
}

export function* arm_smmu_unmap_stage1(domain: IommuDomain): Proc<boolean> {
  yield;
  walk(domain, "stage1");
  yield;
  return clear_page(domain);
}

export function* arm_smmu_unmap_stage2(domain: IommuDomain): Proc<boolean> {
  yield;
  walk(domain, "stage2");
  yield;
  return clear_page(domain);
}

/** io-pgtable-arm.c knows its data by container_of(): a NULL dereference without any, garbage with those of another format. */
function walk(domain: IommuDomain, format: "stage1" | "stage2"): void {
  if (domain.pgtbl_ops!.format !== format) driver_module.has_misread = true;
}

/** 6.1.176 line 1218. Only if there is an SMMU to flush. */
export function* arm_smmu_flush_iotlb_all(domain: IommuDomain): Proc {
  container_of(domain, "paging_domain");
  if (domain.iommu === null) return;
}

/** 6.1.176 line 1300. */
export function* arm_smmu_iova_to_phys(domain: IommuDomain): Proc<boolean> {
  container_of(domain, "paging_domain");
  return domain.type === "IDENTITY" || domain.pte !== "none";
}

/** 6.1.176 line 1501. Possible until a device is attached. */
export function* arm_smmu_enable_nesting(domain: IommuDomain): Proc<Errno> {
  container_of(domain, "paging_domain");
  yield* mutex_lock(domain.init_mutex);
  const ret = domain.iommu === null ? 0 : -EPERM;
  if (ret === 0 && !applied("nesting-in-name-only")) domain.nesting = true;
  mutex_unlock(domain.init_mutex);
  return ret;
}

/** 6.1.176 line 1516. Of the SMMU before SMMUv3 only. */
export function* arm_smmu_set_pgtable_quirks(domain: IommuDomain): Proc<Errno> {
  container_of(domain, "paging_domain");
  yield* mutex_lock(domain.init_mutex);
  const ret = domain.iommu === null ? 0 : -EPERM;
  if (ret === 0) domain.quirks = true;
  mutex_unlock(domain.init_mutex);
  return ret;
}
