/** Domains of groups as v6.4 to v7.2 handle them: the ranges of firmware, the type of a default domain, and its change. */
import { type Expectation, type Property, type Suite, thread, withCommits } from "iommu-mc";
import { linux61 } from "../../models/linux/designs.js";
import type { BootDevice } from "../../models/linux/machine/boot.js";
import type { IommuDriver } from "../../models/linux/machine/build.js";
import { register_iommu, write_both_types } from "../../models/linux/machine/events.js";
import { attach_default_to_pasid, share_domain } from "../../models/linux/machine/users.js";
import { claim_and_release } from "../../models/linux/machine/workloads.js";
import { C1, C5, C5Own, C6Flush, C7Type, C8, L2, T3, T4 } from "../../properties/index.js";
import { type BootSuite, bootSuite, violated } from "./on-linux61.js";
import { pasids } from "./resets.js";

/** 6.1.176 with one function that sets up default domains, and with all it rests on. */
const setUpAtOnce = withCommits(
  linux61,
  "1b932ceddd19",
  "dd8a25c557e1",
  "dba9ca9d41f5",
  "49a22aae7d9c",
  "dcf40ed3a20d",
  "ecd60dc5d22b",
  "4c8ad9da0566",
  "d257344c6619",
  "0046a4337eae",
  "152431e4fe7f",
  "e7f85dfbbc9c",
  "d99be00f42ea",
);

/** 6.1.176 with what keeps a device whose firmware does DMA from being blocked, and what that took to mend. */
const neverBlocked = withCommits(linux61, "dcf40ed3a20d", "a48ce36e2786", "6e6c6d6bc6c9");

/** A device whose firmware does DMA. */
const withRange: BootDevice = { name: "d0", state: "probed", resvDirect: true };

function once({ name, ...declared }: Omit<BootSuite, "terminates">): Suite {
  return bootSuite({ name: `group-domains/${name}`, terminates: true, ...declared });
}

/** A device joins a group that is on its default domain, and cannot be attached to that. */
function joinsFailing(): Suite {
  return once({
    name: "joins-failing",
    describes:
      "a second IOMMU registers, when a device below a bridge that is on its default domain is on its bus but was not probed; one call may fail",
    iommu: "amd_iommu",
    iommus: 2,
    devices: [
      { name: "bridge", state: "probed" },
      { name: "d1", state: "added", upstream: "bridge" },
    ],
    faults: 1,
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(1), objects.ops)],
    properties: [C8, L2],
  });
}

/** Somebody claims the group of a device whose firmware goes on with its DMA. */
function claimed(iommu: IommuDriver): Suite {
  return bootSuite({
    name: `group-domains/claimed-range/${iommu}`,
    design: neverBlocked,
    describes: "an owner claims the group of a device whose firmware does DMA, puts it on a domain and releases it",
    iommu,
    devices: [withRange],
    owners: 1,
    threads: (objects) => [thread("owner", claim_and_release, objects.device("d0"), objects.owner(0))],
    properties: [C1, L2, T4],
  });
}

/** Ranges are looked at also of a device whose default domain needs no mapping of them. */
function rangeUnderIdentity(iommu: IommuDriver): Suite {
  return once({
    name: `range-under-identity/${iommu}`,
    design: neverBlocked,
    describes: "an IOMMU registers, with a graphics device whose firmware does DMA and a device that needs nothing",
    iommu,
    registered: 0,
    devices: [
      { ...withRange, state: "added", needsIdentity: true },
      { name: "d1", state: "added" },
    ],
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(0), objects.ops)],
    properties: [C1, C6Flush, C8, T4],
  });
}

/** Two devices of a group that need different types: since 59ddce4418da that is an error, which ends the registration. */
function conflict(policy: "DMA_FQ" | "IDENTITY"): Suite {
  return once({
    name: `conflict/${policy}`,
    design: withCommits(setUpAtOnce, "59ddce4418da"),
    describes: `an IOMMU registers, with an external device, and with a group of a graphics device and another external one; the kernel's default is ${policy}`,
    iommu: "amd_iommu",
    registered: 0,
    defaultType: policy,
    devices: [
      { name: "alone", state: "added", untrusted: true },
      { name: "graphics", state: "added", needsIdentity: true },
      { name: "external", state: "added", untrusted: true, upstream: "graphics" },
    ],
    threads: (objects) => [thread("iommu", register_iommu, objects.iommu(0), objects.ops)],
    properties: [C1, L2, T3],
  });
}

/** Said in iommu_setup_default_domain(). */
const mappedLate = violated(
  "known and accepted: where a direct mapping fails, 1000dccd5d13 (v6.5) attaches the new default domain all the same, and tries again when it is attached, for drivers that cannot map before",
);

/** Two writes, one call of which may fail. */
function typeWritten(
  iommu: IommuDriver,
  faults: 0 | 1,
  properties: readonly Property[],
  expected: Record<string, Expectation> = {},
): Suite {
  return once({
    name: `type-written/${iommu}${faults === 0 ? "" : "-failing"}`,
    design: withCommits(setUpAtOnce, "1000dccd5d13", "911476ef3c58"),
    describes: `identity is written to the type file of a group of two devices, and then DMA${faults === 0 ? "" : "; one call may fail"}`,
    iommu,
    devices: [withRange, { name: "d1", state: "probed", group: "d0" }],
    faults,
    threads: (objects) => [thread("admin", write_both_types, objects.device("d0"))],
    properties,
    expected,
  });
}

/** A domain of one driver, and a device of another's. */
function foreignDomain(): Suite {
  return once({
    name: "foreign-domain",
    design: withCommits(setUpAtOnce, "b4c0497169d5", "a9c362db3920"),
    describes:
      "on a machine with IOMMUs of two drivers, as 17de3f5fdd35 (v6.8) makes them possible, a driver makes a domain for its device on the platform bus, and attaches it to that and to its PCI device, which is behind the other IOMMU",
    iommu: "arm_smmu_v3",
    otherIommu: "virtio_iommu",
    iommus: 2,
    registered: 2,
    platformBus: true,
    devices: [
      { name: "display", bus: "platform", iommu: 0, state: "probed" },
      { name: "gpu", iommu: 1, state: "probed" },
    ],
    users: 1,
    threads: (objects) => [thread("drm", share_domain, objects.device("display"), objects.device("gpu"))],
    properties: [C1, C5, C5Own, L2],
  });
}

/** A domain that the driver has for all its devices. */
function staticDomain(): Suite {
  return once({
    name: "static-domain-of-pasid",
    design: withCommits(pasids, "a9c362db3920", "2031c469f816", "6f7340120a0a"),
    describes: "a driver attaches the domain that its device is on, Intel's identity domain, to a PASID too",
    iommu: "intel_iommu",
    defaultDomain: "IDENTITY",
    devices: [{ name: "idxd", state: "probed", pasids: "enough" }],
    more: { dev_pasid_info: 1, iommu_attach_handle: 1 },
    threads: (objects) => [thread("idxd", attach_default_to_pasid, objects.device("idxd"))],
    properties: [C1, C5Own, L2],
  });
}

export const groupDomainSuites: readonly Suite[] = [
  foreignDomain(),
  staticDomain(),
  joinsFailing(),
  claimed("amd_iommu"),
  claimed("arm_smmu_v3"),
  rangeUnderIdentity("intel_iommu"),
  conflict("DMA_FQ"),
  conflict("IDENTITY"),
  typeWritten("amd_iommu", 0, [C1, C7Type, L2, T4]),
  typeWritten("amd_iommu", 1, [C1, L2, T4], { T4: mappedLate }),
];
