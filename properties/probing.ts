/** Probing of devices by the IOMMU core: once, by one thread, and visible to others only when it is complete. */
import { isFreed, property, windows } from "iommu-mc";
import { iommu_core, linux } from "../models/linux/schema.js";
import { hasNativeDriver, isDmaDomain } from "./reach.js";

const { always, atEnd, atRest, onStep } = windows(linux);

export const L1 = property({
  code: "L1",
  sentence: "dev->iommu never points to freed memory; nor does its fwspec, unless somebody works on it under the probe lock.",
  source: "b54240ad4943; 01657bc14a39; a2e7e59a9426",
  seenRedBy: "--revert b54240ad4943 (a probe that fails)",
  window: always("device", (dev) => {
    if (dev.iommu === null) return null;
    if (isFreed(dev.iommu)) return false;
    // iommu_fwspec_free() clears the pointer last, with the lock held.
    return !iommu_core.probe_device_lock.isFree || dev.iommu.fwspec === null || !isFreed(dev.iommu.fwspec);
  }),
});

export const X1 = property({
  code: "X1",
  sentence: "For each device probe_device() and release_device() of the IOMMU's driver alternate.",
  source: "lockdep_assert_held(&iommu_probe_device_lock) in __iommu_probe_device(); 01657bc14a39",
  seenRedBy: "the base (registration against hotplug)",
  window: always("device", (dev, state) => state.all("dev_iommu_priv").filter((priv) => priv.dev === dev).length <= 1),
});

export const X2 = property({
  code: "X2",
  sentence: "A device is on the list of one group at most, and once.",
  source: "01657bc14a39; probe_iommu_group() (a member of a group is probed already)",
  seenRedBy: "--revert a2e7e59a9426 and 01657bc14a39",
  window: always("device", (dev, state) => state.all("group_device").filter((entry) => entry.dev === dev).length <= 1),
});

export const X6 = property({
  code: "X6",
  sentence: "All buses and IOMMUs have the ops of one driver.",
  source: "-EBUSY of iommu_device_register()",
  seenRedBy: "mutant: the -EBUSY test of iommu_device_register() removed",
  window: always("iommu_core", (core, state) => {
    const ops = [...core.buses].map((bus) => bus.iommu_ops).concat(state.all("iommu_device").map((iommu) => iommu.ops));
    return new Set(ops.filter((each) => each !== null)).size <= 1;
  }),
});

export const T5 = property({
  code: "T5",
  sentence: "A driver's DMA ops fit the default domain of its device, and stay what they are while it is bound.",
  source: "b46064a18810; 280e5a301005; a8ca9fc9134c",
  seenRedBy: "the base (bound between the two phases of a bus walk)",
  window: atRest("device", "lock", (dev) => {
    if (!dev.is_bound || !hasNativeDriver(dev)) return null;
    const domain = dev.iommu_group === null ? null : dev.iommu_group.default_domain;
    const isTranslated = domain !== null && isDmaDomain(domain);
    return dev.has_iommu_dma_ops === isTranslated;
  }),
});

export const T5Domain = property({
  code: "T5-domain",
  sentence: "No default domain is set up for a group that drivers use already.",
  source: "b46064a18810",
  seenRedBy: "the base (bound between the two phases of a bus walk), fixed by b46064a18810",
  window: onStep("iommu_group", (group, before) => {
    if (group.default_domain === null || before(() => group.default_domain) !== null) return null;
    return group.owner_cnt === 0;
  }),
});

export const V2 = property({
  code: "V2",
  sentence: "In the end every device that has a driver is bound, and translated if there is an IOMMU for it.",
  source: "b46064a18810; revert of b09796d528bb; probe_iommu_group() (a device without an IOMMU stops nobody)",
  seenRedBy: "--apply b46064a18810 (an IOMMU driver without default domains); mutant: of_iommu_configure() does not replay the probe",
  window: atEnd("device", (dev) => {
    if (dev.match === null || !dev.on_bus) return null;
    const iommu = dev.scope;
    return {
      "it is bound": dev.is_bound,
      "it is in a group if its IOMMU has registered": iommu === null || iommu.ops === null || dev.iommu_group !== null,
    };
  }),
});

export const T4 = property({
  code: "T4",
  sentence: "The range that a device's firmware uses is translated one to one whenever the device is translated at all.",
  source: "152431e4fe7f; iommu_create_device_direct_mappings() (mapped before attach, so that firmware goes on undisturbed)",
  seenRedBy: "the base, fixed by 152431e4fe7f",
  window: always("device", (dev) => {
    if (!dev.resv_direct || dev.hw === null) return null;
    return dev.hw.type === "IDENTITY" || dev.hw.type === "COPIED" || dev.hw.direct_map.has(dev);
  }),
});

export const G1 = property({
  code: "G1",
  sentence: "Devices that nothing keeps apart, or that share a requester id, are in one group.",
  source: "pci_device_group()",
  seenRedBy: "the base (a device is replayed before the walk has come to its bridge)",
  window: atEnd("device", (dev) => {
    const others = [dev.upstream, ...dev.aliases].filter((other) => other !== null && other.iommu_group !== null);
    if (dev.iommu_group === null || others.length === 0) return null;
    return others.every((other) => other!.iommu_group === dev.iommu_group);
  }),
});
