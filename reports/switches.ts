/** Commits whose absence turns a suite red: each row is run without them and with them, and ends up in switches.md. */

/** Changes to the suite's design, as on the command line. */
export interface Change {
  readonly revert?: readonly string[];
  readonly apply?: readonly string[];
}

export interface Switch {
  /** Number of the bug in the corpus (reports/corpus/entries.ts), if it is one of them. */
  readonly entry?: number;
  /** The bug in a few words. */
  readonly bug: string;
  /** The commit that is switched, by its first twelve digits. */
  readonly commit: string;
  readonly suite: string;
  /** Property or check that is violated without the commit. */
  readonly red: string;
  readonly without: Change;
  readonly with: Change;
  /** What is red with the commit too, and why it is not enough. */
  readonly left?: { readonly red: string; readonly why: string };
}

export const switches: readonly Switch[] = [
  {
    bug: "dev->iommu points to freed memory while a failed probe is undone",
    commit: "b54240ad4943",
    suite: "probe/failing-walk",
    red: "L1",
    without: { revert: ["b54240ad4943"] },
    with: {},
  },
  {
    bug: "two probes of one device at once: it joins groups twice",
    commit: "01657bc14a39",
    suite: "probe/joined-once",
    red: "X2",
    without: { revert: ["01657bc14a39", "a2e7e59a9426"] },
    with: {},
  },
  {
    bug: "two probes of one device, one after the other",
    commit: "6eb4da8cf545",
    suite: "probe/plug-against-register",
    red: "X1",
    without: {},
    with: { apply: ["6eb4da8cf545"] },
  },
  {
    bug: "a failing probe frees what firmware code works on, which neither clearing the pointer first nor one probe at a time prevents",
    commit: "a2e7e59a9426",
    suite: "probe/rechecked",
    red: "use-after-free",
    without: { revert: ["a2e7e59a9426"] },
    with: {},
  },
  {
    bug: "a driver is bound before its device has a default domain",
    commit: "b46064a18810",
    suite: "probe/bind-between-phases",
    red: "T5-domain",
    without: {},
    with: { apply: ["b46064a18810"] },
    left: { red: "T5", why: "on arm64 the DMA ops are set up before that is asked, from a group that has no domain yet" },
  },
  {
    bug: "a device whose firmware does DMA is attached before its range is mapped",
    commit: "152431e4fe7f",
    suite: "direct-map/new-group",
    red: "T4",
    without: {},
    with: { apply: ["152431e4fe7f"] },
  },
  {
    bug: "the same for a device that joins a group",
    commit: "152431e4fe7f",
    suite: "direct-map/existing-group",
    red: "T4",
    without: {},
    with: { apply: ["152431e4fe7f"] },
    left: { red: "T4", why: "iommu_group_add_device() attaches earlier still; it takes 0046a4337eae (v6.5) too" },
  },
  {
    bug: "a device that is released is still on its group's list",
    commit: "dba9ca9d41f5",
    suite: "plug/come-and-go/intel_iommu",
    red: "L4",
    without: {},
    with: { apply: ["dba9ca9d41f5"] },
  },
  {
    bug: "every probe of a single device leaks a reference on its group",
    commit: "79659190ee97",
    suite: "plug/come-and-go/intel_iommu",
    red: "leak",
    without: { revert: ["79659190ee97"] },
    with: {},
  },
  {
    bug: "an owned group is left without a domain, its devices on a freed one",
    commit: "0286300e6045",
    suite: "vfio-close/arm_smmu_v3",
    red: "L2",
    without: { revert: ["0286300e6045"] },
    with: {},
  },
  {
    bug: "a group attach that fails leaves devices on the new domain",
    commit: "2cc73c5712f9",
    suite: "partial-attach/fault/arm_smmu_v3",
    red: "C3-attach",
    without: { revert: ["2cc73c5712f9"] },
    with: {},
  },
  {
    bug: "a write to the type file that fails leaves the device on nothing",
    commit: "4c8ad9da0566",
    suite: "default-domain/type-failing/intel_iommu",
    red: "C1",
    without: { apply: ["dcf40ed3a20d"] },
    with: { apply: ["4c8ad9da0566", "dcf40ed3a20d"] },
  },
  {
    bug: "a claim that fails leaves devices on the blocking domain",
    commit: "dcf40ed3a20d",
    suite: "partial-attach/rmrr",
    red: "C3",
    without: {},
    with: { apply: ["dcf40ed3a20d"] },
  },
  {
    bug: "a device plugged into a group that a driver has on a domain of its own is left on the default domain",
    commit: "e7f85dfbbc9c",
    suite: "hotplug/plug-into-own-domain",
    red: "C1",
    without: {},
    with: { apply: ["e7f85dfbbc9c"] },
    left: { red: "use-after-free", why: "probe_finalize() looks at the group's domain when the mutex has been given back" },
  },
  {
    bug: "a group is attached to another domain with a device that was released",
    commit: "dba9ca9d41f5",
    suite: "hotplug/unplug-sibling/intel_iommu",
    red: "null-deref",
    without: {},
    with: { apply: ["dba9ca9d41f5"] },
  },
  {
    bug: "the same by a driver's own domain",
    commit: "dba9ca9d41f5",
    suite: "hotplug/unplug-from-own-domain",
    red: "null-deref",
    without: {},
    with: { apply: ["dba9ca9d41f5"] },
  },
  {
    bug: "the same by a write to the group's type, which the device's lock does not prevent",
    commit: "dba9ca9d41f5",
    suite: "hotplug/unplug-against-type",
    red: "L4",
    without: {},
    with: { apply: ["dba9ca9d41f5"] },
    left: { red: "null-deref", why: "probe_finalize() is called for the device when the group is not locked any more" },
  },
  {
    bug: "an unplugged device whose driver was deferred has no IOMMU to be released from",
    commit: "dba9ca9d41f5",
    suite: "hotplug/unplug-deferred",
    red: "null-deref",
    without: {},
    with: { apply: ["dba9ca9d41f5"] },
  },
  {
    bug: "a VFIO user attaches a device that was released: VFIO lets a driver go while a user has the group",
    commit: "ca5f21b25749",
    suite: "hotplug/unplug-in-use",
    red: "null-deref",
    without: { revert: ["ca5f21b25749"] },
    with: {},
  },
  {
    bug: "a group loses its last device while a user owns it",
    commit: "ca5f21b25749",
    suite: "hotplug/unplug-open-group",
    red: "O4",
    without: { revert: ["ca5f21b25749"] },
    with: {},
  },
  {
    bug: "what ca5f21b25749 made of it: a device cannot go while user space has its group open",
    commit: "3dd59a7dcb97",
    suite: "hotplug/unplug-open-group",
    red: "stuck",
    without: { revert: ["3dd59a7dcb97"] },
    with: {},
  },
  {
    bug: "a group that is opened behind the last look at it has no iommu_group",
    commit: "3dd59a7dcb97",
    suite: "hotplug/unplug-in-use",
    red: "null-deref",
    without: { revert: ["3dd59a7dcb97"] },
    with: {},
  },
  {
    bug: "the first map of a kdump kernel goes to a domain that the device is not attached to",
    commit: "bd421264ed30",
    suite: "deferred-attach/first-map",
    red: "C15",
    without: { revert: ["bd421264ed30"] },
    with: {},
  },
  {
    bug: "two first maps attach a device at the same time",
    commit: "5d5388b0e190",
    suite: "deferred-attach/two-maps",
    red: "warn-on",
    without: {},
    with: { apply: ["5d5388b0e190"] },
  },
  {
    bug: "a first map and another attach are in the IOMMU's driver at the same time",
    commit: "5d5388b0e190",
    suite: "deferred-attach/map-against-own-domain",
    red: "warn-on",
    without: {},
    with: { apply: ["5d5388b0e190"] },
    left: {
      red: "C1",
      why: "whether the attach is deferred is not asked again under the mutex, so that the default domain gets over the other; accepted, since drivers are to make their first map alone",
    },
  },
  {
    bug: "two devices of a group initialise their domain's IOVA allocator",
    commit: "ac9a5d522bb8",
    suite: "dma/two-in-a-group",
    red: "X3",
    without: { revert: ["ac9a5d522bb8"] },
    with: {},
  },
  {
    entry: 31,
    bug: "a group whose kobject cannot be added is freed without it",
    commit: "7cc31613734c",
    suite: "group-alloc/freed-twice",
    red: "leak",
    without: { revert: ["7cc31613734c"] },
    with: {},
  },
  {
    entry: 32,
    bug: "what 7cc31613734c made of it: the group's id is freed twice, and two groups get the same",
    commit: "bf75eb44e11b",
    suite: "group-alloc/failing",
    red: "warn-on",
    without: { revert: ["bf75eb44e11b"] },
    with: {},
  },
  {
    entry: 33,
    bug: "a group whose files cannot be made is left behind",
    commit: "4daa861174d5",
    suite: "group-alloc/failing",
    red: "leak",
    without: { revert: ["4daa861174d5"] },
    with: {},
  },
];
