import type { Claim } from "iommu-mc";

const system = "ppc64-ops";
const twoObstacles = "the capability check and the claim of ownership are two obstacles";
const nonPci = "a device_group() that looks and one that does not are two designs, and what it answers is a third";
const boot = "the call is one for devices that are found at boot, and for those that come later";
const attach = "what attach_dev() does not do, and what would be enough, are two questions";
const registered = "what is there when a PHB registers decides";
const callbacks = "each callback is a design of its own";

/** iommu_ops for sPAPR TCE on powernv, July 2022: what the author and a reviewer said of the patch. */
export const ppc64OpsClaims: readonly Claim[] = [
  {
    id: "A1",
    system,
    says: "Without iommu_ops VFIO refuses every device, since none is said to be cache coherent; with the stub opening works again",
    evidence: [
      { suite: "ppc64-ops/no-ops", check: "V2-open", is: "violated" },
      { suite: "ppc64/vfio-without-iommu-ops", check: "V2-vfio", is: "violated" },
      { suite: "ppc64-ops/posted", check: "V2-open", is: "holds" },
      { suite: "ppc64-ops/posted", check: "W1-ops", is: "holds" },
    ],
    verdict: "holds",
    reading:
      "Opening works twice in a row, and the PE leads nowhere while the user has it. It rests on all of the patch, not on the capability alone (A1b), and on what registers it (A3, A4).",
  },
  {
    id: "A1b",
    split: twoObstacles,
    system,
    says: "The capability alone does not make opening work: without a blocking domain the claim of ownership fails too",
    evidence: [
      { suite: "ppc64-ops/no-check", check: "V2-open", is: "violated" },
      { suite: "ppc64-ops/capability-only", check: "V2-open", is: "violated" },
    ],
    verdict: "holds",
    reading:
      "Without VFIO's check, and with ops that only tell of the capability, iommu_group_claim_dma_owner() says EINVAL: it has no domain to block the group with. The patch's domain_alloc() for BLOCKED is as needed as its capable().",
  },
  {
    id: "A2",
    system,
    says: "Registered ops do not go together with iommu_group_add_device(): in some order a device is added twice or lost; iommu_probe_device() alone does neither",
    evidence: [
      { suite: "ppc64-ops/group-add", check: "V2-known", is: "violated" },
      { suite: "ppc64-ops/group-add", check: "V2-open", is: "violated" },
      { suite: "ppc64-ops/group-add-replug", check: "null-deref", is: "violated" },
      { suite: "ppc64-ops/race-group-add", check: "X6-registered", is: "violated" },
      { suite: "ppc64-ops/replug-referenced", check: "V2-known", is: "holds" },
      { suite: "ppc64-ops/open-notified", check: "V2-known", is: "holds" },
      { suite: "ppc64-ops/race", check: "all", is: "holds" },
    ],
    verdict: "holds",
    reading:
      "What is lost is the IOMMU's knowledge of the device, not its group: no walk looks at a device that has a group. A sibling that is plugged later is probed by the notifier, can be opened, and when it is closed the core reads the ops of the other one through a NULL dev->iommu. Who adds a device twice is stopped by its link in sysfs; where a walk comes second, that ends the registration of the PHB that walks.",
  },
  {
    id: "A2b",
    split: "the core of July 2022 does not probe one device at a time",
    system,
    says: "iommu_probe_device() alone does neither on the core of the time, without 01657bc14a39",
    evidence: [
      { suite: "ppc64-ops/race-unlocked", check: "null-deref", is: "holds" },
      { suite: "ppc64-ops/race-unlocked", check: "use-after-free", is: "holds" },
    ],
    verdict: "refuted",
    reading:
      "A walk and iommu_probe_device() that meet at one device free its dev->iommu under each other: a known bug of the core, fixed in v6.2 and in 6.1.176. Nothing meets as posted, since all PHBs are registered before any device is found; it takes a PHB that comes later.",
  },
  {
    id: "A3",
    system,
    says: "Registration has to come after PCI's bus: every earlier order probes nothing or fails",
    evidence: [
      { suite: "ppc64-ops/at-core-initcall", check: "null-deref", is: "violated" },
      { suite: "ppc64-ops/before-the-bus", check: "X6-registered", is: "violated" },
      { suite: "ppc64-ops/posted", check: "X6-registered", is: "holds" },
    ],
    verdict: "holds",
    reading:
      "Where discover_phbs() stood the kernel dies earlier than expected, in sysfs: the class of IOMMUs is a postcore_initcall too. With the class but without the bus registration fails with EINVAL, and everything works all the same, as 6.1 leaves the ops on the buses it has come to: V2-known and V2-open hold there. The iommu_device_register() of 5.10 touches no bus.",
  },
  {
    id: "A4a",
    split: nonPci,
    system,
    says: "iommu_device_register() gives the ops to all buses: callbacks that do not look take a device of another bus for a PCI device",
    evidence: [
      { suite: "ppc64-ops/platform-unchecked", check: "null-deref", is: "violated" },
      { suite: "ppc64-ops/platform-posted", check: "null-deref", is: "holds" },
    ],
    verdict: "holds",
    reading:
      "Of the core of 6.1, which has Robin Murphy's registration for all buses, as the patch assumes; the older bus_set_iommu() names one bus. The look that counts is that of probe_device(), which is called first: the one in device_group() is never reached. What is read of such a device is shown as a NULL PHB.",
  },
  {
    id: "A4b",
    split: nonPci,
    system,
    says: "With the refusal as posted, EPERM, devices that are not PCI's are left without a group and harm nobody",
    evidence: [
      { suite: "ppc64-ops/platform-posted", check: "V2-alone", is: "holds" },
      { suite: "ppc64-ops/platform-late", check: "all", is: "holds" },
      { suite: "ppc64-ops/platform-posted", check: "X6-registered", is: "holds" },
      { suite: "ppc64-ops/platform-posted", check: "V2-open", is: "holds" },
    ],
    verdict: "refuted",
    reading:
      "One that comes after boot harms nobody. One that is on the platform bus when a PHB registers ends the walk, which forgives ENODEV only (6.1.176, probe_iommu_group()), and with it the registration, before PCI's bus has its ops: VFIO is where it was without the patch. Whether powernv has such a device at postcore_initcall_sync was not looked up on a machine.",
    finding: "refusal-ends-registration.md",
  },
  {
    id: "A4c",
    split: nonPci,
    system,
    says: "With a refusal by ENODEV they harm nobody, whenever they come",
    evidence: [{ suite: "ppc64-ops/platform-enodev", check: "all", is: "holds" }],
    verdict: "holds",
    reading: "6.12 refuses so (spapr_tce_iommu_probe_device()). It is the same device at the same time as in A4b.",
  },
  {
    id: "A5",
    system,
    says: "An is_attach_deferred() that always returns false is equivalent to none",
    evidence: [
      { audit: ["ppc64-ops/callbacks", "ppc64-ops/null-is-attach-deferred"], is: "equivalent" },
      { audit: ["ppc64-ops/callbacks", "ppc64-ops/defers-attach"], is: "differ" },
    ],
    verdict: "equivalent",
    reading:
      "A device is plugged into a group that a user has, where the op decides whether it is attached, and groups leave their domain, where it decides whether they are detached. One that returns true is told apart in the same scenario.",
  },
  {
    id: "A6",
    system,
    says: "device_group() without a reference breaks the group's lifetime; with it the count balances over add, remove and re-add",
    evidence: [
      { suite: "ppc64-ops/reference-posted", check: "L3-group", is: "violated" },
      { suite: "ppc64-ops/replug-posted", check: "use-after-free", is: "violated" },
      { suite: "ppc64-ops/replug-referenced", check: "all", is: "holds" },
      { suite: "ppc64-ops/unplug-referenced", check: "all", is: "holds" },
    ],
    verdict: "holds",
    reading:
      "Each probe gives back one reference too many: after boot the platform's is gone, and when a second device of the PE is unplugged the group is freed under the first. With the reference it goes exactly with its PE, unless it has been claimed before (A10e).",
  },
  {
    id: "A7a",
    split: attach,
    system,
    says: "An attach_dev() that just returns 0 leaves what the kernel has mapped in reach when a group has been claimed",
    evidence: [
      { suite: "ppc64-ops/attach-returns", check: "O5-claim", is: "violated" },
      { suite: "ppc64-ops/attach-takes-ownership", check: "O5-claim", is: "holds" },
    ],
    verdict: "holds",
    reading:
      "The bypass is enough for it, without any driver that forgets a page. VFIO's spapr_tce container takes ownership right after the claim, so that its user sees nothing of it (A7c); another user of the claim would.",
  },
  {
    id: "A7b",
    split: attach,
    system,
    says: "It is enough to empty the table before attach_dev() returns",
    evidence: [{ suite: "ppc64-ops/attach-empties-table", check: "O5-claim", is: "holds" }],
    verdict: "refuted",
    reading:
      "IODA2 has the bypass in window 1 from the beginning: with an empty table all memory is in reach. The bypass has to be switched off too (ppc64-ops/attach-ends-bypass), or ownership taken, as was merged in v6.4 (a940904443e4). A look for mappings that are left, as the author meant to add, would not see the bypass either; it was not modelled.",
  },
  {
    id: "A7c",
    split: attach,
    system,
    says: "A user who comes through VFIO's container reaches nothing of the kernel, even as posted",
    evidence: [
      { suite: "ppc64-ops/attach-returns", check: "O5-open", is: "holds" },
      { suite: "ppc64-ops/attach-ends-bypass", check: "O5-claim", is: "holds" },
    ],
    verdict: "holds",
    reading:
      "Between the claim and take_ownership() nobody has the device's file. It is the container that makes it safe, and not the domain.",
  },
  {
    id: "A8a",
    split: boot,
    system,
    says: "With the core's own call sites the explicit iommu_probe_device() is redundant",
    evidence: [
      { audit: ["ppc64-ops/open-referenced", "ppc64-ops/no-explicit-probe"], is: "equivalent" },
      { audit: ["ppc64-ops/open-notified", "ppc64-ops/no-explicit-probe-notified"], is: "equivalent" },
      { suite: "ppc64-ops/no-explicit-probe", check: "V2-known", is: "holds" },
    ],
    verdict: "differs",
    reading:
      "None of them covers a device that is found at boot. The walk of the registration comes before there are any; the notifier comes after pcibios_init(), or, where it comes first (v6.4), is called before the device's PE has been configured, and gets ENODEV. of_iommu_configure() replays nothing, as firmware has no iommu-map; so the author answered.",
  },
  {
    id: "A8b",
    split: boot,
    system,
    says: "For a device that is plugged into a PE that there is, it is redundant",
    evidence: [{ audit: ["ppc64-ops/replug-referenced", "ppc64-ops/explicit-at-boot"], is: "equivalent" }],
    verdict: "equivalent",
    reading: "The notifier has probed it before iommu_add_device() sees it, which then does nothing in either design.",
  },
  {
    id: "A9a",
    split: registered,
    system,
    says: "A device whose PHB has no device_group() ends without a group and with an error, and nothing else changes",
    evidence: [
      { suite: "ppc64-ops/without-device-group", check: "V2-alone", is: "holds" },
      { suite: "ppc64-ops/without-device-group", check: "all", is: "holds" },
    ],
    verdict: "holds",
    reading:
      "As posted all PHBs are registered before any device is found, so that ENOENT is told by iommu_add_device() and nobody else (core of 6.1). VFIO refuses the device.",
  },
  {
    id: "A9b",
    split: registered,
    system,
    says: "Nothing else changes either where a PHB is registered when such a device is there",
    evidence: [
      { suite: "ppc64-ops/late-phb", check: "X6-registered", is: "holds" },
      { suite: "ppc64-ops/late-phb-enodev", check: "all", is: "holds" },
    ],
    verdict: "refuted",
    reading:
      "The walk of the second registration asks about the device again, and ENOENT ends it, as EPERM does in A4b; the IOMMU is taken off the list, though its devices are probed later by the ops that stay. With ENODEV nothing happens. The patch registers no PHB so late; on pSeries PHBs are plugged.",
  },
  {
    id: "A10a",
    split: callbacks,
    system,
    says: "is_attach_deferred() can be NULL",
    evidence: [{ audit: ["ppc64-ops/callbacks", "ppc64-ops/null-is-attach-deferred"], is: "equivalent" }],
    verdict: "equivalent",
    reading: "It is A5 again: the core looks before it calls.",
  },
  {
    id: "A10b",
    split: callbacks,
    system,
    says: "release_device() can be NULL",
    evidence: [{ audit: ["ppc64-ops/callbacks", "ppc64-ops/null-release-device"], is: "equivalent" }],
    verdict: "equivalent",
    reading:
      "The core of 6.1 looks before it calls, both where probing fails, as the first probe of every device does here, and where a device goes.",
  },
  {
    id: "A10c",
    split: callbacks,
    system,
    says: "attach_dev() can be NULL",
    evidence: [{ audit: ["ppc64-ops/callbacks", "ppc64-ops/null-attach-dev"], is: "equivalent" }],
    verdict: "differs",
    reading: "__iommu_attach_device() says ENODEV without one, and nobody can claim the group.",
  },
  {
    id: "A10d",
    split: callbacks,
    system,
    says: "detach_dev() can be NULL",
    evidence: [{ audit: ["ppc64-ops/callbacks", "ppc64-ops/null-detach-dev"], is: "equivalent" }],
    verdict: "differs",
    reading:
      "The first user notices nothing. But a group without a default domain leaves the blocking one by detach_dev() only: it stays there with a warning, and the next claim says EBUSY for ever.",
  },
  {
    id: "A10e",
    split: callbacks,
    system,
    says: "The other way round: every callback that the core calls without a look is there",
    evidence: [
      { suite: "ppc64-ops/unplug-after-vfio", check: "bug-on", is: "holds" },
      { suite: "ppc64-ops/unplug-referenced", check: "all", is: "holds" },
    ],
    verdict: "refuted",
    reading:
      "Nobody asked, but one is missing: domain_ops.free(). Once a group has been claimed it has a blocking domain, and when its PE goes iommu_domain_free() calls NULL. The kernel that was merged kept that until v6.7.",
    finding: "blocking-domain-without-free.md",
  },
];
