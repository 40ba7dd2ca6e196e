/** Commits of IOMMU drivers in earlier kernels, whose absence turns a suite red. */
import type { Switch } from "iommu-mc";

export const driversSwitches: readonly Switch[] = [
  {
    entry: 30,
    bug: "a device of a kdump kernel goes on with what is cached of the crashed kernel's tables when it is attached",
    commit: "aec0e86172a7",
    suite: "drivers/vtd-kdump",
    red: "T2-context",
    without: { revert: ["aec0e86172a7"] },
    with: {},
  },
  {
    entry: 39,
    bug: "s390's driver takes the domain that a device is on for the table of the DMA API when it is attached to another",
    commit: "fa7e9ecc5e1c",
    suite: "drivers/s390-switch",
    red: "warn-on",
    without: { revert: ["bf8d2dd2ed08", "fa7e9ecc5e1c"] },
    with: { revert: ["bf8d2dd2ed08"] },
  },
  {
    entry: 39,
    bug: "what fa7e9ecc5e1c made of it: the device stays on the list of the domain that it has left",
    commit: "bf8d2dd2ed08",
    suite: "drivers/s390-lists",
    red: "C12-list",
    without: { revert: ["bf8d2dd2ed08"] },
    with: {},
  },
  {
    entry: 51,
    bug: "AMD's driver does not flush a domain that no device is on any more, and what is unmapped then stays cached",
    commit: "9825bd94e3a2",
    suite: "drivers/amd-detach-then-unmap",
    red: "T1",
    without: { revert: ["9825bd94e3a2"] },
    with: {},
  },
  {
    entry: 52,
    bug: "a device that is taken out of its group stays on its domain",
    commit: "458b7c8e0dde",
    suite: "drivers/vtd-unplug",
    red: "L6",
    without: { revert: ["458b7c8e0dde"] },
    with: {},
  },
  {
    bug: "a device is put on a domain's list while it is on another's, since a sibling that was released has cleared the context entry of the bridge's requester id",
    commit: "b1cf1563f3b7",
    suite: "requesters/unplug/linux-6.1/intel_legacy",
    red: "bug-on",
    without: {},
    with: { apply: ["b1cf1563f3b7"] },
    left: { red: "C1", why: "the siblings' DMA is blocked all the same until one of them is attached again" },
  },
];
