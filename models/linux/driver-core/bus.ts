/**
 * A bus's part in binding: drivers/pci/pci-driver.c and drivers/base/platform.c, from 6.1.176 to 7.2.13, which are alike. Device tree
 * and ACPI are one (see iommu/firmware.ts).
 */
import { applied, data_race, EPROBE_DEFER, type Errno, type Proc } from "iommu-mc";
import { arch_setup_dma_ops, arch_teardown_dma_ops } from "../iommu/dma-iommu.js";
import { of_iommu_configure } from "../iommu/firmware.js";
import { iommu_device_unuse_default_domain, iommu_device_use_default_domain } from "../iommu/ownership.js";
import type { Device } from "../schema.js";

/**
 * `bus->dma_configure`, pci-driver.c line 1653 (7.2.13 line 1692), platform.c line 1451 (7.2.13 line 1472): parsing the firmware may defer;
 * then ownership is taken for a driver that uses the DMA API. Since bcb81ac6ae3c (v6.15) it is also called where a device is probed that
 * has no driver, and without the device's lock: there may be one at the second look. 78447d4545b2 and 95deee37a123 look once. Before 512881eacfa7 (v5.19)
 * nobody was asked about ownership.
 */
export function* dma_configure(dev: Device): Proc<Errno> {
  const driver = data_race(() => dev.driver);
  const isBehindIommu = yield* of_iommu_configure(dev);
  if (typeof isBehindIommu === "number") return -EPROBE_DEFER;
  yield* arch_setup_dma_ops(dev, isBehindIommu);
  if (applied("bcb81ac6ae3c")) {
    yield;
    const looksOnce = dev.bus!.kind === "pci" ? applied("78447d4545b2") : applied("95deee37a123");
    const hasDriver = looksOnce ? driver !== null : data_race(() => dev.driver !== null);
    if (!hasDriver) return 0;
    yield;
  }
  if (driver!.driver_managed_dma || !isAskedByBus()) return 0;
  yield;
  const ret = yield* iommu_device_use_default_domain(dev);
  if (ret) {
    yield;
    arch_teardown_dma_ops(dev);
  }
  return ret;
}

/** `bus->dma_cleanup`, pci-driver.c line 1681. */
export function* dma_cleanup(dev: Device): Proc {
  const driver = dev.driver!;
  if (!driver.driver_managed_dma && isAskedByBus()) yield* iommu_device_unuse_default_domain(dev);
}

/** The driver core's sketch of 2021 would have asked itself. */
function isAskedByBus(): boolean {
  return applied("512881eacfa7") && !applied("ownership-around-probe");
}
