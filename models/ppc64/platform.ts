/** What platform code does with PHBs and devices that come and go: powernv's pci-ioda.c and pseries' iommu.c of 6.1.176. */
import { abstraction, applied, atomic, BUG_ON, EBUSY, type Errno, type Proc, WARN_ON } from "iommu-mc";
import { iommu_group_add_device, iommu_group_remove_device, iommu_probe_device } from "./core.js";
import { iommu_group_put, iommu_register_group } from "./group.js";
import { pnv_pci_ioda2_release_window, pnv_pci_ioda2_setup_default_config } from "./ioda2.js";
import { ppc_iommu_register_device } from "./iommu-ops.js";
import { setup_default_window } from "./pseries.js";
import { type Device, type PciController, platform, ppc64, type TableGroup } from "./schema.js";
import { iommu_tce_table_put } from "./table.js";

abstraction("PEs are set up, and devices come and go, one at a time (pci_rescan_remove_lock)", "neither", ppc64);
abstraction("a PE's table group is not freed when its last device has gone", "may miss a bug", ppc64);

/** spapr_tce_setup_phb_iommus_initcall() (6.12.107 line 1304), then pcibios_init(). */
export function* boot(): Proc {
  atomic("nothing else runs while PHBs are registered at boot");
  if (applied("2ad56efa80db")) {
    const ops = platform.spapr_tce_iommu_ops!;
    ops.default_domain = platform.spapr_tce_platform_domain;
    ops.blocked_domain = platform.spapr_tce_blocked_domain;
  }
  if (applied("a940904443e4")) for (const phb of platform.hose_list) ppc_iommu_register_device(phb, platform.spapr_tce_iommu_ops!);
  for (const dev of platform.devices) {
    yield;
    yield* pcibios_bus_add_device(dev);
  }
  yield;
  platform.has_booted = true;
}

/** init_phb_dynamic() of pseries/pci_dlpar.c, without a5c57fd2e9bd (v6.8) and with it. */
export function* init_phb_dynamic(phb: PciController, dev: Device): Proc {
  atomic("nobody else knows a PHB that is being added");
  if (applied("a5c57fd2e9bd")) ppc_iommu_register_device(phb, platform.spapr_tce_iommu_ops!);
  yield;
  yield* pcibios_bus_add_device(dev);
}

/** pnv_pci_ioda_dma_dev_setup() (6.1.176 line 1103), pci_dma_dev_setup_pSeriesLP() (line 1574): a device is there. */
export function* pcibios_bus_add_device(dev: Device): Proc {
  const pe = dev.pe!;
  dev.on_bus = true;
  yield;
  const isNew = pe.group === null;
  yield;
  if (isNew) {
    let rc: Errno = 0;
    if (pe.phb!.platform === "powernv") rc = yield* pnv_pci_ioda2_setup_default_config(pe);
    else pseries_setup_pe(pe);
    yield;
    if (!rc) iommu_register_group(pe);
    yield;
  }
  atomic("counted under pci_rescan_remove_lock");
  pe.device_count++;
  yield;
  const tbl = pe.table0;
  yield;
  dev.iommu_table_base = tbl;
  yield;
  const hasGroup = pe.group !== null;
  yield;
  if (hasGroup) yield* iommu_add_device(pe, dev);
}

/** Of pci_dma_dev_setup_pSeriesLP(): table group, default window and, since 9d67c9433509 (v6.4), iommu_table_group_ops. */
function pseries_setup_pe(pe: TableGroup): void {
  atomic("nobody knows a PE before it has a group");
  if (applied("9d67c9433509")) pe.ops = "spapr_tce";
  if (applied("f431a8cde7f1")) pe.has_dynamic_windows = true;
  setup_default_window(pe);
}

/** powerpc's iommu.c, 6.1.176 line 1156; since a940904443e4 (6.12.107 line 1122) the core is asked for the group. */
function* iommu_add_device(table_group: TableGroup, dev: Device): Proc<Errno> {
  if (dev.iommu_group !== null) return -EBUSY;
  yield;
  if (applied("a940904443e4")) return yield* iommu_probe_device(dev);
  const group = table_group.group!;
  yield;
  return yield* iommu_group_add_device(group, dev);
}

/** A device is unplugged, and its PE with the last one: pnv_pci_release_device() (6.1.176 line 2851), iommu_reconfig_notifier() (line 1695). */
export function* remove_device(dev: Device): Proc {
  const pe = dev.pe!;
  dev.on_bus = false;
  yield;
  yield* iommu_group_remove_device(dev);
  yield;
  atomic("counted under pci_rescan_remove_lock");
  pe.device_count--;
  if (pe.device_count > 0) return;
  yield;
  if (pe.phb!.platform === "powernv") yield* pnv_pci_ioda2_release_pe_dma(pe);
  else iommu_pseries_free_group(pe);
}

/** 6.1.176 line 2744. */
function* pnv_pci_ioda2_release_pe_dma(pe: TableGroup): Proc {
  const tbl = pe.table0;
  yield* pnv_pci_ioda2_release_window(pe);
  if (pe.group !== null) {
    iommu_group_put(pe.group);
    WARN_ON(pe.group !== null, "the group of a PE that is released lives on");
  }
  iommu_tce_table_put(tbl);
}

/** 6.1.176 line 85. */
function iommu_pseries_free_group(table_group: TableGroup): void {
  atomic("nobody else has a PE that goes");
  if (table_group.group !== null) {
    iommu_group_put(table_group.group);
    BUG_ON(table_group.group !== null, "the group of a table group that is freed lives on");
  }
  table_group.tve0 = null;
  for (const tbl of [table_group.table0, table_group.table1]) if (tbl !== null) iommu_tce_table_put(tbl);
  table_group.table0 = null;
  table_group.table1 = null;
}
