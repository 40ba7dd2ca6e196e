/** powernv's PHBs, PEs and devices that come and go: pci-ioda.c and pci.c of 6.1.176, with the patch. */
import { applied, atomic, EBUSY, type Errno, list_del, observe, type Proc, WARN_ON } from "iommu-mc";
import { iommu_group_add_device, iommu_group_put, iommu_group_remove_device, iommu_register_group } from "./group.js";
import { setup_default_config } from "./ioda2.js";
import { bus_add_device, iommu_bus_notifier, iommu_device_register, iommu_device_sysfs_add, iommu_probe_device } from "./iommu.js";
import { spapr_tce_iommu_ops } from "./iommu-ops.js";
import { core, type Device, type IommuOps, type PciController, type TableGroup } from "./schema.js";

/** Of pnv_pci_init_ioda_phb(): the PHB's IOMMU. An error is only told. */
export function* pnv_pci_init_ioda_phb(phb: PciController, ops: IommuOps): Proc {
  if (!applied("spapr-tce-ops")) return;
  spapr_tce_iommu_ops(ops);
  iommu_device_sysfs_add(phb.iommu!);
  yield* iommu_device_register(phb.iommu!, ops);
}

/** A device is there: device_add(), whose notifiers come first, then pcibios_bus_add_device() with pnv_pci_ioda_dma_dev_setup() (line 1103). */
export function* pci_device_add(dev: Device): Proc {
  bus_add_device(dev);
  yield;
  yield* iommu_bus_notifier(dev, true);
  yield;
  const pe = dev.pe!;
  atomic("a PE that is configured, which who looks for its group sees at once");
  pe.is_configured = true;
  if (pe.group === null) {
    iommu_register_group(pe);
    setup_default_config(pe);
  }
  pe.device_count++;
  yield;
  yield* iommu_add_device(pe, dev);
}

/** powerpc's iommu.c, line 1156. */
function* iommu_add_device(table_group: TableGroup, dev: Device): Proc<Errno> {
  if (dev.iommu_group !== null) return -EBUSY;
  yield;
  if (!applied("stub-probe")) return yield* iommu_group_add_device(table_group.group!, dev);
  if (applied("no-explicit-probe") || (applied("explicit-at-boot") && core.has_notifiers)) return 0;
  const ret = yield* iommu_probe_device(dev);
  observe("probed with", dev, ret);
  return ret;
}

/** A device goes: pnv_tce_iommu_bus_notifier() (pci.c, line 868), then the core's notifier, then pnv_pci_release_device() (line 2851). */
export function* pci_device_remove(dev: Device): Proc {
  yield* iommu_group_remove_device(dev);
  yield;
  list_del(dev, dev.bus!.devices);
  dev.is_registered = false;
  yield* iommu_bus_notifier(dev, false);
  yield;
  const pe = dev.pe!;
  pe.device_count--;
  if (pe.device_count === 0) pnv_ioda_release_pe(pe);
}

/** Line 2779, with pnv_pci_ioda2_release_pe_dma() (line 2744). */
function pnv_ioda_release_pe(pe: TableGroup): void {
  if (pe.group !== null) {
    iommu_group_put(pe.group);
    WARN_ON(pe.group !== null, "the group of a PE that is released lives on");
  }
  pe.is_configured = false;
}

/** A device that is not PCI's comes to its bus. */
export function* platform_device_add(dev: Device): Proc {
  bus_add_device(dev);
  yield* iommu_bus_notifier(dev, true);
}

/** pcibios_init(): every PHB's devices. */
export function* pcibios_init(): Proc {
  for (const dev of core.present) {
    yield;
    yield* pci_device_add(dev);
  }
}
