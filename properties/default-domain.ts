/** Default domains: which type a group gets, when, and what becomes of a change. */
import { type Errno, isFreed, property, windows } from "iommu-mc";
import { type Device, type DomainType, type IommuDomain, type IommuGroup, linux } from "../models/linux/schema.js";
import { everyMember, isDmaDomain } from "./reach.js";

const { always, atEnd, atRest, onReturn, onStep } = windows(linux);

export const C6 = property({
  code: "C6",
  sentence: "A domain has a flush queue only if its driver has the operation that flush queues call.",
  source: "fq_flush_iotlb() calls flush_iotlb_all() without a test, unlike iommu_flush_iotlb_all()",
  seenRedBy: "the base (DMA-FQ is written to the type file under virtio-iommu)",
  window: always("iommu_domain", (domain) => {
    if (domain.ops === null || !isDmaDomain(domain)) return null;
    return domain.type === "DMA" || domain.ops.flush_iotlb_all;
  }),
});

export const C6Flush = property({
  code: "C6-flush",
  sentence: "The IOTLB is flushed only of domains that have a page table.",
  source: "6e6c6d6bc6c9; drivers' flush_iotlb_all() are operations of paging domains",
  seenRedBy: "--revert 6e6c6d6bc6c9",
  window: onReturn<[IommuDomain], void>("iommu_flush_iotlb_all", ([domain]) => domain.type !== "IDENTITY" && domain.type !== "BLOCKED"),
});

export const C7 = property({
  code: "C7",
  sentence: "The default domain of a group is of the type that those of its devices need that need one, unless they differ.",
  source: "probe_get_default_domain_type(); 59ddce4418da",
  seenRedBy: "the base (a device joins a group that has its default domain)",
  window: atRest("iommu_group", "mutex", (group) => {
    const domain = group.default_domain;
    if (domain === null) return null;
    const needed = new Set([...group.devices].map(({ dev }) => neededType(dev!, domain.ops!.snp_en)).filter((type) => type !== null));
    return needed.size === 1 ? needed.has(domain.type) : null;
  }),
});

export const C7Type = property({
  code: "C7-type",
  sentence: "A write to the type file that succeeds leaves the group with a default domain of that type.",
  source: "iommu_group_store_type() (documented in sysfs-kernel-iommu_groups)",
  seenRedBy: "the base (identity is written where SNP forbids it)",
  window: onReturn<[IommuGroup, DomainType | null], Errno>("iommu_group_store_type", ([group, req_type], ret) => {
    if (ret !== 0 || req_type === null) return null;
    return group.default_domain !== null && group.default_domain.type === req_type;
  }),
});

export const C8 = property({
  code: "C8",
  sentence: "In the end no device is in a group whose domain it could not be attached to.",
  source: "WARN_ON and comment in iommu_setup_default_domain() (v6.5): only releasing the device recovers from that",
  seenRedBy: "the base (the walk of one IOMMU attaches a device of another, and fails)",
  window: atEnd("device", (dev) => {
    const group = dev.iommu_group;
    if (group === null || group.domain === null || !dev.on_bus) return null;
    return dev.hw === group.domain || (dev.hw !== null && dev.hw.type === "COPIED");
  }),
});

export const O9 = property({
  code: "O9",
  sentence: "The default domain is replaced only while nobody owns the group and no driver is bound to its device.",
  source: "iommu_group_store_type(), iommu_change_dev_def_domain()",
  seenRedBy:
    "mutant: iommu_group_store_type() does not ask whether the device is bound; mutant: iommu_change_dev_def_domain() does not ask what the group is on",
  window: onStep("iommu_group", (group, before) => {
    if (group.default_domain === null) return null;
    const was = before(() => group.default_domain);
    if (was === null || was === group.default_domain) return null;
    return { "nobody owns it": group.owner === null, "no driver is bound": everyMember(group, (dev) => !dev.is_bound) };
  }),
});

export const T3 = property({
  code: "T3",
  sentence: "A device that is not trusted is always translated, and without lazy flushing.",
  source: "82c3cefb9f16; iommu_get_def_domain_type()",
  seenRedBy: "the base (two devices of a group need different types)",
  window: always("device", (dev) => {
    const domain = dev.hw;
    if (!dev.untrusted || domain === null || isFreed(domain)) return null;
    return { "it is translated": domain.type !== "IDENTITY", "no mapping of it outlives its unmap": domain.type !== "DMA_FQ" };
  }),
});

export const X3Default = property({
  code: "X3-default",
  sentence: "A group gets its default domain once; it is replaced only by who holds the lock of the group's one device.",
  source: "probe_alloc_default_domain(), iommu_alloc_default_domain() (nothing to do if there is one); iommu_group_store_type()",
  seenRedBy: "mutant: iommu_alloc_default_domain() does not ask whether there is a default domain",
  window: onStep("iommu_group", (group, before) => {
    if (group.default_domain === null) return null;
    const was = before(() => group.default_domain);
    if (was === group.default_domain) return null;
    if (was === null) return true;
    return group.devices.at(1) === null && everyMember(group, (dev) => before(() => !dev.lock.isFree));
  }),
});

export const C12Count = property({
  code: "C12-count",
  sentence: "virtio-iommu counts on each domain the devices that are on it.",
  source: "nr_endpoints, by which viommu_map_pages() and viommu_unmap_pages() decide whether the IOMMU is told",
  seenRedBy: "the base (an attach under virtio-iommu is refused)",
  window: always("iommu_domain", (domain, state) => {
    if (domain.ops === null || domain.ops.driver !== "virtio_iommu") return null;
    return domain.nr_endpoints === state.all("dev_iommu_priv").filter((vdev) => vdev.domain === domain).length;
  }),
});

export const C12List = property({
  code: "C12-list",
  sentence: "s390's driver has on the list of each domain the devices that are on it, and each once.",
  source: "bf8d2dd2ed08; WARN_ON in s390_domain_free()",
  seenRedBy: "--revert bf8d2dd2ed08",
  window: always("iommu_domain", (domain) => {
    if (domain.ops === null || domain.ops.driver !== "s390_iommu") return null;
    const listed = [...domain.s390_devices].map((entry) => entry.dev!);
    return new Set(listed).size === listed.length && listed.every((dev) => dev.hw === domain);
  }),
});

function neededType(dev: Device, snp_en: boolean): DomainType | null {
  if (dev.untrusted) return "DMA";
  return dev.needs_identity && !snp_en ? "IDENTITY" : null;
}
