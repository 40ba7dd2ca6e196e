/**
 * How the kernel's drivers and user processes have been kept apart, or were to be: what is said of it in September 2021 (VFIO's own
 * rule, and the sketch of another), and what was merged in v5.19. All are 6.1.176 but for what they name.
 */
import { type Design, design } from "iommu-mc";
import { linux61, linux61Without } from "../linux/designs.js";
import type { linux } from "../linux/schema.js";
import { proposals } from "./commits.js";

/** VFIO's locks, and the lifetime of its groups, as they came with or after ownership. */
const later = ["e0e29bdb594a", "ca5f21b25749", "3dd59a7dcb97"] as const;

/** Since when VFIO does not look at the drivers of a group when a device is opened. */
const blind = "31076af0cb00";

/** Since when it does not listen to the group's notifier, and there is none. */
const deaf = ["93219ea94388", "3b86f317c9c7", "a5f1bd1afacd"] as const;

/** 6.1.176 before anybody owned the DMA of a group: VFIO looks at its drivers, and listens to its notifier. */
export const before = linux61Without(
  "user-dma-before",
  "1ea2a07a532b",
  "0286300e6045",
  "512881eacfa7",
  "70693f470848",
  "dc15f82f5329",
  blind,
  ...deaf,
  ...later,
);

/** The buses take ownership in dma_configure, and VFIO when a group is put into a container: 6.1.176. */
export const merged = linux61;

/** The same when it was new: re-probing for CONFIG_DEBUG_TEST_DRIVER_REMOVE forgot dma_cleanup. */
export const mergedAtFirst = linux61Without("user-dma-merged-at-first", "f429378a9bf8");

/** In the midst of the series: ownership is taken, and VFIO looks and listens as before. */
export const mergedLooking = linux61Without("user-dma-looking", blind, ...deaf, ...later);

/** VFIO looks no more, but listens. */
export const mergedListening = linux61Without("user-dma-listening", ...deaf, ...later);

/** The end of the series: it does neither. */
export const mergedDeaf = linux61Without("user-dma-deaf", ...later);

/** The driver core takes ownership around all of really_probe(), and not the buses. */
export const sketch = proposal("user-dma-sketch", linux61, "ownership-around-probe");

/** The sketch while VFIO listens to the group's notifier. */
export const sketchListening = proposal("user-dma-sketch-listening", mergedListening, "ownership-around-probe");

/** And when there is none. */
export const sketchDeaf = proposal("user-dma-sketch-deaf", mergedDeaf, "ownership-around-probe");

/** As merged, but that VFIO takes a group when its first device is opened. */
export const atOpen = proposal("user-dma-at-open", linux61, "ownership-at-open");

function proposal(name: string, base: Design<typeof linux>, ...proposed: readonly (keyof typeof proposals)[]): Design<typeof linux> {
  return design({
    ...base,
    name,
    version: `${base.version} with ${proposed.join(", ")}`,
    commits: { ...base.commits, ...proposals },
    includes: [...base.includes, ...proposed],
  });
}
