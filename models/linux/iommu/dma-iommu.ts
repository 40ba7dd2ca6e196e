/** The DMA API of a bound driver, as far as page tables go: drivers/iommu/dma-iommu.c and kernel/dma/mapping.c of 6.1.176. */
import { abstraction, applied, operations, type Proc } from "iommu-mc";
import { dev_iommu_ops } from "../iommu-drivers/index.js";
import { type Device, type IommuDomain, type IommuOps, iommu_core, linux } from "../schema.js";
import { iommu_attach_device, iommu_deferred_attach, iommu_get_dma_domain, iommu_get_domain_for_dev } from "./attach.js";
import { iommu_dma_init_domain } from "./dma-cookie.js";
import { iommu_is_dma_domain } from "./domain-type.js";
import { has_intel_dma_ops, intel_map_domain } from "./intel-dma.js";

abstraction("a mapping for DMA that fails is one that is not made: it is no fault of its own", "neither");

/**
 * dma_map_page() through iommu_dma_map_page(): maps into the group's default domain, whatever domain the group is on now,
 * after attaching it where that was deferred. Returns the domain that has the mapping, or null where dma-direct is used
 * or the attach fails.
 */
export function* dma_map_page(dev: Device): Proc<IommuDomain | null> {
  return yield* dma_domain(dev);
}

/** dmam_alloc_coherent(): the same, released with the other managed resources of the device. */
export function* dmam_alloc_coherent(dev: Device): Proc<IommuDomain | null> {
  return yield* dma_domain(dev);
}

function* dma_domain(dev: Device): Proc<IommuDomain | null> {
  if (!dev.has_iommu_dma_ops) return null;
  yield;
  if (has_intel_dma_ops(dev)) return yield* intel_map_domain(dev);
  const domain = iommu_get_dma_domain(dev)!;
  if (iommu_core.is_kdump_kernel) {
    yield;
    if (yield* iommu_deferred_attach(dev, domain)) return null;
    yield;
  }
  return domain;
}

/**
 * dma-iommu.c line 1587: dma-iommu serves the device if its group is on a DMA domain now; else what is set stays. 6.12.107 line 1747: since
 * b67483b3c44e (v6.10) what is set goes, and only the core calls it, with the group's mutex held; since 4a73abb965b7 (v7.0) it is asked
 * about the default domain, whatever domain the group is on.
 */
export function* iommu_setup_dma_ops(dev: Device): Proc {
  const domain = applied("4a73abb965b7") ? iommu_get_dma_domain(dev) : yield* iommu_get_domain_for_dev(dev);
  if (applied("b67483b3c44e")) {
    yield;
    const isServed = domain !== null && iommu_is_dma_domain(domain);
    yield;
    dev.has_iommu_dma_ops = isServed;
    yield;
    if (isServed && iommu_core.has_iotlb) yield* iommu_dma_init_domain(domain!, dev);
    return;
  }
  if (domain === null) return;
  yield;
  if (!iommu_is_dma_domain(domain)) return;
  yield;
  if (iommu_core.has_iotlb) {
    yield* iommu_dma_init_domain(domain, dev);
    yield;
  }
  dev.has_iommu_dma_ops = true;
}

/** arch/arm64/mm/dma-mapping.c line 66: other architectures leave it to the IOMMU's driver, and all to the core since b67483b3c44e. */
export function* arch_setup_dma_ops(dev: Device, isBehindIommu: boolean): Proc {
  if (iommu_core.is_arm64 && isBehindIommu && !applied("b67483b3c44e")) yield* iommu_setup_dma_ops(dev);
}

/** arch/arm64/mm/dma-mapping.c line 60: other architectures keep what they have. */
export function arch_teardown_dma_ops(dev: Device): void {
  if (!applied("b67483b3c44e") && iommu_core.is_arm64) dev.has_iommu_dma_ops = false;
}

/** `ops->probe_finalize`. On arm64, and since b67483b3c44e (v6.10) anywhere, only 32-bit ARM has one. */
export function* probe_finalize(dev: Device): Proc {
  const ops = yield* dev_iommu_ops(dev);
  yield;
  const { driver } = ops;
  if (driver !== "mtk_iommu_v1" && (iommu_core.is_arm64 || applied("b67483b3c44e"))) return;
  if (finalizing[driver].probe_finalize === undefined) return;
  yield* finalizing[driver].probe_finalize!(dev);
}

/** 6.1.176: intel/iommu.c line 4612, amd/iommu.c line 1910, virtio-iommu.c line 1005: the DMA ops are set up anew. */
function* set_dma_ops_up_anew(dev: Device): Proc {
  dev.has_iommu_dma_ops = false;
  yield;
  yield* iommu_setup_dma_ops(dev);
}

/** 6.1.176, mtk_iommu_v1.c line 516: attaches the domain of its mapping as any user of the IOMMU API would. */
function* mtk_iommu_v1_probe_finalize(dev: Device): Proc {
  yield* iommu_attach_device(dev.scope!.mapping!, dev);
}

const finalizing: Readonly<Record<IommuOps["driver"], { readonly probe_finalize?: (dev: Device) => Proc }>> = operations(linux, {
  intel_iommu: { probe_finalize: set_dma_ops_up_anew },
  intel_legacy: { probe_finalize: set_dma_ops_up_anew },
  intel_scalable: { probe_finalize: set_dma_ops_up_anew },
  amd_iommu: { probe_finalize: set_dma_ops_up_anew },
  virtio_iommu: { probe_finalize: set_dma_ops_up_anew },
  mtk_iommu_v1: { probe_finalize: mtk_iommu_v1_probe_finalize },
  arm_smmu_v3: {},
  arm_smmu: {},
  mtk_iommu: {},
  s390_iommu: {},
  omap_iommu: {},
  spapr_tce: {},
});
