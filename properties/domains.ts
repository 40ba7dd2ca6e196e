/** What groups, devices and the hardware say of domains must agree. */
import { type Errno, isFreed, property, windows } from "iommu-mc";
import { type Device, type IommuDomain, type IommuGroup, linux } from "../models/linux/schema.js";
import { everyMember, isAttachDeferred, isOn } from "./reach.js";

const { always, atRest, onReturn, onStep } = windows(linux);

export const C1 = property({
  code: "C1",
  sentence:
    "With the group's mutex free, every device that is not being reset and whose attach is not deferred is on the domain the group says it is on, and a group with a default domain is on a domain.",
  source: "e7f85dfbbc9c; WARN_ON in __iommu_probe_device() (v6.5)",
  seenRedBy: "the base, fixed by dcf40ed3a20d; --revert 2cc73c5712f9; --revert 0286300e6045 (driver without detach_dev)",
  window: atRest("iommu_group", "mutex", (group) => ({
    "every device is on the group's domain":
      group.domain === null || everyMember(group, (dev) => isOn(dev, group.domain) || isAttachDeferred(dev)),
    "a group with a default domain is on a domain": group.default_domain === null || group.domain !== null,
  })),
});

export const C3 = property({
  code: "C3",
  sentence: "A change of domain that fails leaves the group on the old domain, and every device too.",
  source: "dcf40ed3a20d (contract since v6.5)",
  seenRedBy: "the base, fixed by dcf40ed3a20d; mutant: __iommu_group_set_domain() says what it is about to do",
  window: onReturn<[IommuGroup, IommuDomain | null], Errno>("__iommu_group_set_domain", ([group, new_domain], ret) => {
    if (ret === 0 || group.domain === null) return null;
    return {
      "the group does not say it is on the new domain": group.domain !== new_domain,
      "every device is back on the old domain": everyMember(group, (dev) => isOn(dev, group.domain)),
    };
  }),
});

export const C3Attach = property({
  code: "C3-attach",
  sentence: "An attach of a group that fails leaves every device on the domain the group was on.",
  source: "2cc73c5712f9",
  seenRedBy: "--revert 2cc73c5712f9; mutant: __iommu_attach_group() says that it is done when it is not",
  window: onReturn<[IommuDomain, IommuGroup], Errno>("iommu_attach_group", ([domain, group], ret) => {
    if (ret === 0) return null;
    return {
      "the group is not on the new domain": group.domain !== domain,
      "no device is on the new domain": everyMember(group, (dev) => dev.hw !== domain),
      "every device is on the group's domain": group.domain === null || everyMember(group, (dev) => isOn(dev, group.domain)),
    };
  }),
});

export const C3Container = property({
  code: "C3-container",
  sentence: "With a container's lock free, what its user has mapped is pinned, and taken to be mapped, only if the container has a domain.",
  source: "aae7a75a821a; vfio_unmap_unpin() (asks the first domain what to unpin)",
  seenRedBy: "--revert aae7a75a821a",
  window: atRest("vfio_dma", "iommu.lock", (dma) => {
    return dma.iommu!.domain_list.length > 0 || (!dma.pinned && !dma.iommu_mapped);
  }),
});

export const C3Replace = property({
  code: "C3-replace",
  sentence: "A replacement of a group's domain that fails leaves every device on the domain the group was on.",
  source: "iommufd_device_replace() (if it fails no change is made to the attachment)",
  seenRedBy: "the base (Intel's driver leaves the old domain before it knows that the new one will do)",
  window: onReturn<[IommuGroup, IommuDomain], Errno>("iommu_replace_group_handle", ([group, new_domain], ret) => {
    if (ret === 0 || group.domain === null) return null;
    return group.domain !== new_domain && everyMember(group, (dev) => isOn(dev, group.domain));
  }),
});

export const C4 = property({
  code: "C4",
  sentence: "When ownership has been released the group is on its default domain, and no device is on a user's.",
  source: "dcf40ed3a20d, IOMMU_SET_DOMAIN_MUST_SUCCEED (contract since v6.5)",
  seenRedBy:
    "the base (a group without a default domain under the driver that has no detach_dev); mutant: iommu_group_release_dma_owner() leaves the group where it is; mutant: a change of domain takes the first device only",
  window: onReturn<[IommuGroup], void>("iommu_group_release_dma_owner", ([group]) => ({
    "the group is on its default domain": group.domain === group.default_domain,
    "no device is on a user's domain": everyMember(
      group,
      (dev) => dev.hw === null || dev.hw === group.default_domain || dev.hw === group.blocking_domain,
    ),
  })),
});

export const C4Detach = property({
  code: "C4-detach",
  sentence: "When a user's domain has been detached the group is on the domain the core wants, and no device is on the user's.",
  source: "0286300e6045; dcf40ed3a20d (contract since v6.5)",
  seenRedBy: "--revert 0286300e6045 (driver without detach_dev); mutant: a change of domain takes the first device only",
  window: onReturn<[IommuDomain, IommuGroup], void>("iommu_detach_group", ([domain, group]) => ({
    "the group is on the blocking domain if owned, else on its default domain":
      group.domain === (group.owner === null ? group.default_domain : group.blocking_domain) &&
      (group.owner === null || group.domain !== null),
    "no device is on the user's domain": everyMember(group, (dev) => dev.hw !== domain),
  })),
});

export const C5 = property({
  code: "C5",
  sentence: "A driver is asked to attach only its own domains to its own devices.",
  source: "a9c362db3920, 3f6634d997db",
  seenRedBy: "mutant: a default domain made with another driver's ops",
  window: onReturn<[IommuDomain, Device], Errno>("attach_dev", ([domain, dev]) => isOfItsDriver(domain, dev)),
});

export const C5Own = property({
  code: "C5-own",
  sentence: "A domain of the device's own driver is not refused for being another's.",
  source: "domain_iommu_ops_compatible(): what a driver has for all its devices is its own too; 7be423336ecc, 6f7340120a0a",
  seenRedBy: "--revert 6f7340120a0a",
  window: onReturn<[IommuDomain, Device], boolean>(
    "domain_iommu_ops_compatible",
    ([domain, dev], ret) => ret || !isOfItsDriver(domain, dev),
  ),
});

function isOfItsDriver(domain: IommuDomain, dev: Device): boolean {
  const iommu = dev.iommu === null ? null : dev.iommu.iommu_dev;
  return iommu !== null && domain.ops === iommu.ops;
}

export const C10 = property({
  code: "C10",
  sentence: "A single device is attached to a domain of its driver's, or detached from it, only if its group has no other device.",
  source: "-EINVAL of iommu_attach_device(); WARN_ON in iommu_detach_device()",
  seenRedBy: "mutant: iommu_attach_device() does not count the devices",
  window: onReturn<[IommuDomain, Device], Errno>("iommu_attach_device", ([, dev], ret) => {
    return ret !== 0 || dev.iommu_group!.devices.length === 1;
  }),
});

export const C11 = property({
  code: "C11",
  sentence: "A user's domain is attached only to a group that is on no domain, its default domain or its blocking domain.",
  source: "-EBUSY of __iommu_attach_group()",
  seenRedBy: "mutant: the -EBUSY test of __iommu_attach_group() removed",
  window: onStep("iommu_group", (group, before) => {
    const was = before(() => group.domain);
    const is = group.domain;
    if (was === is || is === null || is === group.default_domain || is === group.blocking_domain) return null;
    return was === null || was === group.default_domain || was === group.blocking_domain;
  }),
});

export const L2 = property({
  code: "L2",
  sentence: "Nothing is on a freed domain: neither the hardware of a device nor a group, which has no freed default domain either.",
  source: "0286300e6045, dcf40ed3a20d (use after free of group->domain)",
  seenRedBy:
    "--revert 0286300e6045 (driver without detach_dev); --revert 2cc73c5712f9; mutant: type1 frees a domain without detaching the group; mutant: a change of domain frees the domain it leaves",
  window: always("device", (dev) => {
    const group = dev.iommu_group;
    if (group === null) return null;
    return {
      "the hardware's domain is alive": dev.hw === null || !isFreed(dev.hw),
      "the group's domain is alive": group.domain === null || !isFreed(group.domain),
      "the group's default domain is alive": group.default_domain === null || !isFreed(group.default_domain),
    };
  }),
});

export const L2Mapping = property({
  code: "L2-mapping",
  sentence: "What a driver has mapped for its device is in a domain that is alive.",
  source:
    "iommu_group_store_type() (no driver may be bound to a device of the group); __iommu_dma_unmap() takes the group's default domain",
  seenRedBy:
    "linux-7.2 (the type is written while a driver is unbound); mutant: a driver frees its buffer when it stops, and leaves its packet mapped",
  window: always("device", (dev) => ({
    "its managed buffer is": dev.devres_map === null || !isFreed(dev.devres_map),
    "its packet is": dev.dma_map === null || !isFreed(dev.dma_map),
  })),
});
