/** Designs before and after a change, of which reports/audits has a page each. */
export interface Pair {
  /** Name of the page. */
  readonly page: string;
  readonly a: string;
  readonly b: string;
  /** Suites whose scenarios they are compared in; * stands for anything. */
  readonly suites: string;
  /** What the page shows, in a few words. */
  readonly shows: string;
  /** What to make of it. */
  readonly reading: string;
}

export const pairs: readonly Pair[] = [
  {
    page: "blocking-domain-at-claim",
    a: "linux-6.1-0286300e6045",
    b: "linux-6.1",
    suites: "vfio-close/*",
    shows: "a claim that always assigns a domain, `0286300e6045` (v5.19)",
    reading: "Before, a claim leaves the group on nothing where its driver has `detach_dev`, and where it has none on what it was on.",
  },
  {
    page: "attach-rolled-back",
    a: "linux-6.1-2cc73c5712f9",
    b: "linux-6.1",
    suites: "partial-attach/*",
    shows: "an attach that is rolled back when it fails half-way, `2cc73c5712f9` (v6.3, in 6.1.176)",
    reading:
      "The devices attached so far go back to the old domain. Where the very claim fails (`rmrr`) no attach to a user's domain is begun, and nothing changes.",
  },
  {
    page: "set-domain-rolled-back",
    a: "linux-6.1",
    b: "linux-6.1+dcf40ed3a20d",
    suites: "partial-attach/*",
    shows: "a change of domain that is rolled back when it fails half-way, `dcf40ed3a20d` (v6.5)",
    reading: "Here the claim fails, too, and the devices before the failing one go back.",
  },
  {
    page: "no-detach-dev",
    a: "linux-6.1",
    b: "linux-6.1+1b932ceddd19",
    suites: "vfio-*",
    shows: "the removal of `detach_dev`, `1b932ceddd19` (v6.3)",
    reading:
      "Since a claim always assigns a domain, nobody comes to call it where groups have default domains; where they have none, a device stays where it was. A driver that has neither was warned about twice, since the group could not be left on nothing; now it is left so, and warned about once.",
  },
  {
    page: "attach-deferred-remembered",
    a: "linux-6.1+1b932ceddd19",
    b: "linux-6.1+1b932ceddd19+dd8a25c557e1",
    suites: "deferred-attach/*",
    shows: "`is_attach_deferred` asked once, when a device is probed, and remembered, `dd8a25c557e1` (v6.3)",
    reading:
      "The same but where a device is plugged in while a crashed kernel is examined: nobody asked there before, and the device was attached at once ([a finding](../findings/attach-deferred-ignored-at-hotplug.md)).",
  },
  {
    page: "ops-split-as-posted",
    a: "ops-5.17",
    b: "ops-posted",
    suites: "ops-split/*",
    shows: "the split of `struct iommu_ops` as it was posted in January 2022",
    reading:
      "Nobody can tell where both have the same operations. What differs is what the domains' table of Intel's driver does not have: the attach of an auxiliary domain, and `enable_nesting`, which the same series took out of it.",
  },
  {
    page: "ops-split-as-merged",
    a: "ops-posted",
    b: "ops-merged",
    suites: "ops-split/*",
    shows: "a default table that the core installs (`9a630a4b41a2`, v5.18), in the place of one that each driver sets",
    reading: "Nobody can tell.",
  },
];
