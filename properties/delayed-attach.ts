/** What was said of arm64's DMA ops in August 2015, before and beside what was merged. */
import { type Errno, isFreed, property, windows } from "iommu-mc";
import { arm64, type Device, type IommuDomain, type IommuOps } from "../models/arm64/schema.js";

const { always, atEnd, onReturn, onStep, sometimes } = windows(arm64);

export const V2Early = property({
  code: "V2-early",
  sentence: "When its DMA ops are set up a device is in no group and not on its bus.",
  source: "the comment before struct iommu_dma_notifier_data in arch/arm64/mm/dma-mapping.c",
  seenRedBy: "09515ef5ddad (it is set up when its driver is bound)",
  window: onReturn<[Device, IommuOps | null, boolean], undefined>("arch_setup_dma_ops", ([dev]) => ({
    "it is in no group": dev.iommu_group === null,
    "it is not on its bus": !dev.on_bus,
  })),
});

export const V2Refused = property({
  code: "V2-refused",
  sentence: "An IOMMU's driver refuses to attach a device that is in no group.",
  source: "arm_smmu_attach_dev() of v4.2 (-ENODEV); exynos_iommu_attach_device(), rk_iommu_attach_device()",
  seenRedBy: "exynos-iommu (attaches the device); rockchip-iommu (does nothing, and returns 0)",
  window: onReturn<[IommuDomain, Device], Errno>("attach_dev", ([, dev], ret) => (dev.iommu_group !== null ? null : ret !== 0)),
});

export const V2Bound = property({
  code: "V2-bound",
  sentence: "In the end a device for which there is a driver is bound.",
  source: "deferred_probe_initcall(); 09515ef5ddad",
  seenRedBy: "09515ef5ddad (the driver of its IOMMU never comes)",
  window: atEnd("device", (dev, state) =>
    isFreed(dev) || !dev.on_bus || !state.all("driver_core").every((core) => core.has_driver) ? null : dev.is_bound,
  ),
});

export const V2Queue = property({
  code: "V2-queue",
  sentence: "No device waits for its attach.",
  source: "iommu_dma_masters in arch/arm64/mm/dma-mapping.c; the mail of August 2015 (the workaround can go)",
  seenRedBy: "linux-4.2 with posted-v5 (a device is made)",
  window: always("dma_mapping", ({ iommu_dma_masters }) => iommu_dma_masters.length === 0),
});

export const T5Bound = property({
  code: "T5-bound",
  sentence: "While a driver is bound neither the DMA ops of its device change nor what translates it.",
  source: "iommu_group_store_type() (which refuses it since v5.11); the mail of August 2015",
  seenRedBy: "setup-in-add-device (the driver of the IOMMU comes last); linux-4.4 (a device comes when another one's driver is bound)",
  window: onStep("device", (dev, before) => {
    if (isFreed(dev) || !dev.is_bound || !before(() => dev.is_bound)) return null;
    return {
      "its DMA ops are those it had": dev.dma_ops === before(() => dev.dma_ops),
      "it is translated by what translated it": dev.hw === before(() => dev.hw),
    };
  }),
});

export const T5Pci = property({
  code: "T5-pci",
  sentence: "A PCI device keeps the DMA ops of the platform.",
  source: "of_iommu_configure() of v4.2 (returns early for PCI); the mail of August 2015",
  seenRedBy: "09515ef5ddad and of-pci (it is set up when its driver is bound)",
  window: always("device", (dev) => (isFreed(dev) || dev.bus!.kind !== "pci" ? null : dev.dma_ops !== "iommu_dma_ops")),
});

export const T5None = property({
  code: "T5-none",
  sentence: "A device whose IOMMU's driver has no DMA domains has the platform's DMA ops in the end, and is not translated.",
  source: "the mail of August 2015 (no driver but AMD's has them); do_iommu_attach()",
  seenRedBy: "mutant: a driver without DMA domains makes some",
  window: atEnd("device", (dev) => {
    if (isFreed(dev) || dev.iommus === null || dev.iommus.has_dma_domains) return null;
    return { "it has the platform's DMA ops": dev.dma_ops === "swiotlb_dma_ops", "it is not translated": dev.hw === null };
  }),
});

export const C5Platform = property({
  code: "C5-platform",
  sentence: "The core gives no group of platform devices a default domain.",
  source: "iommu_group_get_for_dev() of v4.2; the mail of August 2015",
  seenRedBy: "linux-4.4 (device_group() is asked for every device)",
  window: always("device", (dev) => {
    const group = isFreed(dev) ? null : dev.iommu_group;
    return group === null || dev.bus!.kind !== "platform" ? null : group.default_domain === null;
  }),
});

export const C5Fallback = property({
  code: "C5-fallback",
  sentence: "A platform device with the DMA ops of the IOMMU is in the end on a domain that arm64 has made for it.",
  source: "the mail of August 2015; __IOMMU_DOMAIN_FAKE_DEFAULT",
  seenRedBy: "linux-4.4 (device_group() is asked for every device)",
  window: atEnd("device", (dev) => {
    if (isFreed(dev) || dev.bus!.kind !== "platform" || dev.dma_ops !== "iommu_dma_ops" || dev.hw === null) return null;
    return dev.hw.is_fake_default;
  }),
});

export const T1Arm64 = property({
  code: "T1-arm64",
  sentence: "A page that was unmapped is in the TLB of no IOMMU when it is used for something else.",
  source: "rk_iommu_zap_iova(); exynos_iommu_tlb_invalidate_entry()",
  seenRedBy: "linux-4.2 (an IOMMU comes to a domain that unmaps); linux-4.2 with rk-list-first (an IOMMU leaves a domain that unmaps)",
  window: always("rk_iommu", (iommu) => (iommu.tlb === null ? null : !iommu.tlb.is_reused)),
});

export const pciDefaultDomain = property({
  code: "W1-pci",
  sentence: "Witness: a PCI device is on a default domain of its group.",
  source: "the scenario",
  seenRedBy: "mutant: no driver makes DMA domains",
  window: sometimes("device", (dev) => {
    const group = dev.iommu_group;
    return dev.bus!.kind === "pci" && dev.hw !== null && group !== null && dev.hw === group.default_domain;
  }),
});
