/** Devices that come and go beside ownership and open files of VFIO. */
import { property, windows } from "iommu-mc";
import { type Device, linux } from "../models/linux/schema.js";
import { everyMember } from "./reach.js";

const { always, atEnd, atRest } = windows(linux);

export const L4 = property({
  code: "L4",
  sentence: "What is on a group's list has not been released: its IOMMU driver still knows the device.",
  source: "dba9ca9d41f5",
  seenRedBy: "the base, fixed by dba9ca9d41f5",
  window: always("iommu_group", (group) => everyMember(group, isKnownToDriver)),
});

export const L6 = property({
  code: "L6",
  sentence: "The hardware uses no domain for a device that its IOMMU driver has released, or one that is never freed.",
  source: "iommu_deinit_device() (release_device() must stop using any domain); 0061ffe289e1, e94160488e65",
  seenRedBy: "mutant: arm_smmu_release_device() leaves the device where it is",
  window: always("device", (dev) => {
    if (dev.iommu !== null || dev.hw === null || dev.hw.type === "COPIED") return true;
    const { ops } = dev.hw;
    if (ops === null) return false;
    if (ops.default_domain !== null) return dev.hw === ops.default_domain || dev.hw === ops.blocked_domain;
    return ops.release_domain !== null && (dev.hw === ops.release_domain || dev.hw === ops.si_domain);
  }),
});

export const O4 = property({
  code: "O4",
  sentence: "A group without devices is not owned, and is on its default domain.",
  source: "WARN_ON in iommu_release_device() (v6.4), __iommu_group_free_device() (v6.5)",
  seenRedBy: "--revert ca5f21b25749 (unplugged while a user has it)",
  window: atRest("iommu_group", "mutex", (group) => {
    if (group.devices.length > 0) return null;
    return {
      "it is not in use": group.owner_cnt === 0,
      "it is on its default domain": group.domain === group.default_domain,
    };
  }),
});

export const V3 = property({
  code: "V3",
  sentence:
    "In the end a device that was unplugged has no driver, is in no group, and the IOMMU core knows nothing of it, whatever user space keeps open.",
  source: "3dd59a7dcb97; iommu_release_device()",
  seenRedBy:
    "the base with dba9ca9d41f5 (a deferred device); mutant: the bus's notifier does not release the device; mutant: a device goes with its driver bound",
  window: atEnd("device", (dev) => {
    if (!dev.dead) return null;
    return {
      "it has no driver": dev.driver === null,
      "it is in no group": dev.iommu_group === null,
      "the IOMMU core has forgotten it": dev.iommu === null,
    };
  }),
});

function isKnownToDriver(dev: Device): boolean {
  return dev.iommu !== null && dev.iommu.priv !== null;
}
