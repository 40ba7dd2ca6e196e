/** What threads do: drivers of the host, and processes that are lent a PE. */
import { abstraction, choose, type Proc } from "iommu-mc";
import { type Device, ioda2, type TableGroup, type TceContainer } from "./schema.js";
import { tce_iommu_attach_group, tce_iommu_detach_group, tce_iommu_map, tce_iommu_release } from "./spapr-tce.js";
import { iommu_map_page, iommu_unmap_page } from "./table.js";

abstraction(
  "a group in a container has no driver of the host, and one with such a driver is in none (VFIO's viability)",
  "may miss a bug",
  ioda2,
);
abstraction("drivers of the host have masks of 32 bits: who goes through the bypass needs nothing of tables", "may miss a bug", ioda2);

/** pnv_pci_ioda_dma_set_mask(), as in 46d3e1e16294: a device that has to go through the table is given what its PE has. */
function dma_set_mask(dev: Device): void {
  dev.iommu_table_base = dev.pe!.table0;
}

/** A driver of the host, from bind to unbind: it maps its buffer and unmaps it. */
export function* drive(dev: Device): Proc {
  dev.driver = "native";
  if (dev.sets_mask) dma_set_mask(dev);
  yield;
  yield* dma_map_page(dev);
  yield;
  if (dev.is_mapped && !dev.forgets_unmap) {
    yield* iommu_unmap_page(dev.iommu_table_base!);
    dev.is_mapped = false;
  }
  yield;
  dev.driver = "none";
}

/** dma_iommu_map_page(): whether it has an address for DMA. */
function* dma_map_page(dev: Device): Proc<boolean> {
  const is_mapped = yield* iommu_map_page(dev.iommu_table_base, dev.buffer!);
  dev.is_mapped = is_mapped;
  return is_mapped;
}

/** A process opens a container for PEs that are bound to VFIO, maps its page or does not, and closes everything. */
function* use(container: TceContainer, pe: TableGroup): Proc {
  for (const dev of pe.devices) dev.driver = "vfio_pci";
  yield;
  const ret = yield* tce_iommu_attach_group(container, pe);
  yield;
  if (!ret) {
    if (choose("the process maps its page", [true, false])) yield* tce_iommu_map(container);
    yield;
    yield* tce_iommu_detach_group(container, pe);
    yield;
  }
  yield* tce_iommu_release(container);
  yield;
  for (const dev of pe.devices) dev.driver = "none";
}

/** A PE goes from drivers of the host to a process, to another one, and back. */
export function* lend_twice(one: TceContainer, other: TceContainer, pe: TableGroup): Proc {
  yield* drive_all(pe);
  yield* use(one, pe);
  yield;
  yield* use(other, pe);
  yield;
  yield* drive_all(pe);
}

function* drive_all(pe: TableGroup): Proc {
  for (const dev of pe.devices) {
    yield* drive(dev);
    yield;
  }
}

/** A process has two PEs in one container, and gives them back one after the other. */
export function* lend_two(container: TceContainer, pe: TableGroup, other: TableGroup): Proc {
  const first = yield* tce_iommu_attach_group(container, pe);
  yield;
  const second = yield* tce_iommu_attach_group(container, other);
  yield;
  yield* tce_iommu_map(container);
  yield;
  if (!first) yield* tce_iommu_detach_group(container, pe);
  yield;
  if (!second) {
    yield* tce_iommu_map(container);
    yield;
    yield* tce_iommu_detach_group(container, other);
    yield;
  }
  yield* tce_iommu_release(container);
  yield;
  yield* drive_all(pe);
  yield* drive_all(other);
}
