/** Commits of the DMA API and its deferred attach, whose absence turns a suite red. */
import type { Switch } from "iommu-mc";

export const dmaSwitches: readonly Switch[] = [
  {
    entry: 21,
    bug: "an external device's unmapped pages stay in its reach, since flushing is lazy for all devices alike",
    commit: "82c3cefb9f16",
    suite: "dma/untrusted-under-lazy-policy",
    red: "T3-queue",
    without: { revert: ["82c3cefb9f16"] },
    with: {},
  },
  {
    entry: 27,
    bug: "the first map of a kdump kernel goes to a domain that the device is not attached to",
    commit: "bd421264ed30",
    suite: "deferred-attach/first-map",
    red: "C15",
    without: { revert: ["bd421264ed30"] },
    with: {},
  },
  {
    entry: 28,
    bug: "two first maps attach a device at the same time",
    commit: "5d5388b0e190",
    suite: "deferred-attach/two-maps",
    red: "warn-on",
    without: {},
    with: { apply: ["5d5388b0e190"] },
  },
  {
    entry: 28,
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
    entry: 26,
    bug: "two devices of a group initialise their domain's IOVA allocator",
    commit: "ac9a5d522bb8",
    suite: "dma/two-in-a-group",
    red: "X3",
    without: { revert: ["ac9a5d522bb8"] },
    with: {},
  },
];
