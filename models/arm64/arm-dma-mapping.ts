/** arch/arm/mm/dma-mapping.c of v4.2 to v4.13 (read at 1874619a7df4): mappings that it makes for devices, and drivers for themselves. */
import { abstraction, applied, atomic, type Errno, fault, kfree, kref_get, kref_init, kref_put, kzalloc, type Proc } from "iommu-mc";
import { __iommu_domain_alloc, iommu_attach_device, iommu_detach_device, iommu_domain_free } from "./iommu.js";
import { arm64, type BusType, type Device, type DmaIommuMapping, type IommuOps } from "./schema.js";

abstraction("a mapping's bitmaps of IOVAs are left out", "may miss a bug", arm64);

/** arm_dma_ops does what the caches need, which a coherent device does not want. */
export function arm_get_dma_map_ops(coherent: boolean): Device["dma_ops"] {
  return coherent ? "arm_coherent_dma_ops" : "arm_dma_ops";
}

/** arch/arm/include/asm/dma-mapping.h: a device that has no ops is taken for one that is not coherent. */
export function get_dma_ops(dev: Device): Device["dma_ops"] {
  return dev.dma_ops === "NULL" ? "arm_dma_ops" : dev.dma_ops;
}

/** Null if there is no memory, or no IOMMU on the bus. */
export function* arm_iommu_create_mapping(bus: BusType): Proc<DmaIommuMapping | null> {
  if (fault("kzalloc(dma_iommu_mapping)")) return null;
  const domain = __iommu_domain_alloc(bus, "UNMANAGED");
  if (domain === null) return null;
  const mapping = kzalloc(arm64, "dma_iommu_mapping");
  mapping.domain = domain;
  domain.has_iovas = true;
  kref_init(mapping.kref);
  return mapping;
}

export function arm_iommu_release_mapping(mapping: DmaIommuMapping): void {
  if (!kref_put(mapping.kref)) return;
  atomic("nobody else has a mapping whose last reference is gone");
  iommu_domain_free(mapping.domain!);
  kfree(mapping);
}

/** arch_setup_dma_ops() of arm: the device is attached when it is made, whether its IOMMU's driver has seen it or not. */
export function* arm_arch_setup_dma_ops(dev: Device, ops: IommuOps | null, coherent: boolean): Proc {
  dev.dma_coherent = coherent;
  yield;
  const isTranslated = yield* arm_setup_iommu_dma_ops(dev, ops);
  yield;
  if (isTranslated) dev.dma_ops = coherent ? "iommu_coherent_ops" : "iommu_ops";
  else dev.dma_ops = arm_get_dma_map_ops(coherent);
}

function* arm_setup_iommu_dma_ops(dev: Device, ops: IommuOps | null): Proc<boolean> {
  if (ops === null) return false;
  const mapping = yield* arm_iommu_create_mapping(dev.bus!);
  if (mapping === null) return false;
  yield;
  const err = yield* __arm_iommu_attach_device(dev, mapping);
  if (!err) return true;
  yield;
  arm_iommu_release_mapping(mapping);
  return false;
}

/** The ops are those for devices that are not coherent, whatever this one is. */
export function* arm_iommu_attach_device(dev: Device, mapping: DmaIommuMapping): Proc<Errno> {
  const err = yield* __arm_iommu_attach_device(dev, mapping);
  if (err) return err;
  yield;
  dev.dma_ops = "iommu_ops";
  return 0;
}

function* __arm_iommu_attach_device(dev: Device, mapping: DmaIommuMapping): Proc<Errno> {
  const domain = mapping.domain!;
  const err = yield* iommu_attach_device(domain, dev);
  if (err) return err;
  yield;
  kref_get(mapping.kref);
  yield;
  dev.mapping = mapping;
  return 0;
}

/** Until 1874619a7df4 (v4.13) it took the ops away and gave none back. */
export function* arm_iommu_detach_device(dev: Device): Proc {
  const mapping = dev.mapping;
  if (mapping === null) return;
  yield;
  const domain = mapping.domain!;
  yield* iommu_detach_device(domain, dev);
  yield;
  arm_iommu_release_mapping(mapping);
  yield;
  dev.mapping = null;
  yield;
  dev.dma_ops = applied("1874619a7df4") ? arm_get_dma_map_ops(dev.dma_coherent) : "NULL";
}
