/** Linux 4.2 with arm64's DMA ops as posted in 2015: which domain a device gets, and from whom. */
import { type Suite, suite, thread, withCommits } from "iommu-mc";
import { type Arm64Objects, boot_two_buses, boot_two_kinds, spanningScenario } from "../../models/arm64/boot.js";
import { arm42, linux42, linux44 } from "../../models/arm64/designs.js";
import { C5Fallback, C5Platform, pciDefaultDomain, T1Arm64, T5None, T5Pci } from "../../properties/delayed-attach.js";
import { C1Then, C5Then, R1Then, T5Arm64, V2Arm64 } from "../../properties/in-2015.js";
import { boot, deferred, mergedOn42, of42, posted, rockchip, smmu, sysmmu, underEach } from "./arm64-scene.js";
import { everything, violated } from "./on-linux61.js";

const ofCore = violated("since v4.4 the core asks the IOMMU's driver for the group of every device, and makes a default domain for it");
const pciTranslated = violated(
  "the core attaches a PCI device to a default domain, and of_iommu_configure() does not let its DMA ops follow",
);
const pciWaits = violated(
  "a PCI device is in no group either when its DMA ops are set up, and the PCI bus has no notifier that would attach it",
);
const setUpLate = violated("its DMA ops are set up when its driver is bound, by when it is in a group");
const secondKind = violated(
  "bus_set_iommu() refuses the second kind, so that its devices are in no group, by which the DMA API would find their domain",
);
const wrongDriver = violated("the bus has the ops of the kind that came first");
const refusedByOther = violated("the driver of the kind that came first, whose domain it is, refuses a device that it does not know");
const pretendedByOther = violated("the driver of the kind that came first returns 0 for a device that it does not know, and does nothing");
const otherInstance = violated("arm_smmu_attach_dev() refuses a domain that has its context in another SMMU");
const takenAlong = violated(
  "the IOMMU is told of an id: the second device's attach takes the first one's DMA to a domain in which that maps nothing",
);
const outOfContexts = violated("each device gets a domain of its own, and each domain a context");
const notListed = violated("between enabling the IOMMU and listing it, an unmap does not know of it");
const notListedAnyMore = violated("between taking the IOMMU off the list and disabling it, an unmap does not know of it any more");
const refusedAlone = violated(
  "the second device is attached with its group, but refused when it is to be attached alone: it keeps the platform's DMA ops",
);
const refusedBoth = violated("neither device of a group can be attached alone");

const onBothBuses = {
  describes: "a platform device and a PCI device come when the driver of their IOMMU is there",
  devices: [{ name: "platform0" }, { name: "pci0", bus: "pci" }],
  threads: ({ device, bus, iommu }: Arm64Objects) => [
    thread("init", boot_two_buses, bus("platform"), bus("pci"), iommu(0), device("platform0"), device("pci0")),
  ],
} as const;

const busSuites: readonly Suite[] = underEach({ ...onBothBuses, name: "both-buses" }, [
  {
    name: "arm64-buses/posted",
    design: posted,
    properties: [T5Arm64, V2Arm64, C5Platform, C5Fallback, T5Pci, pciDefaultDomain],
    expected: everything(pciTranslated, "T5-arm64", "V2-arm64"),
  },
  {
    name: "arm64-buses/merged",
    design: linux44,
    properties: [T5Arm64, V2Arm64, C5Platform, C5Fallback, T5Pci, pciDefaultDomain],
    expected: { ...everything(pciTranslated, "T5-arm64", "V2-arm64"), ...everything(ofCore, "C5-platform", "C5-fallback") },
  },
  {
    name: "arm64-buses/of-pci",
    design: withCommits(posted, "of-pci"),
    properties: [T5Arm64, V2Arm64, T5Pci],
    expected: everything(pciWaits, "T5-arm64", "V2-arm64"),
  },
  {
    name: "arm64-buses/deferred-of-pci",
    design: withCommits(deferred, "of-pci"),
    properties: [T5Arm64, V2Arm64, T5Pci],
    expected: { "T5-pci": setUpLate },
  },
]);

/** The driver of the IOMMU has no DMA domains, as none had in v4.2 but AMD's. */
const withoutDma = { ...onBothBuses, iommus: [{ ...smmu, dmaDomains: false }], name: "without-dma-domains" };

const withoutDmaSuites: readonly Suite[] = underEach(withoutDma, [
  { name: "arm64-without-dma-domains/4.2", design: linux42, properties: [T5Arm64, T5None, T5Pci] },
  { name: "arm64-without-dma-domains/posted", design: posted, properties: [T5Arm64, T5None, T5Pci] },
  { name: "arm64-without-dma-domains/merged", design: linux44, properties: [T5Arm64, T5None, T5Pci] },
]);

const twoKinds = {
  describes: "d0 and d1 are behind two kinds of IOMMUs, of which the bus takes one",
  iommus: [smmu, sysmmu],
  devices: [{ name: "d0" }, { name: "d1", iommu: 1 }],
  threads: ({ device, bus, iommu }: Arm64Objects) => [
    thread("init", boot_two_kinds, bus("platform"), iommu(0), iommu(1), device("d0"), device("d1")),
  ],
};

const kindSuites: readonly Suite[] = underEach({ ...twoKinds, name: "two-kinds" }, [
  { name: "arm64-two-kinds/of-device", design: posted, properties: [T5Arm64, C5Then], expected: { "null-deref": secondKind } },
  {
    name: "arm64-two-kinds/of-bus",
    design: withCommits(posted, "domain-of-bus"),
    properties: [T5Arm64, C5Then],
    expected: { "C5-2015": wrongDriver },
  },
]);

/** On arm a mapping's domain is always that of the bus. */
const kindOnArmSuites: readonly Suite[] = [
  of42({
    ...twoKinds,
    name: "arm/two-kinds/exynos_sysmmu",
    iommus: [sysmmu, rockchip],
    design: arm42,
    properties: [T5Arm64, C5Then],
    expected: { "C5-2015": refusedByOther },
  }),
  of42({
    ...twoKinds,
    name: "arm/two-kinds/rk_iommu",
    iommus: [rockchip, sysmmu],
    design: arm42,
    properties: [T5Arm64, C5Then],
    expected: everything(pretendedByOther, "C5-2015", "T5-arm64"),
  }),
];

/** Two devices behind one IOMMU that has so many contexts. */
function behindOne(name: string, contexts: number) {
  return {
    name,
    describes: `d0 and d1 are behind one IOMMU that has ${contexts === 1 ? "one context" : "two contexts"}`,
    contexts: [contexts],
    devices: [
      { name: "d0", smmu: 0 },
      { name: "d1", smmu: 0 },
    ],
    threads: boot("dma iommu device device driver", "d1"),
  };
}

const contextSuites: readonly Suite[] = [
  ...underEach(behindOne("one-context", 1), [
    { name: "arm64-contexts/one-for-each-device", design: posted, properties: [T5Arm64, V2Arm64], expected: { "V2-arm64": outOfContexts } },
    { name: "arm64-contexts/one-for-both", design: withCommits(posted, "domain-per-smmu"), properties: [T5Arm64, V2Arm64] },
  ]),
  of42({
    name: "arm64-contexts/one-for-all",
    describes: "d0 and d1 are each behind an IOMMU of their own",
    contexts: [1, 1],
    devices: [
      { name: "d0", smmu: 0 },
      { name: "d1", smmu: 1 },
    ],
    threads: boot("dma iommu device device driver", "d1"),
    design: withCommits(posted, "domain-per-kind"),
    properties: [T5Arm64, V2Arm64],
    expected: { "V2-arm64": otherInstance },
  }),
  of42({ ...behindOne("arm64-contexts/enough", 2), design: posted, properties: [T5Arm64, V2Arm64] }),
];

const spanning = spanningScenario("spanning");

const spanningSuites: readonly Suite[] = [
  suite({ name: "arm-spanning/4.2", design: linux42, scenario: spanning, properties: [T1Arm64], expected: { "T1-arm64": notListed } }),
  suite({
    name: "arm-spanning/list-first",
    design: withCommits(linux42, "rk-list-first"),
    scenario: spanning,
    properties: [T1Arm64],
    expected: { "T1-arm64": notListedAnyMore },
  }),
  suite({
    name: "arm-spanning/disable-first",
    design: withCommits(linux42, "rk-list-first", "rk-disable-first"),
    scenario: spanning,
    properties: [T1Arm64],
  }),
];

const inOneGroup = {
  describes: "d0 and d1 have one id, and the driver of their IOMMU puts them into one group; they come one after the other",
  iommus: [{ ...smmu, findsGroups: true }],
  devices: [{ name: "d0" }, { name: "d1", alias: "d0" }],
  threads: boot("dma iommu device device driver", "d1"),
};

const groupSuites: readonly Suite[] = [
  ...underEach({ ...inOneGroup, name: "one-group" }, [
    {
      name: "arm64-one-group/posted",
      design: posted,
      properties: [T5Arm64, V2Arm64, C1Then, R1Then],
      expected: everything(refusedAlone, "T5-arm64", "V2-arm64"),
    },
    { name: "arm64-one-group/merged-on-4.2", design: mergedOn42, properties: [T5Arm64, V2Arm64, C1Then, R1Then] },
    { name: "arm64-one-group/merged", design: linux44, properties: [T5Arm64, V2Arm64, C1Then, R1Then] },
  ]),
  of42({
    ...inOneGroup,
    name: "arm64-one-group/both-at-once",
    describes: "the same, but both are in their group when the first of them is to be attached",
    design: withCommits(mergedOn42, "722ec35f7fae"),
    threads: boot("device device iommu dma driver", "d1"),
    properties: [T5Arm64, V2Arm64],
    expected: { "V2-arm64": refusedBoth },
  }),
];

/** v4.2's drivers make a group for every platform device. */
const oneId = {
  name: "one-id",
  describes: "d0 and d1 have one id and groups of their own; they come one after the other",
  devices: [{ name: "d0" }, { name: "d1", twin: "d0" }],
  threads: boot("dma iommu device device driver", "d1"),
};

const idSuites: readonly Suite[] = underEach(oneId, [
  { name: "arm64-one-id/posted", design: posted, properties: [T5Arm64, V2Arm64], expected: { "T5-arm64": takenAlong } },
  { name: "arm64-one-id/merged", design: linux44, properties: [T5Arm64, V2Arm64], expected: { "T5-arm64": takenAlong } },
]);

export const arm64DomainSuites: readonly Suite[] = [
  ...busSuites,
  ...withoutDmaSuites,
  ...kindSuites,
  ...kindOnArmSuites,
  ...contextSuites,
  ...spanningSuites,
  ...groupSuites,
  ...idSuites,
];
