/** What DMA of a PE reaches: pci-ioda.c of 6.1.176. Every change of it is seen from outside. */
import { observe } from "iommu-mc";
import type { TableGroup } from "./schema.js";

/** pnv_pci_ioda2_setup_default_config(), line 1725: a table that is empty, and the bypass. */
export function setup_default_config(pe: TableGroup): void {
  reach(pe, true, true);
}

/** pnv_ioda2_take_ownership(), line 1891. The table goes with the window, and all its entries. */
export function take_ownership(pe: TableGroup): void {
  reach(pe, false, false);
}

/** pnv_ioda2_release_ownership(), line 1907. */
export function release_ownership(pe: TableGroup): void {
  setup_default_config(pe);
}

function reach(pe: TableGroup, has_window: boolean, bypass: boolean): void {
  pe.kernel_tces = 0;
  pe.has_window = has_window;
  pe.bypass = bypass;
  observe("hardware reaches", pe, has_window, bypass);
}
