/** The split of `struct iommu_ops` into those of a device and those of a domain (January 2022). */
import type { Claim, Evidence } from "iommu-mc";

const system = "ops-split";

const withIdentityDomains = ["intel_iommu", "amd_iommu", "arm_smmu", "arm_smmu_v3", "apple_dart"];
const several = ["intel_iommu", "amd_iommu", "arm_smmu_v3", "virtio_iommu", "s390_iommu"];
const drivers = ["intel_iommu", "amd_iommu", "arm_smmu", "arm_smmu_v3", "virtio_iommu", "exynos_iommu", "s390_iommu", "apple_dart"];

/** Two designs of one scenario. */
function audit(scenario: string, a: string, b: string, is: "equivalent" | "differ" = "equivalent", observe?: readonly string[]): Evidence {
  return { audit: [`ops-split/${scenario}/${a}`, `ops-split/${scenario}/${b}`], is, ...(observe === undefined ? {} : { observe }) };
}

function check(suite: string, code: string, is: "holds" | "violated" = "holds"): Evidence {
  return { suite: `ops-split/${suite}`, check: code, is };
}

export const opsSplitClaims: readonly Claim[] = [
  {
    id: "B1",
    system,
    says: "The split as posted preserves semantics: drivers with one kind of table see the same calls in the same order.",
    evidence: [
      ...drivers.map((driver) => audit(`same/${driver}`, "5.17", "posted")),
      ...several.map((driver) => audit(`shared/${driver}`, "5.17", "posted")),
      ...withIdentityDomains.map((driver) => audit(`identity/${driver}`, "5.17", "posted")),
    ],
    verdict: "equivalent",
    reading:
      "For each of eight drivers, over every sequence of probing, DMA, writes to the type file and use of a domain, with one failure anywhere; and of domains that two IOMMUs share, and identity domains. A driver has to think of domains that domain_alloc does not allocate: the suite static-domain/intel_iommu/forgetful shows a NULL table. Intel's enable_nesting and PASID ops are left out: patches before it in the series take them away.",
  },
  {
    id: "B2",
    system,
    says: "A default table that the core installs is equivalent to tables that each driver sets, for drivers with one kind of table.",
    evidence: [
      ...drivers.map((driver) => audit(`same/${driver}`, "posted", "merged")),
      ...several.map((driver) => audit(`shared/${driver}`, "posted", "merged")),
      ...withIdentityDomains.map((driver) => audit(`identity/${driver}`, "posted", "default-table")),
    ],
    verdict: "equivalent",
    reading: "The proposal of the review, as v5.18 has it, shows nothing that the posted form does not show, and the other way round.",
  },
  {
    id: "B3a",
    split: "what is true of the domains of processes is not of identity domains",
    system,
    says: "With domains of processes (SVA) one default table sends some op to the wrong kind of domain, unless domain_alloc overrides it.",
    evidence: [check("sva/default-table", "D1", "violated"), check("sva/own-table", "all")],
    verdict: "holds",
    reading:
      "It is the op that frees: the domain of a process is taken for one with a page table. With a table of its own nothing goes wrong.",
  },
  {
    id: "B3b",
    system,
    says: "With identity domains one default table sends some op to the wrong kind of domain.",
    evidence: withIdentityDomains.map((driver) => check(`identity/${driver}/default-table`, "D1", "violated")),
    verdict: "refuted",
    reading:
      "In all of these drivers an identity domain is embedded in the same structure as any other, and the core asks for the type before it maps: the table is too long for it, but not wrong.",
    finding: "identity-domains-need-no-table.md",
  },
  {
    id: "B4",
    system,
    says: "With ops set at attach, an op called before the first attach has no table, and a second device of another kind changes the ops under live mappings.",
    evidence: [
      check("before-attach/at-attach", "D10", "violated"),
      check("before-attach/at-attach", "null-deref", "violated"),
      check("two-endpoints/at-attach", "D3", "violated"),
      check("two-endpoints/at-attach", "D2", "violated"),
    ],
    verdict: "holds",
    reading:
      "The first is worse than was said: the walk of the bus flushes a default domain before it attaches anything, so that no machine boots. The second leaves the device that was there first with a page that was unmapped. It takes devices of two kinds behind one virtio-iommu: another instance is refused by the drivers that finish a domain at attach.",
  },
  {
    id: "B5",
    system,
    says: "domain_alloc reached from the device, returning a finished domain, has neither problem.",
    evidence: [check("before-attach/from-device", "all"), check("two-endpoints/from-device", "all")],
    verdict: "holds",
    reading: "A device of the other kind is refused, and its user allocates another domain, as VFIO does when an attach fails.",
  },
  {
    id: "B6",
    system,
    says: "Whether an op is the device's or the domain's is decided by what its implementations read.",
    evidence: [
      audit("deferred/intel_iommu", "through-domain", "through-device"),
      audit("deferred/amd_iommu", "through-domain", "through-device"),
      audit("resv/walk", "5.10", "without-device"),
      audit("resv/walk", "5.10", "without-domain", "differ"),
    ],
    verdict: "holds",
    reading:
      "`iommu-mc audit ops ops-5.17` measures it over eight drivers. attach_dev, detach_dev and the attach of a PASID need both; is_attach_deferred the device alone; apply_resv_region, map, unmap, flush and sync ops, iova_to_phys, enable_nesting, set_pgtable_quirks and domain_free the domain alone. The argument that is not read can be dropped, and no other: that is what the audits show of the two ops that were in dispute.",
  },
  {
    id: "B7",
    system,
    says: "is_attach_deferred never uses its domain argument: dropping it, and asking through the device, changes nothing.",
    evidence: [
      audit("deferred/intel_iommu", "through-domain", "through-device"),
      audit("deferred/amd_iommu", "through-domain", "through-device"),
      audit("deferred-shared/amd_iommu", "through-domain", "through-device"),
    ],
    verdict: "equivalent",
    reading:
      "Of both drivers that have it. A driver that deferred attaches to some domains only would be told apart: the suites deferred-by-domain compare one.",
  },
  {
    id: "B8",
    system,
    says: "The device that apply_resv_region is given only selects one that is attached to the domain.",
    evidence: [check("resv/walk/5.10", "D6"), check("resv/plugged/5.10", "D6")],
    verdict: "refuted",
    reading:
      "It is so for a device that is plugged in. The walk of a bus, by which every device that is there at boot is set up, calls it before anything is attached.",
    finding: "reserved-before-attached.md",
  },
  {
    id: "B8b",
    system,
    says: "Two drivers implement apply_resv_region, and neither uses the domain (v5.3 and v5.4, the only releases with two).",
    evidence: [audit("resv/walk", "5.10", "without-domain")],
    verdict: "differs",
    reading:
      "What was said of is_attach_deferred is not so of apply_resv_region: Intel's and AMD's have the same lines, which reserve IOVAs of the domain and never look at the device. Since v5.11 no driver has it.",
    finding: "reserved-before-attached.md",
  },
  {
    id: "B9a",
    split: "it depends on whether kinds of domains have tables of their own",
    system,
    says: "With one table for all kinds, testing an op for NULL and testing the domain's type give the same answer in every reachable state.",
    evidence: [
      ...withIdentityDomains.map((driver) => check(`identity/${driver}/default-table`, "D4")),
      audit("tests/intel_iommu", "default-table-null", "default-table-type", "equivalent", ["map", "unmap"]),
    ],
    verdict: "refuted",
    reading: "In v5.17, as posted and as merged, an identity domain has an op to map: only the type says that it is not to be called.",
  },
  {
    id: "B9b",
    system,
    says: "With a table for each kind, testing an op for NULL and testing the domain's type give the same answer in every reachable state.",
    evidence: [
      ...withIdentityDomains.map((driver) => check(`identity/${driver}/by-kind`, "D4")),
      audit("tests/intel_iommu", "by-kind-null", "by-kind-type", "equivalent", ["map", "unmap"]),
      audit("tests/arm_smmu", "by-kind-null", "by-kind-type", "equivalent", ["map", "unmap"]),
    ],
    verdict: "holds",
    reading: "No driver is called by one that is not by the other. The caller can tell them apart by the error: -ENODEV or -EINVAL.",
  },
  {
    id: "B10",
    system,
    says: "A domain's type that can change goes out of step with its ops; a type that is a part of the ops cannot.",
    evidence: [
      check("type-file/intel_iommu/type-of-domain", "D5", "violated"),
      check("type-file/virtio_iommu/type-of-domain", "D5", "violated"),
      check("type-file/virtio_iommu/type-of-domain", "null-deref", "violated"),
      check("type-file/intel_iommu/type-of-ops", "all"),
      check("type-file/virtio_iommu/type-of-ops", "all"),
    ],
    verdict: "holds",
    reading:
      "The type does change: since v5.15 a write of DMA-FQ to the type file makes a DMA domain one with a flush queue, in place. Under virtio-iommu, which cannot flush, that ends in a call of NULL; with the type in the ops there is no table to change to, and the write is refused.",
  },
  {
    id: "B11a",
    split: "it is a question of who calls, and one of the effect with each driver",
    system,
    says: "enable_nesting is dead code: nothing in the kernel comes to call it.",
    evidence: ["intel_iommu", "arm_smmu", "arm_smmu_v3"].map((driver) => check(`nesting/${driver}/real`, "D7")),
    verdict: "refuted",
    reading:
      "VFIO calls it for any process that sets its container to VFIO_TYPE1_NESTING_IOMMU. That no known program does is another matter.",
    finding: "nesting-is-not-dead.md",
  },
  {
    id: "B11b",
    system,
    says: "With Intel's driver, on hardware that can nest, enable_nesting has no effect that a process or its device could tell.",
    evidence: [audit("nesting/intel_iommu", "real", "in-name-only")],
    verdict: "equivalent",
    reading:
      "Since eea53c581688 (v5.13), that is: the page table is a second-level one instead of a first-level one, and both give the same. Until v5.12 a page that was mapped write-only could be read through the one and not through the other (suites 5.12). And it is of IOMMUs that can nest: elsewhere the op refuses, which a process sees (suites nesting-absent).",
  },
  {
    id: "B11c",
    system,
    says: "With the SMMU drivers enable_nesting has no effect that a process or its device could tell.",
    evidence: [audit("nesting/arm_smmu", "real", "in-name-only"), audit("nesting/arm_smmu_v3", "real", "in-name-only")],
    verdict: "differs",
    reading:
      "It makes the page table one of stage 2, whose entries can be write-only; those of stage 1 cannot. A device reads what was mapped for writing only without nesting, and does not with it.",
    finding: "nesting-is-not-dead.md",
  },
  {
    id: "B12a",
    split: "`exactly if` is two statements",
    system,
    says: "Swapping in ops of the format once it is known is safe if nothing is called before.",
    evidence: ["swapped", "bare", "ops-first"].flatMap((key) => [
      audit("format/after-attach", "not-swapped", key),
      check(`format/after-attach/${key}`, "null-deref"),
      check(`format/after-attach/${key}`, "D1"),
    ]),
    verdict: "holds",
    reading: "Whatever the table was before, and even if it is swapped before there is a page table: nobody looks.",
  },
  {
    id: "B12b",
    system,
    says: "Swapping in ops of the format once it is known is safe only if nothing is called before.",
    evidence: [
      audit("format/before-attach", "not-swapped", "swapped", "differ"),
      audit("format/meanwhile", "not-swapped", "swapped", "differ"),
      check("format/before-attach/bare", "null-deref", "violated"),
      check("format/before-attach/ops-first", "null-deref", "violated"),
      check("format/meanwhile/ops-first", "null-deref", "violated"),
    ],
    verdict: "refuted",
    reading:
      "If the table of before is the one that asks for a page table, and the swap is the last thing that attach does, then calls before it and meanwhile are answered as they were without a swap. The other tables, and the other order, break.",
    finding: "ops-swapped-under-calls.md",
  },
  {
    id: "B13",
    system,
    says: "To attach a PASID or a process is another operation: where one implementation serves it too, it has to ask for the kind of the domain.",
    evidence: [
      check("sva/one-attach", "D1", "violated"),
      check("sva/one-attach", "D9", "violated"),
      check("sva/attach-by-kind", "all"),
      check("sva/own-table", "all"),
      check("sva/arm_smmu_v3/one-attach", "D1", "violated"),
      check("sva/arm_smmu_v3/one-attach", "D9", "violated"),
      check("sva/arm_smmu_v3/attach-by-kind", "all"),
      check("sva/arm_smmu_v3/own-table", "all"),
      check("sva/amd_iommu/one-attach", "D9", "violated"),
      check("sva/amd_iommu/attach-by-kind", "all"),
      check("sva/amd_iommu/own-table", "all"),
    ],
    verdict: "holds",
    reading:
      "Without a case the implementation takes the domain for one with a page table, and puts all of the device's DMA on it. It holds of the three drivers that have had both kinds until 7.2, Intel's, SMMUv3's (as of v6.2) and AMD's (6.12); also of AMD's, where one structure serves both and no container_of() goes wrong. That no implementation could do without a case is not decided by examples.",
  },
  {
    id: "B14a",
    split: "it depends on who clears the flag",
    system,
    says: "A flag in dev_iommu that is set at probe and cleared by each attach that succeeds (as v6.3 does it) replaces is_attach_deferred.",
    evidence: [
      audit("deferred/intel_iommu", "since-586081d3f6b1", "flag-since-586081d3f6b1", "equivalent", [
        "attach_dev",
        "map",
        "unmap",
        "iommu_dma_map_page returns",
      ]),
      audit("deferred-shared/intel_iommu", "through-device", "flag", "equivalent", [
        "attach_dev",
        "map",
        "unmap",
        "iommu_dma_map_page returns",
      ]),
      audit("deferred/amd_iommu", "through-device", "flag", "equivalent", ["attach_dev", "map", "unmap", "iommu_dma_map_page returns"]),
    ],
    verdict: "differs",
    reading:
      "While nobody but the DMA API attaches, it is equivalent to what Intel's driver of v5.18 says. AMD's forgets before it attaches: if that fails, the next mapping is given for a device that is on no domain, which the core's flag mends. Intel's calls an attach deferred again when a user's attach has failed and left the device on nothing, so that the next mapping puts it back; the flag does not.",
    finding: "deferred-attach-forgotten.md",
  },
  {
    id: "B14b",
    system,
    says: "A flag that is cleared by each attempt to attach, as AMD's driver does it, replaces AMD's is_attach_deferred.",
    evidence: [
      audit("deferred/amd_iommu", "through-device", "flag-cleared-at-attempt", "equivalent", [
        "attach_dev",
        "map",
        "unmap",
        "iommu_dma_map_page returns",
      ]),
    ],
    verdict: "equivalent",
    reading: "Equivalent, with the mistake. A flag that nobody clears attaches the device again with each mapping.",
  },
];
