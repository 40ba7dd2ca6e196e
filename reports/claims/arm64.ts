/** arm64's DMA ops and the attach that waits for the IOMMU's driver: what was said in August 2015, of Linux 4.2 and the series on top. */
import type { Claim, Evidence } from "iommu-mc";

const claim = (id: string, rest: Omit<Claim, "id" | "system">): Claim => ({ id, system: "arm64", ...rest });

const holds = (suite: string, ...checks: readonly string[]): Evidence[] => checks.map((check) => ({ suite, check, is: "holds" }));
const violated = (suite: string, ...checks: readonly string[]): Evidence[] => checks.map((check) => ({ suite, check, is: "violated" }));

const early = "That it is early, and that an attach then fails, are two things; and what fails depends on the IOMMU's driver.";
const orders = "Each order is a statement of its own, and not all come out alike.";
const window = "That it needs no notifier and that it leaves no window are two things.";
const arm = "What arm does works, and why it does is another question.";
const contexts = "Three ways to share domains are three designs.";
const pci = "Which DMA ops a PCI device has, whether they are right, and what support for PCI would make of it, are three things.";
const deferral = "At boot initcalls follow each other; modules do not.";
const groups = "The series as posted and as merged part here.";

export const arm64Claims: readonly Claim[] = [
  claim("C1a", {
    split: early,
    says: "When arch_setup_dma_ops() is called a device is in no group and not on its bus, whatever has come before.",
    evidence: [
      ...holds("arm64-posted/any-order", "V2-early"),
      ...holds("arm64-in-setup/arm_smmu", "V2-early"),
      ...violated("arm64-deferred/any-order", "V2-early"),
    ],
    verdict: "holds",
    reading:
      "It holds in every order of the calls, since only add_device() makes a group, and that is told of devices on a bus. Setting the DMA ops up when a driver is bound (v4.12) ends it.",
  }),
  claim("C1b", {
    split: early,
    says: "A driver that needs the device's group refuses an attach there, in every order.",
    evidence: [...holds("arm64-in-setup/arm_smmu", "V2-refused"), ...violated("arm64-in-setup/arm_smmu", "V2-arm64")],
    verdict: "holds",
    reading: "arm_smmu_attach_dev() finds no configuration without a group: the device ends with the platform's DMA ops, untranslated.",
  }),
  claim("C1c", {
    split: early,
    says: "Any driver refuses an attach there.",
    evidence: [...holds("arm64-in-setup/exynos_sysmmu", "V2-refused"), ...holds("arm64-in-setup/rk_iommu", "V2-refused")],
    verdict: "refuted",
    reading:
      "exynos-iommu attaches the device, and rockchip-iommu returns 0 and does nothing. Neither helps on arm64: its DMA ops look for the domain by the device's group, and the driver's first mapping dereferences NULL.",
    finding: "attached-before-it-has-a-group.md",
  }),
  claim("C2a", {
    split: orders,
    says: "A device that is there before arm64's notifier is registered is attached in the end.",
    evidence: [...holds("arm64-posted/early-device", "V2-arm64"), ...holds("arm64/early-device", "V2-arm64")],
    verdict: "refuted",
    reading:
      "Nothing looks at the queue until another device comes, neither as posted nor as merged; 722ec35f7fae (v4.5) does so once. As posted the device's DMA goes untranslated, and works.",
    finding: "attach-waits-for-the-next-device.md",
  }),
  claim("C2b", {
    split: orders,
    says: "A device whose IOMMU's driver comes after it is attached in the end.",
    evidence: [...holds("arm64-posted/late-iommu", "V2-arm64"), ...holds("arm64/late-iommu", "V2-arm64")],
    verdict: "refuted",
    reading:
      "This is the order of the initcalls on arm64. When the walk of bus_set_iommu() makes the group, arm64's notifier has been told already; 16c11325cc44 (v4.7) looks again when a driver is bound.",
    finding: "attach-waits-for-the-next-device.md",
  }),
  claim("C2c", {
    split: orders,
    says: "Where the IOMMU's driver is there first, the order in which the two notifiers are registered makes no difference.",
    evidence: [
      ...holds("arm64-posted/early-iommu", "T5-arm64", "V2-arm64"),
      ...holds("arm64-posted/late-notifier", "T5-arm64", "V2-arm64"),
      ...holds("arm64/early-iommu", "T5-arm64", "V2-arm64"),
      ...violated("arm64-posted/same-priority", "V2-arm64"),
    ],
    verdict: "holds",
    reading: "It rests on the priority of -100 alone: with that of the core's notifier the device is not attached.",
  }),
  claim("C2d", {
    split: orders,
    says: "What is attached late is attached before a driver uses it.",
    evidence: holds("arm64-posted/next-device", "T5-bound"),
    verdict: "refuted",
    reading:
      "The next device that comes has everything attached that waits, under drivers that are at work by then: what they have mapped is out of reach from then on.",
    finding: "attach-waits-for-the-next-device.md",
  }),
  claim("C3a", {
    split: window,
    says: "Setting the DMA ops up in the IOMMU's add_device() needs no notifier, if the IOMMU's driver comes before the device's.",
    evidence: [...holds("arm64-in-add-device/early-iommu", "all"), ...holds("arm64-in-add-device/late-iommu", "all")],
    verdict: "holds",
    reading: "Device and IOMMU may come in either order: the walk of the bus serves the one, the core's notifier the other.",
  }),
  claim("C3b", {
    split: window,
    says: "It leaves no window.",
    evidence: [...holds("arm64-in-add-device/any-order", "T5-bound"), ...holds("arm64-in-add-device/module", "T5-bound")],
    verdict: "refuted",
    reading:
      "If the IOMMU's driver comes last it changes the DMA ops under a bound driver, which x86 excludes by the order of its initcalls. And a module's driver can be bound between the moment a device is on its bus and the notifier.",
    finding: "dma-ops-change-under-a-driver.md",
  }),
  claim("C4a", {
    split: arm,
    says: "arch/arm's attach before add_device() works with a driver that does not ask for groups, and with no other.",
    evidence: [
      ...holds("arm/boot/exynos_sysmmu", "all"),
      ...violated("arm/boot/arm_smmu", "V2-arm64"),
      ...violated("arm/boot/rk_iommu", "T5-arm64"),
    ],
    verdict: "holds",
    reading:
      "arm-smmu's refusal leaves the device untranslated. rockchip-iommu would be worse: it has no of_xlate() in v4.2, so that arm does not ask it; if it had, a device would get the IOMMU's DMA ops and no IOMMU.",
  }),
  claim("C4b", {
    split: arm,
    says: "A driver that does not ask for groups is all that this takes.",
    evidence: holds("arm64-in-setup/exynos_sysmmu", "null-deref"),
    verdict: "refuted",
    reading:
      "With the same driver arm64 crashes: arm's DMA ops find the domain in the device's mapping, those of drivers/iommu/dma-iommu.c by its group.",
    finding: "attached-before-it-has-a-group.md",
  }),
  claim("C5", {
    says: "The core gives no platform device a default domain, and a PCI device one: a platform device is translated by a domain that arm64 has made for it.",
    evidence: [
      ...holds("arm64-buses/posted", "C5-platform", "C5-fallback", "W1-pci"),
      ...violated("arm64-buses/merged", "C5-platform", "C5-fallback"),
    ],
    verdict: "holds",
    reading: "True of v4.2 only. In v4.4, where the series was merged, the core asks the IOMMU's driver for every device's group.",
  }),
  claim("C6", {
    says: "With two kinds of IOMMUs on the platform bus iommu_domain_alloc() hands out a domain of the wrong driver; calling the device's own ops does not.",
    evidence: [
      ...violated("arm/two-kinds/exynos_sysmmu", "C5-2015"),
      ...violated("arm/two-kinds/rk_iommu", "C5-2015"),
      ...violated("arm64-two-kinds/of-bus", "C5-2015"),
      ...holds("arm64-two-kinds/of-device", "C5-2015"),
    ],
    verdict: "holds",
    reading:
      "On arm it does: exynos-iommu refuses the other's device, and rockchip-iommu would return 0 and leave it with the IOMMU's DMA ops and no IOMMU. But to get the right domain is not enough: bus_set_iommu() refuses the second kind, so that nobody puts its devices into groups, and a driver's first mapping there dereferences NULL (`null-deref` of arm64-two-kinds/of-device).",
    finding: "fake-default-domains.md",
  }),
  claim("C7a", {
    split: contexts,
    says: "One domain for each device uses up an IOMMU's contexts.",
    evidence: [...violated("arm64-contexts/one-for-each-device", "V2-arm64"), ...holds("arm64-contexts/enough", "V2-arm64")],
    verdict: "holds",
    reading: "The device that comes last is not attached, and keeps the platform's DMA ops: untranslated, but at work.",
  }),
  claim("C7b", {
    split: contexts,
    says: "One domain for all devices behind an IOMMU does not.",
    evidence: holds("arm64-contexts/one-for-both", "all"),
    verdict: "holds",
    reading: "As ipmmu-vmsa did on arm, with one mapping for each IOMMU. The devices can then reach what is mapped for each other.",
  }),
  claim("C7c", {
    split: contexts,
    says: "A domain that spans IOMMUs needs synchronisation between those who come and go and those who unmap, if their driver allows it at all.",
    evidence: [
      ...violated("arm64-contexts/one-for-all", "V2-arm64"),
      ...violated("arm-spanning/4.2", "T1-arm64"),
      ...violated("arm-spanning/list-first", "T1-arm64"),
      ...holds("arm-spanning/disable-first", "T1-arm64"),
    ],
    verdict: "holds",
    reading:
      "arm-smmu and ipmmu-vmsa refuse it. rockchip-iommu lets domains span IOMMUs, and an unmap while one of them comes or goes leaves a stale translation in its TLB. An order suffices: on the list before it is enabled, off the list after it is disabled. Its detach still has the wrong one in v6.1 and v7.2.",
    finding: "unmapped-while-an-iommu-leaves.md",
  }),
  claim("C8a", {
    split: pci,
    says: "PCI devices keep the platform's DMA ops.",
    evidence: [
      ...holds("arm64-buses/posted", "T5-pci"),
      ...holds("arm64-buses/merged", "T5-pci"),
      ...violated("arm64-buses/deferred-of-pci", "T5-pci"),
    ],
    verdict: "holds",
    reading: "of_iommu_configure() knows no PCI devices before v4.10.",
  }),
  claim("C8b", {
    split: pci,
    says: "And these do what they did before.",
    evidence: [...holds("arm64-without-dma-domains/posted", "T5-arm64"), ...holds("arm64-buses/posted", "T5-arm64")],
    verdict: "refuted",
    reading:
      "So it is as long as the IOMMU's driver has no DMA domains. Once it has, as the mail suggests to add, the core attaches PCI devices to a default domain in which nothing is mapped, while their DMA ops hand out physical addresses.",
    finding: "untranslated-ops-on-a-translated-device.md",
  }),
  claim("C8c", {
    split: pci,
    says: "If of_iommu_configure() learns PCI and the driver DMA domains, iommu_get_domain_for_dev() gives the core's default domain back, and that is used.",
    evidence: [...holds("arm64-buses/of-pci", "V2-arm64"), ...holds("arm64-buses/deferred-of-pci", "V2-arm64")],
    verdict: "refuted",
    reading:
      "A PCI device is in no group either when arch_setup_dma_ops() asks, so a second domain is made for it and waits for a notifier that the PCI bus does not have. With probe deferral the statement holds.",
    finding: "attach-waits-for-the-next-device.md",
  }),
  claim("C9a", {
    split: deferral,
    says: "With probe deferral every device is bound and attached in the end, in every order of the calls, and nothing has to wait in a queue.",
    evidence: ["arm64-deferred/any-order", "arm64-deferred/any-order-4.4"].flatMap((suite) =>
      holds(suite, "T5-arm64", "V2-arm64", "V2-bound", "V2-queue"),
    ),
    verdict: "holds",
    reading:
      "Deferral as merged in v4.12, on the core of v4.2 and of v4.4. The price is that a device whose IOMMU never comes is not bound at all (`V2-bound` of arm64-deferred/without-iommu); later kernels give up after late_initcall.",
  }),
  claim("C9b", {
    split: deferral,
    says: "So it is while the IOMMU's driver registers.",
    evidence: holds("arm64-deferred/module", "all"),
    verdict: "refuted",
    reading:
      "An IOMMU counts as there when it is registered. Until the bus has its ops a device is bound without it, and until the walk of the bus has come a device is added twice: the second time fails, and if that is the walk, it undoes the registration.",
    finding: "deferred-until-half-registered.md",
  }),
  claim("C10a", {
    split: groups,
    says: "As posted, the second of two platform devices in a group keeps the platform's DMA ops, and its DMA goes through the first one's domain.",
    evidence: [...violated("arm64-one-group/posted", "T5-arm64"), ...holds("arm64-one-group/posted", "C1-2015")],
    verdict: "holds",
    reading:
      "Joining the group attaches it to the group's domain; then iommu_attach_device() refuses its own domain, since it is not alone. In v4.2 no driver puts platform devices into one group: this is what the mail's hack would have met.",
  }),
  claim("C10b", {
    split: groups,
    says: "As merged, it gets the IOMMU's DMA ops and goes through the first one's domain, if that was attached before it came; if not, neither is attached.",
    evidence: [
      ...holds("arm64-one-group/merged-on-4.2", "all"),
      ...holds("arm64-one-group/merged", "all"),
      ...violated("arm64-one-group/both-at-once", "V2-arm64"),
      ...holds("arm64-one-group/both-at-once", "T5-arm64"),
    ],
    verdict: "holds",
    reading:
      "do_iommu_attach() asks for the group's domain when it attaches, and not before. With v4.4's core, whose default domain is the group's, the order makes no difference.",
  }),
  claim("C10c", {
    split: groups,
    says: "Two platform devices with one id that are in groups of their own, as the drivers of v4.2 have it, do not disturb each other.",
    evidence: [...holds("arm64-one-id/posted", "T5-arm64"), ...holds("arm64-one-id/merged", "T5-arm64")],
    verdict: "refuted",
    reading:
      "The domain that is made for the second takes the DMA of the first along, whose driver maps in another: here is what a sensible way of handling groups would be for.",
    finding: "one-id-in-two-groups.md",
  }),
  claim("C11", {
    says: "Behind a driver without DMA domains devices keep the platform's DMA ops and are not translated: the series changes nothing for them.",
    evidence: [
      ...holds("arm64-without-dma-domains/posted", "T5-none", "T5-arm64"),
      ...holds("arm64-without-dma-domains/merged", "T5-none", "T5-arm64"),
      { audit: ["arm64-without-dma-domains/4.2", "arm64-without-dma-domains/posted"], is: "equivalent" },
    ],
    verdict: "holds",
    reading: "What drivers are asked, and what a device's driver maps with, is the same as without the series.",
  }),
];
