/** Races that the comments of v7.2 name and accept. */
import { type Suite, thread } from "iommu-mc";
import { unplug } from "../../models/linux/machine/events.js";
import { transmit } from "../../models/linux/machine/native.js";
import { pcie_flr } from "../../models/linux/machine/users.js";
import { attach_own_domain } from "../../models/linux/machine/workloads.js";
import { C1, C15, C16, L2 } from "../../properties/index.js";
import { bootSuite, everything, violated } from "./on-linux61.js";
import { resets } from "./resets.js";

/** Said at pci_dev_reset_iommu_prepare(). */
const releasedMeanwhile = violated(
  "known and accepted: pci_dev_reset_iommu_prepare() and pci_dev_reset_iommu_done() look the group up without keeping it; whoever resets a device has to see to it that it is not released meanwhile",
);

/** Said in iommu_deferred_attach(). */
const unlockedTest = violated(
  "known and accepted: iommu_deferred_attach() asks without the group's mutex whether the attach is deferred, and does not ask again under it: the default domain gets over the one that was attached meanwhile; drivers are expected to make their first map alone",
);

const openRaceResetAgainstRelease = bootSuite({
  name: "open-race/reset-against-release",
  describes: "d0 is pulled out while it is reset by who has not seen to it that it stays",
  design: resets,
  iommu: "intel_iommu",
  devices: [{ name: "d0", state: "probed" }],
  terminates: true,
  threads: (objects) => [thread("recovery", pcie_flr, objects.device("d0")), thread("pciehp", unplug, objects.device("d0"))],
  properties: [C1, C16],
  expected: everything(releasedMeanwhile, "use-after-free", "null-deref", "warn-on"),
});

const openRaceDeferredAttachTest = bootSuite({
  name: "open-race/deferred-attach-test",
  describes: "in a kdump kernel, d0's driver puts it on a domain of its own while another CPU maps something for the first time",
  design: resets,
  iommu: "intel_iommu",
  kdump: true,
  devices: [{ name: "d0", state: "probed", driver: "net", bound: true }],
  drivers: [{ name: "net", kind: "native" }],
  threads: (objects) => [thread("tx", transmit, objects.device("d0")), thread("driver", attach_own_domain, objects.device("d0"), "group")],
  properties: [C1, C15, L2],
  expected: { C1: unlockedTest },
});

export const openRaceSuites: readonly Suite[] = [openRaceResetAgainstRelease, openRaceDeferredAttachTest];
