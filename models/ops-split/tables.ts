/**
 * Which callbacks each table of each driver has: those of v5.17, as the split took them apart. An op that is missing is NULL.
 * `map` stands for `map_pages` where a driver has that, `unmap` likewise.
 */
import { abstraction, type Errno, operations, type Proc } from "iommu-mc";
import {
  amd_iommu_attach_device,
  amd_iommu_detach_device,
  amd_iommu_domain_alloc,
  amd_iommu_domain_free,
  amd_iommu_flush_iotlb_all,
  amd_iommu_iova_to_phys,
  amd_iommu_is_attach_deferred,
  amd_iommu_map,
  amd_iommu_unmap,
  iommu_sva_set_dev_pasid,
} from "./drivers/amd.js";
import {
  apple_dart_attach_dev,
  apple_dart_detach_dev,
  apple_dart_domain_alloc,
  apple_dart_domain_free,
  apple_dart_flush_iotlb_all,
  apple_dart_iova_to_phys,
  apple_dart_map,
  apple_dart_unmap,
} from "./drivers/apple-dart.js";
import {
  arm_smmu_attach_dev,
  arm_smmu_domain_alloc,
  arm_smmu_domain_free,
  arm_smmu_enable_nesting,
  arm_smmu_flush_iotlb_all,
  arm_smmu_iova_to_phys,
  arm_smmu_map,
  arm_smmu_map_stage1,
  arm_smmu_map_stage2,
  arm_smmu_set_pgtable_quirks,
  arm_smmu_sva_domain_free,
  arm_smmu_sva_set_dev_pasid,
  arm_smmu_unmap,
  arm_smmu_unmap_stage1,
  arm_smmu_unmap_stage2,
  arm_smmu_v3_attach_dev,
  arm_smmu_v3_domain_alloc,
} from "./drivers/arm-smmu.js";
import {
  exynos_iommu_attach_device,
  exynos_iommu_detach_device,
  exynos_iommu_domain_alloc,
  exynos_iommu_domain_free,
  exynos_iommu_iova_to_phys,
  exynos_iommu_map,
  exynos_iommu_unmap,
} from "./drivers/exynos.js";
import {
  intel_flush_iotlb_all,
  intel_iommu_apply_resv_region,
  intel_iommu_attach_device,
  intel_iommu_aux_attach_device,
  intel_iommu_detach_device,
  intel_iommu_domain_alloc,
  intel_iommu_domain_free,
  intel_iommu_enable_nesting,
  intel_iommu_iova_to_phys,
  intel_iommu_is_attach_deferred,
  intel_iommu_map,
  intel_iommu_unmap,
  intel_svm_domain_free,
  intel_svm_set_dev_pasid,
} from "./drivers/intel.js";
import {
  s390_domain_alloc,
  s390_domain_free,
  s390_iommu_attach_device,
  s390_iommu_detach_device,
  s390_iommu_iova_to_phys,
  s390_iommu_map,
  s390_iommu_unmap,
} from "./drivers/s390.js";
import {
  viommu_attach_dev,
  viommu_attach_either,
  viommu_detach_either,
  viommu_domain_alloc,
  viommu_domain_free,
  viommu_iotlb_sync,
  viommu_iova_to_phys,
  viommu_iova_to_phys_either,
  viommu_map,
  viommu_map_emulated,
  viommu_map_physical,
  viommu_unmap,
  viommu_unmap_emulated,
  viommu_unmap_physical,
} from "./drivers/virtio.js";
import { type Access, type Device, type DomainType, type Driver, type IommuDomain, opsSplit, type Role } from "./schema.js";

abstraction(
  "map_pages and unmap_pages are map and unmap, and an IOTLB holds nothing: flush and sync are seen, and change nothing",
  "may miss a bug",
  opsSplit,
);

/** `struct iommu_domain_ops`. */
export interface DomainOps {
  readonly attach_dev?: (domain: IommuDomain, dev: Device) => Proc<Errno>;
  readonly detach_dev?: (domain: IommuDomain, dev: Device) => Proc;
  readonly map?: (domain: IommuDomain, access: Access) => Proc<Errno>;
  /** Whether anything was mapped. */
  readonly unmap?: (domain: IommuDomain) => Proc<boolean>;
  readonly flush_iotlb_all?: (domain: IommuDomain) => Proc;
  readonly iotlb_sync_map?: (domain: IommuDomain) => Proc;
  readonly iotlb_sync?: (domain: IommuDomain) => Proc;
  /** Whether anything is mapped. */
  readonly iova_to_phys?: (domain: IommuDomain) => Proc<boolean>;
  readonly enable_nesting?: (domain: IommuDomain) => Proc<Errno>;
  readonly set_pgtable_quirks?: (domain: IommuDomain) => Proc<Errno>;
  readonly set_dev_pasid?: (domain: IommuDomain, dev: Device) => Proc<Errno>;
  readonly domain_free?: (domain: IommuDomain) => Proc;
}

/** What `struct iommu_ops` has besides; before the split it is one with the above. */
export interface IommuOps extends DomainOps {
  /** The device is null but in the design that tells it. */
  readonly domain_alloc?: (type: DomainType, dev: Device | null) => Proc<IommuDomain | null>;
  /** The domain is null where the argument is dropped. */
  readonly is_attach_deferred?: (domain: IommuDomain | null, dev: Device) => Proc<boolean>;
  readonly apply_resv_region?: (dev: Device | null, domain: IommuDomain | null) => Proc;
  readonly aux_attach_dev?: (domain: IommuDomain, dev: Device) => Proc<Errno>;
}

export type Op = keyof IommuOps;

const intel_domain_ops: DomainOps = {
  attach_dev: intel_iommu_attach_device,
  detach_dev: intel_iommu_detach_device,
  map: intel_iommu_map,
  unmap: intel_iommu_unmap,
  iotlb_sync_map: intel_flush_iotlb_all,
  flush_iotlb_all: intel_flush_iotlb_all,
  iotlb_sync: intel_flush_iotlb_all,
  iova_to_phys: intel_iommu_iova_to_phys,
  domain_free: intel_iommu_domain_free,
};

const amd_domain_ops: DomainOps = {
  attach_dev: amd_iommu_attach_device,
  detach_dev: amd_iommu_detach_device,
  map: amd_iommu_map,
  unmap: amd_iommu_unmap,
  iotlb_sync_map: amd_iommu_flush_iotlb_all,
  iova_to_phys: amd_iommu_iova_to_phys,
  flush_iotlb_all: amd_iommu_flush_iotlb_all,
  iotlb_sync: amd_iommu_flush_iotlb_all,
  domain_free: amd_iommu_domain_free,
};

const arm_smmu_v3_domain_ops: DomainOps = {
  attach_dev: arm_smmu_v3_attach_dev,
  map: arm_smmu_map,
  unmap: arm_smmu_unmap,
  flush_iotlb_all: arm_smmu_flush_iotlb_all,
  iotlb_sync: arm_smmu_flush_iotlb_all,
  iova_to_phys: arm_smmu_iova_to_phys,
  enable_nesting: arm_smmu_enable_nesting,
  domain_free: arm_smmu_domain_free,
};

const arm_smmu_domain_ops: DomainOps = {
  ...arm_smmu_v3_domain_ops,
  attach_dev: arm_smmu_attach_dev,
  set_pgtable_quirks: arm_smmu_set_pgtable_quirks,
};

/** What does without a page table. */
const arm_smmu_bare_ops: DomainOps = {
  attach_dev: arm_smmu_attach_dev,
  flush_iotlb_all: arm_smmu_flush_iotlb_all,
  iotlb_sync: arm_smmu_flush_iotlb_all,
  enable_nesting: arm_smmu_enable_nesting,
  set_pgtable_quirks: arm_smmu_set_pgtable_quirks,
  domain_free: arm_smmu_domain_free,
};

const viommu_domain_ops: DomainOps = {
  attach_dev: viommu_attach_dev,
  map: viommu_map,
  unmap: viommu_unmap,
  iova_to_phys: viommu_iova_to_phys,
  iotlb_sync: viommu_iotlb_sync,
  domain_free: viommu_domain_free,
};

/** What is common to the ops for endpoints of two kinds. */
const viommu_either_ops: DomainOps = {
  attach_dev: viommu_attach_either,
  detach_dev: viommu_detach_either,
  iova_to_phys: viommu_iova_to_phys_either,
  domain_free: viommu_domain_free,
};

const exynos_domain_ops: DomainOps = {
  attach_dev: exynos_iommu_attach_device,
  detach_dev: exynos_iommu_detach_device,
  map: exynos_iommu_map,
  unmap: exynos_iommu_unmap,
  iova_to_phys: exynos_iommu_iova_to_phys,
  domain_free: exynos_iommu_domain_free,
};

const s390_domain_ops: DomainOps = {
  attach_dev: s390_iommu_attach_device,
  detach_dev: s390_iommu_detach_device,
  map: s390_iommu_map,
  unmap: s390_iommu_unmap,
  iova_to_phys: s390_iommu_iova_to_phys,
  domain_free: s390_domain_free,
};

const apple_dart_domain_ops: DomainOps = {
  attach_dev: apple_dart_attach_dev,
  detach_dev: apple_dart_detach_dev,
  map: apple_dart_map,
  unmap: apple_dart_unmap,
  flush_iotlb_all: apple_dart_flush_iotlb_all,
  iotlb_sync: apple_dart_flush_iotlb_all,
  iotlb_sync_map: apple_dart_flush_iotlb_all,
  iova_to_phys: apple_dart_iova_to_phys,
  domain_free: apple_dart_domain_free,
};

/** Every driver has the first two kinds of table; an identity domain has what is left without a page table. */
const tables: Readonly<Record<string, IommuOps>> = operations(opsSplit, {
  intel_iommu: {
    ...intel_domain_ops,
    domain_alloc: intel_iommu_domain_alloc,
    is_attach_deferred: intel_iommu_is_attach_deferred,
    apply_resv_region: intel_iommu_apply_resv_region,
    aux_attach_dev: intel_iommu_aux_attach_device,
    enable_nesting: intel_iommu_enable_nesting,
  },
  amd_iommu: { ...amd_domain_ops, domain_alloc: amd_iommu_domain_alloc, is_attach_deferred: amd_iommu_is_attach_deferred },
  arm_smmu: { ...arm_smmu_domain_ops, domain_alloc: arm_smmu_domain_alloc },
  arm_smmu_v3: { ...arm_smmu_v3_domain_ops, domain_alloc: arm_smmu_v3_domain_alloc },
  virtio_iommu: { ...viommu_domain_ops, domain_alloc: viommu_domain_alloc },
  exynos_iommu: { ...exynos_domain_ops, domain_alloc: exynos_iommu_domain_alloc },
  s390_iommu: { ...s390_domain_ops, domain_alloc: s390_domain_alloc },
  apple_dart: { ...apple_dart_domain_ops, domain_alloc: apple_dart_domain_alloc },

  // Where all kinds share one table, it has the op for PASIDs.
  "intel_iommu.domain_ops": { ...intel_domain_ops, set_dev_pasid: intel_svm_set_dev_pasid },
  "amd_iommu.domain_ops": { ...amd_domain_ops, set_dev_pasid: iommu_sva_set_dev_pasid },
  "arm_smmu.domain_ops": arm_smmu_domain_ops,
  "arm_smmu_v3.domain_ops": { ...arm_smmu_v3_domain_ops, set_dev_pasid: arm_smmu_sva_set_dev_pasid },
  "virtio_iommu.domain_ops": viommu_domain_ops,
  "exynos_iommu.domain_ops": exynos_domain_ops,
  "s390_iommu.domain_ops": s390_domain_ops,
  "apple_dart.domain_ops": apple_dart_domain_ops,

  "intel_iommu.identity_ops": {
    attach_dev: intel_iommu_attach_device,
    detach_dev: intel_iommu_detach_device,
    domain_free: intel_iommu_domain_free,
  },
  "amd_iommu.identity_ops": {
    attach_dev: amd_iommu_attach_device,
    detach_dev: amd_iommu_detach_device,
    domain_free: amd_iommu_domain_free,
  },
  "arm_smmu.identity_ops": { attach_dev: arm_smmu_attach_dev, domain_free: arm_smmu_domain_free },
  "arm_smmu_v3.identity_ops": { attach_dev: arm_smmu_v3_attach_dev, domain_free: arm_smmu_domain_free },
  "apple_dart.identity_ops": { attach_dev: apple_dart_attach_dev, detach_dev: apple_dart_detach_dev, domain_free: apple_dart_domain_free },

  "intel_iommu.sva_ops": {
    attach_dev: intel_iommu_attach_device,
    set_dev_pasid: intel_svm_set_dev_pasid,
    domain_free: intel_svm_domain_free,
  },
  "amd_iommu.sva_ops": {
    attach_dev: amd_iommu_attach_device,
    set_dev_pasid: iommu_sva_set_dev_pasid,
    domain_free: amd_iommu_domain_free,
  },
  "arm_smmu_v3.sva_ops": {
    attach_dev: arm_smmu_v3_attach_dev,
    set_dev_pasid: arm_smmu_sva_set_dev_pasid,
    domain_free: arm_smmu_sva_domain_free,
  },

  "intel_iommu.fq_ops": intel_domain_ops,
  "amd_iommu.fq_ops": amd_domain_ops,
  "arm_smmu.fq_ops": arm_smmu_domain_ops,
  "arm_smmu_v3.fq_ops": arm_smmu_v3_domain_ops,

  "arm_smmu.bare_ops": arm_smmu_bare_ops,
  "arm_smmu.stage1_ops": { ...arm_smmu_domain_ops, map: arm_smmu_map_stage1, unmap: arm_smmu_unmap_stage1 },
  "arm_smmu.stage2_ops": { ...arm_smmu_domain_ops, map: arm_smmu_map_stage2, unmap: arm_smmu_unmap_stage2 },

  "virtio_iommu.emulated_ops": { ...viommu_either_ops, map: viommu_map_emulated, unmap: viommu_unmap_emulated },
  "virtio_iommu.physical_ops": { ...viommu_either_ops, map: viommu_map_physical, unmap: viommu_unmap_physical },
});

/** A driver's table of that role, if it has one. */
export function tableOf(driver: Driver, role: Role): IommuOps | undefined {
  return tables[role === "iommu_ops" ? driver : `${driver}.${role}`];
}
