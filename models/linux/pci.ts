/** drivers/pci/pci-driver.c of 6.1.176. */
import { EPROBE_DEFER, type Errno, fault, type Proc } from "iommu-mc";
import { iommu_device_unuse_default_domain, iommu_device_use_default_domain } from "./iommu.js";
import type { Device } from "./schema.js";

/** 6.1.176 line 1653: parsing the firmware may defer; then ownership is taken for a driver that uses the DMA API. */
export function* pci_dma_configure(dev: Device): Proc<Errno> {
  const driver = dev.driver!;
  if (fault("acpi_dma_configure")) return -EPROBE_DEFER;
  if (driver.driver_managed_dma) return 0;
  return yield* iommu_device_use_default_domain(dev);
}

/** 6.1.176 line 1681. */
export function* pci_dma_cleanup(dev: Device): Proc {
  const driver = dev.driver!;
  if (!driver.driver_managed_dma) yield* iommu_device_unuse_default_domain(dev);
}
